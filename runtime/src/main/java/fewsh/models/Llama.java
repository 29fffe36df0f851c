package fewsh.models;

import com.google.gson.JsonObject;
import fewsh.UserError;
import fewsh.graph.Value;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/// Llama: rotary positions, RMSNorm before each part of a block, SwiGLU, fewer heads for keys and values than for queries.
///
/// Checkpoints: `meta-llama/*`, `HuggingFaceTB/SmolLM2-*` and others of model_type `llama`; GGUF files of architecture
/// `llama`. Source: Touvron et al. 2023; `modeling_llama.py` of Hugging Face's transformers.
public record Llama(Config config) implements Causal {
    public record Config(
            int vocabSize, int nPositions, int hiddenSize, int intermediateSize, int nLayer, int nHead, int nKvHead, int headDim,
            float rmsNormEps, String hiddenAct, boolean attentionBias, boolean mlpBias, boolean tied, Rope rope) {
        public static Config of(Settings s) {
            int hidden = s.size("hidden_size");
            int nHead = s.size("num_attention_heads");
            int headDim = s.headDim(nHead, hidden / nHead);
            int nPositions = s.size("max_position_embeddings", 2048);
            int window = s.flag("use_sliding_window", true) ? s.size("sliding_window", 0) : 0;
            if (window > 0 && window < nPositions)
                throw new UserError(s.where(), "sliding_window " + window + " is not supported", "only null is, for llama");
            return new Config(s.size("vocab_size"), nPositions, hidden, s.size("intermediate_size"), s.size("num_hidden_layers"),
                    nHead, s.keyValueHeads(nHead, nHead), headDim, (float) s.real("rms_norm_eps", 1e-6),
                    s.choice("hidden_act", "silu", Activations.WORDS), s.flag("attention_bias", false), s.flag("mlp_bias", false),
                    s.flag("tie_word_embeddings", false), Rope.of(s, headDim, nPositions));
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
        int width = config.hiddenSize;
        int d = config.headDim;
        boolean bias = config.attentionBias;
        CachedAttention attention = new CachedAttention(g, layer, new Heads(config.nHead, config.nKvHead, d));
        Value qkv = attention.queryKeyValue(x,
                new Linear(h + "q_proj", config.nHead * d, width, bias).interleavedInGguf(config.nHead),
                new Linear(h + "k_proj", config.nKvHead * d, width, bias).interleavedInGguf(config.nKvHead),
                new Linear(h + "v_proj", config.nKvHead * d, width, bias));
        return attention.out(attention.attend(qkv, config.rope),
                new Linear(h + "o_proj", width, config.nHead * d, bias));
    }

    private Value mlp(Net g, String h, Value x) {
        int inner = config.intermediateSize;
        List<Value> gateUp = g.linears(x, new Linear(h + "gate_proj", inner, config.hiddenSize, config.mlpBias),
                new Linear(h + "up_proj", inner, config.hiddenSize, config.mlpBias));
        x = g.mul(g.activation(config.hiddenAct, gateUp.getFirst()), gateUp.getLast());  // (batch, sequence, inner)
        return g.linear(x, new Linear(h + "down_proj", config.hiddenSize, inner, config.mlpBias));
    }

    /// A GGUF file's settings under the keys of `config.json`.
    static JsonObject config(Map<String, Object> gguf, Predicate<String> has) {
        JsonObject json = Gguf.config(gguf, "llama", Gguf.KEYS, Map.of("expert_count", "num_local_experts"));
        json.addProperty("attention_bias", has.test("blk.0.attn_q.bias"));
        json.addProperty("mlp_bias", has.test("blk.0.ffn_gate.bias"));
        new Settings("", json).only("num_local_experts", 0);
        Rope.ofGguf(gguf, "llama", json);
        return json;
    }

    /// Where a GGUF file keeps what a published checkpoint calls by these names.
    static final List<Gguf.Rename> GGUF_NAMES = List.of(
            new Gguf.Rename("model.embed_tokens", "token_embd"), new Gguf.Rename("model.norm", "output_norm"),
            new Gguf.Rename("lm_head", "output"),
            new Gguf.Rename("model.layers.#.input_layernorm", "blk.#.attn_norm"),
            new Gguf.Rename("model.layers.#.post_attention_layernorm", "blk.#.ffn_norm"),
            new Gguf.Rename("model.layers.#.self_attn.q_proj", "blk.#.attn_q"),
            new Gguf.Rename("model.layers.#.self_attn.k_proj", "blk.#.attn_k"),
            new Gguf.Rename("model.layers.#.self_attn.v_proj", "blk.#.attn_v"),
            new Gguf.Rename("model.layers.#.self_attn.o_proj", "blk.#.attn_output"),
            new Gguf.Rename("model.layers.#.mlp.gate_proj", "blk.#.ffn_gate"),
            new Gguf.Rename("model.layers.#.mlp.up_proj", "blk.#.ffn_up"),
            new Gguf.Rename("model.layers.#.mlp.down_proj", "blk.#.ffn_down"));
}
