package fewsh.encode;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonPrimitive;
import fewsh.UserError;
import fewsh.models.Settings;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/// How the hidden states of a text's tokens become one vector. Several ways give their vectors one behind the other, in the
/// order here.
///
/// Source: `Pooling` of UKP's sentence-transformers.
enum Pooling {
    CLS("cls", "cls_token"),
    MAX("max", "max_tokens"),
    MEAN("mean", "mean_tokens"),
    MEAN_SQRT_LEN("mean_sqrt_len_tokens", "mean_sqrt_len_tokens"),
    WEIGHTED_MEAN("weightedmean", "weightedmean_tokens"),
    LAST_TOKEN("lasttoken", "lasttoken");

    private final String word;
    private final String key;

    Pooling(String word, String key) {
        this.word = word;
        this.key = "pooling_mode_" + key;
    }

    String word() {
        return word;
    }

    /// What the `config.json` of a pooling module asks for.
    ///
    /// @throws UserError for a way that is none of these, or none at all
    static List<Pooling> of(Settings s) {
        List<String> words = new ArrayList<>();
        if (s.json().get("pooling_mode") instanceof JsonPrimitive p) words.add(p.getAsString());
        if (s.json().get("pooling_mode") instanceof JsonArray list) for (JsonElement e : list) words.add(e.getAsString());
        for (String given : s.json().keySet()) {
            if (!given.startsWith("pooling_mode_") || !s.flag(given, false)) continue;
            words.add(List.of(values()).stream().filter(p -> p.key.equals(given)).map(Pooling::word).findFirst().orElse(given));
        }
        Map<String, Pooling> known = List.of(values()).stream().collect(Collectors.toMap(Pooling::word, p -> p));
        for (String word : words)
            if (!known.containsKey(word)) throw new UserError(s.where(), "pooling \"" + word + "\" is not supported",
                    "supported: " + List.of(values()).stream().map(Pooling::word).collect(Collectors.joining(", ")));
        if (words.isEmpty()) throw new UserError(s.where(), "no way of pooling is chosen", "fetch the file again");
        return List.of(values()).stream().filter(p -> words.contains(p.word)).toList();
    }

    /// @param states of one text, `(tokens, width)` row by row; nothing of padding
    /// @param to where the vector goes, from `at` on
    void pool(float[] states, int width, float[] to, int at) {
        int tokens = states.length / width;
        switch (this) {
            case CLS -> System.arraycopy(states, 0, to, at, width);
            case LAST_TOKEN -> System.arraycopy(states, (tokens - 1) * width, to, at, width);
            case MAX -> {
                System.arraycopy(states, 0, to, at, width);
                for (int i = width; i < states.length; i++) to[at + i % width] = Math.max(to[at + i % width], states[i]);
            }
            case MEAN -> sum(states, width, to, at, false, tokens);
            case MEAN_SQRT_LEN -> sum(states, width, to, at, false, Math.sqrt(tokens));
            case WEIGHTED_MEAN -> sum(states, width, to, at, true, tokens * (tokens + 1.0) / 2);
        }
    }

    /// @param weighted whether the first token counts once, the second twice, and so on
    private static void sum(float[] states, int width, float[] to, int at, boolean weighted, double divisor) {
        double[] sums = new double[width];
        for (int t = 0, i = 0; i < states.length; t++)
            for (int w = 0; w < width; w++, i++) sums[w] += weighted ? states[i] * (t + 1.0) : states[i];
        for (int w = 0; w < width; w++) to[at + w] = (float) (sums[w] / divisor);
    }
}
