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

/// RoBERTa: BERT whose positions are counted over the tokens that are no padding and start behind the padding token's id.
///
/// Checkpoints: `FacebookAI/roberta-base`, `xlm-roberta-base`, `camembert-base` and their like (names with or without
/// `roberta.`). Outputs: `last_hidden_state`; `pooler_output` without a head; `logits`, or `start_logits` and `end_logits` with
/// one. Source: Liu et al. 2019; `modeling_roberta.py` of Hugging Face's transformers.
public record Roberta(Config config) implements Encoder {
    /// @param nPositions rows of the table, of which the first `pad + 1` stand for no position
    public record Config(
            int vocabSize, int nPositions, int nTypes, int pad, int width, int nLayer, int nHead, int inner, float epsilon,
            String activation, boolean tied, Head head, int nLabels) {
        public static Config of(Settings s) {
            s.only("position_embedding_type", "absolute");
            s.only("is_decoder", false);
            s.only("add_cross_attention", false);
            int width = s.size("hidden_size", 768);
            int nHead = s.size("num_attention_heads", 12);
            if (width % nHead != 0)
                throw new UserError(s.where(), "hidden_size " + width + " is not a multiple of num_attention_heads " + nHead, "");
            int nPositions = s.size("max_position_embeddings", 512);
            double pad = s.real("pad_token_id", 1);
            if (!(pad >= 0 && pad + 1 < nPositions && pad == Math.rint(pad)))
                throw new UserError(s.where(), "pad_token_id " + s.json().get("pad_token_id")
                        + " must be a whole number from 0 to max_position_embeddings " + nPositions + " less two", "");
            return new Config(s.size("vocab_size", 50265), nPositions, s.size("type_vocab_size", 2), (int) pad, width,
                    s.size("num_hidden_layers", 12), nHead, s.size("intermediate_size", 3072), (float) s.real("layer_norm_eps", 1e-12),
                    s.choice("hidden_act", "gelu", Activations.WORDS), s.flag("tie_word_embeddings", true),
                    Head.of(s, Head.allBut(Head.PRE_TRAINING, Head.NEXT_SENTENCE)), Labels.of(s).size());
        }
    }

    @Override
    public SequencedMap<String, Consumer<Net>> graphs() {
        return new LinkedHashMap<>(Map.of("model", this::build));
    }

    @Override
    public int contextLength() {
        return config.nPositions - config.pad - 1;
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
                if (g.has("pooler.dense.weight"))
                    g.output("pooler_output", g.activation("tanh", g.linear(g.first(x), square("pooler.dense"))));
            }
            case MASKED_LM -> g.output("logits", masked(g, x));
            case SEQUENCE_CLASSIFICATION -> {
                Value inner = g.activation("tanh", g.linear(g.first(x), square("classifier.dense")));
                g.output("logits", g.linear(inner, dense("classifier.out_proj", config.nLabels)));
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

    /// Published models have one token type, which then is no input.
    private Value embed(Net g) {
        Value types = config.nTypes == 1 ? g.zeros(g.inputIds()) : g.input("token_type_ids", DType.INT64, Shape.named("batch", "sequence"));
        Value x = g.add(g.embedding("embeddings.word_embeddings", config.vocabSize, config.width, g.inputIds()),
                g.embedding("embeddings.token_type_embeddings", config.nTypes, config.width, types));
        x = g.add(x, g.embedding("embeddings.position_embeddings", config.nPositions, config.width, g.placesBehind(config.pad)));
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

    /// A score for every token of the vocabulary at every position: `(batch, sequence, vocab)`. The activation is always GELU.
    private Value masked(Net g, Value x) {
        x = g.activation("gelu", g.linear(x, square("lm_head.dense")));
        x = g.layerNorm("lm_head.layer_norm", x, config.epsilon);
        String matrix = config.tied ? "embeddings.word_embeddings" : "lm_head.decoder";
        Value logits = g.linear(x, new Linear(matrix, config.vocabSize, config.width, false));
        return g.biased(logits, !config.tied && g.has("lm_head.decoder.bias") ? "lm_head.decoder.bias" : "lm_head.bias");
    }

    private Linear square(String name) {
        return dense(name, config.width);
    }

    private Linear dense(String name, int rows) {
        return new Linear(name, rows, config.width, true);
    }
}
