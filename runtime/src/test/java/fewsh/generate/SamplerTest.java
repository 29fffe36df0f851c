package fewsh.generate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fewsh.UserError;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.FloatRange;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class SamplerTest {
    private static final float[] LOGITS = {1.5f, 0.3f, -2, 3, 2.9f, -7, 0, 2.2f};

    private static SamplingConfig config(double temperature, int topK, double topP, double minP) {
        return SamplingConfig.GREEDY.with(c -> {
            c.temperature = temperature;
            c.topK = topK;
            c.topP = topP;
            c.minP = minP;
            c.seed = 11;
        });
    }

    /// What is drawn and how likely, computed in float64 straight from the definition.
    private static Map<Integer, Double> expected(float[] logits, SamplingConfig c) {
        List<Integer> ids = new ArrayList<>(IntStream.range(0, logits.length).boxed().toList());
        ids.sort(Comparator.comparingDouble(i -> -logits[i]));
        if (c.topK() > 0) ids = ids.subList(0, Math.min(c.topK(), ids.size()));
        Map<Integer, Double> p = normalised(logits, ids, c.temperature());
        List<Integer> nucleus = new ArrayList<>();
        double reached = 0;
        for (int id : ids) {
            nucleus.add(id);
            reached += p.get(id);
            if (reached >= c.topP()) break;
        }
        p = normalised(logits, nucleus, c.temperature());
        double most = p.get(ids.getFirst());
        Map<Integer, Double> nucleusP = p;
        return normalised(logits, nucleus.stream().filter(id -> nucleusP.get(id) >= c.minP() * most).toList(), c.temperature());
    }

    private static Map<Integer, Double> normalised(float[] logits, List<Integer> ids, double temperature) {
        double sum = ids.stream().mapToDouble(i -> Math.exp(logits[i] / temperature)).sum();
        Map<Integer, Double> p = new TreeMap<>();
        for (int id : ids) p.put(id, Math.exp(logits[id] / temperature) / sum);
        return p;
    }

    @Test
    void drawsFollowTheDistributionOfTheControls() {
        for (SamplingConfig c : List.of(config(1, 0, 1, 0), config(0.7, 0, 1, 0), config(1.3, 3, 1, 0), config(1, 0, 0.8, 0),
                config(1, 0, 1, 0.3), config(0.9, 5, 0.9, 0.1))) {
            int draws = 40_000;
            Map<Integer, Integer> seen = new TreeMap<>();
            for (int sample = 0; sample < draws; sample++)
                seen.merge(new Sampler(c, sample, LOGITS.length, new int[0]).draw(LOGITS), 1, Integer::sum);
            Map<Integer, Double> p = expected(LOGITS, c);
            assertTrue(p.keySet().containsAll(seen.keySet()), c + " drew " + seen + " of " + p);
            // five standard deviations of a binomial
            p.forEach((id, likely) -> assertEquals(likely, seen.getOrDefault(id, 0) / (double) draws,
                    5 * Math.sqrt(likely * (1 - likely) / draws) + 1e-4, c + " token " + id));
        }
    }

    @Test
    void temperatureZeroTakesTheFirstOfTheLikeliest() {
        Sampler sampler = new Sampler(config(0, 0, 1, 0), 3, 4, new int[0]);
        assertEquals(1, sampler.draw(new float[] {0, 2, 2, 1}));
    }

    @Test
    void penaltiesAreThoseOfTheReference() {
        // transformers' RepetitionPenaltyLogitsProcessor: positive scores divided, negative ones multiplied
        SamplingConfig repetition = SamplingConfig.GREEDY.with(c -> c.repetitionPenalty = 2);
        assertEquals(1, new Sampler(repetition, 0, 3, new int[] {0}).draw(new float[] {4, 2.5f, -1}));
        assertEquals(1, new Sampler(repetition, 0, 3, new int[] {2}).draw(new float[] {-2, -1.5f, -1}));
        // OpenAI's definition: frequency times the count, presence once, of the answer's own tokens
        SamplingConfig frequency = SamplingConfig.GREEDY.with(c -> c.frequencyPenalty = 0.6);
        Sampler s = new Sampler(frequency, 0, 2, new int[] {0, 0, 0});
        List<Integer> drawn = IntStream.range(0, 4).mapToObj(_ -> s.draw(new float[] {1, 0})).toList();
        assertEquals(List.of(0, 0, 1, 0), drawn);
        SamplingConfig presence = SamplingConfig.GREEDY.with(c -> c.presencePenalty = 0.6);
        Sampler once = new Sampler(presence, 0, 2, new int[0]);
        assertEquals(List.of(0, 0, 0), IntStream.range(0, 3).mapToObj(_ -> once.draw(new float[] {1, 0})).toList());
    }

    @Property
    void theLikeliestTokensAreThoseThatTopKKeeps(
            @ForAll @Size(min = 1, max = 60) List<@FloatRange(min = -20, max = 20) Float> list, @ForAll @IntRange(min = 1, max = 70) int k) {
        float[] logits = new float[list.size()];
        for (int i = 0; i < logits.length; i++) logits[i] = list.get(i);
        float[] sorted = logits.clone();
        java.util.Arrays.sort(sorted);
        float least = sorted[Math.max(0, sorted.length - k)];
        for (int sample = 0; sample < 20; sample++)
            assertTrue(logits[new Sampler(config(5, k, 1, 0), sample, logits.length, new int[0]).draw(logits)] >= least);
    }

    @Property
    void theLikeliestAreSortedAndTiesGoToTheSmallerId(
            @ForAll @Size(min = 1, max = 40) List<@IntRange(min = -3, max = 3) Integer> list, @ForAll @IntRange(min = 1, max = 45) int n) {
        float[] scores = new float[list.size()];
        for (int i = 0; i < scores.length; i++) scores[i] = list.get(i) / 2f;
        List<Integer> expected = IntStream.range(0, scores.length).boxed()
                .sorted(Comparator.comparingDouble((Integer id) -> -scores[id]).thenComparing(id -> id)).limit(n).toList();
        assertEquals(expected, Sampler.likeliest(scores, n).boxed().toList());
    }

    @Property
    void theExponentialIsRightToSixDigits(@ForAll @DoubleRange(min = -80, max = 0) double x) {
        assertEquals(1, Sampler.exp((float) x) / Math.exp((float) x), 1e-5);
    }

    @Test
    void settingsOutOfRangeAreErrorsThatNameTheRange() {
        assertEquals("top_p must be in (0, 1], was 1.5", assertThrows(UserError.class, () -> config(1, 0, 1.5, 0)).getMessage());
        assertThrows(UserError.class, () -> config(-1, 0, 1, 0));
        assertThrows(UserError.class, () -> config(Double.NaN, 0, 1, 0));
        assertThrows(UserError.class, () -> config(1, -1, 1, 0));
        assertThrows(UserError.class, () -> config(1, 0, 1, 1));
        assertThrows(UserError.class, () -> SamplingConfig.GREEDY.withStop(List.of("")));
    }
}
