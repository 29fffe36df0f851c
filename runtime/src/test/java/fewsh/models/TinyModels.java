package fewsh.models;

import com.google.gson.JsonArray;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import fewsh.tensor.Shape;
import fewsh.tensor.Tensor;
import fewsh.weights.Encoding;
import fewsh.weights.GgufFile;
import fewsh.weights.Safetensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SequencedMap;

/// Real models, small enough to be made by a test: Hugging Face folders that open like any other.
///
/// Their vocabulary is the 256 bytes, `<|im_start|>` (256), `<|im_end|>` (257, which ends an answer) and two that are unused.
public final class TinyModels {
    public static final int VOCAB = 260;
    private static final int IM_START = 256;
    private static final int IM_END = 257;
    private static final String CHAT_TEMPLATE = "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}"
            + "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

    private TinyModels() {}

    /// A Llama as a GGUF file, with random weights in 4- and 8-bit blocks: the build starts the program with it once.
    public static byte[] gguf() {
        Random random = new Random(17);
        int width = 64;
        int inner = 128;
        List<String> tokens = new ArrayList<>();
        for (int b = 0; b < 256; b++) tokens.add(String.valueOf(letter(b)));
        tokens.addAll(List.of("<|im_start|>", "<|im_end|>", "ab", "<|unused|>"));
        List<Integer> types = new ArrayList<>(Collections.nCopies(256, 1));
        types.addAll(List.of(3, 3, 1, 3));
        GgufFile file = new GgufFile().put("general.architecture", "llama").put("general.name", "warm-up")
                .put("llama.context_length", 512).put("llama.embedding_length", width).put("llama.block_count", 1)
                .put("llama.feed_forward_length", inner).put("llama.attention.head_count", 2)
                .put("llama.attention.head_count_kv", 1).put("llama.attention.layer_norm_rms_epsilon", 1e-5f)
                .put("llama.rope.freq_base", 10000f).put("llama.rope.dimension_count", 32)
                .put("tokenizer.ggml.model", "gpt2").put("tokenizer.ggml.pre", "smollm").put("tokenizer.ggml.tokens", tokens)
                .put("tokenizer.ggml.token_type", types).put("tokenizer.ggml.merges", List.of("a b"))
                .put("tokenizer.ggml.bos_token_id", IM_START).put("tokenizer.ggml.eos_token_id", IM_END)
                .put("tokenizer.ggml.add_bos_token", false).put("tokenizer.chat_template", CHAT_TEMPLATE);
        quantised(file, "token_embd", Encoding.Q8_0, random, VOCAB, width);
        norm(file, "blk.0.attn_norm", random, width);
        quantised(file, "blk.0.attn_q", Encoding.Q4_1, random, 64, width);
        quantised(file, "blk.0.attn_k", Encoding.Q4_1, random, 32, width);
        quantised(file, "blk.0.attn_v", Encoding.Q4_1, random, 32, width);
        quantised(file, "blk.0.attn_output", Encoding.Q4_1, random, width, 64);
        norm(file, "blk.0.ffn_norm", random, width);
        quantised(file, "blk.0.ffn_gate", Encoding.Q4_1, random, inner, width);
        quantised(file, "blk.0.ffn_up", Encoding.Q4_1, random, inner, width);
        quantised(file, "blk.0.ffn_down", Encoding.Q4_1, random, width, inner);
        norm(file, "output_norm", random, width);
        return file.bytes();
    }

    private static void quantised(GgufFile file, String name, Encoding encoding, Random random, int rows, int columns) {
        file.tensor(name + ".weight", encoding, normal(random, 0.3, rows, columns).toFloats(), rows, columns);
    }

    private static void norm(GgufFile file, String name, Random random, int width) {
        file.tensor(name + ".weight", Encoding.F32, normal(random, 0.1, 1.0, width).toFloats(), width);
    }

    /// A Llama with random weights.
    public static Path llama(Path folder, long seed) throws IOException {
        return llama(folder, 48, 3, 1, 16, 2, seed, 512, (w, random) -> {});
    }

    /// A Llama with random weights and room for an answer that no test waits for: it is there to be interrupted.
    public static Path endless(Path folder) throws IOException {
        return llama(folder, 48, 3, 1, 16, 2, 1, 1 << 20, (w, random) -> {});
    }

    /// A Llama that knows the alphabet: after a letter it says the next, after `z` it ends. After a line's end it says `a`.
    public static Path alphabet(Path folder) throws IOException {
        int width = 272;
        return llama(folder, width, 2, 1, 16, 1, 7, 512, (weights, random) -> {
            float[] embedding = new float[VOCAB * width];
            float[] head = new float[VOCAB * width];
            for (int id = 0; id < VOCAB; id++) embedding[id * width + id] = 1;
            for (int id = 0; id < VOCAB; id++) head[successor(id) * width + id] = 0.5f;
            weights.put("model.embed_tokens.weight", Tensor.ofFloat32(embedding, VOCAB, width));
            weights.put("lm_head.weight", Tensor.ofFloat32(head, VOCAB, width));
            weights.put("model.norm.weight", Tensor.ofFloat32(filled(width, 1), width));
            for (String out : new String[] {"self_attn.o_proj", "mlp.down_proj"}) {
                String name = "model.layers.0." + out + ".weight";
                float[] small = weights.get(name).toFloats();
                for (int i = 0; i < small.length; i++) small[i] *= 0.0005f;
                weights.put(name, new Tensor(weights.get(name).dtype(), weights.get(name).shape(),
                        Tensor.ofFloat32(small, small.length).data()));
            }
        });
    }

    private static int successor(int id) {
        if (id == '\n') return 'a';
        if (id >= 'a' && id < 'z' || id >= 'A' && id < 'Z') return id + 1;
        return IM_END;
    }

    private interface Change {
        void apply(SequencedMap<String, Tensor> weights, Random random);
    }

    private static Path llama(Path folder, int width, int heads, int kvHeads, int headDim, int layers, long seed,
            int context, Change change) throws IOException {
        Random random = new Random(seed);
        int inner = 2 * width;
        SequencedMap<String, Tensor> w = new LinkedHashMap<>();
        w.put("model.embed_tokens.weight", normal(random, 1, VOCAB, width));
        for (int layer = 0; layer < layers; layer++) {
            String h = "model.layers." + layer + ".";
            w.put(h + "input_layernorm.weight", normal(random, 0.1, 1.0, width));
            w.put(h + "self_attn.q_proj.weight", normal(random, 0.2, heads * headDim, width));
            w.put(h + "self_attn.k_proj.weight", normal(random, 0.2, kvHeads * headDim, width));
            w.put(h + "self_attn.v_proj.weight", normal(random, 0.2, kvHeads * headDim, width));
            w.put(h + "self_attn.o_proj.weight", normal(random, 0.2, width, heads * headDim));
            w.put(h + "post_attention_layernorm.weight", normal(random, 0.1, 1.0, width));
            w.put(h + "mlp.gate_proj.weight", normal(random, 0.2, inner, width));
            w.put(h + "mlp.up_proj.weight", normal(random, 0.2, inner, width));
            w.put(h + "mlp.down_proj.weight", normal(random, 0.2, width, inner));
        }
        w.put("model.norm.weight", normal(random, 0.1, 1.0, width));
        w.put("lm_head.weight", normal(random, 0.3, VOCAB, width));
        change.apply(w, random);

        JsonObject config = new JsonObject();
        config.addProperty("model_type", "llama");
        config.addProperty("vocab_size", VOCAB);
        config.addProperty("hidden_size", width);
        config.addProperty("intermediate_size", inner);
        config.addProperty("num_hidden_layers", layers);
        config.addProperty("num_attention_heads", heads);
        config.addProperty("num_key_value_heads", kvHeads);
        config.addProperty("head_dim", headDim);
        config.addProperty("max_position_embeddings", context);
        config.addProperty("rms_norm_eps", 1e-5);
        config.addProperty("rope_theta", 10000.0);
        config.addProperty("tie_word_embeddings", false);
        return write(folder, config, w);
    }

    /// A GPT-2 with random weights.
    public static Path gpt2(Path folder, long seed) throws IOException {
        int width = 32;
        int layers = 2;
        Random random = new Random(seed);
        SequencedMap<String, Tensor> w = new LinkedHashMap<>();
        w.put("transformer.wte.weight", normal(random, 0.5, VOCAB, width));
        w.put("transformer.wpe.weight", normal(random, 0.1, 128, width));
        for (int layer = 0; layer < layers; layer++) {
            String h = "transformer.h." + layer + ".";
            norm(w, h + "ln_1", random, width);
            linear(w, h + "attn.c_attn", random, width, 3 * width);
            linear(w, h + "attn.c_proj", random, width, width);
            norm(w, h + "ln_2", random, width);
            linear(w, h + "mlp.c_fc", random, width, 4 * width);
            linear(w, h + "mlp.c_proj", random, 4 * width, width);
        }
        norm(w, "transformer.ln_f", random, width);
        JsonObject config = new JsonObject();
        config.addProperty("model_type", "gpt2");
        config.addProperty("vocab_size", VOCAB);
        config.addProperty("n_positions", 128);
        config.addProperty("n_embd", width);
        config.addProperty("n_layer", layers);
        config.addProperty("n_head", 2);
        return write(folder, config, w);
    }

    /// A ViT with random weights, pictures of 16 × 16 in patches of 8 and four classes; with its `preprocessor_config.json`.
    public static Path vit(Path folder, long seed) throws IOException {
        int width = 32;
        Random random = new Random(seed);
        SequencedMap<String, Tensor> w = new LinkedHashMap<>();
        reshaped(w, "vit.embeddings.cls_token", random, 1, 1, width);
        reshaped(w, "vit.embeddings.position_embeddings", random, 1, 5, width);
        reshaped(w, "vit.embeddings.patch_embeddings.projection.weight", random, width, 3, 8, 8);
        w.put("vit.embeddings.patch_embeddings.projection.bias", normal(random, 0.1, width));
        for (int layer = 0; layer < 2; layer++) {
            String h = "vit.encoder.layer." + layer + ".";
            norm(w, h + "layernorm_before", random, width);
            norm(w, h + "layernorm_after", random, width);
            for (String part : List.of("attention.query", "attention.key", "attention.value", "output.dense"))
                linear(w, h + "attention." + part, random, width, width);
            linear(w, h + "intermediate.dense", random, 2 * width, width);          // rows first: (out, in)
            w.put(h + "intermediate.dense.bias", normal(random, 0.1, 2 * width));
            linear(w, h + "output.dense", random, width, 2 * width);
            w.put(h + "output.dense.bias", normal(random, 0.1, width));
        }
        norm(w, "vit.layernorm", random, width);
        w.put("classifier.weight", normal(random, 0.3, 4, width));
        w.put("classifier.bias", normal(random, 0.1, 4));
        JsonObject config = new JsonObject();
        config.addProperty("model_type", "vit");
        config.addProperty("hidden_size", width);
        config.addProperty("num_hidden_layers", 2);
        config.addProperty("num_attention_heads", 2);
        config.addProperty("intermediate_size", 2 * width);
        config.addProperty("image_size", 16);
        config.addProperty("patch_size", 8);
        JsonObject labels = new JsonObject();
        for (String label : List.of("cat", "dog", "bird", "fish")) labels.addProperty(Integer.toString(labels.size()), label);
        config.add("id2label", labels);
        write(folder, config, w);
        Files.writeString(folder.resolve("preprocessor_config.json"), "{\"image_processor_type\":\"ViTImageProcessor\",\"size\":16}");
        return folder;
    }

    private static void reshaped(Map<String, Tensor> w, String name, Random random, long... sizes) {
        int count = (int) Shape.of(sizes).count();
        w.put(name, Tensor.ofFloat32(normal(random, 0.1, count).toFloats(), sizes));
    }

    /// The model types, beside `gpt2` and `llama`, that [#causal] makes a model of.
    public static final List<String> CAUSAL = List.of("openai-gpt", "gpt_neox", "mistral", "qwen2", "qwen3", "gemma3_text", "phi3");

    /// A causal model of one of the types with random weights, two layers and 128 positions; windows are shorter than that.
    public static Path causal(Path folder, String type, long seed) throws IOException {
        Random random = new Random(seed);
        int width = 64;
        JsonObject config = new JsonObject();
        config.addProperty("model_type", type);
        config.addProperty("vocab_size", VOCAB);
        config.addProperty("hidden_size", width);
        config.addProperty("intermediate_size", 96);
        config.addProperty("num_hidden_layers", 2);
        config.addProperty("num_attention_heads", 4);
        config.addProperty("max_position_embeddings", 128);
        SequencedMap<String, Tensor> w = new LinkedHashMap<>();
        switch (type) {
            case "openai-gpt" -> {
                config.addProperty("n_embd", width);
                config.addProperty("n_layer", 2);
                config.addProperty("n_head", 4);
                config.addProperty("n_positions", 128);
                w.put("tokens_embed.weight", normal(random, 0.5, VOCAB, width));
                w.put("positions_embed.weight", normal(random, 0.1, 128, width));
                for (int layer = 0; layer < 2; layer++) {
                    String h = "h." + layer + ".";
                    linear(w, h + "attn.c_attn", random, width, 3 * width);
                    linear(w, h + "attn.c_proj", random, width, width);
                    norm(w, h + "ln_1", random, width);
                    linear(w, h + "mlp.c_fc", random, width, 4 * width);
                    linear(w, h + "mlp.c_proj", random, 4 * width, width);
                    norm(w, h + "ln_2", random, width);
                }
            }
            case "gpt_neox" -> {
                config.addProperty("rotary_pct", 0.5);
                w.put("gpt_neox.embed_in.weight", normal(random, 0.5, VOCAB, width));
                for (int layer = 0; layer < 2; layer++) {
                    String h = "gpt_neox.layers." + layer + ".";
                    norm(w, h + "input_layernorm", random, width);
                    norm(w, h + "post_attention_layernorm", random, width);
                    outFirst(w, h + "attention.query_key_value", random, 3 * width, width, true);
                    outFirst(w, h + "attention.dense", random, width, width, true);
                    outFirst(w, h + "mlp.dense_h_to_4h", random, 96, width, true);
                    outFirst(w, h + "mlp.dense_4h_to_h", random, width, 96, true);
                }
                norm(w, "gpt_neox.final_layer_norm", random, width);
                outFirst(w, "embed_out", random, VOCAB, width, false);
            }
            default -> likeLlama(config, w, type, random, width);
        }
        return write(folder, config, w);
    }

    /// A Phi-3 whose sequences of more than 40 positions turn otherwise than shorter ones.
    public static Path longrope(Path folder, long seed) throws IOException {
        causal(folder, "phi3", seed);
        JsonObject config = JsonParser.parseString(Files.readString(folder.resolve("config.json"))).getAsJsonObject();
        JsonObject scaling = new JsonObject();
        scaling.addProperty("type", "longrope");
        JsonArray once = new JsonArray();
        JsonArray thrice = new JsonArray();
        for (int i = 0; i < 8; i++) {
            once.add(1);
            thrice.add(3);
        }
        scaling.add("short_factor", once);
        scaling.add("long_factor", thrice);
        config.add("rope_scaling", scaling);
        config.addProperty("original_max_position_embeddings", 40);
        config.add("sliding_window", JsonNull.INSTANCE);
        Files.writeString(folder.resolve("config.json"), config.toString());
        return folder;
    }

    private static void likeLlama(JsonObject config, SequencedMap<String, Tensor> w, String type, Random random, int width) {
        boolean gemma = type.equals("gemma3_text");
        int dim = 16;
        config.addProperty("num_key_value_heads", 2);
        config.addProperty("head_dim", dim);
        config.addProperty("sliding_window", 24);
        config.addProperty("use_sliding_window", true);
        config.addProperty("max_window_layers", 1);
        config.addProperty("sliding_window_pattern", 2);
        config.addProperty("tie_word_embeddings", gemma);
        w.put("model.embed_tokens.weight", normal(random, gemma ? 0.2 : 1, VOCAB, width));
        for (int layer = 0; layer < 2; layer++) {
            String h = "model.layers." + layer + ".";
            for (String norm : gemma ? List.of("input_layernorm", "post_attention_layernorm", "pre_feedforward_layernorm",
                    "post_feedforward_layernorm") : List.of("input_layernorm", "post_attention_layernorm"))
                w.put(h + norm + ".weight", normal(random, 0.1, gemma ? 0.0 : 1.0, width));
            if (gemma || type.equals("qwen3"))
                for (String norm : List.of("q_norm", "k_norm"))
                    w.put(h + "self_attn." + norm + ".weight", normal(random, 0.1, gemma ? 0.0 : 1.0, dim));
            if (type.equals("phi3")) {
                outFirst(w, h + "self_attn.qkv_proj", random, 8 * dim, width, false);
                outFirst(w, h + "mlp.gate_up_proj", random, 2 * 96, width, false);
            } else {
                outFirst(w, h + "self_attn.q_proj", random, 4 * dim, width, type.equals("qwen2"));
                outFirst(w, h + "self_attn.k_proj", random, 2 * dim, width, type.equals("qwen2"));
                outFirst(w, h + "self_attn.v_proj", random, 2 * dim, width, type.equals("qwen2"));
                outFirst(w, h + "mlp.gate_proj", random, 96, width, false);
                outFirst(w, h + "mlp.up_proj", random, 96, width, false);
            }
            outFirst(w, h + "self_attn.o_proj", random, width, 4 * dim, false);
            outFirst(w, h + "mlp.down_proj", random, width, 96, false);
        }
        w.put("model.norm.weight", normal(random, 0.1, gemma ? 0.0 : 1.0, width));
        if (!gemma) outFirst(w, "lm_head", random, VOCAB, width, false);
    }

    private static void outFirst(Map<String, Tensor> w, String name, Random random, int out, int in, boolean bias) {
        w.put(name + ".weight", normal(random, 0.2, out, in));
        if (bias) w.put(name + ".bias", normal(random, 0.1, out));
    }

    /// A Whisper with random weights that hears windows of a second at 8 kHz. It knows English and, as ids behind the tokenizer's,
    /// 50 times.
    public static Path whisper(Path folder, long seed) throws IOException {
        int width = 32;
        int vocab = VOCAB + 51;
        Random random = new Random(seed);
        SequencedMap<String, Tensor> w = new LinkedHashMap<>();
        for (String[] conv : new String[][] {{"model.encoder.conv1", "20"}, {"model.encoder.conv2", "" + width}}) {
            int channels = Integer.parseInt(conv[1]);
            float[] filters = normal(random, 0.2, width * channels * 3).toFloats();
            w.put(conv[0] + ".weight", Tensor.ofFloat32(filters, width, channels, 3));
            w.put(conv[0] + ".bias", normal(random, 0.1, width));
        }
        w.put("model.encoder.embed_positions.weight", normal(random, 0.3, 50, width));
        w.put("model.decoder.embed_positions.weight", normal(random, 0.3, 32, width));
        w.put("model.decoder.embed_tokens.weight", normal(random, 0.5, vocab, width));
        for (String stack : List.of("model.encoder.", "model.decoder.")) {
            String h = stack + "layers.0.";
            for (String attention : stack.contains("encoder") ? List.of("self_attn") : List.of("self_attn", "encoder_attn")) {
                norm(w, h + attention + "_layer_norm", random, width);
                for (String part : List.of("q_proj", "k_proj", "v_proj", "out_proj"))
                    linear(w, h + attention + "." + part, random, width, width);
                w.remove(h + attention + ".k_proj.bias");
            }
            norm(w, h + "final_layer_norm", random, width);
            w.put(h + "fc1.weight", normal(random, 0.2, 2 * width, width));
            w.put(h + "fc1.bias", normal(random, 0.1, 2 * width));
            w.put(h + "fc2.weight", normal(random, 0.2, width, 2 * width));
            w.put(h + "fc2.bias", normal(random, 0.1, width));
            norm(w, stack + "layer_norm", random, width);
        }
        JsonObject config = JsonParser.parseString("{\"model_type\":\"whisper\",\"vocab_size\":" + vocab
                + ",\"num_mel_bins\":20,\"d_model\":32,\"encoder_layers\":1,\"decoder_layers\":1,\"encoder_attention_heads\":2,"
                + "\"decoder_attention_heads\":2,\"encoder_ffn_dim\":64,\"decoder_ffn_dim\":64,\"max_source_positions\":50,"
                + "\"max_target_positions\":32,\"decoder_start_token_id\":" + IM_START + "}").getAsJsonObject();
        write(folder, config, w);
        Files.writeString(folder.resolve("preprocessor_config.json"),
                "{\"feature_extractor_type\":\"WhisperFeatureExtractor\",\"feature_size\":20,\"sampling_rate\":8000,\"n_fft\":200,\"hop_length\":80,\"chunk_length\":1}");
        Files.writeString(folder.resolve("generation_config.json"),
                "{\"decoder_start_token_id\":" + IM_START + ",\"eos_token_id\":" + IM_END + ",\"no_timestamps_token_id\":" + (VOCAB - 1) + ",\"lang_to_id\":{\"<|en|>\":" + (VOCAB - 2) + "},"
                + "\"is_multilingual\":true,\"max_length\":12,\"suppress_tokens\":[7],\"begin_suppress_tokens\":[257]}");
        return folder;
    }

    private static void norm(Map<String, Tensor> w, String name, Random random, int width) {
        w.put(name + ".weight", normal(random, 0.1, 1.0, width));
        w.put(name + ".bias", normal(random, 0.1, width));
    }

    private static void linear(Map<String, Tensor> w, String name, Random random, int in, int out) {
        w.put(name + ".weight", normal(random, 0.2, in, out));
        w.put(name + ".bias", normal(random, 0.1, out));
    }

    private static Tensor normal(Random random, double deviation, double mean, int size) {
        float[] values = new float[size];
        for (int i = 0; i < size; i++) values[i] = (float) (mean + deviation * random.nextGaussian());
        return Tensor.ofFloat32(values, size);
    }

    private static Tensor normal(Random random, double deviation, int size) {
        return normal(random, deviation, 0.0, size);
    }

    private static Tensor normal(Random random, double deviation, int rows, int columns) {
        return Tensor.ofFloat32(normal(random, deviation, 0.0, rows * columns).toFloats(), rows, columns);
    }

    private static float[] filled(int size, float value) {
        float[] values = new float[size];
        java.util.Arrays.fill(values, value);
        return values;
    }

    /// The encoder–decoder architectures that [#sourced] makes.
    public static final List<String> SOURCED = List.of("t5", "bart", "marian");

    /// An encoder–decoder model of any of these architectures, with random weights.
    public static Path sourced(Path folder, String type, long seed) throws IOException {
        Random random = new Random(seed);
        SequencedMap<String, Tensor> w = new LinkedHashMap<>();
        JsonObject config = new JsonObject();
        config.addProperty("model_type", type);
        config.addProperty("vocab_size", VOCAB);
        config.addProperty("d_model", 32);
        config.addProperty("pad_token_id", 258);
        config.addProperty("decoder_start_token_id", 258);
        if (type.equals("t5")) t5(config, w, random);
        else likeBart(config, w, type, random);
        return write(folder, config, w);
    }

    private static void t5(JsonObject config, SequencedMap<String, Tensor> w, Random random) {
        config.addProperty("d_kv", 12);
        config.addProperty("d_ff", 48);
        config.addProperty("num_heads", 3);
        config.addProperty("num_layers", 2);
        config.addProperty("relative_attention_num_buckets", 8);
        config.addProperty("relative_attention_max_distance", 16);
        w.put("shared.weight", normal(random, 1, VOCAB, 32));
        for (String stack : List.of("encoder", "decoder")) {
            for (int layer = 0; layer < 2; layer++) {
                String h = stack + ".block." + layer + ".layer.";
                List<String> attentions = stack.equals("encoder") ? List.of("0.SelfAttention.")
                        : List.of("0.SelfAttention.", "1.EncDecAttention.");
                for (String attention : attentions) {
                    for (String name : List.of("q", "k", "v")) w.put(h + attention + name + ".weight", normal(random, 0.2, 36, 32));
                    w.put(h + attention + "o.weight", normal(random, 0.3, 32, 36));
                }
                if (layer == 0)
                    w.put(h + "0.SelfAttention.relative_attention_bias.weight", normal(random, 1, 8, 3));
                String mlp = h + attentions.size() + ".DenseReluDense.";
                w.put(mlp + "wi.weight", normal(random, 0.3, 48, 32));
                w.put(mlp + "wo.weight", normal(random, 0.3, 32, 48));
                for (int part = 0; part <= attentions.size(); part++)
                    w.put(h + part + ".layer_norm.weight", normal(random, 0.1, 1.0, 32));
            }
            w.put(stack + ".final_layer_norm.weight", normal(random, 0.1, 1.0, 32));
        }
    }

    private static void likeBart(JsonObject config, SequencedMap<String, Tensor> w, String type, Random random) {
        for (String stack : List.of("encoder", "decoder")) {
            config.addProperty(stack + "_layers", 2);
            config.addProperty(stack + "_attention_heads", 2);
            config.addProperty(stack + "_ffn_dim", 48);
        }
        config.addProperty("max_position_embeddings", 64);
        config.addProperty("scale_embedding", type.equals("marian"));
        w.put("model.shared.weight", normal(random, 0.5, VOCAB, 32));
        w.put("final_logits_bias", normal(random, 0.5, 1, VOCAB));
        for (String stack : List.of("encoder", "decoder")) {
            String s = "model." + stack + ".";
            if (type.equals("bart")) {
                w.put(s + "embed_positions.weight", normal(random, 0.5, 66, 32));
                norm(w, s + "layernorm_embedding", random, 32);
            }
            for (int layer = 0; layer < 2; layer++) {
                String h = s + "layers." + layer + ".";
                for (String attention : stack.equals("encoder") ? List.of("self_attn") : List.of("self_attn", "encoder_attn")) {
                    for (String name : List.of("q_proj", "k_proj", "v_proj", "out_proj"))
                        outFirst(w, h + attention + "." + name, random, 32, 32, true);
                    norm(w, h + attention + "_layer_norm", random, 32);
                }
                outFirst(w, h + "fc1", random, 48, 32, true);
                outFirst(w, h + "fc2", random, 32, 48, true);
                norm(w, h + "final_layer_norm", random, 32);
            }
        }
    }

    private static Path write(Path folder, JsonObject config, SequencedMap<String, Tensor> weights) throws IOException {
        Files.createDirectories(folder);
        config.addProperty("bos_token_id", IM_START);
        config.addProperty("eos_token_id", IM_END);
        Files.writeString(folder.resolve("config.json"), config.toString());
        Safetensors.write(folder.resolve("model.safetensors"), weights, Map.of("format", "pt"));
        Files.writeString(folder.resolve("tokenizer.json"), tokenizer().toString());
        JsonObject tokenizer = new JsonObject();
        tokenizer.addProperty("bos_token", "<|im_start|>");
        tokenizer.addProperty("eos_token", "<|im_end|>");
        tokenizer.addProperty("chat_template", CHAT_TEMPLATE);
        Files.writeString(folder.resolve("tokenizer_config.json"), tokenizer.toString());
        return folder;
    }

    /// Byte-level BPE without a merge: one token a byte.
    private static JsonObject tokenizer() {
        JsonObject vocabulary = new JsonObject();
        for (int b = 0; b < 256; b++) vocabulary.addProperty(String.valueOf(letter(b)), b);
        JsonArray added = new JsonArray();
        String[] special = {"<|im_start|>", "<|im_end|>", "<|unused_0|>", "<|unused_1|>"};
        for (int i = 0; i < special.length; i++) {
            vocabulary.addProperty(special[i], 256 + i);
            JsonObject token = new JsonObject();
            token.addProperty("id", 256 + i);
            token.addProperty("content", special[i]);
            for (String flag : new String[] {"single_word", "lstrip", "rstrip", "normalized"}) token.addProperty(flag, false);
            token.addProperty("special", true);
            added.add(token);
        }
        JsonObject model = new JsonObject();
        model.addProperty("type", "BPE");
        model.add("vocab", vocabulary);
        model.add("merges", new JsonArray());
        JsonObject byteLevel = new JsonObject();
        byteLevel.addProperty("type", "ByteLevel");
        byteLevel.addProperty("add_prefix_space", false);
        byteLevel.addProperty("trim_offsets", true);
        byteLevel.addProperty("use_regex", true);
        JsonObject json = new JsonObject();
        json.addProperty("version", "1.0");
        json.add("added_tokens", added);
        json.add("pre_tokenizer", byteLevel);
        json.add("decoder", byteLevel);
        json.add("model", model);
        return json;
    }

    /// The letter that byte-level BPE writes a byte as: itself where it prints, else one from U+0100 on, in order.
    private static char letter(int value) {
        if (prints(value)) return (char) value;
        int before = 0;
        for (int b = 0; b < value; b++) if (!prints(b)) before++;
        return (char) (256 + before);
    }

    private static boolean prints(int b) {
        return b >= '!' && b <= '~' || b >= 0xA1 && b <= 0xAC || b >= 0xAE;
    }
}
