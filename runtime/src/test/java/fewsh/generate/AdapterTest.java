package fewsh.generate;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import fewsh.UserError;
import fewsh.load.LoadOptions;
import fewsh.models.Precision;
import fewsh.models.Scaled;
import fewsh.models.TinyAdapters;
import fewsh.models.TinyModels;
import fewsh.tensor.Tensor;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SequencedMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Adapters beside a model, against the same model with them merged by the definition.
class AdapterTest {
    private static final float FLOAT32_LOGITS = 1e-4f;
    private static final int[] IDS = {3, 50, 7, 7, 200, 90, 33};

    @TempDir
    static Path home;
    private static Path model;
    private static Path queries;
    private static Path others;

    @BeforeAll
    static void makeModels() throws IOException {
        model = TinyModels.llama(home.resolve("model"), 5);
        queries = TinyAdapters.random(home.resolve("queries"), model, 1, "q_proj", "v_proj");
        others = TinyAdapters.random(home.resolve("others"), model, 2, "q_proj", "down_proj", "gate_proj");
    }

    private static CausalLm open(Path path, Precision precision, Scaled... adapters) {
        return CausalLm.open(path, LoadOptions.in(home).withPrecision(precision).withThreads(1).withAdapters(List.of(adapters)));
    }

    private static Path merged(String name, Map<Path, Double> adapters) throws IOException {
        return TinyAdapters.merged(home.resolve(name), model, adapters);
    }

    private static void assertClose(float[][] expected, float[][] actual, float tolerance) {
        for (int i = 0; i < expected.length; i++) assertArrayEquals(expected[i], actual[i], tolerance, "position " + i);
    }

    private static float apart(float[][] a, float[][] b) {
        float apart = 0;
        for (int i = 0; i < a.length; i++)
            for (int j = 0; j < a[i].length; j++) apart = Math.max(apart, Math.abs(a[i][j] - b[i][j]));
        return apart;
    }

    @Test
    void severalAtTheirScalesAreTheSumOfWhatTheyAdd() throws IOException {
        Path both = merged("both", Map.of(queries, 0.7, others, -0.4));
        try (CausalLm beside = open(model, Precision.FP32, new Scaled(queries, 0.7), new Scaled(others, -0.4));
                CausalLm expected = open(both, Precision.FP32)) {
            assertClose(expected.forward(IDS), beside.forward(IDS), FLOAT32_LOGITS);
        }
    }

    @Test
    void theBaseStaysAtItsPrecision() throws IOException {
        Path one = merged("one", Map.of(queries, 1.0));
        for (Precision precision : List.of(Precision.INT8, Precision.INT4))
            try (CausalLm beside = open(model, precision, new Scaled(queries, 1)); CausalLm without = open(model, precision);
                    CausalLm exact = open(one, Precision.FP32); CausalLm plain = open(model, Precision.FP32)) {
                // as far from the exact answer as quantising alone goes, and far from what it is without an adapter
                float quantising = apart(plain.forward(IDS), without.forward(IDS));
                assertTrue(apart(exact.forward(IDS), beside.forward(IDS)) < 2 * quantising + 0.01, precision.word());
                assertTrue(apart(exact.forward(IDS), plain.forward(IDS)) > 0.5);
            }
    }

    @Test
    void othersActWithoutAnotherSession() throws IOException {
        try (CausalLm lm = open(model, Precision.FP32, new Scaled(queries, 1), new Scaled(others, 1));
                CausalLm plain = open(model, Precision.FP32); CausalLm half = open(merged("half", Map.of(others, 0.5)), Precision.FP32)) {
            assertClose(plain.forward(IDS), lm.withAdapters(List.of()).orElseThrow().forward(IDS), FLOAT32_LOGITS);
            CausalLm other = lm.withAdapters(List.of(new Scaled(others, 0.5))).orElseThrow();
            assertClose(half.forward(IDS), other.forward(IDS), FLOAT32_LOGITS);
            assertEquals(List.of(new Scaled(others, 0.5)), other.adapters());
            assertTrue(plain.withAdapters(List.of(new Scaled(queries, 1))).isEmpty(), "opened without a place for it");
        }
    }

    @Test
    void aCacheThatAnotherAdapterFilledIsNotUsed() throws IOException {
        try (CausalLm lm = open(model, Precision.FP32, new Scaled(queries, 1)); KvCache cache = lm.cache()) {
            CausalLm without = lm.withAdapters(List.of()).orElseThrow();
            List<Integer> fresh = greedy(without, without.cache());
            List<Integer> adapted = greedy(lm, cache);
            assertEquals(fresh, greedy(without, cache));
            assertEquals(adapted, greedy(lm, cache));
            assertTrue(!fresh.equals(adapted), "the adapter changes nothing");
        }
    }

    private static List<Integer> greedy(CausalLm lm, KvCache cache) {
        List<Integer> ids = new ArrayList<>();
        try (Decoding d = lm.decode(cache, IDS, SamplingConfig.GREEDY.withMaxTokens(12), 1)) {
            while (d.hasNext()) if (d.next() instanceof Step.Token token) ids.add(token.id());
        }
        return ids;
    }

    private static UserError refused(Scaled adapter) {
        return assertThrows(UserError.class, () -> open(model, Precision.FP32, adapter).close());
    }

    private static Path with(String name, JsonObject config) throws IOException {
        Path folder = Files.createDirectories(home.resolve(name));
        Files.writeString(folder.resolve("adapter_config.json"), config.toString());
        Files.copy(queries.resolve("adapter_model.safetensors"), folder.resolve("adapter_model.safetensors"));
        return folder;
    }

    @Test
    void anAdapterOfAnotherModelIsRefusedWithBothShapes() throws IOException {
        Path wide = TinyModels.alphabet(home.resolve("alphabet"));
        UserError e = refused(new Scaled(TinyAdapters.random(home.resolve("wide"), wide, 1, "q_proj"), 1));
        assertTrue(e.what().contains("[32, 272]") && e.what().contains("[48, 48]"), e.what());
    }

    @Test
    void aTensorThatHasNoModuleIsRefusedByName() throws IOException {
        SequencedMap<String, Tensor> tensors = new LinkedHashMap<>();
        for (String part : List.of("lora_A", "lora_B"))
            tensors.put("base_model.model.model.layers.7.self_attn.q_proj." + part + ".weight", Tensor.ofFloat32(new float[144],
                    part.equals("lora_A") ? new long[] {3, 48} : new long[] {48, 3}));
        UserError e = refused(new Scaled(TinyAdapters.write(home.resolve("deep"), TinyAdapters.config("q_proj"), tensors), 1));
        assertTrue(e.what().contains("model.layers.7.self_attn.q_proj"), e.what());
    }

    @Test
    void aTargetWithoutTensorsIsRefusedByName() throws IOException {
        UserError e = refused(new Scaled(with("more", TinyAdapters.config("q_proj", "v_proj", "up_proj")), 1));
        assertTrue(e.what().contains("model.layers.0.mlp.up_proj"), e.what());
        e = refused(new Scaled(with("less", TinyAdapters.config("q_proj")), 1));
        assertTrue(e.what().contains("v_proj") && e.what().contains("target_modules"), e.what());
    }

    @Test
    void settingsThatAreNotDoneAreRefusedByName() throws IOException {
        for (String key : List.of("use_qalora", "layer_replication", "target_parameters", "megatron_config", "future_trick")) {
            JsonObject config = TinyAdapters.config("q_proj", "v_proj");
            config.addProperty(key, "something");
            assertTrue(refused(new Scaled(with("no-" + key, config), 1)).what().contains(key), key);
        }
        JsonObject config = TinyAdapters.config("q_proj", "v_proj");
        config.addProperty("init_lora_weights", "pissa_niter_4");
        assertTrue(refused(new Scaled(with("pissa", config), 1)).what().contains("pissa_niter_4"));
        config = TinyAdapters.config("q_proj", "v_proj");
        config.addProperty("peft_type", "IA3");
        assertTrue(refused(new Scaled(with("ia3", config), 1)).what().contains("IA3"));
        config = TinyAdapters.config("q_proj", "v_proj");
        config.addProperty("r", 4);
        assertTrue(refused(new Scaled(with("rank", config), 1)).what().contains("rank 3"));
    }

    @Test
    void aPatternThatNeverEndsIsRefused() throws IOException {
        JsonObject config = TinyAdapters.config();
        config.addProperty("target_modules", "(([a-z_.0-9]+)+)+!");
        assertTrue(refused(new Scaled(with("slow", config), 1)).what().contains("takes too long"));
        config.addProperty("target_modules", "(?:(?:){99999}){99999}");
        assertTrue(refused(new Scaled(with("empty", config), 1)).what().contains("repeats more than"));
        config.addProperty("target_modules", "(".repeat(5000));
        assertTrue(refused(new Scaled(with("deepest", config), 1)).what().contains("(((("));
    }

    @Test
    void aPickleIsRefused() throws IOException {
        Path folder = with("pickle", TinyAdapters.config("q_proj", "v_proj"));
        Files.move(folder.resolve("adapter_model.safetensors"), folder.resolve("adapter_model.bin"));
        assertTrue(refused(new Scaled(folder, 1)).what().contains("pickle"));
    }

    /// Whatever a damaged folder says, it opens or is refused: nothing else is thrown.
    @Test
    void damagedAdaptersAreRefusedOrOpen() throws IOException {
        Random random = new Random(4);
        try (CausalLm lm = open(model, Precision.FP32, new Scaled(queries, 1))) {
            for (int i = 0; i < 300; i++) {
                Path folder = home.resolve("damaged-" + i);
                with("damaged-" + i, TinyAdapters.config("q_proj", "v_proj"));
                Path file = folder.resolve(random.nextBoolean() ? "adapter_config.json" : "adapter_model.safetensors");
                try (RandomAccessFile f = new RandomAccessFile(file.toFile(), "rw")) {
                    long header = Math.min(f.length(), 1500);
                    if (random.nextInt(4) == 0) f.setLength(random.nextLong(f.length()));
                    else for (int flips = random.nextInt(3); flips >= 0; flips--) {
                        long at = random.nextLong(header);
                        f.seek(at);
                        int b = f.read();
                        f.seek(at);
                        f.write(b ^ 1 << random.nextInt(8));
                    }
                }
                try {
                    lm.withAdapters(List.of(new Scaled(folder, 1)));
                } catch (UserError expected) {
                    assertTrue(!expected.what().isEmpty());
                }
            }
        }
        try (Stream<Path> all = Files.list(home)) {
            assertTrue(all.anyMatch(p -> p.getFileName().toString().startsWith("damaged-299")));
        }
    }
}
