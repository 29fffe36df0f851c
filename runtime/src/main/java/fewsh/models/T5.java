package fewsh.models;

import fewsh.UserError;
import fewsh.graph.Value;
import fewsh.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// T5: RMSNorm before each part of a block, no biases, positions only as what is added to attention scores by distance.
///
/// Checkpoints: `google-t5/t5-*`, `google/flan-t5-*` and others of model_type `t5`. Source: Raffel et al. 2020;
/// `modeling_t5.py` of Hugging Face's transformers.
public record T5(Config config) implements EncoderDecoder {
    /// Other names of settings.
    private static final Map<String, String> NAMES = Map.of("hidden_size", "d_model", "num_attention_heads", "num_heads",
            "num_hidden_layers", "num_layers", "head_dim", "d_kv");

    /// Most positions: the model has no limit of its own, but the memory of its attention grows with their square.
    private static final int POSITIONS = 4096;

    public record Config(
            int vocabSize, int dModel, int dKv, int dFf, int numLayers, int numDecoderLayers, int numHeads, int numBuckets,
            int maxDistance, float layerNormEpsilon, String denseActFn, boolean gated, boolean scaledHead) {
        public static Config of(Settings given) {
            Settings s = given.alsoNamed(NAMES);
            s.only("is_encoder_decoder", true);
            int layers = s.size("num_layers", 6);
            int heads = s.size("num_heads", 8);
            int dKv = s.size("d_kv", 64);
            int buckets = s.size("relative_attention_num_buckets", 32);
            int distance = s.size("relative_attention_max_distance", 128);
            if (buckets % 2 != 0 || buckets < 4 || distance <= buckets / 2)
                throw new UserError(s.where(), "relative_attention_num_buckets " + buckets + " does not go with "
                        + "relative_attention_max_distance " + distance,
                        "there must be an even number, 4 at least, and half of it below the distance");
            s.product("width of the queries", heads, dKv);
            s.product("relative_attention_num_buckets", heads, Math.max(buckets, 2L * distance + 1));
            String words = s.text("feed_forward_proj", "relu");
            boolean gated = words.startsWith("gated-");
            String act = words.equals("gated-gelu") ? "gelu_new" : gated ? words.substring(6) : words;
            if (!Activations.WORDS.contains(act))
                throw new UserError(s.where(), "feed_forward_proj \"" + words + "\" is not supported",
                        "supported: " + String.join(", ", Activations.WORDS) + ", each also after gated-");
            return new Config(s.size("vocab_size", 32128), s.size("d_model", 512), dKv, s.size("d_ff", 2048), layers,
                    s.size("num_decoder_layers", layers), heads, buckets, distance, (float) s.real("layer_norm_epsilon", 1e-6),
                    act, gated, s.flag("scale_decoder_outputs", s.flag("tie_word_embeddings", true)));
        }

        Heads heads() {
            return new Heads(numHeads, numHeads, dKv, 1);
        }
    }

    @Override
    public Layout layout() {
        return new Layout(config.vocabSize, config.vocabSize, POSITIONS, POSITIONS, config.dModel, config.numDecoderLayers,
                config.numHeads, config.dKv, config.maxDistance);
    }

    @Override
    public void encoder(Net g) {
        Value x = g.embedding("shared", config.vocabSize, config.dModel, g.inputIds());   // (batch, source, dModel)
        Value bias = g.add(bias(g, "encoder.", true), Attention.unseen(g));                         // (batch, heads, source, source)
        for (int layer = 0; layer < config.numLayers; layer++) {
            String h = "encoder.block." + layer + ".layer.";
            Value n = norm(g, h + "0.layer_norm", x);
            List<Value> qkv = g.linears(n, in(h + "0.SelfAttention.q"), in(h + "0.SelfAttention.k"), in(h + "0.SelfAttention.v"));
            Value seen = new Attention(g, config.heads()).attend(qkv, bias);
            x = g.add(x, g.linear(seen, out(h + "0.SelfAttention.o")));
            x = g.add(x, mlp(g, h + "1.DenseReluDense.", norm(g, h + "1.layer_norm", x)));
        }
        x = norm(g, "encoder.final_layer_norm", x);
        for (int layer = 0; layer < config.numDecoderLayers; layer++) {
            String h = "decoder.block." + layer + ".layer.1.EncDecAttention.";
            new CrossAttention(g, layer, config.heads()).keyValue(x, in(h + "k"), in(h + "v"));
        }
        g.output("last_hidden_state", x);
    }

    @Override
    public void decoder(Net g) {
        Value x = g.embedding("shared", config.vocabSize, config.dModel, g.inputIds());   // (batch, sequence, dModel)
        Value bias = bias(g, "decoder.", false);
        for (int layer = 0; layer < config.numDecoderLayers; layer++) {
            String h = "decoder.block." + layer + ".layer.";
            CachedAttention attention = new CachedAttention(g, layer, config.heads());
            Value qkv = attention.queryKeyValue(norm(g, h + "0.layer_norm", x), in(h + "0.SelfAttention.q"),
                    in(h + "0.SelfAttention.k"), in(h + "0.SelfAttention.v"));
            x = g.add(x, attention.out(attention.attend(qkv, bias), out(h + "0.SelfAttention.o")));
            Value query = g.linear(norm(g, h + "1.layer_norm", x), in(h + "1.EncDecAttention.q"));
            Value read = new CrossAttention(g, layer, config.heads()).attend(query, true);
            x = g.add(x, g.linear(read, out(h + "1.EncDecAttention.o")));
            x = g.add(x, mlp(g, h + "2.DenseReluDense.", norm(g, h + "2.layer_norm", x)));
        }
        x = norm(g, "decoder.final_layer_norm", x);
        if (config.scaledHead) x = g.scaled(x, Math.pow(config.dModel, -0.5));
        g.logits(g.has("lm_head.weight") ? "lm_head" : "shared", config.vocabSize, x);
    }

    private Value norm(Net g, String name, Value x) {
        return g.rmsNorm(name, x, config.layerNormEpsilon);
    }

    private Linear in(String name) {
        return new Linear(name, config.numHeads * config.dKv, config.dModel, false);
    }

    private Linear out(String name) {
        return new Linear(name, config.dModel, config.numHeads * config.dKv, false);
    }

    private Value mlp(Net g, String h, Value x) {
        List<String> names = config.gated ? List.of("wi_0", "wi_1") : List.of("wi");
        List<Linear> in = new ArrayList<>();
        for (String name : names) in.add(new Linear(h + name, config.dFf, config.dModel, false));
        List<Value> made = g.linears(x, in.toArray(Linear[]::new));
        Value y = g.activation(config.denseActFn, made.getFirst());                        // (batch, sequence, dFf)
        if (config.gated) y = g.mul(y, made.getLast());
        return g.linear(y, new Linear(h + "wo", config.dModel, config.dFf, false));
    }

    /// What is added to the scores of every layer, `(1, heads, queries, keys)`.
    private Value bias(Net g, String stack, boolean bidirectional) {
        String name = stack + "block.0.layer.0.SelfAttention.relative_attention_bias.weight";
        float[] weights = g.numbers(name, config.numBuckets, config.numHeads);
        int distances = 2 * config.maxDistance + 1;
        float[] table = new float[config.numHeads * distances];
        for (int i = 0; i < distances; i++) {
            int bucket = bucket(i - config.maxDistance, bidirectional, config.numBuckets, config.maxDistance);
            for (int h = 0; h < config.numHeads; h++) table[h * distances + i] = weights[bucket * config.numHeads + h];
        }
        return Attention.byDistance(g, name + ".table", Tensor.ofFloat32(table, 1, config.numHeads, distances),
                bidirectional ? "sequence" : "total");
    }

    /// The bucket of a distance, key less query: one each for small distances, logarithmically wider ones up to `most`, from
    /// where on all share the last; half of them for keys behind the query if it sees those. In float32, as the reference.
    static int bucket(int distance, boolean bidirectional, int buckets, int most) {
        int first = 0;
        if (bidirectional) {
            buckets /= 2;
            if (distance > 0) first = buckets;
        }
        int far = bidirectional ? Math.abs(distance) : Math.max(-distance, 0);
        int exact = buckets / 2;
        if (far < exact) return first + far;
        float ratio = (float) Math.log((float) far / exact) / (float) Math.log((double) most / exact);
        return first + Math.min(buckets - 1, exact + (int) (ratio * (buckets - exact)));
    }
}
