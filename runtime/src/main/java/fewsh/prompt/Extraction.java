package fewsh.prompt;

import fewsh.UserError;
import fewsh.jinja.Regex;
import fewsh.jinja.TemplateError;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// How the answer is found in what a model wrote, and made comparable.
///
/// Numbers, options and dates are looked for as Kojima et al. 2022 and Wei et al. 2022 do: after the last `answer is`,
/// `answer:` or `####` the first one counts; where there is none, the last one of the whole text.
///
/// @param kind what the answer is
/// @param pattern for [Kind#REGEX], in Python's syntax: its last match, and of that the first group that took part
/// @param options for [Kind#OPTION]: what may be answered; none: any single letter A to Z
/// Sources: `answer_cleansing` in the code of Kojima et al.; `multi_choice_regex` and the filters of gsm8k in
/// lm-evaluation-harness 0.4.13.
public record Extraction(Kind kind, String pattern, List<String> options) {
    /// What is looked for, and how it is written in the end.
    public enum Kind {
        /// The whole answer.
        TEXT,
        /// Its first line that is not blank.
        LINE,
        /// A decimal number without signs of currency, per cent and thousands: `1234.5`; a fraction that does not come out even
        /// in lowest terms: `1/3`.
        NUMBER,
        /// One of the options as the prompt has it, or a capital letter.
        OPTION,
        /// `yyyy-mm-dd`.
        DATE,
        /// What the pattern matched, trimmed.
        REGEX
    }

    public static final Extraction WHOLE = new Extraction(Kind.TEXT, "", List.of());

    private static final Pattern ANSWER = Pattern.compile("\\banswer\\s{0,9}(?:\\([^)\\n]{0,60}\\)\\s{0,9})?(?:is\\b|[:=])|####",
            Pattern.CASE_INSENSITIVE);
    private static final List<String> QUOTES = List.of("\"\"", "''", "``", "“”", "‘’", "«»", "„“");
    private static final long STEPS = 10_000_000;

    public Extraction {
        options = List.copyOf(options);
    }

    public Extraction with(List<String> options) {
        return new Extraction(kind, pattern, options);
    }

    /// What makes two answers one: of [Kind#TEXT] and [Kind#LINE] lower case, white space collapsed, without a final full stop and
    /// quotes around it; the others are in one form already.
    public String key(String answer) {
        return switch (kind) {
            case TEXT, LINE -> plain(answer);
            case NUMBER, OPTION, DATE, REGEX -> answer;
        };
    }

    /// The answer in `text`, normalised; empty if there is none.
    ///
    /// The second call of zero-shot chain of thought continues the phrase `Therefore, the answer is`: put it in front.
    ///
    /// @throws UserError if the pattern cannot be read or matching it takes too long
    public Optional<String> find(String text) {
        return switch (kind) {
            case TEXT -> plain(text).isEmpty() ? Optional.empty() : Optional.of(text.strip());
            case LINE -> text.lines().filter(line -> !line.isBlank()).findFirst().filter(line -> !plain(line).isEmpty())
                    .map(String::strip);
            case NUMBER -> answered(text, Found.numbers(text)).map(Found::answer);
            case DATE -> answered(text, Found.dates(text)).map(Found::answer);
            case OPTION -> Choices.of(options).find(text, answerAt(text));
            case REGEX -> matched(text);
        };
    }

    /// Checks the pattern, for whoever reads one.
    void check() {
        if (kind == Kind.REGEX) matched("");
    }

    private static Optional<String> some(String text) {
        return text.isEmpty() ? Optional.empty() : Optional.of(text);
    }

    private static String plain(String text) {
        String before = "";
        String now = text.replaceAll("[\\s\\p{Z}]+", " ").strip();
        while (!now.equals(before)) {
            before = now;
            boolean quoted = now.length() > 1 && QUOTES.contains(now.substring(0, 1) + now.charAt(now.length() - 1));
            if (quoted) now = now.substring(1, now.length() - 1).strip();
            else if (now.endsWith(".") && !now.endsWith("..")) now = now.substring(0, now.length() - 1).strip();
        }
        return now.toLowerCase(Locale.ROOT);
    }

    /// Where the last phrase that announces the answer ends; -1 if there is none.
    private static int answerAt(String text) {
        int at = -1;
        for (Matcher matcher = ANSWER.matcher(text); matcher.find(); ) at = matcher.end();
        return at;
    }

    /// The one that the text gives as its answer.
    private static Optional<Found> answered(String text, List<Found> found) {
        int at = answerAt(text);
        if (at >= 0)
            for (Found one : found)
                if (one.start() >= at) return Optional.of(one);
        return found.isEmpty() ? Optional.empty() : Optional.of(found.getLast());
    }

    private Optional<String> matched(String text) {
        try {
            List<List<String>> matches = Regex.findAll(pattern, text, STEPS);
            if (matches.isEmpty()) return Optional.empty();
            List<String> last = matches.getLast();
            for (String group : last.subList(1, last.size()))
                if (group != null) return some(group.strip());
            return some(last.getFirst().strip());
        } catch (TemplateError e) {
            boolean tooMuch = e.kind() == TemplateError.Kind.LIMIT || e.kind() == TemplateError.Kind.RECURSION;
            if (tooMuch)
                throw new UserError("", "the pattern \"" + pattern + "\" takes too long on an answer of " + text.length()
                        + " characters", "avoid repeats within repeats, such as (a+)+", e);
            throw new UserError("", "the pattern of \"answer\" cannot be read: " + e.getMessage(), "", e);
        }
    }
}
