package fewsh.shell;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import fewsh.Shared;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The commands for models that do other things than continue text, on small models of other people's.
@Shared.Suite({"models/tiny"})
class FamiliesTest {
    private static final double TOLERANCE = 1e-4;

    @TempDir static Path home;
    private static Cli cli;

    @BeforeAll
    static void begin() {
        cli = Cli.in(home);
    }

    private static String model(String name) {
        return Shared.path("models/tiny/" + name).toString();
    }

    private static JsonObject golden(String name) throws IOException {
        return json(Files.readString(Shared.path("models/tiny/" + name).resolve("golden.json")));
    }

    private static JsonObject json(String text) {
        return JsonParser.parseString(text).getAsJsonObject();
    }

    private static List<JsonObject> lines(Cli.Result result) {
        assertEquals(0, result.code(), result.err());
        return result.out().lines().map(FamiliesTest::json).toList();
    }

    @Test
    void classesOfATextAreTheSoftmaxOfTheReferencesLogits() throws IOException {
        JsonObject batch = golden("bert-sequence-classification").getAsJsonObject("batch");
        StringBuilder in = new StringBuilder();
        for (JsonElement text : batch.getAsJsonArray("texts")) in.append(text).append('\n');
        List<JsonObject> out = lines(cli.piped(in.toString(), "classify", "-m", model("bert-sequence-classification"), "--json"));
        for (int i = 0; i < out.size(); i++) {
            double[] logits = numbers(batch.getAsJsonArray("logits").get(i).getAsJsonArray());
            double sum = 0;
            for (double logit : logits) sum += Math.exp(logit);
            JsonObject scores = out.get(i).getAsJsonObject("scores");
            List<String> labels = List.of("negative", "neutral", "positive");
            for (int c = 0; c < logits.length; c++)
                assertEquals(Math.exp(logits[c]) / sum, scores.get(labels.get(c)).getAsDouble(), TOLERANCE);
            assertEquals(out.get(i).get("score"), scores.get(out.get(i).get("label").getAsString()));
        }
        assertEquals(2, out.size());
    }

    private static double[] numbers(JsonArray array) {
        return array.asList().stream().mapToDouble(JsonElement::getAsDouble).toArray();
    }

    @Test
    void aPairIsAnotherInputThanItsFirstText() {
        String one = cli.run("classify", "-m", model("bert-sequence-classification"), "--json", "good").out();
        String two = cli.run("classify", "-m", model("bert-sequence-classification"), "--json", "--pair", "bad", "good").out();
        String piped = cli.piped("{\"text\":\"good\",\"pair\":\"bad\"}\n", "classify", "-m", model("bert-sequence-classification"),
                "--json").out();
        assertEquals(two, piped);
        assertTrue(!one.equals(two));
    }

    @Test
    void aPictureHasTheLabelOfTheReferenceAndItsAttentionIsDrawn() throws IOException {
        JsonObject forward = golden("vit").getAsJsonArray("forward").get(1).getAsJsonObject();
        Path picture = Shared.path("models/tiny/vit").resolve(forward.get("file").getAsString());
        Path drawn = home.resolve("attention.png");
        JsonObject out = lines(cli.run("classify", "-m", model("vit"), "--json", "--attention", drawn.toString(), picture.toString())).getFirst();
        assertEquals(forward.get("label").getAsString(), out.get("label").getAsString());
        var image = ImageIO.read(drawn.toFile());
        var given = ImageIO.read(picture.toFile());
        assertEquals(given.getWidth() + "x" + given.getHeight(), image.getWidth() + "x" + image.getHeight());
        byte[] rollout = Files.readAllBytes(drawn);
        cli.run("classify", "-m", model("vit"), "--attention", drawn.toString(), "--layer", "0", "--head", "1", picture.toString());
        assertTrue(!Arrays.equals(rollout, Files.readAllBytes(drawn)));
        Cli.Result none = cli.run("classify", "-m", model("vit"), "--attention", drawn.toString(), "--head", "9", picture.toString());
        assertEquals(2, none.code());
        assertTrue(none.err().contains("head 9 does not exist"), none.err());
    }

    @Test
    void masksAreFilledAsTheReferenceFillsThem() throws IOException {
        JsonObject golden = golden("bert").getAsJsonObject("fill_mask");
        JsonArray top = golden.getAsJsonArray("top");
        JsonArray filled = lines(cli.run("fill_mask", "-m", model("bert"), "--json", "-k", Integer.toString(top.size()),
                golden.get("text").getAsString().replaceAll("\\[(CLS|SEP)\\]", "").strip())).getFirst().getAsJsonArray("predictions");
        for (int i = 0; i < top.size(); i++) {
            JsonArray expected = top.get(i).getAsJsonArray();
            JsonObject got = filled.get(i).getAsJsonObject();
            assertEquals(expected.get(0).getAsInt(), got.get("id").getAsInt());
            assertEquals(expected.get(2).getAsDouble(), got.get("score").getAsDouble(), TOLERANCE);
        }
    }

    @Test
    void vectorsComeInTheOrderOfTheirTexts() {
        String texts = "a much longer text than the one that follows it\nshort\na much longer text than the one that follows it\n";
        List<JsonObject> out = lines(cli.piped(texts.replaceAll("(.+)", "\"$1\""), "embed", "-m", model("bert"), "--json"));
        assertEquals(3, out.size());
        double[] first = numbers(out.get(0).getAsJsonArray("embedding"));
        double[] third = numbers(out.get(2).getAsJsonArray("embedding"));
        for (int i = 0; i < first.length; i++) assertEquals(first[i], third[i], TOLERANCE);
        assertTrue(cli.piped(texts, "embed", "-m", model("bert"), "--cosine").out().contains("1.00"));
    }

    @Test
    void translationsAreTheReferencesGreedyOnes() throws IOException {
        for (String name : List.of("marian", "t5", "bart")) {
            JsonObject greedy = golden(name).getAsJsonArray("greedy").get(0).getAsJsonObject();
            int n = greedy.getAsJsonArray("new_ids").size();
            JsonObject out = lines(cli.run("translate", "-m", model(name), "--json", "--precision", "fp32", "--num_beams", "1",
                    "--max_tokens", Integer.toString(n), greedy.get("text").getAsString())).getFirst();
            assertEquals(greedy.get("decoded").getAsString().strip(), out.get("text").getAsString().strip(), name);
        }
    }

    @Test
    void whatIsSaidIsWrittenDown() {
        Path sound = Shared.path("models/tiny/whisper").resolve(file("whisper"));
        JsonObject out = lines(cli.run("transcribe", "-m", model("whisper"), "--json", sound.toString())).getFirst();
        assertEquals(sound.toString(), out.get("file").getAsString());
        assertTrue(out.has("text") && !out.getAsJsonArray("segments").isEmpty());
    }

    private static String file(String name) {
        try {
            return golden(name).getAsJsonArray("forward").get(0).getAsJsonObject().get("file").getAsString();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void aPictureIsAskedAboutInAChatAndOnTheCommandLine() throws IOException {
        String picture = Shared.path("models/tiny/idefics3").resolve("picture.png").toString();
        JsonObject one = lines(cli.run("ask", "-m", model("idefics3"), "--json", "--image", picture, "--max_tokens", "12",
                "What is this?")).getFirst();
        JsonObject none = lines(cli.run("ask", "-m", model("idefics3"), "--json", "--max_tokens", "12", "What is this?")).getFirst();
        assertTrue(one.get("prompt_tokens").getAsInt() > none.get("prompt_tokens").getAsInt() + 20);
        Cli.Result chat = cli.run("-m", model("idefics3"), "-c", "/set max_tokens 12\n/image " + picture + "\nWhat is this?");
        assertEquals(0, chat.code(), chat.err());
        Cli.Result blind = cli.run("ask", "-m", model("llama"), "--image", picture, "x");
        assertEquals(2, blind.code());
        assertTrue(blind.err().contains("reads text only"), blind.err());
    }

    @Test
    void aModelOfAnotherFamilyIsRefusedWithWhatItIsFor() {
        Cli.Result ask = cli.run("ask", "-m", model("bert"), "x");
        assertEquals(2, ask.code());
        assertTrue(ask.err().contains("is a bert model") && ask.err().contains("embed, classify, fill_mask"), ask.err());
        assertEquals(2, cli.run("translate", "-m", model("llama"), "x").code());
        assertEquals(2, cli.run("transcribe", "-m", model("t5"), "x.wav").code());
        assertEquals(2, cli.run("embed", "-m", model("vit"), "x").code());
    }

    @Test
    void adaptersActAndAreSwapped() throws IOException {
        JsonObject greedy = golden("llama-lora").getAsJsonArray("greedy").get(0).getAsJsonObject();
        String prompt = greedy.get("prompt").getAsString();
        int n = greedy.getAsJsonArray("new_ids").size();
        String adapted = model("llama") + "+" + model("llama-lora");
        List<String> tail = List.of("--raw", "--json", "--precision", "fp32", "--max_tokens", Integer.toString(n), prompt);
        JsonObject with = lines(cli.run(arguments("ask", adapted, tail))).getFirst();
        JsonObject without = lines(cli.run(arguments("ask", model("llama"), tail))).getFirst();
        JsonObject off = lines(cli.run(arguments("ask", adapted + "@0", tail))).getFirst();
        assertTrue(with.get("model").getAsString().endsWith("+llama-lora"));
        assertEquals(without.get("text"), off.get("text"));
        assertTrue(!with.get("text").equals(without.get("text")));
        Cli.Result shell = cli.run("-c", "/load " + adapted + "\n/load " + adapted + "@0.5\n/info", "--precision", "fp32");
        assertEquals(0, shell.code(), shell.err());
    }

    @Test
    void examplesAreChosenByAnEncoderThatIsLoadedBesideTheModel() throws IOException {
        Files.writeString(home.resolve("shots.jsonl"), """
                {"input": "speak", "output": "one"}
                {"input": "romeo romeo", "output": "two"}
                {"input": "the king is dead", "output": "three"}
                """);
        // without a word in common BM25 keeps the file's order; an encoder has an order of its own
        String ask = "/shots shots.jsonl k=3 by=similar\n/show wherefore art thou";
        Cli.Result words = cli.run("-m", model("llama"), "-c", ask);
        Cli.Result meaning = cli.run("-m", model("llama"), "-c", "/load " + model("bert") + "\n" + ask);
        assertEquals(0, meaning.code(), meaning.err());
        assertTrue(meaning.err().contains("is loaded beside the model"), meaning.err());
        List<Integer> order = List.of(words.out().indexOf("three"), words.out().indexOf("two"), words.out().indexOf("one"));
        assertEquals(order.stream().sorted().toList(), order);
        JsonObject asked = lines(cli.run("ask", "-m", model("llama"), "--json", "--max_tokens", "1", "--shots",
                "shots.jsonl k=1 by=similar", "--encoder", model("bert"), "speak  up")).getFirst();
        assertTrue(asked.get("prompt_tokens").getAsInt() > 0);
        Cli.Result none = cli.run("ask", "-m", model("llama"), "--encoder", model("gpt2"), "x");
        assertEquals(2, none.code());
        assertTrue(none.err().contains("no encoder of text"), none.err());
    }

    private static String[] arguments(String command, String model, List<String> tail) {
        List<String> all = new ArrayList<>(List.of(command, "-m", model));
        all.addAll(tail);
        return all.toArray(String[]::new);
    }

    @Test
    void aConvertedModelAnswersAsItsSource() {
        Path out = home.resolve("converted");
        assertEquals(0, cli.run("convert", model("llama") + "+" + model("llama-lora"), out.toString(), "--format", "genai").code());
        List<String> tail = List.of("--raw", "--json", "--precision", "fp32", "--max_tokens", "8", "What is");
        assertEquals(lines(cli.run(arguments("ask", model("llama") + "+" + model("llama-lora"), tail))).getFirst().get("text"),
                lines(cli.run(arguments("ask", out.toString(), tail))).getFirst().get("text"));
        Path seen = home.resolve("seen");
        String picture = Shared.path("models/tiny/vit").resolve("wide.png").toString();
        assertEquals(0, cli.run("convert", model("vit"), seen.toString()).code());
        assertEquals(cli.run("classify", "-m", model("vit"), picture).out(), cli.run("classify", "-m", seen.toString(), picture).out());
        Cli.Result pair = cli.run("convert", model("t5"), home.resolve("pair").toString());
        assertEquals(2, pair.code());
        assertTrue(pair.err().contains("--format safetensors") && Files.notExists(home.resolve("pair")), pair.err());
        Cli.Result again = cli.run("convert", model("llama"), out.toString());
        assertEquals(2, again.code());
        assertTrue(again.err().contains("is there already"), again.err());
    }
}
