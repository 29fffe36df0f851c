package fewsh.models;

import com.google.gson.JsonObject;
import fewsh.UserError;
import fewsh.graph.Value;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/// Gemma 3, its text model: scaled embeddings, norms before and after each part of a block and on each head of queries and
/// keys, and layers that see a window with rotary positions of their own between layers that see all.
///
/// Checkpoints: `google/gemma-3-1b-*`, `google/gemma-3-270m*` and others of model_type `gemma3_text`, GGUF files of architecture
/// `gemma3`. Source: Gemma Team 2025; `modeling_gemma3.py` of Hugging Face's transformers.
public record Gemma3(Config config) implements Causal {
    /// @param windows positions that each layer sees, its own among them; 0 for all
    /// @param softcap of the logits; 0 for none
    /// @param rope of layers that see all
    /// @param slidingRope of layers with a window
    public record Config(
            int vocabSize, int nPositions, int hiddenSize, int intermediateSize, int nLayer, int nHead, int nKvHead, int headDim,
            float rmsNormEps, String activation, boolean attentionBias, double queryPreAttnScalar, double softcap,
            List<Integer> windows, boolean tied, Rope rope, Rope slidingRope) {
        public static Config of(Settings s) {
            int nHead = s.size("num_attention_heads", 8);
            int headDim = s.headDim(nHead, 256);
            int nLayer = s.size("num_hidden_layers", 26);
            int nPositions = s.size("max_position_embeddings", 131072);
            s.only("use_bidirectional_attention", false);
            if (s.has("attn_logit_softcapping"))
                throw new UserError(s.where(), "attn_logit_softcapping is not supported", "only null is, for gemma3_text");
            double scalar = s.real("query_pre_attn_scalar", 256);
            if (!(scalar > 0)) throw new UserError(s.where(), "query_pre_attn_scalar must be above 0, was " + scalar, "");
            int window = s.json().has("sliding_window") ? s.size("sliding_window", 0) : 4096;
            int pattern = s.size("sliding_window_pattern", 6);
            Settings both = s.object("rope_parameters");
            both.only("rope_type", "given for each of full_attention and sliding_attention");
            Settings full = s.has("rope_scaling") ? s.object("rope_scaling") : both.object("full_attention");
            return new Config(s.size("vocab_size"), nPositions, s.size("hidden_size"), s.size("intermediate_size"), nLayer, nHead,
                    s.keyValueHeads(nHead, 4), headDim, (float) s.real("rms_norm_eps", 1e-6),
                    s.choice("hidden_activation", "gelu_pytorch_tanh", Activations.WORDS), s.flag("attention_bias", false), scalar,
                    s.real("final_logit_softcapping", 0), s.windows(nLayer, window, i -> (i + 1) % pattern != 0),
                    s.flag("tie_word_embeddings", true),
                    Rope.of(s, full, s.real("rope_theta", 1e6), headDim, 1, nPositions),
                    Rope.of(s, both.object("sliding_attention"), s.real("rope_local_base_freq", 1e4), headDim, 1, nPositions));
        }

        Norm norm(String name) {
            return new Norm(name, rmsNormEps, true);
        }
    }

    @Override
    public Layout layout() {
        return new Layout(config.vocabSize, config.nLayer, config.nKvHead, Heads.cacheDim(config.headDim), config.rope);
    }

    @Override
    public void build(Net g) {
        Value x = g.embedding("model.embed_tokens", config.vocabSize, config.hiddenSize, g.inputIds());
        x = g.scale(x, Math.sqrt(config.hiddenSize));                                    // (batch, sequence, hiddenSize)
        for (int layer = 0; layer < config.nLayer; layer++) x = block(g, layer, x);
        x = g.rmsNorm(config.norm("model.norm"), x);
        g.logits(config.tied ? "model.embed_tokens" : "lm_head", config.vocabSize, x, config.softcap);
    }

    private Value block(Net g, int layer, Value x) {
        String h = "model.layers." + layer + ".";
        Value y = attention(g, layer, h + "self_attn.", g.rmsNorm(config.norm(h + "input_layernorm"), x));
        x = g.add(x, g.rmsNorm(config.norm(h + "post_attention_layernorm"), y));
        y = mlp(g, h + "mlp.", g.rmsNorm(config.norm(h + "pre_feedforward_layernorm"), x));
        return g.add(x, g.rmsNorm(config.norm(h + "post_feedforward_layernorm"), y));
    }

    private Value attention(Net g, int layer, String h, Value x) {
        int width = config.hiddenSize;
        int d = config.headDim;
        boolean bias = config.attentionBias;
        int window = config.windows.get(layer);
        Heads heads = new Heads(config.nHead, config.nKvHead, d, (float) (1 / Math.sqrt(config.queryPreAttnScalar)));
        CachedAttention attention = new CachedAttention(g, layer, heads);
        Value qkv = attention.queryKeyValue(x, new Linear(h + "q_proj", config.nHead * d, width, bias),
                new Linear(h + "k_proj", config.nKvHead * d, width, bias),
                new Linear(h + "v_proj", config.nKvHead * d, width, bias));
        List<Value> normed = attention.normHeads(qkv, config.norm(h + "q_norm"), config.norm(h + "k_norm"));
        return attention.out(attention.attend(normed, window == 0 ? config.rope : config.slidingRope, window),
                new Linear(h + "o_proj", width, config.nHead * d, bias));
    }

    private Value mlp(Net g, String h, Value x) {
        int inner = config.intermediateSize;
        List<Value> gateUp = g.linears(x, new Linear(h + "gate_proj", inner, config.hiddenSize, false),
                new Linear(h + "up_proj", inner, config.hiddenSize, false));
        x = g.mul(g.activation(config.activation, gateUp.getFirst()), gateUp.getLast());  // (batch, sequence, inner)
        return g.linear(x, new Linear(h + "down_proj", config.hiddenSize, inner, false));
    }

    /// A GGUF file's settings under the keys of `config.json`. Which layers see all is known by heart there, as is that of the
    /// largest model, of 62 layers, the queries are scaled by another number than the size of a head.
    static JsonObject config(Map<String, Object> gguf, Predicate<String> has) {
        JsonObject json = Gguf.config(gguf, "gemma3", Gguf.KEYS, Map.of("attention.sliding_window", "sliding_window",
                "rope.freq_base_swa", "rope_local_base_freq", "final_logit_softcapping", "final_logit_softcapping"));
        Settings s = new Settings("", json);
        if (!json.has("sliding_window")) json.addProperty("sliding_window_pattern", 1);
        json.addProperty("query_pre_attn_scalar", s.size("num_hidden_layers") == 62
                ? s.size("hidden_size") / s.size("num_attention_heads") : s.size("head_dim", 256));
        json.addProperty("attention_bias", has.test("blk.0.attn_q.bias"));
        Rope.ofGguf(gguf, "gemma3", json);
        return json;
    }

    /// Where a GGUF file keeps what a published checkpoint calls by these names.
    static final List<Gguf.Rename> GGUF_NAMES = List.of(
            new Gguf.Rename("model.embed_tokens", "token_embd"), new Gguf.Rename("model.norm", "output_norm"),
            new Gguf.Rename("lm_head", "output"),
            new Gguf.Rename("model.layers.#.input_layernorm", "blk.#.attn_norm"),
            new Gguf.Rename("model.layers.#.post_attention_layernorm", "blk.#.post_attention_norm"),
            new Gguf.Rename("model.layers.#.pre_feedforward_layernorm", "blk.#.ffn_norm"),
            new Gguf.Rename("model.layers.#.post_feedforward_layernorm", "blk.#.post_ffw_norm"),
            new Gguf.Rename("model.layers.#.self_attn.q_proj", "blk.#.attn_q"),
            new Gguf.Rename("model.layers.#.self_attn.k_proj", "blk.#.attn_k"),
            new Gguf.Rename("model.layers.#.self_attn.v_proj", "blk.#.attn_v"),
            new Gguf.Rename("model.layers.#.self_attn.o_proj", "blk.#.attn_output"),
            new Gguf.Rename("model.layers.#.self_attn.q_norm", "blk.#.attn_q_norm"),
            new Gguf.Rename("model.layers.#.self_attn.k_norm", "blk.#.attn_k_norm"),
            new Gguf.Rename("model.layers.#.mlp.gate_proj", "blk.#.ffn_gate"),
            new Gguf.Rename("model.layers.#.mlp.up_proj", "blk.#.ffn_up"),
            new Gguf.Rename("model.layers.#.mlp.down_proj", "blk.#.ffn_down"));
}
