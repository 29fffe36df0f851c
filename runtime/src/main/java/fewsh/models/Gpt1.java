package fewsh.models;

import fewsh.UserError;
import fewsh.graph.Value;
import java.util.List;
import java.util.Map;

/// GPT: learned positions, LayerNorm after each part of a block and none at the end, GELU, one tied embedding.
///
/// Checkpoints: `openai-community/openai-gpt` and others of model_type `openai-gpt`, names with or without `transformer.`.
/// Source: Radford et al. 2018; `modeling_openai.py` of Hugging Face's transformers.
public record Gpt1(Config config) implements Causal {
    /// Other names of settings.
    private static final Map<String, String> NAMES = Map.of("max_position_embeddings", "n_positions", "hidden_size", "n_embd",
            "num_attention_heads", "n_head", "num_hidden_layers", "n_layer");

    public record Config(
            int vocabSize, int nPositions, int nEmbd, int nLayer, int nHead, float layerNormEpsilon, String afn, boolean tied) {
        public static Config of(Settings given) {
            Settings s = given.alsoNamed(NAMES);
            int nEmbd = s.size("n_embd", 768);
            int nHead = s.size("n_head", 12);
            if (nEmbd % nHead != 0)
                throw new UserError(s.where(), "n_embd " + nEmbd + " is not a multiple of n_head " + nHead, "");
            s.product("inner width", 4, nEmbd);
            String afn = s.choice("afn", "gelu", List.of("gelu", "relu", "silu", "swish"));
            return new Config(s.size("vocab_size", 40478), s.size("n_positions", 512), nEmbd, s.size("n_layer", 12), nHead,
                    (float) s.real("layer_norm_epsilon", 1e-5), afn.equals("gelu") ? "gelu_new" : afn,   // by gelu it means tanh
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
        Value x = g.add(g.embedding("tokens_embed", config.vocabSize, config.nEmbd, g.inputIds()),
                g.positionEmbedding("positions_embed", config.nPositions, config.nEmbd));    // (batch, sequence, nEmbd)
        for (int layer = 0; layer < config.nLayer; layer++) x = block(g, layer, x);
        g.logits(config.tied ? "tokens_embed" : "lm_head", config.vocabSize, x);
    }

    private Value block(Net g, int layer, Value x) {
        String h = "h." + layer + ".";
        x = g.layerNorm(h + "ln_1", g.add(x, attention(g, layer, h + "attn.", x)), config.layerNormEpsilon);
        return g.layerNorm(h + "ln_2", g.add(x, mlp(g, h + "mlp.", x)), config.layerNormEpsilon);
    }

    private Value attention(Net g, int layer, String h, Value x) {
        int width = config.nEmbd;
        CachedAttention attention = new CachedAttention(g, layer, new Heads(config.nHead, config.nHead, config.headDim()));
        Value qkv = attention.queryKeyValue(x, Linear.conv1d(h + "c_attn", 3 * width, width));
        return attention.out(attention.attend(qkv), Linear.conv1d(h + "c_proj", width, width));
    }

    private Value mlp(Net g, String h, Value x) {
        x = g.linear(x, Linear.conv1d(h + "c_fc", 4 * config.nEmbd, config.nEmbd));
        return g.linear(g.activation(config.afn, x), Linear.conv1d(h + "c_proj", config.nEmbd, 4 * config.nEmbd));
    }
}
