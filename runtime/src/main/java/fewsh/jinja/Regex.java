package fewsh.jinja;

import fewsh.jinja.TemplateError.Kind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/// Python's regular expressions, which are rewritten where Java reads the same characters differently. Patterns are hostile
/// input as templates are: a match that looks at too many characters is given up.
public final class Regex {
    private static final int MOST_REPEATS = 1_000_000;
    private static final Pattern REPEAT = Pattern.compile("\\{(\\d+)");

    private final Pattern pattern;
    private final Map<String, Integer> groups = new LinkedHashMap<>();

    /// Text that pays for every character the matcher looks at, so that no pattern runs away.
    record Counted(Run run, String text) implements CharSequence {
        @Override
        public int length() {
            return text.length();
        }

        @Override
        public char charAt(int index) {
            run.work(1);
            return text.charAt(index);
        }

        @Override
        public CharSequence subSequence(int start, int end) {
            return text.substring(start, end);
        }

        @Override
        public String toString() {
            return text;
        }
    }

    private Regex(String python) {
        checkRepeats(python);
        int flags = Pattern.UNICODE_CHARACTER_CLASS | Pattern.UNIX_LINES | Pattern.UNICODE_CASE;
        String body = python;
        Matcher inline = Pattern.compile("^\\(\\?([aiLmsux]+)\\)").matcher(python);
        if (inline.find()) {
            for (char c : inline.group(1).toCharArray())
                flags = switch (c) {
                    case 'i' -> flags | Pattern.CASE_INSENSITIVE;
                    case 'm' -> flags | Pattern.MULTILINE;
                    case 's' -> flags | Pattern.DOTALL;
                    case 'x' -> flags | Pattern.COMMENTS;
                    case 'a' -> flags & ~Pattern.UNICODE_CHARACTER_CLASS & ~Pattern.UNICODE_CASE;
                    default -> flags;
                };
            body = python.substring(inline.end());
        }
        try {
            pattern = Pattern.compile(rewrite(body, (flags & Pattern.MULTILINE) != 0), flags);
        } catch (PatternSyntaxException | IndexOutOfBoundsException e) {
            throw new TemplateError(Kind.REGEX, "cannot read pattern " + Python.quote(python) + ": " + e.getMessage());
        }
    }

    /// Refuses what may repeat empty matches for ever, which look at no character: `(?:(?:){99999}){99999}`.
    private static void checkRepeats(String python) {
        long repeats = 1;
        Matcher matcher = REPEAT.matcher(python);
        while (matcher.find()) {
            String count = matcher.group(1);
            repeats = count.length() > 9 ? Long.MAX_VALUE : repeats * Math.max(1, Long.parseLong(count));
            if (repeats > MOST_REPEATS)
                throw new TemplateError(Kind.REGEX, "pattern " + Python.quote(python) + " repeats more than " + MOST_REPEATS
                        + " times");
        }
    }

    /// All matches, each as its whole text and then its groups, null for one that took no part; as Python's `re.finditer`.
    ///
    /// @param steps how many characters the matcher may look at
    /// @throws TemplateError of kind REGEX if the pattern cannot be read, LIMIT or RECURSION if matching takes too much
    public static List<List<String>> findAll(String pattern, String text, long steps) {
        return matching(pattern, text, steps, (run, matcher) -> {
            List<List<String>> matches = new ArrayList<>();
            while (matcher.find()) {
                matches.add(groups(matcher));
                run.work(matcher.groupCount() + 1);
            }
            return matches;
        });
    }

    /// The match of all of `text`, likewise; empty if there is none; as Python's `re.fullmatch`.
    public static Optional<List<String>> fullMatch(String pattern, String text, long steps) {
        return matching(pattern, text, steps, (_, matcher) -> matcher.matches() ? Optional.of(groups(matcher)) : Optional.empty());
    }

    private static <T> T matching(String pattern, String text, long steps, BiFunction<Run, Matcher, T> matching) {
        Run run = new Run(Environment.plain().withLimits(Limits.DEFAULT.withWork(steps)));
        try {
            return matching.apply(run, new Regex(pattern).pattern.matcher(new Counted(run, text)));
        } catch (StackOverflowError e) {
            throw TemplateError.recursion();
        }
    }

    private static List<String> groups(Matcher matcher) {
        List<String> groups = new ArrayList<>();
        for (int i = 0; i <= matcher.groupCount(); i++) groups.add(matcher.group(i));
        return groups;
    }

    /// `re.sub(pattern, replacement, text, count)`; a count of 0 means all.
    static String replace(Run run, String pattern, String replacement, String text, long count) {
        Regex regex = new Regex(pattern);
        List<Object> parts = regex.template(replacement);
        Matcher matcher = regex.pattern.matcher(new Counted(run, text));
        StringBuilder out = new StringBuilder();
        int from = 0;
        try {
            for (long n = 0; (count <= 0 || n < count) && matcher.find(); n++) {
                int start = out.length();
                out.append(text, from, matcher.start());
                for (Object part : parts) {
                    String inserted = part instanceof Integer group ? matcher.group(group) : (String) part;
                    if (inserted != null) out.append(inserted);
                }
                run.text(out.length() - start);
                from = matcher.end();
            }
        } catch (StackOverflowError e) {
            throw TemplateError.recursion();
        }
        return out.append(text, from, text.length()).toString();
    }

    private String rewrite(String python, boolean multiline) {
        StringBuilder out = new StringBuilder();
        int group = 0;
        boolean inClass = false;
        int classStart = 0;
        for (int i = 0; i < python.length(); i++) {
            char c = python.charAt(i);
            if (c == '\\') {
                char next = python.charAt(i + 1);
                i++;
                if (next == 'Z' && !inClass) out.append("\\z");
                else if ("QEpPhHRXkGzCNluL".indexOf(next) >= 0)
                    throw new PatternSyntaxException("bad escape \\" + next, python, i);
                else if (next == 'v') out.append("\\x0B");
                else out.append('\\').append(next);
            } else if (inClass) {
                boolean first = i == classStart + 1 || i == classStart + 2 && python.charAt(i - 1) == '^';
                if (c == ']' && !first) inClass = false;
                if (c == '[' || c == '&' || c == ']' && first) out.append('\\');
                out.append(c);
            } else if (c == '[') {
                inClass = true;
                classStart = i;
                out.append(c);
            } else if (c == '$' && !multiline) {
                out.append("(?=\\n?\\z)");
            } else if (c == '(' && python.startsWith("(?P<", i)) {
                int close = python.indexOf('>', i);
                groups.put(python.substring(i + 4, close), ++group);
                out.append('(');
                i = close;
            } else if (c == '(' && python.startsWith("(?P=", i)) {
                int close = python.indexOf(')', i);
                Integer named = groups.get(python.substring(i + 4, close));
                if (named == null) throw new PatternSyntaxException("unknown group name", python, i);
                out.append("(?:\\").append(named).append(')');
                i = close;
            } else if (c == '(' && python.startsWith("(?#", i)) {
                i = python.indexOf(')', i);
                if (i < 0) throw new PatternSyntaxException("missing ), unterminated comment", python, python.length());
            } else {
                if (c == '(' && !python.startsWith("(?", i)) group++;
                out.append(c);
            }
        }
        return out.toString();
    }

    /// A replacement as texts and group numbers.
    private List<Object> template(String replacement) {
        List<Object> parts = new ArrayList<>();
        StringBuilder text = new StringBuilder();
        int count = pattern.matcher("").groupCount();
        for (int i = 0; i < replacement.length(); i++) {
            char c = replacement.charAt(i);
            if (c != '\\') {
                text.append(c);
                continue;
            }
            if (++i >= replacement.length()) throw new TemplateError(Kind.REGEX, "bad escape (end of pattern)");
            char escape = replacement.charAt(i);
            switch (escape) {
                case 'n' -> text.append('\n');
                case 't' -> text.append('\t');
                case 'r' -> text.append('\r');
                case 'f' -> text.append('\f');
                case 'v' -> text.append('\u000b');
                case 'a' -> text.append('\u0007');
                case 'b' -> text.append('\b');
                case '\\' -> text.append('\\');
                case '0' -> text.append('\0');
                case 'g' -> {
                    int close = replacement.indexOf('>', i);
                    if (!replacement.startsWith("<", i + 1) || close < 0) throw new TemplateError(Kind.REGEX, "missing <");
                    String name = replacement.substring(i + 2, close);
                    Integer number = name.matches("\\d{1,4}") ? Integer.valueOf(name) : groups.get(name);
                    if (number == null || number > count)
                        throw new TemplateError(Kind.INDEX, "unknown group name " + Python.quote(name));
                    parts.add(text.toString());
                    text.setLength(0);
                    parts.add(number);
                    i = close;
                }
                default -> {
                    if (escape >= '1' && escape <= '9') {
                        int number = escape - '0';
                        if (i + 1 < replacement.length() && Character.isDigit(replacement.charAt(i + 1)))
                            number = number * 10 + replacement.charAt(++i) - '0';
                        if (number > count) throw new TemplateError(Kind.REGEX, "invalid group reference " + number);
                        parts.add(text.toString());
                        text.setLength(0);
                        parts.add(number);
                    } else if (escape < 128 && Character.isLetter(escape)) {
                        throw new TemplateError(Kind.REGEX, "bad escape \\" + escape);
                    } else {
                        text.append('\\').append(escape);
                    }
                }
            }
        }
        parts.add(text.toString());
        return parts;
    }
}
