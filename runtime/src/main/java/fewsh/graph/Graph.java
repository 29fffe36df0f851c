package fewsh.graph;

import fewsh.tensor.Tensor;
import java.util.List;
import java.util.SequencedMap;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.stream.Collectors;

/// A whole computation: nodes in an order in which each one's inputs are made before it.
///
/// @param initializers constants by name: weights, tables, shapes
/// @param outputs what a run returns, under their own names
public record Graph(
        String name, List<Value> inputs, SequencedMap<String, Tensor> initializers, List<Node> nodes, List<Value> outputs) {
    public Graph {
        inputs = List.copyOf(inputs);
        initializers = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(initializers));
        nodes = List.copyOf(nodes);
        outputs = List.copyOf(outputs);
    }

    /// The graph for people and golden files: one line a value or node, `output = Operator[attributes](inputs)`.
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("graph ").append(name).append('\n');
        for (Value v : inputs) text.append("input ").append(v).append('\n');
        initializers.forEach((id, t) -> text.append("constant ").append(id).append(' ')
                .append(t.dtype().toString().toLowerCase()).append(t.shape()).append('\n'));
        for (Node n : nodes) {
            String made = n.outputs().stream().map(Value::toString).collect(Collectors.joining(", "));
            String from = n.inputs().stream().map(v -> v.isAbsent() ? "-" : v.name()).collect(Collectors.joining(", "));
            text.append(made).append(" = ").append(n.op()).append(" (").append(from).append(")\n");
        }
        for (Value v : outputs) text.append("output ").append(v).append('\n');
        return text.toString();
    }
}
