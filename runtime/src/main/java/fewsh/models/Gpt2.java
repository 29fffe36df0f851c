package fewsh.models;

import com.google.gson.JsonObject;
import fewsh.UserError;
import fewsh.graph.Value;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/// GPT-2: learned positions, LayerNorm before each part of a block, GELU, one tied embedding.
///
/// Checkpoints: `openai-community/gpt2` and fine-tunes of it (names with or without `transformer.`), GGUF files of
/// architecture `gpt2`. Source: Radford et al. 2019; `modeling_gpt2.py` of Hugging Face's transformers.
public record Gpt2(Config config) implements Causal {
    /// Other names of settings.
    private static final Map<String, String> NAMES = Map.of("max_position_embeddings", "n_positions", "hidden_size", "n_embd",
            "num_attention_heads", "n_head", "num_hidden_layers", "n_layer");

    public record Config(
            int vocabSize, int nPositions, int nEmbd, int nLayer, int nHead, int nInner, float layerNormEpsilon,
            String activation, boolean scaleByLayer, boolean scale, boolean tied) {
        public static Config of(Settings given) {
            Settings s = given.alsoNamed(NAMES);
            int nEmbd = s.size("n_embd", 768);
            int nHead = s.size("n_head", 12);
            if (nEmbd % nHead != 0)
                throw new UserError(s.where(), "n_embd " + nEmbd + " is not a multiple of n_head " + nHead, "");
            s.only("add_cross_attention", false);
            return new Config(s.size("vocab_size", 50257), s.size("n_positions", s.size("n_ctx", 1024)), nEmbd,
                    s.size("n_layer", 12), nHead, s.size("n_inner", s.product("n_inner", 4, nEmbd)), (float) s.real("layer_norm_epsilon", 1e-5),
                    s.choice("activation_function", "gelu_new", Activations.WORDS),
                    s.flag("scale_attn_by_inverse_layer_idx", false), s.flag("scale_attn_weights", true),
                    s.flag("tie_word_embeddings", true));
        }

        int headDim() {
            return nEmbd / nHead;
        }
    }

    @Override
    public Layout layout() {
        return new Layout(config.vocabSize, config.nPositions, config.nLayer, config.nHead, Heads.cacheDim(config.headDim()), true);
    }

    @Override
    public void build(Net g) {
        Value x = g.add(g.embedding("wte", config.vocabSize, config.nEmbd, g.inputIds()),
                g.positionEmbedding("wpe", config.nPositions, config.nEmbd));       // (batch, sequence, nEmbd)
        for (int layer = 0; layer < config.nLayer; layer++) x = block(g, layer, x);
        x = g.layerNorm("ln_f", x, config.layerNormEpsilon);
        g.logits(config.tied ? "wte" : "lm_head", config.vocabSize, x);             // (chosen positions, vocabSize)
    }

    private Value block(Net g, int layer, Value x) {
        String h = "h." + layer + ".";
        x = g.add(x, attention(g, layer, h + "attn.", g.layerNorm(h + "ln_1", x, config.layerNormEpsilon)));
        return g.add(x, mlp(g, h + "mlp.", g.layerNorm(h + "ln_2", x, config.layerNormEpsilon)));
    }

    private Value attention(Net g, int layer, String h, Value x) {
        int width = config.nEmbd;
        float scale = config.scale ? (float) (1 / Math.sqrt(config.headDim())) : 1;
        if (config.scaleByLayer) scale /= layer + 1;
        CachedAttention attention = new CachedAttention(g, layer, new Heads(config.nHead, config.nHead, config.headDim(), scale));
        Value qkv = attention.queryKeyValue(x, Linear.conv1d(h + "c_attn", 3 * width, width));
        return attention.out(attention.attend(qkv), Linear.conv1d(h + "c_proj", width, width));
    }

    private Value mlp(Net g, String h, Value x) {
        x = g.linear(x, Linear.conv1d(h + "c_fc", config.nInner, config.nEmbd));
        return g.linear(g.activation(config.activation, x), Linear.conv1d(h + "c_proj", config.nEmbd, config.nInner));
    }

    /// A GGUF file's settings under the keys of `config.json`.
    static JsonObject config(Map<String, Object> gguf, Predicate<String> has) {
        return Gguf.config(gguf, "gpt2", Map.of("context_length", "n_positions", "embedding_length", "n_embd",
                "block_count", "n_layer", "attention.head_count", "n_head", "feed_forward_length", "n_inner",
                "attention.layer_norm_epsilon", "layer_norm_epsilon"));
    }

    /// Where a GGUF file keeps what a published checkpoint calls by these names.
    static final List<Gguf.Rename> GGUF_NAMES = List.of(
            new Gguf.Rename("wte", "token_embd"), new Gguf.Rename("wpe", "position_embd"),
            new Gguf.Rename("ln_f", "output_norm"), new Gguf.Rename("lm_head", "output"),
            new Gguf.Rename("h.#.ln_1", "blk.#.attn_norm"), new Gguf.Rename("h.#.ln_2", "blk.#.ffn_norm"),
            new Gguf.Rename("h.#.attn.c_attn", "blk.#.attn_qkv"), new Gguf.Rename("h.#.attn.c_proj", "blk.#.attn_output"),
            new Gguf.Rename("h.#.mlp.c_fc", "blk.#.ffn_up"), new Gguf.Rename("h.#.mlp.c_proj", "blk.#.ffn_down"));
}
