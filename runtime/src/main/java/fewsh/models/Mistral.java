package fewsh.models;

import fewsh.UserError;
import fewsh.graph.Value;
import java.util.List;

/// Mistral: as Llama, with no biases, and each position seeing only the last few where there is a sliding window.
///
/// Checkpoints: `mistralai/Mistral-7B-*` and others of model_type `mistral`; GGUF files of these are of architecture `llama`.
/// Source: Jiang et al. 2023; `modeling_mistral.py` of Hugging Face's transformers.
public record Mistral(Config config) implements Causal {
    /// @param window positions that each sees, its own among them; 0 for all
    public record Config(
            int vocabSize, int nPositions, int hiddenSize, int intermediateSize, int nLayer, int nHead, int nKvHead, int headDim,
            float rmsNormEps, String hiddenAct, int window, boolean tied, Rope rope) {
        public static Config of(Settings s) {
            int hidden = s.size("hidden_size");
            int nHead = s.size("num_attention_heads");
            int headDim = s.headDim(nHead, hidden / nHead);
            int nLayer = s.size("num_hidden_layers");
            int window = s.json().has("sliding_window") ? s.size("sliding_window", 0) : 4096;
            if (!s.windows(nLayer, window, i -> window > 0).stream().allMatch(w -> w == window))
                throw new UserError(s.where(), "layer_types of both kinds are not supported", "only one kind is, for mistral");
            int nPositions = s.size("max_position_embeddings", 131072);
            return new Config(s.size("vocab_size"), nPositions, hidden, s.size("intermediate_size"), nLayer, nHead,
                    s.keyValueHeads(nHead, 8), headDim, (float) s.real("rms_norm_eps", 1e-6),
                    s.choice("hidden_act", "silu", Activations.WORDS), window, s.flag("tie_word_embeddings", false),
                    Rope.of(s, headDim, nPositions));
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
        CachedAttention attention = new CachedAttention(g, layer, new Heads(config.nHead, config.nKvHead, d));
        Value qkv = attention.queryKeyValue(x, new Linear(h + "q_proj", config.nHead * d, width, false),
                new Linear(h + "k_proj", config.nKvHead * d, width, false),
                new Linear(h + "v_proj", config.nKvHead * d, width, false));
        return attention.out(attention.attend(List.of(qkv), config.rope, config.window),
                new Linear(h + "o_proj", width, config.nHead * d, false));
    }

    private Value mlp(Net g, String h, Value x) {
        int inner = config.intermediateSize;
        List<Value> gateUp = g.linears(x, new Linear(h + "gate_proj", inner, config.hiddenSize, false),
                new Linear(h + "up_proj", inner, config.hiddenSize, false));
        x = g.mul(g.activation(config.hiddenAct, gateUp.getFirst()), gateUp.getLast());  // (batch, sequence, inner)
        return g.linear(x, new Linear(h + "down_proj", config.hiddenSize, inner, false));
    }
}
