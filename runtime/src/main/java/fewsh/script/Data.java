package fewsh.script;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import fewsh.prompt.Message;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Data as JSON has it ↔ data as the rest of Java here has it: null, Boolean, Long, Double, String, List, Map.
final class Data {
    private static final Gson GSON = new GsonBuilder().serializeNulls().disableHtmlEscaping().create();

    private Data() {}

    static JsonElement json(Object value) {
        return GSON.toJsonTree(value);
    }

    /// JSON has no infinity: null.
    static JsonElement number(double value) {
        return Double.isFinite(value) ? new JsonPrimitive(value) : JsonNull.INSTANCE;
    }

    /// JavaScript has one kind of number: whole ones are Long.
    static Object plain(JsonElement value) {
        return switch (value) {
            case JsonPrimitive p when p.isString() -> p.getAsString();
            case JsonPrimitive p when p.isBoolean() -> p.getAsBoolean();
            case JsonPrimitive p -> p.getAsDouble() == p.getAsLong() ? (Object) p.getAsLong() : (Object) p.getAsDouble();
            case JsonArray list -> {
                List<Object> values = new ArrayList<>();
                for (JsonElement element : list) values.add(plain(element));
                yield values;
            }
            case JsonObject object -> map(object);
            default -> null;
        };
    }

    static Map<String, Object> map(JsonObject object) {
        Map<String, Object> fields = new LinkedHashMap<>();
        object.asMap().forEach((key, value) -> fields.put(key, plain(value)));
        return fields;
    }

    static String text(Given given, String name, JsonElement value) {
        if (value instanceof JsonPrimitive p && p.isString()) return p.getAsString();
        throw given.error(name + " must be a text, was " + Given.shown(value), "");
    }

    /// A conversation: a text is one message of the user.
    static List<Message> messages(Given given, JsonElement value) {
        String example = "[{role: \"user\", content: \"Hello\"}]";
        if (value instanceof JsonPrimitive p && p.isString()) return List.of(new Message("user", p.getAsString()));
        if (!(value instanceof JsonArray list)) throw given.error("messages must be a text or an array, were "
                + Given.shown(value), example);
        List<Message> messages = new ArrayList<>();
        for (JsonElement element : list) {
            Message message = element instanceof JsonObject row ? Message.received(map(row)) : new Message(Map.of());
            if (message.role() == null || !(message.fields().get("content") instanceof String))
                throw given.error("message " + (messages.size() + 1) + " must be {role, content}, both texts, was "
                        + Given.shown(element), example);
            messages.add(message);
        }
        if (messages.isEmpty()) throw given.error("there is no message", example);
        return messages;
    }
}
