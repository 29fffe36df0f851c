package fewsh.models;

import fewsh.UserError;
import fewsh.graph.Value;
import fewsh.tensor.DType;
import fewsh.tensor.Shape;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.Consumer;

/// BERT: tokens, positions and token types embedded, LayerNorm after each part of a block, attention in both directions.
///
/// Checkpoints: `google-bert/bert-base-uncased`, `sentence-transformers/all-MiniLM-L6-v2` and their like (names with or without
/// `bert.`, `LayerNorm.gamma` or `LayerNorm.weight`). Outputs: `last_hidden_state`; `pooler_output` without a head;
/// `prediction_logits` and `seq_relationship_logits`, `logits`, or `start_logits` and `end_logits` with one.
/// Source: Devlin et al. 2018; `modeling_bert.py` of Hugging Face's transformers.
public record Bert(Config config) implements Encoder {
    public record Config(
            int vocabSize, int nPositions, int nTypes, int width, int nLayer, int nHead, int inner, float epsilon,
            String activation, boolean tied, Head head, int nLabels) {
        public static Config of(Settings s) {
            s.only("position_embedding_type", "absolute");
            s.only("is_decoder", false);
            s.only("add_cross_attention", false);
            int width = s.size("hidden_size", 768);
            int nHead = s.size("num_attention_heads", 12);
            if (width % nHead != 0)
                throw new UserError(s.where(), "hidden_size " + width + " is not a multiple of num_attention_heads " + nHead, "");
            return new Config(s.size("vocab_size", 30522), s.size("max_position_embeddings", 512), s.size("type_vocab_size", 2), width,
                    s.size("num_hidden_layers", 12), nHead, s.size("intermediate_size", 3072), (float) s.real("layer_norm_eps", 1e-12),
                    s.choice("hidden_act", "gelu", Activations.WORDS), s.flag("tie_word_embeddings", true),
                    Head.of(s, Head.allBut()), Labels.of(s).size());
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
        Value x = embed(g);                                                                 // (batch, sequence, width)
        for (int layer = 0; layer < config.nLayer; layer++) x = block(g, "encoder.layer." + layer + ".", x);
        switch (config.head) {
            case NONE -> {
                if (g.has("pooler.dense.weight")) g.output("pooler_output", pooled(g, x));
            }
            case PRE_TRAINING -> {
                g.output("prediction_logits", masked(g, x));
                g.output("seq_relationship_logits", g.linear(pooled(g, x), dense("cls.seq_relationship", 2)));
            }
            case MASKED_LM -> g.output("logits", masked(g, x));
            case NEXT_SENTENCE -> g.output("logits", g.linear(pooled(g, x), dense("cls.seq_relationship", 2)));
            case SEQUENCE_CLASSIFICATION -> g.output("logits", g.linear(pooled(g, x), dense("classifier", config.nLabels)));
            case TOKEN_CLASSIFICATION -> g.output("logits", g.linear(x, dense("classifier", config.nLabels)));
            case QUESTION_ANSWERING -> {
                List<Value> ends = g.columns(g.linear(x, dense("qa_outputs", 2)));
                g.output("start_logits", ends.get(0));
                g.output("end_logits", ends.get(1));
            }
        }
        g.output("last_hidden_state", x);
    }

    private Value embed(Net g) {
        Value types = g.input("token_type_ids", DType.INT64, Shape.named("batch", "sequence"));
        Value x = g.add(g.embedding("embeddings.word_embeddings", config.vocabSize, config.width, g.inputIds()),
                g.embedding("embeddings.token_type_embeddings", config.nTypes, config.width, types));
        x = g.add(x, g.embedding("embeddings.position_embeddings", config.nPositions, config.width, g.places()));
        return g.layerNorm("embeddings.LayerNorm", x, config.epsilon);
    }

    private Value block(Net g, String h, Value x) {
        Value seen = new Attention(g, new Heads(config.nHead, config.width / config.nHead)).attend(x, true,
                square(h + "attention.self.query"), square(h + "attention.self.key"), square(h + "attention.self.value"));
        x = g.add(x, g.linear(seen, square(h + "attention.output.dense")));
        x = g.layerNorm(h + "attention.output.LayerNorm", x, config.epsilon);
        Value inner = g.activation(config.activation, g.linear(x, dense(h + "intermediate.dense", config.inner)));
        x = g.add(x, g.linear(inner, new Linear(h + "output.dense", config.width, config.inner, true)));
        return g.layerNorm(h + "output.LayerNorm", x, config.epsilon);
    }

    /// The first token through a layer of its own: `(batch, width)`.
    private Value pooled(Net g, Value x) {
        return g.activation("tanh", g.linear(g.first(x), square("pooler.dense")));
    }

    /// A score for every token of the vocabulary at every position: `(batch, sequence, vocab)`.
    private Value masked(Net g, Value x) {
        String h = "cls.predictions.";
        x = g.activation(config.activation, g.linear(x, square(h + "transform.dense")));
        x = g.layerNorm(h + "transform.LayerNorm", x, config.epsilon);
        String matrix = config.tied ? "embeddings.word_embeddings" : h + "decoder";
        Value logits = g.linear(x, new Linear(matrix, config.vocabSize, config.width, false));
        return g.biased(logits, !config.tied && g.has(h + "decoder.bias") ? h + "decoder.bias" : h + "bias");
    }

    private Linear square(String name) {
        return dense(name, config.width);
    }

    private Linear dense(String name, int rows) {
        return new Linear(name, rows, config.width, true);
    }
}
