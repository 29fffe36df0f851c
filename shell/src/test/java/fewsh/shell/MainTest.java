package fewsh.shell;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import fewsh.Shared;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The program's command lines, on a model that knows the alphabet.
class MainTest {
    @TempDir static Path home;
    private static Cli cli;
    private static Cli bare;

    @BeforeAll
    static void makeModel() {
        Path model = Cli.alphabet(home);
        bare = Cli.in(home);
        cli = bare.with("FEWSH_MODEL", model.toString());
    }

    private static JsonObject json(String line) {
        return JsonParser.parseString(line).getAsJsonObject();
    }

    @Test
    void theVersionIsThatOfTheBuild() throws IOException {
        assertEquals(new Cli.Result(0, "fewsh " + Main.VERSION + "\n", ""), bare.run("--version"));
        assertTrue(Files.readString(Shared.project().resolve("pom.xml")).contains("<version>" + Main.VERSION + "</version>"));
    }

    @Test
    void helpListsEverySubcommandAndItsOptions() {
        String help = bare.run("--help").out();
        for (Command command : Commands.programs()) {
            assertTrue(help.contains("\n  " + command.name() + " "), command.name());
            Cli.Result own = bare.run(command.name(), "--help");
            assertEquals(0, own.code());
            for (Option option : command.options()) assertTrue(own.out().contains(option.usage()), option.usage());
            assertEquals(own, bare.run("help", command.name()));
        }
    }

    @Test
    void anUnknownCommandHasANearMissAndExits2() {
        assertEquals(new Cli.Result(2, "", "error: fewsh: unknown command \"scor\"\n  fix: did you mean \"score\"?\n"),
                bare.run("scor"));
    }

    @Test
    void anErrorInTheOptionsUnderJsonIsJson() {
        Cli.Result result = bare.run("ask", "--json", "--tmperature", "1", "hi");
        assertEquals(2, result.code());
        assertEquals("unknown option \"--tmperature\"", json(result.err()).getAsJsonObject("error").get("message").getAsString());
        assertEquals("did you mean \"--temperature\"?", json(result.err()).getAsJsonObject("error").get("fix").getAsString());
    }

    @Test
    void withNoModelAtAllItSaysWhatToType() {
        assertEquals(new Cli.Result(2, "", "error: no model yet\n  fix: type fewsh pull smollm2 to fetch a small one\n"),
                bare.run("ask", "hi"));
    }

    @Test
    void aModelThatIsNotThereIsNamed() {
        Cli.Result result = bare.run("ask", "-m", "no/such/model", "hi");
        assertEquals(2, result.code());
        assertTrue(result.err().contains("\"no/such/model\""), result.err());
    }

    @Test
    void askStreamsTheAnswerToStdoutAlone() {
        assertEquals(new Cli.Result(0, "abcdefghijklmnopqrstuvwxyz\n", ""), cli.run("ask", "hello"));
    }

    @Test
    void askJoinsWordsAndAppendsStandardInput() {
        assertEquals("efghijklmnopqrstuvwxyz\n", cli.piped("bcd", "ask", "--raw", "a").out());
        assertEquals("cdefghijklmnopqrstuvwxyz\n", cli.run("ask", "--raw", "a", "b").out());
        assertEquals("yz\n", cli.piped("x", "ask", "--raw").out());
    }

    @Test
    void askWithoutAPromptSaysSo() {
        assertEquals(2, cli.piped("\n", "ask").code());
        assertEquals(2, cli.run("ask").code());
    }

    @Test
    void askUnderJsonHasTheKeysOfTheContract() {
        JsonObject answer = json(cli.run("ask", "--json", "--raw", "--max-tokens", "3", "a").out());
        assertEquals(List.of("text", "finish_reason", "prompt_tokens", "completion_tokens", "seed", "model", "precision",
                "device",
                "seconds"), List.copyOf(answer.keySet()));
        assertEquals("bcd", answer.get("text").getAsString());
        assertEquals("length", answer.get("finish_reason").getAsString());
        assertEquals(1, answer.get("prompt_tokens").getAsInt());
        assertEquals(3, answer.get("completion_tokens").getAsInt());
        assertEquals(List.of("load", "prefill", "decode"), List.copyOf(answer.getAsJsonObject("seconds").keySet()));
    }

    @Test
    void askReportsLogprobsWithAndWithoutAlternatives() {
        JsonObject plain = json(cli.run("ask", "--json", "--raw", "--max_tokens", "2", "a", "--logprobs").out());
        JsonObject first = plain.getAsJsonArray("logprobs").get(0).getAsJsonObject();
        assertEquals(List.of("id", "text", "logprob"), List.copyOf(first.keySet()));
        assertEquals("b", first.get("text").getAsString());
        JsonObject top = json(cli.run("ask", "--json", "--raw", "--max_tokens", "2", "a", "--logprobs", "3").out());
        assertEquals(3, top.getAsJsonArray("logprobs").get(1).getAsJsonObject().getAsJsonArray("top").size());
        assertEquals("c", top.getAsJsonArray("logprobs").get(1).getAsJsonObject().getAsJsonArray("top").get(0).getAsJsonObject()
                .get("text").getAsString());
    }

    @Test
    void aStopSequenceEndsTheAnswerAndIsNotPartOfIt() {
        JsonObject answer = json(cli.run("ask", "--json", "--raw", "a", "--stop", "fg").out());
        assertEquals("bcde", answer.get("text").getAsString());
        assertEquals("stop", answer.get("finish_reason").getAsString());
    }

    @Test
    void samplesHaveIndexesAndTheSameSeedGivesTheSameSamples() {
        String[] ask = {"ask", "--json", "--raw", "a", "-n", "3", "--temperature", "5", "--max_tokens", "5", "--seed", "7"};
        List<JsonObject> first = cli.run(ask).out().lines().map(MainTest::json).toList();
        List<JsonObject> second = cli.run(ask).out().lines().map(MainTest::json).toList();
        assertEquals(List.of(0, 1, 2), first.stream().map(a -> a.get("index").getAsInt()).toList());
        assertEquals(first.stream().map(a -> a.get("text")).toList(), second.stream().map(a -> a.get("text")).toList());
        assertEquals(7, first.getFirst().get("seed").getAsInt());
    }

    @Test
    void samplesWithoutJsonAreSetApartByAHeader() {
        assertEquals("--- 1 of 2 ---\nyz\n--- 2 of 2 ---\nyz\n", cli.run("ask", "--raw", "x", "-n", "2").out());
    }

    @Test
    void aSeedThatWasDrawnIsReported() {
        Cli.Result result = cli.run("ask", "--raw", "a", "--temperature", "5", "--max_tokens", "5");
        String seed = result.err().lines().filter(line -> line.startsWith("seed ")).findFirst().orElseThrow().substring(5);
        Cli.Result again = cli.run("ask", "--raw", "a", "--temperature", "5", "--max_tokens", "5", "--seed", seed);
        assertEquals(result.out(), again.out());
        assertFalse(again.err().contains("seed"), again.err());
        assertEquals("", cli.run("ask", "--raw", "a", "--temperature", "5", "--max_tokens", "5", "--quiet").err());
    }

    @Test
    void anAnswerThatWasCutAndSamplesThatAreAlikeAreRemarkedOn() {
        assertEquals("stopped at max_tokens or the context's end: --max_tokens 2 was in force\n",
                cli.run("ask", "--raw", "a", "--max_tokens", "2").err());
        assertEquals("temperature is 0, so all samples are the same: add --temperature 0.8\n",
                cli.run("ask", "--raw", "x", "-n", "2").err());
        assertEquals("error: --logprobs: needs --json\n  fix: add --json, or look at /probs in the shell\n",
                cli.run("ask", "--raw", "x", "--logprobs", "2").err());
    }

    @Test
    void verboseShowsTheSettingsInForceOnStderr() {
        Cli.Result result = cli.run("ask", "-v", "--raw", "x", "--top_k", "3");
        assertEquals("yz\n", result.out());
        assertTrue(result.err().contains("\ntop_k 3\n") && result.err().contains("\ntemperature 0\n"), result.err());
    }

    @Test
    void aValueOutOfRangeIsSaidBeforeAModelIsLoaded() {
        assertEquals("error: top_p must be in (0, 1], was 1.5\n", bare.run("ask", "hi", "--top_p", "1.5", "-m", "nowhere").err());
    }

    @Test
    void aPromptOverTheContextLengthSaysByHowMuch() {
        Cli.Result result = cli.piped("a".repeat(600), "ask", "--raw");
        assertEquals(2, result.code());
        assertTrue(result.err().startsWith("error: prompt is 600 tokens, context length is 512: 88 too many\n"), result.err());
    }

    @Test
    void scoreTakesTheOptionForm() {
        JsonObject score = json(cli.run("score", "--json", "--context", "abc", "--continuation", "def").out());
        assertEquals(List.of("loglikelihood", "is_greedy", "tokens"), List.copyOf(score.keySet()));
        assertTrue(score.get("is_greedy").getAsBoolean());
        assertEquals("def", score.getAsJsonArray("tokens").asList().stream()
                .map(t -> t.getAsJsonObject().get("text").getAsString())
                .reduce("", String::concat));
        assertTrue(cli.run("score", "--context", "abc", "--continuation", "def").out().contains("· greedy · perplexity 1."));
    }

    @Test
    void scoreAnswersLinesInOrder() {
        List<JsonObject> scores = cli.piped("""
                {"context":"abc","continuation":"def"}

                {"context":"abc","continuation":"xyz"}
                {"text":"abc"}
                """, "score").out().lines().map(MainTest::json).toList();
        assertEquals(List.of(true, false), scores.subList(0, 2).stream().map(s -> s.get("is_greedy").getAsBoolean()).toList());
        assertEquals(3, scores.get(2).getAsJsonArray("tokens").size());
    }

    @Test
    void aBadLineOfScoreIsNamedAndWhatCameBeforeIsWritten() {
        Cli.Result result = cli.piped("{\"text\":\"abc\"}\n{\"text\":1}\n{\"text\":\"abc\"}\n", "score");
        assertEquals(2, result.code());
        assertEquals(1, result.out().lines().count());
        assertTrue(result.err().startsWith("error: stdin:2: \"text\" is missing or not a string\n"), result.err());
        assertTrue(cli.piped("{\"text\":\n", "score").err().startsWith("error: stdin:1: not JSON"));
        assertTrue(cli.piped("plain\n", "score").err().startsWith("error: stdin:1: not JSON: malformed at line 1 column 1"));
        assertTrue(cli.piped("{\"contxt\":\"a\"}\n", "score").err().startsWith("error: stdin:1: unknown field \"contxt\""));
    }

    @Test
    void tokenizeGivesIdsAndPieces() {
        assertEquals("{\"ids\":[97,98],\"pieces\":[\"a\",\"b\"]}\n", cli.run("tokenize", "--json", "ab").out());
        assertEquals("{\"ids\":[97],\"pieces\":[\"a\"]}\n{\"ids\":[],\"pieces\":[]}\n",
                cli.piped("\"a\"\n\"\"\n", "tokenize", "--json").out());
        assertEquals("a│b\n97 98\n", cli.piped("ab\n", "tokenize").out());
    }

    @Test
    void tokenizeRecognisesSpecialTokensOnlyWhenAsked() {
        assertEquals(1, json(cli.run("tokenize", "--json", "--special", "<|im_end|>").out()).getAsJsonArray("ids").size());
        assertEquals(10, json(cli.run("tokenize", "--json", "<|im_end|>").out()).getAsJsonArray("ids").size());
    }

    @Test
    void tokenizeGoesTheOtherWay() {
        assertEquals("ab\nc\n", cli.piped("97 98\n[99]\n", "tokenize", "--decode").out());
        assertEquals("{\"text\":\"ab\"}\n", cli.piped("[97,98]\n", "tokenize", "--decode", "--json").out());
        assertTrue(cli.piped("97\n9999\n", "tokenize", "--decode").err()
                .startsWith("error: stdin:2: id 9999 is not in the vocabulary"));
    }

    @Test
    void tokenizeRefusesALineThatIsNoJsonString() {
        Cli.Result result = cli.piped("plain\n", "tokenize", "--json");
        assertEquals(2, result.code());
        assertTrue(json(result.err()).getAsJsonObject("error").get("where").getAsString().equals("stdin:1"), result.err());
    }

    @Test
    void forwardGivesLogitsThatReadBackToTheSameFloats() throws IOException {
        Files.writeString(home.resolve("i.json"), "{\"input_ids\":[[97,98,99],[99,98,97]]}");
        String model = cli.environment().get("FEWSH_MODEL");
        JsonObject logits = json(cli.run("forward", model, "--input", "i.json").out()).getAsJsonObject("logits");
        assertEquals("[2,3,260]", logits.get("shape").toString());
        var row = logits.getAsJsonArray("data").get(1).getAsJsonArray().get(2).getAsJsonArray();
        for (var value : row) assertEquals(value.getAsString(), Float.toString(Float.parseFloat(value.getAsString())));
        Cli.Result batch = cli.piped("{\"input_ids\":[[97]]}\n{\"input_ids\":[[98]]}\n", "forward", model, "--batch");
        assertEquals(2, batch.out().lines().count());
    }

    @Test
    void forwardLeavesPaddingOut() {
        String model = cli.environment().get("FEWSH_MODEL");
        var padded = json(cli.piped("{\"input_ids\":[[0,0,97,98]],\"attention_mask\":[[0,0,1,1]],\"position_ids\":[[1,1,0,1]]}\n",
                "forward", model, "--batch").out()).getAsJsonObject("logits").getAsJsonArray("data").get(0).getAsJsonArray();
        var plain = json(cli.piped("{\"input_ids\":[[97,98]]}\n", "forward", model, "--batch").out()).getAsJsonObject("logits")
                .getAsJsonArray("data").get(0).getAsJsonArray();
        assertEquals(plain.get(1), padded.get(3));
        assertEquals(0, padded.get(0).getAsJsonArray().get(5).getAsDouble());
    }

    @Test
    void forwardNamesWhatIsWrongWithItsInput() {
        String model = cli.environment().get("FEWSH_MODEL");
        for (String line : List.of("{}", "{\"input_ids\":[]}", "{\"input_ids\":[[1],[1,2]]}", "{\"input_ids\":[[1.5]]}",
                "{\"input_ids\":[[1]],\"pixel_values\":[]}", "{\"input_ids\":[[1,1,1]],\"attention_mask\":[[1,0,1]]}",
                "{\"input_ids\":[[1,1]],\"attention_mask\":[[1]]}", "{\"input_ids\":[[9999]]}", "[1]")) {
            Cli.Result result = cli.piped(line + "\n", "forward", model, "--batch");
            assertEquals(2, result.code(), line);
            assertTrue(result.err().startsWith("error: stdin:1: "), result.err());
        }
    }

    @Test
    void infoSaysWhatTheModelIs() {
        JsonObject info = json(cli.run("info", cli.environment().get("FEWSH_MODEL"), "--json").out());
        assertTrue(info.keySet()
                .containsAll(List.of("name", "architecture", "parameters", "precision", "context_length", "vocab_size",
                "chat_template", "licence", "files", "sha256", "memory_bytes")), info.toString());
        assertEquals("llama", info.get("architecture").getAsString());
        assertEquals(512, info.get("context_length").getAsInt());
        assertTrue(info.getAsJsonObject("memory_bytes").get("predicted").getAsLong() > 0);
        assertTrue(cli.run("info").out().contains("context length  512\n"));
    }

    @Test
    void benchHasARowForEachTest() {
        List<JsonObject> rows = cli.run("bench", "-p", "16,32", "-n", "8", "-d", "0,16", "-r", "2", "--output", "jsonl").out()
                .lines()
                .map(MainTest::json).toList();
        assertEquals(List.of("pp16", "pp32", "tg8", "pp16 @ d16", "pp32 @ d16", "tg8 @ d16"),
                rows.stream().map(r -> r.get("test").getAsString()).toList());
        assertEquals(List.of("model", "size_bytes", "params", "precision", "device", "threads", "test", "tokens_per_second",
                "stddev",
                "peak_rss_bytes"), List.copyOf(rows.getFirst().keySet()));
        rows.forEach(r -> assertTrue(r.get("tokens_per_second").getAsDouble() > 0, r.toString()));
    }

    @Test
    void benchWritesTablesToo() {
        assertTrue(cli.run("bench", "-p", "8", "-n", "0", "-r", "1").out().lines().skip(2).findFirst().orElseThrow()
                .matches("\\| alphabet \\| .* \\| fp32 \\| cpu \\| \\d+ \\| pp8 \\| [\\d.]+ ± 0\\.00 \\|"));
        assertEquals(2, cli.run("bench", "-p", "8", "-n", "0", "-r", "1", "-o", "csv").out().lines().count());
        assertEquals(1, JsonParser.parseString(cli.run("bench", "-p", "8", "-n", "0", "-r", "1", "-o", "json").out())
                .getAsJsonArray()
                .size());
        assertEquals(2, cli.run("bench", "-p", "8", "-o", "xml").code());
        assertEquals(2, cli.run("bench", "-p", "600").code());
    }

    @Test
    void doctorNamesEveryProvider() {
        Cli.Result result = bare.run("doctor");
        assertEquals(0, result.code());
        assertTrue(result.out().contains("✓ cpu ") && result.out().contains("missing: "), result.out());
        JsonObject doctor = json(bare.run("doctor", "--json").out());
        assertTrue(doctor.getAsJsonObject("memory_bytes").get("total").getAsLong() > 0);
        assertEquals(home.toString(), doctor.get("home").getAsString());
    }

    @Test
    void linesRunAsInTheShellAndAnErrorEndsThem() {
        Cli.Result result = cli.run("-c", "/set max_tokens 3\nhello\n/hepl\nhello");
        assertEquals(2, result.code());
        assertEquals("abc\n", result.out());
        assertEquals("error: -c:3: unknown command \"/hepl\"\n  fix: did you mean \"/help\"?\n", result.err());
    }

    @Test
    void aFileAndStandardInputAreScriptsToo() throws IOException {
        Files.writeString(home.resolve("s.fewsh"),
                "#!/usr/bin/env fewsh\n/set max_tokens 3\n\"\"\"\nhello\n\"\"\"\n/quit\nhello\n");
        assertEquals(new Cli.Result(0, "abc\n", ""), cli.run("s.fewsh"));
        assertEquals(new Cli.Result(0, "ab\n", ""), cli.piped("/set max_tokens 2\nhello\n"));
        assertEquals("error: nowhere.fewsh: no such file\n", cli.run("nowhere.fewsh").err());
        assertEquals(2, cli.piped("/nope\n").code());
    }

    @Test
    void optionsBeforeTheCommandCountAsItsOwn() {
        assertEquals("yz\n", bare.run("-m", cli.environment().get("FEWSH_MODEL"), "ask", "--raw", "x").out());
        assertEquals("abc\n", cli.run("--max-tokens", "3", "-c", "hello").out());
    }

    @Test
    void aScriptThatNeedsNoModelLoadsNone() {
        assertEquals(0, bare.with("FEWSH_MODEL", "nowhere").run("-c", "/help\n/set top_p 0.9").code());
    }

    @Test
    void aConversationIsSavedAndOpened() throws IOException {
        Cli.Result result = cli.run("-c",
                "/set max_tokens 2\n/system Be brief\nhello\n/save c.jsonl\n/clear\n/open c.jsonl\n/show");
        assertEquals(0, result.code(), result.err());
        assertEquals("{\"messages\":[{\"role\":\"system\",\"content\":\"Be brief\"},{\"role\":\"user\",\"content\":\"hello\"},"
                + "{\"role\":\"assistant\",\"content\":\"ab\"}]}\n", Files.readString(home.resolve("c.jsonl")));
        assertEquals("ab\n<|im_start|>system\nBe brief<|im_end|>\n<|im_start|>user\nhello<|im_end|>\n"
                + "<|im_start|>assistant\n",
                result.out());
    }

    @Test
    void aConversationThatIsNoneIsRefused() throws IOException {
        Files.writeString(home.resolve("bad.jsonl"), "{\"messages\":[{\"role\":\"user\"}]}\n");
        assertTrue(cli.run("-c", "/open bad.jsonl").err().startsWith("error: -c:1: bad.jsonl:1: \"content\" is missing"));
        assertEquals(2, cli.run("-c", "/save c.jsonl").code());
        assertEquals(2, cli.run("-c", "/set max_tokens 1\nhi\n/save c.txt").code());
    }
}
