package fewsh.prompt;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// An index of texts that says how near each is to another text: Okapi BM25, k1 = 1.2, b = 0.75.
///
/// `score = Σ idf(t) · tf · (k1 + 1) / (tf + k1 · (1 − b + b · length / average length))` over the words t of the query, each
/// as often as it occurs there, with `idf(t) = ln(1 + (N − n(t) + 0.5) / (n(t) + 0.5))`, which unlike Robertson's own is never
/// negative (as Lucene has it). Words are runs of letters, marks and digits, in lower case; an ideograph or hiragana is a word
/// of its own. Immutable; threads may share it.
///
/// Source: Robertson & Zaragoza 2009, The Probabilistic Relevance Framework: BM25 and Beyond, equations 3.3 and 3.15.
final class Bm25 {
    private static final double K1 = 1.2;
    private static final double B = 0.75;
    private static final Pattern WORD = Pattern.compile(
            "[\\p{IsIdeographic}\\p{IsHiragana}]|[[\\p{L}\\p{M}\\p{N}]&&[^\\p{IsIdeographic}\\p{IsHiragana}]]+");

    /// The texts that hold a word, and how often each does.
    private static final class Postings {
        int[] texts = new int[4];
        int[] counts = new int[4];
        int size;

        void add(int text) {
            if (size > 0 && texts[size - 1] == text) {
                counts[size - 1]++;
                return;
            }
            if (size == texts.length) {
                texts = Arrays.copyOf(texts, 2 * size);
                counts = Arrays.copyOf(counts, 2 * size);
            }
            texts[size] = text;
            counts[size++] = 1;
        }
    }

    private final Map<String, Postings> postings = new HashMap<>();
    private final double[] norms; // k1 · (1 − b + b · length / average length)

    Bm25(List<String> texts) {
        norms = new double[texts.size()];
        long words = 0;
        for (int i = 0; i < norms.length; i++) {
            Matcher matcher = WORD.matcher(texts.get(i).toLowerCase(Locale.ROOT));
            while (matcher.find()) {
                postings.computeIfAbsent(matcher.group(), _ -> new Postings()).add(i);
                norms[i]++;
            }
            words += (long) norms[i];
        }
        double average = words == 0 ? 1 : (double) words / norms.length;
        for (int i = 0; i < norms.length; i++) norms[i] = K1 * (1 - B + B * norms[i] / average);
    }

    /// How near each text is; 0 for one that shares no word.
    double[] scores(String query) {
        double[] scores = new double[norms.length];
        Matcher matcher = WORD.matcher(query.toLowerCase(Locale.ROOT));
        while (matcher.find()) {
            Postings found = postings.get(matcher.group());
            if (found == null) continue;
            double idf = Math.log(1 + (norms.length - found.size + 0.5) / (found.size + 0.5));
            for (int i = 0; i < found.size; i++) {
                double tf = found.counts[i];
                scores[found.texts[i]] += idf * tf * (K1 + 1) / (tf + norms[found.texts[i]]);
            }
        }
        return scores;
    }
}
