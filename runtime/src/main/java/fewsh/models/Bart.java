package fewsh.models;

import fewsh.UserError;
import fewsh.graph.Value;
import java.util.List;
import java.util.Map;

/// BART: learned positions from the third row of their table on, LayerNorm of the embedding and after each part of a block, a
/// bias on the logits.
///
/// Checkpoints: `facebook/bart-*` and others of model_type `bart`. Source: Lewis et al. 2019; `modeling_bart.py` of Hugging
/// Face's transformers.
public record Bart(Config config) implements EncoderDecoder {
    /// Other names of settings.
    private static final Map<String, String> NAMES = Map.of("hidden_size", "d_model", "num_attention_heads", "encoder_attention_heads",
            "num_hidden_layers", "encoder_layers");
    private static final float EPSILON = 1e-5f;
    /// Rows of a table of positions before the first position.
    private static final int OFFSET = 2;

    public record Config(
            int vocabSize, int positions, int dModel, int encoderLayers, int encoderHeads, int encoderFfn, int decoderLayers,
            int decoderHeads, int decoderFfn, String activation, boolean scaleEmbedding, boolean tied) {
        public static Config of(Settings given) {
            Settings s = given.alsoNamed(NAMES);
            s.only("is_encoder_decoder", true);
            int dModel = s.size("d_model", 1024);
            int encoderHeads = s.size("encoder_attention_heads", 16);
            int decoderHeads = s.size("decoder_attention_heads", 16);
            if (dModel % encoderHeads != 0 || dModel % decoderHeads != 0)
                throw new UserError(s.where(), "d_model " + dModel + " is not a multiple of encoder_attention_heads "
                        + encoderHeads + " and decoder_attention_heads " + decoderHeads, "");
            // what older folders say of other ways to place norms and positions
            for (String other : List.of("normalize_before", "static_position_embeddings", "add_final_layer_norm",
                    "add_bias_logits")) s.only(other, false);
            s.only("normalize_embedding", true);
            s.only("extra_pos_embeddings", OFFSET);
            return new Config(s.size("vocab_size", 50265), s.size("max_position_embeddings", 1024), dModel,
                    s.size("encoder_layers", 12), encoderHeads, s.size("encoder_ffn_dim", 4096), s.size("decoder_layers", 12),
                    decoderHeads, s.size("decoder_ffn_dim", 4096), s.choice("activation_function", "gelu", Activations.WORDS),
                    s.flag("scale_embedding", false), s.flag("tie_word_embeddings", true));
        }

        Heads heads(int n) {
            return new Heads(n, n, dModel / n);
        }
    }

    @Override
    public Layout layout() {
        return new Layout(config.vocabSize, config.vocabSize, config.positions, config.positions, config.dModel,
                config.decoderLayers, config.decoderHeads, config.dModel / config.decoderHeads, 0);
    }

    @Override
    public void encoder(Net g) {
        Value x = embedding(g, "model.encoder.");                                          // (batch, source, dModel)
        Heads heads = new Heads(config.encoderHeads, config.dModel / config.encoderHeads);
        for (int layer = 0; layer < config.encoderLayers; layer++) {
            String h = "model.encoder.layers." + layer + ".";
            Value seen = new Attention(g, heads).attend(x, true, square(h + "self_attn.q_proj"), square(h + "self_attn.k_proj"),
                    square(h + "self_attn.v_proj"));
            x = norm(g, h + "self_attn_layer_norm", g.add(x, g.linear(seen, square(h + "self_attn.out_proj"))));
            x = norm(g, h + "final_layer_norm", g.add(x, mlp(g, h, config.encoderFfn, x)));
        }
        for (int layer = 0; layer < config.decoderLayers; layer++) {
            String h = "model.decoder.layers." + layer + ".encoder_attn.";
            new CrossAttention(g, layer, config.heads(config.decoderHeads)).keyValue(x, square(h + "k_proj"), square(h + "v_proj"));
        }
        g.output("last_hidden_state", x);
    }

    @Override
    public void decoder(Net g) {
        Value x = embedding(g, "model.decoder.");                                          // (batch, sequence, dModel)
        Heads heads = config.heads(config.decoderHeads);
        for (int layer = 0; layer < config.decoderLayers; layer++) {
            String h = "model.decoder.layers." + layer + ".";
            CachedAttention attention = new CachedAttention(g, layer, heads);
            Value qkv = attention.queryKeyValue(x, square(h + "self_attn.q_proj"), square(h + "self_attn.k_proj"),
                    square(h + "self_attn.v_proj"));
            Value seen = attention.out(attention.attend(qkv), square(h + "self_attn.out_proj"));
            x = norm(g, h + "self_attn_layer_norm", g.add(x, seen));
            Value read = new CrossAttention(g, layer, heads).attend(g.linear(x, square(h + "encoder_attn.q_proj")), true);
            x = norm(g, h + "encoder_attn_layer_norm", g.add(x, g.linear(read, square(h + "encoder_attn.out_proj"))));
            x = norm(g, h + "final_layer_norm", g.add(x, mlp(g, h, config.decoderFfn, x)));
        }
        g.logits(config.tied && !g.has("lm_head.weight") ? "model.shared" : "lm_head", "final_logits_bias", config.vocabSize, x);
    }

    private Value embedding(Net g, String stack) {
        String own = stack + "embed_tokens";
        boolean apart = !config.tied && g.has(own + ".weight");
        Value x = g.embedding(apart ? own : "model.shared", config.vocabSize, config.dModel, g.inputIds());
        if (config.scaleEmbedding) x = g.scaled(x, Math.sqrt(config.dModel));
        x = g.add(x, g.positionEmbedding(stack + "embed_positions", config.positions, config.dModel, OFFSET));
        return norm(g, stack + "layernorm_embedding", x);
    }

    private static Value norm(Net g, String name, Value x) {
        return g.layerNorm(name, x, EPSILON);
    }

    private Linear square(String name) {
        return new Linear(name, config.dModel, config.dModel, true);
    }

    private Value mlp(Net g, String h, int inner, Value x) {
        x = g.activation(config.activation, g.linear(x, new Linear(h + "fc1", inner, config.dModel, true)));
        return g.linear(x, new Linear(h + "fc2", config.dModel, inner, true));         // inside: (batch, sequence, inner)
    }
}
