package fewsh.generate;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import fewsh.Shared;
import fewsh.UserError;
import fewsh.WebGpu;
import fewsh.models.Precision;
import fewsh.prompt.Message;
import fewsh.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A small Idefics3 against what transformers computed: rows of pictures, logits, greedy answers, and the ids of a conversation
/// with a picture in it.
@Shared.Suite({"models/tiny/idefics3"})
class Idefics3GoldenTest {
    /// As the golden file states it.
    private static final float FLOAT32_LOGITS = 1e-4f;

    @TempDir
    static Path home;
    private static JsonObject golden;
    private static CausalLm lm;

    @BeforeAll
    static void open() throws IOException {
        Path folder = Shared.path("models/tiny/idefics3");
        golden = JsonParser.parseString(Files.readString(folder.resolve("golden.json"))).getAsJsonObject();
        lm = CausalLm.open(folder, WebGpu.options(home).withPrecision(Precision.FP32));
    }

    @AfterAll
    static void close() {
        lm.close();
    }

    private static float[] floats(JsonArray numbers) {
        float[] floats = new float[numbers.size()];
        for (int i = 0; i < floats.length; i++) floats[i] = numbers.get(i).getAsFloat();
        return floats;
    }

    private static Tensor tensor(JsonObject json) {
        long[] shape = StreamSupport.stream(json.getAsJsonArray("shape").spliterator(), false).mapToLong(n -> n.getAsLong()).toArray();
        return Tensor.ofFloat32(floats(json.getAsJsonArray("data")), shape);
    }

    private static long[] ids(JsonObject from, String key) {
        return StreamSupport.stream(from.getAsJsonArray(key).spliterator(), false).mapToLong(n -> n.getAsLong()).toArray();
    }

    @Test
    void rowsOfPicturesAndLogitsAreThoseOfTheReference() {
        for (var one : golden.getAsJsonArray("forward")) {
            JsonObject forward = one.getAsJsonObject();
            long[] ids = ids(forward, "input_ids");
            Map<String, Tensor> inputs = new HashMap<>(Map.of("input_ids", Tensor.ofInt64(ids, 1, ids.length)));
            if (forward.has("pixel_values")) inputs.put("pixel_values", tensor(forward.getAsJsonObject("pixel_values")));
            Map<String, Tensor> outputs = lm.forward(inputs);
            if (forward.has("image_hidden_states"))
                assertArrayEquals(floats(forward.getAsJsonObject("image_hidden_states").getAsJsonArray("data")),
                        outputs.get("image_hidden_states").toFloats(), FLOAT32_LOGITS);
            float[] logits = outputs.get("logits").toFloats();
            float[] last = floats(forward.getAsJsonArray("last_logits"));
            assertArrayEquals(last, Arrays.copyOfRange(logits, logits.length - last.length, logits.length), FLOAT32_LOGITS);
        }
    }

    @Test
    void aConversationWithAPictureHasTheIdsOfTheReferencesProcessor() {
        int[] ids = lm.encode(conversation(), true);
        assertArrayEquals(ids(golden.getAsJsonObject("processor"), "input_ids"),
                IntStream.of(lm.spoken(ids)).asLongStream().toArray());
        assertEquals(20, IntStream.of(ids).filter(id -> id >= lm.about().vocabSize()).distinct().count());
        assertArrayEquals(ids, lm.encode(conversation(), true), "the same picture has the same ids again");
    }

    private static List<Message> conversation() {
        String picture = Shared.path("models/tiny/idefics3").resolve("picture.png").toString();
        return List.of(new Message("User", "").with("content", List.of(Map.of("type", "image", "path", picture),
                Map.of("type", "text", "text", "What is this?"))));
    }

    @Test
    void greedyAnswersAreThoseOfTheReference() {
        JsonObject greedy = golden.getAsJsonArray("greedy").get(0).getAsJsonObject();
        int[] expected = Arrays.stream(ids(greedy, "new_ids")).mapToInt(i -> (int) i).toArray();
        for (int n : new int[] {1, 3})
            try (KvCache cache = lm.cache(); Decoding decoding = lm.decode(cache, lm.encode(conversation(), true),
                    SamplingConfig.GREEDY.with(c -> c.maxTokens = expected.length), n)) {
                List<Step> steps = StreamSupport.stream(((Iterable<Step>) () -> decoding).spliterator(), false).toList();
                for (int sample = 0; sample < n; sample++) {
                    int which = sample;
                    assertArrayEquals(expected, steps.stream().filter(s -> s instanceof Step.Token t && t.sample() == which)
                            .mapToInt(s -> ((Step.Token) s).id()).toArray());
                }
            }
    }

    @Test
    void whatCannotBePutTogetherIsNamed() {
        Message twice = conversation().getFirst().with("content", List.of(Map.of("type", "text", "text", "<image> again")));
        assertTrue(assertThrows(UserError.class, () -> lm.encode(List.of(twice), true)).what().contains("marks <image>"));
        Message sound = conversation().getFirst().with("content", List.of(Map.of("type", "audio", "path", "x.wav")));
        assertTrue(assertThrows(UserError.class, () -> lm.encode(List.of(sound), true)).what().contains("pictures only"));
        Tensor ids = Tensor.ofInt64(new long[] {1, 321}, 1, 2);
        Tensor pixels = Tensor.ofFloat32(new float[3 * 32 * 32], 1, 1, 3, 32, 32);
        pixels.data().set(ValueLayout.JAVA_FLOAT, 0, 1);
        assertTrue(assertThrows(UserError.class, () -> lm.forward(Map.of("input_ids", ids, "pixel_values", pixels))).what()
                .contains("1 image tokens for 4 rows"));
    }
}
