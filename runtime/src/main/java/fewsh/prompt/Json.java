package fewsh.prompt;

import com.google.gson.FormattingStyle;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonPrimitive;
import com.google.gson.Strictness;
import com.google.gson.ToNumberPolicy;
import fewsh.UserError;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// JSON as maps, lists, texts, numbers, booleans and null. An integer is a Long where it fits, 1.0 a Double.
final class Json {
    private static final int DEEPEST = 64;
    private static final Gson READER = new GsonBuilder().setStrictness(Strictness.STRICT)
            .setObjectToNumberStrategy(ToNumberPolicy.LONG_OR_DOUBLE).create();
    private static final Gson WRITER = new GsonBuilder().disableHtmlEscaping().serializeNulls()
            .serializeSpecialFloatingPointValues().create();

    private Json() {}

    /// @throws UserError at `where` if it is not JSON, with the place in it
    static Object parse(String where, String text) {
        try {
            return value(where, READER.fromJson(text, JsonElement.class), 0);
        } catch (JsonParseException | NumberFormatException e) {
            String message = String.valueOf(e.getMessage()).replaceAll("\\s*See https?:\\S+", "")
                    .replaceAll("^[\\w.]+Exception: ", "");
            throw new UserError(where, "invalid JSON: " + message.lines().findFirst().orElse(""), "", e);
        } catch (StackOverflowError e) {
            throw new UserError(where, "the JSON is nested deeper than " + DEEPEST, "");
        }
    }

    private static Object value(String where, JsonElement json, int depth) {
        if (depth > DEEPEST) throw new UserError(where, "the JSON is nested deeper than " + DEEPEST, "");
        return switch (json) {
            case JsonObject object -> {
                Map<String, Object> map = new LinkedHashMap<>();
                object.entrySet().forEach(entry -> map.put(entry.getKey(), value(where, entry.getValue(), depth + 1)));
                yield map;
            }
            case JsonArray array -> {
                List<Object> items = new ArrayList<>();
                for (JsonElement item : array) items.add(value(where, item, depth + 1));
                yield items;
            }
            case JsonPrimitive p when p.isBoolean() -> p.getAsBoolean();
            case JsonPrimitive p when p.isNumber() -> number(p.getAsString());
            case JsonPrimitive p -> p.getAsString();
            case null, default -> null;
        };
    }

    private static Object number(String text) {
        if (!text.matches("-?\\d{1,18}")) return Double.valueOf(text);
        return Long.valueOf(text);
    }

    static JsonElement tree(Object value) {
        return WRITER.toJsonTree(value);
    }

    /// As `JSON.stringify(value, null, indent)` of JavaScript writes it.
    static String write(Object value, int indent) {
        Gson gson = indent == 0 ? WRITER
                : WRITER.newBuilder().setFormattingStyle(FormattingStyle.PRETTY.withIndent(" ".repeat(indent))).create();
        return gson.toJson(numbers(value));
    }

    /// JavaScript has one kind of number: 1.0 is written 1.
    private static Object numbers(Object value) {
        return switch (value) {
            case Double d when d == Math.rint(d) && Math.abs(d) < 1e15 -> d.longValue();
            case Double d when d.isNaN() || d.isInfinite() -> null;
            case List<?> items -> items.stream().map(Json::numbers).collect(ArrayList::new, ArrayList::add, ArrayList::addAll);
            case Map<?, ?> map -> {
                Map<String, Object> copy = new LinkedHashMap<>();
                map.forEach((key, item) -> copy.put(String.valueOf(key), numbers(item)));
                yield copy;
            }
            case null, default -> value;
        };
    }
}
