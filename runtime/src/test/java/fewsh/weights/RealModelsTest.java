package fewsh.weights;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import fewsh.Shared;
import fewsh.tensor.Shape;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Published files, compared by checksum with what the Python packages `gguf` and `safetensors` read: see real_models.py.
@Shared.Suite({"models/smollm2-135m-instruct-gguf", "models/stories260K-gguf", "models/tiny/llama-bfloat16-sharded",
    "models/tiny/gpt2", "models/tokenizer-vectors"})
class RealModelsTest {
    private static final Path GOLDEN = Path.of("src/test/resources/golden/weights/real_models.json");
    private static final String SMOLLM2 = "smollm2-135m-instruct-gguf/SmolLM2-135M-Instruct.Q4_1.gguf";

    private static Weights open(String model) {
        return Weights.open(Shared.path("models").resolve(model));
    }

    @ParameterizedTest
    @ValueSource(strings = {SMOLLM2, "stories260K-gguf/tinyllm.gguf", "tokenizer-vectors/ggml-vocab-gpt-2.gguf",
        "tokenizer-vectors/ggml-vocab-llama-spm.gguf", "tokenizer-vectors/ggml-vocab-bert-bge.gguf",
        "tiny/llama-bfloat16-sharded", "tiny/gpt2"})
    void readsTheNumbersAndKeysThatTheReferenceReads(String model) throws IOException {
        JsonObject expected = new Gson().fromJson(Files.readString(GOLDEN), JsonObject.class).getAsJsonObject(model);
        try (Weights weights = open(model)) {
            assertEquals(expected.get("tensors").getAsInt(), weights.names().size());
            CRC32 crc = new CRC32();
            for (String name : weights.names().stream().sorted().toList()) {
                float[] floats = weights.get(name).floats();
                ByteBuffer bytes = ByteBuffer.allocate(Float.BYTES * floats.length).order(ByteOrder.LITTLE_ENDIAN);
                bytes.asFloatBuffer().put(floats);
                crc.update(bytes);
            }
            assertEquals(expected.get("floats").getAsLong(), crc.getValue());
            if (!expected.has("keys")) return;
            for (String key : expected.getAsJsonObject("keys").keySet())
                assertEquals(expected.getAsJsonObject("keys").get(key).getAsLong(), crc(weights.metadata().get(key)), key);
        }
    }

    private static long crc(Object value) {
        List<?> items = value instanceof List<?> list ? list : List.of(value);
        CRC32 crc = new CRC32();
        crc.update(items.stream().map(Object::toString).collect(Collectors.joining("\n")).getBytes(StandardCharsets.UTF_8));
        return crc.getValue();
    }

    @Test
    void smollm2IsMadeOfWhatItsReadmeSays() {
        try (Weights weights = open(SMOLLM2)) {
            Map<Encoding, Integer> counts = new TreeMap<>();
            for (String name : weights.names()) counts.merge(weights.get(name).encoding(), 1, Integer::sum);
            assertEquals(Map.of(Encoding.Q4_1, 210, Encoding.Q8_0, 1, Encoding.F32, 61), counts);
            assertEquals(Shape.of(49152, 576), weights.get("token_embd.weight").shape());
            assertEquals(9L, weights.metadata().get("llama.attention.head_count"));
            assertEquals((double) 1e-5f, weights.metadata().get("llama.attention.layer_norm_rms_epsilon"));
            assertEquals(false, weights.metadata().get("tokenizer.ggml.add_bos_token"));
        }
    }

    @Test
    void smollm2IsHeldInBlocksToTheBit() {
        try (Weights weights = open(SMOLLM2)) {
            Set<String> kinds = new HashSet<>();
            for (String name : weights.names()) {
                Weight weight = weights.get(name);
                if (weight.shape().rank() != 2 || !(name.startsWith("blk.7.") || name.startsWith("token"))) continue;
                int bits = weight.encoding() == Encoding.Q8_0 ? 8 : 4;
                try (Arena arena = Arena.ofShared()) {
                    Blocks blocks = Blocks.of(weight, bits, arena);
                    assertEquals(true, blocks.exact());
                    assertArrayEquals(weight.floats(), blocks.dequantise(), name);
                }
                kinds.add(name.replaceAll("[0-9]+", "N"));
            }
            assertEquals(8, kinds.size());
        }
    }

    @Test
    void theShardsOfAFolderAreAllMapped() {
        try (Weights weights = open("tiny/llama-bfloat16-sharded")) {
            assertEquals(2, weights.files().size());
            assertEquals(111_072, weights.bytes());
            assertEquals(Map.of("format", "pt"), weights.metadata());
            float[] row = new float[(int) weights.get("model.embed_tokens.weight").columns()];
            weights.get("model.embed_tokens.weight").floats(3, 1, MemorySegment.ofArray(row));
            List<Float> values = new ArrayList<>();
            for (float value : row) values.add(value);
            assertEquals(0, values.stream().filter(v -> (Float.floatToIntBits(v) & 0xFFFF) != 0).count());
        }
    }
}
