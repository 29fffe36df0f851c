package fewsh.generate;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fewsh.UserError;
import fewsh.load.LoadOptions;
import fewsh.models.Precision;
import fewsh.models.TinyModels;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Decoding on models that the test makes: random ones for what must be equal, one that knows the alphabet for what it says.
class DecodingTest {
    @TempDir
    static Path folder;

    private static final List<CausalLm> RANDOM = new ArrayList<>();
    private static CausalLm alphabet;

    @BeforeAll
    static void make() throws IOException {
        LoadOptions fp32 = LoadOptions.in(folder.resolve("home")).withPrecision(Precision.FP32).withThreads(2);
        List<Path> models = new ArrayList<>();
        models.add(TinyModels.llama(folder.resolve("llama"), 1));
        models.add(TinyModels.gpt2(folder.resolve("gpt2"), 2));
        for (String type : TinyModels.CAUSAL) models.add(TinyModels.causal(folder.resolve(type), type, models.size()));
        for (Precision precision : List.of(Precision.FP32, Precision.INT8, Precision.INT4))
            for (Path model : models) RANDOM.add(CausalLm.open(model, fp32.withPrecision(precision)));
        alphabet = CausalLm.open(TinyModels.alphabet(folder.resolve("alphabet")), fp32);
    }

    @AfterAll
    static void close() {
        RANDOM.forEach(CausalLm::close);
        alphabet.close();
    }

    private record Answer(List<Integer> ids, String text, FinishReason reason) {}

    private static List<Answer> decode(CausalLm lm, KvCache cache, int[] prompt, SamplingConfig config, int n) {
        List<List<Integer>> ids = new ArrayList<>();
        StringBuilder[] texts = new StringBuilder[n];
        FinishReason[] reasons = new FinishReason[n];
        for (int i = 0; i < n; i++) {
            ids.add(new ArrayList<>());
            texts[i] = new StringBuilder();
        }
        try (Decoding d = lm.decode(cache, prompt, config, n)) {
            while (d.hasNext())
                switch (d.next()) {
                    case Step.Token(int sample, int id, String text, _, _) -> {
                        ids.get(sample).add(id);
                        texts[sample].append(text);
                    }
                    case Step.Stop(int sample, FinishReason reason, String text) -> {
                        texts[sample].append(text);
                        reasons[sample] = reason;
                    }
                }
        }
        List<Answer> answers = new ArrayList<>();
        for (int i = 0; i < n; i++) answers.add(new Answer(ids.get(i), texts[i].toString(), reasons[i]));
        return answers;
    }

    private static Answer decode(CausalLm lm, int[] prompt, SamplingConfig config) {
        try (KvCache cache = lm.cache()) {
            return decode(lm, cache, prompt, config, 1).getFirst();
        }
    }

    private static int[] prompt(int length, long seed) {
        return new Random(seed).ints(length, 0, 256).toArray();
    }

    @Test
    void itSaysTheAlphabetToItsEnd() {
        Answer answer = decode(alphabet, alphabet.encode("uvw"), SamplingConfig.GREEDY);
        assertEquals("xyz", answer.text());
        assertEquals(FinishReason.STOP, answer.reason());
    }

    @Test
    void maxTokensEndsAnAnswer() {
        Answer answer = decode(alphabet, alphabet.encode("a"), SamplingConfig.GREEDY.withMaxTokens(3));
        assertEquals(new Answer(List.of((int) 'b', (int) 'c', (int) 'd'), "bcd", FinishReason.LENGTH), answer);
        assertEquals(new Answer(List.of(), "", FinishReason.LENGTH),
                decode(alphabet, alphabet.encode("a"), SamplingConfig.GREEDY.withMaxTokens(0)));
    }

    @Test
    void aStopSequenceIsFoundAcrossTokensAndNotShown() {
        assertEquals("bcdef", decode(alphabet, alphabet.encode("a"), SamplingConfig.GREEDY.withStop(List.of("ghi", "zz"))).text());
        assertEquals("bcdefghijklmnopqrstuvwxyz",
                decode(alphabet, alphabet.encode("a"), SamplingConfig.GREEDY.withStop(List.of("yzz"))).text());
    }

    @Test
    void theContextsEndEndsAnAnswer() {
        CausalLm lm = RANDOM.getFirst();
        int[] prompt = prompt(510, 5);
        Answer answer = decode(lm, prompt, SamplingConfig.GREEDY.withTemperature(1).withSeed(3).withMaxTokens(100));
        assertTrue(answer.ids().size() == 3 && answer.reason() == FinishReason.LENGTH
                || answer.reason() == FinishReason.STOP, answer.toString());
        UserError tooLong = assertThrows(UserError.class, () -> decode(lm, prompt(600, 5), SamplingConfig.GREEDY));
        assertEquals("prompt is 600 tokens, context length is 512: 88 too many", tooLong.getMessage());
    }

    @Test
    void changingATokenLeavesEarlierLogitsUnchanged() {
        for (CausalLm lm : RANDOM) {
            int[] ids = prompt(40, 11);
            float[][] before = lm.forward(ids);
            ids[25] ^= 1;
            float[][] after = lm.forward(ids);
            for (int i = 0; i < 25; i++) assertArrayEquals(before[i], after[i], lm.about().toString());
            assertFalse(Arrays.equals(before[25], after[25]));
        }
    }

    @Test
    void aCachedPrefixGivesTheLogitsOfAFreshRun() {
        for (CausalLm lm : RANDOM) {
            int[] whole = prompt(70, 3);
            Answer fresh = decode(lm, whole, SamplingConfig.GREEDY.withMaxTokens(8));
            try (KvCache cache = lm.cache()) {
                decode(lm, cache, Arrays.copyOf(whole, 50), SamplingConfig.GREEDY.withMaxTokens(5), 1);
                try (Decoding d = lm.decode(cache, whole, SamplingConfig.GREEDY.withMaxTokens(8), 1)) {
                    List<Integer> ids = new ArrayList<>();
                    while (d.hasNext()) if (d.next() instanceof Step.Token token) ids.add(token.id());
                    assertEquals(fresh.ids(), ids, lm.about().toString());
                    assertTrue(d.reusedTokens() >= 50, "reused " + d.reusedTokens());
                }
            }
        }
    }

    @Test
    void theSameSeedGivesTheSameTokensWhateverTheBatch() {
        SamplingConfig config = SamplingConfig.GREEDY.withTemperature(0.8).withSeed(7).withMaxTokens(24);
        for (CausalLm lm : RANDOM)
            try (KvCache cache = lm.cache()) {
                int[] prompt = prompt(33, 9);
                List<Answer> eight = decode(lm, cache, prompt, config, 8);
                assertEquals(eight, decode(lm, cache, prompt, config, 8), lm.about().toString());
                assertEquals(eight.subList(0, 4), decode(lm, cache, prompt, config, 4), lm.about().toString());
                assertEquals(eight.subList(0, 1), decode(lm, cache, prompt, config, 1), lm.about().toString());
                assertNotEquals(eight.get(0), eight.get(1));
                assertNotEquals(eight, decode(lm, cache, prompt, config.withSeed(8), 8));
            }
    }

    @Test
    void laterSamplesAreTheSameWithoutTheEarlierOnes() {
        SamplingConfig config = SamplingConfig.GREEDY.withTemperature(0.8).withSeed(7).withMaxTokens(24);
        for (CausalLm lm : RANDOM)
            try (KvCache cache = lm.cache()) {
                int[] prompt = prompt(33, 9);
                List<Answer> eight = decode(lm, cache, prompt, config, 8);
                List<List<Integer>> later = new ArrayList<>(List.of(new ArrayList<>(), new ArrayList<>(), new ArrayList<>()));
                try (Decoding d = lm.decode(cache, prompt, config, 5, 3)) {
                    while (d.hasNext()) if (d.next() instanceof Step.Token token) later.get(token.sample() - 5).add(token.id());
                }
                assertEquals(eight.subList(5, 8).stream().map(Answer::ids).toList(), later, lm.about().toString());
            }
    }

    /// Against passes over the whole of each row: their positions turn otherwise once the sequence is longer than 40.
    @Test
    void anAnswerThatOutgrowsItsRotaryTableIsThatOfAFreshRun() throws IOException {
        LoadOptions options = LoadOptions.in(folder.resolve("home")).withPrecision(Precision.FP32).withThreads(2);
        try (CausalLm lm = CausalLm.open(TinyModels.longrope(folder.resolve("longrope"), 5), options)) {
            SamplingConfig sampled = SamplingConfig.GREEDY.withTemperature(0.9).withSeed(5).withMaxTokens(20);
            List<Answer> four;
            try (KvCache cache = lm.cache()) {
                four = decode(lm, cache, prompt(30, 4), sampled, 4);
            }
            for (int sample = 0; sample < 4; sample++) {
                List<Integer> alone = new ArrayList<>();
                try (KvCache cache = lm.cache(); Decoding d = lm.decode(cache, prompt(30, 4), sampled, sample, 1)) {
                    while (d.hasNext()) if (d.next() instanceof Step.Token token) alone.add(token.id());
                }
                assertEquals(four.get(sample).ids(), alone);
            }
            int[] ids = prompt(36, 8);
            Answer answer = decode(lm, ids, SamplingConfig.GREEDY.withMaxTokens(16));
            for (int id : answer.ids()) {
                float[][] logits = lm.forward(ids);
                assertEquals(Sampler.argmax(logits[logits.length - 1]), id, "behind " + ids.length);
                ids = Arrays.copyOf(ids, ids.length + 1);
                ids[ids.length - 1] = id;
            }
            assertTrue(ids.length > 41, "ended after " + answer);
            try (KvCache cache = lm.cache()) {
                Score before = lm.score(cache, Arrays.copyOf(ids, 30), new int[] {1, 2});
                Score longer = lm.score(cache, ids, new int[] {1, 2});
                assertEquals(before, lm.score(cache, Arrays.copyOf(ids, 30), new int[] {1, 2}));
                try (KvCache fresh = lm.cache()) {
                    assertEquals(longer, lm.score(fresh, ids, new int[] {1, 2}));
                }
            }
        }
    }

    /// Bit for bit, scores and answers, after a prompt that shares its first part, after its own answer, after scoring.
    @Test
    void aSteadyCacheDoesNotShowWhatItHeld() {
        SamplingConfig all = SamplingConfig.GREEDY.withMaxTokens(5).withAlternatives(260);
        for (CausalLm lm : RANDOM) {
            int[] ids = prompt(lm.layout().nPositions() - 15, 13);
            List<Step> alone;
            Score scored;
            try (KvCache cache = lm.steadyCache()) {
                alone = steps(lm, cache, ids, all);
            }
            try (KvCache cache = lm.steadyCache()) {
                scored = lm.score(cache, ids, new int[] {7, 8, 9});
            }
            for (int shared : new int[] {0, 1, 63, 64, 65, 97, ids.length - 3, ids.length - 1, ids.length})
                try (KvCache cache = lm.steadyCache()) {
                    int[] before = Arrays.copyOf(ids, Math.max(2, shared));
                    if (shared < before.length) before[1] ^= 1;
                    steps(lm, cache, before, all.withMaxTokens(9));
                    assertEquals(alone, steps(lm, cache, ids, all), lm.about() + " after " + shared);
                    assertEquals(scored, lm.score(cache, ids, new int[] {7, 8, 9}));
                    assertEquals(alone, steps(lm, cache, ids, all), lm.about() + " again");
                    // an answer that becomes part of a prompt is computed as a prompt
                    int[] longer = Arrays.copyOf(ids, ids.length + 4);
                    for (int i = 0; i < 4; i++) longer[ids.length + i] = ((Step.Token) alone.get(i)).id();
                    List<Step> after = steps(lm, cache, longer, all);
                    try (KvCache fresh = lm.steadyCache()) {
                        assertEquals(after, steps(lm, fresh, longer, all));
                    }
                }
        }
    }

    @Test
    void aSteadyCacheUsesASharedFirstPartAgain() {
        CausalLm lm = RANDOM.getFirst();
        int[] ids = prompt(300, 13);
        try (KvCache cache = lm.steadyCache()) {
            steps(lm, cache, ids, SamplingConfig.GREEDY.withMaxTokens(2));
            ids[200] ^= 1;
            try (Decoding d = lm.decode(cache, ids, SamplingConfig.GREEDY.withMaxTokens(2), 1)) {
                d.next();
                assertEquals(192, d.reusedTokens());
            }
        }
    }

    private static List<Step> steps(CausalLm lm, KvCache cache, int[] prompt, SamplingConfig config) {
        List<Step> steps = new ArrayList<>();
        try (Decoding d = lm.decode(cache, prompt, config, 1)) {
            d.forEachRemaining(steps::add);
        }
        return steps;
    }

    @Test
    void anInterruptEndsTheAnswerAndLeavesTheCacheUsable() {
        try (KvCache cache = alphabet.cache()) {
            List<Step> steps = new ArrayList<>();
            try (Decoding d = alphabet.decode(cache, alphabet.encode("a"), SamplingConfig.GREEDY, 1)) {
                for (int i = 0; i < 3; i++) steps.add(d.next());
                d.interrupt();
                assertEquals(new Step.Stop(0, FinishReason.INTERRUPTED, ""), d.next());
                assertFalse(d.hasNext());
            }
            assertEquals("bcd", decode(alphabet, cache, alphabet.encode("a"), SamplingConfig.GREEDY.withMaxTokens(3), 1)
                    .getFirst().text());
        }
    }

    @Test
    void aScoreIsTheSumOfTheLogprobsThatDecodingReports() {
        for (CausalLm lm : RANDOM)
            try (KvCache cache = lm.cache()) {
                int[] prompt = prompt(20, 21);
                int[] answer = {};
                double sum = 0;
                try (Decoding d = lm.decode(cache, prompt, SamplingConfig.GREEDY.withMaxTokens(6), 1)) {
                    while (d.hasNext() && d.next() instanceof Step.Token token) {
                        answer = Arrays.copyOf(answer, answer.length + 1);
                        answer[answer.length - 1] = token.id();
                        sum += token.logprob();
                    }
                }
                Score score = lm.score(cache, prompt, answer);
                assertEquals(sum, score.loglikelihood(), 1e-3, lm.about().toString());
                assertTrue(score.isGreedy());
            }
    }

    @Test
    void aRollingScoreCountsEachTokenOnce() {
        CausalLm lm = RANDOM.getFirst();
        String text = "ab".repeat(700);
        try (KvCache cache = lm.cache()) {
            Score score = lm.scoreRolling(cache, text);
            assertEquals(1400, score.tokens().size());
            // the second window begins after token 511, which alone is its context
            int[] ids = lm.tokenizer().encode(text, false, false);
            Score second = lm.score(cache, new int[] {ids[511]}, Arrays.copyOfRange(ids, 512, 1024));
            for (int i = 0; i < 512; i++)
                assertEquals(second.tokens().get(i).logprob(), score.tokens().get(512 + i).logprob(), 1e-4);
        }
    }
}
