package fewsh.prompt;

import com.github.jknack.handlebars.Context;
import com.github.jknack.handlebars.Helper;
import com.github.jknack.handlebars.Options;
import java.io.IOException;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// How JavaScript shows and compares values, and the block helpers that handlebars.js brings, which show it.
///
/// The library's own differ: its `@first` is a text, its `each` forgets `@index` over maps, its numbers print as Java's.
final class HandlebarsJs {
    /// A tag that prints the number used once.
    static final String NONCE = "{{__nonce}}";
    private static final String NOTHING = "__nothing";
    private static final String BACKSLASH = "__backslash";
    static final Map<String, Helper<?>> HELPERS = Map.of("if", HandlebarsJs::when, "unless", HandlebarsJs::unless,
            "each", HandlebarsJs::each, "with", HandlebarsJs::with, "lookup", HandlebarsJs::lookup,
            "__nonce", (_, _) -> Mustache.nonce(), NOTHING, (_, _) -> "", BACKSLASH, (_, _) -> "\\");

    private HandlebarsJs() {}

    /// `template` with what the library reads otherwise in words that it reads the same: comments that strip white space, a
    /// backslash before a tag, and a partial at the end of a line that is not all of the line.
    static String adapted(String template) {
        StringBuilder out = new StringBuilder();
        int from = 0;
        int at = template.indexOf("{{");
        while (at >= 0) {
            int slashes = 0;
            while (at - slashes > from && template.charAt(at - slashes - 1) == '\\') slashes++;
            int end = template.indexOf("}}", at);
            if (end < 0) break;
            if (slashes > 1) {
                out.append(template, from, at - slashes).repeat(tag("", BACKSLASH, ""), slashes - 1);
                from = at;
            }
            String left = template.startsWith("~", at + 2) ? "~" : "";
            int inner = at + 2 + left.length();
            if (template.startsWith("!--", inner)) {
                int close = template.indexOf("--", inner + 3);
                while (close >= 0 && !template.startsWith("}}", close + 2) && !template.startsWith("~}}", close + 2))
                    close = template.indexOf("--", close + 1);
                if (close < 0) break;
                end = template.indexOf("}}", close);
            }
            String right = template.charAt(end - 1) == '~' && end - 1 >= inner ? "~" : "";
            if (template.startsWith("!", inner) && !(left + right).isEmpty() && slashes != 1) {
                out.append(template, from, at).append(tag(left, NOTHING, right));
                from = end + 2;
            } else if (template.startsWith(">", inner) && endsLine(template, end + 2) && !blankBefore(template, at)) {
                out.append(template, from, end + 2).append(tag("", NOTHING, ""));
                from = end + 2;
            }
            at = template.indexOf("{{", end + 2);
        }
        return out.append(template, from, template.length()).toString();
    }

    private static String tag(String left, String name, String right) {
        return "{{" + left + name + right + "}}";
    }

    private static boolean endsLine(String text, int at) {
        return text.startsWith("\n", at) || text.startsWith("\r\n", at);
    }

    private static boolean blankBefore(String text, int at) {
        return text.substring(text.lastIndexOf('\n', at) + 1, at).isBlank();
    }

    /// As `${value}` gives it; null is the empty text.
    static String text(Object value) {
        return switch (value) {
            case null -> "";
            case Double d when d == Math.rint(d) && Math.abs(d) < 1e21 -> new java.math.BigDecimal(d).toBigInteger().toString();
            case Double d when d.isInfinite() -> d > 0 ? "Infinity" : "-Infinity";
            case Double d -> {
                String text = d.toString().toLowerCase();
                yield text.contains("e") ? exponent(d) : text;
            }
            case Collection<?> items -> {
                StringBuilder out = new StringBuilder();
                for (Object item : items) {
                    Mustache.work(1);
                    out.append(out.isEmpty() ? "" : ",").append(text(item));
                }
                yield out.toString();
            }
            case Map<?, ?> _ -> "[object Object]";
            default -> value.toString();
        };
    }

    private static String exponent(double d) {
        if (Math.abs(d) >= 1e-6 && Math.abs(d) < 1e21) return new java.math.BigDecimal(Double.toString(d)).toPlainString();
        String[] parts = Double.toString(d).split("E");
        String digits = parts[0].endsWith(".0") ? parts[0].substring(0, parts[0].length() - 2) : parts[0];
        return digits + "e" + (parts[1].startsWith("-") ? "" : "+") + parts[1];
    }

    /// `a === b`
    static boolean same(Object a, Object b) {
        if (a instanceof Number x && b instanceof Number y) return x.doubleValue() == y.doubleValue();
        if (a instanceof CharSequence && b instanceof CharSequence) return a.toString().contentEquals(b.toString());
        if (a instanceof Boolean || b instanceof Boolean) return a != null && a.equals(b);
        return a == b;
    }

    private static boolean isEmpty(Object value, boolean zeroCounts) {
        return switch (value) {
            case null -> true;
            case Boolean b -> !b;
            case CharSequence text -> text.isEmpty();
            case Number n -> Double.isNaN(n.doubleValue()) || n.doubleValue() == 0 && !zeroCounts;
            case Collection<?> items -> items.isEmpty();
            default -> false;
        };
    }

    private static Object first(Options options, Object context) {
        return options.params.length == 0 && context == options.context.model() && options.hash.isEmpty() ? null : context;
    }

    private static CharSequence when(Object value, Options options) throws IOException {
        boolean zero = Boolean.TRUE.equals(options.hash("includeZero"));
        return block(options, !isEmpty(value, zero));
    }

    private static CharSequence unless(Object value, Options options) throws IOException {
        boolean zero = Boolean.TRUE.equals(options.hash("includeZero"));
        return block(options, isEmpty(value, zero));
    }

    /// The block, or what follows its `else`.
    static CharSequence block(Options options, boolean yes) throws IOException {
        Mustache.work(1);
        return Mustache.paid(yes ? options.fn() : options.inverse());
    }

    private static CharSequence with(Object value, Options options) throws IOException {
        Mustache.work(1);
        if (isEmpty(value, false)) return Mustache.paid(options.inverse());
        Context inner = Context.newContext(options.context, value);
        if (!options.blockParams.isEmpty()) return Mustache.paid(options.apply(options.fn, inner, List.of(value)));
        return Mustache.paid(options.fn(inner));
    }

    private static Object lookup(Object from, Options options) {
        Object key = first(options, options.params.length == 0 ? null : options.param(0));
        Mustache.work(1);
        if (from instanceof Map<?, ?> map) return map.get(text(key));
        if (from instanceof List<?> list && key instanceof Number n && n.intValue() >= 0 && n.intValue() < list.size())
            return list.get(n.intValue());
        return null;
    }

    private static CharSequence each(Object items, Options options) throws IOException {
        Map<String, Object> entries = new LinkedHashMap<>();
        if (items instanceof Map<?, ?> map) map.forEach((key, value) -> entries.put(String.valueOf(key), value));
        Collection<?> values = items instanceof Map ? entries.values() : items instanceof Collection<?> list ? list : List.of();
        if (values.isEmpty()) return Mustache.paid(options.inverse());
        StringBuilder out = new StringBuilder();
        var keys = entries.keySet().iterator();
        int index = 0;
        for (Object value : values) {
            Mustache.work(1);
            Object key = keys.hasNext() ? keys.next() : index;
            Object shown = value == null ? "" : value;
            Context inner = Context.newBuilder(options.context, shown).combine("@index", index).combine("@key", key)
                    .combine("@first", index == 0).combine("@last", index == values.size() - 1).build();
            CharSequence text = options.blockParams.isEmpty() ? options.fn(inner)
                    : options.apply(options.fn, inner, List.of(shown, key));
            out.append(Mustache.paid(text));
            index++;
        }
        return out;
    }
}
