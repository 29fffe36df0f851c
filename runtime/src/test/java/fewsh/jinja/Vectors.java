package fewsh.jinja;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// JSON vectors as templates take them.
public final class Vectors {
    private Vectors() {}

    public static JsonElement read(Path file) throws IOException {
        return JsonParser.parseString(Files.readString(file));
    }

    /// Integers and floats are told apart by their spelling, 1 and 1.0.
    public static Object value(JsonElement json) {
        return switch (json) {
            case JsonObject o -> variables(o);
            case JsonArray a -> {
                List<Object> items = new ArrayList<>();
                for (JsonElement item : a) items.add(value(item));
                yield items;
            }
            case JsonPrimitive p when p.isBoolean() -> p.getAsBoolean();
            case JsonPrimitive p when p.isString() -> p.getAsString();
            case JsonPrimitive p -> {
                if (p.getAsString().matches("-?\\d+")) yield new BigInteger(p.getAsString());
                yield Double.valueOf(p.getAsString());
            }
            default -> null;
        };
    }

    public static Map<String, Object> variables(JsonObject json) {
        Map<String, Object> map = new LinkedHashMap<>();
        json.entrySet().forEach(entry -> map.put(entry.getKey(), value(entry.getValue())));
        return map;
    }

    /// @param options arguments of Python's Environment, by their names there
    static Environment environment(String name, JsonObject options, String now) {
        LocalDateTime time = LocalDateTime.parse(now);
        Environment environment = switch (name) {
            case "plain" -> Environment.plain();
            case "chat" -> Environment.chat();
            case "lm_eval" -> Environment.lmEval();
            default -> throw new IllegalArgumentException(name);
        };
        environment = environment.withClock(() -> time);
        for (Map.Entry<String, JsonElement> option : options.entrySet()) {
            boolean on = option.getValue().getAsBoolean();
            environment = switch (option.getKey()) {
                case "trim_blocks" -> environment.withTrimBlocks(on);
                case "lstrip_blocks" -> environment.withLstripBlocks(on);
                case "keep_trailing_newline" -> environment.withKeepTrailingNewline(on);
                default -> throw new IllegalArgumentException(option.getKey());
            };
        }
        return environment;
    }
}
