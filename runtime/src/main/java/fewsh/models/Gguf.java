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
    static JsonObject config(Map<String, Object> gguf, String architecture, Map<String, String> keys) {
        JsonObject json = new JsonObject();
        json.addProperty("model_type", architecture);
        keys.forEach((key, published) -> {
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
