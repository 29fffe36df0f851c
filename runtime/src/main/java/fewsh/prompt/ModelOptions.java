package fewsh.prompt;

import fewsh.UserError;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The sampling settings of a prompt file, under the names fewsh has for them.
final class ModelOptions {
    private static final Map<String, String> NAMES = Map.ofEntries(Map.entry("temperature", "temperature"),
            Map.entry("topP", "top_p"), Map.entry("top_p", "top_p"), Map.entry("topK", "top_k"), Map.entry("top_k", "top_k"),
            Map.entry("maxOutputTokens", "max_tokens"), Map.entry("max_output_tokens", "max_tokens"),
            Map.entry("maxTokens", "max_tokens"), Map.entry("max_tokens", "max_tokens"),
            Map.entry("max_completion_tokens", "max_tokens"), Map.entry("seed", "seed"), Map.entry("stopSequences", "stop"),
            Map.entry("stop_sequences", "stop"), Map.entry("stop", "stop"), Map.entry("presencePenalty", "presence_penalty"),
            Map.entry("presence_penalty", "presence_penalty"), Map.entry("frequencyPenalty", "frequency_penalty"),
            Map.entry("frequency_penalty", "frequency_penalty"));
    private static final Map<String, String> PROMPTY = Map.of("temperature", "temperature", "top_p", "topP", "top_k", "topK",
            "max_tokens", "maxOutputTokens", "seed", "seed", "stop", "stopSequences", "presence_penalty", "presencePenalty",
            "frequency_penalty", "frequencyPenalty");

    private ModelOptions() {}

    /// Those of `declared` that fewsh has; the others are another program's. A value of null is none.
    ///
    /// @param declared from names as Prompty, dotprompt or the older files write them
    /// @throws UserError at `where` if one is of the wrong kind
    static Map<String, Object> read(String where, Map<?, ?> declared) {
        Map<String, Object> options = new LinkedHashMap<>();
        declared.forEach((key, value) -> {
            String name = NAMES.get(key);
            if (name != null && value != null) options.putIfAbsent(name, value(where, (String) key, name, value));
        });
        return options;
    }

    private static Object value(String where, String key, String name, Object value) {
        boolean fits = switch (name) {
            case "stop" -> value instanceof String || value instanceof Collection<?> c
                    && c.stream().allMatch(String.class::isInstance);
            case "seed", "top_k", "max_tokens" -> value instanceof Integer || value instanceof Long
                    || value instanceof String text && text.matches("-?\\d{1,18}");
            default -> value instanceof Number || value instanceof String text && text.matches("-?\\d{1,9}(\\.\\d{1,18})?");
        };
        if (!fits)
            throw new UserError(where, "\"" + key + "\" is \"" + value + "\"", switch (name) {
                case "stop" -> "give a text or a list of texts";
                case "seed", "top_k", "max_tokens" -> "give an integer";
                default -> "give a number";
            });
        return switch (name) {
            case "stop" -> value instanceof String text ? List.of(text) : List.copyOf((Collection<?>) value);
            case "seed", "top_k", "max_tokens" -> value instanceof String text ? Long.valueOf(text)
                    : ((Number) value).longValue();
            default -> value instanceof String text ? Double.valueOf(text) : ((Number) value).doubleValue();
        };
    }

    /// The other way: as Prompty names them.
    static Map<String, Object> write(Map<String, Object> options) {
        Map<String, Object> written = new LinkedHashMap<>();
        options.forEach((name, value) -> {
            if (PROMPTY.containsKey(name) && value != null) written.put(PROMPTY.get(name), value);
        });
        return written;
    }
}
