package fewsh.models;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import fewsh.UserError;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/// A checkpoint's configuration under Hugging Face's keys, read strictly: a key of the wrong type is an error that names it.
///
/// @param where the file it came from
public record Settings(String where, JsonObject json) {
    /// No published model has a larger size; products of two stay within what is counted in 64 bits.
    private static final int LARGEST = 1 << 24;
    private static final long LARGEST_FILE = 1 << 22;

    /// The settings that a JSON file holds.
    ///
    /// @param needed what to do when there is no such file
    /// @throws UserError if it cannot be read or is no JSON object
    public static Settings read(Path file, String needed) {
        try {
            if (Files.exists(file) && Files.size(file) > LARGEST_FILE)
                throw new UserError(file.toString(), "is " + Files.size(file) + " bytes, no configuration is that large", "");
            try (JsonReader reader = new JsonReader(Files.newBufferedReader(file))) {
                reader.setStrictness(Strictness.STRICT);
                JsonElement json = JsonParser.parseReader(reader);
                if (json instanceof JsonObject object) return new Settings(file.toString(), object);
                throw new UserError(file.toString(), "must hold a JSON object", "fetch the file again");
            }
        } catch (IOException e) {
            throw new UserError(file.toString(), Files.exists(file) ? "cannot be read: " + e.getMessage() : "no such file", needed, e);
        } catch (RuntimeException e) {
            if (e instanceof UserError known) throw known;
            throw new UserError(file.toString(), "not JSON: " + e.getMessage(), "fetch the file again", e);
        }
    }

    /// The settings of a file that may be left out: then none.
    public static Settings ifThere(Path file) {
        return Files.exists(file) ? read(file, "") : new Settings(file.toString(), new JsonObject());
    }

    /// The same where keys have other names too, `other` → `own`; of both the own counts.
    ///
    /// Source: `attribute_map` of transformers' configurations.
    Settings alsoNamed(Map<String, String> names) {
        JsonObject all = json.deepCopy();
        names.forEach((other, own) -> {
            if (has(other) && !has(own)) all.add(own, json.get(other));
        });
        return new Settings(where, all);
    }

    Settings with(String key, Number value) {
        JsonObject all = json.deepCopy();
        all.addProperty(key, value);
        return new Settings(where, all);
    }

    /// A size: a whole number from 1 to 2²⁴.
    ///
    /// @throws UserError if it is missing or none
    public int size(String key) {
        if (!has(key)) throw new UserError(where, "\"" + key + "\" is missing", "fetch the file again");
        return size(key, 0);
    }

    public int size(String key, int otherwise) {
        if (!has(key)) return otherwise;
        BigDecimal value = number(key);
        try {
            if (value.signum() > 0 && value.compareTo(BigDecimal.valueOf(LARGEST)) <= 0) return value.intValueExact();
        } catch (ArithmeticException e) {
            throw wrong(key, "a whole number from 1 to " + LARGEST, e);
        }
        throw wrong(key, "a whole number from 1 to " + LARGEST, null);
    }

    /// Checks that a size made of two others is one as well.
    public int product(String what, long a, long b) {
        if (a * b > LARGEST)
            throw new UserError(where, what + " is " + a + " times " + b + ", more than " + LARGEST, "fetch the file again");
        return (int) (a * b);
    }

    /// How many heads keys and values have: as many as queries, or a divisor of that.
    ///
    /// @param otherwise where the key is missing; null means as many as queries
    public int keyValueHeads(int nHead, int otherwise) {
        int n = json.has("num_key_value_heads") ? size("num_key_value_heads", nHead) : otherwise;
        if (nHead % n == 0) return n;
        throw new UserError(where, "num_attention_heads " + nHead + " is not a multiple of num_key_value_heads " + n, "");
    }

    /// The size of a head that turns with its position: even.
    public int headDim(int nHead, int otherwise) {
        int dim = size("head_dim", Math.max(1, otherwise));
        if (dim % 2 != 0) throw new UserError(where, "head_dim must be even, was " + dim, "");
        product("width of the queries", nHead, dim);
        return dim;
    }

    public double real(String key, double otherwise) {
        return has(key) ? number(key).doubleValue() : otherwise;
    }

    public boolean flag(String key, boolean otherwise) {
        if (!has(key)) return otherwise;
        if (json.get(key) instanceof JsonPrimitive p && p.isBoolean()) return p.getAsBoolean();
        throw wrong(key, "true or false", null);
    }

    public String text(String key, String otherwise) {
        if (!has(key)) return otherwise;
        if (json.get(key) instanceof JsonPrimitive p && p.isString()) return p.getAsString();
        throw wrong(key, "a string", null);
    }

    /// One of the words that a page knows.
    ///
    /// @throws UserError naming those, for any other
    public String choice(String key, String otherwise, List<String> known) {
        String word = text(key, otherwise);
        if (!known.contains(word))
            throw new UserError(where, key + " \"" + word + "\" is not supported", "supported: " + String.join(", ", known));
        return word;
    }

    /// Refuses a setting that a page does not implement: it may only be left out or have this value.
    public void only(String key, Object value) {
        if (!has(key)) return;
        JsonElement given = json.get(key);
        boolean same = switch (value) {
            case Boolean b -> given instanceof JsonPrimitive p && p.isBoolean() && p.getAsBoolean() == b;
            case Number n -> given instanceof JsonPrimitive p && p.isNumber() && p.getAsDouble() == n.doubleValue();
            default -> given instanceof JsonPrimitive p && p.getAsString().equals(value);
        };
        if (!same)
            throw new UserError(where, key + " " + given + " is not supported", "only " + value + " is, for "
                    + text("model_type", "this architecture"));
    }

    /// A list of so many numbers.
    public List<Double> reals(String key, int count) {
        if (json.get(key) instanceof JsonArray list && list.size() == count
                && list.asList().stream().allMatch(e -> e instanceof JsonPrimitive p && p.isNumber()))
            return list.asList().stream().map(JsonElement::getAsDouble).toList();
        throw wrong(key, "a list of " + count + " numbers", null);
    }

    /// One of the words that a page knows for each of so many layers.
    public List<String> choices(String key, int layers, List<String> known) {
        if (!(json.get(key) instanceof JsonArray list) || list.size() != layers)
            throw wrong(key, "a list of " + layers + " words", null);
        return list.asList().stream().map(e -> {
            JsonObject one = new JsonObject();
            one.add(key, e);
            return new Settings(where, one).choice(key, "", known);
        }).toList();
    }

    /// How many positions each layer sees, its own among them, 0 for all: as `layer_types` says, where that is given.
    ///
    /// @param window of the layers that do not see all; 0 if there is none
    /// @param slides which layers have it where there is no `layer_types`
    public List<Integer> windows(int layers, int window, IntPredicate slides) {
        List<String> types = has("layer_types")
                ? choices("layer_types", layers, List.of("full_attention", "sliding_attention")) : List.of();
        if (window == 0 && types.contains("sliding_attention"))
            throw new UserError(where, "layer_types asks for sliding_attention, but there is no sliding_window",
                    "fetch the file again");
        return IntStream.range(0, layers)
                .mapToObj(i -> (types.isEmpty() ? slides.test(i) : types.get(i).equals("sliding_attention")) ? window : 0).toList();
    }

    /// A nested object; empty when there is none.
    public Settings object(String key) {
        if (!has(key)) return new Settings(where + ": " + key, new JsonObject());
        if (json.get(key) instanceof JsonObject o) return new Settings(where + ": " + key, o);
        throw wrong(key, "an object", null);
    }

    /// Whether the key is there and not null.
    public boolean has(String key) {
        return json.has(key) && !json.get(key).isJsonNull();
    }

    private BigDecimal number(String key) {
        try {
            if (json.get(key) instanceof JsonPrimitive p && p.isNumber()) return p.getAsBigDecimal();
        } catch (NumberFormatException e) {
            throw wrong(key, "a number", e);
        }
        throw wrong(key, "a number", null);
    }

    private UserError wrong(String key, String wanted, Exception cause) {
        return new UserError(where, "\"" + key + "\" must be " + wanted + ", was " + json.get(key),
                "fetch the file again", cause);
    }
}
