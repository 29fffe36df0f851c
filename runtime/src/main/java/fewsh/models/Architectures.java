package fewsh.models;

import com.google.gson.JsonObject;
import fewsh.UserError;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.TreeMap;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Predicate;

/// Which page builds which `model_type` (of `config.json`) or `general.architecture` (of GGUF): the table.
public final class Architectures {
    /// How a GGUF file of an architecture is read.
    ///
    /// @param config settings under the keys of `config.json`, from metadata and which tensors there are
    record OfGguf(BiFunction<Map<String, Object>, Predicate<String>, JsonObject> config, List<Gguf.Rename> names) {}

    /// One row of the table.
    ///
    /// @param gguf null for an architecture without GGUF files
    record Row(Function<Settings, Page> open, OfGguf gguf) {}

    private static final SequencedMap<String, Row> PAGES = new TreeMap<>(Map.of(
            "gpt2", new Row(s -> new Gpt2(Gpt2.Config.of(s)), new OfGguf(Gpt2::config, Gpt2.GGUF_NAMES)),
            "llama", new Row(s -> new Llama(Llama.Config.of(s)), new OfGguf(Llama::config, Llama.GGUF_NAMES))));

    private Architectures() {}

    /// The page of a checkpoint, configured.
    public static Page page(Checkpoint checkpoint) {
        return row(checkpoint.settings()).open().apply(checkpoint.settings());
    }

    /// Whether there is a page for these settings.
    public static boolean knows(Settings settings) {
        return PAGES.containsKey(settings.text("model_type", ""));
    }

    static Row row(Settings settings) {
        return row(settings.where(), "model_type", settings.text("model_type", ""));
    }

    /// @throws UserError naming the architectures that have a page
    static Row row(String where, String key, String type) {
        Row row = PAGES.get(type);
        if (row == null)
            throw new UserError(where, key + " \"" + type + "\" is not supported", "supported: " + String.join(", ", PAGES.keySet()));
        return row;
    }
}
