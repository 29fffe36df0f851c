package fewsh;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;

/// The one exception meant for people: where it went wrong, what is wrong, and what to do about it.
///
/// Printed bare, without a trace, as
/// ```
/// error: prompts/arith.yaml:14: unknown field "num_fewshots"
///   fix: did you mean "num_fewshot"?
/// ```
/// Lower case, no full stop, the offending value quoted, the allowed values listed. Anything else that escapes is a bug of
/// ours.
public final class UserError extends RuntimeException {
    private static final long serialVersionUID = 1;
    private static final int LONGEST_WORD = 64;

    private final String where;
    private final String what;
    private final String fix;

    /// @param where a file, with line or byte offset when known; an option; empty when there is no place to name
    /// @param what the problem, with the offending value in quotes
    /// @param fix what to do; empty when the problem says it already
    public UserError(String where, String what, String fix) {
        this(where, what, fix, null);
    }

    /// As above, with the failure underneath, which only a bug report shows.
    public UserError(String where, String what, String fix, Throwable cause) {
        super(where.isEmpty() ? what : where + ": " + what, cause);
        this.where = where;
        this.what = what;
        this.fix = fix;
    }

    public String where() {
        return where;
    }

    public String what() {
        return what;
    }

    public String fix() {
        return fix;
    }

    /// A fix for a word that is not known: `did you mean "x"?` when one of `known` is near it, else `otherwise`.
    public static String near(String word, Collection<String> known, String otherwise) {
        String lower = word.toLowerCase(Locale.ROOT);
        if (lower.length() > LONGEST_WORD) return otherwise;
        return known.stream()
                .filter(k -> distance(lower, k.toLowerCase(Locale.ROOT)) <= Math.max(1, Math.max(k.length(), lower.length()) / 3)
                        || lower.length() >= 3 && k.toLowerCase(Locale.ROOT).startsWith(lower))
                .min(Comparator.comparingInt(k -> distance(lower, k.toLowerCase(Locale.ROOT))))
                .map(k -> "did you mean \"" + k + "\"?")
                .orElse(otherwise);
    }

    /// Insertions, deletions, replacements and swaps of neighbours that make `b` of `a`.
    static int distance(String a, String b) {
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
