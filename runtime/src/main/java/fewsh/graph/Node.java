package fewsh.graph;

import java.util.List;

/// An operator applied: `outputs = op(inputs)`. The name is what a runtime's error message says.
public record Node(String name, Op op, List<Value> inputs, List<Value> outputs) {
    public Node {
        inputs = List.copyOf(inputs);
        outputs = List.copyOf(outputs);
    }

    public Value input(int i) {
        return i < inputs.size() ? inputs.get(i) : Value.ABSENT;
    }

    public Value output() {
        return outputs.getFirst();
    }
}
