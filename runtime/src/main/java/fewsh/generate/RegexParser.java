package fewsh.generate;

import fewsh.UserError;
import fewsh.generate.Grammar.Range;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/// Reads what [Regex] describes, by recursive descent over code points.
final class RegexParser {
    private static final int MOST_REPEATS = 10_000;
    private static final int MOST_DEPTH = 200;
    private static final int MOST_LENGTH = 20_000;
    private static final int MOST_PROPERTIES = 8;
    private static final List<Range> DIGITS = List.of(new Range('0', '9'));
    private static final List<Range> WORD =
            List.of(new Range('0', '9'), new Range('A', 'Z'), new Range('_', '_'), new Range('a', 'z'));
    private static final List<Range> SPACE = List.of(new Range('\t', '\r'), new Range(' ', ' '));
    private static final List<Range> LINE_ENDS =
            List.of(new Range('\n', '\n'), new Range('\r', '\r'), new Range(0x85, 0x85), new Range(0x2028, 0x2029));

    private final String pattern;
    private final int[] chars;
    private final Map<String, List<Range>> properties = new HashMap<>();
    private int at;
    private int depth;

    RegexParser(String pattern) {
        this.pattern = pattern;
        if (pattern.length() > MOST_LENGTH)
            throw new UserError("regex", "it has %,d characters".formatted(pattern.length()),
                    "write at most %,d".formatted(MOST_LENGTH));
        this.chars = pattern.codePoints().toArray();
    }

    private UserError wrong(int where, String what, String fix) {
        String shown = pattern.length() > 60 ? pattern.substring(0, 60) + "…" : pattern;
        return new UserError("regex", "\"%s\": %s, at character %,d".formatted(shown, what, where + 1), fix);
    }

    private boolean next(String text) {
        int[] wanted = text.codePoints().toArray();
        if (at + wanted.length > chars.length) return false;
        for (int i = 0; i < wanted.length; i++) if (chars[at + i] != wanted[i]) return false;
        at += wanted.length;
        return true;
    }

    private boolean ahead(char c) {
        return at < chars.length && chars[at] == c;
    }

    List<Regex.Whole> whole() {
        List<Regex.Whole> alternatives = new ArrayList<>();
        do {
            boolean atStart = next("^");
            Regex regex = sequence();
            alternatives.add(new Regex.Whole(atStart, regex, next("$")));
        } while (next("|"));
        if (ahead(')')) throw wrong(at, "\")\" closes nothing", "write \\)");
        if (at < chars.length) throw wrong(at, "\"$\" is not at the end", "write \\$ for the character");
        return alternatives;
    }

    private Regex either() {
        if (++depth > MOST_DEPTH) throw wrong(at, "groups are nested more than " + MOST_DEPTH + " deep", "");
        List<Regex> options = new ArrayList<>();
        do options.add(sequence()); while (next("|"));
        depth--;
        return options.size() == 1 ? options.getFirst() : new Regex.Either(options);
    }

    private Regex sequence() {
        List<Regex> parts = new ArrayList<>();
        while (at < chars.length && chars[at] != '|' && chars[at] != ')' && chars[at] != '$') {
            Regex part = repeated(atom());
            parts.add(part);
        }
        if (depth > 0 && ahead('$')) throw wrong(at, "\"$\" inside a group", "put it at the end of the whole, or write \\$");
        return parts.size() == 1 ? parts.getFirst() : new Regex.Sequence(parts);
    }

    private Regex repeated(Regex part) {
        int start = at;
        int min;
        int max = Grammar.UNBOUNDED;
        if (next("*")) min = 0;
        else if (next("+")) min = 1;
        else if (next("?")) {
            min = 0;
            max = 1;
        } else if (next("{")) {
            min = number();
            if (!next(",")) max = min;
            else if (!ahead('}')) max = number();
            if (!next("}")) throw wrong(start, "\"{\" is not closed", "write {m}, {m,} or {m,n}; \\{ for the character");
            if (max >= 0 && max < min) throw wrong(start, "the most is less than the least", "");
        } else return part;
        if (next("+")) throw wrong(start, "a possessive repetition", "leave out the second \"+\"");
        next("?");
        if (at < chars.length && "*+?{".indexOf(chars[at]) >= 0)
            throw wrong(at, "a repetition of a repetition", "put a group around it");
        return new Regex.Repeat(part, min, max);
    }

    private int number() {
        int start = at;
        int n = 0;
        while (at < chars.length && chars[at] >= '0' && chars[at] <= '9') {
            n = 10 * n + chars[at++] - '0';
            if (n > MOST_REPEATS) throw wrong(start, "more than %,d repetitions".formatted(MOST_REPEATS), "");
        }
        if (at == start) throw wrong(at, "a number is missing", "write {m}, {m,} or {m,n}; \\{ for the character");
        return n;
    }

    private Regex atom() {
        int start = at;
        int c = chars[at++];
        return switch (c) {
            case '.' -> new Regex.Chars(Grammar.minus(Grammar.ANY, LINE_ENDS));
            case '[' -> new Regex.Chars(klass(start));
            case '(' -> group(start);
            case '\\' -> new Regex.Chars(escape(start));
            case '*', '+', '?' -> throw wrong(start, "nothing to repeat", "write \\" + (char) c + " for the character");
            case '{' -> throw wrong(start, "nothing to repeat", "write \\{ for the character");
            case '^' -> throw wrong(start, "\"^\" is not at the beginning", "write \\^ for the character");
            default -> new Regex.Chars(List.of(one(c, start)));
        };
    }

    private Range one(int c, int where) {
        if (c >= 0xD800 && c <= 0xDFFF) throw wrong(where, "half a surrogate pair", "");
        return new Range(c, c);
    }

    private Regex group(int start) {
        if (next("?")) {
            if (next("=") || next("!") || next("<=") || next("<!"))
                throw wrong(start, "a group that looks around", "say what the text is, not what it is next to");
            if (next(">")) throw wrong(start, "an atomic group", "write (?:…)");
            if (next("<")) {
                while (at < chars.length && Character.isLetterOrDigit(chars[at])) at++;
                if (!next(">")) throw wrong(start, "the group's name is not closed", "write (?<name>…)");
            } else if (!next(":")) throw wrong(start, "flags", "write the alternatives out, as in [yY]es");
        }
        if (ahead('^')) throw wrong(at, "\"^\" inside a group", "put it at the beginning of the whole, or write \\^");
        Regex inner = either();
        if (!next(")")) throw wrong(start, "\"(\" is not closed", "close it, or write \\( for the character");
        return inner;
    }

    private List<Range> klass(int start) {
        boolean not = next("^");
        List<Range> ranges = new ArrayList<>();
        if (ahead(']')) throw wrong(start, "an empty class", "write \\] for the character");
        while (!next("]")) {
            if (at == chars.length) throw wrong(start, "\"[\" is not closed", "close it, or write \\[ for the character");
            if (ahead('[')) throw wrong(at, "\"[\" inside a class", "write \\[ for the character");
            if (next("&&")) throw wrong(at - 2, "an intersection of classes", "write the characters out");
            List<Range> low = item();
            if (ahead('-') && at + 1 < chars.length && chars[at + 1] != ']') {
                int dash = at++;
                List<Range> high = item();
                if (!single(low) || !single(high) || low.getFirst().from() > high.getFirst().from())
                    throw wrong(dash, "\"-\" between what is no range", "write \\- for the character");
                ranges.add(new Range(low.getFirst().from(), high.getFirst().from()));
            } else ranges.addAll(low);
        }
        List<Range> union = Grammar.union(ranges);
        return Grammar.minus(Grammar.ANY, not ? union : Grammar.minus(Grammar.ANY, union));
    }

    private static boolean single(List<Range> ranges) {
        return ranges.size() == 1 && ranges.getFirst().from() == ranges.getFirst().to();
    }

    private List<Range> item() {
        int start = at;
        int c = chars[at++];
        return c == '\\' ? escape(start) : List.of(one(c, start));
    }

    private List<Range> escape(int start) {
        if (at == chars.length) throw wrong(start, "\"\\\" at the end", "write \\\\ for the character");
        int c = chars[at++];
        return switch (c) {
            case 'd' -> DIGITS;
            case 'w' -> WORD;
            case 's' -> SPACE;
            case 'D' -> Grammar.minus(Grammar.ANY, DIGITS);
            case 'W' -> Grammar.minus(Grammar.ANY, WORD);
            case 'S' -> Grammar.minus(Grammar.ANY, SPACE);
            case 'p', 'P' -> property(start, c == 'P');
            case 't' -> List.of(new Range('\t', '\t'));
            case 'n' -> List.of(new Range('\n', '\n'));
            case 'r' -> List.of(new Range('\r', '\r'));
            case 'f' -> List.of(new Range('\f', '\f'));
            case 'x' -> List.of(one(hex(start, 2), start));
            case 'u' -> List.of(one(unicode(start), start));
            default -> {
                if (c >= '0' && c <= '9' || c == 'k')
                    throw wrong(start, "a reference back to a group", "write the group out again");
                if (c < 0x80 && Character.isLetter(c))
                    throw wrong(start, "\"\\" + (char) c + "\" is not supported",
                            "escapes are \\d \\w \\s \\D \\W \\S \\p \\P \\t \\n \\r \\f \\x \\u");
                yield List.of(one(c, start));
            }
        };
    }

    private int unicode(int start) {
        int c = hex(start, 4);
        if (c < 0xD800 || c > 0xDBFF || !next("\\u")) return c;
        int low = hex(start, 4);
        if (low < 0xDC00 || low > 0xDFFF) throw wrong(start, "half a surrogate pair", "");
        return Character.toCodePoint((char) c, (char) low);
    }

    private int hex(int start, int digits) {
        int value = 0;
        for (int i = 0; i < digits; i++) {
            int digit = at < chars.length ? Character.digit(chars[at++], 16) : -1;
            if (digit < 0) throw wrong(start, "an escape without its " + digits + " hexadecimal digits", "");
            value = 16 * value + digit;
        }
        return value;
    }

    /// The characters that Java's own expressions give this property.
    private List<Range> property(int start, boolean not) {
        int open = at;
        while (at < chars.length && (at == open ? chars[at] == '{' : chars[at - 1] != '}')) at++;
        String name = new String(chars, open, at - open);
        if (!name.matches("\\{\\w+(=\\w+)?}")) throw wrong(start, "a property without its name", "write \\p{L}");
        List<Range> known = properties.get(name);
        if (known == null) {
            if (properties.size() == MOST_PROPERTIES) throw wrong(start, "more than " + MOST_PROPERTIES + " properties", "");
            List<Range> ranges = new ArrayList<>();
            try {
                var in = Pattern.compile("\\p" + name).matcher("");
                for (Range all : Grammar.ANY)
                    for (int c = all.from(); c <= all.to(); c++)
                        if (in.reset(Character.toString(c)).matches()) ranges.add(new Range(c, c));
            } catch (PatternSyntaxException e) {
                throw wrong(start, "no property \"" + name + "\"", "for example \\p{L}, \\p{Lu}, \\p{N}, \\p{IsGreek}");
            }
            known = Grammar.union(ranges);
            properties.put(name, known);
        }
        return not ? Grammar.minus(Grammar.ANY, known) : known;
    }
}
