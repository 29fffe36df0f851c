package fewsh.jinja;

import fewsh.jinja.Value.Array;
import fewsh.jinja.Value.Dict;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Set;

/// What Python does with any value: name its type, print it, ask its truth, its length and its items, compare it.
final class Python {
    private static final int DEEPEST = 200;
    /// Characters that a printed value may have: lists that hold each other twice would print for ever.
    private static final int LONGEST = 16 << 20;

    private Python() {}

    static String typeName(Value value) {
        return switch (value) {
            case Value.None _ -> "NoneType";
            case Value.Bool _ -> "bool";
            case Value.Int _ -> "int";
            case Value.Float _ -> "float";
            case Value.Str s -> s.safe() ? "Markup" : "str";
            case Value.Bytes _ -> "bytes";
            case Array _ -> "list";
            case Value.Tuple t -> t.names().isEmpty() ? "tuple" : "_GroupTuple";
            case Dict _ -> "dict";
            case Value.Range _ -> "range";
            case Value.View v -> "dict_" + v.part().name().toLowerCase(java.util.Locale.ROOT);
            case Value.Stream s -> s.type();
            case Value.Undefined u -> u.strict() ? "StrictUndefined" : "Undefined";
            case Value.Function f -> f.type;
            case Value.Macro _ -> "Macro";
            case Value.Namespace _ -> "Namespace";
            case Value.Cycler _ -> "Cycler";
            case Value.Joiner _ -> "Joiner";
            case Value.Loop _ -> "LoopContext";
            case Value.Type _ -> "type";
            case Value.Self _ -> "TemplateReference";
            case Value.Slice _ -> "slice";
        };
    }

    /// As error messages name a value: `list object`, `None`, `jinja2.utils.Namespace object`.
    static String objectName(Value value) {
        String name = typeName(value);
        return switch (value) {
            case Value.None _ -> "None";
            case Value.Undefined _, Value.Macro _, Value.Loop _, Value.Self _ -> "jinja2.runtime." + name + " object";
            case Value.Namespace _, Value.Cycler _, Value.Joiner _ -> "jinja2.utils." + name + " object";
            case Value.Str s -> s.safe() ? "markupsafe.Markup object" : "str object";
            case Value.Tuple t -> t.names().isEmpty() ? "tuple object" : "jinja2.filters._GroupTuple object";
            case Value.Bool _, Value.Int _, Value.Float _, Value.Bytes _, Array _, Dict _, Value.Range _, Value.View _,
                 Value.Stream _, Value.Function _, Value.Type _, Value.Slice _ -> name + " object";
        };
    }

    static boolean truth(Value value) {
        return switch (value) {
            case Value.None _ -> false;
            case Value.Bool b -> b.value();
            case Value.Int i -> i.value().signum() != 0;
            case Value.Float f -> f.value() != 0;
            case Value.Str s -> !s.text().isEmpty();
            case Value.Bytes b -> !b.latin1().isEmpty();
            case Array a -> !a.items.isEmpty();
            case Value.Tuple t -> !t.items().isEmpty();
            case Dict d -> d.size() > 0;
            case Value.Range r -> r.length() > 0;
            case Value.View v -> v.dict().size() > 0;
            case Value.Undefined u -> {
                if (u.strict()) throw u.failure();
                yield false;
            }
            case Value.Loop l -> l.length() > 0;
            case Value.Stream _, Value.Function _, Value.Macro _, Value.Namespace _, Value.Cycler _, Value.Joiner _,
                 Value.Type _, Value.Self _, Value.Slice _ -> true;
        };
    }

    /// `str(value)`.
    static String str(Value value) {
        if (value instanceof Value.Str s) return s.text();
        if (!(value instanceof Value.Undefined u)) return repr(value);
        if (u.strict()) throw u.failure();
        return "";
    }

    static String str(Run run, Value value) {
        String text = str(value);
        if (!(value instanceof Value.Str)) run.text(text.length());
        return text;
    }

    static String repr(Value value) {
        StringBuilder out = new StringBuilder();
        repr(value, out, Collections.newSetFromMap(new IdentityHashMap<>()));
        return out.toString();
    }

    private static void repr(Value value, StringBuilder out, Set<Value> open) {
        if (out.length() > LONGEST) throw TemplateError.limit("value of more than " + LONGEST + " characters printed");
        switch (value) {
            case Value.None _ -> out.append("None");
            case Value.Bool b -> out.append(b.value() ? "True" : "False");
            case Value.Int i -> out.append(Numbers.str(i.value()));
            case Value.Float f -> out.append(Numbers.str(f.value()));
            case Value.Str s -> {
                if (s.safe()) out.append("Markup(").append(quote(s.text())).append(')');
                else out.append(quote(s.text()));
            }
            case Value.Bytes b -> out.append(quoteBytes(b.latin1()));
            case Array a -> {
                if (!open(value, open)) out.append("[...]");
                else {
                    out.append('[');
                    join(a.items, out, open);
                    out.append(']');
                    open.remove(value);
                }
            }
            case Value.Tuple t -> {
                if (!open(value, open)) out.append("(...)");
                else {
                    out.append('(');
                    join(t.items(), out, open);
                    out.append(t.items().size() == 1 ? ",)" : ")");
                    open.remove(value);
                }
            }
            case Dict d -> {
                if (!open(value, open)) out.append("{...}");
                else {
                    out.append('{');
                    String separator = "";
                    for (Map.Entry<Value, Value> entry : d.entries()) {
                        out.append(separator);
                        repr(entry.getKey(), out, open);
                        out.append(": ");
                        repr(entry.getValue(), out, open);
                        separator = ", ";
                    }
                    out.append('}');
                    open.remove(value);
                }
            }
            case Value.Range r -> out.append("range(").append(r.start()).append(", ").append(r.stop())
                    .append(r.step() == 1 ? "" : ", " + r.step()).append(')');
            case Value.View v -> {
                if (!open(v.dict(), open)) out.append("...");
                else {
                    open.remove(v.dict());
                    out.append(typeName(value)).append("([");
                    if (open.size() > DEEPEST) throw TemplateError.recursion();
                    join(items(v), out, open);
                    out.append("])");
                }
            }
            case Value.Stream s -> out.append('<').append(s.type()).append(" object>");
            case Value.Undefined _ -> out.append("Undefined");
            case Value.Function f -> out.append(f.shown);
            case Value.Macro m -> out.append("<Macro ").append(m.name == null ? "anonymous" : quote(m.name)).append('>');
            case Value.Namespace n -> {
                if (!open(value, open)) out.append("...");
                else {
                    out.append("<Namespace ");
                    repr(n.attributes, out, open);
                    out.append('>');
                    open.remove(value);
                }
            }
            case Value.Cycler _ -> out.append("<jinja2.utils.Cycler object>");
            case Value.Joiner _ -> out.append("<jinja2.utils.Joiner object>");
            case Value.Loop l -> out.append("<LoopContext ").append(l.index0 + 1).append('/').append(l.length()).append('>');
            case Value.Type t -> out.append("<class '").append(t.name()).append("'>");
            case Value.Self _ -> out.append("<TemplateReference None>");
            case Value.Slice s -> {
                out.append("slice(");
                join(List.of(s.start(), s.stop(), s.step()), out, open);
                out.append(')');
            }
        }
    }

    /// Whether `value` may be printed: false if it is being printed already, since it holds itself.
    private static boolean open(Value value, Set<Value> open) {
        if (open.size() > DEEPEST) throw TemplateError.recursion();
        return open.add(value);
    }

    private static void join(List<Value> values, StringBuilder out, Set<Value> open) {
        String separator = "";
        for (Value item : values) {
            out.append(separator);
            repr(item, out, open);
            separator = ", ";
        }
    }

    /// A string as Python writes it: single quotes unless only those occur in it.
    static String quote(String text) {
        char quote = text.indexOf('\'') >= 0 && text.indexOf('"') < 0 ? '"' : '\'';
        StringBuilder out = new StringBuilder().append(quote);
        for (int i = 0; i < text.length(); ) {
            int c = text.codePointAt(i);
            i += Character.charCount(c);
            switch (c) {
                case '\\' -> out.append("\\\\");
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                default -> {
                    if (c == quote) out.append('\\').append(quote);
                    else if (CodePoints.isPrintable(c)) out.appendCodePoint(c);
                    else if (c < 0x100) out.append(String.format("\\x%02x", c));
                    else if (c < 0x10000) out.append(String.format("\\u%04x", c));
                    else out.append(String.format("\\U%08x", c));
                }
            }
        }
        return out.append(quote).toString();
    }

    private static String quoteBytes(String latin1) {
        char quote = latin1.indexOf('\'') >= 0 && latin1.indexOf('"') < 0 ? '"' : '\'';
        StringBuilder out = new StringBuilder().append('b').append(quote);
        for (char c : latin1.toCharArray()) {
            if (c == quote || c == '\\') out.append('\\').append(c);
            else if (c == '\n') out.append("\\n");
            else if (c == '\r') out.append("\\r");
            else if (c == '\t') out.append("\\t");
            else if (c < ' ' || c > '~') out.append(String.format("\\x%02x", (int) c));
            else out.append(c);
        }
        return out.append(quote).toString();
    }

    /// `len(value)`.
    static long length(Value value) {
        if (value instanceof Value.Undefined u && u.strict()) throw u.failure();
        long size = sizeOrMinus(value);
        if (size < 0) throw TemplateError.type("object of type '" + typeName(value) + "' has no len()");
        return size;
    }

    /// Its length, -1 if it has none.
    static long sizeOrMinus(Value value) {
        return switch (value) {
            case Value.Str s -> CodePoints.length(s.text());
            case Value.Bytes b -> b.latin1().length();
            case Array a -> a.items.size();
            case Value.Tuple t -> t.items().size();
            case Dict d -> d.size();
            case Value.Range r -> r.length();
            case Value.View v -> v.dict().size();
            case Value.Undefined _ -> 0;
            case Value.Loop l -> l.length();
            case Value.None _, Value.Bool _, Value.Int _, Value.Float _, Value.Stream _, Value.Function _, Value.Macro _,
                 Value.Namespace _, Value.Cycler _, Value.Joiner _, Value.Type _, Value.Self _, Value.Slice _ -> -1;
        };
    }

    static boolean isIterable(Value value) {
        return switch (value) {
            case Value.Str _, Value.Bytes _, Array _, Value.Tuple _, Dict _, Value.Range _, Value.View _, Value.Stream _,
                 Value.Loop _, Value.Self _ -> true;
            case Value.Undefined u -> {
                if (u.strict()) throw u.failure();
                yield true;
            }
            case Value.None _, Value.Bool _, Value.Int _, Value.Float _, Value.Function _, Value.Macro _, Value.Namespace _,
                 Value.Cycler _, Value.Joiner _, Value.Type _, Value.Slice _ -> false;
        };
    }

    /// `iter(value)`. A list may grow while it is read; a dict may not.
    static Iterator<Value> iterate(Run run, Value value) {
        return switch (value) {
            case Array a -> counted(run, () -> a.items.size(), i -> a.items.get((int) i));
            case Value.Tuple t -> counted(run, () -> t.items().size(), i -> t.items().get((int) i));
            case Value.Range r -> counted(run, r::length, i -> Value.of(r.start() + i * r.step()));
            case Value.Str s -> characters(run, s);
            case Value.Bytes b -> counted(run, () -> b.latin1().length(), i -> Value.of(b.latin1().charAt((int) i)));
            case Dict d -> entries(run, new Value.View(d, Value.Part.KEYS));
            case Value.View v -> entries(run, v);
            case Value.Stream s -> s.rest();
            case Value.Loop l -> turns(l);
            case Value.Undefined u -> {
                if (u.strict()) throw u.failure();
                yield Collections.emptyIterator();
            }
            case Value.Self _ -> throw new TemplateError(TemplateError.Kind.KEY, "0"); // it is asked for its block 0
            case Value.None _, Value.Bool _, Value.Int _, Value.Float _, Value.Function _, Value.Macro _, Value.Namespace _,
                 Value.Cycler _, Value.Joiner _, Value.Type _, Value.Slice _ ->
                    throw TemplateError.type("'" + typeName(value) + "' object is not iterable");
        };
    }

    /// A loop read by hand: each item with the loop, which moves on.
    private static Iterator<Value> turns(Value.Loop loop) {
        return new Iterator<>() {
            @Override
            public boolean hasNext() {
                return loop.hasNext();
            }

            @Override
            public Value next() {
                return new Value.Tuple(List.of(loop.next(), loop));
            }
        };
    }

    private interface Count {
        long size();
    }

    private interface Item {
        Value at(long index);
    }

    private static Iterator<Value> counted(Run run, Count count, Item item) {
        return new Iterator<>() {
            private long next;

            @Override
            public boolean hasNext() {
                return next < count.size();
            }

            @Override
            public Value next() {
                if (!hasNext()) throw new NoSuchElementException();
                run.work(2);
                return item.at(next++);
            }
        };
    }

    private static Iterator<Value> characters(Run run, Value.Str text) {
        return new Iterator<>() {
            private int next;

            @Override
            public boolean hasNext() {
                return next < text.text().length();
            }

            @Override
            public Value next() {
                if (!hasNext()) throw new NoSuchElementException();
                run.work(2);
                int c = text.text().codePointAt(next);
                next += Character.charCount(c);
                return Value.of(CodePoints.of(c));
            }
        };
    }

    private static Iterator<Value> entries(Run run, Value.View view) {
        int size = view.dict().size();
        Iterator<Map.Entry<Value, Value>> entries = view.dict().entries().iterator();
        return new Iterator<>() {
            @Override
            public boolean hasNext() {
                if (view.dict().size() != size)
                    throw new TemplateError(TemplateError.Kind.PYTHON_RUNTIME, "dictionary changed size during iteration");
                return entries.hasNext();
            }

            @Override
            public Value next() {
                run.work(2);
                return part(entries.next(), view.part());
            }
        };
    }

    private static Value part(Map.Entry<Value, Value> entry, Value.Part part) {
        return switch (part) {
            case KEYS -> entry.getKey();
            case VALUES -> entry.getValue();
            case ITEMS -> new Value.Tuple(List.of(entry.getKey(), entry.getValue()));
        };
    }

    static List<Value> items(Value.View view) {
        List<Value> items = new ArrayList<>();
        for (Map.Entry<Value, Value> entry : view.dict().entries()) items.add(part(entry, view.part()));
        return items;
    }

    static List<Value> list(Run run, Value value) {
        List<Value> items = new ArrayList<>();
        iterate(run, value).forEachRemaining(items::add);
        return items;
    }

    static boolean isNumber(Value value) {
        return value instanceof Value.Int || value instanceof Value.Float || value instanceof Value.Bool;
    }

    /// `a == b`.
    static boolean equal(Run run, Value a, Value b) {
        run.enter();
        boolean result = equality(run, a, b);
        run.leave();
        return result;
    }

    private static boolean equality(Run run, Value a, Value b) {
        run.work(1);
        if (a instanceof Value.Undefined u && u.strict()) throw u.failure();
        if (b instanceof Value.Undefined u && u.strict()) throw u.failure();
        if (isNumber(a) && isNumber(b)) return Numbers.compare(a, b) == 0;
        return switch (a) {
            case Value.Str s -> b instanceof Value.Str t && s.text().equals(t.text());
            case Value.Undefined _ -> b instanceof Value.Undefined;
            case Array x -> b instanceof Array y && equalItems(run, x.items, y.items);
            case Value.Tuple x -> b instanceof Value.Tuple y && equalItems(run, x.items(), y.items());
            case Dict x -> b instanceof Dict y && equalDicts(run, x, y);
            case Value.Range x -> b instanceof Value.Range y && x.length() == y.length()
                    && (x.length() == 0 || x.start() == y.start() && (x.length() == 1 || x.step() == y.step()));
            case Value.View x -> b instanceof Value.View y && x.part() != Value.Part.VALUES && x.part() == y.part()
                    && x.dict().size() == y.dict().size() && items(x).stream().allMatch(i -> contains(run, y, i));
            case Value.None _, Value.Bytes _, Value.Type _ -> a.equals(b);
            case Value.Bool _, Value.Int _, Value.Float _, Value.Stream _, Value.Function _, Value.Macro _, Value.Namespace _,
                 Value.Cycler _, Value.Joiner _, Value.Loop _, Value.Self _, Value.Slice _ -> a == b;
        };
    }

    /// Equal, or the very same: as lists compare their items.
    static boolean same(Run run, Value a, Value b) {
        return a == b || equal(run, a, b);
    }

    private static boolean equalItems(Run run, List<Value> a, List<Value> b) {
        if (a.size() != b.size()) return false;
        for (int i = 0; i < a.size(); i++) if (!same(run, a.get(i), b.get(i))) return false;
        return true;
    }

    private static boolean equalDicts(Run run, Dict a, Dict b) {
        if (a.size() != b.size()) return false;
        for (Map.Entry<Value, Value> entry : a.entries()) {
            Value other = b.get(entry.getKey());
            if (other == null || !same(run, entry.getValue(), other)) return false;
        }
        return true;
    }

    /// `a < b`, or with another of `<`, `<=`, `>`, `>=`.
    static boolean compare(Run run, String operator, Value a, Value b) {
        run.enter();
        boolean result = comparison(run, operator, a, b);
        run.leave();
        return result;
    }

    private static boolean comparison(Run run, String operator, Value a, Value b) {
        run.work(1);
        if (a instanceof Value.Undefined u) throw u.failure();
        if (b instanceof Value.Undefined u) throw u.failure();
        if (isNumber(a) && isNumber(b)) {
            if (Numbers.isNan(a) || Numbers.isNan(b)) return false;
            return holds(operator, Numbers.compare(a, b));
        }
        if (a instanceof Value.Str s && b instanceof Value.Str t) return holds(operator, compareText(s.text(), t.text()));
        if (a instanceof Value.Bytes s && b instanceof Value.Bytes t) return holds(operator, s.latin1().compareTo(t.latin1()));
        if (a instanceof Array x && b instanceof Array y) return compareItems(run, operator, x.items, y.items);
        if (a instanceof Value.Tuple x && b instanceof Value.Tuple y) return compareItems(run, operator, x.items(), y.items());
        throw TemplateError.type("'" + operator + "' not supported between instances of '" + typeName(a) + "' and '" + typeName(b)
                + "'");
    }

    private static boolean holds(String operator, int order) {
        return switch (operator) {
            case "<" -> order < 0;
            case "<=" -> order <= 0;
            case ">" -> order > 0;
            default -> order >= 0;
        };
    }

    private static boolean compareItems(Run run, String operator, List<Value> a, List<Value> b) {
        for (int i = 0; i < Math.min(a.size(), b.size()); i++)
            if (!same(run, a.get(i), b.get(i))) return compare(run, operator, a.get(i), b.get(i));
        return holds(operator, Integer.compare(a.size(), b.size()));
    }

    /// By code points, which differs from UTF-16 order above the surrogates.
    private static int compareText(String a, String b) {
        for (int i = 0; i < Math.min(a.length(), b.length()); i++) {
            char c = a.charAt(i);
            char d = b.charAt(i);
            if (c == d) continue;
            if (Character.isSurrogate(c) != Character.isSurrogate(d)) return Character.isSurrogate(c) ? 1 : -1;
            return Character.compare(c, d);
        }
        return Integer.compare(a.length(), b.length());
    }

    /// `item in container`.
    static boolean contains(Run run, Value container, Value item) {
        return switch (container) {
            case Value.Str s -> {
                if (!(item instanceof Value.Str t))
                    throw TemplateError.type("'in <string>' requires string as left operand, not " + typeName(item));
                run.text(s.text().length());
                yield s.text().contains(t.text());
            }
            case Dict d -> d.has(item);
            case Value.View v when v.part() == Value.Part.KEYS -> v.dict().has(item);
            case Value.Range r when item instanceof Value.Int || item instanceof Value.Bool -> inRange(r, Numbers.integer(item));
            case Value.Undefined u when u.strict() -> throw u.failure();
            case Value.None _, Value.Bool _, Value.Int _, Value.Float _, Value.Function _, Value.Macro _, Value.Namespace _,
                 Value.Cycler _, Value.Joiner _, Value.Type _, Value.Self _, Value.Slice _ ->
                    throw TemplateError.type("argument of type '" + typeName(container) + "' is not iterable");
            case Value.Bytes _, Array _, Value.Tuple _, Value.Range _, Value.View _, Value.Stream _, Value.Undefined _,
                 Value.Loop _ -> {
                for (Iterator<Value> i = iterate(run, container); i.hasNext(); ) if (same(run, i.next(), item)) yield true;
                yield false;
            }
        };
    }

    private static boolean inRange(Value.Range range, BigInteger item) {
        if (item.bitLength() > 62) return false;
        long offset = item.longValue() - range.start();
        return offset % range.step() == 0 && offset / range.step() >= 0 && offset / range.step() < range.length();
    }

    /// What stands for a dict's key in a hash table: equal exactly where Python's keys are.
    ///
    /// @throws TemplateError TypeError for what has no hash
    static Object key(Value value) {
        return key(value, 0);
    }

    private static Object key(Value value, int depth) {
        if (depth > DEEPEST) throw TemplateError.recursion();
        return switch (value) {
            case Value.Bool b -> b.value() ? BigInteger.ONE : BigInteger.ZERO;
            case Value.Int i -> i.value();
            case Value.Float f -> f.value() == Math.rint(f.value()) && !Double.isInfinite(f.value())
                    ? new BigDecimal(f.value()).toBigInteger() : (Object) f.value();
            case Value.Str s -> s.text();
            case Value.Tuple t -> {
                List<Object> parts = new ArrayList<>();
                for (Value item : t.items()) parts.add(key(item, depth + 1));
                yield parts;
            }
            case Value.Undefined u -> {
                if (u.strict()) throw u.failure();
                yield Value.Undefined.class;
            }
            case Array _, Dict _, Value.Slice _ -> throw TemplateError.type("unhashable type: '" + typeName(value) + "'");
            case Value.View v -> {
                if (v.part() != Value.Part.VALUES) throw TemplateError.type("unhashable type: '" + typeName(value) + "'");
                yield value;
            }
            case Value.None _, Value.Bytes _, Value.Range _, Value.Stream _, Value.Function _, Value.Macro _, Value.Namespace _,
                 Value.Cycler _, Value.Joiner _, Value.Loop _, Value.Type _, Value.Self _ -> value;
        };
    }

    /// A value as an index: an integer.
    static long index(Value value) {
        if (value instanceof Value.Int || value instanceof Value.Bool) {
            BigInteger i = Numbers.integer(value);
            if (i.bitLength() > 62) return i.signum() < 0 ? Long.MIN_VALUE / 4 : Long.MAX_VALUE / 4;
            return i.longValue();
        }
        throw TemplateError.type("'" + typeName(value) + "' object cannot be interpreted as an integer");
    }

    /// Stable sort by `<` alone, as `sorted` does it, so that what cannot be compared fails with the same message.
    static List<Value> sorted(Run run, List<Value> items, List<Value> keys, boolean reverse) {
        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < items.size(); i++) order.add(reverse ? items.size() - 1 - i : i);
        order = mergeSort(run, order, keys);
        List<Value> out = new ArrayList<>();
        for (int i : reverse ? order.reversed() : order) out.add(items.get(i));
        return out;
    }

    private static List<Integer> mergeSort(Run run, List<Integer> order, List<Value> keys) {
        if (order.size() < 2) return order;
        List<Integer> left = mergeSort(run, order.subList(0, order.size() / 2), keys);
        List<Integer> right = mergeSort(run, order.subList(order.size() / 2, order.size()), keys);
        List<Integer> out = new ArrayList<>(order.size());
        int l = 0;
        int r = 0;
        while (l < left.size() && r < right.size())
            out.add(compare(run, "<", keys.get(right.get(r)), keys.get(left.get(l))) ? right.get(r++) : left.get(l++));
        out.addAll(left.subList(l, left.size()));
        out.addAll(right.subList(r, right.size()));
        return out;
    }
}
