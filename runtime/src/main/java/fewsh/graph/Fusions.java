package fewsh.graph;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Rewrites that make a graph faster and leave its results what they were.
public final class Fusions {
    private Fusions() {}

    /// A norm of a sum becomes one operator that gives both: the residual stream is then read and written once a block.
    public static Graph skipNorms(Graph graph) {
        List<Node> nodes = new ArrayList<>(graph.nodes());
        Map<Value, Integer> sums = new HashMap<>();
        for (int i = 0; i < nodes.size(); i++) {
            Node node = nodes.get(i);
            if (node.op() instanceof Op.Add && node.input(0).shape().equals(node.input(1).shape())) sums.put(node.output(), i);
            Op fused = switch (node.op()) {
                case Op.LayerNormalization(float epsilon) -> new Op.SkipLayerNormalization(epsilon);
                case Op.SimplifiedLayerNormalization(float epsilon) -> new Op.SkipSimplifiedLayerNormalization(epsilon);
                case Op _ -> null;
            };
            Integer at = fused == null ? null : sums.remove(node.input(0));
            if (at == null) continue;
            Node sum = nodes.get(at);
            List<Value> in = new ArrayList<>(sum.inputs());
            in.addAll(node.inputs().subList(1, node.inputs().size()));
            List<Value> out = List.of(node.output(), Value.ABSENT, Value.ABSENT, sum.output());
            nodes.set(at, new Node(node.name(), fused, in, out));
            nodes.set(i, null);
        }
        nodes.removeIf(n -> n == null);
        return new Graph(graph.name(), graph.inputs(), graph.initializers(), nodes, graph.outputs());
    }
}
