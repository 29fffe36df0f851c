package fewsh.prompt;

import fewsh.UserError;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// A value that a prompt file asks for.
///
/// @param kind      `string integer float boolean array object`, the rich kinds `thread image file audio`, or `any`
/// @param required  whether the prompt cannot do without
/// @param byDefault what it is when not given; null for none
/// @param allowed   the only values it may have; empty for all
/// @param strict    whether a value that spells a role line is refused; else such a line stays text
public record Input(String name, String kind, String description, boolean required, Object byDefault, List<Object> allowed,
        boolean strict) {
    static final Set<String> RICH = Set.of("thread", "image", "file", "audio");
    private static final Map<String, String> KINDS = Map.ofEntries(Map.entry("string", "string"), Map.entry("text", "string"),
            Map.entry("str", "string"), Map.entry("integer", "integer"), Map.entry("int", "integer"), Map.entry("float", "float"),
            Map.entry("number", "float"), Map.entry("boolean", "boolean"), Map.entry("bool", "boolean"),
            Map.entry("array", "array"), Map.entry("list", "array"), Map.entry("object", "object"), Map.entry("dict", "object"),
            Map.entry("thread", "thread"), Map.entry("image", "image"), Map.entry("file", "file"), Map.entry("audio", "audio"),
            Map.entry("any", "any"));
    private static final Set<String> KEYS = Set.of("name", "kind", "type", "description", "required", "default", "example",
            "sample", "enumValues", "enum", "strict", "items", "properties");

    public Input {
        allowed = java.util.Collections.unmodifiableList(new ArrayList<>(allowed));
    }

    /// What `value` is as a kind, for inputs that only give their default.
    static String kindOf(Object value) {
        return switch (value) {
            case Boolean _ -> "boolean";
            case Integer _, Long _, BigInteger _ -> "integer";
            case Number _ -> "float";
            case Collection<?> _ -> "array";
            case Map<?, ?> _ -> "object";
            case null, default -> "string";
        };
    }

    /// A Prompty property: a list of maps with names, or a map from name to property or to default.
    static List<Map<String, Object>> properties(String where, String key, Object declared) {
        List<Map<String, Object>> all = new ArrayList<>();
        switch (declared) {
            case null -> { }
            case Map<?, ?> map when map.get("properties") instanceof Collection<?> nested && map.size() <= 3 ->
                    all.addAll(properties(where, key, nested));
            case Map<?, ?> map -> map.forEach((name, value) -> all.add(property((String) name, value)));
            case Collection<?> items -> {
                for (Object item : items) {
                    if (!(item instanceof Map<?, ?> map) || !(map.get("name") instanceof String name) || name.isBlank())
                        throw new UserError(where, "\"" + key + "\" has an item without a name", "write - name: …");
                    all.add(property(name, item));
                }
            }
            default -> throw new UserError(where, "\"" + key + "\" is neither a list nor a map", "write - name: question");
        }
        return all;
    }

    private static Map<String, Object> property(String name, Object value) {
        Map<String, Object> property = new LinkedHashMap<>();
        property.put("name", name);
        if (value instanceof Map<?, ?> map && (map.isEmpty() || map.keySet().stream().anyMatch(KEYS::contains))) {
            map.forEach((key, item) -> {
                String known = switch ((String) key) {
                    case "type" -> "kind";
                    case "sample" -> map.containsKey("default") ? "example" : "default";
                    case "enum" -> "enumValues";
                    default -> (String) key;
                };
                property.putIfAbsent(known, item);
            });
            if (!(property.get("kind") instanceof String)) property.put("kind", kindOf(property.get("default")));
        } else {
            property.put("kind", kindOf(value));
            property.put("default", value);
        }
        return property;
    }

    /// @param warnings gets a line for a kind that is not known; the input then takes any value
    static Input of(String where, Map<String, Object> property, List<String> warnings) {
        String name = (String) property.get("name");
        String declared = String.valueOf(property.get("kind"));
        String kind = KINDS.get(declared);
        if (kind == null) {
            kind = "any";
            warnings.add(where + ": input \"" + name + "\" has the unknown kind \"" + declared + "\" and takes any value; "
                    + UserError.near(declared, KINDS.keySet(),
                            "kinds are string, integer, float, boolean, array, object, thread, image, file, audio"));
        }
        Object required = property.get("required");
        if (required != null && !(required instanceof Boolean))
            throw new UserError(where, "\"required\" of input \"" + name + "\" is \"" + required + "\"", "write true or false");
        Object allowed = property.get("enumValues");
        if (allowed != null && !(allowed instanceof Collection))
            throw new UserError(where, "\"enumValues\" of input \"" + name + "\" is not a list", "write enumValues: [a, b]");
        String description = property.get("description") instanceof String text ? text : "";
        return new Input(name, kind, description, !Boolean.FALSE.equals(required) && !kind.equals("thread"), property.get("default"),
                allowed == null ? List.of() : List.copyOf((Collection<?>) allowed), Boolean.TRUE.equals(property.get("strict")));
    }

    /// `given` as this input's kind: text is read as a number, a boolean or JSON where the kind is such.
    ///
    /// @param where the prompt file, for messages
    /// @throws UserError naming the input, if it is of another kind or not allowed
    Object convert(String where, Object given) {
        Object value = switch (kind) {
            case "string" -> string(where, given);
            case "integer" -> integer(where, given);
            case "float" -> number(where, given);
            case "boolean" -> bool(where, given);
            case "array" -> structure(where, given, "a list, as JSON: [1, 2]");
            case "object" -> structure(where, given, "an object, as JSON: {\"a\": 1}");
            case "thread" -> thread(where, structure(where, given,
                    "a list of messages, as JSON: [{\"role\": \"user\", \"content\": …}]"));
            default -> given;
        };
        if (!allowed.isEmpty() && allowed.stream().noneMatch(option -> same(option, value)))
            throw new UserError(where, "input \"" + name + "\" may not be \"" + shortened(value) + "\"",
                    UserError.near(String.valueOf(value), allowed.stream().map(String::valueOf).toList(), "")
                            + " allowed are " + String.join(", ", allowed.stream().map(String::valueOf).toList()));
        if (strict && value instanceof String text && Roles.spellsRole(text))
            throw new UserError(where, "input \"" + name + "\" has a line that begins a role, and is declared strict",
                    "reword it: \"" + shortened(text) + "\"");
        return value;
    }

    private Object string(String where, Object given) {
        if (given instanceof Map || given instanceof Collection) throw wrong(where, given, "a text");
        return given == null || given instanceof String ? given : String.valueOf(given);
    }

    private Object integer(String where, Object given) {
        if (given instanceof Integer || given instanceof Long || given instanceof BigInteger) return given;
        if (given instanceof Double d && d == Math.rint(d) && Math.abs(d) < 1L << 53) return d.longValue();
        if (given instanceof String text && text.strip().matches("[+-]?\\d{1,18}")) return Long.valueOf(text.strip());
        throw wrong(where, given, "an integer");
    }

    private Object number(String where, Object given) {
        if (given instanceof Number) return given;
        if (given instanceof String text && text.strip().matches("[+-]?(\\d+\\.?\\d*|\\.\\d+)([eE][+-]?\\d+)?")
                && text.length() < 400)
            return Double.valueOf(text.strip());
        throw wrong(where, given, "a number");
    }

    private Object bool(String where, Object given) {
        if (given instanceof Boolean) return given;
        if (given instanceof String text && text.strip().equalsIgnoreCase("true")) return true;
        if (given instanceof String text && text.strip().equalsIgnoreCase("false")) return false;
        throw wrong(where, given, "true or false");
    }

    private Object structure(String where, Object given, String wanted) {
        Object value = given instanceof String text ? Json.parse(where + ": input \"" + name + "\"", text) : given;
        if (kind.equals("object") ? value instanceof Map : value instanceof Collection) return value;
        throw wrong(where, given, wanted);
    }

    private Object thread(String where, Object messages) {
        int n = 0;
        for (Object message : (Collection<?>) messages) {
            n++;
            if (!(message instanceof Map<?, ?> map) || !(map.get("role") instanceof String) || !map.containsKey("content"))
                throw new UserError(where, "message " + n + " of input \"" + name + "\" has no role or no content",
                        "write {\"role\": \"user\", \"content\": \"…\"}");
        }
        return messages;
    }

    private UserError wrong(String where, Object given, String wanted) {
        return new UserError(where, "input \"" + name + "\" is \"" + shortened(given) + "\", which is not " + article(),
                "give " + wanted);
    }

    private String article() {
        return switch (kind) {
            case "string" -> "a text";
            case "integer", "object", "array" -> "an " + kind;
            default -> "a " + kind;
        };
    }

    private static boolean same(Object a, Object b) {
        if (a instanceof Number x && b instanceof Number y) return x.doubleValue() == y.doubleValue();
        return a == null ? b == null : a.equals(b);
    }

    private static String shortened(Object value) {
        String text = String.valueOf(value);
        return text.codePointCount(0, text.length()) <= 60 ? text : text.substring(0, text.offsetByCodePoints(0, 60)) + "…";
    }
}
