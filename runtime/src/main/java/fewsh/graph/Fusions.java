package fewsh.graph;

import fewsh.tensor.DType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Rewrites that make a graph faster and leave its results what they were.
public final class Fusions {
    private Fusions() {}

    /// A norm of a sum becomes one operator that gives both: the residual stream is then read and written once a block.
    ///
    /// The operator takes matrices and batches of them, not float64, and stands where the sum stood: a norm whose weights are
    /// made later stays.
    public static Graph skipNorms(Graph graph) {
        List<Node> nodes = new ArrayList<>(graph.nodes());
        Map<Value, Integer> sums = new HashMap<>();
        Map<Value, Integer> made = new HashMap<>();
        for (int i = 0; i < nodes.size(); i++) {
            Node node = nodes.get(i);
            for (Value v : node.outputs()) made.put(v, i);
            if (node.op() instanceof Op.Add && fits(node.input(0), node.input(1))) sums.put(node.output(), i);
            Op fused = switch (node.op()) {
                case Op.LayerNormalization(float epsilon) -> new Op.SkipLayerNormalization(epsilon);
                case Op.SimplifiedLayerNormalization(float epsilon) -> new Op.SkipSimplifiedLayerNormalization(epsilon);
                case Op _ -> null;
            };
            Integer at = fused == null ? null : sums.get(node.input(0));
            if (at == null) continue;
            List<Value> weights = node.inputs().subList(1, node.inputs().size());
            if (weights.stream().anyMatch(w -> made.getOrDefault(w, -1) > at)) continue;
            Node sum = nodes.get(at);
            List<Value> in = new ArrayList<>(sum.inputs());
            in.addAll(weights);
            List<Value> out = List.of(node.output(), Value.ABSENT, Value.ABSENT, sum.output());
            nodes.set(at, new Node(node.name(), fused, in, out));
            nodes.set(i, null);
            made.put(node.output(), at);
            sums.remove(sum.output());
        }
        nodes.removeIf(n -> n == null);
        return new Graph(graph.name(), graph.inputs(), graph.initializers(), nodes, graph.outputs());
    }

    private static boolean fits(Value a, Value b) {
        return a.shape().equals(b.shape()) && (a.shape().rank() == 2 || a.shape().rank() == 3) && a.dtype() != DType.FLOAT64;
    }
}
