package fewsh.export;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import fewsh.UserError;
import fewsh.models.Architectures;
import fewsh.models.Causal;
import fewsh.models.Checkpoint;
import fewsh.models.Page;
import fewsh.models.Settings;
import fewsh.tokenize.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/// The layout of onnxruntime-genai: the graph and `genai_config.json`.
///
/// Source: `make_genai_config` of onnxruntime-genai's model builder, 0.18.
final class Genai {
    /// The types that onnxruntime-genai runs a decoder of this form for; any other is said to be `decoder`, which it runs alike.
    private static final Set<String> TYPES = Set.of("gemma3_text", "llama", "mistral", "phi3", "qwen2", "qwen3");

    private Genai() {}

    static void write(Checkpoint checkpoint, Export.Numbers numbers, Path folder) throws IOException {
        Page page = Architectures.page(checkpoint);
        if (!(page instanceof Causal causal))
            throw new UserError("--format", "genai is for causal language models, " + checkpoint.path() + " is for " + page.uses(),
                    "give --format onnx");
        Graphs.write(checkpoint, numbers, folder);
        Sidecars.json(folder.resolve("genai_config.json"), config(checkpoint, causal.layout()));
    }

    private static JsonObject config(Checkpoint checkpoint, Causal.Layout layout) {
        JsonObject inputs = new JsonObject();
        inputs.addProperty("input_ids", "input_ids");
        inputs.addProperty("attention_mask", "attention_mask");
        if (layout.takesPositions()) inputs.addProperty("position_ids", "position_ids");
        inputs.addProperty("past_key_names", "past_key_values.%d.key");
        inputs.addProperty("past_value_names", "past_key_values.%d.value");
        JsonObject outputs = new JsonObject();
        outputs.addProperty("logits", "logits");
        outputs.addProperty("present_key_names", "present.%d.key");
        outputs.addProperty("present_value_names", "present.%d.value");
        JsonObject options = new JsonObject();
        options.addProperty("log_id", "onnxruntime-genai");
        options.add("provider_options", new JsonArray());
        Settings s = checkpoint.settings();
        JsonObject decoder = new JsonObject();
        decoder.add("session_options", options);
        decoder.addProperty("filename", "model.onnx");
        decoder.addProperty("head_size", layout.headDim());
        decoder.addProperty("hidden_size", s.size("hidden_size", s.size("n_embd", 1)));
        decoder.add("inputs", inputs);
        decoder.add("outputs", outputs);
        decoder.addProperty("num_attention_heads", s.size("num_attention_heads", s.size("n_head", layout.nKvHead())));
        decoder.addProperty("num_hidden_layers", layout.nLayer());
        decoder.addProperty("num_key_value_heads", layout.nKvHead());
        JsonObject model = new JsonObject();
        ids(checkpoint, model);
        model.addProperty("context_length", layout.nPositions());
        model.add("decoder", decoder);
        String type = s.text("model_type", "");
        model.addProperty("type", TYPES.contains(type) ? type : "decoder");
        model.addProperty("vocab_size", layout.vocabSize());
        JsonObject json = new JsonObject();
        json.add("model", model);
        json.add("search", search(checkpoint, layout));
        return json;
    }

    /// Where a text begins and ends: as the generation settings say, else the settings, else the tokenizer.
    private static void ids(Checkpoint checkpoint, JsonObject model) {
        JsonObject config = checkpoint.settings().json();
        JsonObject generation = generation(checkpoint);
        try (Tokenizer tokenizer = checkpoint.isGguf() ? Tokenizer.ofGguf(checkpoint.path().toString(), checkpoint.weights().metadata())
                : Tokenizer.open(checkpoint.path())) {
            JsonArray ends = new JsonArray();
            tokenizer.endOfGeneration().stream().sorted().forEach(ends::add);
            JsonElement eos = first(generation.get("eos_token_id"), config.get("eos_token_id"), ends.size() == 1 ? ends.get(0) : ends);
            if (checkpoint.isGguf()) eos = ends.size() == 1 ? ends.get(0) : ends;
            JsonElement last = eos instanceof JsonArray list && !list.isEmpty() ? list.get(0) : eos;
            JsonObject bos = new JsonObject();
            tokenizer.bos().ifPresent(id -> bos.addProperty("id", id));
            put(model, "bos_token_id", first(generation.get("bos_token_id"), config.get("bos_token_id"), bos.get("id"), last));
            put(model, "eos_token_id", eos);
            JsonObject pad = new JsonObject();
            tokenizer.pad().ifPresent(id -> pad.addProperty("id", id));
            put(model, "pad_token_id", first(generation.get("pad_token_id"), config.get("pad_token_id"), pad.get("id"), last));
        }
    }

    /// Settings that say nothing are left out: a null is an error there.
    private static void put(JsonObject model, String key, JsonElement id) {
        if (!id.isJsonNull() && !(id instanceof JsonArray list && list.isEmpty())) model.add(key, id);
    }

    private static JsonObject generation(Checkpoint checkpoint) {
        return !checkpoint.isGguf() && Files.exists(checkpoint.path().resolve("generation_config.json"))
                ? checkpoint.json("generation_config.json").json() : new JsonObject();
    }

    private static JsonElement first(JsonElement... candidates) {
        for (JsonElement e : candidates) if (e != null && !e.isJsonNull()) return e;
        return JsonNull.INSTANCE;
    }

    private static JsonObject search(Checkpoint checkpoint, Causal.Layout layout) {
        JsonObject generation = generation(checkpoint);
        JsonObject search = new JsonObject();
        search.addProperty("diversity_penalty", 0.0);
        search.addProperty("do_sample", false);
        search.addProperty("early_stopping", true);
        search.addProperty("length_penalty", 1.0);
        search.addProperty("max_length", layout.nPositions());
        search.addProperty("min_length", 0);
        search.addProperty("no_repeat_ngram_size", 0);
        search.addProperty("num_beams", 1);
        search.addProperty("num_return_sequences", 1);
        search.addProperty("past_present_share_buffer", true);
        search.addProperty("repetition_penalty", 1.0);
        search.addProperty("temperature", 1.0);
        search.addProperty("top_k", 50);
        search.addProperty("top_p", 1.0);
        for (String key : List.of("do_sample", "repetition_penalty", "temperature", "top_k", "top_p"))
            if (generation.has(key) && !generation.get(key).isJsonNull()) search.add(key, generation.get(key));
        return search;
    }
}
