package fewsh.models;

import com.google.gson.JsonObject;
import fewsh.UserError;
import fewsh.graph.Value;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/// GPT-NeoX: rotary positions on a part of each head, attention and MLP side by side on one residual, LayerNorm before each.
///
/// Checkpoints: `EleutherAI/pythia-*`, `EleutherAI/gpt-neox-20b` and others of model_type `gpt_neox`, GGUF files of
/// architecture `gptneox`. Source: Black et al. 2022; `modeling_gpt_neox.py` of Hugging Face's transformers.
public record GptNeoX(Config config) implements Causal {
    public record Config(
            int vocabSize, int nPositions, int hiddenSize, int intermediateSize, int nLayer, int nHead, float layerNormEps,
            String hiddenAct, boolean parallelResidual, boolean attentionBias, boolean tied, Rope rope) {
        public static Config of(Settings s) {
            int hidden = s.size("hidden_size", 6144);
            int nHead = s.size("num_attention_heads", 64);
            if (hidden % nHead != 0)
                throw new UserError(s.where(), "hidden_size " + hidden + " is not a multiple of num_attention_heads " + nHead, "");
            int headDim = hidden / nHead;
            s.only("head_dim", headDim);
            int nPositions = s.size("max_position_embeddings", 2048);
            Settings r = Rope.parameters(s);
            double part = r.real("partial_rotary_factor", s.real("partial_rotary_factor", s.real("rotary_pct", 0.25)));
            return new Config(s.size("vocab_size", 50432), nPositions, hidden, s.size("intermediate_size", 24576),
                    s.size("num_hidden_layers", 44), nHead, (float) s.real("layer_norm_eps", 1e-5),
                    s.choice("hidden_act", "gelu", Activations.WORDS), s.flag("use_parallel_residual", true),
                    s.flag("attention_bias", true), s.flag("tie_word_embeddings", false),
                    Rope.of(s, r, s.real("rotary_emb_base", s.real("rope_theta", 10000)), headDim, part, nPositions));
        }

        int headDim() {
            return hiddenSize / nHead;
        }
    }

    @Override
    public Layout layout() {
        return new Layout(config.vocabSize, config.nLayer, config.nHead, Heads.cacheDim(config.headDim()), config.rope);
    }

    @Override
    public void build(Net g) {
        Value x = g.embedding("gpt_neox.embed_in", config.vocabSize, config.hiddenSize, g.inputIds());
        for (int layer = 0; layer < config.nLayer; layer++) x = block(g, layer, x);  // (batch, sequence, hiddenSize)
        x = g.layerNorm("gpt_neox.final_layer_norm", x, config.layerNormEps);
        g.logits(config.tied ? "gpt_neox.embed_in" : "embed_out", config.vocabSize, x);
    }

    private Value block(Net g, int layer, Value x) {
        String h = "gpt_neox.layers." + layer + ".";
        Value attended = attention(g, layer, h + "attention.", g.layerNorm(h + "input_layernorm", x, config.layerNormEps));
        Value y = g.add(x, attended);
        Value read = config.parallelResidual ? x : y;
        return g.add(y, mlp(g, h + "mlp.", g.layerNorm(h + "post_attention_layernorm", read, config.layerNormEps)));
    }

    private Value attention(Net g, int layer, String h, Value x) {
        int width = config.hiddenSize;
        int d = config.headDim();
        int n = config.nHead;
        Heads heads = new Heads(n, n, d, (float) (1 / Math.sqrt(d)), config.rope.turned());
        CachedAttention attention = new CachedAttention(g, layer, heads);
        // published checkpoints have query, key and value of one head after the other
        Linear all = new Linear(h + "query_key_value", 3 * width, width, config.attentionBias)
                .stored((r, gguf) -> gguf ? r : (r / d % n * 3 + r / d / n) * d + r % d);
        return attention.out(attention.attend(attention.queryKeyValue(x, all), config.rope),
                new Linear(h + "dense", width, width, config.attentionBias));
    }

    private Value mlp(Net g, String h, Value x) {
        x = g.linear(x, new Linear(h + "dense_h_to_4h", config.intermediateSize, config.hiddenSize, true));
        return g.linear(g.activation(config.hiddenAct, x),
                new Linear(h + "dense_4h_to_h", config.hiddenSize, config.intermediateSize, true));
    }

    /// A GGUF file's settings under the keys of `config.json`.
    static JsonObject config(Map<String, Object> gguf, Predicate<String> has) {
        JsonObject json = Gguf.config(gguf, "gptneox", Gguf.KEYS, Map.of("attention.layer_norm_epsilon", "layer_norm_eps",
                "use_parallel_residual", "use_parallel_residual"));
        json.addProperty("attention_bias", has.test("blk.0.attn_qkv.bias"));
        Rope.ofGguf(gguf, "gptneox", json);
        return json;
    }

    /// Where a GGUF file keeps what a published checkpoint calls by these names.
    static final List<Gguf.Rename> GGUF_NAMES = List.of(
            new Gguf.Rename("gpt_neox.embed_in", "token_embd"), new Gguf.Rename("gpt_neox.final_layer_norm", "output_norm"),
            new Gguf.Rename("embed_out", "output"),
            new Gguf.Rename("gpt_neox.layers.#.input_layernorm", "blk.#.attn_norm"),
            new Gguf.Rename("gpt_neox.layers.#.post_attention_layernorm", "blk.#.ffn_norm"),
            new Gguf.Rename("gpt_neox.layers.#.attention.query_key_value", "blk.#.attn_qkv"),
            new Gguf.Rename("gpt_neox.layers.#.attention.dense", "blk.#.attn_output"),
            new Gguf.Rename("gpt_neox.layers.#.mlp.dense_h_to_4h", "blk.#.ffn_up"),
            new Gguf.Rename("gpt_neox.layers.#.mlp.dense_4h_to_h", "blk.#.ffn_down"));
}
