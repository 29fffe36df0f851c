package fewsh.store;

import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import java.io.IOException;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.List;

/// Strict JSON objects, field by field. Everything it throws is an `IllegalArgumentException` that says what is wrong.
final class Json {
    private Json() {}

    static JsonObject object(String text) {
        try (JsonReader reader = new JsonReader(new StringReader(text))) {
            reader.setStrictness(Strictness.STRICT);
            JsonElement root = JsonParser.parseReader(reader);
            if (reader.peek() != JsonToken.END_DOCUMENT) throw new IllegalArgumentException("more follows the JSON object");
            if (root instanceof JsonObject object) return object;
            throw new IllegalArgumentException("not a JSON object");
        } catch (JsonParseException | IOException e) {
            throw new IllegalArgumentException("not JSON: " + e.getMessage(), e);
        }
    }

    static String text(JsonObject object, String key) {
        if (object.get(key) instanceof JsonPrimitive value && value.isString()) return value.getAsString();
        throw new IllegalArgumentException("\"" + key + "\" is missing or not a string");
    }

    /// `otherwise` when the key is absent, null or not a string.
    static String text(JsonObject object, String key, String otherwise) {
        return object.get(key) instanceof JsonPrimitive value && value.isString() ? value.getAsString() : otherwise;
    }

    /// A count of bytes: a whole number from 0 to 2⁵³.
    static long bytes(JsonObject object, String key) {
        if (object.get(key) instanceof JsonPrimitive value && value.isNumber() && value.getAsString().matches("\\d{1,16}"))
            return value.getAsLong();
        throw new IllegalArgumentException("\"" + key + "\" is missing or not a number of bytes");
    }

    static List<JsonObject> objects(JsonObject object, String key) {
        if (!(object.get(key) instanceof JsonArray array))
            throw new IllegalArgumentException("\"" + key + "\" is missing or not a list");
        List<JsonObject> all = new ArrayList<>();
        for (JsonElement element : array) {
            if (!(element instanceof JsonObject item)) throw new IllegalArgumentException("\"" + key + "\" holds no objects");
            all.add(item);
        }
        return all;
    }

    static List<String> strings(JsonObject object, String key) {
        if (!(object.get(key) instanceof JsonArray array))
            throw new IllegalArgumentException("\"" + key + "\" is missing or not a list");
        List<String> all = new ArrayList<>();
        for (JsonElement element : array) {
            if (!(element instanceof JsonPrimitive item && item.isString()))
                throw new IllegalArgumentException("\"" + key + "\" holds something else than strings");
            all.add(item.getAsString());
        }
        return all;
    }

    static String write(JsonObject object) {
        return new GsonBuilder().setPrettyPrinting().disableHtmlEscaping().create().toJson(object) + "\n";
    }
}
