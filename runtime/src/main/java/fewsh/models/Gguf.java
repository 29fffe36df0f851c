package fewsh.models;

import com.google.gson.JsonObject;
import fewsh.UserError;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// What pages say of GGUF files: their keys and tensor names against those of `config.json` and published checkpoints.
final class Gguf {
    /// A module's name; `#` stands for a layer's number.
    record Rename(String published, String gguf) {}

    private static final Pattern LAYER = Pattern.compile("\\.(\\d+)\\.");

    /// The keys that most architectures share, and what `config.json` calls them.
    static final Map<String, String> KEYS = Map.ofEntries(Map.entry("context_length", "max_position_embeddings"),
            Map.entry("embedding_length", "hidden_size"), Map.entry("block_count", "num_hidden_layers"),
            Map.entry("feed_forward_length", "intermediate_size"), Map.entry("attention.head_count", "num_attention_heads"),
            Map.entry("attention.head_count_kv", "num_key_value_heads"), Map.entry("attention.key_length", "head_dim"),
            Map.entry("attention.layer_norm_rms_epsilon", "rms_norm_eps"), Map.entry("rope.freq_base", "rope_theta"),
            Map.entry("vocab_size", "vocab_size"));

    private Gguf() {}

    /// The tensor that a published checkpoint calls `name`, as a GGUF file calls it; `name` itself if no rule fits.
    static String rename(List<Rename> rules, String name) {
        int end = name.lastIndexOf('.');
        Matcher layer = LAYER.matcher(name);
        String number = layer.find() ? layer.group(1) : "";
        String module = number.isEmpty() ? name.substring(0, end) : layer.replaceFirst(".#.").substring(0, end + 1 - number.length());
        for (Rename rule : rules)
            if (rule.published().equals(module)) return rule.gguf().replace("#", number) + name.substring(end);
        return name;
    }

    /// Settings under `config.json`'s keys, from those under `architecture.`; numbers, texts and flags as they are.
    @SafeVarargs
    static JsonObject config(Map<String, Object> gguf, String architecture, Map<String, String>... keys) {
        JsonObject json = new JsonObject();
        for (Map<String, String> some : keys) some.forEach((key, published) -> {
            switch (gguf.get(architecture + "." + key)) {
                case null -> {}
                case Long number -> json.addProperty(published, number);
                case Double number -> json.addProperty(published, number);
                case Boolean flag -> json.addProperty(published, flag);
                case String text -> json.addProperty(published, text);
                default -> throw new UserError("", "key \"" + architecture + "." + key + "\" must be one value",
                        "one value a layer is not supported");
            }
        });
        return json;
    }
}
