package fewsh.jinja;

import fewsh.jinja.Token.Type;
import java.math.BigInteger;
import java.util.ArrayDeque;
import java.util.Deque;

/// Text to tokens, one at a time, so that a parser's error comes before the lexer's about a later place.
///
/// Source: `jinja2/lexer.py`.
final class Lexer {
    private enum State { ROOT, BLOCK, VARIABLE }

    private static final Type[] LONG = {Type.FLOORDIV, Type.POW, Type.EQ, Type.NE, Type.GTEQ, Type.LTEQ};
    private static final Type[] SHORT = {Type.ADD, Type.SUB, Type.DIV, Type.MUL, Type.MOD, Type.TILDE, Type.LBRACKET,
            Type.RBRACKET, Type.LPAREN, Type.RPAREN, Type.LBRACE, Type.RBRACE, Type.GT, Type.LT, Type.ASSIGN, Type.DOT,
            Type.COLON, Type.PIPE, Type.COMMA, Type.SEMICOLON};

    private final Environment environment;
    private final String source;
    private final Deque<Token> pending = new ArrayDeque<>();
    private final Deque<Character> brackets = new ArrayDeque<>();
    private State state = State.ROOT;
    private int pos;
    private boolean lineStarting = true;

    /// @param source as [#normalise] gives it
    Lexer(String source, Environment environment) {
        this.source = source;
        this.environment = environment;
    }

    /// The template with `\n` for every line end, and without the last one unless the environment keeps it.
    static String normalise(String text, Environment environment) {
        String source = text.indexOf('\r') < 0 ? text : text.replace("\r\n", "\n").replace('\r', '\n');
        return !environment.keepTrailingNewline() && source.endsWith("\n") ? source.substring(0, source.length() - 1) : source;
    }

    Token next() {
        while (pending.isEmpty()) {
            if (pos >= source.length()) return new Token(Type.EOF, "", null, source.length(), source.length());
            if (state == State.ROOT) root();
            else tag();
        }
        return pending.poll();
    }

    /// Literal text up to the next tag, and the tag's opening; comments and raw sections whole.
    private void root() {
        int open = nextOpening(pos);
        if (open < 0) {
            data(pos, source.length());
            pos = source.length();
            return;
        }
        char kind = source.charAt(open + 1);
        int raw = kind == '%' ? rawEnd(open) : -1;
        int after = open + 2;
        char sign = after < source.length() ? source.charAt(after) : ' ';
        if (sign == '-' || sign == '+') after++;
        int end = strippedEnd(pos, open, sign, kind != '{');
        data(pos, end);
        if (raw >= 0) {
            lineStarting = source.charAt(raw - 1) == '\n';
            pos = raw;
            raw();
        } else if (kind == '#') {
            pos = after;
            lineStarting = false;
            comment();
        } else {
            pos = after;
            lineStarting = false;
            state = kind == '%' ? State.BLOCK : State.VARIABLE;
            pending.add(new Token(kind == '%' ? Type.BLOCK_BEGIN : Type.VARIABLE_BEGIN, "", null, open, after));
        }
    }

    private int nextOpening(int from) {
        for (int i = source.indexOf('{', from); i >= 0; i = source.indexOf('{', i + 1)) {
            char next = i + 1 < source.length() ? source.charAt(i + 1) : ' ';
            if (next == '%' || next == '{' || next == '#') return i;
        }
        return -1;
    }

    /// Where the text before a tag ends once white space before the tag is dropped as its sign and the environment ask.
    private int strippedEnd(int from, int open, char sign, boolean isBlock) {
        if (sign == '-') {
            int end = open;
            while (end > from && CodePoints.isSpace(source.charAt(end - 1))) end--;
            return end;
        }
        if (sign != '+' && environment.lstripBlocks() && isBlock) {
            int line = source.lastIndexOf('\n', open - 1) + 1;
            int start = Math.max(line, from);
            if ((start > from || line > from || lineStarting) && start < open) {
                for (int i = start; i < open; i++) if (!CodePoints.isSpace(source.charAt(i))) return open;
                return start;
            }
        }
        return open;
    }

    /// After `{% raw %}`, or -1 if the block that opens here is another.
    private int rawEnd(int open) {
        int i = open + 2;
        if (i < source.length() && (source.charAt(i) == '-' || source.charAt(i) == '+')) i++;
        i = skipSpace(i);
        if (!source.startsWith("raw", i)) return -1;
        i = skipSpace(i + 3);
        if (source.startsWith("-%}", i)) return skipSpace(i + 3);
        return source.startsWith("%}", i) ? i + 2 : -1;
    }

    private void raw() {
        int start = pos;
        for (int open = source.indexOf("{%", pos); open >= 0; open = source.indexOf("{%", open + 1)) {
            int i = open + 2;
            char sign = i < source.length() ? source.charAt(i) : ' ';
            if (sign == '-' || sign == '+') i++;
            i = skipSpace(i);
            if (!source.startsWith("endraw", i)) continue;
            int end = blockEnd(skipSpace(i + 6), true);
            if (end < 0) continue;
            data(start, strippedEnd(start, open, sign, true));
            lineStarting = source.charAt(end - 1) == '\n';
            pos = end;
            return;
        }
        if (start < source.length()) throw error("Missing end of raw directive", start, start);
    }

    private void comment() {
        int start = pos;
        int close = source.indexOf("#}", pos);
        if (close < 0) {
            if (start < source.length()) throw error("Missing end of comment tag", start, start);
            return;
        }
        char before = close > start ? source.charAt(close - 1) : ' ';
        int end = close + 2;
        if (before == '-') end = skipSpace(end);
        else if (before != '+' && environment.trimBlocks() && source.startsWith("\n", end)) end++;
        lineStarting = source.charAt(end - 1) == '\n';
        pos = end;
    }

    private void data(int start, int end) {
        if (end > start) pending.add(new Token(Type.DATA, source.substring(start, end), null, start, end));
    }

    /// After the closing of a block or variable tag that begins at `i`, -1 if none does.
    private int blockEnd(int i, boolean block) {
        String close = block ? "%}" : "}}";
        if (source.startsWith("-" + close, i)) return skipSpace(i + 3);
        if (block && source.startsWith("+" + close, i)) return i + 3;
        if (!source.startsWith(close, i)) return -1;
        return block && environment.trimBlocks() && source.startsWith("\n", i + 2) ? i + 3 : i + 2;
    }

    private void tag() {
        if (brackets.isEmpty()) {
            int end = blockEnd(pos, state == State.BLOCK);
            if (end >= 0) {
                pending.add(new Token(state == State.BLOCK ? Type.BLOCK_END : Type.VARIABLE_END, "", null, pos, end));
                lineStarting = source.charAt(end - 1) == '\n';
                pos = end;
                state = State.ROOT;
                return;
            }
        }
        int c = source.codePointAt(pos);
        if (CodePoints.isSpace(c)) pos = skipSpace(pos);
        else if (c >= '0' && c <= '9') number();
        else if (CodePoints.isWord(c)) name();
        else if (c == '\'' || c == '"') string((char) c);
        else operator(c);
    }

    private void number() {
        int start = pos;
        int end = floatEnd();
        if (end > 0) {
            double value = Double.parseDouble(source.substring(start, end).replace("_", ""));
            pos = end;
            pending.add(new Token(Type.FLOAT, source.substring(start, end), new Value.Float(value), start, end));
            return;
        }
        String digits = "0123456789";
        int radix = 10;
        end = start + 1;
        char second = end < source.length() ? Character.toLowerCase(source.charAt(end)) : ' ';
        if (source.charAt(start) == '0') {
            digits = switch (second) {
                case 'b' -> "01";
                case 'o' -> "01234567";
                case 'x' -> "0123456789abcdefABCDEF";
                default -> "0";
            };
            radix = switch (second) {
                case 'b' -> 2;
                case 'o' -> 8;
                case 'x' -> 16;
                default -> 10;
            };
            int run = radix == 10 ? start + 1 : digitsEnd(start + 2, digits, true);
            if (radix == 10) end = digitsEnd(start + 1, "0", true);
            else if (run > start + 2) end = run;
            else radix = 10;
        } else {
            end = digitsEnd(start + 1, digits, true);
        }
        String text = source.substring(start, end).replace("_", "");
        String number = radix == 10 ? text : text.substring(2);
        if (number.length() > Numbers.MOST_DIGITS && radix == 10)
            throw error("Exceeds the limit (" + Numbers.MOST_DIGITS + " digits) for integer string conversion", start, end);
        if (number.length() > environment.limits().bits() / 8) throw error("number is too long", start, end);
        pos = end;
        pending.add(new Token(Type.INTEGER, text, new Value.Int(new BigInteger(number, radix)), start, end));
    }

    /// After the digits from `i` on, single underscores between them allowed (and before the first if `leading`).
    private int digitsEnd(int i, String digits, boolean leading) {
        int end = i;
        while (end < source.length()) {
            int at = source.charAt(end) == '_' && (leading || end > i) ? end + 1 : end;
            if (at >= source.length() || digits.indexOf(source.charAt(at)) < 0) break;
            end = at + 1;
        }
        return end;
    }

    /// After the float that begins here, or -1: digits, then a fraction or an exponent or both; not right after a dot.
    private int floatEnd() {
        String digits = "0123456789";
        if (pos > 0 && source.charAt(pos - 1) == '.') return -1;
        int whole = digitsEnd(pos, digits, false);
        int fraction = whole;
        if (source.startsWith(".", whole)) {
            int end = digitsEnd(whole + 1, digits, false);
            if (end > whole + 1) fraction = end;
        }
        int exponent = fraction;
        if (fraction < source.length() && Character.toLowerCase(source.charAt(fraction)) == 'e') {
            int sign = fraction + 1;
            if (sign < source.length() && "+-".indexOf(source.charAt(sign)) >= 0) sign++;
            int end = digitsEnd(sign, digits, false);
            if (end > sign) exponent = end;
        }
        return exponent > whole ? exponent : -1;
    }

    private void name() {
        int start = pos;
        int end = pos;
        while (end < source.length() && CodePoints.isWord(source.codePointAt(end)))
            end += Character.charCount(source.codePointAt(end));
        pos = end;
        String text = source.substring(start, end);
        if (!CodePoints.isIdentifier(text)) throw error("Invalid character in identifier", start, end);
        pending.add(new Token(Type.NAME, text, null, start, end));
    }

    private void string(char quote) {
        int start = pos;
        int end = pos + 1;
        while (end < source.length() && source.charAt(end) != quote) end += source.charAt(end) == '\\' ? 2 : 1;
        if (end >= source.length()) throw unexpected(start);
        pos = end + 1;
        String text = unescape(start + 1, end);
        pending.add(new Token(Type.STRING, text, new Value.Str(text, false), start, pos));
    }

    private void operator(int c) {
        int start = pos;
        for (Type type : LONG) {
            if (source.startsWith(type.description(), pos)) {
                add(type, start, start + 2);
                return;
            }
        }
        for (Type type : SHORT) {
            if (type.description().charAt(0) != c) continue;
            bracket((char) c, start);
            add(type, start, start + 1);
            return;
        }
        throw unexpected(start);
    }

    private void add(Type type, int start, int end) {
        pos = end;
        pending.add(new Token(type, source.substring(start, end), null, start, end));
    }

    private void bracket(char c, int at) {
        switch (c) {
            case '{' -> brackets.push('}');
            case '(' -> brackets.push(')');
            case '[' -> brackets.push(']');
            case '}', ')', ']' -> {
                if (brackets.isEmpty()) throw error("unexpected '" + c + "'", at, at + 1);
                char expected = brackets.pop();
                if (expected != c) throw error("unexpected '" + c + "', expected '" + expected + "'", at, at + 1);
            }
            default -> { }
        }
    }

    /// A string literal's characters: Python's `unicode-escape`.
    private String unescape(int from, int to) {
        if (source.substring(from, to).indexOf('\\') < 0) return source.substring(from, to);
        StringBuilder out = new StringBuilder();
        int i = from;
        while (i < to) {
            char c = source.charAt(i++);
            if (c != '\\') {
                out.append(c);
                continue;
            }
            char escape = source.charAt(i++);
            switch (escape) {
                case '\n' -> { }
                case '\\', '\'', '"' -> out.append(escape);
                case 'a' -> out.append('\u0007');
                case 'b' -> out.append('\b');
                case 'f' -> out.append('\f');
                case 'n' -> out.append('\n');
                case 'r' -> out.append('\r');
                case 't' -> out.append('\t');
                case 'v' -> out.append('\u000b');
                case 'x' -> i = hex(out, i, to, 2, "truncated \\xXX escape");
                case 'u' -> i = hex(out, i, to, 4, "truncated \\uXXXX escape");
                case 'U' -> i = hex(out, i, to, 8, "truncated \\UXXXXXXXX escape");
                case 'N' -> i = named(out, i, to);
                case '0', '1', '2', '3', '4', '5', '6', '7' -> {
                    int end = i - 1;
                    int code = 0;
                    while (end < to && end < i + 2 && source.charAt(end) >= '0' && source.charAt(end) <= '7')
                        code = code * 8 + source.charAt(end++) - '0';
                    out.appendCodePoint(code);
                    i = end;
                }
                default -> out.append('\\').append(escape);
            }
        }
        return out.toString();
    }

    private int hex(StringBuilder out, int i, int to, int count, String truncated) {
        int end = i;
        while (end < to && end < i + count && Character.digit(source.charAt(end), 16) >= 0 && source.charAt(end) < 128) end++;
        if (end < i + count) throw error(truncated, i - 2, end);
        long code = Long.parseLong(source.substring(i, end), 16);
        if (code > Character.MAX_CODE_POINT) throw error("illegal Unicode character", i - 2, end);
        out.appendCodePoint((int) code);
        return end;
    }

    private int named(StringBuilder out, int i, int to) {
        int close = source.indexOf('}', i);
        if (!source.startsWith("{", i) || close < 0 || close >= to || close == i + 1)
            throw error("malformed \\N character escape", i - 2, i);
        try {
            out.appendCodePoint(Character.codePointOf(source.substring(i + 1, close)));
        } catch (IllegalArgumentException e) {
            throw error("unknown Unicode character name", i - 2, close + 1);
        }
        return close + 1;
    }

    private int skipSpace(int i) {
        int end = i;
        while (end < source.length() && CodePoints.isSpace(source.charAt(end))) end++;
        return end;
    }

    private TemplateError unexpected(int at) {
        String c = new String(Character.toChars(source.codePointAt(at)));
        return error("unexpected char " + Python.quote(c) + " at " + source.codePointCount(0, at), at, at + c.length());
    }

    private TemplateError error(String message, int start, int end) {
        return new TemplateError(TemplateError.Kind.SYNTAX, message).at(source, start, end);
    }
}
