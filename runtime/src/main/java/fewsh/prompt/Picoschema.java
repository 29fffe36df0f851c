package fewsh.prompt;

import fewsh.UserError;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// dotprompt's short form of a JSON schema: `name?: string, who is meant` and `tags(array, of the text): string`.
///
/// Source: google/dotprompt, docs and specification.
final class Picoschema {
    private static final Set<String> SCALARS = Set.of("any", "boolean", "integer", "null", "number", "string");
    private static final String ANY_OTHER = "(*)";

    private final String where;
    private final Map<String, ?> named;

    /// @param where the file and line, for messages
    /// @param named schemas that a type may name
    Picoschema(String where, Map<String, ?> named) {
        this.where = where;
        this.named = named;
    }

    /// @param schema short form, or JSON schema, which is left as it is
    Map<String, Object> schema(Object schema) {
        if (!(schema instanceof Map<?, ?> map)) return value(schema);
        if (map.get("type") instanceof String type && (SCALARS.contains(type) || type.equals("object") || type.equals("array")))
            return new LinkedHashMap<>(Yaml.texts(map));
        if (map.get("properties") instanceof Map) {
            Map<String, Object> object = new LinkedHashMap<>(Yaml.texts(map));
            object.put("type", "object");
            return object;
        }
        return object(map);
    }

    private Map<String, Object> value(Object value) {
        return switch (value) {
            case String text -> type(text);
            case Map<?, ?> map -> object(map);
            case null, default -> throw new UserError(where, "the schema has \"" + value + "\" for a type",
                    "types are " + String.join(", ", SCALARS.stream().sorted().toList()) + ", or a map of fields");
        };
    }

    private Map<String, Object> type(String text) {
        Words words = Words.of(text);
        Map<String, Object> schema = new LinkedHashMap<>();
        if (!SCALARS.contains(words.type)) {
            if (!(named.get(words.type) instanceof Map<?, ?> known))
                throw new UserError(where, "unknown type \"" + words.type + "\" in the schema",
                        UserError.near(words.type, SCALARS, "types are " + String.join(", ", SCALARS.stream().sorted().toList())));
            schema.putAll(Yaml.texts(known));
        } else if (!words.type.equals("any")) {
            schema.put("type", words.type);
        }
        if (!words.description.isEmpty()) schema.put("description", words.description);
        return schema;
    }

    private Map<String, Object> object(Map<?, ?> fields) {
        Map<String, Object> properties = new LinkedHashMap<>();
        List<String> required = new ArrayList<>();
        Object others = false;
        for (Map.Entry<?, ?> field : fields.entrySet()) {
            String key = (String) field.getKey();
            if (key.equals(ANY_OTHER)) {
                others = value(field.getValue());
                continue;
            }
            int open = key.indexOf('(');
            String name = open < 0 ? key : key.substring(0, open);
            boolean optional = name.endsWith("?");
            if (optional) name = name.substring(0, name.length() - 1);
            else required.add(name);
            properties.put(name, field(open < 0 ? null : key.substring(open + 1), field.getValue(), optional));
        }
        Map<String, Object> schema = new LinkedHashMap<>();
        schema.put("type", "object");
        schema.put("properties", properties);
        if (!required.isEmpty()) schema.put("required", required);
        schema.put("additionalProperties", others);
        return schema;
    }

    /// @param kind what stands in parentheses behind the name, up to the end of the key; null for nothing
    private Map<String, Object> field(String kind, Object value, boolean optional) {
        if (kind == null) {
            Map<String, Object> schema = value(value);
            if (optional) nullable(schema);
            return schema;
        }
        Words words = Words.of(kind.endsWith(")") ? kind.substring(0, kind.length() - 1) : kind);
        Map<String, Object> schema = new LinkedHashMap<>();
        switch (words.type) {
            case "array" -> {
                schema.put("type", "array");
                schema.put("items", value(value));
                if (optional) nullable(schema);
            }
            case "object" -> {
                schema.putAll(value(value));
                if (optional) nullable(schema);
            }
            case "enum" -> {
                if (!(value instanceof List<?> values))
                    throw new UserError(where, "an enum in the schema is not a list", "write name(enum): [a, b]");
                List<Object> all = new ArrayList<>(values);
                if (optional && !all.contains(null)) all.add(null);
                schema.put("enum", all);
            }
            default -> throw new UserError(where, "unknown type \"" + words.type + "\" in parentheses",
                    UserError.near(words.type, List.of("array", "object", "enum"), "only array, object and enum stand there"));
        }
        if (!words.description.isEmpty()) schema.put("description", words.description);
        return schema;
    }

    private static void nullable(Map<String, Object> schema) {
        if (schema.get("type") instanceof String type) schema.put("type", List.of(type, "null"));
    }

    /// `type, description`
    private record Words(String type, String description) {
        static Words of(String text) {
            int comma = text.indexOf(',');
            if (comma < 0) return new Words(text, "");
            return new Words(text.substring(0, comma), text.substring(comma + 1).replaceFirst("^ +", ""));
        }
    }
}
