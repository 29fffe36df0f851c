package fewsh.models;

import fewsh.UserError;
import fewsh.weights.Weight;
import fewsh.weights.Weights;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A LoRA adapter's folder: `adapter_config.json` and `adapter_model.safetensors`, as PEFT writes them.
///
/// Names of modules are those of the model that it was trained on, without `base_model.model.`. Owns the mapping of its
/// tensors: close it when what was made from it is made.
public final class Adapter implements AutoCloseable {
    private static final Pattern LOW_RANK = Pattern.compile(
            "(.+)\\.(lora_A|lora_B|lora_embedding_A|lora_embedding_B|lora_magnitude_vector)(?:\\.(?!weight$|bias$)[^.]+)?(\\.weight|\\.bias)?");
    private static final Pattern TOKENS = Pattern.compile("(.+)\\.token_adapter\\.trainable_tokens_delta(?:\\.[^.]+)?");

    /// The matrices of one module: what is added to it is `b a`, times the scaling.
    ///
    /// @param a `(r, in)`, or of an embedding `(r, vocab)`
    /// @param b `(out, r)`
    /// @param bias of `b`; null for none
    /// @param magnitude length of each row after the sum; null without DoRA
    record Pair(Weight a, Weight b, Weight bias, Weight magnitude) {}

    private final Path folder;
    private final LoraConfig config;
    private final Weights weights;
    private final SequencedMap<String, Pair> linears = new LinkedHashMap<>();
    private final SequencedMap<String, Pair> embeddings = new LinkedHashMap<>();
    private final SequencedMap<String, Weight> tokens = new LinkedHashMap<>();
    private final SequencedMap<String, Weight> saved = new LinkedHashMap<>();

    private Adapter(Path folder, LoraConfig config, Weights weights) {
        this.folder = folder;
        this.config = config;
        this.weights = weights;
        SequencedMap<String, Map<String, Weight>> parts = new LinkedHashMap<>();
        for (String name : weights.names()) {
            Weight weight = weights.get(name);
            String bare = name.startsWith("base_model.model.") ? name.substring("base_model.model.".length()) : name;
            Matcher pair = LOW_RANK.matcher(bare);
            Matcher rows = TOKENS.matcher(bare);
            if (pair.matches()) {
                String part = pair.group(2) + (".bias".equals(pair.group(3)) ? ".bias" : "");
                if (parts.computeIfAbsent(pair.group(1), _ -> new LinkedHashMap<>()).putIfAbsent(part, weight) != null)
                    throw damaged(name, "is there twice");
            } else if (rows.matches()) tokens.put(rows.group(1), weight);
            else saved.put(bare.replace(".base_layer.", "."), weight);
        }
        parts.forEach(this::pair);
    }

    private void pair(String module, Map<String, Weight> parts) {
        boolean embedding = parts.containsKey("lora_embedding_A") || parts.containsKey("lora_embedding_B");
        String stem = embedding ? "lora_embedding_" : "lora_";
        Weight a = parts.remove(stem + "A");
        Weight b = parts.remove(stem + "B");
        Weight bias = parts.remove("lora_B.bias");
        Weight magnitude = parts.remove("lora_magnitude_vector");
        if (a == null || b == null) throw damaged(module, "has no " + stem + (a == null ? "A" : "B"));
        if (!parts.isEmpty()) throw damaged(module, "has a tensor " + parts.keySet().iterator().next() + " that does not go with the others");
        if (a.shape().rank() != 2 || b.shape().rank() != 2 || a.shape().size(0) != b.shape().size(1))
            throw damaged(module, "has matrices " + a.shape() + " and " + b.shape() + ", which have no rank in common");
        if (a.shape().size(0) != config.rank(module))
            throw damaged(module, "has rank " + a.shape().size(0) + ", " + config.where() + " asks for " + config.rank(module));
        if (config.dora() == (magnitude == null))
            throw damaged(module, magnitude == null ? "has no lora_magnitude_vector, which use_dora asks for"
                    : "has a lora_magnitude_vector, but use_dora is false");
        if (embedding && magnitude != null)
            throw new UserError(config.where(), "use_dora is not supported for the embedding \"" + module + "\"", "merge the adapter with PEFT");
        if (config.targets() != null && !config.targets().allLinear() && !config.targets(module))
            throw damaged(module, "is adapted, but is none of target_modules");
        (embedding ? embeddings : linears).put(module, new Pair(a, b, bias, magnitude));
    }

    /// Opens a folder.
    ///
    /// @throws UserError if it is no adapter, is damaged, or asks for what is not supported
    public static Adapter open(Path folder) {
        Path file = folder.resolve("adapter_model.safetensors");
        Settings settings = Settings.read(folder.resolve("adapter_config.json"),
                "an adapter is a folder with adapter_config.json and adapter_model.safetensors");
        LoraConfig config = LoraConfig.of(settings);
        if (!Files.exists(file) && Files.exists(folder.resolve("adapter_model.bin")))
            throw new UserError(folder.resolve("adapter_model.bin").toString(), "is a pickle, which could run anything when it is read",
                    "save the adapter with safe_serialization=True");
        Weights weights = Weights.open(file);
        try {
            return new Adapter(folder, config, weights);
        } catch (RuntimeException e) {
            weights.close();
            throw e;
        }
    }

    UserError damaged(String module, String what) {
        return new UserError(folder.resolve("adapter_model.safetensors").toString(), module + " " + what,
                "settings and tensors are not of one adapter, or it is damaged: fetch both again");
    }

    public Path folder() {
        return folder;
    }

    LoraConfig config() {
        return config;
    }

    /// Low-rank matrices of linear modules.
    SequencedMap<String, Pair> linears() {
        return linears;
    }

    /// Low-rank matrices of embeddings.
    SequencedMap<String, Pair> embeddings() {
        return embeddings;
    }

    /// Rows of embeddings that are replaced, in the order of `trainable_token_indices`.
    SequencedMap<String, Weight> tokens() {
        return tokens;
    }

    /// Tensors that take the place of the base's.
    SequencedMap<String, Weight> saved() {
        return saved;
    }

    @Override
    public void close() {
        weights.close();
    }
}
