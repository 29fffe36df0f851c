package fewsh.models;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import fewsh.UserError;
import fewsh.tensor.Shape;
import fewsh.weights.Encoding;
import fewsh.weights.Weight;
import fewsh.weights.Weights;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// A model as it is stored: settings and named weights, under the names that published checkpoints use.
///
/// A Hugging Face folder (`config.json`, safetensors) or a GGUF file. Owns the mapping of the weights: close it when no graph
/// built from it is in use.
public final class Checkpoint implements AutoCloseable {
    /// What published names may begin with; folders leave these out or put them in.
    private static final List<String> PREFIXES = List.of("", "transformer.", "model.", "bert.", "distilbert.", "roberta.", "vit.");
    private static final String FILES =
            "a model is a .gguf file, a folder with one, or a folder with config.json, tokenizer.json and safetensors";

    private final Path path;
    private final Weights weights;
    private final Settings settings;
    private final List<Gguf.Rename> renames;
    private final boolean gguf;
    /// Weights that stand in for those of the file, under its names.
    private final Map<String, Weight> replaced;

    private Checkpoint(Path path, Weights weights, Settings settings, List<Gguf.Rename> renames, boolean gguf,
            Map<String, Weight> replaced) {
        this.path = path;
        this.weights = weights;
        this.settings = settings;
        this.renames = renames;
        this.gguf = gguf;
        this.replaced = Map.copyOf(replaced);
    }

    /// Opens a folder with `config.json` and safetensors, a `.gguf` file, or a folder with one `.gguf` file.
    ///
    /// @throws UserError if it is no model, is damaged, or is of an architecture that has no page
    public static Checkpoint open(Path given) {
        Path path = loneGguf(given);
        if (Files.exists(path.resolve("adapter_config.json")) && !Files.exists(path.resolve("config.json")))
            throw new UserError(path.toString(), "is an adapter, not a model", "name its model first: MODEL+" + path.getFileName());
        boolean gguf = !Files.isDirectory(path);
        if (gguf && !path.toString().toLowerCase().endsWith(".gguf") && Files.exists(path))
            throw new UserError(path.toString(), "not a model that can be opened",
                    "give a .gguf file or a folder with config.json and safetensors");
        Settings config = gguf ? null : Settings.read(path.resolve("config.json"), FILES);
        if (config != null) Architectures.row(config);
        Weights weights = Weights.open(path);
        try {
            return gguf ? ofGguf(path, weights) : new Checkpoint(path, weights, config, List.of(), false, Map.of());
        } catch (RuntimeException e) {
            weights.close();
            throw e;
        }
    }

    private static Path loneGguf(Path path) {
        if (!Files.isDirectory(path) || Files.exists(path.resolve("config.json"))) return path;
        try (Stream<Path> files = Files.list(path)) {
            List<Path> ggufs = files.filter(f -> f.toString().toLowerCase().endsWith(".gguf")).sorted().toList();
            if (ggufs.isEmpty()) return path;
            if (ggufs.size() == 1) return ggufs.getFirst();
            throw new UserError(path.toString(), "holds " + ggufs.size() + " .gguf files", "name one of them: "
                    + ggufs.stream().map(f -> f.getFileName().toString()).limit(5).collect(Collectors.joining(", ")));
        } catch (IOException e) {
            throw new UserError(path.toString(), "cannot be read: " + e.getMessage(), "", e);
        }
    }

    private static Checkpoint ofGguf(Path path, Weights weights) {
        var metadata = weights.metadata();
        String architecture = String.valueOf(metadata.get("general.architecture"));
        Architectures.Row row = Architectures.ofGguf(path.toString(), architecture);
        try {
            JsonObject config = row.gguf().config().apply(metadata, weights::contains);
            config.addProperty("model_type", row.modelType());
            if (!config.has("vocab_size") && metadata.get("tokenizer.ggml.tokens") instanceof List<?> tokens)
                config.addProperty("vocab_size", tokens.size());
            if (weights.contains("rope_freqs.weight")) factors(config, "factors", "factors", weights.get("rope_freqs.weight"));
            if (weights.contains("rope_factors_long.weight")) {
                factors(config, "longrope", "short_factor", weights.get("rope_factors_short.weight"));
                factors(config, "longrope", "long_factor", weights.get("rope_factors_long.weight"));
            }
            config.addProperty("tie_word_embeddings", !weights.contains("output.weight"));
            return new Checkpoint(path, weights, new Settings(path.toString(), config), row.gguf().names(), true, Map.of());
        } catch (UserError e) {
            throw e.where().isEmpty() ? new UserError(path.toString(), e.what(), e.fix(), e) : e;
        }
    }

    /// Adds a tensor to the kind of rotary positions, under the key that `config.json` has it.
    private static void factors(JsonObject config, String ropeType, String key, Weight weight) {
        JsonObject scaling = config.getAsJsonObject("rope_scaling");
        if (scaling == null) return;                        // positions of another kind
        JsonArray factors = new JsonArray();
        for (float f : weight.floats()) factors.add(f);
        scaling.addProperty("rope_type", ropeType);
        scaling.add(key, factors);
    }

    public Path path() {
        return path;
    }

    public Settings settings() {
        return settings;
    }

    public boolean isGguf() {
        return gguf;
    }

    /// The weights under the file's own names, and its metadata.
    public Weights weights() {
        return weights;
    }

    /// Whether there is a weight that published checkpoints call `name`.
    public boolean has(String name) {
        return found(name).isPresent();
    }

    private Optional<String> found(String name) {
        return Stream.of(name, older(name)).flatMap(n -> PREFIXES.stream().map(prefix -> stored(prefix, n)))
                .filter(n -> replaced.containsKey(n) || weights.contains(n)).findFirst();
    }

    /// Names of all weights, those that stand in for others or were added among them.
    List<String> names() {
        return Stream.concat(weights.names().stream(), replaced.keySet().stream().filter(n -> !weights.contains(n)).sorted()).toList();
    }

    /// The weight of this very name.
    Weight named(String name) {
        return replaced.containsKey(name) ? replaced.get(name) : weights.get(name);
    }

    /// As it is, but for some weights, which published checkpoints call by these names, and perhaps settings. Shares the mapping:
    /// closing either closes both.
    Checkpoint with(Map<String, Weight> others, Settings settings) {
        Map<String, Weight> all = new HashMap<>(replaced);
        others.forEach((name, weight) -> all.put(found(name).orElse(stored("", name)), weight));
        return new Checkpoint(path, weights, settings, renames, gguf, all);
    }

    /// The weight that published checkpoints call `name`.
    ///
    /// @throws UserError if it is missing or its shape is not what the settings ask for
    public Weight weight(String name, long... shape) {
        String found = found(name).orElse(stored("", name));
        Weight weight = named(found);
        if (!weight.shape().equals(Shape.of(shape)))
            throw new UserError(weights.files().getFirst().toString(), found + " is " + weight.shape() + ", "
                    + (gguf ? "the metadata asks" : "config.json asks") + " for " + Shape.of(shape),
                    "settings and weights are not of one model: fetch both again");
        return weight;
    }

    /// As checkpoints that began in TensorFlow spell it.
    private static String older(String name) {
        return name.replaceFirst("LayerNorm\\.weight$", "LayerNorm.gamma").replaceFirst("LayerNorm\\.bias$", "LayerNorm.beta");
    }

    private String stored(String prefix, String name) {
        if (gguf) return Gguf.rename(renames, name);
        return prefix.equals("model.") && name.startsWith("model.") ? name.substring(6) : prefix + name;
    }

    /// Every weight of two axes that a matrix product or a lookup reads.
    List<Weight> matrices() {
        return weights.names().stream().map(weights::get)
                .filter(w -> w.shape().rank() == 2 && w.encoding() != Encoding.I64 && w.encoding() != Encoding.BOOL).toList();
    }

    /// Bytes of all weights as a graph at `precision` holds them; a tied embedding is held twice, to look up and to multiply.
    public long heldBytes(Precision precision) {
        long bytes = 0;
        for (String name : weights.names()) {
            Weight weight = weights.get(name);
            boolean matrix = weight.shape().rank() == 2;
            long count = weight.shape().count();
            // quants, scales, and what offsets there may be
            long held = !matrix ? 4 * count : switch (precision.bits(weight)) {
                case 4 -> count / 2 + count / 4;
                case 8 -> count + count / 4;
                default -> 4 * count;
            };
            bytes += matrix && weight.shape().size(0) == settings.size("vocab_size", 1) ? 2 * held : held;
        }
        return bytes;
    }

    /// A JSON file of the folder.
    ///
    /// @throws UserError if it is missing or no JSON object
    public Settings json(String name) {
        return Settings.read(path.resolve(name), FILES);
    }

    /// The number of trained values; masks and tables that some files carry along are none.
    public long parameters() {
        return weights.names().stream().filter(n -> !n.endsWith(".attn.bias") && !n.endsWith(".masked_bias")
                && !n.endsWith("position_ids") && !n.endsWith("inv_freq") && !n.startsWith("rope_freqs")).mapToLong(n -> weights.get(n).shape().count()).sum();
    }

    @Override
    public void close() {
        weights.close();
    }
}
