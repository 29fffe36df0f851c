package fewsh.shell;

import fewsh.UserError;
import fewsh.generate.SamplingConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/// What decides how an answer is drawn: an option of the program and a key of `/set`, one row each.
enum Setting {
    TEMPERATURE("T", "divides the logits; 0 is greedy"),
    TOP_K("K", "only the K likeliest tokens; 0 is all"),
    TOP_P("P", "only the likeliest tokens that together reach P"),
    MIN_P("P", "only tokens at least P times as likely as the likeliest"),
    REPETITION_PENALTY("X", "makes tokens seen before less likely; 1 is off"),
    PRESENCE_PENALTY("X", "subtracted once from tokens the answer has; 0 is off"),
    FREQUENCY_PENALTY("X", "subtracted as often as the answer has a token; 0 is off"),
    MAX_TOKENS("N", "most tokens of an answer"),
    STOP("S", "a text that ends the answer and is not part of it"),
    SEED("N", "of the draws; the same seed gives the same answer");

    private final String value;
    private final String help;

    Setting(String value, String help) {
        this.value = value;
        this.help = help;
    }

    String key() {
        return name().toLowerCase();
    }

    String help() {
        return help;
    }

    Option option() {
        Option option = Option.of(value, help, "--" + key());
        return this == STOP ? option.repeatable() : option;
    }

    static List<String> keys() {
        return Arrays.stream(values()).map(Setting::key).toList();
    }

    /// @param key hyphens count as underscores
    /// @throws UserError for a key that is none
    static Setting of(String key) {
        String snake = key.replace('-', '_');
        for (Setting setting : values())
            if (setting.key().equals(snake)) return setting;
        throw new UserError("/set", "unknown setting \"" + key + "\"",
                UserError.near(snake, keys(), "settings are " + String.join(", ", keys())));
    }

    /// `config` with this one changed.
    ///
    /// @throws UserError for a value out of range
    private SamplingConfig set(SamplingConfig c, List<String> values) {
        String text = values.getLast();
        return switch (this) {
            case TEMPERATURE -> c.with(f -> f.temperature = number(text));
            case TOP_K -> c.with(f -> f.topK = whole(text));
            case TOP_P -> c.with(f -> f.topP = number(text));
            case MIN_P -> c.with(f -> f.minP = number(text));
            case REPETITION_PENALTY -> c.with(f -> f.repetitionPenalty = number(text));
            case PRESENCE_PENALTY -> c.with(f -> f.presencePenalty = number(text));
            case FREQUENCY_PENALTY -> c.with(f -> f.frequencyPenalty = number(text));
            case MAX_TOKENS -> c.with(f -> f.maxTokens = whole(text));
            case STOP -> c.with(f -> f.stop = values);
            case SEED -> c.with(f -> f.seed = seed(text));
        };
    }

    /// `defaults` with all of `values` set.
    ///
    /// @throws UserError naming the option of a value out of range
    static SamplingConfig apply(SamplingConfig defaults, Map<Setting, List<String>> values) {
        SamplingConfig config = defaults;
        for (var entry : values.entrySet())
            if (!entry.getValue().isEmpty()) config = entry.getKey().set(config, entry.getValue());
        return config;
    }

    /// `config` as `/set` and `-v` show it, in the order of the rows: `temperature 0.8`.
    static Map<Setting, String> shown(SamplingConfig c) {
        return Arrays.stream(values()).collect(Collectors.toMap(s -> s, s -> switch (s) {
            case TEMPERATURE -> Render.number(c.temperature());
            case TOP_K -> Integer.toString(c.topK());
            case TOP_P -> Render.number(c.topP());
            case MIN_P -> Render.number(c.minP());
            case REPETITION_PENALTY -> Render.number(c.repetitionPenalty());
            case PRESENCE_PENALTY -> Render.number(c.presencePenalty());
            case FREQUENCY_PENALTY -> Render.number(c.frequencyPenalty());
            case MAX_TOKENS -> Integer.toString(c.maxTokens());
            case STOP -> c.stop().stream().map(Render::quoted).collect(Collectors.joining(" "));
            case SEED -> Long.toString(c.seed());
        }, (a, _) -> a, java.util.LinkedHashMap::new));
    }

    /// A value as a prompt file holds it.
    Object stored(List<String> values) {
        return switch (this) {
            case STOP -> values;
            case TOP_K, MAX_TOKENS -> whole(values.getLast());
            case SEED -> seed(values.getLast());
            case TEMPERATURE, TOP_P, MIN_P, REPETITION_PENALTY, PRESENCE_PENALTY, FREQUENCY_PENALTY -> number(values.getLast());
        };
    }

    /// The settings that a prompt file holds.
    static Map<Setting, List<String>> stored(Map<String, Object> options) {
        Map<Setting, List<String>> stored = new java.util.EnumMap<>(Setting.class);
        options.forEach((key, value) -> stored.put(of(key), value instanceof List<?> list
                ? list.stream().map(String::valueOf).toList() : List.of(String.valueOf(value))));
        return stored;
    }

    /// The values that `options` gives for settings.
    static Map<Setting, List<String>> given(Options options) {
        Map<Setting, List<String>> given = new java.util.EnumMap<>(Setting.class);
        for (Setting setting : values()) {
            List<String> values = new ArrayList<>(options.all(setting.key()));
            if (!values.isEmpty()) given.put(setting, values);
        }
        return given;
    }

    private double number(String text) {
        try {
            double number = Double.parseDouble(text);
            if (Double.isFinite(number) && !text.matches(".*[dDfFxX]\\s*")) return number;
        } catch (NumberFormatException _) {
            // said below, as for a number that is not finite
        }
        throw new UserError("", key() + " must be a number, was \"" + text + "\"", "");
    }

    private int whole(String text) {
        return Options.whole(key(), text, 0);
    }

    private long seed(String text) {
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException e) {
            throw new UserError("", key() + " must be a whole number, was \"" + text + "\"", "", e);
        }
    }
}
