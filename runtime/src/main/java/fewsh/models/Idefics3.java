package fewsh.models;

import fewsh.UserError;
import fewsh.graph.GraphBuilder;
import fewsh.graph.Value;
import fewsh.tensor.DType;
import fewsh.tensor.Shape;
import java.util.List;

/// Idefics3: a SigLIP vision tower whose patches are shuffled into fewer, wider rows and projected into the text of a Llama.
///
/// Checkpoints: `HuggingFaceTB/SmolVLM-*-Instruct`, `HuggingFaceM4/Idefics3-*`. Pictures come as square tiles of the tower's own
/// size. Source: Laurençon et al. 2024; `modeling_idefics3.py` of Hugging Face's transformers.
public record Idefics3(Config config) implements ImageText {
    /// @param scaleFactor how many patches of a side become one row
    public record Config(Llama.Config text, Vision vision, int imageTokenId, int scaleFactor, boolean tied) {
        public static Config of(Settings s) {
            Settings text = s.object("text_config");
            text.only("model_type", "llama");
            Vision vision = Vision.of(s.object("vision_config"));
            int scale = s.size("scale_factor", 2);
            if (vision.side() % scale != 0)
                throw new UserError(s.where(), "scale_factor " + scale + " does not divide the " + vision.side() + " patches of a side", "");
            return new Config(Llama.Config.of(text), vision, s.size("image_token_id", 128257), scale,
                    s.flag("tie_word_embeddings", false));
        }
    }

    public record Vision(int hiddenSize, int intermediateSize, int nLayer, int nHead, int channels, int imageSize, int patchSize,
            float layerNormEps, String hiddenAct) {
        static Vision of(Settings s) {
            int hidden = s.size("hidden_size", 1152);
            int nHead = s.size("num_attention_heads", 16);
            int image = s.size("image_size", 224);
            int patch = s.size("patch_size", 32);
            if (hidden % nHead != 0)
                throw new UserError(s.where(), "hidden_size " + hidden + " is not a multiple of num_attention_heads " + nHead, "");
            if (image % patch != 0)
                throw new UserError(s.where(), "image_size " + image + " is not a multiple of patch_size " + patch, "");
            return new Vision(hidden, s.size("intermediate_size", 3072), s.size("num_hidden_layers", 12), nHead,
                    s.size("num_channels", 3), image, patch, (float) s.real("layer_norm_eps", 1e-6),
                    s.choice("hidden_act", "gelu_pytorch_tanh", Activations.WORDS));
        }

        /// Patches of a side.
        int side() {
            return imageSize / patchSize;
        }
    }

    @Override
    public Layout layout() {
        Llama.Config text = config.text;
        return new Layout(text.vocabSize(), text.nPositions(), text.nLayer(), text.nKvHead(), Heads.cacheDim(text.headDim()), false);
    }

    @Override
    public int imageTokenId() {
        return config.imageTokenId;
    }

    @Override
    public int rows() {
        int side = config.vision.side() / config.scaleFactor;
        return side * side;
    }

    @Override
    public int width() {
        return config.text.hiddenSize();
    }

    @Override
    public int tile() {
        return config.vision.imageSize;
    }

    // the vision tower

    @Override
    public void buildVision(Net g) {
        Vision v = config.vision;
        Value pixels = g.input("pixel_values", DType.FLOAT32, Shape.named("n", v.channels, v.imageSize, v.imageSize));
        String h = "model.vision_model.";
        Value x = g.patches(h + "embeddings.patch_embedding", pixels, v.hiddenSize, v.patchSize, v.patchSize);
        x = g.add(x, g.table(h + "embeddings.position_embedding", v.side() * v.side(), v.hiddenSize));   // (n, patches, hiddenSize)
        for (int layer = 0; layer < v.nLayer; layer++) x = tower(g, h + "encoder.layers." + layer + ".", x);
        x = g.layerNorm(h + "post_layernorm", x, v.layerNormEps);
        int wide = v.hiddenSize * config.scaleFactor * config.scaleFactor;
        x = g.linear(shuffle(g.graph(), x), new Linear("model.connector.modality_projection.proj", width(), wide, false));
        g.output("image_hidden_states", g.graph().reshape(x, -1, width()));
    }

    private Value tower(Net g, String h, Value x) {
        Vision v = config.vision;
        Value y = g.layerNorm(h + "layer_norm1", x, v.layerNormEps);
        int width = v.hiddenSize;
        y = new Attention(g, new Heads(v.nHead, width / v.nHead)).attend(y, false, new Linear(h + "self_attn.q_proj", width, width, true),
                new Linear(h + "self_attn.k_proj", width, width, true), new Linear(h + "self_attn.v_proj", width, width, true));
        x = g.add(x, g.linear(y, new Linear(h + "self_attn.out_proj", width, width, true)));
        y = g.linear(g.layerNorm(h + "layer_norm2", x, v.layerNormEps), new Linear(h + "mlp.fc1", v.intermediateSize, width, true));
        return g.add(x, g.linear(g.activation(v.hiddenAct, y), new Linear(h + "mlp.fc2", width, v.intermediateSize, true)));
    }

    /// Squares of patches side by side: `(n, side², width)` → `(n, (side / scale)², width · scale²)`.
    private Value shuffle(GraphBuilder g, Value x) {
        int width = config.vision.hiddenSize;
        int scale = config.scaleFactor;
        int side = config.vision.side() / scale;
        x = g.reshape(x, -1, side, scale, side, (long) scale * width);
        return g.reshape(g.transpose(x, 0, 1, 3, 2, 4), -1, (long) side * side, (long) scale * scale * width);
    }

    // the text

    @Override
    public void build(Net g) {
        Llama.Config text = config.text;
        Value x = g.embedding("model.text_model.embed_tokens", text.vocabSize(), text.hiddenSize(), g.inputIds());
        x = g.orElse(x, "image_hidden_states");
        for (int layer = 0; layer < text.nLayer(); layer++) x = block(g, layer, x);  // (batch, sequence, hiddenSize)
        x = g.rmsNorm("model.text_model.norm", x, text.rmsNormEps());
        g.logits(config.tied ? "model.text_model.embed_tokens" : "lm_head", text.vocabSize(), x);
    }

    private Value block(Net g, int layer, Value x) {
        String h = "model.text_model.layers." + layer + ".";
        float epsilon = config.text.rmsNormEps();
        x = g.add(x, attention(g, layer, h + "self_attn.", g.rmsNorm(h + "input_layernorm", x, epsilon)));
        return g.add(x, mlp(g, h + "mlp.", g.rmsNorm(h + "post_attention_layernorm", x, epsilon)));
    }

    private Value attention(Net g, int layer, String h, Value x) {
        Llama.Config text = config.text;
        int width = text.hiddenSize();
        int d = text.headDim();
        boolean bias = text.attentionBias();
        CachedAttention attention = new CachedAttention(g, layer, new Heads(text.nHead(), text.nKvHead(), d));
        Value qkv = attention.queryKeyValue(x, new Linear(h + "q_proj", text.nHead() * d, width, bias),
                new Linear(h + "k_proj", text.nKvHead() * d, width, bias),
                new Linear(h + "v_proj", text.nKvHead() * d, width, bias));
        return attention.out(attention.attend(qkv, text.rope()),
                new Linear(h + "o_proj", width, text.nHead() * d, bias));
    }

    private Value mlp(Net g, String h, Value x) {
        Llama.Config text = config.text;
        int inner = text.intermediateSize();
        List<Value> gateUp = g.linears(x, new Linear(h + "gate_proj", inner, text.hiddenSize(), text.mlpBias()),
                new Linear(h + "up_proj", inner, text.hiddenSize(), text.mlpBias()));
        x = g.mul(g.activation(text.hiddenAct(), gateUp.getFirst()), gateUp.getLast());  // (batch, sequence, inner)
        return g.linear(x, new Linear(h + "down_proj", text.hiddenSize(), inner, text.mlpBias()));
    }
}
