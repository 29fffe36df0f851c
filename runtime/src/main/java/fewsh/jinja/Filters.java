package fewsh.jinja;

import fewsh.jinja.TemplateError.Kind;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;

/// The filters: one row each, its parameters named as in Python; those with a `?` may be left out and are then null.
///
/// Source: `jinja2/filters.py`.
final class Filters {
    private interface Body {
        Value apply(Run run, Value[] a);
    }

    private record Filter(String parameters, Body body) {}

    private static final Map<String, Filter> TABLE = new HashMap<>();
    private static final Set<String> OPEN = Set.of("format", "map", "select", "reject", "selectattr", "rejectattr");

    static {
        add("abs", "x", (_, a) -> {
            if (!Python.isNumber(a[0])) throw TemplateError.type("bad operand type for abs(): '" + Python.typeName(a[0]) + "'");
            return Numbers.absolute(a[0]);
        });
        add("attr", "obj name", (run, a) -> Attributes.attributeOnly(run, a[0], Strings.string(a[1])));
        add("batch", "value linecount fill_with?", Filters::batch);
        add("capitalize", "s", (run, a) -> text(run, a[0], Strings::capitalize));
        add("center", "value width?", (run, a) -> text(run, a[0], s ->
                Strings.pad(run, s, "center", a[1] == null ? 80 : Python.index(a[1]), " ")));
        add("count", "obj", (_, a) -> Value.of(Python.length(a[0])));
        add("length", "obj", (_, a) -> Value.of(Python.length(a[0])));
        add("d", "value default_value? boolean?", Filters::byDefault);
        add("default", "value default_value? boolean?", Filters::byDefault);
        add("dictsort", "value case_sensitive? by? reverse?", Filters::dictSort);
        add("e", "s", (run, a) -> escaped(run, Html.escape(a[0])));
        add("escape", "s", (run, a) -> escaped(run, Html.escape(a[0])));
        add("forceescape", "value", (run, a) -> escaped(run, Html.escape(Python.str(a[0]))));
        add("filesizeformat", "value binary?", (_, a) -> Value.of(fileSize(real(a[0]), truth(a[1]))));
        add("first", "seq", (run, a) -> {
            Iterator<Value> items = Python.iterate(run, a[0]);
            return items.hasNext() ? items.next() : run.undefined("No first item, sequence was empty.", null, Value.NONE);
        });
        add("last", "seq", (run, a) -> {
            Iterator<Value> items = reversed(run, a[0]);
            return items.hasNext() ? items.next() : run.undefined("No last item, sequence was empty.", null, Value.NONE);
        });
        add("float", "value default?", (_, a) -> {
            Value real = toFloat(a[0]);
            return real != null ? real : a[1] != null ? a[1] : new Value.Float(0);
        });
        add("groupby", "value attribute default? case_sensitive?", Filters::groupBy);
        add("indent", "s width? first? blank?", Filters::indent);
        add("int", "value default? base?", (_, a) -> {
            Value integer = toInt(a[0], a[2] == null ? 10 : Python.index(a[2]));
            return integer != null ? integer : a[1] != null ? a[1] : Value.of(0);
        });
        add("items", "value", (run, a) -> lazy(run, () -> {
            if (a[0] instanceof Value.Undefined) return java.util.Collections.emptyIterator();
            if (!(a[0] instanceof Value.Dict d)) throw TemplateError.type("Can only get item pairs from a mapping.");
            return Python.iterate(run, new Value.View(d, Value.Part.ITEMS));
        }));
        add("join", "value d? attribute?", Filters::join);
        add("list", "value", (run, a) -> new Value.Array(Python.list(run, a[0])));
        add("lower", "s", (run, a) -> text(run, a[0], CodePoints::lower));
        add("upper", "s", (run, a) -> text(run, a[0], CodePoints::upper));
        add("max", "value case_sensitive? attribute?", (run, a) -> extreme(run, a, ">"));
        add("min", "value case_sensitive? attribute?", (run, a) -> extreme(run, a, "<"));
        add("pprint", "value", (run, a) -> run.str(PrettyPrint.format(run, a[0])));
        add("random", "seq", (run, a) -> {
            long size = Python.length(a[0]);
            if (size == 0) return run.undefined("No random item, sequence was empty.", null, Value.NONE);
            return Attributes.item(run, a[0], Value.of(run.random.nextLong(size)));
        });
        add("replace", "s old new count?", Filters::replace);
        add("reverse", "value", Filters::reverse);
        add("round", "value precision? method?", Filters::round);
        add("safe", "value", (run, a) -> new Value.Str(Python.str(run, a[0]), true));
        add("slice", "value slices fill_with?", Filters::slice);
        add("sort", "value reverse? case_sensitive? attribute?", Filters::sort);
        add("string", "object", (run, a) -> soft(run, a[0]));
        add("striptags", "value", (run, a) -> run.str(Html.stripTags(Python.str(a[0]))));
        add("sum", "iterable attribute? start?", Filters::sum);
        add("title", "s", (run, a) -> run.str(title(Python.str(run, a[0]))));
        add("tojson", "value indent?", Filters::toJson);
        add("trim", "value chars?", (run, a) -> text(run, a[0], s ->
                Strings.strip(s, isNone(a[1]) ? null : Strings.string(a[1]), true, true)));
        add("truncate", "s length? killwords? end? leeway?", Filters::truncate);
        add("unique", "value case_sensitive? attribute?", Filters::unique);
        add("urlencode", "value", Filters::urlEncode);
        add("urlize", "value trim_url_limit? nofollow? target? rel? extra_schemes?", Filters::urlize);
        add("wordcount", "s", (run, a) -> Value.of(words(Python.str(run, a[0]))));
        add("wordwrap", "s width? break_long_words? wrapstring? break_on_hyphens?", Filters::wordWrap);
        add("xmlattr", "d autospace?", (run, a) -> {
            String attributes = Html.attributes(run, a[0], a[1] == null || Python.truth(a[1]));
            return new Value.Str(attributes, run.autoescape);
        });
    }

    private Filters() {}

    private static void add(String name, String parameters, Body body) {
        TABLE.put(name, new Filter(parameters, body));
    }

    static boolean has(Environment environment, String name) {
        return TABLE.containsKey(name) || OPEN.contains(name) || environment.regexReplace() && name.equals("regex_replace");
    }

    static Value apply(Run run, String name, Value value, Args args) {
        run.work(1);
        switch (name) {
            case "format" -> {
                return format(run, value, args);
            }
            case "map" -> {
                return map(run, value, args);
            }
            case "select", "reject" -> {
                return select(run, value, args, name.equals("select"), false);
            }
            case "selectattr", "rejectattr" -> {
                return select(run, value, args, name.equals("selectattr"), true);
            }
            default -> { }
        }
        Args all = args.withFirst(value);
        if (name.equals("regex_replace")) {
            Value[] a = all.bind("<lambda>", "string pattern repl count?");
            return run.str(Regex.replace(run, Strings.string(a[1]), Strings.string(a[2]), Strings.string(a[0]),
                    a[3] == null ? 0 : Python.index(a[3])));
        }
        if (name.equals("tojson") && run.environment.chatTags()) {
            Value[] a = all.bind("tojson", "x ensure_ascii? indent? separators? sort_keys?");
            Value indent = a[2] == null ? Value.NONE : a[2];
            Value separators = a[3] == null ? Value.NONE : a[3];
            return run.str(Json.of(run, truth(a[1]), indent, separators, truth(a[4])).write(run, a[0]));
        }
        Filter filter = TABLE.get(name);
        return filter.body.apply(run, all.bind("do_" + name, filter.parameters));
    }

    // Values

    private static boolean truth(Value value) {
        return value != null && Python.truth(value);
    }

    private static boolean isNone(Value value) {
        return value == null || value instanceof Value.None;
    }

    /// markupsafe's `soft_str`: text that counts as escaped still does.
    private static Value.Str soft(Run run, Value value) {
        return value instanceof Value.Str s ? s : new Value.Str(Python.str(run, value), false);
    }

    private static Value text(Run run, Value value, Function<String, String> change) {
        Value.Str s = soft(run, value);
        String changed = change.apply(s.text());
        run.text(changed.length());
        return new Value.Str(changed, s.safe());
    }

    private static Value escaped(Run run, String text) {
        run.text(text.length());
        return new Value.Str(text, true);
    }

    /// A generator: nothing happens before its first item is asked for.
    private static Value lazy(Run run, Supplier<Iterator<Value>> source) {
        return new Value.Stream("generator", new Iterator<>() {
            private Iterator<Value> items;

            private Iterator<Value> items() {
                if (items == null) items = source.get();
                return items;
            }

            @Override
            public boolean hasNext() {
                return items().hasNext();
            }

            @Override
            public Value next() {
                run.work(1);
                return items().next();
            }
        });
    }

    /// `value[a][b]` for an attribute `a.b`; numbers in it are indices.
    private static Value path(Run run, Value value, Value attribute, Value byDefault) {
        Value item = value;
        for (Value part : parts(attribute)) {
            item = Attributes.item(run, item, part);
            if (!isNone(byDefault) && item instanceof Value.Undefined) item = byDefault;
        }
        return item;
    }

    private static List<Value> parts(Value attribute) {
        if (isNone(attribute)) return List.of();
        if (!(attribute instanceof Value.Str s)) return List.of(attribute);
        List<Value> parts = new ArrayList<>();
        for (String part : Strings.split(s.text(), ".", -1)) {
            boolean number = !part.isEmpty() && part.codePoints().allMatch(CodePoints::isDigit);
            parts.add(number ? new Value.Int(Numbers.parse(part, 10)) : Value.of(part));
        }
        return parts;
    }

    private static Value ignoreCase(Run run, Value value, boolean caseSensitive) {
        if (caseSensitive || !(value instanceof Value.Str s)) return value;
        run.text(s.text().length());
        return Value.of(CodePoints.lower(s.text()));
    }

    // Filters

    private static Value byDefault(Run run, Value[] a) {
        boolean missing = a[0] instanceof Value.Undefined || truth(a[2]) && !Python.truth(a[0]);
        return missing ? a[1] == null ? Value.of("") : a[1] : a[0];
    }

    private static Value batch(Run run, Value[] a) {
        return lazy(run, () -> {
            Iterator<Value> items = Python.iterate(run, a[0]);
            return new Iterator<>() {
                @Override
                public boolean hasNext() {
                    return items.hasNext();
                }

                @Override
                public Value next() {
                    Value.Array row = new Value.Array(List.of());
                    long size = a[1] instanceof Value.Float f ? (long) f.value() : Python.index(a[1]);
                    while (items.hasNext() && (row.items.size() != size || size <= 0)) row.items.add(items.next());
                    if (!isNone(a[2]))
                        while (row.items.size() < size) {
                            run.work(2);
                            row.items.add(a[2]);
                        }
                    return row;
                }
            };
        });
    }

    private static Value slice(Run run, Value[] a) {
        return lazy(run, () -> {
            List<Value> items = Python.list(run, a[0]);
            long slices = Python.index(a[1]);
            if (slices == 0) throw new TemplateError(Kind.ZERO_DIVISION, "integer division or modulo by zero");
            List<Value> out = new ArrayList<>();
            long each = Math.floorDiv(items.size(), slices);
            long extra = Math.floorMod(items.size(), slices);
            int start = 0;
            for (long i = 0; i < slices; i++) {
                run.work(2);
                int end = (int) (start + each + (i < extra ? 1 : 0));
                Value.Array part = new Value.Array(items.subList(start, end));
                if (!isNone(a[2]) && i >= extra) part.items.add(a[2]);
                out.add(part);
                start = end;
            }
            return out.iterator();
        });
    }

    private static Value dictSort(Run run, Value[] a) {
        String by = a[2] == null ? "key" : Python.str(a[2]);
        if (!by.equals("key") && !by.equals("value"))
            throw new TemplateError(Kind.FILTER_ARGUMENT, "You can only sort by either \"key\" or \"value\"");
        if (a[0] instanceof Value.Undefined u) throw u.failure();
        if (!(a[0] instanceof Value.Dict dict)) throw TemplateError.lacks(a[0], "items");
        List<Value> pairs = Python.list(run, new Value.View(dict, Value.Part.ITEMS));
        List<Value> keys = new ArrayList<>();
        for (Value pair : pairs)
            keys.add(ignoreCase(run, ((Value.Tuple) pair).items().get(by.equals("key") ? 0 : 1), truth(a[1])));
        return new Value.Array(Python.sorted(run, pairs, keys, truth(a[3])));
    }

    private static Value sort(Run run, Value[] a) {
        List<Value> items = Python.list(run, a[0]);
        List<Value> attributes = new ArrayList<>();
        if (a[3] instanceof Value.Str s) for (String part : s.text().split(",", -1)) attributes.add(Value.of(part));
        else attributes.add(a[3]);
        List<Value> keys = new ArrayList<>();
        for (Value item : items) {
            List<Value> key = new ArrayList<>();
            for (Value attribute : attributes) key.add(ignoreCase(run, path(run, item, attribute, null), truth(a[2])));
            keys.add(new Value.Array(key));
        }
        return new Value.Array(Python.sorted(run, items, keys, truth(a[1])));
    }

    private static Value unique(Run run, Value[] a) {
        return lazy(run, () -> {
            Iterator<Value> items = Python.iterate(run, a[0]);
            Set<Object> seen = new HashSet<>();
            return filtered(items, item -> seen.add(Python.key(ignoreCase(run, path(run, item, a[2], null), truth(a[1])))));
        });
    }

    private static Iterator<Value> filtered(Iterator<Value> items, Function<Value, Boolean> keep) {
        return new Iterator<>() {
            private Value next;

            @Override
            public boolean hasNext() {
                while (next == null && items.hasNext()) {
                    Value item = items.next();
                    if (keep.apply(item)) next = item;
                }
                return next != null;
            }

            @Override
            public Value next() {
                if (!hasNext()) throw new NoSuchElementException();
                Value item = next;
                next = null;
                return item;
            }
        };
    }

    private static Value groupBy(Run run, Value[] a) {
        boolean caseSensitive = truth(a[3]);
        List<Value> items = Python.list(run, a[0]);
        List<Value> keys = new ArrayList<>();
        for (Value item : items) keys.add(ignoreCase(run, path(run, item, a[1], a[2]), caseSensitive));
        List<Value> groups = new ArrayList<>();
        Value last = null;
        Value.Array group = null;
        for (Value item : Python.sorted(run, items, keys, false)) {
            Value key = ignoreCase(run, path(run, item, a[1], a[2]), caseSensitive);
            if (group == null || !Python.same(run, last, key)) {
                group = new Value.Array(List.of());
                Value shown = caseSensitive ? key : path(run, item, a[1], a[2]);
                groups.add(new Value.Tuple(List.of(shown, group), List.of("grouper", "list")));
                last = key;
            }
            group.items.add(item);
        }
        return new Value.Array(groups);
    }

    private static Value extreme(Run run, Value[] a, String better) {
        Value best = null;
        Value bestKey = null;
        for (Value item : Python.list(run, a[0])) {
            Value key = ignoreCase(run, path(run, item, a[2], null), truth(a[1]));
            if (best == null || Python.compare(run, better, key, bestKey)) {
                best = item;
                bestKey = key;
            }
        }
        return best != null ? best : run.undefined("No aggregated item, sequence was empty.", null, Value.NONE);
    }

    private static Value sum(Run run, Value[] a) {
        Value total = a[2] == null ? Value.of(0) : a[2];
        if (total instanceof Value.Str) throw TemplateError.type("sum() can't sum strings [use ''.join(seq) instead]");
        for (Iterator<Value> items = Python.iterate(run, a[0]); items.hasNext(); ) {
            Value item = items.next();
            total = Operators.binary(run, "+", total, isNone(a[1]) ? item : path(run, item, a[1], null));
        }
        return total;
    }

    private static Value join(Run run, Value[] a) {
        List<Value> items = new ArrayList<>();
        for (Iterator<Value> all = Python.iterate(run, a[0]); all.hasNext(); ) {
            Value item = all.next();
            items.add(isNone(a[2]) ? item : path(run, item, a[2], null));
        }
        Value separator = a[1] == null ? Value.of("") : a[1];
        boolean escape = run.autoescape && (isSafe(separator) || items.stream().anyMatch(Filters::isSafe));
        StringBuilder out = new StringBuilder();
        String between = escape ? Html.escape(separator) : Python.str(separator);
        for (int i = 0; i < items.size(); i++) {
            if (i > 0) out.append(between);
            String text = escape ? Html.escape(items.get(i)) : Python.str(items.get(i));
            run.text(text.length() + between.length());
            out.append(text);
        }
        return new Value.Str(out.toString(), escape);
    }

    private static boolean isSafe(Value value) {
        return value instanceof Value.Str s && s.safe();
    }

    private static Value replace(Run run, Value[] a) {
        long count = isNone(a[3]) ? -1 : Python.index(a[3]);
        if (!run.autoescape)
            return run.str(Strings.replace(run, Python.str(run, a[0]), Python.str(a[1]), Python.str(a[2]), count));
        boolean safe = isSafe(a[0]) || isSafe(a[1]) || isSafe(a[2]);
        String text = isSafe(a[1]) || isSafe(a[2]) && !isSafe(a[0]) ? Html.escape(a[0]) : Python.str(run, a[0]);
        String inserted = safe ? Html.escape(a[2]) : Python.str(a[2]);
        return new Value.Str(Strings.replace(run, text, Python.str(a[1]), inserted, count), safe);
    }

    private static Value reverse(Run run, Value[] a) {
        if (a[0] instanceof Value.Str s) {
            run.text(s.text().length());
            return new Value.Str(new StringBuilder(s.text()).reverse().toString(), s.safe());
        }
        String type = switch (a[0]) {
            case Value.Array _ -> "list_reverseiterator";
            case Value.Range _ -> "range_iterator";
            case Value.Dict _ -> "dict_reversekeyiterator";
            case Value.View v -> switch (v.part()) {
                case KEYS -> "dict_reversekeyiterator";
                case VALUES -> "dict_reversevalueiterator";
                case ITEMS -> "dict_reverseitemiterator";
            };
            case Value.Stream _ -> "list";
            default -> "reversed";
        };
        if (a[0] instanceof Value.Stream stream) {
            List<Value> items = Python.list(run, stream);
            return new Value.Array(items.reversed());
        }
        if (!(a[0] instanceof Value.Undefined) && !Python.isIterable(a[0]))
            throw new TemplateError(Kind.FILTER_ARGUMENT, "argument must be iterable");
        return new Value.Stream(type, reversed(run, a[0]));
    }

    /// `reversed(value)`.
    private static Iterator<Value> reversed(Run run, Value value) {
        if (value instanceof Value.Stream || !Python.isIterable(value))
            throw TemplateError.type("'" + Python.typeName(value) + "' object is not reversible");
        if (value instanceof Value.Range r && r.length() > 0) {
            long last = r.start() + (r.length() - 1) * r.step();
            return Python.iterate(run, new Value.Range(last, r.start() - r.step(), -r.step()));
        }
        List<Value> items = Python.list(run, value);
        return items.reversed().iterator();
    }

    private static Value round(Run run, Value[] a) {
        String method = a[2] == null ? "common" : Python.str(a[2]);
        if (!Set.of("common", "ceil", "floor").contains(method))
            throw new TemplateError(Kind.FILTER_ARGUMENT, "method must be common, ceil or floor");
        if (a[0] instanceof Value.Undefined u && !method.equals("common")) throw u.failure();
        if (!Python.isNumber(a[0]))
            throw TemplateError.type("type " + Python.typeName(a[0]) + " doesn't define __round__ method");
        Value precision = a[1] == null ? Value.of(0) : a[1];
        if (method.equals("common")) return Numbers.round(run, a[0], Python.index(precision));
        Value scale = Operators.binary(run, "**", Value.of(10), precision);
        Value scaled = Operators.binary(run, "*", a[0], scale);
        Value whole = scaled;
        if (scaled instanceof Value.Float f) whole = new Value.Int(Numbers.truncate(method.equals("ceil") ? Math.ceil(f.value())
                : Math.floor(f.value())));
        return Operators.binary(run, "/", whole, scale);
    }

    private static double real(Value value) {
        Value real = toFloatOrFail(value);
        return ((Value.Float) real).value();
    }

    /// `float(value)`.
    private static Value toFloatOrFail(Value value) {
        if (value instanceof Value.Undefined u) throw u.failure();
        if (value instanceof Value.Str s) return new Value.Float(Numbers.parseFloat(s.text()));
        if (Python.isNumber(value)) return new Value.Float(Numbers.real(value));
        throw TemplateError.type("float() argument must be a string or a real number, not '" + Python.typeName(value) + "'");
    }

    private static Value toFloat(Value value) {
        try {
            return toFloatOrFail(value);
        } catch (TemplateError e) {
            if (e.kind() == Kind.TYPE || e.kind() == Kind.VALUE) return null;
            throw e;
        }
    }

    /// Null where the filter gives its default.
    private static Value toInt(Value value, long base) {
        if (value instanceof Value.Undefined u) throw u.failure();
        try {
            if (value instanceof Value.Str s) return new Value.Int(Numbers.parse(s.text(), Math.clamp(base, -1, 37)));
            if (value instanceof Value.Float f) return new Value.Int(Numbers.truncate(f.value()));
            if (Python.isNumber(value)) return new Value.Int(Numbers.integer(value));
        } catch (TemplateError e) {
            if (e.kind() != Kind.VALUE) throw e;
        }
        try {
            return value instanceof Value.Str s ? new Value.Int(Numbers.truncate(Numbers.parseFloat(s.text()))) : null;
        } catch (TemplateError e) {
            if (e.kind() == Kind.VALUE || e.kind() == Kind.OVERFLOW) return null;
            throw e;
        }
    }

    private static Value indent(Run run, Value[] a) {
        if (a[0] instanceof Value.Undefined u) throw u.failure();
        if (a[0] instanceof Value.Array list) { // `s += "\n"` works on a list, and what comes after does not
            list.items.add(Value.of("\n"));
            throw TemplateError.lacks(list, "splitlines");
        }
        if (!(a[0] instanceof Value.Str s))
            throw TemplateError.type("unsupported operand type(s) for +=: '" + Python.typeName(a[0]) + "' and 'str'");
        String indent = "    ";
        if (a[1] instanceof Value.Str width) {
            indent = width.text();
        } else if (a[1] != null) {
            long width = Math.max(0, Python.index(a[1]));
            run.text(width);
            indent = " ".repeat((int) width);
        }
        if (s.safe()) indent = Html.escape(new Value.Str(indent, true));
        List<String> lines = Strings.splitLines(s.text() + "\n", false);
        run.text((long) lines.size() * indent.length() + s.text().length());
        StringBuilder out = new StringBuilder(truth(a[2]) ? indent : "");
        for (int i = 0; i < lines.size(); i++) {
            if (i > 0) out.append('\n');
            if (i > 0 && (truth(a[3]) || !lines.get(i).isEmpty())) out.append(indent);
            out.append(lines.get(i));
        }
        return new Value.Str(out.toString(), s.safe());
    }

    private static Value truncate(Run run, Value[] a) {
        String end = a[3] == null ? "..." : Python.str(a[3]);
        long length = a[1] == null ? 255 : Python.index(a[1]);
        long leeway = isNone(a[4]) ? 5 : Python.index(a[4]);
        int endLength = CodePoints.length(end);
        if (length < endLength) throw new TemplateError(Kind.ASSERT, "expected length >= " + endLength + ", got " + length);
        if (leeway < 0) throw new TemplateError(Kind.ASSERT, "expected leeway >= 0, got " + leeway);
        if (Python.length(a[0]) <= length + leeway) return a[0];
        if (!(a[0] instanceof Value.Str s))
            throw TemplateError.type("cannot truncate a value of type " + Python.typeName(a[0]));
        String cut = CodePoints.sub(s.text(), 0, (int) length - endLength);
        if (!truth(a[2])) cut = Strings.rsplit(cut, " ", 1).getFirst();
        return new Value.Str(cut + (s.safe() && a[3] != null ? Html.escape(a[3]) : s.safe() ? Html.escape(end) : end), s.safe());
    }

    private static Value wordWrap(Run run, Value[] a) {
        if (a[0] instanceof Value.Undefined u) throw u.failure();
        if (!(a[0] instanceof Value.Str)) throw TemplateError.lacks(a[0], "splitlines");
        String text = Strings.string(a[0]);
        String between = isNone(a[3]) ? "\n" : Strings.string(a[3]);
        int width = a[1] == null ? 79 : Math.clamp(Python.index(a[1]), Integer.MIN_VALUE / 2, Integer.MAX_VALUE / 2);
        Wrap wrap = new Wrap(run, width, a[2] == null || Python.truth(a[2]), a[4] == null || Python.truth(a[4]));
        List<String> paragraphs = new ArrayList<>();
        for (String line : Strings.splitLines(text, false)) paragraphs.add(String.join(between, wrap.lines(line)));
        String joined = String.join(between, paragraphs);
        run.text(joined.length());
        return run.str(joined);
    }

    private static String title(String s) {
        StringBuilder out = new StringBuilder();
        boolean start = true;
        int from = 0;
        for (int i = 0; i <= s.length(); i++) {
            boolean separator = i < s.length() && ("-({[<".indexOf(s.charAt(i)) >= 0 || CodePoints.isSpace(s.charAt(i)));
            if (i < s.length() && !separator) continue;
            if (i > from) {
                String word = s.substring(from, i);
                int first = word.offsetByCodePoints(0, 1);
                out.append(CodePoints.upper(word.substring(0, first))).append(CodePoints.lower(word.substring(first)));
            }
            if (separator) out.append(s.charAt(i));
            from = i + 1;
        }
        return out.toString();
    }

    private static long words(String s) {
        long count = 0;
        boolean inWord = false;
        for (int c : s.codePoints().toArray()) {
            boolean word = c == '_' || CodePoints.isAlnum(c);
            if (word && !inWord) count++;
            inWord = word;
        }
        return count;
    }

    private static String fileSize(double bytes, boolean binary) {
        double base = binary ? 1024 : 1000;
        if (bytes == 1) return "1 Byte";
        if (bytes < base) return Numbers.truncate(bytes) + " Bytes";
        String[] prefixes = binary ? new String[] {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"}
                : new String[] {"kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"};
        double unit = base;
        for (String prefix : prefixes) {
            unit *= base;
            if (bytes < unit) return Formatting.real(base * bytes / unit, 'f', 1, false) + " " + prefix;
        }
        return Formatting.real(base * bytes / unit, 'f', 1, false) + " " + prefixes[7];
    }

    private static Value urlEncode(Run run, Value[] a) {
        if (a[0] instanceof Value.Str || !Python.isIterable(a[0])) return run.str(quote(Python.str(run, a[0]), false));
        Value pairs = a[0] instanceof Value.Dict d ? new Value.View(d, Value.Part.ITEMS) : a[0];
        List<String> parts = new ArrayList<>();
        for (Value pair : Python.list(run, pairs)) {
            List<Value> two = Python.list(run, pair);
            if (two.size() != 2) throw TemplateError.value("not enough values to unpack (expected 2, got " + two.size() + ")");
            parts.add(quote(Python.str(run, two.get(0)), true) + "=" + quote(Python.str(run, two.get(1)), true));
        }
        return run.str(String.join("&", parts));
    }

    private static String quote(String text, boolean query) {
        StringBuilder out = new StringBuilder();
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            char c = (char) (b & 255);
            boolean plain = c < 128 && Character.isLetterOrDigit(c) || "_.-~".indexOf(c) >= 0 || c == '/' && !query;
            if (plain) out.append(c);
            else if (c == ' ' && query) out.append('+');
            else out.append(String.format("%%%02X", (int) c));
        }
        return out.toString();
    }

    private static Value urlize(Run run, Value[] a) {
        List<String> schemes = new ArrayList<>();
        if (!isNone(a[5])) for (Value scheme : Python.list(run, a[5])) schemes.add(Strings.string(scheme));
        for (String scheme : schemes)
            if (!scheme.matches("[\\w.+-]{2,}:(/){0,2}"))
                throw new TemplateError(Kind.FILTER_ARGUMENT, Python.quote(scheme) + " is not a valid URI scheme prefix.");
        String rel = Html.rel(isNone(a[4]) ? "" : Strings.string(a[4]), truth(a[2]));
        long limit = isNone(a[1]) ? -1 : Math.max(0, Python.index(a[1]));
        String links = Html.links(run, a[0], limit, rel, isNone(a[3]) ? null : Strings.string(a[3]), schemes);
        return new Value.Str(links, run.autoescape);
    }

    private static Value toJson(Run run, Value[] a) {
        String json = Json.of(run, true, a[1] == null ? Value.NONE : a[1], Value.NONE, true).write(run, a[0]);
        String safe = json.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026").replace("'", "\\u0027");
        return escaped(run, safe);
    }

    private static Value format(Run run, Value value, Args args) {
        if (args.count() > 0 && !args.named().isEmpty())
            throw new TemplateError(Kind.FILTER_ARGUMENT, "can't handle positional and keyword arguments at the same time");
        if (args.named().isEmpty()) return Percent.format(run, soft(run, value), new Value.Tuple(args.positional()));
        Value.Dict named = new Value.Dict();
        args.named().forEach((name, given) -> named.put(Value.of(name), given));
        return Percent.format(run, soft(run, value), named);
    }

    private static Value map(Run run, Value value, Args args) {
        return lazy(run, () -> {
            if (!Python.truth(value)) return java.util.Collections.emptyIterator();
            Function<Value, Value> change;
            if (args.count() == 0 && args.named().containsKey("attribute")) {
                Map<String, Value> rest = new LinkedHashMap<>(args.named());
                Value attribute = rest.remove("attribute");
                Value byDefault = rest.remove("default");
                for (String name : rest.keySet())
                    throw new TemplateError(Kind.FILTER_ARGUMENT, "Unexpected keyword argument " + Python.quote(name));
                change = item -> path(run, item, attribute, byDefault);
            } else {
                if (args.count() == 0) throw new TemplateError(Kind.FILTER_ARGUMENT, "map requires a filter argument");
                Value name = args.at(0);
                Args rest = args.without(1);
                change = item -> {
                    if (!(name instanceof Value.Str s) || !has(run.environment, s.text())) throw missing("filter", name);
                    return apply(run, s.text(), item, rest);
                };
            }
            Iterator<Value> items = Python.iterate(run, value);
            return new Iterator<>() {
                @Override
                public boolean hasNext() {
                    return items.hasNext();
                }

                @Override
                public Value next() {
                    return change.apply(items.next());
                }
            };
        });
    }

    private static TemplateError missing(String type, Value name) {
        String message = "No " + type + " named " + Python.repr(name) + ".";
        if (name instanceof Value.Undefined u)
            message += " (" + u.failure().getMessage() + "; did you forget to quote the callable name?)";
        return new TemplateError(Kind.RUNTIME, message);
    }

    private static Value select(Run run, Value value, Args args, boolean keep, boolean byAttribute) {
        return lazy(run, () -> {
            if (!Python.truth(value)) return java.util.Collections.emptyIterator();
            if (byAttribute && args.count() == 0)
                throw new TemplateError(Kind.FILTER_ARGUMENT, "Missing parameter for attribute name");
            int offset = byAttribute ? 1 : 0;
            Value test = args.orNull(offset);
            Args rest = test == null ? args : args.without(offset + 1);
            return filtered(Python.iterate(run, value), item -> {
                Value subject = byAttribute ? path(run, item, args.at(0), null) : item;
                if (test == null) return Python.truth(subject) == keep;
                if (!(test instanceof Value.Str name) || !Tests.has(name.text())) throw missing("test", test);
                return Tests.apply(run, name.text(), subject, rest) == keep;
            });
        });
    }
}
