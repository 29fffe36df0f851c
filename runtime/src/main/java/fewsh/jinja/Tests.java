package fewsh.jinja;

import java.util.HashMap;
import java.util.Map;

/// The tests that `is` knows.
final class Tests {
    private interface Test {
        boolean holds(Run run, Value value);
    }

    private interface Comparison {
        boolean holds(Run run, Value value, Value other);
    }

    private static final Map<String, Test> ONE = new HashMap<>();
    private static final Map<String, Comparison> TWO = new HashMap<>();

    static {
        ONE.put("defined", (_, v) -> !(v instanceof Value.Undefined));
        ONE.put("undefined", (_, v) -> v instanceof Value.Undefined);
        ONE.put("none", (_, v) -> v instanceof Value.None);
        ONE.put("boolean", (_, v) -> v instanceof Value.Bool);
        ONE.put("true", (_, v) -> v instanceof Value.Bool b && b.value());
        ONE.put("false", (_, v) -> v instanceof Value.Bool b && !b.value());
        ONE.put("integer", (_, v) -> v instanceof Value.Int);
        ONE.put("float", (_, v) -> v instanceof Value.Float);
        ONE.put("number", (_, v) -> Python.isNumber(v));
        ONE.put("string", (_, v) -> v instanceof Value.Str);
        ONE.put("mapping", (_, v) -> v instanceof Value.Dict);
        ONE.put("sequence", (_, v) -> v instanceof Value.Str || v instanceof Value.Array || v instanceof Value.Tuple
                || v instanceof Value.Dict || v instanceof Value.Range || v instanceof Value.Bytes
                || v instanceof Value.Undefined u && !u.strict());
        ONE.put("iterable", (_, v) -> Python.isIterable(v));
        ONE.put("callable", (_, v) -> Operators.isCallable(v));
        ONE.put("escaped", (_, v) -> v instanceof Value.Str s && s.safe());
        ONE.put("lower", (_, v) -> Strings.isLower(Python.str(v)));
        ONE.put("upper", (_, v) -> Strings.isUpper(Python.str(v)));
        ONE.put("odd", (run, v) -> Python.equal(run, Operators.binary(run, "%", v, Value.of(2)), Value.of(1)));
        ONE.put("even", (run, v) -> Python.equal(run, Operators.binary(run, "%", v, Value.of(2)), Value.of(0)));
        ONE.put("filter", (run, v) -> {
            Python.key(v);
            return v instanceof Value.Str s && Filters.has(run.environment, s.text());
        });
        ONE.put("test", (_, v) -> {
            Python.key(v);
            return v instanceof Value.Str s && has(s.text());
        });

        TWO.put("divisibleby", (run, v, n) -> Python.equal(run, Operators.binary(run, "%", v, n), Value.of(0)));
        TWO.put("in", (run, v, container) -> Python.contains(run, container, v));
        TWO.put("sameas", (_, v, other) -> isSame(v, other));
        String[][] comparisons = {{"==", "eq", "equalto"}, {"!=", "ne"}, {">", "gt", "greaterthan"}, {">=", "ge"},
                {"<", "lt", "lessthan"}, {"<=", "le"}};
        for (String[] names : comparisons)
            for (String name : names) TWO.put(name, (run, a, b) -> Operators.compare(run, names[0], a, b));
    }

    private Tests() {}

    static boolean has(String name) {
        return ONE.containsKey(name) || TWO.containsKey(name);
    }

    static boolean apply(Run run, String name, Value value, Args args) {
        run.work(1);
        Test one = ONE.get(name);
        if (one != null) {
            args.withFirst(value).bind("test_" + name, "value");
            return one.holds(run, value);
        }
        Comparison two = TWO.get(name);
        String parameters = switch (name) {
            case "divisibleby" -> "value num";
            case "in" -> "value seq";
            default -> "value other";
        };
        return two.holds(run, value, args.withFirst(value).bind("test_" + name, parameters)[1]);
    }

    /// Python's `is`: the same object. Constants are shared, as far as a template can tell.
    private static boolean isSame(Value a, Value b) {
        return a == b || switch (a) {
            case Value.None _, Value.Bool _, Value.Int _, Value.Float _, Value.Str _ -> a.equals(b);
            default -> false;
        };
    }
}
