package fewsh.vision;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import fewsh.UserError;
import fewsh.models.Settings;
import fewsh.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Settings of published processors, each over pictures of eight shapes: the same float32 bits as the Pillow backend of
/// transformers 5.23 over Pillow 13. The cases are made by `golden/vision/make_pictures.py`.
class PreprocessorTest {
    private static final Path GOLDEN = Path.of("src/test/resources/golden/vision");

    @TempDir Path folder;

    static List<String> cases() throws IOException {
        return Files.readAllLines(GOLDEN.resolve("preprocessor.jsonl"));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void pixelValuesAreTheReferencesToTheBit(String line) throws Exception {
        JsonObject expected = JsonParser.parseString(line).getAsJsonObject();
        Settings settings = new Settings("preprocessor_config.json", expected.getAsJsonObject("config"));
        Picture picture = Picture.read(GOLDEN.resolve("pictures").resolve(expected.get("picture").getAsString()));
        Tensor values;
        if (expected.has("rows")) {
            Idefics3Preprocessor.Tiles tiles = Idefics3Preprocessor.of(settings).tiles(picture);
            assertEquals(expected.get("rows") + " × " + expected.get("cols"), tiles.rows() + " × " + tiles.columns());
            assertEquals(tiles.count(), tiles.pixelValues().shape().size(1));
            assertEquals(tiles.pixelAttentionMask().shape().count(),
                    Arrays.stream(tiles.pixelAttentionMask().data().toArray(ValueLayout.JAVA_LONG)).sum());
            values = tiles.pixelValues();
        } else values = Preprocessor.of(settings).pixelValues(List.of(picture));
        assertEquals(expected.get("shape").toString(), Arrays.toString(values.shape().sizes()).replace(" ", ""));
        byte[] bits = values.data().toArray(ValueLayout.JAVA_BYTE);
        assertEquals(expected.get("sha256").getAsString(), HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bits)));
    }

    @Test
    void aBatchIsItsPicturesOneByOne() throws IOException {
        Preprocessor preprocessor = of("{\"size\": 16}");
        List<Picture> pictures = List.of(picture("size0.png"), picture("size1.png"));
        float[] both = preprocessor.pixelValues(pictures).toFloats();
        for (int i = 0; i < 2; i++)
            assertEquals(Arrays.toString(preprocessor.pixelValues(List.of(pictures.get(i))).toFloats()),
                    Arrays.toString(Arrays.copyOfRange(both, i * 768, (i + 1) * 768)));
        UserError e = assertThrows(UserError.class, () -> of("{\"do_resize\": false}").pixelValues(pictures));
        assertEquals("pictures of 32 × 32 and 50 × 37 cannot go together", e.what());
    }

    private static Picture picture(String name) {
        return Picture.read(GOLDEN.resolve("pictures").resolve(name));
    }

    private static Preprocessor of(String json) {
        return Preprocessor.of(new Settings("p.json", JsonParser.parseString(json).getAsJsonObject()));
    }

    @Test
    void aSettingThatIsNotDoneIsRefusedByName() {
        refused("{\"image_processor_type\": \"BeitImageProcessor\"}", "image_processor_type \"BeitImageProcessor\" is not supported");
        refused("{\"do_reduce_labels\": true}", "\"do_reduce_labels\" is not supported");
        refused("{\"crop_pct\": 0.875}", "\"crop_pct\" is not supported");
        refused("{\"do_pad\": true}", "do_pad true is not supported");
        refused("{\"offset\": true}", "offset true is not supported");
        refused("{\"resample\": 6}", "resample 6 is not supported");
        refused("{\"resample\": 1.5}", "resample -1 is not supported");
        refused("{\"size\": {\"longest_edge\": 3}}", "size with [longest_edge] is not supported");
        refused("{\"size\": {\"height\": 3}}", "size with [height] is not supported");
        refused("{\"do_center_crop\": true, \"crop_size\": {\"shortest_edge\": 3}}",
                "crop_size {\"shortest_edge\":3} is not supported");
        refused("{\"image_mean\": [1, 2]}", "\"image_mean\" must be three numbers, was [1,2]");
        refused("{\"image_std\": [1, 0, 1]}", "image_std has a 0");
        refused("{\"size\": \"large\"}", "\"size\" must be a number, was \"large\"");
        refused("{\"size\": 1e300}", "\"size\" must be a whole number from 1 to 16777216, was 1e300");
        refused("{\"size\": 16777216}", "the size is 16777216 times 16777216, more than 16777216");
        refused("{\"rescale_factor\": 1e300}", "\"rescale_factor\" must be a finite number, was 1.0E300");
    }

    private static void refused(String json, String what) {
        assertEquals(what, assertThrows(UserError.class, () -> of(json)).what(), json);
    }

    @Test
    void aSizeThatNoMemoryHoldsIsRefused() {
        Picture line = new Picture(1, 8192, new byte[3 * 8192]);
        Preprocessor wide = of("{\"size\": {\"height\": 1, \"width\": 32000}}");
        assertEquals("a picture of 1 × 8192 pixels would become 32000 × 1",
                assertThrows(UserError.class, () -> wide.pixelValues(List.of(line))).what());
        Preprocessor clip = of("{\"image_processor_type\": \"CLIPImageProcessor\", \"size\": 20000}");
        assertThrows(UserError.class, () -> clip.pixelValues(List.of(line)));
    }

    @Test
    void settingsForPicturesMayStandInTheCombinedFile() throws IOException {
        assertEquals("no such file", assertThrows(UserError.class, () -> Preprocessor.read(folder)).what());
        Files.writeString(folder.resolve("processor_config.json"),
                "{\"image_processor\": {\"image_processor_type\": \"ViTImageProcessor\", \"size\": 7}}");
        assertEquals(new Size.Exactly(7, 7), Preprocessor.read(folder).size().orElseThrow());
        Files.writeString(folder.resolve("preprocessor_config.json"), "{\"feature_extractor_type\": \"ViTFeatureExtractor\", \"size\": 9}");
        assertEquals(new Size.Exactly(9, 9), Preprocessor.read(folder).size().orElseThrow());
    }
}
