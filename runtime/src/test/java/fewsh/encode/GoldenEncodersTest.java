package fewsh.encode;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import fewsh.Shared;
import fewsh.WebGpu;
import fewsh.load.LoadOptions;
import fewsh.models.Precision;
import fewsh.tensor.Tensor;
import fewsh.tokenize.Encoding;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Encoders of text give the golden values that come with the shared folder, made by the reference implementation.
@Shared.Suite({"models/tiny/bert", "models/onnx/bert-optimum"})
class GoldenEncodersTest {
    /// The reference differs by up to 1e-5 between its own float32 kernels.
    private static final float FLOAT32 = 1e-4f;
    private static final List<String> OUTPUTS = List.of("prediction_logits", "seq_relationship_logits", "logits");

    @TempDir
    static Path home;

    private static LoadOptions options() {
        return WebGpu.options(home).withPrecision(Precision.FP32);
    }

    @ParameterizedTest
    @ValueSource(strings = {"bert", "bert-hub-names", "bert-sequence-classification", "distilbert", "roberta"})
    void passesEqualTheGoldenValues(String name) throws IOException {
        Path folder = Shared.path("models/tiny/" + name);
        JsonObject golden = json(folder.resolve("golden.json"));
        try (TextEncoder encoder = TextEncoder.open(folder, options())) {
            assertEquals(golden.get("parameters").getAsLong(), encoder.about().parameters());
            int seen = 0;
            for (JsonObject c : objects(golden.get("forward"))) {
                Map<String, Tensor> made = encoder.forward(inputs(c, true));
                for (String output : OUTPUTS)
                    if (c.has(output)) {
                        assertArrayEquals(floats(c.getAsJsonObject(output).get("data")), made.get(output).toFloats(), FLOAT32,
                                name + " " + output);
                        seen++;
                    }
                JsonArray states = c.getAsJsonArray("hidden_states_first_position");
                float[] last = floats(states.get(states.size() - 1));
                assertArrayEquals(last, first(made.get("last_hidden_state"), 0), FLOAT32, name);
            }
            JsonObject batch = golden.getAsJsonObject("batch");
            Map<String, Tensor> made = encoder.forward(inputs(batch, false));
            for (String output : OUTPUTS)
                if (batch.has(output))
                    for (int row = 0; row < 2; row++)
                        assertArrayEquals(floats(batch.getAsJsonArray(output).get(row)), first(made.get(output), row), FLOAT32,
                                name + " " + output + " " + row);
            assertTrue(seen > 0);
        }
    }

    /// The numbers at the first position of a row.
    private static float[] first(Tensor t, int row) {
        float[] all = t.toFloats();
        int each = all.length / (int) t.shape().size(0);
        int wide = (int) t.shape().size(-1);
        return Arrays.copyOfRange(all, row * each, row * each + wide);
    }

    @ParameterizedTest
    @ValueSource(strings = {"bert", "bert-hub-names", "bert-sequence-classification", "distilbert", "roberta"})
    void textsAndPairsEncodeToTheGoldenIds(String name) throws IOException {
        Path folder = Shared.path("models/tiny/" + name);
        JsonObject golden = json(folder.resolve("golden.json"));
        try (TextEncoder encoder = TextEncoder.open(folder, options())) {
            for (JsonObject c : objects(golden.getAsJsonObject("tokenizer").get("cases"))) {
                Encoding e = encoder.tokenizer().encode(c.get("text").getAsString(), Optional.empty(), true);
                assertArrayEquals(ints(c.get("ids")), e.ids());
            }
            JsonElement pairs = golden.getAsJsonObject("tokenizer").get("pairs");
            if (pairs == null) return;
            for (JsonObject c : objects(pairs)) {
                String text = c.get("text").getAsString();
                String pair = c.get("pair").getAsString();
                Encoding e = encoder.tokenizer().encode(text, Optional.of(pair), true);
                assertArrayEquals(ints(c.get("input_ids")), e.ids());
                int[] texts = e.texts();
                assertArrayEquals(new int[] {-1, -1, -1}, IntStream.of(texts).filter(t -> t < 0).toArray());
                IntStream.range(0, texts.length).filter(i -> texts[i] >= 0).forEach(i -> assertEquals(texts[i], e.types()[i]));
                List<String> spelled = IntStream.range(0, texts.length).filter(i -> texts[i] == 1)
                        .mapToObj(i -> pair.substring(e.starts()[i], e.ends()[i])).toList();
                assertEquals(pair.replace(" ", ""), String.join("", spelled));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"bert", "bert-hub-names", "distilbert", "roberta"})
    void masksAreFilledAsTheReferenceFillsThem(String name) throws IOException {
        Path folder = Shared.path("models/tiny/" + name);
        JsonObject golden = json(folder.resolve("golden.json")).getAsJsonObject("fill_mask");
        String mask = name.equals("roberta") ? "<mask>" : "[MASK]";
        try (TextEncoder encoder = TextEncoder.open(folder, options())) {
            List<List<Filled>> filled = encoder.fillMask("Hear me speak, " + mask + " Romeo.", 5);
            assertEquals(1, filled.size());
            for (int i = 0; i < 5; i++) {
                JsonArray expected = golden.getAsJsonArray("top").get(i).getAsJsonArray();
                assertEquals(expected.get(0).getAsInt(), filled.getFirst().get(i).id());
                assertEquals(expected.get(1).getAsString(), filled.getFirst().get(i).piece());
                assertEquals(expected.get(2).getAsFloat(), filled.getFirst().get(i).score(), 1e-5f);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"bert-sequence-classification"})
    void textsAndPairsAreClassifiedAsTheReferenceDoes(String name) throws IOException {
        Path folder = Shared.path("models/tiny/" + name);
        JsonObject golden = json(folder.resolve("golden.json"));
        try (TextEncoder encoder = TextEncoder.open(folder, options())) {
            List<JsonObject> forward = objects(golden.get("forward"));
            assertClasses(floats(forward.get(0).getAsJsonObject("logits").get("data")),
                    encoder.classify("Hear me speak, good Romeo.", Optional.empty()));
            assertClasses(floats(forward.get(1).getAsJsonObject("logits").get("data")),
                    encoder.classify("Hear me speak.", Optional.of("Speak, speak.")));
            JsonObject batch = golden.getAsJsonObject("batch");
            List<Classes> both = encoder.classify(StreamSupport.stream(batch.getAsJsonArray("texts").spliterator(), false)
                    .map(t -> new TextEncoder.Input(t.getAsString(), Optional.empty())).toList());
            for (int row = 0; row < 2; row++) assertClasses(floats(batch.getAsJsonArray("logits").get(row)), both.get(row));
        }
    }

    private static void assertClasses(float[] logits, Classes classes) {
        double sum = 0;
        for (float l : logits) sum += Math.exp(l);
        List<String> names = List.of("negative", "neutral", "positive");
        for (Classes.Class c : classes.all())
            assertEquals(Math.exp(logits[names.indexOf(c.label())]) / sum, c.score(), 1e-5);
        for (int i = 1; i < 3; i++) assertTrue(classes.all().get(i - 1).score() >= classes.all().get(i).score());
    }

    /// An export of the same weights is opened by the same class and gives the same.
    @ParameterizedTest
    @ValueSource(strings = {"bert", "bert-sequence-classification"})
    void exportsAnswerAsOurOwnGraphDoes(String name) {
        String text = name.equals("bert") ? "Hear me speak, [MASK] Romeo." : "Hear me speak, good Romeo.";
        try (TextEncoder own = TextEncoder.open(Shared.path("models/tiny/" + name), options());
                TextEncoder export = TextEncoder.open(Shared.path("models/onnx/" + name + "-optimum"), options())) {
            if (name.equals("bert")) {
                List<Filled> expected = own.fillMask(text, 5).getFirst();
                List<Filled> filled = export.fillMask(text, 5).getFirst();
                for (int i = 0; i < 5; i++) {
                    assertEquals(expected.get(i).text(), filled.get(i).text());
                    assertEquals(expected.get(i).score(), filled.get(i).score(), 1e-5f);
                }
            } else {
                assertEquals(own.classify(text, Optional.empty()).best().label(), export.classify(text, Optional.empty()).best().label());
            }
        }
    }

    private static Map<String, Tensor> inputs(JsonObject c, boolean single) {
        Map<String, Tensor> inputs = new LinkedHashMap<>();
        for (String name : List.of("input_ids", "attention_mask")) {
            List<Long> all = new ArrayList<>();
            JsonArray rows = new JsonArray();
            if (single) rows.add(c.get(name));
            else rows = c.getAsJsonArray(name);
            for (JsonElement row : rows) for (JsonElement id : row.getAsJsonArray()) all.add(id.getAsLong());
            inputs.put(name, Tensor.ofInt64(all.stream().mapToLong(i -> i).toArray(), rows.size(), all.size() / rows.size()));
        }
        return inputs;
    }

    private static JsonObject json(Path file) throws IOException {
        return JsonParser.parseString(Files.readString(file)).getAsJsonObject();
    }

    private static List<JsonObject> objects(JsonElement array) {
        return StreamSupport.stream(array.getAsJsonArray().spliterator(), false).map(JsonElement::getAsJsonObject).toList();
    }

    private static int[] ints(JsonElement array) {
        return StreamSupport.stream(array.getAsJsonArray().spliterator(), false).mapToInt(JsonElement::getAsInt).toArray();
    }

    private static float[] floats(JsonElement array) {
        float[] values = new float[array.getAsJsonArray().size()];
        for (int i = 0; i < values.length; i++) values[i] = array.getAsJsonArray().get(i).getAsFloat();
        return values;
    }
}
