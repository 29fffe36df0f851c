package fewsh.models;

import fewsh.graph.Value;
import fewsh.tensor.DType;
import fewsh.tensor.Shape;
import java.util.List;

/// Attention of a decoder's layer to the sources that its rows belong to. The encoder's graph gives their keys and values, once
/// for all tokens.
record CrossAttention(Net g, int layer, Heads heads) {
    /// Makes keys and values of a source outputs of the encoder's graph.
    void keyValue(Value source, Linear key, Linear value) {
        List<Value> both = g.linears(source, key, value);
        for (int i = 0; i < 2; i++) {
            Value rows = g.graph().reshape(both.get(i), 0, 0, heads.keyValue(), heads.dim());
            g.output("present." + layer + ".encoder." + (i == 0 ? "key" : "value"), g.graph().transpose(rows, 0, 2, 1, 3));
        }
    }

    /// What the decoder's rows see. The queries of all rows of a source look at it together, so that its keys and values are
    /// there once.
    ///
    /// @param query `(batch, sequence, heads · dim)`
    /// @param padded whether sources have padding
    Value attend(Value query, boolean padded) {
        Shape source = Shape.named("sources", heads.keyValue(), "source", heads.dim());
        Value key = g.input("past_key_values." + layer + ".encoder.key", DType.FLOAT32, source);
        Value value = g.input("past_key_values." + layer + ".encoder.value", DType.FLOAT32, source);
        Value queries = g.input("source_queries", DType.INT64, Shape.named("sources", "queries"));
        Value answers = g.input("row_answers", DType.INT64, g.inputIds().shape());
        int width = (int) query.shape().size(-1);
        Value together = g.graph().gather(g.graph().reshape(query, -1, width), queries, 0);  // (sources, queries, width)
        Value bias = padded ? Attention.unseen(g, "encoder_attention_mask", Shape.named("sources", "source"), queries) : Value.ABSENT;
        Value seen = new Attention(g, heads).attend(List.of(together, key, value), bias);
        return g.graph().gather(g.graph().reshape(seen, -1, width), answers, 0);
    }
}
