package fewsh.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fewsh.UserError;
import fewsh.models.Precision;
import fewsh.session.Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What a folder holds is told from its files' names alone; nothing here is opened.
class ExportFolderTest {
    @TempDir
    Path folder;

    private void files(String... names) throws IOException {
        for (String name : names) {
            Files.createDirectories(folder.resolve(name).getParent());
            Files.writeString(folder.resolve(name), name.endsWith(".json") ? "{\"model_type\":\"llama\",\"n_positions\":77}" : "");
        }
    }

    private LoadOptions options(Precision precision) {
        return LoadOptions.in(folder.resolve("home")).withPrecision(precision);
    }

    /// The files chosen, relative to the folder, by what they are.
    private Map<String, String> found(Precision precision) {
        return found(folder, options(precision));
    }

    private Map<String, String> found(Path path, LoadOptions options) {
        Map<String, String> found = new TreeMap<>();
        ExportFolder.find(path, options).orElseThrow().graphs()
                .forEach((graph, file) -> found.put(graph, folder.relativize(file).toString()));
        return found;
    }

    @Test
    void ourOwnPageWinsUnlessThereIsNothingButOnnx() throws IOException {
        files("config.json", "model.safetensors", "model.onnx", "onnx/model.onnx");
        assertTrue(ExportFolder.find(folder, options(Precision.AUTO)).isEmpty());
        Files.writeString(folder.resolve("config.json"), "{\"model_type\":\"rwkv\"}");
        assertEquals(Map.of("model", "model.onnx"), found(Precision.AUTO));
        files("config.json");
        Files.delete(folder.resolve("model.safetensors"));
        assertEquals(Map.of("model", "model.onnx"), found(Precision.AUTO));
        Files.delete(folder.resolve("model.onnx"));
        assertEquals(Map.of("model", "onnx/model.onnx"), found(Precision.AUTO));
    }

    @Test
    void aFileOfTheOnnxFolderHasTheConfigurationAbove() throws IOException {
        files("config.json", "onnx/model_q4.onnx", "onnx/model.onnx");
        for (Path path : List.of(folder.resolve("onnx"), folder.resolve("onnx/model_q4.onnx"))) {
            ExportFolder export = ExportFolder.find(path, options(Precision.AUTO)).orElseThrow();
            assertEquals(77, export.contextLength());
            assertEquals("llama", export.architecture());
        }
        assertEquals(Map.of("model", "onnx/model_q4.onnx"), found(folder.resolve("onnx/model_q4.onnx"), options(Precision.AUTO)));
    }

    @Test
    void precisionPicksTheSuffix() throws IOException {
        files("config.json", "onnx/model_fp16.onnx", "onnx/model_uint8.onnx", "onnx/model_int8.onnx", "onnx/model_q4f16.onnx",
                "onnx/model_bnb4.onnx");
        String bytes = Precision.hasByteProducts() ? "onnx/model_int8.onnx" : "onnx/model_uint8.onnx";
        assertEquals(Map.of("model", "onnx/model_fp16.onnx"), found(Precision.FP32));
        assertEquals(Map.of("model", bytes), found(Precision.INT8));
        assertEquals(Map.of("model", "onnx/model_q4f16.onnx"), found(Precision.INT4));
        assertEquals(Map.of("model", bytes), found(Precision.AUTO));
        assertEquals(Map.of("model", "onnx/model_fp16.onnx"),
                found(folder, options(Precision.AUTO).withDevice(Device.parse("webgpu"))));
        files("onnx/model.onnx", "onnx/model_q4.onnx");
        assertEquals(Map.of("model", "onnx/model.onnx"), found(Precision.FP32));
        assertEquals(Map.of("model", "onnx/model_q4.onnx"), found(Precision.INT4));
    }

    @Test
    void aPrecisionThatNoFileHasIsRefusedWithThoseThatAreThere() throws IOException {
        files("config.json", "onnx/model_fp16.onnx", "onnx/model_q4.onnx");
        UserError e = assertThrows(UserError.class, () -> found(Precision.INT8));
        assertTrue(e.fix().contains("model_fp16.onnx (fp32), model_q4.onnx (int4)"), e.fix());
    }

    @Test
    void pairsOfGraphsAreToldApart() throws IOException {
        files("config.json", "encoder_model.onnx", "decoder_model.onnx", "decoder_with_past_model.onnx");
        assertEquals(Map.of("encoder", "encoder_model.onnx", "decoder", "decoder_model.onnx",
                "decoder_with_past", "decoder_with_past_model.onnx"), found(Precision.AUTO));
        files("decoder_model_merged.onnx", "decoder_model_merged_quantized.onnx");
        assertEquals(Map.of("encoder", "encoder_model.onnx", "decoder_merged", "decoder_model_merged.onnx"), found(Precision.FP32));
        Files.delete(folder.resolve("encoder_model.onnx"));
        assertEquals(Map.of("model", "decoder_model_merged.onnx"), found(Precision.FP32));
        for (String name : List.of("decoder_model_merged.onnx", "decoder_model_merged_quantized.onnx"))
            Files.delete(folder.resolve(name));
        assertEquals(Map.of("model", "decoder_with_past_model.onnx"), found(Precision.AUTO));
    }

    @Test
    void genaisFileNamesTheGraph() throws IOException {
        files("other.onnx", "the-model.onnx");
        Files.writeString(folder.resolve("genai_config.json"),
                "{\"model\":{\"type\":\"phi\",\"context_length\":99,\"decoder\":{\"filename\":\"the-model.onnx\"}}}");
        ExportFolder export = ExportFolder.find(folder, options(Precision.AUTO)).orElseThrow();
        assertEquals(Map.of("model", folder.resolve("the-model.onnx")), export.graphs());
        assertEquals("phi", export.architecture());
        assertEquals(99, export.contextLength());
        for (String outside : List.of("../x.onnx", "/x.onnx")) {
            Files.writeString(folder.resolve("genai_config.json"), "{\"model\":{\"decoder\":{\"filename\":\"" + outside + "\"}}}");
            assertTrue(assertThrows(UserError.class, () -> found(Precision.AUTO)).what().contains("is outside the folder"));
        }
    }

    @Test
    void oneFileOfAnyNameIsAModel() throws IOException {
        files("tinybert.onnx");
        assertEquals(Map.of("model", "tinybert.onnx"), found(Precision.AUTO));
        assertEquals(Map.of("model", "tinybert.onnx"), found(folder.resolve("tinybert.onnx"), options(Precision.INT4)));
        assertTrue(ExportFolder.find(folder.resolve("nothing.onnx"), options(Precision.AUTO)).isEmpty());
    }
}
