package fewsh.prompt;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;

/// The known word that a mistyped one may have meant.
final class Near {
    private static final int LONGEST_WORD = 64;

    private Near() {}

    /// `did you mean "x"?` when one of `known` is near, else `otherwise`.
    static String fix(String word, Collection<String> known, String otherwise) {
        String lower = word.toLowerCase(Locale.ROOT);
        if (lower.length() > LONGEST_WORD) return otherwise;
        return known.stream()
                .filter(k -> distance(lower, k) <= Math.max(1, Math.max(k.length(), lower.length()) / 3)
                        || lower.length() >= 3 && k.startsWith(lower))
                .min(Comparator.comparingInt(k -> distance(lower, k)))
                .map(k -> "did you mean \"" + k + "\"?")
                .orElse(otherwise);
    }

    /// Insertions, deletions, replacements and swaps of neighbours that make `b` of `a`.
    private static int distance(String a, String b) {
        int[][] d = new int[a.length() + 1][b.length() + 1];
        for (int i = 0; i <= a.length(); i++)
            for (int j = 0; j <= b.length(); j++) {
                if (i == 0 || j == 0) {
                    d[i][j] = i + j;
                    continue;
                }
                int same = a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1;
                d[i][j] = Math.min(d[i - 1][j - 1] + same, Math.min(d[i - 1][j], d[i][j - 1]) + 1);
                boolean swapped = i > 1 && j > 1 && a.charAt(i - 1) == b.charAt(j - 2) && a.charAt(i - 2) == b.charAt(j - 1);
                if (swapped) d[i][j] = Math.min(d[i][j], d[i - 2][j - 2] + 1);
            }
        return d[a.length()][b.length()];
    }
}
