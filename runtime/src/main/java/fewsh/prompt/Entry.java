package fewsh.prompt;

import fewsh.UserError;
import java.math.BigInteger;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Stream;

/// A value of the block and where it stands.
///
/// @param path as `fewsh.shots.k`
record Entry(String where, String path, Object value) {
    private static final int DEEPEST = 100;

    /// A constant's name in a file.
    static String word(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }

    UserError error(String what, String fix) {
        return new UserError(where, path + " " + what, fix);
    }

    private UserError mustBe(String what) {
        return error("must be " + what + ", was " + shown(value), "");
    }

    private static String shown(Object value) {
        return switch (value) {
            case null -> "empty";
            case Map<?, ?> _ -> "a map";
            case List<?> _ -> "a list";
            case String text when text.length() > 60 -> "\"" + text.substring(0, 60) + "…\"";
            case String text -> "\"" + text + "\"";
            default -> value.toString();
        };
    }

    Map<String, Entry> keys(List<String> known) {
        if (!(value instanceof Map<?, ?> map)) throw mustBe("a map of " + String.join(", ", known));
        Map<String, Entry> nodes = new LinkedHashMap<>();
        map.forEach((key, of) -> {
            String name = String.valueOf(key);
            if (!known.contains(name))
                throw new UserError(where, "unknown key \"" + name + "\" in " + path,
                        UserError.near(name, known, "the keys are " + String.join(", ", known)));
            nodes.put(name, new Entry(where, path + "." + name, of));
        });
        return nodes;
    }

    List<Entry> items() {
        if (!(value instanceof List<?> list)) throw mustBe("a list");
        List<Entry> nodes = new ArrayList<>();
        for (Object item : list) nodes.add(new Entry(where, path + "[" + nodes.size() + "]", item));
        return nodes;
    }

    /// A number or truth value is taken as it is written.
    String text() {
        return switch (value) {
            case String text -> text;
            case Number n -> n.toString();
            case Boolean b -> b.toString();
            case null, default -> throw mustBe("a text");
        };
    }

    String filled() {
        String text = text();
        if (text.isEmpty()) throw mustBe("a text that is not empty");
        return text;
    }

    /// A text, or a list of them.
    List<String> texts() {
        return value instanceof List<?> ? items().stream().map(Entry::filled).toList() : List.of(filled());
    }

    List<String> options() {
        List<String> options = items().stream().map(Entry::filled).toList();
        if (options.isEmpty()) throw error("has no options", "give at least one");
        for (int i = 1; i < options.size(); i++)
            if (options.subList(0, i).contains(options.get(i)))
                throw error("has the option \"" + options.get(i) + "\" twice", "drop one");
        return options;
    }

    long integer(long least, long most) {
        Object normal = normal(0);
        if (!(normal instanceof Long n)) throw mustBe("a whole number");
        if (n < least || n > most)
            throw mustBe(most == Integer.MAX_VALUE ? "a whole number of at least " + least : "from " + least + " to " + most);
        return n;
    }

    double number() {
        if (!(value instanceof Number n)) throw mustBe("a number");
        return n.doubleValue();
    }

    boolean bool() {
        if (!(value instanceof Boolean b)) throw mustBe("true or false");
        return b;
    }

    <E extends Enum<E>> E word(E[] values) {
        List<String> known = Stream.of(values).map(Entry::word).toList();
        int i = value instanceof String text ? known.indexOf(text) : -1;
        if (i >= 0) return values[i];
        String allowed = "one of " + String.join(", ", known);
        throw error("must be " + allowed + ", was " + shown(value),
                value instanceof String text ? UserError.near(text, known, "") : "");
    }

    Map<String, Object> map() {
        if (!(value instanceof Map<?, ?>)) throw mustBe("a map");
        @SuppressWarnings("unchecked") // normal() makes a map of texts of a map
        Map<String, Object> map = (Map<String, Object>) normal(0);
        return map;
    }

    /// The value with whole numbers as Long or BigInteger, others as Double, and maps and lists that cannot change: what
    /// YAML, JSON and scripts give for the same text is equal.
    private Object normal(int depth) {
        if (depth > DEEPEST) throw error("is nested too deep", "");
        return switch (value) {
            case Map<?, ?> map -> {
                Map<String, Object> out = new LinkedHashMap<>();
                map.forEach((key, of) -> out.put(String.valueOf(key), new Entry(where, path + "." + key, of).normal(depth + 1)));
                yield Collections.unmodifiableMap(out);
            }
            case List<?> list -> {
                List<Object> out = new ArrayList<>();
                for (Entry item : items()) out.add(item.normal(depth + 1));
                yield Collections.unmodifiableList(out);
            }
            case BigInteger n when n.bitLength() < Long.SIZE -> n.longValueExact();
            case BigInteger n -> n;
            case Long n -> n;
            case Integer n -> n.longValue();
            case Short n -> n.longValue();
            case Byte n -> n.longValue();
            case Number n -> n.doubleValue();
            case null -> null;
            case String text -> text;
            case Boolean b -> b;
            default -> throw mustBe("a text, number, truth value, list or map");
        };
    }

    /// A file in or below the folder, as it is named.
    String file(Path folder) {
        String name = filled();
        Beside.check(where, path, folder, name);
        return name;
    }

    /// What a record refuses, said of this place.
    <T> T checked(Supplier<T> made) {
        try {
            return made.get();
        } catch (UserError e) {
            if (!e.where().isEmpty()) throw e;
            throw new UserError(where, path + ": " + e.what(), e.fix(), e);
        }
    }
}
