package fewsh.script;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import fewsh.UserError;
import fewsh.generate.SamplingConfig;
import fewsh.load.LoadOptions;
import fewsh.models.Precision;
import fewsh.session.Device;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The options of one call: each is taken once, by name; a name that nobody knows is an error.
///
/// @param given of which these are the last
record Options(Given given, JsonObject values) {
    /// The sampling controls, as everywhere else.
    static final List<String> SAMPLING = List.of("temperature", "top_k", "top_p", "min_p", "repetition_penalty",
            "presence_penalty",
            "frequency_penalty", "max_tokens", "stop", "seed");
    static final List<String> LOADING = List.of("precision", "device", "threads");

    /// @throws UserError for an option that is none of `more` and `known`
    Options expect(List<String> known, String... more) {
        List<String> all = Stream.concat(Arrays.stream(more), known.stream()).toList();
        for (String key : values.keySet())
            if (!all.contains(key))
                throw given.error("unknown option \"" + key + "\"", UserError.near(key, all, "options are " + String.join(", ", all)));
        return this;
    }

    private JsonElement get(String key) {
        JsonElement value = values.get(key);
        return value == null || value.isJsonNull() ? null : value;
    }

    boolean flag(String key) {
        JsonElement value = get(key);
        if (value == null) return false;
        if (value instanceof JsonPrimitive p && p.isBoolean()) return p.getAsBoolean();
        throw wrong(key, "true or false", value);
    }

    String text(String key, String otherwise) {
        JsonElement value = get(key);
        if (value == null) return otherwise;
        if (value instanceof JsonPrimitive p && p.isString()) return p.getAsString();
        throw wrong(key, "a text", value);
    }

    int whole(String key, int least, int most, int otherwise) {
        JsonElement value = get(key);
        if (value == null) return otherwise;
        double number = number(key, 0);
        if (number == Math.rint(number) && number >= least && number <= most) return (int) number;
        throw wrong(key, "a whole number from " + least + " to " + most, value);
    }

    double number(String key, double otherwise) {
        JsonElement value = get(key);
        if (value == null) return otherwise;
        if (value instanceof JsonPrimitive p && p.isNumber()) return p.getAsDouble();
        throw wrong(key, "a number", value);
    }

    /// A text, or an array of texts.
    List<String> texts(String key, List<String> otherwise) {
        JsonElement value = get(key);
        if (value == null) return otherwise;
        List<String> texts = new ArrayList<>();
        for (JsonElement element : value instanceof JsonArray list ? list.asList() : List.of(value)) {
            if (!(element instanceof JsonPrimitive p && p.isString())) throw wrong(key, "a text or an array of texts", value);
            texts.add(p.getAsString());
        }
        return texts;
    }

    /// `settings` with the sampling controls among these.
    ///
    /// @throws UserError for a value out of range
    SamplingConfig sampling(SamplingConfig settings) {
        try {
            return settings.with(c -> {
                c.temperature = number("temperature", c.temperature);
                c.topK = whole("top_k", 0, Integer.MAX_VALUE, c.topK);
                c.topP = number("top_p", c.topP);
                c.minP = number("min_p", c.minP);
                c.repetitionPenalty = number("repetition_penalty", c.repetitionPenalty);
                c.presencePenalty = number("presence_penalty", c.presencePenalty);
                c.frequencyPenalty = number("frequency_penalty", c.frequencyPenalty);
                c.maxTokens = whole("max_tokens", 0, Integer.MAX_VALUE, c.maxTokens);
                c.stop = texts("stop", c.stop);
                c.seed = (long) number("seed", c.seed);
            });
        } catch (UserError e) {
            throw e.where().equals(given.word().name()) ? e : given.error(e.getMessage(), e.fix());
        }
    }

    /// `settings` with how a model is to be loaded, as these say.
    LoadOptions loading(LoadOptions settings) {
        LoadOptions options = settings;
        String precision = text("precision", "");
        if (!precision.isEmpty())
            options = options.withPrecision(Arrays.stream(Precision.values()).filter(p -> p.name().equalsIgnoreCase(precision))
                    .findFirst().orElseThrow(() -> given.error("unknown precision \"" + precision + "\"", "precisions are "
                            + Arrays.stream(Precision.values()).map(p -> p.name().toLowerCase(Locale.ROOT))
                                    .collect(Collectors.joining(", ")))));
        String device = text("device", "");
        if (!device.isEmpty()) options = options.withDevice(Device.parse(device));
        return options.withThreads(whole("threads", 1, 1024, options.threads()));
    }

    private UserError wrong(String key, String kind, JsonElement value) {
        return given.error(key + " must be " + kind + ", was " + Given.shown(value), "");
    }
}
