package fewsh.prompt;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Options looked for in a text: by letter, `(B)`, `B)`, `B.`, `: B`, `option B`, or by an option's own words, case and
/// punctuation ignored.
///
/// After a phrase that announces the answer the first mention counts. Without one the last mention in round brackets does, else
/// the last by an option's words, else the last by a letter alone, which is the order of `multi_choice_regex`. Words that lie in
/// longer words of another option, as `positive` in `very positive`, are not mentioned.
final class Choices {
    /// How it is mentioned, the surest first.
    private enum Form { BRACKETS, WORDS, LETTER }

    private record Mention(int start, int end, Form form, String option) {}

    private static final Pattern BRACKETS = Pattern.compile("\\(\\s?([A-Za-z])\\s?\\)");
    private static final Pattern LETTER = Pattern.compile("(?<![\\p{L}\\p{N}'’])(?:"
            + "(?i:option|choice)\\s(?<named>[A-Za-z])(?![\\p{L}\\p{N}])"
            + "|(?<=[:=]\\s{0,4}\\*{0,2})(?<colon>[A-Z])(?![\\p{L}\\p{N}'’])(?!\\s[a-z])"
            + "|(?<closed>[A-Za-z])\\)|(?<dotted>[A-Z])[.:](?!\\p{L}))");
    private static final Pattern ALONE = Pattern.compile("\\A[\\s*\"'“]{0,9}([A-Za-z])(?![\\p{L}\\p{N}'’])(\\s[a-z])?");

    private final List<String> options;
    private final String letters; // letters.charAt(i) stands for the option i

    private Choices(List<String> options, String letters) {
        this.options = options;
        this.letters = letters;
    }

    static Choices of(List<String> options) {
        StringBuilder own = new StringBuilder();
        for (String option : options) {
            String words = squeezed(option).text().strip();
            if (words.matches("[a-z]")) own.append(Character.toUpperCase(words.charAt(0)));
        }
        boolean lettersThemselves = !options.isEmpty() && own.chars().distinct().count() == options.size();
        return new Choices(options, lettersThemselves ? own.toString() : "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    }

    /// @param answerAt where the answer begins, -1 if the text does not say
    Optional<String> find(String text, int answerAt) {
        if (answerAt >= 0) {
            List<Mention> answers = mentions(text.substring(answerAt), true);
            if (!answers.isEmpty()) return Optional.of(answers.getFirst().option());
        }
        List<Mention> all = mentions(text, false);
        for (Form form : Form.values()) {
            List<Mention> of = all.stream().filter(mention -> mention.form() == form).toList();
            if (!of.isEmpty()) return Optional.of(of.getLast().option());
        }
        return Optional.empty();
    }

    /// In the order of the text.
    ///
    /// @param answer whether the text is the answer itself, where `A because …` is no article
    private List<Mention> mentions(String text, boolean answer) {
        List<Mention> found = new ArrayList<>();
        for (Matcher m = BRACKETS.matcher(text); m.find(); ) add(found, m, m.group(1), Form.BRACKETS);
        for (Matcher m = LETTER.matcher(text); m.find(); )
            for (String group : List.of("named", "colon", "closed", "dotted")) add(found, m, m.group(group), Form.LETTER);
        Matcher alone = ALONE.matcher(text);
        boolean article = alone.find() && alone.group(2) != null && (!answer || Character.isLowerCase(alone.group(1).charAt(0)));
        if (alone.hasMatch() && !article) add(found, alone, alone.group(1), Form.LETTER);
        if (letters.length() == 26) addWords(found, text);
        found.sort(Comparator.comparingInt(Mention::start).thenComparing(Mention::form));
        return found;
    }

    private void add(List<Mention> found, Matcher m, String letter, Form form) {
        if (letter == null) return;
        String capital = String.valueOf(Character.toUpperCase(letter.charAt(0)));
        int i = letters.indexOf(capital);
        if (i < 0 || !options.isEmpty() && i >= options.size()) return;
        found.add(new Mention(m.start(), m.end(), form, options.isEmpty() ? capital : options.get(i)));
    }

    private void addWords(List<Mention> found, String text) {
        List<Mention> words = new ArrayList<>();
        Squeezed squeezed = squeezed(text);
        Set<String> seen = new HashSet<>();
        boolean distinct = options.stream().allMatch(option -> seen.add(squeezed(option).text().strip()));
        for (String option : options) {
            boolean literal = !distinct || option.chars().noneMatch(Character::isLetter);
            String wanted = literal ? folded(option.strip()) : squeezed(option).text().strip();
            if (wanted.isEmpty()) continue;
            String in = literal ? folded(text) : squeezed.text();
            for (int at = in.indexOf(wanted); at >= 0; at = in.indexOf(wanted, at + 1)) {
                int start = literal ? at : squeezed.places()[at];
                int end = literal ? at + wanted.length() : squeezed.places()[at + wanted.length() - 1] + 1;
                if (stands(text, start, end)) words.add(new Mention(start, end, Form.WORDS, option));
            }
        }
        words.sort(Comparator.comparingInt(Mention::start).thenComparingInt(mention -> -mention.end()));
        int covered = -1; // up to here other words reach
        for (Mention mention : words) {
            if (mention.end() <= covered) continue;
            covered = mention.end();
            found.add(mention);
        }
    }

    /// Whether neither end cuts a word or a number.
    private static boolean stands(String text, int start, int end) {
        char first = text.charAt(start);
        char last = text.charAt(end - 1);
        char before = start == 0 ? ' ' : text.charAt(start - 1);
        char after = end == text.length() ? ' ' : text.charAt(end);
        if (Character.isLetterOrDigit(first) && Character.isLetterOrDigit(before)) return false;
        if (Character.isLetterOrDigit(last) && Character.isLetterOrDigit(after)) return false;
        boolean digitFollows = end + 1 < text.length() && Character.isDigit(text.charAt(end + 1));
        return !(Character.isDigit(first) && "-−.,/".indexOf(before) >= 0) && !(Character.isDigit(last) && digitFollows
                && ".,/".indexOf(after) >= 0);
    }

    /// A text in lower case without punctuation, white space as one space.
    ///
    /// @param places where each character stood
    private record Squeezed(String text, int[] places) {}

    private static Squeezed squeezed(String text) {
        StringBuilder out = new StringBuilder();
        int[] places = new int[text.length()];
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            boolean space = Character.isWhitespace(c) || Character.isSpaceChar(c);
            boolean kept = Character.isLetterOrDigit(c) || Character.isSurrogate(c)
                    || Character.getType(c) == Character.NON_SPACING_MARK;
            if (!space && !kept || space && (out.isEmpty() || out.charAt(out.length() - 1) == ' ')) continue;
            places[out.length()] = i;
            out.append(space ? ' ' : fold(c));
        }
        return new Squeezed(out.toString(), places);
    }

    private static String folded(String text) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < text.length(); i++) out.append(fold(text.charAt(i)));
        return out.toString();
    }

    private static char fold(char c) {
        return Character.toLowerCase(Character.toUpperCase(c));
    }
}
