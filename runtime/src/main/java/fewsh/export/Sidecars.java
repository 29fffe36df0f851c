package fewsh.export;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import fewsh.models.Checkpoint;
import fewsh.tokenize.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/// The files beside the weights: settings, tokenizer, chat template. A folder's are copied, a GGUF file's are written.
final class Sidecars {
    private static final List<String> FILES = List.of("generation_config.json", "tokenizer.json", "tokenizer_config.json",
            "special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt", "vocab.txt", "tokenizer.model", "spiece.model",
            "source.spm", "target.spm", "target_vocab.json", "chat_template.jinja", "chat_template.json", "preprocessor_config.json",
            "processor_config.json", "modules.json", "sentence_bert_config.json", "config_sentence_transformers.json",
            "LICENSE", "1_Pooling/config.json");
    /// The class that transformers opens a `model_type` of GGUF files with.
    private static final Map<String, String> CLASSES = Map.of("gpt2", "GPT2LMHeadModel", "llama", "LlamaForCausalLM",
            "mistral", "MistralForCausalLM", "qwen2", "Qwen2ForCausalLM", "qwen3", "Qwen3ForCausalLM",
            "gemma3_text", "Gemma3ForCausalLM", "phi3", "Phi3ForCausalLM", "gpt_neox", "GPTNeoXForCausalLM");
    private static final Gson PRETTY = new GsonBuilder().setPrettyPrinting().disableHtmlEscaping().create();

    private Sidecars() {}

    static void write(Checkpoint checkpoint, Export.Numbers numbers, Path folder) throws IOException {
        JsonObject config = checkpoint.settings().json().deepCopy();
        config.remove("torch_dtype");
        config.addProperty("dtype", switch (numbers) {
            case FP32, INT8, INT4 -> "float32";
            case FP16 -> "float16";
            case BF16 -> "bfloat16";
        });
        if (checkpoint.isGguf()) ofGguf(checkpoint, config, folder);
        else for (String name : FILES) {
            Path from = checkpoint.path().resolve(name);
            if (!Files.isRegularFile(from)) continue;
            Files.createDirectories(folder.resolve(name).getParent());
            Files.copy(from, folder.resolve(name));
        }
        json(folder.resolve("config.json"), config);
    }

    static void json(Path file, JsonObject json) throws IOException {
        Files.writeString(file, PRETTY.toJson(json) + "\n");
    }

    private static void ofGguf(Checkpoint checkpoint, JsonObject config, Path folder) throws IOException {
        var metadata = checkpoint.weights().metadata();
        String type = config.get("model_type").getAsString();
        JsonArray classes = new JsonArray();
        if (CLASSES.containsKey(type)) classes.add(CLASSES.get(type));
        config.add("architectures", classes);
        rope(config);
        try (Tokenizer tokenizer = Tokenizer.ofGguf(checkpoint.path().toString(), metadata)) {
            Files.writeString(folder.resolve("tokenizer.json"), pretty(tokenizer.json()));
            JsonObject settings = new JsonObject();
            settings.addProperty("tokenizer_class", "PreTrainedTokenizerFast");
            settings.addProperty("clean_up_tokenization_spaces", false);
            special(tokenizer, "bos_token", tokenizer.bos(), settings, config);
            special(tokenizer, "eos_token", tokenizer.eos(), settings, config);
            special(tokenizer, "pad_token", tokenizer.pad(), settings, config);
            if (config.has("max_position_embeddings")) settings.add("model_max_length", config.get("max_position_embeddings"));
            if (metadata.get("tokenizer.chat_template") instanceof String template) {
                settings.addProperty("chat_template", template);
                Files.writeString(folder.resolve("chat_template.jinja"), template);
            }
            json(folder.resolve("tokenizer_config.json"), settings);
            JsonObject generation = new JsonObject();
            for (String id : List.of("bos_token_id", "eos_token_id", "pad_token_id")) if (config.has(id)) generation.add(id, config.get(id));
            JsonArray ends = new JsonArray();
            tokenizer.endOfGeneration().stream().sorted().forEach(ends::add);
            if (ends.size() > 1) generation.add("eos_token_id", ends);
            json(folder.resolve("generation_config.json"), generation);
        }
    }

    private static void special(Tokenizer tokenizer, String name, OptionalInt id, JsonObject settings, JsonObject config) {
        if (id.isEmpty()) return;
        settings.addProperty(name, tokenizer.piece(id.getAsInt()));
        config.addProperty(name + "_id", id.getAsInt());
    }

    private static String pretty(String json) {
        return PRETTY.toJson(JsonParser.parseString(json)) + "\n";
    }

    /// A GGUF file says factors of the frequencies where published settings say how they were made: `longrope` takes them.
    private static void rope(JsonObject config) {
        if (!(config.get("rope_scaling") instanceof JsonObject scaling)) return;
        JsonElement type = scaling.get("rope_type");
        if (type == null || type.getAsString().equals("default")) config.remove("rope_scaling");
        else if (type.getAsString().equals("factors")) {
            JsonObject longrope = new JsonObject();
            longrope.addProperty("rope_type", "longrope");
            longrope.add("short_factor", scaling.get("factors"));
            longrope.add("long_factor", scaling.get("factors"));
            longrope.addProperty("attention_factor", 1.0);
            longrope.add("original_max_position_embeddings", config.get("max_position_embeddings"));
            config.add("rope_scaling", longrope);
        }
    }
}
