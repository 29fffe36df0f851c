package fewsh.generate;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/// Schemas of keywords that an answer can be held to, drawn at random.
final class RandomSchema {
    private static final List<String> NAMES = 
            List.of("a", "ab", "b", "name", "é", "with space", "quo\"te", "", "back\\slash", "🐱");
    private static final List<String> PATTERNS = List.of("^[a-z]+$", "x", "^a|b$", "[\"\\\\]", "^[^a]{2,4}$", "\\d{2}", ".\\n?.");
    private final Random random;

    RandomSchema(long seed) {
        random = new Random(seed);
    }

    private boolean chance(int oneIn) {
        return random.nextInt(oneIn) == 0;
    }

    Object schema(int depth) {
        if (depth > 0 && chance(15)) return true;
        Map<String, Object> schema = new LinkedHashMap<>();
        switch (random.nextInt(depth > 3 ? 6 : 10)) {
            case 0 -> string(schema);
            case 1 -> number(schema, "integer");
            case 2 -> number(schema, "number");
            case 3 -> schema.put("type", chance(2) ? "boolean" : List.of("null", "boolean"));
            case 4 -> schema.put("enum",
                    List.of(random.nextInt(5), NAMES.get(random.nextInt(10)), true, List.of(1, 2.5), Map.of("k", "v")));
            case 5 -> schema.put("const", random.nextInt(100) - 50);
            case 6 -> array(schema, depth);
            case 7 -> schema.put("anyOf", List.of(schema(depth + 1), schema(depth + 1)));
            default -> object(schema, depth);
        }
        if (chance(6)) schema.put("description", "said for the reader");
        return schema;
    }

    private void string(Map<String, Object> schema) {
        schema.put("type", "string");
        int least = random.nextInt(4);
        switch (random.nextInt(4)) {
            case 0 -> schema.put("pattern", PATTERNS.get(random.nextInt(7)));
            case 1 -> schema.put("format", List.of("date", "time", "uuid", "date-time").get(random.nextInt(4)));
            case 2 -> {
                schema.put("minLength", least);
                schema.put("maxLength", least + random.nextInt(5));
            }
            default -> schema.put("minLength", least);
        }
    }

    private void number(Map<String, Object> schema, String type) {
        schema.put("type", type);
        double low = (random.nextInt(40_000) - 20_000) / (chance(2) ? 1.0 : 1000.0);
        if (!chance(3)) schema.put(chance(2) ? "minimum" : "exclusiveMinimum", low);
        if (!chance(3)) schema.put(chance(2) ? "maximum" : "exclusiveMaximum", low + 1 + random.nextInt(300) / 2.0);
    }

    private void array(Map<String, Object> schema, int depth) {
        schema.put("type", "array");
        int least = random.nextInt(3);
        if (chance(2)) schema.put("minItems", least);
        if (chance(2)) schema.put("maxItems", least + random.nextInt(3));
        if (chance(3)) schema.put("prefixItems", List.of(schema(depth + 1), schema(depth + 1)));
        if (!chance(3)) schema.put("items", schema(depth + 1));
    }

    private void object(Map<String, Object> schema, int depth) {
        if (!chance(3)) schema.put("type", "object");
        Map<String, Object> properties = new LinkedHashMap<>();
        List<String> required = new ArrayList<>();
        for (int i = random.nextInt(4); i > 0; i--) {
            String name = NAMES.get(random.nextInt(10));
            properties.put(name, schema(depth + 1));
            if (chance(2) && !required.contains(name)) required.add(name);
        }
        if (chance(6) && !required.contains("extra")) required.add("extra");
        schema.put("properties", properties);
        if (!required.isEmpty()) schema.put("required", required);
        if (chance(3)) schema.put("additionalProperties", chance(2) ? true : schema(depth + 1));
    }
}
