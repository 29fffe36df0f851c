package fewsh.generate;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import fewsh.Shared;
import fewsh.WebGpu;
import fewsh.models.Precision;
import fewsh.tensor.Shape;
import fewsh.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Every number of the golden file of a Whisper model, in float32: features, hidden states, logits, greedy tokens.
@Shared.Suite("models/tiny/whisper")
class GoldenWhisperTest {
    private static final float FEATURES = 1e-3f;
    /// Of a logit or hidden value; the golden file's own tolerance.
    private static final float FLOAT32_LOGITS = 1e-4f;
    /// A narrower gap between best and second logit is a near tie.
    private static final double MARGIN = 1e-3;

    @TempDir
    static Path home;
    static Transcriber model;
    static JsonObject golden;

    @BeforeAll
    static void open() throws IOException {
        Path folder = Shared.path("models/tiny/whisper");
        golden = JsonParser.parseString(Files.readString(folder.resolve("golden.json"))).getAsJsonObject();
        model = Transcriber.open(folder, WebGpu.options(home).withPrecision(Precision.FP32).withThreads(2));
    }

    @AfterAll
    static void close() {
        model.close();
    }

    private static List<JsonObject> objects(String key) {
        return golden.getAsJsonArray(key).asList().stream().map(JsonElement::getAsJsonObject).toList();
    }

    private static float[] floats(JsonElement array) {
        JsonArray values = array.getAsJsonArray();
        float[] floats = new float[values.size()];
        for (int i = 0; i < floats.length; i++) floats[i] = values.get(i).getAsFloat();
        return floats;
    }

    private static int[] ints(JsonElement array) {
        return array.getAsJsonArray().asList().stream().mapToInt(JsonElement::getAsInt).toArray();
    }

    private static Path file(JsonObject c) {
        return Shared.path("models/tiny/whisper/" + c.get("file").getAsString());
    }

    private static Tensor ids(int[] ids) {
        return Tensor.ofInt64(Arrays.stream(ids).asLongStream().toArray(), 1, ids.length);
    }

    @Test
    void featuresAreTheReferences() {
        for (JsonObject c : objects("forward")) {
            Tensor features = model.inputs(file(c)).get("input_features");
            int[] shape = ints(c.getAsJsonObject("input_features").get("shape"));
            assertEquals(Shape.of(1, shape[0], shape[1]), features.shape());
            assertArrayEquals(floats(c.getAsJsonObject("input_features").get("data")), features.toFloats(), FEATURES);
        }
    }

    @Test
    void aPassGivesTheReferencesStatesAndLogits() {
        for (JsonObject c : objects("forward")) {
            JsonObject expected = c.getAsJsonObject("input_features");
            int[] shape = ints(expected.get("shape"));
            Map<String, Tensor> out = model.forward(Map.of(
                    "input_features", Tensor.ofFloat32(floats(expected.get("data")), 1, shape[0], shape[1]),
                    "decoder_input_ids", ids(ints(c.get("decoder_input_ids")))));
            float[] first = floats(c.get("encoder_last_hidden_state_first_position"));
            float[] states = out.get("encoder_last_hidden_state").toFloats();
            assertArrayEquals(first, Arrays.copyOf(states, first.length), FLOAT32_LOGITS);
            assertArrayEquals(floats(c.getAsJsonObject("logits").get("data")), out.get("logits").toFloats(), FLOAT32_LOGITS);
        }
    }

    /// With the four-token prompt of the golden file, which is that of English transcribed without times.
    @Test
    void recordingsAreTranscribedToTheReferencesTokens() {
        for (JsonObject c : objects("greedy")) {
            try (Transcription segments = model.transcribe(file(c), TranscriptionConfig.DEFAULT.withLanguage("en"))) {
                List<Integer> said = segments.rest().segments().getFirst().ids();
                int[] expected = ints(c.get("new_ids"));
                float[] margins = floats(c.get("margins"));
                for (int i = 0; i < expected.length && margins[i] > MARGIN; i++)
                    assertEquals(expected[i], said.get(i), "token " + i);
                int[] compared = said.stream().limit(expected.length).mapToInt(i -> i).toArray();
                assertEquals(c.get("text").getAsString(), model.tokenizer().decode(compared, true));
                assertTrue(said.size() <= 44);
            }
        }
    }
}
