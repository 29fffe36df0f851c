package fewsh.generate;

import fewsh.UserError;
import fewsh.generate.Grammar.Range;
import java.util.List;

/// A regular expression, parsed: what Java and ECMAScript write alike, as far as it is a regular language.
///
/// Literals, `.`, classes, `\d \w \s` and their opposites (of ASCII), `\p{…}`, groups, `|`, `* + ? {m} {m,} {m,n}`, and `^`, `$`
/// at the ends of the whole or of an alternative of the whole. Lazy repetition is the same language. What looks around or back,
/// possessive repetition and flags are refused.
sealed interface Regex {
    record Chars(List<Range> ranges) implements Regex {}

    record Sequence(List<Regex> parts) implements Regex {}

    record Either(List<Regex> options) implements Regex {}

    /// @param max [Grammar#UNBOUNDED] for no end
    record Repeat(Regex part, int min, int max) implements Regex {}

    /// An alternative of the whole, and whether it is held at the text's beginning and end.
    record Whole(boolean atStart, Regex regex, boolean atEnd) {}

    /// How characters are written into the text.
    interface Coding {
        void chars(List<Range> ranges, int from, int to);
    }

    /// Writes the texts that this matches into `grammar`.
    default void write(Grammar grammar, Coding coding, int from, int to) {
        switch (this) {
            case Chars(var ranges) -> coding.chars(ranges, from, to);
            case Sequence(var parts) -> {
                int at = from;
                for (Regex part : parts) {
                    int next = grammar.state();
                    part.write(grammar, coding, at, next);
                    at = next;
                }
                grammar.empty(at, to);
            }
            case Either(var options) -> {
                for (Regex option : options) option.write(grammar, coding, from, to);
            }
            case Repeat(var part, var min, var max) ->
                    grammar.repeat((a, b) -> part.write(grammar, coding, a, b), min, max, from, to);
        }
    }

    /// The alternatives of a regular expression.
    ///
    /// @throws UserError saying what is wrong, or cannot be had, and where
    static List<Whole> parse(String pattern) {
        return new RegexParser(pattern).whole();
    }
}
