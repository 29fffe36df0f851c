package fewsh.jinja;

import java.math.BigInteger;
import java.util.List;

/// `text % values`: Python's printf.
final class Percent {
    private final Run run;
    private final Value.Str format;
    private final Value values;
    private int used;

    private Percent(Run run, Value.Str format, Value values) {
        this.run = run;
        this.format = format;
        this.values = values;
    }

    static Value format(Run run, Value.Str format, Value values) {
        return new Value.Str(new Percent(run, format, values).format(), format.safe());
    }

    private String format() {
        StringBuilder out = new StringBuilder();
        String s = format.text();
        run.text(s.length());
        int i = 0;
        while (i < s.length()) {
            int percent = s.indexOf('%', i);
            if (percent < 0) break;
            out.append(s, i, percent);
            i = directive(s, percent + 1, out);
        }
        out.append(s, i, s.length());
        boolean mapping = !(values instanceof Value.Tuple) && !(values instanceof Value.Str) && hasItems(values);
        int given = values instanceof Value.Tuple t ? t.items().size() : 1;
        if (!mapping && used < given) throw TemplateError.type("not all arguments converted during string formatting");
        return out.toString();
    }

    private static boolean hasItems(Value value) {
        return value instanceof Value.Dict || value instanceof Value.Array || value instanceof Value.Range
                || value instanceof Value.Undefined || value instanceof Value.Bytes;
    }

    private int directive(String s, int start, StringBuilder out) {
        int i = start;
        Value named = null;
        if (i < s.length() && s.charAt(i) == '(') {
            int depth = 1;
            int close = i + 1;
            while (close < s.length() && depth > 0) {
                if (s.charAt(close) == '(') depth++;
                if (s.charAt(close) == ')') depth--;
                close++;
            }
            if (depth > 0) throw TemplateError.value("incomplete format key");
            named = named(s.substring(i + 1, close - 1));
            i = close;
        }
        int flags = i;
        while (i < s.length() && "#0- +".indexOf(s.charAt(i)) >= 0) i++;
        String flag = s.substring(flags, i);
        boolean left = flag.indexOf('-') >= 0;
        long width = 0;
        if (i < s.length() && s.charAt(i) == '*') {
            width = star();
            left |= width < 0;
            width = Math.abs(width);
            i++;
        } else {
            for (; i < s.length() && isDigit(s.charAt(i)); i++) width = bounded(width * 10 + s.charAt(i) - '0');
        }
        long precision = -1;
        if (i < s.length() && s.charAt(i) == '.') {
            i++;
            precision = 0;
            if (i < s.length() && s.charAt(i) == '*') {
                precision = Math.max(0, star());
                i++;
            } else {
                for (; i < s.length() && isDigit(s.charAt(i)); i++) precision = bounded(precision * 10 + s.charAt(i) - '0');
            }
        }
        if (i < s.length() && "hlL".indexOf(s.charAt(i)) >= 0) i++;
        if (i >= s.length()) throw TemplateError.value("incomplete format");
        int conversion = s.codePointAt(i);
        run.text(width + Math.max(0, precision));
        if (conversion == '%') {
            out.append('%');
        } else {
            Value value = named != null ? named : next();
            out.append(convert(s, i, conversion, flag, left, (int) width, (int) precision, value));
        }
        return i + Character.charCount(conversion);
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }

    private static long bounded(long n) {
        if (n > Integer.MAX_VALUE / 2) throw TemplateError.value("width too big");
        return n;
    }

    private Value named(String key) {
        if (!(values instanceof Value.Dict dict)) throw TemplateError.type("format requires a mapping");
        Value value = dict.get(Value.of(key));
        if (value == null) throw new TemplateError(TemplateError.Kind.KEY, Python.quote(key));
        return value;
    }

    private Value next() {
        List<Value> all = values instanceof Value.Tuple t ? t.items() : List.of(values);
        if (used >= all.size()) throw TemplateError.type("not enough arguments for format string");
        return all.get(used++);
    }

    private long star() {
        Value value = next();
        if (!(value instanceof Value.Int) && !(value instanceof Value.Bool)) throw TemplateError.type("* wants int");
        long n = Python.index(value);
        bounded(Math.abs(n));
        return n;
    }

    private String convert(String s, int at, int conversion, String flag, boolean left, int width, int precision, Value value) {
        boolean zero = flag.indexOf('0') >= 0 && !left;
        boolean alternate = flag.indexOf('#') >= 0;
        String plus = flag.indexOf('+') >= 0 ? "+" : flag.indexOf(' ') >= 0 ? " " : "";
        switch (conversion) {
            case 's', 'r', 'a' -> {
                String text = conversion == 's' ? Python.str(run, value) : Python.repr(value);
                if (conversion == 'a') text = Json.asciiRepr(text);
                if (format.safe()) text = conversion == 's' ? Html.escape(value) : Html.escape(text);
                if (precision >= 0 && CodePoints.length(text) > precision) text = CodePoints.sub(text, 0, precision);
                return pad(text, left, width);
            }
            case 'c' -> {
                if (value instanceof Value.Str t && CodePoints.length(t.text()) == 1) return pad(t.text(), left, width);
                if (!(value instanceof Value.Int) && !(value instanceof Value.Bool))
                    throw TemplateError.type("%c requires int or char");
                long code = Python.index(value);
                if (code < 0 || code > Character.MAX_CODE_POINT)
                    throw new TemplateError(TemplateError.Kind.OVERFLOW, "%c arg not in range(0x110000)");
                return pad(CodePoints.of((int) code), left, width);
            }
            case 'd', 'i', 'u', 'o', 'x', 'X' -> {
                BigInteger n = integer(conversion, value);
                int radix = conversion == 'o' ? 8 : Character.toLowerCase(conversion) == 'x' ? 16 : 10;
                String digits = radix == 10 ? Numbers.str(n.abs()) : n.abs().toString(radix);
                if (conversion == 'X') digits = CodePoints.upper(digits);
                if (digits.length() < precision) digits = "0".repeat(precision - digits.length()) + digits;
                String prefix = alternate && radix != 10 ? "0" + (char) conversion : "";
                return number(n.signum() < 0 ? "-" : plus, prefix, digits, zero, left, width);
            }
            case 'e', 'E', 'f', 'F', 'g', 'G' -> {
                double d = realValue(value);
                String digits = Formatting.real(Math.abs(d), (char) conversion, precision < 0 ? 6 : precision, alternate);
                boolean negative = d < 0 || d == 0 && 1 / d < 0;
                return number(negative ? "-" : plus, "", digits, zero, left, width);
            }
            default -> throw TemplateError.value("unsupported format character '" + CodePoints.of(conversion) + "' (0x"
                    + Integer.toHexString(conversion) + ") at index " + s.codePointCount(0, at));
        }
    }

    private double realValue(Value value) {
        if (value instanceof Value.Undefined u) throw u.failure();
        if (!Python.isNumber(value)) throw TemplateError.type("must be real number, not " + Python.typeName(value));
        return Numbers.real(value);
    }

    private BigInteger integer(int conversion, Value value) {
        boolean decimal = conversion == 'd' || conversion == 'i' || conversion == 'u';
        if (value instanceof Value.Float f && decimal) return Numbers.truncate(f.value());
        if (value instanceof Value.Int || value instanceof Value.Bool) return Numbers.integer(value);
        if (value instanceof Value.Undefined u && decimal) throw u.failure();
        throw TemplateError.type("%" + (char) conversion + " format: " + (decimal ? "a real number" : "an integer")
                + " is required, not " + Python.typeName(value));
    }

    private String number(String sign, String prefix, String digits, boolean zero, boolean left, int width) {
        int length = sign.length() + prefix.length() + digits.length();
        if (zero && length < width) return sign + prefix + "0".repeat(width - length) + digits;
        return pad(sign + prefix + digits, left, width);
    }

    private String pad(String text, boolean left, int width) {
        return Strings.pad(run, text, left ? "ljust" : "rjust", width, " ");
    }
}
