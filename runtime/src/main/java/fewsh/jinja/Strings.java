package fewsh.jinja;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/// The methods of Python's `str`, on code points; a `Markup` stays one and escapes what is put into it.
final class Strings {
    static final Set<String> METHODS = Set.of(
            "capitalize", "casefold", "center", "count", "encode", "endswith", "expandtabs", "find", "format",
            "format_map", "index", "isalnum", "isalpha", "isascii", "isdecimal", "isdigit", "isidentifier", "islower",
            "isnumeric", "isprintable", "isspace", "istitle", "isupper", "join", "ljust", "lower", "lstrip",
            "maketrans", "partition", "removeprefix", "removesuffix", "replace", "rfind", "rindex", "rjust",
            "rpartition", "rsplit", "rstrip", "split", "splitlines", "startswith", "strip", "swapcase", "title",
            "translate", "upper", "zfill");
    static final Set<String> MARKUP_METHODS = Set.of("unescape", "striptags", "escape");

    private Strings() {}

    static Value call(Run run, Value.Str self, String name, Args args) {
        String s = self.text();
        run.text(s.length());
        return switch (name) {
            case "capitalize" -> text(run, self, capitalize(none(name, args, s)));
            case "casefold" -> text(run, self, casefold(none(name, args, s)));
            case "lower" -> text(run, self, CodePoints.lower(none(name, args, s)));
            case "upper" -> text(run, self, CodePoints.upper(none(name, args, s)));
            case "swapcase" -> text(run, self, swapcase(none(name, args, s)));
            case "title" -> text(run, self, title(none(name, args, s)));
            case "strip" -> text(run, self, strip(s, chars(name, args), true, true));
            case "lstrip" -> text(run, self, strip(s, chars(name, args), true, false));
            case "rstrip" -> text(run, self, strip(s, chars(name, args), false, true));
            case "center", "ljust", "rjust" -> pad(run, self, name, args.only(name, 1, 2));
            case "zfill" -> text(run, self, zfill(run, s, Python.index(args.only(name, 1, 1).at(0))));
            case "expandtabs" -> text(run, self, expandTabs(run, s, args.bind(name, "tabsize?")[0]));
            case "removeprefix" -> {
                String prefix = string(args.only(name, 1, 1).at(0));
                yield text(run, self, s.startsWith(prefix) ? s.substring(prefix.length()) : s);
            }
            case "removesuffix" -> {
                String suffix = string(args.only(name, 1, 1).at(0));
                yield text(run, self, !suffix.isEmpty() && s.endsWith(suffix) ? s.substring(0, s.length() - suffix.length()) : s);
            }
            case "replace" -> {
                args.only(name, 2, 3);
                String inserted = self.safe() ? Html.escape(args.at(1)) : string(args.at(1));
                long count = args.count() > 2 ? Python.index(args.at(2)) : -1;
                yield text(run, self, replace(run, s, string(args.at(0)), inserted, count));
            }
            case "split", "rsplit" -> {
                Value[] a = args.bind(name, "sep? maxsplit?");
                String separator = a[0] == null || a[0] instanceof Value.None ? null : string(a[0]);
                long most = a[1] == null ? -1 : Python.index(a[1]);
                yield texts(run, self, name.equals("split") ? split(s, separator, most) : rsplit(s, separator, most));
            }
            case "splitlines" -> {
                Value keep = args.bind(name, "keepends?")[0];
                yield texts(run, self, splitLines(s, keep != null && Python.truth(keep)));
            }
            case "partition" -> partition(self, string(args.only(name, 1, 1).at(0)), false);
            case "rpartition" -> partition(self, string(args.only(name, 1, 1).at(0)), true);
            case "join" -> join(run, self, args.only(name, 1, 1).at(0));
            case "find", "rfind", "index", "rindex" -> {
                Window window = window(s, args.only(name, 1, 3));
                long at = window.find(string(args.at(0)), name.startsWith("r"));
                if (at < 0 && name.endsWith("index")) throw TemplateError.value("substring not found");
                yield Value.of(at);
            }
            case "count" -> Value.of(window(s, args.only(name, 1, 3)).count(string(args.at(0))));
            case "startswith", "endswith" -> {
                Window window = window(s, args.only(name, 1, 3));
                if (args.at(0) instanceof Value.Tuple options) {
                    boolean any = false;
                    for (Value option : options.items()) any |= window.touches(string(option), name.equals("startswith"));
                    yield Value.of(any);
                }
                if (!(args.at(0) instanceof Value.Str affix))
                    throw TemplateError.type(name + " first arg must be str or a tuple of str, not "
                            + Python.typeName(args.at(0)));
                yield Value.of(window.touches(affix.text(), name.equals("startswith")));
            }
            case "encode" -> encode(s, args.bind(name, "encoding? errors?"));
            case "format" -> new Value.Str(new Formatting(run, self.safe()).format(s, args), self.safe());
            case "format_map" -> {
                if (!(args.only(name, 1, 1).at(0) instanceof Value.Dict map))
                    throw TemplateError.type("format_map needs a mapping");
                yield new Value.Str(new Formatting(run, self.safe()).format(s, map), self.safe());
            }
            case "isalnum" -> all(name, args, s, CodePoints::isAlnum);
            case "isalpha" -> all(name, args, s, Character::isLetter);
            case "isdecimal" -> all(name, args, s, CodePoints::isDecimal);
            case "isdigit" -> all(name, args, s, CodePoints::isDigit);
            case "isnumeric" -> all(name, args, s, CodePoints::isNumeric);
            case "isspace" -> all(name, args, s, CodePoints::isSpace);
            case "isascii" -> Value.of(none(name, args, s).chars().allMatch(c -> c < 128));
            case "isprintable" -> Value.of(none(name, args, s).codePoints().allMatch(CodePoints::isPrintable));
            case "isidentifier" -> Value.of(CodePoints.isIdentifier(none(name, args, s)));
            case "islower" -> Value.of(isLower(none(name, args, s)));
            case "isupper" -> Value.of(isUpper(none(name, args, s)));
            case "istitle" -> Value.of(isTitle(none(name, args, s)));
            case "maketrans" -> makeTranslation(args.only(name, 1, 3));
            case "translate" -> text(run, self, translate(s, args.only(name, 1, 1).at(0)));
            case "unescape" -> run.str(Html.unescape(none(name, args, s)));
            case "striptags" -> run.str(Html.stripTags(none(name, args, s)));
            case "escape" -> new Value.Str(Html.escape(args.only(name, 1, 1).at(0)), true);
            default -> throw new IllegalArgumentException(name);
        };
    }

    private static Value text(Run run, Value.Str self, String result) {
        run.text(result.length());
        return new Value.Str(result, self.safe());
    }

    private static Value texts(Run run, Value.Str self, List<String> results) {
        List<Value> values = new ArrayList<>();
        for (String result : results) values.add(text(run, self, result));
        return new Value.Array(values);
    }

    private static String none(String name, Args args, String s) {
        args.only(name, 0, 0);
        return s;
    }

    static String string(Value value) {
        if (value instanceof Value.Str s) return s.text();
        throw TemplateError.type("must be str, not " + Python.typeName(value));
    }

    private static String chars(String name, Args args) {
        Value chars = args.only(name, 0, 1).orNull(0);
        if (chars == null || chars instanceof Value.None) return null;
        if (chars instanceof Value.Str s) return s.text();
        throw TemplateError.type(name + " arg must be None or str");
    }

    /// @param chars the characters to drop, white space if null
    static String strip(String s, String chars, boolean left, boolean right) {
        int start = 0;
        int end = s.length();
        while (left && start < end && drops(chars, s.codePointAt(start))) start += Character.charCount(s.codePointAt(start));
        while (right && end > start && drops(chars, s.codePointBefore(end))) end -= Character.charCount(s.codePointBefore(end));
        return s.substring(start, end);
    }

    private static boolean drops(String chars, int c) {
        return chars == null ? CodePoints.isSpace(c) : chars.indexOf(c) >= 0;
    }

    static String capitalize(String s) {
        if (s.isEmpty()) return s;
        int first = s.codePointAt(0);
        String lower = CodePoints.lower(s);
        return CodePoints.title(first) + lower.substring(CodePoints.lower(CodePoints.of(first)).length());
    }

    private static String casefold(String s) {
        return CodePoints.lower(CodePoints.upper(CodePoints.lower(s))).replace('ς', 'σ');
    }

    private static String swapcase(String s) {
        StringBuilder out = new StringBuilder();
        eachLower(s, (c, lower) -> out.append(Character.isUpperCase(c) ? lower
                : Character.isLowerCase(c) ? CodePoints.upper(CodePoints.of(c)) : CodePoints.of(c)));
        return out.toString();
    }

    private interface Cased {
        void accept(int c, String lower);
    }

    /// Each code point with its lower case, which for a sigma depends on where it stands.
    private static void eachLower(String s, Cased cased) {
        String lower = CodePoints.lower(s.replace('İ', 'I')); // the one letter whose lower case is longer
        boolean sameLength = lower.length() == s.length();
        for (int i = 0; i < s.length(); ) {
            int c = s.codePointAt(i);
            int next = i + Character.charCount(c);
            cased.accept(c, sameLength && c != 'İ' ? lower.substring(i, next) : CodePoints.lower(CodePoints.of(c)));
            i = next;
        }
    }

    private static boolean isCased(int c) {
        return Character.isUpperCase(c) || Character.isLowerCase(c) || Character.isTitleCase(c);
    }

    private static String title(String s) {
        StringBuilder out = new StringBuilder();
        boolean[] inWord = {false};
        eachLower(s, (c, lower) -> {
            out.append(inWord[0] ? lower : CodePoints.title(c));
            inWord[0] = isCased(c);
        });
        return out.toString();
    }

    static boolean isLower(String s) {
        return s.codePoints().anyMatch(Character::isLowerCase)
                && s.codePoints().noneMatch(c -> Character.isUpperCase(c) || Character.isTitleCase(c));
    }

    static boolean isUpper(String s) {
        return s.codePoints().anyMatch(Character::isUpperCase)
                && s.codePoints().noneMatch(c -> Character.isLowerCase(c) || Character.isTitleCase(c));
    }

    private static boolean isTitle(String s) {
        boolean inWord = false;
        boolean any = false;
        for (int c : s.codePoints().toArray()) {
            boolean upper = Character.isUpperCase(c) || Character.isTitleCase(c);
            if (upper && inWord || Character.isLowerCase(c) && !inWord) return false;
            inWord = isCased(c);
            any |= inWord;
        }
        return any;
    }

    private static Value all(String name, Args args, String s, java.util.function.IntPredicate test) {
        return Value.of(!none(name, args, s).isEmpty() && s.codePoints().allMatch(test));
    }

    private static Value pad(Run run, Value.Str self, String name, Args args) {
        String fill = args.count() > 1 ? string(args.at(1)) : " ";
        if (CodePoints.length(fill) != 1) throw TemplateError.type("The fill character must be exactly one character long");
        return text(run, self, pad(run, self.text(), name, Python.index(args.at(0)), fill));
    }

    /// @param how `center`, `ljust` or `rjust`
    static String pad(Run run, String s, String how, long width, String fill) {
        long missing = width - CodePoints.length(s);
        if (missing <= 0) return s;
        run.text(width);
        int total = (int) missing;
        int left = switch (how) {
            case "center" -> total / 2 + (int) (missing & width & 1);
            case "rjust" -> total;
            default -> 0;
        };
        return fill.repeat(left) + s + fill.repeat(total - left);
    }

    private static String zfill(Run run, String s, long width) {
        long missing = width - CodePoints.length(s);
        if (missing <= 0) return s;
        run.text(width);
        boolean signed = s.startsWith("+") || s.startsWith("-");
        return (signed ? s.substring(0, 1) : "") + "0".repeat((int) missing) + (signed ? s.substring(1) : s);
    }

    private static String expandTabs(Run run, String s, Value size) {
        long width = size == null ? 8 : Python.index(size);
        StringBuilder out = new StringBuilder();
        long column = 0;
        for (int i = 0; i < s.length(); i++) {
            char c = s.charAt(i);
            if (c == '\t') {
                long spaces = width > 0 ? width - column % width : 0;
                run.text(spaces);
                out.repeat(' ', (int) spaces);
                column += spaces;
            } else {
                out.append(c);
                column = c == '\n' || c == '\r' ? 0 : column + (Character.isLowSurrogate(c) ? 0 : 1);
            }
        }
        return out.toString();
    }

    /// @param count replacements at most, all if negative
    static String replace(Run run, String s, String old, String inserted, long count) {
        if (count == 0 || s.length() < old.length()) return s;
        StringBuilder out = new StringBuilder();
        long left = count < 0 ? Long.MAX_VALUE : count;
        if (old.isEmpty()) {
            int i = 0;
            for (; left > 0; left--) {
                out.append(inserted);
                run.text(inserted.length());
                if (i >= s.length()) return out.toString();
                int next = i + Character.charCount(s.codePointAt(i));
                out.append(s, i, next);
                i = next;
            }
            return out.append(s.substring(i)).toString();
        }
        int from = 0;
        for (int at = s.indexOf(old); at >= 0 && left > 0; at = s.indexOf(old, from), left--) {
            out.append(s, from, at).append(inserted);
            run.text(inserted.length());
            from = at + old.length();
        }
        return out.append(s, from, s.length()).toString();
    }

    static List<String> split(String s, String separator, long most) {
        List<String> parts = new ArrayList<>();
        long left = most < 0 ? Long.MAX_VALUE : most;
        if (separator == null) {
            int i = skip(s, 0, true);
            while (i < s.length()) {
                if (left-- == 0) {
                    parts.add(s.substring(i));
                    break;
                }
                int end = skip(s, i, false);
                parts.add(s.substring(i, end));
                i = skip(s, end, true);
            }
            return parts;
        }
        if (separator.isEmpty()) throw TemplateError.value("empty separator");
        int from = 0;
        for (int at = s.indexOf(separator); at >= 0 && left > 0; at = s.indexOf(separator, from), left--) {
            parts.add(s.substring(from, at));
            from = at + separator.length();
        }
        parts.add(s.substring(from));
        return parts;
    }

    private static int skip(String s, int i, boolean space) {
        int end = i;
        while (end < s.length() && CodePoints.isSpace(s.charAt(end)) == space) end++;
        return end;
    }

    static List<String> rsplit(String s, String separator, long most) {
        List<String> parts = new ArrayList<>();
        long left = most < 0 ? Long.MAX_VALUE : most;
        if (separator == null) {
            int end = skipBack(s, s.length(), true);
            while (end > 0) {
                if (left-- == 0) {
                    parts.addFirst(s.substring(0, end));
                    break;
                }
                int start = skipBack(s, end, false);
                parts.addFirst(s.substring(start, end));
                end = skipBack(s, start, true);
            }
            return parts;
        }
        if (separator.isEmpty()) throw TemplateError.value("empty separator");
        int to = s.length();
        for (int at = s.lastIndexOf(separator); at >= 0 && left > 0; left--) {
            parts.addFirst(s.substring(at + separator.length(), to));
            to = at;
            at = to - separator.length() < 0 ? -1 : s.lastIndexOf(separator, to - separator.length());
        }
        parts.addFirst(s.substring(0, to));
        return parts;
    }

    private static int skipBack(String s, int i, boolean space) {
        int start = i;
        while (start > 0 && CodePoints.isSpace(s.charAt(start - 1)) == space) start--;
        return start;
    }

    static List<String> splitLines(String s, boolean keepEnds) {
        List<String> lines = new ArrayList<>();
        int from = 0;
        for (int i = 0; i < s.length(); ) {
            char c = s.charAt(i);
            boolean end = c >= '\n' && c <= '\r' || c >= 0x1c && c <= 0x1e || c == 0x85 || c == 0x2028 || c == 0x2029;
            int next = i + (c == '\r' && i + 1 < s.length() && s.charAt(i + 1) == '\n' ? 2 : 1);
            if (end) {
                lines.add(s.substring(from, keepEnds ? next : i));
                from = next;
            }
            i = next;
        }
        if (from < s.length()) lines.add(s.substring(from));
        return lines;
    }

    private static Value partition(Value.Str self, String separator, boolean last) {
        if (separator.isEmpty()) throw TemplateError.value("empty separator");
        String s = self.text();
        int at = last ? s.lastIndexOf(separator) : s.indexOf(separator);
        List<String> parts = at < 0 ? last ? List.of("", "", s) : List.of(s, "", "")
                : List.of(s.substring(0, at), separator, s.substring(at + separator.length()));
        List<Value> values = new ArrayList<>();
        for (String part : parts) values.add(new Value.Str(part, self.safe()));
        return new Value.Tuple(values);
    }

    private static Value join(Run run, Value.Str self, Value items) {
        if (!Python.isIterable(items)) throw TemplateError.type("can only join an iterable");
        StringBuilder out = new StringBuilder();
        int i = 0;
        for (Value item : Python.list(run, items)) {
            if (i++ > 0) out.append(self.text());
            String text;
            if (self.safe()) text = Html.escape(item);
            else if (item instanceof Value.Str s) text = s.text();
            else
                throw TemplateError.type("sequence item " + (i - 1) + ": expected str instance, " + Python.typeName(item)
                        + " found");
            run.text(text.length() + self.text().length());
            out.append(text);
        }
        return new Value.Str(out.toString(), self.safe());
    }

    /// The part of a string that `find` and its like look at: code points [start, end), as slices are clipped.
    private record Window(String text, int from, int to, int start, boolean empty) {
        long find(String wanted, boolean last) {
            if (empty) return -1;
            int at = last ? text.lastIndexOf(wanted, to - wanted.length()) : text.indexOf(wanted, from);
            return at < from || at + wanted.length() > to ? -1 : start + text.codePointCount(from, at);
        }

        long count(String wanted) {
            if (empty) return 0;
            if (wanted.isEmpty()) return text.codePointCount(from, to) + 1;
            long found = 0;
            int at = text.indexOf(wanted, from);
            while (at >= 0 && at + wanted.length() <= to) {
                found++;
                at = text.indexOf(wanted, at + wanted.length());
            }
            return found;
        }

        boolean touches(String affix, boolean front) {
            if (empty || affix.length() > to - from) return false;
            return text.startsWith(affix, front ? from : to - affix.length());
        }
    }

    private static Window window(String s, Args args) {
        int length = CodePoints.length(s);
        long start = args.count() > 1 && !(args.at(1) instanceof Value.None) ? Python.index(args.at(1)) : 0;
        long end = args.count() > 2 && !(args.at(2) instanceof Value.None) ? Python.index(args.at(2)) : length;
        if (start < 0) start = Math.max(0, start + length);
        if (end < 0) end = Math.max(0, end + length);
        end = Math.min(end, length);
        if (start > end) return new Window(s, 0, 0, 0, true);
        int from = s.offsetByCodePoints(0, (int) start);
        return new Window(s, from, s.offsetByCodePoints(from, (int) (end - start)), (int) start, false);
    }

    private static Value encode(String s, Value[] args) {
        String encoding = args[0] == null ? "utf-8" : string(args[0]).toLowerCase(Locale.ROOT).replace('_', '-');
        String errors = args[1] == null ? "strict" : string(args[1]);
        int highest = switch (encoding) {
            case "utf-8", "utf8" -> Character.MAX_CODE_POINT;
            case "ascii", "us-ascii" -> 127;
            case "latin-1", "latin1", "iso-8859-1" -> 255;
            default -> throw new TemplateError(TemplateError.Kind.LOOKUP, "unknown encoding: " + encoding);
        };
        if (highest == Character.MAX_CODE_POINT)
            return new Value.Bytes(new String(s.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1));
        StringBuilder out = new StringBuilder();
        for (int c : s.codePoints().toArray()) {
            if (c <= highest) out.append((char) c);
            else if (errors.equals("replace")) out.append('?');
            else if (!errors.equals("ignore"))
                throw TemplateError.value("'" + encoding + "' codec can't encode character " + Python.quote(CodePoints.of(c)));
        }
        return new Value.Bytes(out.toString());
    }

    private static Value makeTranslation(Args args) {
        Value.Dict table = new Value.Dict();
        if (args.count() == 1) {
            if (!(args.at(0) instanceof Value.Dict given)) throw TemplateError.type("maketrans needs a dict");
            for (Map.Entry<Value, Value> entry : given.entries())
                table.put(entry.getKey() instanceof Value.Str s ? codePoint(s.text()) : entry.getKey(), entry.getValue());
            return table;
        }
        int[] from = string(args.at(0)).codePoints().toArray();
        int[] to = string(args.at(1)).codePoints().toArray();
        if (from.length != to.length) throw TemplateError.value("the first two maketrans arguments must have equal length");
        for (int i = 0; i < from.length; i++) table.put(Value.of(from[i]), Value.of(to[i]));
        if (args.count() > 2) string(args.at(2)).codePoints().forEach(c -> table.put(Value.of(c), Value.NONE));
        return table;
    }

    private static Value codePoint(String s) {
        if (CodePoints.length(s) != 1) throw TemplateError.value("string keys in translate table must be of length 1");
        return Value.of(s.codePointAt(0));
    }

    private static String translate(String s, Value table) {
        if (!(table instanceof Value.Dict map)) throw TemplateError.type("translate needs a dict");
        StringBuilder out = new StringBuilder();
        for (int c : s.codePoints().toArray()) {
            Value to = map.get(Value.of(c));
            if (to == null) out.appendCodePoint(c);
            else if (to instanceof Value.Str text) out.append(text.text());
            else if (!(to instanceof Value.None)) {
                long code = Python.index(to);
                if (code < 0 || code > Character.MAX_CODE_POINT)
                    throw TemplateError.value("character mapping must be in range(0x110000)");
                out.appendCodePoint((int) code);
            }
        }
        return out.toString();
    }
}
