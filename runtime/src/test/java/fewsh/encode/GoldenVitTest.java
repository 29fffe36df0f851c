package fewsh.encode;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import fewsh.Shared;
import fewsh.WebGpu;
import fewsh.models.Precision;
import fewsh.vision.Idefics3Preprocessor;
import fewsh.vision.Picture;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Every number of the golden files of models that read pictures: pixel values to the bit, logits, labels, batches; by our own graph
/// and by an export.
@Shared.Suite({"models/tiny/vit", "models/onnx/vit-optimum", "models/tiny/idefics3"})
class GoldenVitTest {
    private static final float FLOAT32_LOGITS = 1e-4f;
    /// A level of 255, rescaled and normalised with a deviation of 0.5.
    private static final float LEVEL = 2 / 255f;

    @TempDir Path home;

    private static JsonObject golden(String folder) throws IOException {
        return JsonParser.parseString(Files.readString(Shared.path(folder).resolve("golden.json"))).getAsJsonObject();
    }

    private static float[] floats(JsonElement array) {
        return ImageClassifierTest.floats(array.getAsJsonArray());
    }

    @ParameterizedTest
    @ValueSource(strings = {"models/tiny/vit", "models/onnx/vit-optimum"})
    void picturesAreSeenAndClassifiedAsByTheReference(String folder) throws IOException {
        Path path = Shared.path(folder);
        JsonObject golden = golden(folder);
        try (ImageClassifier model = ImageClassifier.open(path, WebGpu.options(home).withPrecision(Precision.FP32))) {
            for (JsonElement each : golden.getAsJsonArray(golden.has("forward") ? "forward" : "runs")) {
                JsonObject run = each.getAsJsonObject();
                Path file = path.resolve(run.get("file").getAsString());
                var inputs = model.inputs(file);
                assertArrayEquals(floats(run.getAsJsonObject("pixel_values").get("data")), inputs.get("pixel_values").toFloats(),
                        file.toString());
                JsonElement logits = run.has("logits") ? run.get("logits") : run.getAsJsonObject("outputs").get("logits");
                if (logits.isJsonObject()) logits = logits.getAsJsonObject().get("data");
                assertArrayEquals(floats(logits), model.forward(inputs).get("logits").toFloats(), FLOAT32_LOGITS, file.toString());
                if (run.has("label")) assertEquals(run.get("label").getAsString(), model.classify(Picture.read(file)).best().label());
            }
        }
    }

    @Test
    void aBatchOfPicturesHasTheReferencesLogits() throws IOException {
        Path path = Shared.path("models/tiny/vit");
        JsonObject batch = golden("models/tiny/vit").getAsJsonObject("batch");
        try (ImageClassifier model = ImageClassifier.open(path, WebGpu.options(home))) {
            List<Picture> pictures = new ArrayList<>();
            for (JsonElement file : batch.getAsJsonArray("files")) pictures.add(Picture.read(path.resolve(file.getAsString())));
            List<Classes> classes = model.classify(pictures);
            for (int i = 0; i < pictures.size(); i++) {
                float[] logits = floats(batch.getAsJsonArray("logits").get(i));
                int best = 0;
                double sum = 0;
                for (int c = 0; c < logits.length; c++) if (logits[c] > logits[best]) best = c;
                for (float logit : logits) sum += Math.exp(logit - logits[best]);
                assertEquals(1 / sum, classes.get(i).best().score(), FLOAT32_LOGITS);
            }
        }
    }

    /// The golden's pixel values are those of another backend, which differs by a level here and there.
    @Test
    void aPictureIsSplitIntoTilesAsByTheReference() throws IOException {
        JsonObject golden = golden("models/tiny/idefics3");
        Path path = Shared.path("models/tiny/idefics3");
        Idefics3Preprocessor.Tiles tiles = Idefics3Preprocessor.read(path).tiles(
                Picture.read(path.resolve(golden.getAsJsonObject("processor").get("file").getAsString())));
        assertEquals("2 × 2", tiles.rows() + " × " + tiles.columns());
        JsonObject pixels = golden.getAsJsonArray("forward").get(0).getAsJsonObject().getAsJsonObject("pixel_values");
        assertEquals(pixels.get("shape").toString(), Arrays.toString(tiles.pixelValues().shape().sizes()).replace(" ", ""));
        assertArrayEquals(floats(pixels.get("data")), tiles.pixelValues().toFloats(), 2 * LEVEL);
    }
}
