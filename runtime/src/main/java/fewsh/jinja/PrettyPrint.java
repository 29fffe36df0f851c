package fewsh.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// `pprint.pformat`: containers on one line where 80 columns are enough, one item a line where not; dicts sorted by key.
///
/// Source: CPython's `pprint.py`.
final class PrettyPrint {
    private static final int WIDTH = 80;

    private final Run run;
    private final StringBuilder out = new StringBuilder();

    private PrettyPrint(Run run) {
        this.run = run;
    }

    static String format(Run run, Value value) {
        PrettyPrint print = new PrettyPrint(run);
        print.write(value, 0, 0, 0);
        run.text(print.out.length());
        return print.out.toString();
    }

    private void write(Value value, int indent, int allowance, int level) {
        run.enter();
        run.work(1);
        String line = Python.repr(sorted(value, 0));
        run.text(line.length());
        int room = WIDTH - indent - allowance;
        if (CodePoints.length(line) <= room) {
            out.append(line);
        } else {
            switch (value) {
                case Value.Dict d -> dict(d, indent, allowance, level);
                case Value.Array a -> items(a.items, "[", "]", indent, allowance, level);
                case Value.Tuple t -> items(t.items(), "(", t.items().size() == 1 ? ",)" : ")", indent, allowance, level);
                case Value.Str s when !s.safe() -> text(s.text(), indent, allowance, level);
                default -> out.append(line);
            }
        }
        run.leave();
    }

    /// The same value with every dict in it sorted.
    private Value sorted(Value value, int depth) {
        if (depth > 200) throw TemplateError.recursion();
        run.work(1);
        return switch (value) {
            case Value.Dict d -> {
                Value.Dict copy = new Value.Dict();
                for (Map.Entry<Value, Value> entry : entries(d)) copy.put(entry.getKey(), sorted(entry.getValue(), depth + 1));
                yield copy;
            }
            case Value.Array a -> {
                List<Value> copy = new ArrayList<>();
                for (Value item : a.items) copy.add(sorted(item, depth + 1));
                yield new Value.Array(copy);
            }
            case Value.Tuple t -> {
                List<Value> copy = new ArrayList<>();
                for (Value item : t.items()) copy.add(sorted(item, depth + 1));
                yield new Value.Tuple(copy);
            }
            default -> value;
        };
    }

    /// By key; keys that cannot be compared by the names of their types.
    private List<Map.Entry<Value, Value>> entries(Value.Dict dict) {
        List<Map.Entry<Value, Value>> entries = dict.entries();
        entries.sort((a, b) -> {
            Value x = a.getKey();
            Value y = b.getKey();
            if (Python.isNumber(x) && Python.isNumber(y) && !Numbers.isNan(x) && !Numbers.isNan(y)) return Numbers.compare(x, y);
            if (x instanceof Value.Str && y instanceof Value.Str)
                return Python.compare(run, "<", x, y) ? -1 : Python.equal(run, x, y) ? 0 : 1;
            return sortName(x).compareTo(sortName(y));
        });
        return entries;
    }

    private static String sortName(Value value) {
        return Python.isNumber(value) ? "<class 'int'>" : "<class '" + Python.typeName(value) + "'>";
    }

    private void dict(Value.Dict dict, int indent, int allowance, int level) {
        out.append('{');
        List<Map.Entry<Value, Value>> entries = entries(dict);
        for (int i = 0; i < entries.size(); i++) {
            boolean last = i == entries.size() - 1;
            String key = Python.repr(entries.get(i).getKey());
            out.append(key).append(": ");
            write(entries.get(i).getValue(), indent + 1 + CodePoints.length(key) + 2, last ? allowance + 1 : 1, level + 1);
            if (!last) out.append(",\n").repeat(' ', indent + 1);
        }
        out.append('}');
    }

    private void items(List<Value> items, String open, String close, int indent, int allowance, int level) {
        out.append(open);
        for (int i = 0; i < items.size(); i++) {
            boolean last = i == items.size() - 1;
            write(items.get(i), indent + 1, last ? allowance + close.length() : 1, level + 1);
            if (!last) out.append(",\n").repeat(' ', indent + 1);
        }
        out.append(close);
    }

    private void text(String text, int indent, int allowance, int level) {
        int start = level == 0 ? indent + 1 : indent;
        int inner = level == 0 ? allowance + 1 : allowance;
        List<String> chunks = new ArrayList<>();
        List<String> lines = Strings.splitLines(text, true);
        for (int i = 0; i < lines.size(); i++) {
            boolean lastLine = i == lines.size() - 1;
            int room = WIDTH - start - (lastLine ? inner : 0);
            if (CodePoints.length(Python.quote(lines.get(i))) <= room) {
                chunks.add(Python.quote(lines.get(i)));
                continue;
            }
            Matcher parts = Pattern.compile("\\S*\\s*").matcher(lines.get(i));
            List<String> words = new ArrayList<>();
            while (parts.find()) if (!parts.group().isEmpty()) words.add(parts.group());
            String current = "";
            for (int j = 0; j < words.size(); j++) {
                String candidate = current + words.get(j);
                int most = WIDTH - start - (lastLine && j == words.size() - 1 ? inner : 0);
                if (CodePoints.length(Python.quote(candidate)) > most) {
                    if (!current.isEmpty()) chunks.add(Python.quote(current));
                    current = words.get(j);
                } else {
                    current = candidate;
                }
            }
            if (!current.isEmpty()) chunks.add(Python.quote(current));
        }
        if (chunks.size() == 1) {
            out.append(chunks.getFirst());
            return;
        }
        if (level == 0) out.append('(');
        out.append(String.join("\n" + " ".repeat(start), chunks));
        if (level == 0) out.append(')');
    }
}
