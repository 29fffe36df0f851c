package fewsh.models;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import fewsh.UserError;
import fewsh.jinja.Regex;
import fewsh.jinja.TemplateError;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;

/// `adapter_config.json` of a LoRA adapter: which modules it adapts, and by how much.
///
/// @param targets which modules have low-rank matrices; null where the file does not say
/// @param layersPattern empty for any
/// @param ranks of modules that a regular expression matches, in the file's order
/// @param tokens rows that are replaced, by the embedding's name; under the empty name, of the model's own
/// Source: `LoraConfig` and `check_target_module_exists` of Hugging Face's PEFT.
record LoraConfig(
        String where, int r, double alpha, boolean rslora, boolean dora, Names targets, Names excluded, List<Integer> layers,
        List<String> layersPattern, SequencedMap<String, Double> ranks, SequencedMap<String, Double> alphas, List<String> saved,
        boolean tying, SequencedMap<String, List<Integer>> tokens) {
    /// Keys that say how an adapter was trained or made, not what it is.
    private static final Set<String> TRAINING = Set.of("task_type", "base_model_name_or_path", "revision", "inference_mode",
            "lora_dropout", "auto_mapping", "peft_version", "loftq_config", "eva_config", "corda_config", "lora_ga_config",
            "megatron_core", "runtime_config", "qalora_group_size", "init_lora_weights", "fan_in_fan_out", "lora_bias", "bias");
    private static final Set<String> READ = Set.of("peft_type", "r", "lora_alpha", "use_rslora", "use_dora", "target_modules",
            "exclude_modules", "layers_to_transform", "layers_pattern", "rank_pattern", "alpha_pattern", "modules_to_save",
            "ensure_weight_tying", "trainable_token_indices");
    private static final int LONGEST_PATTERN = 8192;
    /// Characters looked at in one match; a name has a hundred.
    private static final long STEPS = 1 << 20;

    /// Names of modules, or of their last parts; or one regular expression for whole names.
    record Names(String where, List<String> names, String regex) {
        static Names of(Settings s, String key) {
            if (!s.has(key)) return null;
            String where = s.where() + ": " + key;
            if (!(s.json().get(key) instanceof JsonPrimitive)) return new Names(where, strings(s, key), null);
            String text = s.text(key, "");
            return new Names(where, List.of(), text.equalsIgnoreCase("all-linear") ? null : text);
        }

        boolean match(String module) {
            if (regex != null) return matched(where, regex, module).isPresent();
            return names.stream().anyMatch(n -> module.equals(n) || module.endsWith("." + n));
        }

        boolean allLinear() {
            return regex == null && names.isEmpty();
        }
    }

    static LoraConfig of(Settings s) {
        String type = s.text("peft_type", "");
        if (!type.equals("LORA"))
            throw new UserError(s.where(), "peft_type \"" + type + "\" is not supported", "supported: LORA");
        for (String key : s.json().keySet())
            if (!TRAINING.contains(key) && !READ.contains(key) && !empty(s.json().get(key)))
                throw new UserError(s.where(), key + " " + s.json().get(key) + " is not supported", "merge the adapter with PEFT");
        init(s);
        s.choice("bias", "none", List.of("none", "all", "lora_only"));
        s.flag("fan_in_fan_out", false);
        s.flag("lora_bias", false);
        Names targets = Names.of(s, "target_modules");
        List<String> saved = s.has("modules_to_save") ? strings(s, "modules_to_save") : List.of();
        return new LoraConfig(s.where(), s.size("r", 8), s.real("lora_alpha", 8), s.flag("use_rslora", false),
                s.flag("use_dora", false), targets, Names.of(s, "exclude_modules"), integers(s, "layers_to_transform"),
                s.has("layers_pattern") ? strings(s, "layers_pattern") : List.of(), patterns(s, "rank_pattern"),
                patterns(s, "alpha_pattern"), saved, s.flag("ensure_weight_tying", false), tokens(s));
    }

    /// Some ways to begin change the base model too; the adapter then belongs to the changed one.
    private static void init(Settings s) {
        if (!s.has("init_lora_weights") || s.json().get("init_lora_weights") instanceof JsonPrimitive p && p.isBoolean()) return;
        String word = s.text("init_lora_weights", "");
        if (!List.of("gaussian", "eva", "orthogonal").contains(word))
            throw new UserError(s.where(), "init_lora_weights \"" + word + "\" is not supported: it changes the base model",
                    "convert the adapter with PEFT's path_initial_model_for_weight_conversion");
    }

    private static boolean empty(JsonElement value) {
        return value.isJsonNull() || value instanceof JsonArray a && a.isEmpty() || value instanceof JsonObject o && o.isEmpty()
                || value instanceof JsonPrimitive p && p.isBoolean() && !p.getAsBoolean();
    }

    /// Whether the file says that `module`, under its whole name, is adapted.
    boolean targets(String module) {
        if (excluded != null && excluded.match(module) || saves(module) || !targets.match(module)) return false;
        if (layers.isEmpty() || targets.regex != null) return true;
        List<String> patterns = layersPattern.isEmpty() ? List.of(".*?\\.[^.]*\\.(\\d+)\\..*")
                : layersPattern.stream().map(p -> "(?:.*?\\.)?(?:" + p + ")\\.(\\d+)\\..*").toList();
        Optional<String> index = patterns.stream().flatMap(p -> matched(where + ": layers_pattern", p, module).stream()).findFirst()
                .map(List::getLast);
        return index.isPresent() && layers.stream().anyMatch(l -> index.get().matches("0*" + l));
    }

    /// Whether a whole module is stored in the adapter.
    boolean saves(String module) {
        return saved.stream().anyMatch(s -> module.equals(s) || module.endsWith("." + s) || module.startsWith(s + ".")
                || module.contains("." + s + "."));
    }

    int rank(String module) {
        return (int) of(ranks, module, r, "rank_pattern");
    }

    /// The factor of a module's low-rank product.
    double scaling(String module) {
        double a = of(alphas, module, alpha, "alpha_pattern");
        return rslora ? a / Math.sqrt(rank(module)) : a / rank(module);
    }

    private double of(Map<String, Double> patterns, String module, double otherwise, String key) {
        for (var p : patterns.entrySet())
            if (matched(where + ": " + key, "(?:.*\\.)?(?:" + p.getKey() + ")", module).isPresent()) return p.getValue();
        return otherwise;
    }

    /// What a regular expression, out of a file that nobody vouches for, finds in all of `name`: that and its groups.
    ///
    /// @throws UserError if it is none, is longer than any in use, or takes too long
    private static Optional<List<String>> matched(String where, String regex, String name) {
        if (regex.length() > LONGEST_PATTERN)
            throw new UserError(where, "a regular expression of " + regex.length() + " characters is too long", "");
        try {
            return Regex.fullMatch(regex, name, STEPS);
        } catch (TemplateError e) {
            if (e.kind() == TemplateError.Kind.REGEX) throw new UserError(where, e.getMessage(), "", e);
            throw new UserError(where, "matching \"" + regex + "\" takes too long", "write it without nested repetitions", e);
        }
    }

    private static SequencedMap<String, Double> patterns(Settings s, String key) {
        SequencedMap<String, Double> patterns = new LinkedHashMap<>();
        Settings given = s.object(key);
        for (String regex : given.json().keySet()) {
            double value = key.equals("rank_pattern") ? given.size(regex) : given.real(regex, 0);
            matched(given.where(), regex, "");
            patterns.put(regex, value);
        }
        return patterns;
    }

    private static SequencedMap<String, List<Integer>> tokens(Settings s) {
        SequencedMap<String, List<Integer>> tokens = new LinkedHashMap<>();
        switch (s.json().get("trainable_token_indices")) {
            case JsonObject o -> o.keySet().forEach(name -> tokens.put(name, integers(new Settings(s.where(), o), name)));
            case JsonArray _ -> tokens.put("", integers(s, "trainable_token_indices"));
            case null -> {}
            case JsonElement other -> {
                if (!other.isJsonNull())
                    throw new UserError(s.where(), "\"trainable_token_indices\" must be a list or an object, was " + other, "");
            }
        }
        return tokens;
    }

    private static List<Integer> integers(Settings s, String key) {
        if (!s.has(key)) return List.of();
        JsonElement given = s.json().get(key);
        List<Integer> integers = new ArrayList<>();
        for (JsonElement e : given instanceof JsonArray a ? a.asList() : List.of(given)) {
            if (!(e instanceof JsonPrimitive p && p.isNumber() && p.getAsString().matches("\\d{1,9}")))
                throw new UserError(s.where(), "\"" + key + "\" must be whole numbers, was " + given, "");
            integers.add(p.getAsInt());
        }
        return integers;
    }

    private static List<String> strings(Settings s, String key) {
        JsonElement given = s.json().get(key);
        List<String> strings = new ArrayList<>();
        for (JsonElement e : given instanceof JsonArray a ? a.asList() : List.of(given)) {
            if (!(e instanceof JsonPrimitive p && p.isString()))
                throw new UserError(s.where(), "\"" + key + "\" must be names, was " + given, "");
            strings.add(p.getAsString());
        }
        return strings;
    }
}
