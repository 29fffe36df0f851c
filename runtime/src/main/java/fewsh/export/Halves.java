package fewsh.export;

import fewsh.graph.Graph;
import fewsh.graph.Node;
import fewsh.graph.Op;
import fewsh.graph.Value;
import fewsh.tensor.DType;
import fewsh.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.function.UnaryOperator;

/// A graph with float16 in place of float32 everywhere: weights, activations, cache, inputs and outputs.
final class Halves {
    private Halves() {}

    /// @param keep where converted weights go
    static Graph of(Graph graph, UnaryOperator<Tensor> keep) {
        SequencedMap<String, Tensor> initializers = new LinkedHashMap<>();
        graph.initializers().forEach((name, t) -> initializers.put(name, t.dtype() == DType.FLOAT32 ? kept(t, keep) : t));
        Graph values = Published.map(graph, v -> v.dtype() == DType.FLOAT32 ? new Value(v.name(), DType.FLOAT16, v.shape()) : v);
        List<Node> nodes = values.nodes().stream().map(n -> n.op() instanceof Op.Cast(DType to) && to == DType.FLOAT32
                ? new Node(n.name(), new Op.Cast(DType.FLOAT16), n.inputs(), n.outputs()) : n).toList();
        return new Graph(graph.name(), values.inputs(), initializers, nodes, values.outputs());
    }

    private static Tensor kept(Tensor t, UnaryOperator<Tensor> keep) {
        try (Arena arena = Arena.ofShared()) {
            Tensor half = convert(arena, t, DType.FLOAT16);
            return keep.apply(half);
        }
    }

    /// Rounded to the nearest; beyond the largest float16 is that.
    ///
    /// @param to FLOAT16 or BFLOAT16
    static Tensor convert(Arena arena, Tensor t, DType to) {
        MemorySegment out = arena.allocate(2 * t.shape().count(), 64);
        for (long i = 0; i < t.shape().count(); i++) {
            float value = t.data().getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, i);
            out.setAtIndex(ValueLayout.JAVA_SHORT, i, to == DType.FLOAT16
                    ? Float.floatToFloat16(Math.clamp(value, -65504f, 65504f)) : bfloat16(value));
        }
        return new Tensor(to, t.shape(), out);
    }

    private static short bfloat16(float value) {
        int bits = Float.floatToIntBits(value);
        return Float.isNaN(value) ? (short) 0x7fc0 : (short) (bits + 0x7fff + (bits >> 16 & 1) >> 16);
    }
}
