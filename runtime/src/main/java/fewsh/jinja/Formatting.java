package fewsh.jinja;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Map;

/// `str.format` and format specifications.
final class Formatting {
    private static final int DEEPEST = 2;

    private final Run run;
    private final boolean escape;
    private int automatic;
    private boolean manual;

    /// @param escape whether the format is `Markup` and its fields are to be escaped
    Formatting(Run run, boolean escape) {
        this.run = run;
        this.escape = escape;
    }

    String format(String format, Value.Dict map) {
        java.util.LinkedHashMap<String, Value> named = new java.util.LinkedHashMap<>();
        for (Map.Entry<Value, Value> entry : map.entries())
            if (entry.getKey() instanceof Value.Str key) named.put(key.text(), entry.getValue());
        return format(format, new Args(java.util.List.of(), named));
    }

    String format(String format, Args args) {
        return format(format, args, DEEPEST);
    }

    private String format(String format, Args args, int depth) {
        if (depth < 0) throw TemplateError.value("Max string recursion exceeded");
        StringBuilder out = new StringBuilder();
        int i = 0;
        while (i < format.length()) {
            char c = format.charAt(i);
            if (c == '}') {
                if (!format.startsWith("}}", i)) throw TemplateError.value("Single '}' encountered in format string");
                out.append('}');
                i += 2;
            } else if (c != '{') {
                out.append(c);
                i++;
            } else if (format.startsWith("{{", i)) {
                out.append('{');
                i += 2;
            } else {
                int close = closing(format, i + 1);
                String text = field(format.substring(i + 1, close), args, depth);
                run.text(text.length());
                out.append(text);
                i = close + 1;
            }
        }
        run.text(out.length());
        return out.toString();
    }

    private static int closing(String format, int from) {
        int open = 1;
        boolean bracket = false;
        for (int i = from; i < format.length(); i++) {
            char c = format.charAt(i);
            if (c == '[') bracket = true;
            if (c == ']') bracket = false;
            if (bracket) continue;
            if (c == '{') open++;
            if (c == '}' && --open == 0) return i;
        }
        throw TemplateError.value(from >= format.length() ? "Single '{' encountered in format string"
                : "expected '}' before end of string");
    }

    private String field(String field, Args args, int depth) {
        int end = 0;
        boolean bracket = false;
        while (end < field.length() && (bracket || ":!".indexOf(field.charAt(end)) < 0)) {
            if (field.charAt(end) == '[') bracket = true;
            if (field.charAt(end) == ']') bracket = false;
            end++;
        }
        Value value = lookUp(field.substring(0, end), args);
        String rest = field.substring(end);
        if (rest.startsWith("!")) {
            if (rest.length() < 2) throw TemplateError.value("end of string while looking for conversion specifier");
            value = switch (rest.charAt(1)) {
                case 's' -> run.str(Python.str(value));
                case 'r' -> run.str(Python.repr(value));
                case 'a' -> run.str(Json.asciiRepr(Python.repr(value)));
                default -> throw TemplateError.value("Unknown conversion specifier " + rest.charAt(1));
            };
            rest = rest.substring(2);
            if (!rest.isEmpty() && !rest.startsWith(":")) throw TemplateError.value("expected ':' after conversion specifier");
        }
        String specification = rest.isEmpty() ? "" : format(rest.substring(1), args, depth - 1);
        if (!escape) return format(value, specification);
        if (value instanceof Value.Str s && s.safe()) {
            if (!specification.isEmpty()) throw TemplateError.value("Unsupported format specification for Markup.");
            return s.text();
        }
        return Html.escape(format(value, specification));
    }

    private Value lookUp(String path, Args args) {
        int end = 0;
        while (end < path.length() && path.charAt(end) != '.' && path.charAt(end) != '[') end++;
        Value value = first(path.substring(0, end), args);
        int i = end;
        while (i < path.length()) {
            if (path.charAt(i) == '.') {
                int stop = i + 1;
                while (stop < path.length() && path.charAt(stop) != '.' && path.charAt(stop) != '[') stop++;
                if (stop == i + 1) throw TemplateError.value("Empty attribute in format string");
                value = attribute(value, path.substring(i + 1, stop));
                i = stop;
            } else {
                int stop = path.indexOf(']', i);
                if (path.charAt(i) != '[') throw TemplateError.value("Only '.' or '[' may follow ']' in format field specifier");
                if (stop < 0) throw TemplateError.value("Missing ']' in format string");
                if (stop == i + 1) throw TemplateError.value("Empty attribute in format string");
                value = item(value, path.substring(i + 1, stop));
                i = stop + 1;
            }
        }
        return value;
    }

    private Value attribute(Value of, String name) {
        Value value = Attributes.attribute(run, of, name);
        if (!run.environment.sandboxed() && value instanceof Value.Undefined) throw TemplateError.lacks(of, name);
        return value;
    }

    private Value item(Value of, String name) {
        Value key = isNumber(name) ? Value.of(Integer.parseInt(name)) : Value.of(name);
        Value value = Attributes.item(run, of, key);
        if (!run.environment.sandboxed() && value instanceof Value.Undefined)
            throw new TemplateError(TemplateError.Kind.KEY, Python.repr(key));
        return value;
    }

    private static boolean isNumber(String name) {
        return !name.isEmpty() && name.length() < 10 && name.chars().allMatch(c -> c >= '0' && c <= '9');
    }

    private Value first(String name, Args args) {
        int index;
        if (name.isEmpty()) {
            if (manual)
                throw TemplateError.value("cannot switch from manual field specification to automatic field numbering");
            index = automatic++;
        } else if (isNumber(name)) {
            if (automatic > 0)
                throw TemplateError.value("cannot switch from automatic field numbering to manual field specification");
            manual = true;
            index = Integer.parseInt(name);
        } else {
            Value value = args.named().get(name);
            if (value == null) throw new TemplateError(TemplateError.Kind.KEY, Python.quote(name));
            return value;
        }
        if (index >= args.count())
            throw new TemplateError(TemplateError.Kind.INDEX,
                    "Replacement index " + index + " out of range for positional args tuple");
        return args.at(index);
    }

    /// `format(value, specification)`.
    String format(Value value, String specification) {
        if (specification.isEmpty()) return Python.str(value);
        if (value instanceof Value.Bool) return format(new Value.Int(Numbers.integer(value)), specification);
        Spec spec = Spec.parse(specification);
        if (spec.grouping != 0 && (spec.grouping == ',' ? "nboxXc" : "nc").indexOf(spec.type) >= 0)
            throw TemplateError.value("Cannot specify '" + spec.grouping + "' with '" + spec.type + "'.");
        run.text(spec.width + Math.max(0L, spec.precision));
        return switch (value) {
            case Value.Str s -> text(s.text(), spec);
            case Value.Int i -> spec.type != 0 && "eEfFgG%".indexOf(spec.type) >= 0 ? real(Numbers.real(value), spec.numeric())
                    : integer(i.value(), spec.numeric());
            case Value.Float f -> real(f.value(), spec.numeric());
            default -> throw TemplateError.type("unsupported format string passed to " + Python.typeName(value) + ".__format__");
        };
    }

    private String text(String s, Spec spec) {
        if (spec.type != 0 && spec.type != 's') throw spec.unknown("str");
        if (!spec.sign.isEmpty()) throw TemplateError.value("Sign not allowed in string format specifier");
        if (spec.alternate) throw TemplateError.value("Alternate form (#) not allowed in string format specifier");
        if (spec.grouping != 0) throw TemplateError.value("Cannot specify '" + spec.grouping + "' with 's'.");
        if (spec.align == '=') throw TemplateError.value("'=' alignment not allowed in string format specifier");
        String cut = spec.precision >= 0 && CodePoints.length(s) > spec.precision ? CodePoints.sub(s, 0, spec.precision) : s;
        return spec.pad("", cut, '<');
    }

    private String integer(BigInteger value, Spec spec) {
        if (spec.precision >= 0) throw TemplateError.value("Precision not allowed in integer format specifier");
        String digits;
        String prefix = "";
        switch (spec.type) {
            case 0, 'd', 'n' -> digits = Numbers.str(value.abs());
            case 'b' -> {
                digits = value.abs().toString(2);
                prefix = "0b";
            }
            case 'o' -> {
                digits = value.abs().toString(8);
                prefix = "0o";
            }
            case 'x', 'X' -> {
                digits = value.abs().toString(16);
                prefix = "0x";
                if (spec.type == 'X') {
                    digits = CodePoints.upper(digits);
                    prefix = "0X";
                }
            }
            case 'c' -> {
                if (!spec.sign.isEmpty() || spec.alternate)
                    throw TemplateError.value((spec.alternate ? "Alternate form (#)" : "Sign")
                            + " not allowed with integer format specifier 'c'");
                if (value.signum() < 0 || value.bitLength() > 21 || value.intValue() > Character.MAX_CODE_POINT)
                    throw new TemplateError(TemplateError.Kind.OVERFLOW, "%c arg not in range(0x110000)");
                return spec.pad("", CodePoints.of(value.intValue()), '<');
            }
            default -> throw spec.unknown("int");
        }
        String sign = value.signum() < 0 ? "-" : spec.sign.equals("-") ? "" : spec.sign;
        int group = spec.type == 'b' || spec.type == 'o' || spec.type == 'x' || spec.type == 'X' ? 4 : 3;
        String lead = sign + (spec.alternate ? prefix : "");
        return spec.pad(lead, spec.group(lead, digits, "", group), '>');
    }

    private String real(double value, Spec spec) {
        String body;
        switch (spec.type) {
            case 0 -> {
                if (spec.precision >= 0) body = general(Math.abs(value), spec.precision, spec.alternate, true);
                else body = Numbers.str(Math.abs(value));
                if (spec.alternate && body.indexOf('.') < 0) body = body.replace("e", ".e");
            }
            case 'e', 'E', 'f', 'F', 'g', 'G' ->
                    body = real(Math.abs(value), spec.type, spec.precision < 0 ? 6 : spec.precision, spec.alternate);
            case 'n' -> body = real(Math.abs(value), 'g', spec.precision < 0 ? 6 : spec.precision, spec.alternate);
            case '%' -> body = real(Math.abs(value) * 100, 'f', spec.precision < 0 ? 6 : spec.precision, spec.alternate) + "%";
            default -> throw spec.unknown("float");
        }
        boolean negative = value < 0 || value == 0 && 1 / value < 0;
        String sign = negative ? "-" : spec.sign.equals("-") ? "" : spec.sign;
        int end = 0;
        while (end < body.length() && Character.isDigit(body.charAt(end))) end++;
        return spec.pad(sign, spec.group(sign, body.substring(0, end), body.substring(end), 3), '>');
    }

    /// A float's digits in one of the forms `e E f F g G`, exactly rounded, half to even.
    ///
    /// @param value not negative
    static String real(double value, char form, int precision, boolean alternate) {
        if (Double.isNaN(value)) return Character.isUpperCase(form) ? "NAN" : "nan";
        if (Double.isInfinite(value)) return Character.isUpperCase(form) ? "INF" : "inf";
        String text = switch (Character.toLowerCase(form)) {
            case 'f' -> fixed(new BigDecimal(value), precision, alternate);
            case 'e' -> scientific(new BigDecimal(value), precision, alternate);
            default -> general(value, precision, alternate, false);
        };
        return Character.isUpperCase(form) ? CodePoints.upper(text) : text;
    }

    private static String fixed(BigDecimal value, int precision, boolean alternate) {
        String text = value.setScale(precision, RoundingMode.HALF_EVEN).toPlainString();
        return alternate && precision == 0 ? text + "." : text;
    }

    private static String scientific(BigDecimal value, int precision, boolean alternate) {
        BigDecimal rounded = value.round(new MathContext(precision + 1, RoundingMode.HALF_EVEN));
        String digits = rounded.unscaledValue().toString();
        int exponent = value.signum() == 0 ? 0 : digits.length() - 1 - rounded.scale();
        if (digits.length() <= precision) digits += "0".repeat(precision + 1 - digits.length());
        digits = digits.substring(0, precision + 1);
        String mantissa = digits.charAt(0) + (precision > 0 ? "." + digits.substring(1) : alternate ? "." : "");
        return mantissa + "e" + (exponent < 0 ? "-" : "+") + (Math.abs(exponent) < 10 ? "0" : "") + Math.abs(exponent);
    }

    /// @param pointZero as with no form at all: a number without an exponent shows at least one decimal
    private static String general(double value, int precision, boolean alternate, boolean pointZero) {
        if (Double.isNaN(value)) return "nan";
        if (Double.isInfinite(value)) return "inf";
        int digits = Math.max(1, precision);
        BigDecimal exact = new BigDecimal(value);
        BigDecimal rounded = exact.round(new MathContext(digits, RoundingMode.HALF_EVEN));
        int exponent = exact.signum() == 0 ? 0 : rounded.precision() - 1 - rounded.scale();
        if (exponent < -4 || exponent >= (pointZero ? digits - 1 : digits)) {
            String text = scientific(exact, digits - 1, alternate);
            int e = text.indexOf('e');
            return alternate ? text : stripZeros(text.substring(0, e)) + text.substring(e);
        }
        String text = fixed(exact, Math.max(0, digits - 1 - exponent), alternate);
        if (alternate) return text;
        text = stripZeros(text);
        return pointZero && text.indexOf('.') < 0 ? text + ".0" : text;
    }

    private static String stripZeros(String text) {
        if (text.indexOf('.') < 0) return text;
        int end = text.length();
        while (text.charAt(end - 1) == '0') end--;
        if (text.charAt(end - 1) == '.') end--;
        return text.substring(0, end);
    }

    /// `[[fill]align][sign][#][0][width][grouping][.precision][type]`.
    private record Spec(String fill, char align, String sign, boolean alternate, boolean zero, int width, char grouping,
                        int precision, char type) {
        static Spec parse(String s) {
            int i = 0;
            String fill = " ";
            char align = 0;
            int first = s.codePointAt(0);
            int second = Character.charCount(first);
            if (second < s.length() && "<>=^".indexOf(s.charAt(second)) >= 0) {
                fill = CodePoints.of(first);
                align = s.charAt(second);
                i = second + 1;
            } else if ("<>=^".indexOf(s.charAt(0)) >= 0) {
                align = s.charAt(0);
                i = 1;
            }
            String sign = "";
            if (i < s.length() && "+- ".indexOf(s.charAt(i)) >= 0) sign = s.substring(i, ++i);
            boolean negativeZero = i < s.length() && s.charAt(i) == 'z';
            if (negativeZero) i++;
            boolean alternate = i < s.length() && s.charAt(i) == '#';
            if (alternate) i++;
            boolean zero = i < s.length() && s.charAt(i) == '0';
            if (zero) {
                i++;
                if (fill.equals(" ")) fill = "0";
            }
            int start = i;
            while (i < s.length() && Character.isDigit(s.charAt(i))) i++;
            int width = number(s.substring(start, i));
            char grouping = i < s.length() && (s.charAt(i) == ',' || s.charAt(i) == '_') ? s.charAt(i++) : 0;
            int precision = -1;
            if (i < s.length() && s.charAt(i) == '.') {
                start = ++i;
                while (i < s.length() && Character.isDigit(s.charAt(i))) i++;
                if (i == start) throw TemplateError.value("Format specifier missing precision");
                precision = number(s.substring(start, i));
            }
            char type = i < s.length() ? s.charAt(i++) : 0;
            if (i < s.length()) throw TemplateError.value("Invalid format specifier '" + s + "'");
            return new Spec(fill, align, sign, alternate, zero, width, grouping, precision, type);
        }

        /// For a number a zero before the width also says where the filling goes: after the sign.
        Spec numeric() {
            return zero && align == 0 ? new Spec(fill, '=', sign, alternate, true, width, grouping, precision, type) : this;
        }

        private static int number(String digits) {
            if (digits.length() > 9) throw TemplateError.value("Too many decimal digits in format string");
            return digits.isEmpty() ? 0 : Integer.parseInt(digits);
        }

        TemplateError unknown(String of) {
            return TemplateError.value("Unknown format code '" + type + "' for object of type '" + of + "'");
        }

        /// Digits in groups, zeros before them if the field is to be filled with zeros.
        String group(String sign, String digits, String rest, int size) {
            if (grouping == 0) return digits + rest;
            int least = align == '=' && fill.equals("0") ? width - sign.length() - rest.length() : 0;
            StringBuilder out = new StringBuilder();
            int inGroup = 0;
            for (int i = digits.length() - 1; i >= 0 || out.length() < least; i--) {
                if (inGroup == size) {
                    out.append(grouping);
                    inGroup = 0;
                }
                out.append(i >= 0 ? digits.charAt(i) : '0');
                inGroup++;
            }
            return out.reverse() + rest;
        }

        String pad(String sign, String body, char usual) {
            int missing = width - CodePoints.length(sign) - CodePoints.length(body);
            if (missing <= 0) return sign + body;
            return switch (align == 0 ? usual : align) {
                case '<' -> sign + body + fill.repeat(missing);
                case '^' -> fill.repeat(missing / 2) + sign + body + fill.repeat(missing - missing / 2);
                case '=' -> sign + fill.repeat(missing) + body;
                default -> fill.repeat(missing) + sign + body;
            };
        }
    }
}
