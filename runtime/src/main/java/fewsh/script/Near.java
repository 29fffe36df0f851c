package fewsh.script;

import java.util.Collection;
import java.util.Comparator;

/// The known word that a mistyped one may have meant.
final class Near {
    private Near() {}

    /// `did you mean "x"?` when one of `known` is near, else `otherwise`.
    static String fix(String word, Collection<String> known, String otherwise) {
        if (word.length() > 100) return otherwise;
        return known.stream().filter(k -> distance(word, k) <= Math.max(1, Math.max(k.length(), word.length()) / 3))
                .min(Comparator.comparingInt(k -> distance(word, k))).map(k -> "did you mean \"" + k + "\"?").orElse(otherwise);
    }

    /// Insertions, deletions and replacements that make `b` of `a`, in whatever case.
    private static int distance(String a, String b) {
        int[] previous = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) previous[j] = j;
        for (int i = 1; i <= a.length(); i++) {
            int[] row = new int[b.length() + 1];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int same = Character.toLowerCase(a.charAt(i - 1)) == Character.toLowerCase(b.charAt(j - 1)) ? 0 : 1;
                row[j] = Math.min(previous[j - 1] + same, Math.min(row[j - 1], previous[j]) + 1);
            }
            previous = row;
        }
        return previous[b.length()];
    }
}
