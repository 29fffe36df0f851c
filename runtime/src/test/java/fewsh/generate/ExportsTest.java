package fewsh.generate;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fewsh.UserError;
import fewsh.load.LoadOptions;
import fewsh.models.Precision;
import fewsh.models.TinyExports;
import fewsh.models.TinyExports.Style;
import fewsh.models.TinyModels;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A model's graph in the dress of each exporter answers as the model itself does, whatever its cache looks like.
class ExportsTest {
    @TempDir
    static Path folder;

    private record Pair(String name, CausalLm own, CausalLm export) {}

    private static final List<Pair> PAIRS = new ArrayList<>();
    private static final List<CausalLm> OWN = new ArrayList<>();

    @BeforeAll
    static void make() throws IOException {
        LoadOptions options = LoadOptions.in(folder.resolve("home")).withPrecision(Precision.FP32).withThreads(2);
        Map<String, Path> models = new LinkedHashMap<>();
        models.put("llama", TinyModels.llama(folder.resolve("llama"), 1));
        models.put("gpt2", TinyModels.gpt2(folder.resolve("gpt2"), 2));
        Map<String, Style> styles = Map.of("model.onnx", TinyExports.OPTIMUM, "onnx/decoder_model_merged.onnx", TinyExports.MERGED,
                "genai.onnx", TinyExports.GENAI, "past.onnx", TinyExports.FUSED, "onnx/model_fp16.onnx", TinyExports.HALF,
                "onnx/last.onnx", TinyExports.LAST);
        for (var model : models.entrySet()) {
            CausalLm own = CausalLm.open(model.getValue(), options);
            OWN.add(own);
            for (var style : styles.entrySet()) {
                String name = model.getKey() + "-" + style.getKey().replaceAll("\\W", "-");
                Path export = TinyExports.write(model.getValue(), style.getValue(), folder.resolve(name), style.getKey());
                PAIRS.add(new Pair(name, own, CausalLm.open(export, options)));
            }
        }
    }

    @AfterAll
    static void close() {
        PAIRS.forEach(p -> p.export.close());
        OWN.forEach(CausalLm::close);
    }

    private static int[] prompt(int length, long seed) {
        return new Random(seed).ints(length, 0, 256).toArray();
    }

    /// Of a logit: keys and values in 16 bits are rounded.
    private static float tolerance(Pair pair) {
        return pair.name.contains("fp16") ? 0.05f : 1e-4f;
    }

    private static List<List<Step.Token>> say(CausalLm lm, KvCache cache, int[] prompt, SamplingConfig config, int n) {
        List<List<Step.Token>> said = new ArrayList<>();
        for (int i = 0; i < n; i++) said.add(new ArrayList<>());
        try (Decoding d = lm.decode(cache, prompt, config, n)) {
            while (d.hasNext()) if (d.next() instanceof Step.Token token) said.get(token.sample()).add(token);
        }
        return said;
    }

    private static List<List<Integer>> ids(List<List<Step.Token>> said) {
        return said.stream().map(tokens -> tokens.stream().map(Step.Token::id).toList()).toList();
    }

    @Test
    void logitsAreTheModels() {
        for (Pair pair : PAIRS) {
            int[] ids = prompt(90, 3);
            float[][] expected = pair.own.forward(ids);
            float[][] actual = pair.export.forward(ids);
            for (int i = 0; i < ids.length; i++) assertArrayEquals(expected[i], actual[i], tolerance(pair), pair.name + " " + i);
        }
    }

    @Test
    void passesOfAnyLengthsGiveTheLogitsOfOne() {
        for (Pair pair : PAIRS) {
            int[] ids = prompt(60, 5);
            float[][] whole = pair.own.forward(ids);
            try (KvCache cache = pair.export.cache()) {
                for (int at = 0, n = 1; at < ids.length; at += n, n++) {
                    int from = at;
                    int to = Math.min(ids.length, at + n);
                    pair.export.feed(cache, Arrays.copyOfRange(ids, from, to), to - from, _ -> {}, (pass, i, w) -> {
                        float[] logits = new float[whole[0].length];
                        pass.logits(i, logits);
                        assertArrayEquals(whole[from + w], logits, tolerance(pair), pair.name + " " + (from + w));
                    });
                }
            }
        }
    }

    @Test
    void samplesSideBySideAreTheModels() {
        SamplingConfig config = SamplingConfig.GREEDY.withTemperature(0.8).withSeed(7).withMaxTokens(24);
        for (Pair pair : PAIRS) {
            if (pair.name.contains("fp16")) continue;
            try (KvCache mine = pair.own.cache(); KvCache cache = pair.export.cache()) {
                assertEquals(ids(say(pair.own, mine, prompt(30, 9), config, 3)), ids(say(pair.export, cache, prompt(30, 9), config, 3)),
                        pair.name);
            }
        }
    }

    @Test
    void logprobsAreThoseThatTheModelComputesInItsGraph() {
        SamplingConfig config = SamplingConfig.GREEDY.withMaxTokens(8).withAlternatives(5);
        for (Pair pair : PAIRS)
            try (KvCache mine = pair.own.cache(); KvCache cache = pair.export.cache()) {
                List<Step.Token> expected = say(pair.own, mine, prompt(20, 4), config, 1).getFirst();
                List<Step.Token> actual = say(pair.export, cache, prompt(20, 4), config, 1).getFirst();
                for (int i = 0; i < expected.size(); i++) {
                    assertEquals(expected.get(i).logprob(), actual.get(i).logprob(), tolerance(pair), pair.name);
                    for (int k = 0; k < 5; k++)
                        assertEquals(expected.get(i).top().get(k).logprob(), actual.get(i).top().get(k).logprob(), tolerance(pair));
                }
                Score score = pair.export.score(cache, prompt(40, 8), prompt(12, 6));
                assertEquals(pair.own.score(mine, prompt(40, 8), prompt(12, 6)).loglikelihood(), score.loglikelihood(),
                        12 * tolerance(pair), pair.name);
            }
    }

    @Test
    void aBranchThatWasLeftGoesOnWhereItWas() {
        SamplingConfig config = SamplingConfig.GREEDY.withMaxTokens(6);
        for (Pair pair : PAIRS)
            try (KvCache cache = pair.export.cache(); KvCache alone = pair.export.cache()) {
                say(pair.export, cache, prompt(40, 1), config, 1);
                int[] first = cache.ids();
                cache.keep(List.of(first));
                int[] other = prompt(40, 1);
                other[20] ^= 1;
                say(pair.export, cache, other, config, 1);
                assertEquals(20, cache.common(first));
                assertTrue(cache.keptBytes() >= (first.length - 20) * pair.export.layout().cacheBytes(), pair.name);
                assertEquals(first.length, cache.reuse(first, first.length));
                int[] on = Arrays.copyOf(first, first.length + 5);
                var again = say(pair.export, cache, on, config, 1);
                assertEquals(ids(say(pair.export, alone, on, config, 1)), ids(again), pair.name);
            }
    }

    @Test
    void anAnswerMayFillTheWholeContext() {
        for (Pair pair : PAIRS) {
            int[] prompt = prompt(pair.own.layout().nPositions() - 4, 11);
            SamplingConfig config = SamplingConfig.GREEDY.withMaxTokens(50);
            try (KvCache mine = pair.own.cache(); KvCache cache = pair.export.cache()) {
                assertEquals(ids(say(pair.own, mine, prompt, config, 1)), ids(say(pair.export, cache, prompt, config, 1)), pair.name);
            }
        }
    }

    @Test
    void whatCannotBeMatchedIsDescribedInputByInput() throws IOException {
        Path model = folder.resolve("llama");
        Path strange = TinyExports.write(model, new Style(fewsh.tensor.DType.INT64, fewsh.tensor.DType.FLOAT64,
                fewsh.tensor.DType.FLOAT32, false, false, false, false), folder.resolve("strange"), "model.onnx");
        UserError e = assertThrows(UserError.class, () -> CausalLm.open(strange, LoadOptions.in(folder.resolve("home"))));
        assertTrue(e.what().contains("input \"input_ids\" int64[batch, sequence]: ids"), e.what());
        assertTrue(e.what().contains("input \"attention_mask\" float64[batch, total]: known, but not as float64"), e.what());
        assertTrue(e.what().contains("input \"past_key_values.0.key\""), e.what());
    }
}
