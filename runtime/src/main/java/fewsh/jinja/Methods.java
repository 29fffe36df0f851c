package fewsh.jinja;

import fewsh.jinja.TemplateError.Kind;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// The methods of Python's lists, tuples, dicts, numbers, ranges and bytes; those of `str` are in [Strings].
final class Methods {
    static final Set<String> LIST = Set.of("append", "clear", "copy", "count", "extend", "index", "insert", "pop", "remove",
            "reverse", "sort");
    static final Set<String> TUPLE = Set.of("count", "index");
    static final Set<String> DICT = Set.of("clear", "copy", "fromkeys", "get", "items", "keys", "pop", "popitem", "setdefault",
            "update", "values");
    static final Set<String> BYTES = Set.of("decode", "hex");

    private Methods() {}

    static Value list(Run run, Value.Array self, String name, Args args) {
        List<Value> items = self.items;
        switch (name) {
            case "append" -> {
                run.work(2);
                items.add(args.only(name, 1, 1).at(0));
            }
            case "clear" -> {
                args.only(name, 0, 0);
                items.clear();
            }
            case "copy" -> {
                args.only(name, 0, 0);
                run.work(items.size());
                return new Value.Array(items);
            }
            case "extend" -> {
                Value other = args.only(name, 1, 1).at(0);
                items.addAll(Python.list(run, other));
            }
            case "insert" -> {
                args.only(name, 2, 2);
                run.work(2 + items.size() / 16);
                long at = Python.index(args.at(0));
                if (at < 0) at = Math.max(0, at + items.size());
                items.add((int) Math.min(at, items.size()), args.at(1));
            }
            case "pop" -> {
                args.only(name, 0, 1);
                if (items.isEmpty()) throw new TemplateError(Kind.INDEX, "pop from empty list");
                long at = args.count() == 0 ? -1 : Python.index(args.at(0));
                if (at < 0) at += items.size();
                if (at < 0 || at >= items.size()) throw new TemplateError(Kind.INDEX, "pop index out of range");
                run.work(1 + (items.size() - at) / 16);
                return items.remove((int) at);
            }
            case "remove" -> {
                Value wanted = args.only(name, 1, 1).at(0);
                for (int i = 0; i < items.size(); i++) {
                    if (Python.same(run, items.get(i), wanted)) {
                        items.remove(i);
                        return Value.NONE;
                    }
                }
                throw TemplateError.value("list.remove(x): x not in list");
            }
            case "reverse" -> {
                args.only(name, 0, 0);
                run.work(items.size());
                java.util.Collections.reverse(items);
            }
            case "sort" -> {
                if (args.count() > 0) throw TemplateError.type("sort() takes no positional arguments");
                Value[] named = args.bind(name, "key? reverse?");
                List<Value> keys = new ArrayList<>();
                boolean plain = named[0] == null || named[0] instanceof Value.None;
                for (Value item : items) keys.add(plain ? item : Operators.call(run, named[0], Args.of(item)));
                List<Value> sorted = Python.sorted(run, List.copyOf(items), keys, named[1] != null && Python.truth(named[1]));
                items.clear();
                items.addAll(sorted);
            }
            default -> {
                return tuple(run, items, name, args);
            }
        }
        return Value.NONE;
    }

    static Value tuple(Run run, List<Value> items, String name, Args args) {
        args.only(name, 1, name.equals("count") ? 1 : 3);
        Value wanted = args.at(0);
        if (name.equals("count")) {
            long count = 0;
            for (Value item : items) if (Python.same(run, item, wanted)) count++;
            return Value.of(count);
        }
        long from = args.count() > 1 ? Python.index(args.at(1)) : 0;
        long to = args.count() > 2 ? Python.index(args.at(2)) : items.size();
        if (from < 0) from = Math.max(0, from + items.size());
        if (to < 0) to += items.size();
        for (long i = from; i < Math.min(to, items.size()); i++)
            if (Python.same(run, items.get((int) i), wanted)) return Value.of(i);
        throw TemplateError.value(Python.repr(wanted) + " is not in list");
    }

    static Value dict(Run run, Value.Dict self, String name, Args args) {
        switch (name) {
            case "get" -> {
                args.only(name, 1, 2);
                Value found = self.get(args.at(0));
                return found != null ? found : args.count() > 1 ? args.at(1) : Value.NONE;
            }
            case "keys", "values", "items" -> {
                args.only(name, 0, 0);
                return new Value.View(self, Value.Part.valueOf(name.toUpperCase(java.util.Locale.ROOT)));
            }
            case "copy" -> {
                args.only(name, 0, 0);
                return copy(run, self);
            }
            case "clear" -> {
                args.only(name, 0, 0);
                self.clear();
            }
            case "pop" -> {
                args.only(name, 1, 2);
                Value found = self.remove(args.at(0));
                if (found != null) return found;
                if (args.count() > 1) return args.at(1);
                throw new TemplateError(Kind.KEY, Python.repr(args.at(0)));
            }
            case "popitem" -> {
                args.only(name, 0, 0);
                if (self.size() == 0) throw new TemplateError(Kind.KEY, "'popitem(): dictionary is empty'");
                Map.Entry<Value, Value> last = self.entries().getLast();
                self.remove(last.getKey());
                return new Value.Tuple(List.of(last.getKey(), last.getValue()));
            }
            case "setdefault" -> {
                args.only(name, 1, 2);
                Value found = self.get(args.at(0));
                if (found != null) return found;
                Value value = args.count() > 1 ? args.at(1) : Value.NONE;
                run.work(2);
                self.put(args.at(0), value);
                return value;
            }
            case "update" -> {
                if (args.count() > 1) throw TemplateError.type("update expected at most 1 argument, got " + args.count());
                if (args.count() == 1) fill(run, self, args.at(0));
                args.named().forEach((key, value) -> self.put(Value.of(key), value));
            }
            default -> { // fromkeys
                args.only(name, 1, 2);
                Value.Dict made = new Value.Dict();
                for (Value key : Python.list(run, args.at(0))) made.put(key, args.count() > 1 ? args.at(1) : Value.NONE);
                return made;
            }
        }
        return Value.NONE;
    }

    static Value.Dict copy(Run run, Value.Dict dict) {
        Value.Dict copy = new Value.Dict();
        fill(run, copy, dict);
        return copy;
    }

    /// `dict(*positional, **named)`.
    static Value.Dict make(Run run, Args args) {
        if (args.count() > 1) throw TemplateError.type("dict expected at most 1 argument, got " + args.count());
        Value.Dict dict = new Value.Dict();
        if (args.count() == 1) fill(run, dict, args.at(0));
        args.named().forEach((key, value) -> dict.put(Value.of(key), value));
        return dict;
    }

    /// Puts in what another dict or an iterable of pairs holds.
    private static void fill(Run run, Value.Dict dict, Value from) {
        if (from instanceof Value.Dict other) {
            for (Map.Entry<Value, Value> entry : other.entries()) {
                run.work(2);
                dict.put(entry.getKey(), entry.getValue());
            }
            return;
        }
        if (from instanceof Value.Undefined u) throw u.failure();
        int i = 0;
        for (Value pair : Python.list(run, from)) {
            if (!Python.isIterable(pair))
                throw TemplateError.type("cannot convert dictionary update sequence element #" + i + " to a sequence");
            List<Value> items = Python.list(run, pair);
            if (items.size() != 2)
                throw TemplateError.value("dictionary update sequence element #" + i + " has length " + items.size()
                        + "; 2 is required");
            dict.put(items.get(0), items.get(1));
            i++;
        }
    }

    static Value rangeAttribute(Value.Range range, String name) {
        return switch (name) {
            case "start" -> Value.of(range.start());
            case "stop" -> Value.of(range.stop());
            case "step" -> Value.of(range.step());
            case "count" -> Attributes.method(range, name, (r, args) ->
                    Value.of(Python.contains(r, range, args.only(name, 1, 1).at(0)) ? 1 : 0));
            case "index" -> Attributes.method(range, name, (r, args) -> {
                Value wanted = args.only(name, 1, 1).at(0);
                if (!Python.contains(r, range, wanted)) throw TemplateError.value(Python.repr(wanted) + " is not in range");
                return Value.of((Python.index(wanted) - range.start()) / range.step());
            });
            default -> null;
        };
    }

    static Value numberAttribute(Value of, String name) {
        boolean real = of instanceof Value.Float;
        return switch (name) {
            case "real" -> real ? of : new Value.Int(Numbers.integer(of));
            case "imag" -> real ? new Value.Float(0) : Value.of(0);
            case "numerator" -> real ? null : new Value.Int(Numbers.integer(of));
            case "denominator" -> real ? null : Value.of(1);
            case "bit_length", "bit_count", "to_bytes" -> real ? null : numberMethod(of, name);
            case "is_integer", "hex" -> real ? numberMethod(of, name) : null;
            case "conjugate", "as_integer_ratio" -> numberMethod(of, name);
            default -> null;
        };
    }

    private static Value numberMethod(Value of, String name) {
        return Attributes.method(of, name, (_, args) -> number(of, name, args));
    }

    private static Value number(Value of, String name, Args args) {
        return switch (name) {
            case "bit_length" -> Value.of(Numbers.integer(of).abs().bitLength());
            case "bit_count" -> Value.of(Numbers.integer(of).abs().bitCount());
            case "conjugate" -> of;
            case "is_integer" -> {
                double d = Numbers.real(of);
                yield Value.of(d == Math.rint(d) && !Double.isInfinite(d));
            }
            case "hex" -> Value.of(Double.toHexString(Numbers.real(of)).replaceFirst("p(\\d)", "p+$1"));
            case "as_integer_ratio" -> {
                if (!(of instanceof Value.Float f)) yield new Value.Tuple(List.of(of, Value.of(1)));
                Numbers.truncate(f.value());
                BigDecimal exact = new BigDecimal(f.value());
                BigInteger scale = BigInteger.TEN.pow(Math.max(0, exact.scale()));
                BigInteger top = exact.multiply(new BigDecimal(scale)).toBigIntegerExact();
                BigInteger common = top.gcd(scale);
                yield new Value.Tuple(List.of(new Value.Int(top.divide(common)), new Value.Int(scale.divide(common))));
            }
            default -> toBytes(Numbers.integer(of), args);
        };
    }

    private static Value toBytes(BigInteger value, Args args) {
        Value[] a = args.bind("to_bytes", "length? byteorder? signed?");
        long length = a[0] == null ? 1 : Python.index(a[0]);
        boolean big = a[1] == null || Strings.string(a[1]).equals("big");
        if (value.signum() < 0 || length < 0 || value.bitLength() > 8 * length)
            throw new TemplateError(Kind.OVERFLOW, "int too big to convert");
        if (length > 1024) throw TemplateError.limit("to_bytes of more than 1024 bytes");
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < length; i++) out.append((char) value.shiftRight(8 * i).and(BigInteger.valueOf(255)).intValue());
        return new Value.Bytes((big ? out.reverse() : out).toString());
    }

    static Value bytes(Run run, Value.Bytes self, String name, Args args) {
        run.text(self.latin1().length());
        if (name.equals("hex")) {
            StringBuilder out = new StringBuilder();
            for (char c : self.latin1().toCharArray()) out.append(String.format("%02x", (int) c));
            return run.str(out.toString());
        }
        String encoding = args.count() == 0 ? "utf-8" : Strings.string(args.at(0));
        byte[] bytes = self.latin1().getBytes(StandardCharsets.ISO_8859_1);
        return switch (encoding.toLowerCase(java.util.Locale.ROOT)) {
            case "utf-8", "utf8" -> run.str(new String(bytes, StandardCharsets.UTF_8));
            case "ascii", "latin-1", "latin1", "iso-8859-1" -> run.str(self.latin1());
            default -> throw new TemplateError(Kind.LOOKUP, "unknown encoding: " + encoding);
        };
    }
}
