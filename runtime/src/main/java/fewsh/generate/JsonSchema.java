package fewsh.generate;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import fewsh.UserError;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// A JSON Schema at its place within a whole one: its keywords, checked as they are read. `true` is one without keywords,
/// `false` one that lists no value.
///
/// @param at a JSON pointer from the whole's root, `#`
record JsonSchema(Map<?, ?> root, String at, Map<?, ?> keywords) {
    private static final Gson GSON = new GsonBuilder().disableHtmlEscaping().create();
    private static final int MOST_DEPTH = 100;
    private static final int MOST_TEXT = 1_000_000;
    private static final int MOST_OPTIONS = 1_000;
    private static final int MOST_PLACES = 400;
    private static final List<String> NUMBER = List.of("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum");
    /// Each type with its keywords.
    static final Map<String, List<String>> TYPES = types();
    /// Keywords that mean another schema; they must stand alone.
    private static final List<String> ELSEWHERE = List.of("$ref", "anyOf", "oneOf", "allOf");
    private static final Set<String> VALUES = Set.of("type", "enum", "const");
    /// What says nothing about a value.
    private static final Set<String> ANNOTATIONS = Set.of("title", "description", "default", "examples", "deprecated", "readOnly",
            "writeOnly", "$schema", "$comment", "$defs", "definitions");

    private static Map<String, List<String>> types() {
        Map<String, List<String>> types = new LinkedHashMap<>();
        types.put("object", List.of("properties", "required", "additionalProperties"));
        types.put("array", List.of("items", "prefixItems", "minItems", "maxItems"));
        types.put("string", List.of("minLength", "maxLength", "pattern", "format"));
        types.put("number", NUMBER);
        types.put("integer", NUMBER);
        types.put("boolean", List.of());
        types.put("null", List.of());
        return Collections.unmodifiableMap(types);
    }

    /// @throws UserError if it is no schema, or has a keyword that is not supported here
    static JsonSchema of(Map<?, ?> root, String at, Object schema) {
        JsonSchema read = switch (schema) {
            case Boolean all -> new JsonSchema(root, at, all ? Map.of() : Map.of("enum", List.of()));
            case Map<?, ?> map -> new JsonSchema(root, at, map);
            case null, default ->
                    throw new JsonSchema(root, at, Map.of()).wrong("a schema must be an object, was " + shown(schema), "");
        };
        read.check();
        return read;
    }

    private void check() {
        Optional<String> elsewhere = elsewhere();
        boolean values = has("enum") || has("const");
        for (Object key : keywords.keySet()) {
            if (!(key instanceof String name)) throw wrong("a keyword must be text, was " + shown(key), "quote it");
            if (ANNOTATIONS.contains(name) || name.equals("$id") && at.equals("#")) continue;
            if (!ELSEWHERE.contains(name) && !VALUES.contains(name) && TYPES.values().stream().noneMatch(k -> k.contains(name)))
                throw wrong("keyword \"" + name + "\" is not supported for a constrained answer", "supported: " + Stream.of(
                        VALUES.stream().sorted(), ELSEWHERE.stream(), TYPES.values().stream().flatMap(List::stream))
                        .flatMap(s -> s).distinct().collect(Collectors.joining(", ")));
            if (elsewhere.isPresent() && !name.equals(elsewhere.get()))
                throw wrong("\"" + name + "\" beside \"" + elsewhere.get() + "\" is not supported", "put it inside");
            if (values && !VALUES.contains(name))
                throw wrong("\"" + name + "\" beside \"enum\" or \"const\" is not supported",
                        "leave out the values that it rejects");
        }
    }

    UserError wrong(String what, String fix) {
        return new UserError("json schema " + (at.length() > 200 ? at.substring(0, 200) + "…" : at), what, fix);
    }

    boolean has(String keyword) {
        return keywords.containsKey(keyword);
    }

    Object get(String keyword) {
        return keywords.get(keyword);
    }

    /// The schema that is the value of a keyword.
    JsonSchema child(String keyword) {
        return of(root, at + "/" + keyword, get(keyword));
    }

    /// The schemas that a keyword lists.
    List<JsonSchema> children(String keyword) {
        List<JsonSchema> children = new ArrayList<>();
        for (Object child : list(keyword)) children.add(of(root, at + "/" + keyword + "/" + children.size(), child));
        return children;
    }

    /// The schemas that `properties` names.
    Map<String, JsonSchema> properties() {
        Map<String, JsonSchema> properties = new LinkedHashMap<>();
        if (!has("properties")) return properties;
        if (!(get("properties") instanceof Map<?, ?> map))
            throw wrong("\"properties\" must be an object, was " + shown(get("properties")), "");
        map.forEach((key, schema) -> {
            if (!(key instanceof String name)) throw wrong("a property's name must be text, was " + shown(key), "quote it");
            properties.put(name, of(root, at + "/properties/" + name.replace("~", "~0").replace("/", "~1"), schema));
        });
        return properties;
    }

    /// The keyword, if there is one, by which this means other schemas.
    Optional<String> elsewhere() {
        return ELSEWHERE.stream().filter(this::has).findFirst();
    }

    /// The schema that `$ref` means, at its own place.
    JsonSchema referred() {
        String reference = text("$ref");
        if (!reference.equals("#") && !reference.startsWith("#/"))
            throw wrong("$ref \"" + reference + "\" is not supported", "refer to a place in this schema, as in #/$defs/name");
        Object place = root;
        for (String step : reference.equals("#") ? List.<String>of() : List.of(reference.substring(2).split("/", -1))) {
            String name = step.replace("~1", "/").replace("~0", "~");
            place = switch (place) {
                case Map<?, ?> map when map.containsKey(name) -> map.get(name);
                case List<?> list when name.matches("\\d{1,6}") && Integer.parseInt(name) < list.size() ->
                        list.get(Integer.parseInt(name));
                case null, default ->
                        throw wrong("$ref \"" + reference + "\" leads nowhere", "the schema has no \"" + name + "\" there");
            };
        }
        return of(root, reference, place);
    }

    /// The types that `type` names, or, where it is missing, those whose keywords are used; a number may be whole.
    Set<String> typesAllowed() {
        Set<String> types = new LinkedHashSet<>();
        if (has("type"))
            for (Object type : get("type") instanceof List<?> several ? several : Collections.singletonList(get("type"))) {
                if (!(type instanceof String name) || !TYPES.containsKey(name))
                    throw wrong("no type " + shown(type), "types are " + String.join(", ", TYPES.keySet()));
                types.add(name);
            }
        else TYPES.forEach((type, uses) -> {
            if (uses.stream().anyMatch(this::has)) types.add(type);
        });
        if (types.contains("number")) types.remove("integer");
        return types;
    }

    /// The values that `enum` and `const` and `type` allow, as they are written; nothing if all are.
    Optional<List<String>> valuesAllowed() {
        if (!has("enum") && !has("const")) return Optional.empty();
        Set<String> types = typesAllowed();
        List<String> texts = new ArrayList<>();
        for (Object value : has("enum") ? list("enum") : Collections.singletonList(get("const")))
            if (types.isEmpty() || types.stream().anyMatch(t -> is(t, value))) texts.add(written(value));
        if (has("enum") && has("const")) texts.retainAll(List.of(written(get("const"))));
        return Optional.of(texts);
    }

    private boolean is(String type, Object value) {
        return switch (value) {
            case null -> type.equals("null");
            case Boolean _ -> type.equals("boolean");
            case String _ -> type.equals("string");
            case List<?> _ -> type.equals("array");
            case Map<?, ?> _ -> type.equals("object");
            case Number n -> type.equals("number") || type.equals("integer") && decimal(n).stripTrailingZeros().scale() <= 0;
            default -> false;
        };
    }

    /// Checks that no value can be accepted by two of the schemas of `oneOf`.
    void checkApart() {
        List<JsonSchema> options = children("oneOf");
        if (options.size() > MOST_OPTIONS) throw wrong("\"oneOf\" has more than " + MOST_OPTIONS + " parts", "use anyOf");
        for (int i = 0; i < options.size(); i++)
            for (int j = 0; j < i; j++)
                if (!options.get(i).apartFrom(options.get(j), 0))
                    throw wrong("a value may be accepted by both oneOf/" + j + " and oneOf/" + i,
                            "use anyOf, or give both a required property whose const differs");
    }

    /// Whether it is plain that no value is accepted by both.
    private boolean apartFrom(JsonSchema other, int depth) {
        if (depth > 16) return false;
        if (has("$ref")) return referred().apartFrom(other, depth + 1);
        if (other.has("$ref")) return other.apartFrom(this, depth + 1);
        Optional<List<String>> values = valuesAllowed();
        Optional<List<String>> others = other.valuesAllowed();
        if (values.isPresent() && others.isPresent()) return Collections.disjoint(values.get(), others.get());
        // keywords of a type without the type itself say nothing about other types
        Set<String> types = values.isPresent() ? typesOf(values.get()) : has("type") ? typesAllowed() : TYPES.keySet();
        Set<String> both = new LinkedHashSet<>(others.isPresent() ? typesOf(others.get())
                : other.has("type") ? other.typesAllowed() : TYPES.keySet());
        if (types.contains("number") && both.contains("integer")) return false;
        if (types.contains("integer") && both.contains("number")) return false;
        both.retainAll(types);
        if (both.isEmpty()) return true;
        if (!both.equals(Set.of("object")) || values.isPresent() || others.isPresent()) return false;
        Set<String> required = required();
        required.retainAll(other.required());
        Map<String, JsonSchema> properties = properties();
        Map<String, JsonSchema> theirs = other.properties();
        return required.stream().anyMatch(name -> properties.containsKey(name) && theirs.containsKey(name)
                && properties.get(name).apartFrom(theirs.get(name), depth + 1));
    }

    /// The types of values as they are written.
    private static Set<String> typesOf(List<String> written) {
        Set<String> types = new LinkedHashSet<>();
        for (String text : written)
            types.add(switch (text.charAt(0)) {
                case '{' -> "object";
                case '[' -> "array";
                case '"' -> "string";
                case 't', 'f' -> "boolean";
                case 'n' -> "null";
                default -> "number";
            });
        return types;
    }

    Set<String> required() {
        Set<String> names = new LinkedHashSet<>();
        if (has("required"))
            for (Object name : list("required")) {
                if (!(name instanceof String text)) throw wrong("\"required\" must list names, has " + shown(name), "");
                names.add(text);
            }
        return names;
    }

    /// A count, cut at a million, which is more than anything can hold.
    int count(String keyword, int otherwise) {
        if (!has(keyword)) return otherwise;
        if (get(keyword) instanceof Number n) {
            BigDecimal d = decimal(n);
            if (d.signum() >= 0 && d.stripTrailingZeros().scale() <= 0) return d.min(BigDecimal.valueOf(1_000_000)).intValue();
        }
        throw wrong("\"" + keyword + "\" must be a whole number from 0 on, was " + shown(get(keyword)), "");
    }

    Optional<BigDecimal> bound(String keyword) {
        if (!has(keyword)) return Optional.empty();
        if (!(get(keyword) instanceof Number n))
            throw wrong("\"" + keyword + "\" must be a number, was " + shown(get(keyword)), "");
        BigDecimal bound = decimal(n).stripTrailingZeros();
        if (bound.scale() > MOST_PLACES)
            throw wrong("\"" + keyword + "\" of " + shown(n) + " is not supported", "write fewer digits");
        // what lies beyond the numbers that are written lies there all the same
        return Optional.of(bound.max(Digits.MOST.add(BigDecimal.ONE).negate()).min(Digits.MOST.add(BigDecimal.ONE)));
    }

    private BigDecimal decimal(Number n) {
        try {
            return new BigDecimal(n.toString());
        } catch (NumberFormatException e) {
            throw wrong(shown(n) + " is no number of JSON", "");
        }
    }

    List<?> list(String keyword) {
        if (get(keyword) instanceof List<?> list) return list;
        throw wrong("\"" + keyword + "\" must be a list, was " + shown(get(keyword)), "");
    }

    String text(String keyword) {
        if (get(keyword) instanceof String text) return text;
        throw wrong("\"" + keyword + "\" must be text, was " + shown(get(keyword)), "");
    }

    /// A value as an answer writes it: compact, equal numbers alike.
    String written(Object value) {
        StringBuilder out = new StringBuilder();
        write(value, out, 0);
        return out.toString();
    }

    private void write(Object value, StringBuilder out, int depth) {
        if (depth > MOST_DEPTH || out.length() > MOST_TEXT) throw wrong("a value is too large, or nested too deep", "");
        switch (value) {
            case null -> out.append("null");
            case Boolean b -> out.append(b);
            case String s -> {
                if (s.codePoints().anyMatch(c -> c >= 0xD800 && c <= 0xDFFF))
                    throw wrong("half a surrogate pair in " + shown(s), "");
                out.append(GSON.toJson(s));
            }
            case Number n -> {
                BigDecimal d = decimal(n).stripTrailingZeros();
                out.append(Math.abs((long) d.scale()) > 40 ? d.toString() : d.toPlainString());
            }
            case List<?> list -> {
                String before = "[";
                for (Object item : list) {
                    out.append(before);
                    write(item, out, depth + 1);
                    before = ",";
                }
                out.append(list.isEmpty() ? "[]" : "]");
            }
            case Map<?, ?> map -> {
                String before = "{";
                for (var entry : map.entrySet()) {
                    out.append(before);
                    write(String.valueOf(entry.getKey()), out, depth + 1);
                    out.append(':');
                    write(entry.getValue(), out, depth + 1);
                    before = ",";
                }
                out.append(map.isEmpty() ? "{}" : "}");
            }
            default -> throw wrong("no value of JSON: " + shown(value), "");
        }
    }

    private static String shown(Object value) {
        String text = value instanceof Map ? "an object" : value instanceof List ? "a list" : Objects.toString(value);
        return "\"" + (text.length() > 60 ? text.substring(0, 60) + "…" : text) + "\"";
    }
}
