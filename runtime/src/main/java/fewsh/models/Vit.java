package fewsh.models;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import fewsh.UserError;
import fewsh.graph.Value;
import fewsh.tensor.DType;
import fewsh.tensor.Shape;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.function.Consumer;

/// ViT: a picture's patches and a class token with learned positions, LayerNorm before each part of a block, attention in both
/// directions.
///
/// Checkpoints: `google/vit-base-patch16-224` and fine-tunes of it (names with or without `vit.`). Outputs: `logits` with a
/// classifying head; else `last_hidden_state`, and `pooler_output` where the checkpoint has a pooler. A second graph, `attentions`,
/// gives what every token sees of every other, `attentions.i` `(batch, heads, tokens, tokens)`, layer by layer.
/// Source: Dosovitskiy et al. 2020; `modeling_vit.py` of Hugging Face's transformers.
public record Vit(Config config) implements Encoder {
    /// @param pooler numbers that the pooler gives, if there is one
    public record Config(
            int height, int width, int patchHeight, int patchWidth, int channels, int hidden, int nLayer, int nHead, int headDim,
            int inner, float epsilon, String activation, boolean qkvBias, int pooler, String poolerActivation, boolean classifies,
            int nLabels) {
        public static Config of(Settings s) {
            int hidden = s.size("hidden_size", 768);
            int nHead = s.size("num_attention_heads", 12);
            if (!s.has("head_dim") && hidden % nHead != 0)
                throw new UserError(s.where(), "hidden_size " + hidden + " is not a multiple of num_attention_heads " + nHead, "");
            int headDim = s.size("head_dim", Math.max(hidden / nHead, 1));
            s.product("the heads' width", nHead, headDim);
            int[] image = pair(s, "image_size", 224);
            int[] patch = pair(s, "patch_size", 16);
            int channels = s.size("num_channels", 3);
            s.product("a patch", s.product("a patch", patch[0], patch[1]), channels);
            if (image[0] < patch[0] || image[1] < patch[1])
                throw new UserError(s.where(), "image_size " + image[0] + " × " + image[1] + " is smaller than a patch", "");
            s.product("the number of patches", image[0] / patch[0], image[1] / patch[1]);
            return new Config(image[0], image[1], patch[0], patch[1], channels, hidden, s.size("num_hidden_layers", 12), nHead, headDim,
                    s.size("intermediate_size", 3072), (float) s.real("layer_norm_eps", 1e-12),
                    s.choice("hidden_act", "gelu", Activations.WORDS), s.flag("qkv_bias", true), s.size("pooler_output_size", hidden),
                    s.choice("pooler_act", "tanh", Activations.WORDS), classifies(s), Labels.of(s).size());
        }

        /// Height and width: a list of them, or one number for both.
        private static int[] pair(Settings s, String key, int otherwise) {
            if (!(s.json().get(key) instanceof JsonArray list)) return new int[] {s.size(key, otherwise), s.size(key, otherwise)};
            if (list.size() != 2)
                throw new UserError(s.where(), key + " " + list + " is not supported", "one number, or height and width");
            Settings each = new Settings(s.where() + ": " + key, new JsonObject());
            each.json().add("height", list.get(0));
            each.json().add("width", list.get(1));
            return new int[] {each.size("height"), each.size("width")};
        }

        private static boolean classifies(Settings s) {
            if (!s.has("architectures")) return s.has("id2label");
            if (s.json().get("architectures") instanceof JsonArray list && list.size() == 1
                    && list.get(0) instanceof JsonPrimitive p && p.isString()) {
                if (p.getAsString().endsWith("ForImageClassification")) return true;
                if (p.getAsString().endsWith("Model")) return false;
            }
            throw new UserError(s.where(), "architectures " + s.json().get("architectures") + " is not supported",
                    "supported: one class whose name ends in ForImageClassification, Model");
        }

        /// Of patches.
        public int rows() {
            return height / patchHeight;
        }

        /// Of patches.
        public int columns() {
            return width / patchWidth;
        }
    }

    @Override
    public SequencedMap<String, Consumer<Net>> graphs() {
        SequencedMap<String, Consumer<Net>> graphs = new LinkedHashMap<>();
        graphs.put("model", this::build);
        graphs.put("attentions", this::buildAttentions);
        return graphs;
    }

    /// Patches and the class token.
    @Override
    public int contextLength() {
        return config.rows() * config.columns() + 1;
    }

    @Override
    public int vocabSize() {
        return 0;
    }

    @Override
    public String uses() {
        return "classify";
    }

    private void build(Net g) {
        Value x = embed(g);                                                                 // (batch, tokens, hidden)
        for (int layer = 0; layer < config.nLayer; layer++) x = block(g, layer, x, false);
        x = g.layerNorm("layernorm", x, config.epsilon);
        if (config.classifies) {
            g.output("logits", g.linear(g.first(x), dense("classifier", config.nLabels)));
            return;
        }
        if (g.has("pooler.dense.weight"))
            g.output("pooler_output", g.activation(config.poolerActivation, g.linear(g.first(x), dense("pooler.dense", config.pooler))));
        g.output("last_hidden_state", x);
    }

    private void buildAttentions(Net g) {
        Value x = embed(g);
        for (int layer = 0; layer < config.nLayer; layer++) x = block(g, layer, x, true);
    }

    private Value embed(Net g) {
        Value pixels = g.input("pixel_values", DType.FLOAT32, Shape.named("batch", config.channels, config.height, config.width));
        Value x = g.patches("embeddings.patch_embeddings.projection", pixels, config.hidden, config.patchHeight, config.patchWidth);
        return g.placed(g.behind("embeddings.cls_token", x), "embeddings.position_embeddings");
    }

    /// @param shown whether what the tokens see of each other is an output
    private Value block(Net g, int layer, Value x, boolean shown) {
        String h = "encoder.layer." + layer + ".";
        Value normed = g.layerNorm(h + "layernorm_before", x, config.epsilon);
        int wide = config.nHead * config.headDim;
        Linear[] qkv = List.of("query", "key", "value").stream()
                .map(part -> new Linear(h + "attention.attention." + part, wide, config.hidden, config.qkvBias)).toArray(Linear[]::new);
        Attention attention = new Attention(g, new Heads(config.nHead, config.headDim));
        Value seen = shown ? attention.shown("attentions." + layer, normed, qkv) : attention.attend(normed, false, qkv);
        x = g.add(x, g.linear(seen, new Linear(h + "attention.output.dense", config.hidden, wide, true)));
        Value inner = g.linear(g.layerNorm(h + "layernorm_after", x, config.epsilon), dense(h + "intermediate.dense", config.inner));
        inner = g.activation(config.activation, inner);
        return g.add(x, g.linear(inner, new Linear(h + "output.dense", config.hidden, config.inner, true)));
    }

    private Linear dense(String name, int rows) {
        return new Linear(name, rows, config.hidden, true);
    }
}
