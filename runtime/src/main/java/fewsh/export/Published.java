package fewsh.export;

import fewsh.graph.Graph;
import fewsh.graph.Node;
import fewsh.graph.Value;
import fewsh.tensor.Dim;
import fewsh.tensor.Shape;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/// A graph whose axes are called as exporters call them.
final class Published {
    private static final Map<String, String> AXES = Map.of("batch", "batch_size", "sequence", "sequence_length",
            "capacity", "past_sequence_length", "total", "total_sequence_length");

    private Published() {}

    static Graph named(Graph graph) {
        return map(graph, v -> new Value(v.name(), v.dtype(), new Shape(v.shape().dims().stream()
                .map(d -> d instanceof Dim.Symbol(String name) ? Dim.of(AXES.getOrDefault(name, name)) : d).toList())));
    }

    /// The graph with every value replaced.
    static Graph map(Graph graph, UnaryOperator<Value> to) {
        UnaryOperator<List<Value>> all = values -> values.stream().map(v -> v.isAbsent() ? v : to.apply(v)).toList();
        List<Node> nodes = graph.nodes().stream()
                .map(n -> new Node(n.name(), n.op(), all.apply(n.inputs()), all.apply(n.outputs()))).toList();
        return new Graph(graph.name(), all.apply(graph.inputs()), graph.initializers(), nodes, all.apply(graph.outputs()));
    }
}
