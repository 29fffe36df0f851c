package fewsh.models;

import fewsh.graph.GraphBuilder;
import fewsh.graph.Op;
import fewsh.graph.Value;
import fewsh.tensor.DType;
import fewsh.tensor.Shape;
import fewsh.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Attention without a cache, in both directions.
record Attention(Net g, Heads heads) {
    /// Below any score; finite, so that a row of nothing but padding stays a number.
    private static final float FAR = -1e9f;

    /// Every position of `x` sees every other: `(batch, sequence, heads · dim)`.
    ///
    /// @param padded whether that is only those that `attention_mask` int64 `(batch, sequence)` has 1 for
    /// @param linears of queries, keys and values
    Value attend(Value x, boolean padded, Linear... linears) {
        List<Value> qkv = g.linears(x, linears);
        return attend(qkv, padded ? unseen(g) : Value.ABSENT);
    }

    /// @param qkv queries; keys and values, each `(batch, keys, heads · dim)` or `(batch, heads, keys, dim)`
    /// @param bias added to the scores, `(batch or 1, heads or 1, sequence, keys)`, or absent
    Value attend(List<Value> qkv, Value bias) {
        List<Value> in = new ArrayList<>(qkv);
        if (!bias.isAbsent()) in.addAll(List.of(Value.ABSENT, Value.ABSENT, bias));
        return g.graph().apply(new Op.MultiHeadAttention(heads.query(), heads.scale()), in.toArray(Value[]::new)).getFirst();
    }

    /// Attention without padding, in plain operators, since what positions see of each other is an output of the graph: `name`
    /// float32 `(batch, heads, sequence, sequence)`.
    Value shown(String name, Value x, Linear... linears) {
        int n = heads.query();
        int dim = heads.dim();
        List<Value> qkv = Arrays.stream(linears).map(l -> g.graph().reshape(g.linear(x, l), 0, 0, n, dim)).toList();
        Value scores = g.graph().matMul(g.graph().transpose(qkv.get(0), 0, 2, 1, 3), g.graph().transpose(qkv.get(1), 0, 2, 3, 1));
        Value weights = g.graph().softmax(g.mul(scores, g.number("scale" + dim, (float) (1 / Math.sqrt(dim)))), -1);
        Value seen = g.graph().matMul(weights, g.graph().transpose(qkv.get(2), 0, 2, 1, 3));  // (batch, heads, sequence, dim)
        g.output(name, weights);
        return g.graph().reshape(g.graph().transpose(seen, 0, 2, 1, 3), 0, 0, n * dim);
    }

    /// What is added to scores, so that nothing is left of padding: `(batch, 1, sequence, sequence)`.
    static Value unseen(Net g) {
        return unseen(g, "attention_mask", g.inputIds().shape(), g.inputIds());
    }

    /// The same for `queries`, of which the first two axes count, and the keys that the input `mask` has 1 for:
    /// `(batch, 1, queries, keys)`. A mask of the keys would say it too, but WebGPU's operator takes none.
    static Value unseen(Net net, String mask, Shape keys, Value queries) {
        return net.once("unseen " + mask, () -> {
            GraphBuilder g = net.graph();
            Value padding = g.sub(net.number("one", 1), g.cast(net.input(mask, DType.INT64, keys), DType.FLOAT32));
            Value far = g.mul(padding, net.number("far", FAR));
            return g.add(g.reshape(far, 0, 1, 1, -1), g.reshape(g.cast(net.zeros(queries), DType.FLOAT32), 0, 1, -1, 1));
        });
    }

    /// What is added to scores by how far apart query and key are: a row of `table`, `(1, heads, distances)`, at the input
    /// `relative_positions`, int64 `(sequence, keys)`.
    static Value byDistance(Net g, String name, Tensor table, String keys) {
        Value positions = g.input("relative_positions", DType.INT64, Shape.named("sequence", keys));
        return g.graph().gather(g.matrices().kept(name, table), positions, 2);
    }
}
