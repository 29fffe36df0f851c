package fewsh.models;

import com.google.gson.JsonObject;
import fewsh.graph.Value;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/// Phi-3: as Llama, with queries, keys and values in one matrix, gate and up in another; longrope, a sliding window, and
/// positions on a part of each head where the settings say so.
///
/// Checkpoints: `microsoft/Phi-3*`, `microsoft/Phi-3.5-mini*`, `microsoft/phi-4`, `microsoft/Phi-4-mini*` of model_type `phi3`;
/// GGUF files of architecture `phi3`. Source: Abdin et al. 2024; `modeling_phi3.py` of Hugging Face's transformers.
public record Phi3(Config config) implements Causal {
    /// @param window positions that each sees, its own among them; 0 for all
    public record Config(
            int vocabSize, int nPositions, int hiddenSize, int intermediateSize, int nLayer, int nHead, int nKvHead, int headDim,
            float rmsNormEps, String hiddenAct, int window, boolean tied, Rope rope) {
        public static Config of(Settings s) {
            int hidden = s.size("hidden_size");
            int nHead = s.size("num_attention_heads");
            int headDim = s.headDim(nHead, hidden / nHead);
            int inner = s.size("intermediate_size");
            s.product("width of gate and up", 2, inner);
            int nPositions = s.size("max_position_embeddings", 4096);
            Settings r = Rope.parameters(s);
            if (!s.has(Rope.ORIGINAL) && !r.has(Rope.ORIGINAL)) r = r.with(Rope.ORIGINAL, 4096);
            Rope.kind(r, List.of("default", "longrope"));
            double part = r.real("partial_rotary_factor", s.real("partial_rotary_factor", 1));
            return new Config(s.size("vocab_size"), nPositions, hidden, inner, s.size("num_hidden_layers"), nHead,
                    s.keyValueHeads(nHead, nHead), headDim, (float) s.real("rms_norm_eps", 1e-5),
                    s.choice("hidden_act", "silu", Activations.WORDS), s.size("sliding_window", 0),
                    s.flag("tie_word_embeddings", false), Rope.of(s, r, s.real("rope_theta", 10000), headDim, part, nPositions));
        }
    }

    @Override
    public Layout layout() {
        return new Layout(config.vocabSize, config.nLayer, config.nKvHead, Heads.cacheDim(config.headDim), config.rope);
    }

    @Override
    public void build(Net g) {
        Value x = g.embedding("model.embed_tokens", config.vocabSize, config.hiddenSize, g.inputIds());
        for (int layer = 0; layer < config.nLayer; layer++) x = block(g, layer, x);  // (batch, sequence, hiddenSize)
        x = g.rmsNorm("model.norm", x, config.rmsNormEps);
        g.logits(config.tied ? "model.embed_tokens" : "lm_head", config.vocabSize, x);
    }

    private Value block(Net g, int layer, Value x) {
        String h = "model.layers." + layer + ".";
        x = g.add(x, attention(g, layer, h + "self_attn.", g.rmsNorm(h + "input_layernorm", x, config.rmsNormEps)));
        return g.add(x, mlp(g, h + "mlp.", g.rmsNorm(h + "post_attention_layernorm", x, config.rmsNormEps)));
    }

    private Value attention(Net g, int layer, String h, Value x) {
        int d = config.headDim;
        Heads heads = new Heads(config.nHead, config.nKvHead, d, (float) (1 / Math.sqrt(d)), config.rope.turned());
        CachedAttention attention = new CachedAttention(g, layer, heads);
        Value qkv = attention.queryKeyValue(x, new Linear(h + "qkv_proj", heads.all() * d, config.hiddenSize, false));
        return attention.out(attention.attend(List.of(qkv), config.rope, config.window),
                new Linear(h + "o_proj", config.hiddenSize, config.nHead * d, false));
    }

    private Value mlp(Net g, String h, Value x) {
        int inner = config.intermediateSize;
        List<Value> gateUp = g.graph().split(g.linear(x, new Linear(h + "gate_up_proj", 2 * inner, config.hiddenSize, false)),
                -1, inner, inner);
        x = g.mul(g.activation(config.hiddenAct, gateUp.getFirst()), gateUp.getLast());  // (batch, sequence, inner)
        return g.linear(x, new Linear(h + "down_proj", config.hiddenSize, inner, false));
    }

    /// A GGUF file's settings under the keys of `config.json`.
    static JsonObject config(Map<String, Object> gguf, Predicate<String> has) {
        JsonObject json = Gguf.config(gguf, "phi3", Gguf.KEYS);
        if (gguf.get("phi3.attention.sliding_window") instanceof Long window && window > 0)
            json.addProperty("sliding_window", window);
        Rope.ofGguf(gguf, "phi3", json);
        return json;
    }

    /// Where a GGUF file keeps what a published checkpoint calls by these names.
    static final List<Gguf.Rename> GGUF_NAMES = List.of(
            new Gguf.Rename("model.embed_tokens", "token_embd"), new Gguf.Rename("model.norm", "output_norm"),
            new Gguf.Rename("lm_head", "output"),
            new Gguf.Rename("model.layers.#.input_layernorm", "blk.#.attn_norm"),
            new Gguf.Rename("model.layers.#.post_attention_layernorm", "blk.#.ffn_norm"),
            new Gguf.Rename("model.layers.#.self_attn.qkv_proj", "blk.#.attn_qkv"),
            new Gguf.Rename("model.layers.#.self_attn.o_proj", "blk.#.attn_output"),
            new Gguf.Rename("model.layers.#.mlp.gate_up_proj", "blk.#.ffn_up"),
            new Gguf.Rename("model.layers.#.mlp.down_proj", "blk.#.ffn_down"));
}
