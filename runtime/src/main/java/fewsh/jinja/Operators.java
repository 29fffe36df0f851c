package fewsh.jinja;

import fewsh.jinja.TemplateError.Kind;
import java.util.ArrayList;
import java.util.List;

/// Arithmetic, slices and calls: what Python's operators do with each pair of types.
final class Operators {
    private Operators() {}

    static Value binary(Run run, String operator, Value a, Value b) {
        if (Python.isNumber(a) && Python.isNumber(b)) return Numbers.arithmetic(run, operator, a, b);
        if (operator.equals("%") && a instanceof Value.Str s) return Percent.format(run, s, b);
        if (a instanceof Value.Undefined u) throw u.failure();
        if (b instanceof Value.Undefined u) throw u.failure();
        if (operator.equals("+")) return add(run, a, b);
        if (operator.equals("*")) {
            if (isSequence(a)) return repeat(run, a, b);
            if (isSequence(b)) return repeat(run, b, a);
        }
        throw unsupported(operator, a, b);
    }

    private static TemplateError unsupported(String operator, Value a, Value b) {
        String shown = operator.equals("**") ? "** or pow()" : operator;
        return TemplateError.type("unsupported operand type(s) for " + shown + ": '" + Python.typeName(a) + "' and '"
                + Python.typeName(b) + "'");
    }

    private static boolean isSequence(Value value) {
        return value instanceof Value.Str || value instanceof Value.Array || value instanceof Value.Tuple
                || value instanceof Value.Bytes;
    }

    private static Value add(Run run, Value a, Value b) {
        if (a instanceof Value.Str s && b instanceof Value.Str t) {
            if (!s.safe() && !t.safe()) {
                run.text((long) s.text().length() + t.text().length());
                return new Value.Str(s.text().concat(t.text()), false);
            }
            String text = Html.escape(a) + Html.escape(b);
            run.text(text.length());
            return new Value.Str(text, true);
        }
        if (a instanceof Value.Array x && b instanceof Value.Array y) return new Value.Array(joined(run, x.items, y.items));
        if (a instanceof Value.Tuple x && b instanceof Value.Tuple y) return new Value.Tuple(joined(run, x.items(), y.items()));
        if (a instanceof Value.Bytes x && b instanceof Value.Bytes y) {
            run.text((long) x.latin1().length() + y.latin1().length());
            return new Value.Bytes(x.latin1() + y.latin1());
        }
        if (isSequence(a))
            throw TemplateError.type("can only concatenate " + Python.typeName(a) + " (not \"" + Python.typeName(b) + "\") to "
                    + Python.typeName(a));
        throw unsupported("+", a, b);
    }

    private static List<Value> joined(Run run, List<Value> a, List<Value> b) {
        run.work(2L * (a.size() + b.size()));
        List<Value> all = new ArrayList<>(a);
        all.addAll(b);
        return all;
    }

    private static Value repeat(Run run, Value sequence, Value count) {
        if (!(count instanceof Value.Int) && !(count instanceof Value.Bool))
            throw TemplateError.type("can't multiply sequence by non-int of type '" + Python.typeName(count) + "'");
        if (Numbers.integer(count).bitLength() > 63)
            throw new TemplateError(Kind.OVERFLOW, "cannot fit 'int' into an index-sized integer");
        long times = Math.max(0, Python.index(count));
        long size = Python.length(sequence);
        if (size > 0 && times > run.environment.limits().work() * 8 / size) run.work(Long.MAX_VALUE / 2);
        return switch (sequence) {
            case Value.Str s -> {
                run.text(times * s.text().length());
                yield new Value.Str(s.text().repeat(s.text().isEmpty() ? 0 : (int) times), s.safe());
            }
            case Value.Bytes b -> {
                run.text(times * size);
                yield new Value.Bytes(b.latin1().repeat(size == 0 ? 0 : (int) times));
            }
            case Value.Array a -> new Value.Array(repeated(run, a.items, times));
            case Value.Tuple t -> new Value.Tuple(repeated(run, t.items(), times));
            default -> throw new IllegalArgumentException();
        };
    }

    private static List<Value> repeated(Run run, List<Value> items, long times) {
        run.work(2 * times * items.size());
        List<Value> all = new ArrayList<>();
        for (long i = 0; i < times && !items.isEmpty(); i++) all.addAll(items);
        return all;
    }

    /// @param operator `+` or `-`
    static Value sign(String operator, Value value) {
        if (value instanceof Value.Undefined u) throw u.failure();
        if (!Python.isNumber(value))
            throw TemplateError.type("bad operand type for unary " + operator + ": '" + Python.typeName(value) + "'");
        if (operator.equals("-")) return Numbers.negate(value);
        return value instanceof Value.Bool ? new Value.Int(Numbers.integer(value)) : value;
    }

    static boolean compare(Run run, String operator, Value a, Value b) {
        return switch (operator) {
            case "==" -> Python.equal(run, a, b);
            case "!=" -> !Python.equal(run, a, b);
            case "in" -> Python.contains(run, b, a);
            case "not in" -> !Python.contains(run, b, a);
            default -> Python.compare(run, operator, a, b);
        };
    }

    /// `of[start:stop:step]`.
    static Value slice(Run run, Value of, Value.Slice slice) {
        return switch (of) {
            case Value.Str s -> {
                run.text(s.text().length());
                int[] points = s.text().codePoints().toArray();
                Bounds bounds = Bounds.of(slice, points.length);
                int[] picked = new int[bounds.count];
                for (int i = 0; i < bounds.count; i++) picked[i] = points[bounds.at(i)];
                yield new Value.Str(new String(picked, 0, picked.length), s.safe());
            }
            case Value.Bytes b -> {
                Bounds bounds = Bounds.of(slice, b.latin1().length());
                StringBuilder out = new StringBuilder();
                for (int i = 0; i < bounds.count; i++) out.append(b.latin1().charAt(bounds.at(i)));
                yield new Value.Bytes(out.toString());
            }
            case Value.Array a -> new Value.Array(picked(run, a.items, slice));
            case Value.Tuple t -> new Value.Tuple(picked(run, t.items(), slice));
            case Value.Range r -> {
                if (r.length() > Integer.MAX_VALUE) throw TemplateError.limit("slice of a very long range");
                Bounds bounds = Bounds.of(slice, (int) r.length());
                long start = r.start() + bounds.start * r.step();
                yield new Value.Range(start, r.start() + bounds.stop * r.step(), r.step() * bounds.step);
            }
            case Value.Dict _ -> throw TemplateError.type("unhashable type: 'slice'");
            case Value.Undefined u -> throw u.failure();
            default -> throw TemplateError.type("'" + Python.typeName(of) + "' object is not subscriptable");
        };
    }

    private static List<Value> picked(Run run, List<Value> items, Value.Slice slice) {
        Bounds bounds = Bounds.of(slice, items.size());
        run.work(2L * bounds.count);
        List<Value> out = new ArrayList<>(bounds.count);
        for (int i = 0; i < bounds.count; i++) out.add(items.get(bounds.at(i)));
        return out;
    }

    /// A slice applied to a length: where it starts, how it steps, how many it takes.
    private record Bounds(long start, long stop, long step, int count) {
        static Bounds of(Value.Slice slice, int length) {
            long step = slice.step() instanceof Value.None ? 1 : part(slice.step());
            if (step == 0) throw TemplateError.value("slice step cannot be zero");
            long low = step > 0 ? 0 : -1;
            long high = step > 0 ? length : length - 1;
            long first = step > 0 ? low : high;
            long start = slice.start() instanceof Value.None ? first : clip(part(slice.start()), length, low, high);
            long stop = slice.stop() instanceof Value.None ? low + high - first : clip(part(slice.stop()), length, low, high);
            return new Bounds(start, stop, step, (int) new Value.Range(start, stop, step).length());
        }

        private static long part(Value value) {
            if (value instanceof Value.Int || value instanceof Value.Bool) return Python.index(value);
            throw TemplateError.type("slice indices must be integers or None or have an __index__ method");
        }

        private static long clip(long at, int length, long low, long high) {
            return at < 0 ? Math.max(at + length, low) : Math.min(at, high);
        }

        int at(int i) {
            return (int) (start + i * step);
        }
    }

    static boolean isCallable(Value value) {
        return value instanceof Value.Function || value instanceof Value.Macro || value instanceof Value.Joiner
                || value instanceof Value.Loop || value instanceof Value.Type || value instanceof Value.Undefined;
    }

    static Value call(Run run, Value function, Args args) {
        run.work(1);
        return switch (function) {
            case Value.Function f -> f.body.call(run, args);
            case Value.Macro m -> m.body.call(run, args);
            case Value.Joiner j -> {
                args.only("joiner", 0, 0);
                boolean first = !j.used;
                j.used = true;
                yield Value.of(first ? "" : j.separator);
            }
            case Value.Loop l -> {
                if (l.recursion == null)
                    throw TemplateError.type("The loop must have the 'recursive' marker to be called recursively.");
                yield l.recursion.call(run, new Args(List.of(args.bind("__call__", "iterable")[0], Value.of(l.depth0 + 1L)),
                        java.util.Map.of()));
            }
            case Value.Undefined u -> throw u.failure();
            case Value.None _, Value.Bool _, Value.Int _, Value.Float _, Value.Str _, Value.Bytes _, Value.Array _, Value.Tuple _,
                 Value.Dict _, Value.Range _, Value.View _, Value.Stream _, Value.Namespace _, Value.Cycler _, Value.Type _,
                 Value.Self _, Value.Slice _ ->
                    throw new TemplateError(Kind.TYPE, "'" + Python.typeName(function) + "' object is not callable");
        };
    }
}
