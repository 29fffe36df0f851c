package fewsh.encode;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import fewsh.UserError;
import fewsh.load.LoadOptions;
import fewsh.models.TinyModels;
import fewsh.tensor.Tensor;
import fewsh.vision.Picture;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Pictures classified, and what the model looks at, against transformers (`golden/vision/make_vit.py`) and against what must
/// hold of any model.
class ImageClassifierTest {
    private static final Path GOLDEN = Path.of("src/test/resources/golden/vision");
    /// Of one logit in float32.
    private static final float FLOAT32_LOGITS = 1e-4f;
    private static final float WEIGHT = 1e-5f;

    @TempDir Path folder;

    private ImageClassifier open(Path model) {
        return ImageClassifier.open(model, LoadOptions.in(folder.resolve("home")));
    }

    private static Picture picture(String name) {
        return Picture.read(GOLDEN.resolve("pictures").resolve(name));
    }

    private static Picture noise(int width, int height, long seed) {
        byte[] rgb = new byte[3 * width * height];
        new Random(seed).nextBytes(rgb);
        return new Picture(width, height, rgb);
    }

    static float[] floats(JsonArray array) {
        float[] values = new float[array.size()];
        for (int i = 0; i < values.length; i++) values[i] = array.get(i).getAsFloat();
        return values;
    }

    @Test
    void logitsAndAttentionsAreTheReferences() throws IOException {
        JsonObject golden = JsonParser.parseString(Files.readString(GOLDEN.resolve("vit/golden.json"))).getAsJsonObject();
        try (ImageClassifier model = open(GOLDEN.resolve("vit"))) {
            Map<String, Tensor> inputs = model.inputs(GOLDEN.resolve("pictures/rgb.png"));
            assertArrayEquals(floats(golden.getAsJsonArray("logits")), model.forward(inputs).get("logits").toFloats(), FLOAT32_LOGITS);
            Classes classes = model.classify(picture("rgb.png"));
            assertEquals("dog", classes.best().label());
            assertEquals(golden.getAsJsonArray("probabilities").get(1).getAsFloat(), classes.best().score(), FLOAT32_LOGITS);
            Attentions seen = model.attentions(picture("rgb.png"));
            assertEquals("2 × 3", seen.rows() + " × " + seen.columns());
            assertArrayEquals(floats(golden.getAsJsonArray("rollout")), seen.rollout().weights(), WEIGHT);
            for (int layer = 0; layer < 3; layer++)
                for (int head = 0; head < seen.heads(); head++)
                    assertArrayEquals(floats(golden.getAsJsonArray("heads").get(layer).getAsJsonArray().get(head).getAsJsonArray()),
                            seen.head(layer, head).weights(), WEIGHT, layer + "." + head);
            assertEquals("layers are 0 to 2", assertThrows(UserError.class, () -> seen.head(3, 0)).fix());
            assertEquals("heads are 0 to 1", assertThrows(UserError.class, () -> seen.head(0, -1)).fix());
        }
    }

    @Test
    void picturesTogetherAreClassifiedAsAlone() throws IOException {
        try (ImageClassifier model = open(TinyModels.vit(folder.resolve("vit"), 3))) {
            List<Picture> pictures = new ArrayList<>();
            for (int i = 0; i < 7; i++) pictures.add(noise(5 + 7 * i, 40 - 3 * i, i));
            List<Classes> together = model.classify(pictures);
            assertTrue(together.stream().map(c -> c.best().label()).distinct().count() > 1, "the model does not always say the same");
            for (int i = 0; i < 7; i++) {
                Classes alone = model.classify(pictures.get(i));
                assertEquals(4, alone.all().size());
                assertEquals(1, alone.all().stream().mapToDouble(Classes.Class::score).sum(), 1e-5);
                for (int c = 0; c < 4; c++) {
                    assertEquals(alone.all().get(c).label(), together.get(i).all().get(c).label());
                    assertEquals(alone.all().get(c).score(), together.get(i).all().get(c).score(), WEIGHT);
                }
            }
            assertEquals(List.of(), model.classify(List.of()));
            assertEquals(5, model.about().contextLength());
        }
    }

    @Test
    void everyTokensAttentionAddsUpToOne() throws IOException {
        try (ImageClassifier model = open(TinyModels.vit(folder.resolve("vit"), 3))) {
            Attentions seen = model.attentions(noise(30, 20, 5));
            assertEquals(2, seen.layers().size());
            for (Tensor layer : seen.layers()) {
                assertEquals("[1, 2, 5, 5]", layer.shape().toString());
                float[] all = layer.toFloats();
                for (int row = 0; row < all.length; row += 5)
                    assertEquals(1, all[row] + all[row + 1] + all[row + 2] + all[row + 3] + all[row + 4], 1e-5);
            }
        }
    }

    @Test
    void aSettingOfSeveralLabelsScoresEachByItself() throws IOException {
        Path vit = TinyModels.vit(folder.resolve("vit"), 3);
        Path config = vit.resolve("config.json");
        Files.writeString(config, Files.readString(config).replace("\"model_type\"",
                "\"problem_type\":\"multi_label_classification\",\"model_type\""));
        try (ImageClassifier model = open(vit)) {
            Tensor logits = model.forward(model.inputs(GOLDEN.resolve("pictures/rgb.png"))).get("logits");
            Classes classes = model.classify(picture("rgb.png"));
            float best = Float.NEGATIVE_INFINITY;
            for (float logit : logits.toFloats()) best = Math.max(best, logit);
            assertEquals(1 / (1 + Math.exp(-best)), classes.best().score(), 1e-5);
        }
    }

    @Test
    void whatDoesNotFitTheModelIsRefused() throws IOException {
        Path vit = TinyModels.vit(folder.resolve("vit"), 3);
        try (ImageClassifier model = open(vit)) {
            assertEquals("\"pixel_values\" is missing", assertThrows(UserError.class, () -> model.forward(Map.of())).what());
            assertEquals("unknown input \"input_ids\"", assertThrows(UserError.class,
                    () -> model.forward(Map.of("input_ids", Tensor.ofInt64(new long[] {1}, 1, 1)))).what());
            assertEquals("pixel_values is float32[1, 3, 2, 2], the model takes float32[batch, 3, 16, 16]",
                    assertThrows(UserError.class, () -> model.forward(Map.of("pixel_values",
                            Tensor.ofFloat32(new float[12], 1, 3, 2, 2)))).what());
        }
        Files.writeString(vit.resolve("preprocessor_config.json"), "{\"size\": 8}");
        try (ImageClassifier model = open(vit)) {
            assertTrue(assertThrows(UserError.class, () -> model.classify(picture("rgb.png"))).what().contains("[1, 3, 8, 8]"));
        }
        Files.delete(vit.resolve("preprocessor_config.json"));
        assertEquals("no such file", assertThrows(UserError.class, () -> open(vit)).what());
        assertThrows(UserError.class, () -> open(TinyModels.llama(folder.resolve("llama"), 1)));
    }

    @Test
    void aSettingThatThePageDoesNotHaveIsRefused() throws IOException {
        Path vit = TinyModels.vit(folder.resolve("vit"), 3);
        String config = Files.readString(vit.resolve("config.json"));
        for (String setting : List.of("\"architectures\":[\"ViTForMaskedImageModeling\"]", "\"hidden_act\":\"mish\"",
                "\"image_size\":[16]", "\"image_size\":[4,16]", "\"num_attention_heads\":3", "\"patch_size\":\"8\"",
                "\"pruned_heads\":{\"0\":[1]}", "\"num_channels\":16777216")) {
            String key = setting.substring(0, setting.indexOf(':'));
            Files.writeString(vit.resolve("config.json"), config.replaceFirst(key + ":\\d+,", "").replaceFirst("\\{", "{" + setting + ","));
            UserError e = assertThrows(UserError.class, () -> open(vit), setting);
            assertTrue(e.toString().contains(key.replace("\"", "")) || setting.contains("channels"), e.toString());
        }
    }

    @Test
    void theMapLiesOverThePicture() throws IOException {
        Picture black = new Picture(8, 4, new byte[96]);
        Picture drawn = new AttentionMap(1, 2, new float[] {1, 3}).over(black);
        assertEquals("8 × 4", drawn.width() + " × " + drawn.height());
        byte[] rgb = drawn.rgb();
        assertTrue((rgb[2] & 0xFF) > 60 && rgb[0] == 0, "blue where it counts least");
        assertTrue((rgb[21] & 0xFF) > 60 && rgb[23] == 0, "red where it counts most");
        Path file = folder.resolve("map.png");
        drawn.write(file);
        assertArrayEquals(rgb, Picture.read(file).rgb());
        drawn.write(file);
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(List.of(file), files.toList());
        }
        assertThrows(UserError.class, () -> drawn.write(folder.resolve("none/map.png")));
    }
}
