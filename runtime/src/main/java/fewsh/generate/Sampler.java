package fewsh.generate;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/// Chooses the next token of one sample. The order of operations is that of [SamplingConfig].
///
/// Draws depend on (seed, sample, step) alone: not on other samples, nor on how many there are.
final class Sampler {
    private final SamplingConfig config;
    private final int sample;
    private final Map<Integer, Integer> answered = new HashMap<>();
    private final boolean[] seen;
    private int step;
    private final float[] scores;
    private final int[] order;
    private final float[] weights;

    /// @param prompt the ids that a repetition penalty counts as seen
    Sampler(SamplingConfig config, int sample, int vocabSize, int[] prompt) {
        this.config = config;
        this.sample = sample;
        this.scores = new float[vocabSize];
        this.order = new int[vocabSize];
        this.weights = new float[vocabSize];
        this.seen = new boolean[config.repetitionPenalty() == 1 ? 0 : vocabSize];
        if (seen.length > 0) for (int id : prompt) if (id >= 0 && id < vocabSize) seen[id] = true;
    }

    /// @param logits of every token; left as they are
    int draw(float[] logits) {
        return draw(logits, _ -> {});
    }

    /// @param constraint sets the scores of tokens that must not be drawn to −∞
    int draw(float[] logits, Consumer<float[]> constraint) {
        System.arraycopy(logits, 0, scores, 0, scores.length);
        penalise();
        constraint.accept(scores);
        int id = config.temperature() == 0 ? argmax(scores) : drawn(uniform());
        answered.merge(id, 1, Integer::sum);
        if (seen.length > 0) seen[id] = true;
        step++;
        return id;
    }

    private void penalise() {
        float repetition = (float) config.repetitionPenalty();
        for (int id = 0; id < seen.length; id++)
            if (seen[id]) scores[id] = scores[id] > 0 ? scores[id] / repetition : scores[id] * repetition;
        if (config.presencePenalty() != 0 || config.frequencyPenalty() != 0)
            answered.forEach((id, times) ->
                    scores[id] -= (float) (config.presencePenalty() + times * config.frequencyPenalty()));
    }

    /// The likeliest; of equal ones the first.
    /// ln Σ exp: what is taken from a logit to have ln p.
    static double logSumExp(float[] logits) {
        float most = Float.NEGATIVE_INFINITY;
        for (float logit : logits) most = Math.max(most, logit);
        double sum = 0;
        for (float logit : logits) if (logit > most - 45) sum += Math.exp(logit - most);        // exp(-45) is lost in the sum
        return most + Math.log(sum);
    }

    static int argmax(float[] scores) {
        int best = 0;
        for (int id = 1; id < scores.length; id++) if (scores[id] > scores[best]) best = id;
        return best;
    }

    private int drawn(double uniform) {
        float max = scores[argmax(scores)];
        float inverse = (float) (1 / config.temperature());
        for (int id = 0; id < scores.length; id++) scores[id] = (scores[id] - max) * inverse;   // ln p, up to a constant
        int kept = candidates();
        for (int i = 0; i < kept; i++) weights[i] = exp(scores[order[i]]);
        kept = minP(topP(kept));
        double total = 0;
        for (int i = 0; i < kept; i++) total += weights[i];
        double rest = uniform * total;
        for (int i = 0; i < kept; i++) {
            rest -= weights[i];
            if (rest < 0) return order[i];
        }
        return order[kept - 1];
    }

    // Each control is given how many candidates are in play, `order` their ids (sorted, likeliest first, when top_k or top_p is
    // set) and `weights` their probabilities up to a factor, the likeliest's being 1; it says how many stay.

    private int topP(int n) {
        if (config.topP() == 1) return n;
        double total = 0;
        for (int i = 0; i < n; i++) total += weights[i];
        double reached = 0;
        for (int i = 0; i < n; i++) {
            reached += weights[i];
            if (reached >= config.topP() * total) return i + 1;
        }
        return n;
    }

    private int minP(int n) {
        if (config.minP() == 0) return n;
        int kept = 0;
        for (int i = 0; i < n; i++)
            if (weights[i] >= config.minP()) {
                order[kept] = order[i];
                weights[kept++] = weights[i];
            }
        return kept;
    }

    /// e to the power of x ≤ 0, to seven digits: a sampler calls it for every token of the vocabulary.
    /// Source: the polynomial of `exp2f` in Cephes, Moshier 1989.
    static float exp(float x) {
        float t = Math.max(x, -87) * 1.44269504f;
        int whole = (int) (t - 0.5f);
        float f = t - whole;
        float p = 1.535336188319500e-4f;
        p = p * f + 1.339887440266574e-3f;
        p = p * f + 9.618437357674640e-3f;
        p = p * f + 5.550332471162809e-2f;
        p = p * f + 2.402264791363012e-1f;
        p = p * f + 6.931472028550421e-1f;
        return (p * f + 1) * Float.intBitsToFloat(whole + 127 << 23);
    }

    /// Puts the tokens in play into `order` and says how many: sorted, likeliest first, when a control needs it.
    private int candidates() {
        if (config.topK() == 0 && config.topP() == 1) {
            int n = 0;
            for (int id = 0; id < scores.length; id++) if (scores[id] != Float.NEGATIVE_INFINITY) order[n++] = id;
            return n;
        }
        // what is below e⁻⁴⁰ of the likeliest is never drawn: all of it together is below 2⁻⁴⁰
        float least = config.topK() == 0 || config.topK() >= scores.length ? -40
                : Math.max(nthLargest(scores, config.topK()), -Float.MAX_VALUE);
        int[] sorted = sorted(scores, least).toArray();
        System.arraycopy(sorted, 0, order, 0, sorted.length);
        return config.topK() == 0 ? sorted.length : Math.min(sorted.length, config.topK());
    }

    /// The ids of the `n` largest scores, largest first; of equal ones the smaller id.
    static IntStream likeliest(float[] scores, int n) {
        float least = n >= scores.length ? Float.NEGATIVE_INFINITY : nthLargest(scores, n);
        return sorted(scores, least).limit(n);
    }

    /// The ids of all scores from `least` on, largest first; of equal ones the smaller id first.
    private static IntStream sorted(float[] scores, float least) {
        long[] keys = new long[scores.length];
        int n = 0;
        for (int id = 0; id < scores.length; id++)
            if (scores[id] >= least) keys[n++] = (long) ~ascending(scores[id]) << 32 | id;
        Arrays.sort(keys, 0, n);
        return Arrays.stream(keys, 0, n).mapToInt(key -> (int) key);
    }

    /// An int that grows as the float does.
    private static int ascending(float x) {
        int bits = Float.floatToIntBits(x + 0f);
        return bits >= 0 ? bits : ~bits | 0x80000000;
    }

    /// The n-th largest score, by a heap of n.
    private static float nthLargest(float[] scores, int n) {
        float[] heap = new float[n];
        Arrays.fill(heap, Float.NEGATIVE_INFINITY);
        for (float score : scores) {
            if (score <= heap[0]) continue;
            int i = 0;
            for (int child = 1; child < n; child = 2 * i + 1) {
                if (child + 1 < n && heap[child + 1] < heap[child]) child++;
                if (heap[child] >= score) break;
                heap[i] = heap[child];
                i = child;
            }
            heap[i] = score;
        }
        return heap[0];
    }

    /// A number in [0, 1) that (seed, sample, step) alone decides. Source: the finaliser of splitmix64, Steele et al. 2014.
    private double uniform() {
        long z = mix(config.seed() + 0x9E3779B97F4A7C15L * (sample + 1));
        return (mix(z + 0x9E3779B97F4A7C15L * (step + 1)) >>> 11) * 0x1p-53;
    }

    private static long mix(long z) {
        z = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
        z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
        return z ^ z >>> 31;
    }
}
