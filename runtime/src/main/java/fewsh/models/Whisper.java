package fewsh.models;

import fewsh.UserError;
import fewsh.graph.Value;
import fewsh.tensor.DType;
import fewsh.tensor.Shape;
import java.util.List;
import java.util.Map;

/// Whisper: sound in, text out. Two convolutions halve the frames of log-mel features; LayerNorm before each part of a block,
/// keys without a bias, one tied embedding.
///
/// Checkpoints: `openai/whisper-*`, `distil-whisper/*` and fine-tunes of them. Positions of the encoder are a table of the
/// checkpoint's. `scale_embedding` changes nothing, as in the reference. Source: Radford et al. 2022; `modeling_whisper.py` of
/// Hugging Face's transformers.
public record Whisper(Config config) implements EncoderDecoder {
    /// Other names of settings.
    private static final Map<String, String> NAMES = Map.of("hidden_size", "d_model", "num_attention_heads", "encoder_attention_heads",
            "num_hidden_layers", "encoder_layers");
    private static final float EPSILON = 1e-5f;
    /// Frames that the second convolution makes one position of.
    private static final int STRIDE = 2;
    private static final int FILTER = 3;

    public record Config(
            int vocabSize, int melBins, int sourcePositions, int targetPositions, int dModel, int encoderLayers, int encoderHeads,
            int encoderFfn, int decoderLayers, int decoderHeads, int decoderFfn, String activation, boolean tied) {
        public static Config of(Settings given) {
            Settings s = given.alsoNamed(NAMES);
            int dModel = s.size("d_model", 384);
            int encoderHeads = s.size("encoder_attention_heads", 6);
            int decoderHeads = s.size("decoder_attention_heads", 6);
            if (dModel % encoderHeads != 0 || dModel % decoderHeads != 0)
                throw new UserError(s.where(), "d_model " + dModel + " is not a multiple of encoder_attention_heads "
                        + encoderHeads + " and decoder_attention_heads " + decoderHeads, "");
            s.only("is_encoder_decoder", true);
            return new Config(s.size("vocab_size", 51865), s.size("num_mel_bins", 80), s.size("max_source_positions", 1500),
                    s.size("max_target_positions", 448), dModel, s.size("encoder_layers", 4), encoderHeads,
                    s.size("encoder_ffn_dim", 1536), s.size("decoder_layers", 4), decoderHeads, s.size("decoder_ffn_dim", 1536),
                    s.choice("activation_function", "gelu", Activations.WORDS), s.flag("tie_word_embeddings", true));
        }

        Heads heads(int n) {
            return new Heads(n, n, dModel / n);
        }
    }

    /// Frames of `input_features`.
    public int frames() {
        return STRIDE * config.sourcePositions;
    }

    @Override
    public Layout layout() {
        return new Layout(0, config.vocabSize, config.sourcePositions, config.targetPositions, config.dModel,
                config.decoderLayers, config.decoderHeads, config.dModel / config.decoderHeads, 0);
    }

    @Override
    public int contextLength() {
        return config.targetPositions;
    }

    @Override
    public String uses() {
        return "transcribe";
    }

    @Override
    public void encoder(Net g) {
        Value x = g.input("input_features", DType.FLOAT32, Shape.named("batch", config.melBins, frames()));
        x = g.activation("gelu", g.convolution("model.encoder.conv1", x, config.dModel, FILTER, 1));
        x = g.activation("gelu", g.convolution("model.encoder.conv2", x, config.dModel, FILTER, STRIDE));
        x = g.add(g.graph().transpose(x, 0, 2, 1),                                         // (batch, source, dModel)
                g.table("model.encoder.embed_positions", config.sourcePositions, config.dModel));
        Heads heads = config.heads(config.encoderHeads);
        for (int layer = 0; layer < config.encoderLayers; layer++) {
            String h = "model.encoder.layers." + layer + ".";
            Value y = norm(g, h + "self_attn_layer_norm", x);
            Value seen = new Attention(g, heads).attend(y, false, square(h + "self_attn.q_proj"), key(h + "self_attn."),
                    square(h + "self_attn.v_proj"));
            x = g.add(x, g.linear(seen, square(h + "self_attn.out_proj")));
            x = g.add(x, mlp(g, h, config.encoderFfn, norm(g, h + "final_layer_norm", x)));
        }
        x = norm(g, "model.encoder.layer_norm", x);
        for (int layer = 0; layer < config.decoderLayers; layer++) {
            String h = "model.decoder.layers." + layer + ".encoder_attn.";
            new CrossAttention(g, layer, config.heads(config.decoderHeads)).keyValue(x, key(h), square(h + "v_proj"));
        }
        g.output("last_hidden_state", x);
    }

    @Override
    public void decoder(Net g) {
        Value x = g.add(g.embedding("model.decoder.embed_tokens", config.vocabSize, config.dModel, g.inputIds()),
                g.positionEmbedding("model.decoder.embed_positions", config.targetPositions, config.dModel));
        Heads heads = config.heads(config.decoderHeads);                               // x: (batch, sequence, dModel)
        for (int layer = 0; layer < config.decoderLayers; layer++) {
            String h = "model.decoder.layers." + layer + ".";
            Value y = norm(g, h + "self_attn_layer_norm", x);
            CachedAttention attention = new CachedAttention(g, layer, heads);
            Value qkv = attention.queryKeyValue(y, square(h + "self_attn.q_proj"), key(h + "self_attn."),
                    square(h + "self_attn.v_proj"));
            x = g.add(x, attention.out(attention.attend(qkv), square(h + "self_attn.out_proj")));
            Value query = g.linear(norm(g, h + "encoder_attn_layer_norm", x), square(h + "encoder_attn.q_proj"));
            x = g.add(x, g.linear(new CrossAttention(g, layer, heads).attend(query, false), square(h + "encoder_attn.out_proj")));
            x = g.add(x, mlp(g, h, config.decoderFfn, norm(g, h + "final_layer_norm", x)));
        }
        x = norm(g, "model.decoder.layer_norm", x);
        g.logits(config.tied ? "model.decoder.embed_tokens" : "proj_out", config.vocabSize, x);
    }

    private static Value norm(Net g, String name, Value x) {
        return g.layerNorm(name, x, EPSILON);
    }

    private Linear square(String name) {
        return new Linear(name, config.dModel, config.dModel, true);
    }

    private Linear key(String attention) {
        return new Linear(attention + "k_proj", config.dModel, config.dModel, false);
    }

    private Value mlp(Net g, String h, int inner, Value x) {
        x = g.activation(config.activation, g.linear(x, new Linear(h + "fc1", inner, config.dModel, true)));
        return g.linear(x, new Linear(h + "fc2", config.dModel, inner, true));         // inside: (…, inner)
    }
}
