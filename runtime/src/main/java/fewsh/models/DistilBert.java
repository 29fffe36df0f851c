package fewsh.models;

import fewsh.UserError;
import fewsh.graph.Value;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.Consumer;

/// DistilBERT: BERT without token types and without a pooler.
///
/// Checkpoints: `distilbert/distilbert-base-uncased` and fine-tunes of it (names with or without `distilbert.`). Outputs:
/// `last_hidden_state`; `logits`, or `start_logits` and `end_logits`, with a head.
/// Source: Sanh et al. 2019; `modeling_distilbert.py` of Hugging Face's transformers.
public record DistilBert(Config config) implements Encoder {
    /// Other names of settings.
    private static final Map<String, String> NAMES = Map.of("hidden_size", "dim", "num_attention_heads", "n_heads",
            "num_hidden_layers", "n_layers");
    private static final float EPSILON = 1e-12f;

    public record Config(
            int vocabSize, int nPositions, int width, int nLayer, int nHead, int inner, String activation, boolean tied, Head head,
            int nLabels) {
        /// Sinusoidal positions are stored as learned ones are, so that `sinusoidal_pos_embds` changes nothing here.
        public static Config of(Settings given) {
            Settings s = given.alsoNamed(NAMES);
            s.flag("sinusoidal_pos_embds", false);
            int width = s.size("dim", 768);
            int nHead = s.size("n_heads", 12);
            if (width % nHead != 0) throw new UserError(s.where(), "dim " + width + " is not a multiple of n_heads " + nHead, "");
            return new Config(s.size("vocab_size", 30522), s.size("max_position_embeddings", 512), width,
                    s.size("n_layers", 6), nHead, s.size("hidden_dim", 3072),
                    s.choice("activation", "gelu", Activations.WORDS), s.flag("tie_word_embeddings", true),
                    Head.of(s, Head.allBut(Head.PRE_TRAINING, Head.NEXT_SENTENCE)), Labels.of(s).size());
        }
    }

    @Override
    public SequencedMap<String, Consumer<Net>> graphs() {
        return new LinkedHashMap<>(Map.of("model", this::build));
    }

    @Override
    public int contextLength() {
        return config.nPositions;
    }

    @Override
    public int vocabSize() {
        return config.vocabSize;
    }

    private void build(Net g) {
        g.batches();
        Value x = g.add(g.embedding("embeddings.word_embeddings", config.vocabSize, config.width, g.inputIds()),
                g.embedding("embeddings.position_embeddings", config.nPositions, config.width, g.places()));
        x = g.layerNorm("embeddings.LayerNorm", x, EPSILON);                                // (batch, sequence, width)
        for (int layer = 0; layer < config.nLayer; layer++) x = block(g, "transformer.layer." + layer + ".", x);
        switch (config.head) {
            case NONE -> {}
            case MASKED_LM -> g.output("logits", masked(g, x));
            case SEQUENCE_CLASSIFICATION -> {
                Value inner = g.activation("relu", g.linear(g.first(x), square("pre_classifier")));
                g.output("logits", g.linear(inner, dense("classifier", config.nLabels)));
            }
            case TOKEN_CLASSIFICATION -> g.output("logits", g.linear(x, dense("classifier", config.nLabels)));
            case QUESTION_ANSWERING -> {
                List<Value> ends = g.columns(g.linear(x, dense("qa_outputs", 2)));
                g.output("start_logits", ends.get(0));
                g.output("end_logits", ends.get(1));
            }
            case PRE_TRAINING, NEXT_SENTENCE -> throw new IllegalStateException(config.head.name());
        }
        g.output("last_hidden_state", x);
    }

    private Value block(Net g, String h, Value x) {
        Value seen = new Attention(g, new Heads(config.nHead, config.width / config.nHead)).attend(x, true,
                square(h + "attention.q_lin"), square(h + "attention.k_lin"), square(h + "attention.v_lin"));
        x = g.add(x, g.linear(seen, square(h + "attention.out_lin")));
        x = g.layerNorm(h + "sa_layer_norm", x, EPSILON);
        Value inner = g.activation(config.activation, g.linear(x, dense(h + "ffn.lin1", config.inner)));
        x = g.add(x, g.linear(inner, new Linear(h + "ffn.lin2", config.width, config.inner, true)));
        return g.layerNorm(h + "output_layer_norm", x, EPSILON);
    }

    /// A score for every token of the vocabulary at every position: `(batch, sequence, vocab)`.
    private Value masked(Net g, Value x) {
        x = g.activation(config.activation, g.linear(x, square("vocab_transform")));
        x = g.layerNorm("vocab_layer_norm", x, EPSILON);
        String matrix = config.tied ? "embeddings.word_embeddings" : "vocab_projector";
        return g.biased(g.linear(x, new Linear(matrix, config.vocabSize, config.width, false)), "vocab_projector.bias");
    }

    private Linear square(String name) {
        return dense(name, config.width);
    }

    private Linear dense(String name, int rows) {
        return new Linear(name, rows, config.width, true);
    }
}
