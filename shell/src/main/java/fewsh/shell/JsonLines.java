package fewsh.shell;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import fewsh.UserError;
import java.io.IOException;
import java.io.StringReader;

/// JSON lines as they come in: strict, and an error names the line.
final class JsonLines {
    private JsonLines() {}

    /// @param where file or `stdin`, and the line's number
    static JsonElement value(String line, String where) {
        try (JsonReader reader = new JsonReader(new StringReader(line))) {
            reader.setStrictness(Strictness.STRICT);
            JsonElement value = JsonParser.parseReader(reader);
            if (reader.peek() != JsonToken.END_DOCUMENT) throw new UserError(where, "more follows the JSON value",
                    "one value a line");
            return value;
        } catch (JsonParseException | IOException | IllegalStateException e) {
            String message = String.valueOf(e.getMessage()).lines().findFirst().orElse("")
                    .replaceFirst("^[\\w.]+Exception: ", "")
                    .replaceFirst("Use JsonReader.setStrictness\\(Strictness.LENIENT\\) to accept malformed JSON", "malformed");
            throw new UserError(where, "not JSON: " + message, "one JSON value a line", e);
        }
    }

    static JsonObject object(String line, String where) {
        if (value(line, where) instanceof JsonObject object) return object;
        throw new UserError(where, "not a JSON object", "one object a line");
    }

    static String text(JsonObject object, String key, String where) {
        if (object.get(key) instanceof JsonPrimitive value && value.isString()) return value.getAsString();
        throw new UserError(where, "\"" + key + "\" is missing or not a string", "");
    }

    /// `e`, with the line it happened at in front.
    static UserError at(int number, UserError e) {
        return new UserError("stdin:" + number + (e.where().isEmpty() ? "" : ": " + e.where()), e.what(), e.fix(), e);
    }
}
