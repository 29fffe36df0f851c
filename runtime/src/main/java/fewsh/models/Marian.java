package fewsh.models;

import fewsh.UserError;
import fewsh.graph.Value;
import fewsh.tensor.Tensor;
import java.util.List;
import java.util.Map;

/// Marian: sinusoidal positions, LayerNorm after each part of a block, a bias on the logits.
///
/// Checkpoints: `Helsinki-NLP/opus-mt-*` and others of model_type `marian`. Source: Junczys-Dowmunt et al. 2018;
/// `modeling_marian.py` of Hugging Face's transformers.
public record Marian(Config config) implements EncoderDecoder {
    /// Other names of settings.
    private static final Map<String, String> NAMES = Map.of("hidden_size", "d_model", "num_attention_heads", "encoder_attention_heads",
            "num_hidden_layers", "encoder_layers");
    private static final float EPSILON = 1e-5f;

    public record Config(
            int vocabSize, int decoderVocabSize, int positions, int dModel, int encoderLayers, int encoderHeads, int encoderFfn,
            int decoderLayers, int decoderHeads, int decoderFfn, String activation, boolean scaleEmbedding, boolean shared,
            boolean tied) {
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
            for (String other : List.of("normalize_before", "normalize_embedding", "add_final_layer_norm", "add_bias_logits"))
                s.only(other, false);
            s.only("static_position_embeddings", true);
            int vocabSize = s.size("vocab_size", 58101);
            int positions = s.size("max_position_embeddings", 1024);
            s.product("size of the positions", positions, dModel);
            boolean shared = s.flag("share_encoder_decoder_embeddings", true);
            return new Config(vocabSize, shared ? vocabSize : s.size("decoder_vocab_size", vocabSize),
                    positions, dModel, s.size("encoder_layers", 12), encoderHeads,
                    s.size("encoder_ffn_dim", 4096), s.size("decoder_layers", 12), decoderHeads, s.size("decoder_ffn_dim", 4096),
                    s.choice("activation_function", "gelu", Activations.WORDS), s.flag("scale_embedding", false), shared,
                    s.flag("tie_word_embeddings", true));
        }

        Heads heads(int n) {
            return new Heads(n, n, dModel / n);
        }
    }

    @Override
    public Layout layout() {
        return new Layout(config.vocabSize, config.decoderVocabSize, config.positions, config.positions, config.dModel,
                config.decoderLayers, config.decoderHeads, config.dModel / config.decoderHeads, 0);
    }

    @Override
    public void encoder(Net g) {
        Value x = embedding(g, table(g, "model.encoder."), config.vocabSize);              // (batch, source, dModel)
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
        String embedding = table(g, "model.decoder.");
        Value x = embedding(g, embedding, config.decoderVocabSize);                        // (batch, sequence, dModel)
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
        String head = config.tied && !g.has("lm_head.weight") ? embedding : "lm_head";
        g.logits(head, "final_logits_bias", config.decoderVocabSize, x);
    }

    /// The embedding of the encoder or the decoder: of its own, or the one that they share.
    private String table(Net g, String stack) {
        boolean apart = !config.shared || !config.tied && g.has(stack + "embed_tokens.weight");
        return apart ? stack + "embed_tokens" : "model.shared";
    }

    private Value embedding(Net g, String name, int vocab) {
        Value x = g.embedding(name, vocab, config.dModel, g.inputIds());
        if (config.scaleEmbedding) x = g.scaled(x, Math.sqrt(config.dModel));
        return g.add(x, g.positionRows("positions", sinusoids(config.positions, config.dModel)));
    }

    /// Sines in the first half of each row, cosines in the second.
    private static Tensor sinusoids(int positions, int width) {
        float[] table = new float[positions * width];
        int sines = (width + 1) / 2;
        for (int p = 0; p < positions; p++)
            for (int i = 0; i < width; i++) {
                int pair = i < sines ? i : i - sines;
                double angle = p / Math.pow(10000, 2.0 * pair / width);
                table[p * width + i] = (float) (i < sines ? StrictMath.sin(angle) : StrictMath.cos(angle));
            }
        return Tensor.ofFloat32(table, positions, width);
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
