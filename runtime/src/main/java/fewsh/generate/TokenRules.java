package fewsh.generate;

import java.util.Arrays;
import java.util.List;

/// What a [GenerationConfig] changes in the scores of the next token before one is chosen, in the reference's order.
///
/// Source: `_get_logits_processor` and `logits_process.py` of Hugging Face's transformers.
record TokenRules(GenerationConfig config) {
    private static final float NEVER = Float.NEGATIVE_INFINITY;

    /// Whether any of them can change a score.
    boolean none() {
        return config.repetitionPenalty() == 1 && config.noRepeatNgramSize() == 0 && config.badWords().isEmpty()
                && config.minNewTokens() == 0 && config.forcedBos().isEmpty() && config.forcedEos().isEmpty()
                && config.suppressTokens().isEmpty() && config.beginSuppressTokens().isEmpty() && !config.renormalize();
    }

    /// @param ids what the decoder has been given: its prompt and the answer so far
    /// @param length how many of them there are
    /// @param prompt how many of them came before the answer
    /// @param scores logits or log-probabilities, one a token
    void apply(int[] ids, int length, int prompt, float[] scores) {
        repetition(ids, length, scores);
        int n = config.noRepeatNgramSize();
        for (int at = 0; n > 0 && at + n <= length; at++)
            if (Arrays.equals(ids, at, at + n - 1, ids, length - n + 1, length)) never(scores, ids[at + n - 1]);
        for (List<Integer> word : config.badWords()) badWord(word, ids, length, scores);
        if (length - prompt < config.minNewTokens()) config.eos().forEach(id -> never(scores, id));
        if (length == 1 && config.forcedBos().isPresent()) force(scores, List.of(config.forcedBos().getAsInt()));
        if (length - prompt == config.maxNewTokens() - 1 && !config.forcedEos().isEmpty()) force(scores, config.forcedEos());
        config.suppressTokens().forEach(id -> never(scores, id));
        int begin = prompt > 1 || config.forcedBos().isEmpty() ? prompt : prompt + 1;
        if (length == begin) config.beginSuppressTokens().forEach(id -> never(scores, id));
        if (config.renormalize()) normalise(scores);
    }

    private void repetition(int[] ids, int length, float[] scores) {
        float penalty = (float) config.repetitionPenalty();
        if (penalty == 1) return;
        Arrays.stream(ids, 0, length).distinct().filter(id -> id < scores.length)
                .forEach(id -> scores[id] = scores[id] < 0 ? scores[id] * penalty : scores[id] / penalty);
    }

    private void badWord(List<Integer> word, int[] ids, int length, float[] scores) {
        int before = word.size() - 1;
        if (before == 0 && config.eos().contains(word.getFirst()) || before > length) return;
        for (int i = 0; i < before; i++) if (ids[length - before + i] != word.get(i)) return;
        never(scores, word.getLast());
    }

    private static void never(float[] scores, int id) {
        if (id < scores.length) scores[id] = NEVER;
    }

    private static void force(float[] scores, List<Integer> ids) {
        Arrays.fill(scores, NEVER);
        for (int id : ids) if (id < scores.length) scores[id] = 0;
    }

    private static void normalise(float[] scores) {
        float most = scores[Sampler.argmax(scores)];
        if (most == NEVER) return;
        double sum = 0;
        for (float score : scores) sum += Sampler.exp(score - most);
        float log = (float) (most + Math.log(sum));
        for (int i = 0; i < scores.length; i++) scores[i] -= log;
    }
}
