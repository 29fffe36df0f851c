package fewsh.export;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import fewsh.Shared;
import fewsh.UserError;
import fewsh.generate.CausalLm;
import fewsh.load.LoadOptions;
import fewsh.models.Checkpoint;
import fewsh.models.Precision;
import fewsh.models.Scaled;
import fewsh.models.TinyAdapters;
import fewsh.models.TinyModels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// What is written opens again and gives what the model gives; `bench/convert.py` opens it with other people's programs.
class ExportTest {
    private static final float FLOAT32_LOGITS = 1e-4f;
    private static final int[] IDS = {3, 50, 7, 7, 200, 90, 33};

    @TempDir
    Path home;

    private CausalLm open(Path path, Precision precision) {
        return CausalLm.open(path, LoadOptions.in(home).withPrecision(precision).withThreads(1));
    }

    private Path export(Path model, Export.Format format, Export.Numbers numbers, Scaled... adapters) {
        Path out = home.resolve("out-" + format + numbers);
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            Export.write(checkpoint, List.of(adapters), format, numbers, out);
        }
        return out;
    }

    private static void assertClose(CausalLm expected, CausalLm actual, float tolerance) {
        float[][] a = expected.forward(IDS);
        float[][] b = actual.forward(IDS);
        for (int i = 0; i < a.length; i++) assertArrayEquals(a[i], b[i], tolerance, "position " + i);
    }

    @ParameterizedTest
    @EnumSource(Export.Format.class)
    void aFolderGivesTheModelsLogits(Export.Format format) throws IOException {
        Path model = TinyModels.llama(home.resolve("model"), 5);
        try (CausalLm expected = open(model, Precision.FP32);
                CausalLm actual = open(export(model, format, Export.Numbers.FP32), Precision.FP32)) {
            assertClose(expected, actual, FLOAT32_LOGITS);
        }
    }

    @ParameterizedTest
    @EnumSource(Export.Format.class)
    void aGgufFileGivesTheModelsLogitsAndIds(Export.Format format) throws IOException {
        Path model = Shared.project().resolve("build/warm-up.gguf");
        try (CausalLm expected = open(model, Precision.FP32);
                CausalLm actual = open(export(model, format, Export.Numbers.FP32), Precision.FP32)) {
            assertClose(expected, actual, FLOAT32_LOGITS);
            String text = "abc <|im_start|>é\n";
            assertArrayEquals(expected.tokenizer().encode(text, true, true), actual.tokenizer().encode(text, true, true));
            assertEquals(expected.tokenizer().endOfGeneration(), actual.tokenizer().endOfGeneration());
            assertEquals(expected.chatTemplate().isPresent(), actual.chatTemplate().isPresent());
        }
    }

    @Test
    void matricesInBlocksGiveWhatThisPrecisionGivesHere() throws IOException {
        Path model = TinyModels.llama(home.resolve("model"), 5);
        for (var numbers : Map.of(Export.Numbers.INT8, Precision.INT8, Export.Numbers.INT4, Precision.INT4).entrySet())
            try (CausalLm expected = open(model, numbers.getValue());
                    CausalLm actual = open(export(model, Export.Format.ONNX, numbers.getKey()), Precision.AUTO)) {
                assertClose(expected, actual, FLOAT32_LOGITS);
            }
    }

    @Test
    void adaptersAreMerged() throws IOException {
        Path model = TinyModels.llama(home.resolve("model"), 5);
        Path adapter = TinyAdapters.random(home.resolve("adapter"), model, 1, "q_proj", "o_proj", "up_proj");
        try (CausalLm expected = open(TinyAdapters.merged(home.resolve("merged"), model, Map.of(adapter, 0.5)), Precision.FP32);
                CausalLm actual = open(export(model, Export.Format.SAFETENSORS, Export.Numbers.FP32, new Scaled(adapter, 0.5)),
                        Precision.FP32)) {
            assertClose(expected, actual, FLOAT32_LOGITS);
        }
    }

    @Test
    void halvesAreRoundedToTheNearest() throws IOException {
        Path model = TinyModels.llama(home.resolve("model"), 5);
        for (Export.Numbers numbers : List.of(Export.Numbers.FP16, Export.Numbers.BF16)) {
            Path out = export(model, Export.Format.SAFETENSORS, numbers);
            try (Checkpoint a = Checkpoint.open(model); Checkpoint b = Checkpoint.open(out)) {
                float[] exact = a.weight("lm_head.weight", TinyModels.VOCAB, 48).floats();
                float[] rounded = b.weight("lm_head.weight", TinyModels.VOCAB, 48).floats();
                float relative = numbers == Export.Numbers.FP16 ? 0x1p-11f : 0x1p-8f;
                for (int i = 0; i < exact.length; i++)
                    assertEquals(exact[i], rounded[i], relative * Math.abs(exact[i]) + 1e-7f, numbers + " " + i);
            }
        }
    }

    @Test
    void genaiSettingsSayWhatTheGraphIs() throws IOException {
        Path out = export(Shared.project().resolve("build/warm-up.gguf"), Export.Format.GENAI, Export.Numbers.FP32);
        JsonObject model = JsonParser.parseString(Files.readString(out.resolve("genai_config.json"))).getAsJsonObject().getAsJsonObject("model");
        JsonObject decoder = model.getAsJsonObject("decoder");
        assertEquals(512, model.get("context_length").getAsInt());
        assertEquals(257, model.get("eos_token_id").getAsInt());
        assertEquals(256, model.get("bos_token_id").getAsInt());
        assertEquals(TinyModels.VOCAB, model.get("vocab_size").getAsInt());
        assertEquals(2, decoder.get("num_attention_heads").getAsInt());
        assertEquals(1, decoder.get("num_key_value_heads").getAsInt());
        assertEquals(32, decoder.get("head_size").getAsInt());
        assertEquals(1, decoder.get("num_hidden_layers").getAsInt());
    }

    @Test
    void aFolderThatHoldsSomethingIsLeftAlone() throws IOException {
        Path model = TinyModels.llama(home.resolve("model"), 5);
        Path out = Files.createDirectories(home.resolve("full"));
        Files.writeString(out.resolve("precious"), "x");
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            assertThrows(UserError.class, () -> Export.write(checkpoint, List.of(), Export.Format.ONNX, Export.Numbers.FP32, out));
            assertThrows(UserError.class, () -> Export.write(checkpoint, List.of(), Export.Format.SAFETENSORS, Export.Numbers.INT4,
                    home.resolve("new")));
            Files.delete(out.resolve("precious"));
            Export.write(checkpoint, List.of(), Export.Format.ONNX, Export.Numbers.FP32, out);
        }
        try (Stream<Path> left = Files.list(home)) {
            assertTrue(left.noneMatch(p -> p.getFileName().toString().startsWith(".fewsh-convert-")));
        }
        assertTrue(Files.exists(out.resolve("model.onnx")));
    }
}
