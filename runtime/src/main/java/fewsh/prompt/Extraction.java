package fewsh.prompt;

import java.util.List;

/// How the answer is found in what a model wrote, and made comparable.
///
/// @param kind what the answer is
/// @param pattern for [Kind#REGEX]: its last match, and of that the first group that took part
/// @param options for [Kind#OPTION]: what may be answered
public record Extraction(Kind kind, String pattern, List<String> options) {
    /// `text` is the whole answer, trimmed; `line` its first line that is not blank.
    public enum Kind { TEXT, LINE, NUMBER, OPTION, DATE, REGEX }

    public static final Extraction WHOLE = new Extraction(Kind.TEXT, "", List.of());

    public Extraction {
        options = List.copyOf(options);
    }
}
