package fewsh.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// `json.dumps`.
///
/// @param ascii     escape everything beyond ASCII
/// @param indent    what one level is indented by; null for one line
/// @param item      between items, with its space
/// @param colon     between key and value, with its space
/// @param sortKeys  by key, which must then be comparable
record Json(boolean ascii, String indent, String item, String colon, boolean sortKeys) {
    /// @param indent     an integer, a string or none
    /// @param separators a pair or none
    static Json of(Run run, boolean ascii, Value indent, Value separators, boolean sortKeys) {
        String step = null;
        if (indent instanceof Value.Str s) {
            step = s.text();
        } else if (!(indent instanceof Value.None)) {
            long width = Math.max(0, Python.index(indent));
            run.text(width);
            step = " ".repeat((int) width);
        }
        String item = step == null ? ", " : ",";
        String colon = ": ";
        if (!(separators instanceof Value.None)) {
            List<Value> pair = Python.list(run, separators);
            if (pair.size() != 2) throw TemplateError.value("not enough values to unpack (expected 2, got " + pair.size() + ")");
            item = Strings.string(pair.get(0));
            colon = Strings.string(pair.get(1));
        }
        return new Json(ascii, step, item, colon, sortKeys);
    }

    String write(Run run, Value value) {
        StringBuilder out = new StringBuilder();
        write(run, value, out, 0);
        run.text(out.length());
        return out.toString();
    }

    private void write(Run run, Value value, StringBuilder out, int depth) {
        run.enter();
        run.work(1);
        switch (value) {
            case Value.None _ -> out.append("null");
            case Value.Bool b -> out.append(b.value());
            case Value.Int i -> out.append(Numbers.str(i.value()));
            case Value.Float f -> out.append(number(f.value()));
            case Value.Str s -> {
                run.text(s.text().length());
                quote(s.text(), out);
            }
            case Value.Array a -> list(run, a.items, out, depth);
            case Value.Tuple t -> list(run, t.items(), out, depth);
            case Value.Dict d -> dict(run, d, out, depth);
            case Value.Bytes _, Value.Range _, Value.View _, Value.Stream _, Value.Undefined _, Value.Function _, Value.Macro _,
                 Value.Namespace _, Value.Cycler _, Value.Joiner _, Value.Loop _, Value.Type _, Value.Self _, Value.Slice _ ->
                    throw TemplateError.type("Object of type " + Python.typeName(value) + " is not JSON serializable");
        }
        run.leave();
    }

    private static String number(double value) {
        if (Double.isNaN(value)) return "NaN";
        if (Double.isInfinite(value)) return value > 0 ? "Infinity" : "-Infinity";
        return Numbers.str(value);
    }

    private void list(Run run, List<Value> items, StringBuilder out, int depth) {
        if (items.isEmpty()) {
            out.append("[]");
            return;
        }
        out.append('[');
        String separator = "";
        for (Value element : items) {
            out.append(separator);
            line(run, out, depth + 1);
            write(run, element, out, depth + 1);
            separator = item;
        }
        line(run, out, depth);
        out.append(']');
    }

    private void dict(Run run, Value.Dict dict, StringBuilder out, int depth) {
        if (dict.size() == 0) {
            out.append("{}");
            return;
        }
        List<Map.Entry<Value, Value>> entries = dict.entries();
        if (sortKeys) {
            List<Value> positions = new ArrayList<>();
            List<Value> keys = new ArrayList<>();
            for (Map.Entry<Value, Value> entry : entries) {
                positions.add(Value.of(positions.size()));
                keys.add(entry.getKey());
            }
            List<Map.Entry<Value, Value>> sorted = new ArrayList<>();
            for (Value position : Python.sorted(run, positions, keys, false))
                sorted.add(entries.get((int) Python.index(position)));
            entries = sorted;
        }
        out.append('{');
        String separator = "";
        for (Map.Entry<Value, Value> entry : entries) {
            out.append(separator);
            line(run, out, depth + 1);
            quote(key(entry.getKey()), out);
            out.append(colon);
            write(run, entry.getValue(), out, depth + 1);
            separator = item;
        }
        line(run, out, depth);
        out.append('}');
    }

    private static String key(Value key) {
        return switch (key) {
            case Value.Str s -> s.text();
            case Value.None _ -> "null";
            case Value.Bool b -> String.valueOf(b.value());
            case Value.Int i -> Numbers.str(i.value());
            case Value.Float f -> number(f.value());
            default -> throw TemplateError.type("keys must be str, int, float, bool or None, not " + Python.typeName(key));
        };
    }

    private void line(Run run, StringBuilder out, int depth) {
        if (indent == null) return;
        run.text((long) indent.length() * depth);
        out.append('\n').repeat(indent, depth);
    }

    private void quote(String text, StringBuilder out) {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"' -> out.append("\\\"");
                case '\\' -> out.append("\\\\");
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                case '\f' -> out.append("\\f");
                case '\b' -> out.append("\\b");
                default -> {
                    if (c < ' ' || ascii && c > '~') out.append(String.format("\\u%04x", (int) c));
                    else out.append(c);
                }
            }
        }
        out.append('"');
    }

    /// Python's `ascii()`, from a `repr`.
    static String asciiRepr(String repr) {
        StringBuilder out = new StringBuilder();
        repr.codePoints().forEach(c -> {
            if (c < 128) out.append((char) c);
            else if (c < 0x100) out.append(String.format("\\x%02x", c));
            else if (c < 0x10000) out.append(String.format("\\u%04x", c));
            else out.append(String.format("\\U%08x", c));
        });
        return out.toString();
    }
}
