package fewsh.script;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import fewsh.UserError;
import java.util.ArrayList;
import java.util.List;

/// What a script gave a word, checked as it is taken out.
///
/// @param word whose name errors begin with
/// @param values by place; missing ones, `undefined`, functions and NaN are JSON's null, as `JSON.stringify` has them
/// @param prompt what stands first, or what the word is of, if it is a prompt; null otherwise
record Given(Word word, JsonArray values, Prompt prompt) {
    JsonElement at(int i) {
        return i < values.size() ? values.get(i) : JsonNull.INSTANCE;
    }

    boolean has(int i) {
        return !at(i).isJsonNull();
    }

    String text(int i) {
        if (at(i) instanceof JsonPrimitive p && p.isString()) return p.getAsString();
        throw wrong(i, "a text");
    }

    int whole(int i, int least, int most) {
        if (at(i) instanceof JsonPrimitive p && p.isNumber() && p.getAsDouble() == Math.rint(p.getAsDouble())
                && p.getAsDouble() >= least && p.getAsDouble() <= most)
            return p.getAsInt();
        throw wrong(i, "a whole number from " + least + " to " + most);
    }

    List<JsonElement> list(int i) {
        if (at(i) instanceof JsonArray list) return list.asList();
        throw wrong(i, "an array");
    }

    /// An array of objects.
    List<JsonObject> rows(int i) {
        List<JsonObject> rows = new ArrayList<>();
        for (JsonElement element : list(i)) {
            if (!(element instanceof JsonObject row))
                throw error("row " + (rows.size() + 1) + " must be an object, was " + shown(element), "");
            rows.add(row);
        }
        return rows;
    }

    /// What may follow by name; empty if it is left out.
    Options options(int i) {
        if (!has(i)) return new Options(this, new JsonObject());
        if (at(i) instanceof JsonObject object) return new Options(this, object);
        throw wrong(i, "an object");
    }

    UserError wrong(int i, String kind) {
        String parameter = word.parameters().get(i).replace("?", "");
        return error(parameter + " must be " + kind + ", was " + shown(at(i)), word.signature());
    }

    UserError error(String what, String fix) {
        return new UserError(word.name(), what, fix);
    }

    /// For a message: short.
    static String shown(JsonElement value) {
        String text = value.toString();
        return text.length() <= 60 ? text : text.substring(0, 60) + "…";
    }
}
