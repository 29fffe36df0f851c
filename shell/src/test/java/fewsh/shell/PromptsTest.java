package fewsh.shell;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import fewsh.Shared;
import fewsh.prompt.Cot;
import fewsh.prompt.Extraction;
import fewsh.prompt.Shots;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Composed prompts and prompt files at the command line and in the shell's lines, on a model that knows the alphabet: after a
/// chat's opening it says `abc…`.
class PromptsTest {
    @TempDir Path home;
    private Cli cli;
    private Cli bare;

    private static final String REVIEW = """
            ---
            name: review
            description: Says what a reviewer thinks.
            model: {options: {maxOutputTokens: 3}}
            inputs:
              - {name: text, kind: string}
              - {name: stars, kind: integer, default: 5}
            fewsh:
              shots:
                examples: [{text: a joy, label: good}, {text: a bore, label: bad}]
                label: label
                input: "{{ text }}"
            ---
            system:
            You know {{ stars }} stars.
            user:
            {{ text }}
            """;

    @BeforeEach
    void makeModel() throws IOException {
        bare = Cli.in(home);
        cli = bare.with("FEWSH_MODEL", Cli.alphabet(home).toString());
        Files.writeString(home.resolve("review.prompty"), REVIEW);
    }

    private static JsonObject json(String line) {
        return JsonParser.parseString(line).getAsJsonObject();
    }

    private static List<JsonObject> lines(String text) {
        return text.lines().map(PromptsTest::json).toList();
    }

    @Test
    void renderPrintsTheMessagesThatRunWouldSendAndNeedsNoModel() {
        Cli.Result result = bare.run("render", "review.prompty", "--set", "text=so so", "--json");
        assertEquals(new Cli.Result(0, "{\"messages\":[{\"role\":\"system\",\"content\":\"You know 5 stars.\"},"
                + "{\"role\":\"user\",\"content\":\"a joy\"},{\"role\":\"assistant\",\"content\":\"good\"},"
                + "{\"role\":\"user\",\"content\":\"a bore\"},{\"role\":\"assistant\",\"content\":\"bad\"},"
                + "{\"role\":\"user\",\"content\":\"so so\"}]}\n", ""), result);
        String text = cli.run("render", "review.prompty", "text=so so", "-m", home.resolve("alphabet").toString()).out();
        assertTrue(text.startsWith("<|im_start|>system\nYou know 5 stars.<|im_end|>\n<|im_start|>user\n"), text);
        assertTrue(text.endsWith("<|im_start|>user\nso so<|im_end|>\n<|im_start|>assistant\n"), text);
    }

    @Test
    void runAnswersWithTheFilesSettingsUnlessTheCommandLineHasOthers() {
        assertEquals("abc\n", cli.run("run", "review.prompty", "text=hello").out());
        assertEquals("abcde\n", cli.run("run", "review.prompty", "--set", "text=hello", "--max_tokens", "5").out());
        JsonObject line = json(cli.run("run", "review.prompty", "text=hello", "--json").out());
        assertEquals("abc", line.get("text").getAsString());
        assertEquals("length", line.get("finish_reason").getAsString());
    }

    @Test
    void inputsAreCheckedBeforeAModelIsLoaded() {
        Cli none = bare.with("FEWSH_MODEL", "nowhere");
        Cli.Result missing = none.run("run", "review.prompty");
        assertEquals(2, missing.code());
        assertTrue(missing.err().contains("input \"text\" is missing"), missing.err());
        Cli.Result kind = none.run("run", "review.prompty", "text=x", "stars=many");
        assertTrue(kind.err().contains("stars") && kind.err().contains("many"), kind.err());
        Cli.Result near = none.run("run", "review.prompty", "txet=x");
        assertTrue(near.err().contains("did you mean \"text\"?"), near.err());
        assertTrue(none.run("run", "review.prompty", "text=x", "--vote", "many").err().contains("many"));
        assertTrue(none.run("run", "review.prompty", "text=x", "text=y").err().contains("given twice"));
        assertTrue(none.run("run", "review.prompt").err().contains("review.prompt"));
        assertTrue(none.run("run", "review.txt").err().contains(".prompty"));
    }

    @Test
    void aVoteShowsItsPathsAndTheWinner() {
        List<JsonObject> all = lines(cli.run("run", "review.prompty", "text=hello", "--vote", "4", "--temperature", "0.01", "--seed",
                "3", "--json").out());
        assertEquals(5, all.size());
        for (int i = 0; i < 4; i++) {
            assertEquals(i, all.get(i).get("index").getAsInt());
            assertEquals("abc", all.get(i).get("text").getAsString());
        }
        assertEquals("{\"answer\":\"abc\",\"votes\":{\"abc\":4},\"unparsable\":0,\"samples\":4,\"stopped_early\":false}",
                all.getLast().toString());
        Cli.Result shown = cli.run("run", "review.prompty", "text=hello", "--vote", "4", "--temperature", "0.01", "--seed", "3");
        assertEquals("abc\n", shown.out());
        assertTrue(shown.err().contains("abc  ████████████████████████ 4\n"), shown.err());
        Cli.Result early = cli.run("ask", "hello", "--vote", "8 early", "--temperature", "0.01", "--seed", "3", "--max_tokens", "2");
        assertTrue(early.err().contains("settled after ") && early.err().contains(" of 8 paths: saved "), early.err());
    }

    @Test
    void anAnswerIsHeldToAFormat() {
        assertTrue(List.of("zebra\n", "yak\n", "zoo\n").contains(cli.run("ask", "hello", "--format", "options zebra|yak|zoo").out()));
        JsonObject person = json(cli.run("ask", "hello", "--format",
                "json {\"type\":\"object\",\"properties\":{\"ok\":{\"type\":\"boolean\"}},\"required\":[\"ok\"]}").out());
        assertTrue(person.get("ok").getAsJsonPrimitive().isBoolean());
        assertTrue(cli.run("ask", "hello", "--format", "regex [0-9]{3}").out().matches("\\d{3}\n"));
        assertTrue(cli.run("ask", "hello", "--format", "regex (").err().startsWith("error: "));
    }

    @Test
    void whatCannotGoTogetherIsRefused() {
        assertTrue(cli.run("ask", "x", "--raw", "--role", "You are a poet.").err().contains("cannot go with --raw"));
        assertTrue(cli.run("ask", "x", "-n", "2", "--vote", "3").err().contains("cannot go with a vote"));
        assertTrue(cli.run("run", "review.prompty", "text=x", "--output", "o.jsonl").err().contains("go together"));
        assertTrue(cli.run("render", "review.prompty", "text=x", "--batch").err().contains("leave the others out"));
    }

    @Test
    void aBatchAnswersEveryRowInOrderAndGoesOnAfterAnError() throws IOException {
        Files.writeString(home.resolve("rows.jsonl"), """
                {"text": "one", "id": 7}
                {"stars": 3}
                {"text": "two", "stars": 4}
                """);
        Cli.Result result = cli.run("run", "review.prompty", "--input", "rows.jsonl", "--output", "out.jsonl");
        assertEquals(1, result.code(), result.err());
        List<JsonObject> all = lines(Files.readString(home.resolve("out.jsonl")));
        assertEquals(List.of(0, 1, 2), all.stream().map(line -> line.get("index").getAsInt()).toList());
        assertEquals("abc", all.get(0).get("text").getAsString());
        assertTrue(all.get(1).getAsJsonObject("error").get("message").getAsString().contains("\"text\" is missing"));
        assertEquals("abc", all.get(2).get("text").getAsString());
        assertTrue(result.err().contains("3 rows in out.jsonl, 1 of them failed"), result.err());
        Cli.Result again = cli.run("run", "review.prompty", "--input", "rows.jsonl", "--output", "out.jsonl");
        assertEquals(2, again.code());
        assertEquals(3, Files.readAllLines(home.resolve("out.jsonl")).size(), "the output of before is still there");
    }

    @Test
    void aTableGivesTheSameLinesAsJsonLines() throws IOException {
        Files.writeString(home.resolve("rows.jsonl"), "{\"text\":\"one\"}\n{\"text\":\"two, three\"}\n");
        Files.writeString(home.resolve("rows.csv"), "text\none\n\"two, three\"\n");
        for (String kind : List.of("jsonl", "csv"))
            assertEquals(0, cli.run("run", "review.prompty", "--input", "rows." + kind, "--output", kind + ".jsonl").code());
        assertEquals(Files.readString(home.resolve("jsonl.jsonl")), Files.readString(home.resolve("csv.jsonl")));
    }

    @Test
    void whatTheShellComposesIsSavedAsAPromptThatSendsTheSameMessages() throws IOException {
        Files.writeString(home.resolve("pairs.csv"), "question,answer\n1+1,2\n2+2,4\n3+3,6\n");
        Cli.Result result = cli.run("-c", """
                /role You are {{terse}}.
                /context system:
                /instruction Add.
                /style Only the number.
                /shots pairs.csv k=2 by=similar
                /vote 3 early error=0.01
                /answer number
                /set max_tokens 2
                /set seed 4
                hello
                /save sum.prompty
                /show""");
        assertEquals(0, result.code(), result.err());
        String sent = cli.run("render", "sum.prompty", "-m", home.resolve("alphabet").toString()).out();
        assertTrue(result.out().endsWith(sent), result.out() + "\n--- saved:\n" + sent);
        assertTrue(sent.contains("You are {{terse}}.\n\nsystem:\n\nAdd.\n\nOnly the number."), sent);
        assertTrue(sent.endsWith("<|im_start|>user\nhello<|im_end|>\n<|im_start|>assistant\n"), sent);
        JsonObject vote = lines(cli.run("run", "sum.prompty", "--json").out()).getLast();
        assertEquals(3, vote.get("unparsable").getAsInt() + vote.getAsJsonObject("votes").size());
        Cli.Result opened = cli.run("-c", "/open sum.prompty\n/role\n/style\n/cot\n/vote\n/shots\nhello\n/show");
        assertTrue(opened.out().startsWith("You are {{terse}}.\nOnly the number.\n3 early error=0.01\n"), opened.out());
        assertTrue(opened.out().endsWith(sent), opened.out());
    }

    @Test
    void partsAreShownSetAndTakenAway() {
        Cli.Result result = cli.run("-c", """
                /role
                /role You are a poet.
                /role
                /role off
                /role
                /shot a => b
                /shot c => d
                /shots
                /shots clear
                /shots""");
        assertEquals(0, result.code(), result.err());
        assertEquals("You are a poet.\na => b\nc => d\n", result.out());
        assertTrue(result.err().startsWith("no role\nrole: You are a poet.\nno role\nno role\n"), result.err());
        assertTrue(cli.run("-c", "/shot a b").err().contains("needs INPUT => OUTPUT"));
        assertTrue(cli.run("-c", "/cot sometimes").err().contains("sometimes"));
        assertTrue(cli.run("-c", "/shots nowhere.jsonl").err().contains("nowhere.jsonl"));
    }

    @Test
    void aPromptFileIsRunInTheShellBesideTheConversation() {
        Cli.Result result = cli.run("-c", "/run review.prompty text=hello\n/set max_tokens 2\nhi\n/run review.prompty text=hello\n/show");
        assertEquals(0, result.code(), result.err());
        assertTrue(result.out().startsWith("abc\nab\n"), result.out());
        assertFalse(result.out().contains("stars"), "what was run is no part of the conversation");
    }

    @Test
    void whatIsTypedIsTheInputOfTheFileThatWasOpened() throws IOException {
        Files.writeString(home.resolve("wrapped.prompty"), REVIEW.replace("user:\n{{ text }}", "user:\nReview: {{ text }}!")
                .replace("    input: \"{{ text }}\"\n", ""));
        assertEquals("Review: a joy! => good\nReview: a bore! => bad\n", cli.run("-c", "/open wrapped.prompty\n/shots").out());
        Cli.Result result = cli.run("-c", "/open wrapped.prompty\nso so\n/show\n/save again.prompty\n/clear all\nhi\n/show");
        assertEquals(0, result.code(), result.err());
        assertTrue(result.out().contains("<|im_start|>user\nReview: a bore!<|im_end|>\n<|im_start|>assistant\nbad<|im_end|>"),
                result.out());
        assertTrue(result.out().contains("<|im_start|>user\nReview: so so!<|im_end|>\n<|im_start|>assistant\nabc"), result.out());
        assertTrue(result.out().endsWith("<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n"), result.out());
        String model = home.resolve("alphabet").toString();
        assertEquals(cli.run("render", "wrapped.prompty", "text=so so", "-m", model).out(),
                cli.run("render", "again.prompty", "-m", model).out());
    }

    @Test
    void everyWordOfAFileIsInTheHelpAndInTheDocuments() throws IOException {
        String formats = Files.readString(Shared.project().resolve("docs/formats.md"));
        String declared = Files.readString(Shared.project().resolve("scripts/fewsh.d.ts"));
        List<String> by = Arrays.stream(Shots.By.values()).map(b -> b.name().toLowerCase(Locale.ROOT)).toList();
        List<String> kinds = Arrays.stream(Extraction.Kind.values()).map(k -> k.name().toLowerCase(Locale.ROOT)).toList();
        List<String> cots = Arrays.stream(Cot.Kind.values()).map(k -> k.name().toLowerCase(Locale.ROOT)).toList();
        Map.of(Part.SHOTS, by, Part.ANSWER, kinds, Part.COT, cots).forEach((part, words) -> {
            for (String word : words) {
                assertTrue(part.value().contains(word), part + ": " + word);
                assertTrue(formats.contains(word), "docs/formats.md: " + word);
                assertTrue(declared.contains(word), "scripts/fewsh.d.ts: " + word);
            }
        });
    }

    @Test
    void whatCannotBeAskedIsRefusedBeforeAModelIsLoaded() {
        Cli none = bare.with("FEWSH_MODEL", "nowhere");
        assertTrue(none.run("run", "review.prompty", "text=x", "--vote", "3", "--knowledge", "2").err().contains("cannot go with a vote"));
        assertTrue(none.run("-c", "/vote 3\n/knowledge 2").err().contains("cannot go with a vote"));
        assertTrue(none.run("run", "review.prompty", "text=x", "--input", "r.jsonl", "--output", "r.txt").err().contains(".jsonl"));
    }

    @Test
    void theBeginningOfAChainOfThoughtIsShown() {
        String text = cli.run("render", "review.prompty", "text=x", "--cot", "zero_shot", "-m",
                home.resolve("alphabet").toString()).out();
        assertTrue(text.endsWith("<|im_start|>user\nx<|im_end|>\n<|im_start|>assistant\nLet's think step by step."), text);
        Cli.Result shown = cli.run("-c", "/cot zero_shot\n/show 1+1?");
        assertTrue(shown.out().endsWith("<|im_start|>assistant\nLet's think step by step.\n"), shown.out());
        assertTrue(shown.err().contains("then the reasoning, and behind it \"Therefore, the answer is\""), shown.err());
    }

    @Test
    void anExampleThatIsTypedIsShownBesideThoseOfAFile() throws IOException {
        Files.writeString(home.resolve("pairs.csv"), "question,answer\n1+1,2\n2+2,4\n3+3,6\n");
        String out = cli.run("-c", "/shots pairs.csv k=1\n/shot 4+4 => 8\n/show 5+5").out();
        assertTrue(out.contains("4+4") && out.contains("1+1") && !out.contains("2+2"), out);
    }
}
