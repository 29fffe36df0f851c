package fewsh.generate;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import fewsh.UserError;
import fewsh.load.LoadOptions;
import fewsh.models.Precision;
import fewsh.models.Scaled;
import fewsh.models.TinyModels;
import fewsh.tensor.Tensor;
import fewsh.weights.Encoding;
import fewsh.weights.GgufFile;
import fewsh.weights.Safetensors;
import fewsh.weights.Weights;
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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What is particular in the files of causal architectures: names and keys of GGUF, settings that a page has not, adapters
/// beside matrices whose rows lie in an order of their own.
class CausalPagesTest {
    @TempDir
    Path folder;

    private float[][] logits(Path model, Scaled... adapters) {
        LoadOptions options = LoadOptions.in(folder.resolve("home")).withPrecision(Precision.FP32).withThreads(2)
                .withAdapters(List.of(adapters));
        try (CausalLm lm = CausalLm.open(model, options)) {
            return lm.forward(new Random(3).ints(50, 0, 256).toArray());
        }
    }

    private static void assertClose(float[][] expected, float[][] actual) {
        assertEquals(expected.length, actual.length);
        for (int i = 0; i < expected.length; i++) assertArrayEquals(expected[i], actual[i], 1e-4f, "position " + i);
    }

    /// Names, keys and what else differs as `convert_hf_to_gguf.py` of llama.cpp writes them.
    @ParameterizedTest
    @ValueSource(strings = {"gpt_neox", "qwen2", "qwen3", "gemma3_text", "phi3"})
    void aGgufFileGivesWhatTheFolderGives(String type) throws IOException {
        Path model = TinyModels.causal(folder.resolve(type), type, 11);
        boolean gemma = type.equals("gemma3_text");
        change(model, "use_sliding_window", "false");
        if (!type.equals("phi3") && !gemma) change(model, "sliding_window", "null");
        if (gemma) {
            change(model, "sliding_window_pattern", "6");               // known by heart of GGUF files
            change(model, "query_pre_attn_scalar", "16");
        }
        String arch = Map.of("gpt_neox", "gptneox", "gemma3_text", "gemma3").getOrDefault(type, type);
        GgufFile file = new GgufFile().put("general.architecture", arch).put(arch + ".context_length", 128)
                .put(arch + ".embedding_length", 64).put(arch + ".block_count", 2).put(arch + ".feed_forward_length", 96)
                .put(arch + ".attention.head_count", 4).put(arch + ".rope.dimension_count", arch.equals("gptneox") ? 8 : 16);
        if (arch.equals("gptneox")) file.put("gptneox.attention.layer_norm_epsilon", 1e-5f).put("gptneox.use_parallel_residual", true);
        else file.put(arch + ".attention.head_count_kv", 2).put(arch + ".rope.freq_base", gemma ? 1e6f : 1e4f)
                .put(arch + ".attention.layer_norm_rms_epsilon", type.equals("phi3") ? 1e-5f : 1e-6f);
        if (gemma || arch.equals("qwen3")) file.put(arch + ".attention.key_length", 16);
        if (gemma || arch.equals("phi3")) file.put(arch + ".attention.sliding_window", 24);
        List<String> tokens = new ArrayList<>(List.of("t", "u", "tu"));
        for (int i = 3; i < TinyModels.VOCAB; i++) tokens.add("t" + i);
        file.put("tokenizer.ggml.model", "gpt2").put("tokenizer.ggml.pre", "smollm").put("tokenizer.ggml.tokens", tokens)
                .put("tokenizer.ggml.token_type", Collections.nCopies(TinyModels.VOCAB, 1))
                .put("tokenizer.ggml.merges", List.of("t u")).put("tokenizer.ggml.eos_token_id", 257);
        try (Weights weights = Weights.open(model)) {
            for (String name : weights.names()) {
                long[] sizes = weights.get(name).shape().sizes();
                float[] values = weights.get(name).floats();
                if (name.contains("query_key_value")) values = parted(values, 4, 16);
                if (gemma && name.contains("norm")) for (int i = 0; i < values.length; i++) values[i] += 1;
                file.tensor(ggufName(name, gemma), Encoding.F32, values, sizes);
            }
        }
        Path gguf = Files.write(folder.resolve("model.gguf"), file.bytes());
        assertClose(logits(model), logits(gguf));
    }

    private static String ggufName(String name, boolean gemma) {
        String[][] names = {{"gpt_neox.embed_in", "token_embd"}, {"gpt_neox.final_layer_norm", "output_norm"}, {"embed_out", "output"},
            {"model.embed_tokens", "token_embd"}, {"model.norm", "output_norm"}, {"lm_head", "output"},
            {"(gpt_neox|model).layers", "blk"}, {"input_layernorm", "attn_norm"},
            {"post_attention_layernorm", gemma ? "post_attention_norm" : "ffn_norm"}, {"pre_feedforward_layernorm", "ffn_norm"},
            {"post_feedforward_layernorm", "post_ffw_norm"}, {"self_attn.(qkv)_proj", "attn_$1"}, {"self_attn.o_proj", "attn_output"},
            {"self_attn.([qkv])_proj", "attn_$1"}, {"self_attn.([qk]_norm)", "attn_$1"}, {"mlp.gate_up_proj", "ffn_up"},
            {"mlp.(gate|up|down)_proj", "ffn_$1"}, {"attention.query_key_value", "attn_qkv"}, {"attention.dense", "attn_output"},
            {"mlp.dense_h_to_4h", "ffn_up"}, {"mlp.dense_4h_to_h", "ffn_down"}};
        for (String[] pair : names) name = name.replaceFirst(pair[0], pair[1]);
        return name;
    }

    /// From query, key and value of one head after the other to all queries, all keys, all values.
    private static float[] parted(float[] values, int heads, int dim) {
        float[] parted = new float[values.length];
        int part = values.length / heads / 3;
        for (int h = 0; h < heads; h++)
            for (int i = 0; i < 3; i++) System.arraycopy(values, (h * 3 + i) * part, parted, (i * heads + h) * part, part);
        return parted;
    }

    /// A head of 16 of which 8 turn: its rows are moved, and those of query, key and value stand head by head.
    @Test
    void anAdapterGivesWhatTheAdaptedMatrixGives() throws IOException {
        Path base = TinyModels.causal(folder.resolve("base"), "gpt_neox", 7);
        Path adapted = TinyModels.causal(folder.resolve("adapted"), "gpt_neox", 7);
        String module = "gpt_neox.layers.1.attention.query_key_value";
        Random random = new Random(2);
        float[] a = new float[2 * 64];
        float[] b = new float[192 * 2];
        for (int i = 0; i < a.length; i++) a[i] = (float) random.nextGaussian() / 4;
        for (int i = 0; i < b.length; i++) b[i] = (float) random.nextGaussian() / 4;
        SequencedMap<String, Tensor> weights = new LinkedHashMap<>();
        try (Weights stored = Weights.open(base)) {
            for (String name : stored.names())
                weights.put(name, Tensor.ofFloat32(stored.get(name).floats(), stored.get(name).shape().sizes()));
        }
        float[] w = weights.get(module + ".weight").toFloats();
        for (int r = 0; r < 192; r++)
            for (int c = 0; c < 64; c++)
                for (int i = 0; i < 2; i++) w[r * 64 + c] += 1.5f * b[r * 2 + i] * a[i * 64 + c];
        weights.put(module + ".weight", Tensor.ofFloat32(w, 192, 64));
        Safetensors.write(adapted.resolve("model.safetensors"), weights, Map.of());
        SequencedMap<String, Tensor> low = new LinkedHashMap<>();
        low.put("base_model.model." + module + ".lora_A.weight", Tensor.ofFloat32(a, 2, 64));
        low.put("base_model.model." + module + ".lora_B.weight", Tensor.ofFloat32(b, 192, 2));
        Path adapter = Files.createDirectories(folder.resolve("adapter"));
        Safetensors.write(adapter.resolve("adapter_model.safetensors"), low, Map.of());
        Files.writeString(adapter.resolve("adapter_config.json"),
                "{\"peft_type\": \"LORA\", \"r\": 2, \"lora_alpha\": 3, \"target_modules\": [\"1.attention.query_key_value\"]}");
        assertClose(logits(adapted), logits(base, new Scaled(adapter, 1)));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '"', textBlock = """
            openai-gpt | afn | 'gelu_new' | afn
            openai-gpt | n_head | 5 | n_embd
            gpt_neox | rotary_pct | 0 | partial_rotary_factor
            gpt_neox | rotary_pct | 1.5 | partial_rotary_factor
            gpt_neox | head_dim | 32 | head_dim
            gpt_neox | hidden_act | 'mish' | hidden_act
            llama | sliding_window | 24 | sliding_window
            mistral | layer_types | ['sliding_attention', 'full_attention'] | layer_types
            mistral | partial_rotary_factor | 0.5 | partial_rotary_factor
            qwen2 | layer_types | ['sliding_attention', 'chunked_attention'] | layer_types
            qwen2 | layer_types | ['full_attention'] | layer_types
            qwen3 | num_key_value_heads | 3 | num_key_value_heads
            qwen3 | head_dim | 15 | head_dim
            gemma3_text | attn_logit_softcapping | 50.0 | attn_logit_softcapping
            gemma3_text | use_bidirectional_attention | true | use_bidirectional_attention
            gemma3_text | rope_parameters | {'rope_type': 'default', 'rope_theta': 10000.0} | rope_type
            gemma3_text | query_pre_attn_scalar | 0 | query_pre_attn_scalar
            phi3 | rope_scaling | {'type': 'linear', 'factor': 2.0} | type
            phi3 | rope_scaling | {'type': 'longrope', 'short_factor': [1.0], 'long_factor': [1.0]} | short_factor
            """)
    void aSettingThatAPageHasNotIsRefusedByName(String type, String key, String value, String named) throws IOException {
        Path model = type.equals("llama") ? TinyModels.llama(folder.resolve(type), 1) : TinyModels.causal(folder.resolve(type), type, 1);
        change(model, key, value.replace('\'', '"'));
        UserError e = assertThrows(UserError.class, () -> logits(model));
        assertTrue(e.where().startsWith(model.resolve("config.json").toString()), e.where());
        assertTrue(e.what().contains(named), e.getMessage());
    }

    private static void change(Path model, String key, String json) throws IOException {
        Path config = model.resolve("config.json");
        JsonObject settings = JsonParser.parseString(Files.readString(config)).getAsJsonObject();
        settings.add(key, JsonParser.parseString(json));
        Files.writeString(config, settings.toString());
    }
}
