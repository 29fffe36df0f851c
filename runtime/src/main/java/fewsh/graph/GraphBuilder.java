package fewsh.graph;

import fewsh.tensor.DType;
import fewsh.tensor.Shape;
import fewsh.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;

/// Collects the nodes of one graph; every value's dtype and shape is known as soon as it is made.
///
/// One build, one thread. Shapes that do not fit throw [fewsh.tensor.ShapeException] at the call that joins them.
public final class GraphBuilder {
    private final String name;
    private final List<Value> inputs = new ArrayList<>();
    private final SequencedMap<String, Tensor> initializers = new LinkedHashMap<>();
    private final List<Node> nodes = new ArrayList<>();
    private final List<Value> outputs = new ArrayList<>();
    /// Values that became outputs, under their first names, which callers still hold.
    private final Map<Value, Value> renamed = new HashMap<>();
    private String scope = "";

    public GraphBuilder(String name) {
        this.name = name;
    }

    /// Names of the nodes that follow begin with this: what an error of the runtime says.
    public void scope(String scope) {
        this.scope = scope.isEmpty() ? "" : scope + "/";
    }

    public Value input(String name, DType dtype, Shape shape) {
        Value value = new Value(name, dtype, shape);
        inputs.add(value);
        return value;
    }

    /// A constant. Two with one name must be one and the same tensor.
    public Value initializer(String name, Tensor tensor) {
        Tensor known = initializers.putIfAbsent(name, tensor);
        if (known != null && known != tensor) throw new IllegalArgumentException("two initializers are called " + name);
        return new Value(name, tensor.dtype(), tensor.shape());
    }

    /// The constant of this name, if there is one already.
    public Optional<Value> initializer(String name) {
        return Optional.ofNullable(initializers.get(name)).map(t -> new Value(name, t.dtype(), t.shape()));
    }

    /// The numbers of an initializer.
    public Tensor tensor(Value initializer) {
        return initializers.get(initializer.name());
    }

    /// Small int64 constants, such as shapes; equal ones are stored once.
    public Value longs(long... values) {
        String name = "longs" + Arrays.toString(values).replace(" ", "");
        return initializer(name).orElseGet(() -> initializer(name, Tensor.ofInt64(values, values.length)));
    }

    /// Makes `value` an output of the graph under `name`.
    public void output(String name, Value value) {
        Value named = new Value(name, value.dtype(), value.shape());
        for (int i = 0; i < nodes.size(); i++) {
            Node n = nodes.get(i);
            if (!n.outputs().contains(value)) continue;
            List<Value> made = n.outputs().stream().map(v -> v.equals(value) ? named : v).toList();
            nodes.set(i, new Node(n.name(), n.op(), n.inputs(), made));
            nodes.replaceAll(m -> new Node(m.name(), m.op(),
                    m.inputs().stream().map(v -> v.equals(value) ? named : v).toList(), m.outputs()));
            outputs.add(named);
            renamed.put(value, named);
            return;
        }
        throw new IllegalArgumentException("no node makes " + value);
    }

    /// Applies an operator; left-out inputs are [Value#ABSENT].
    ///
    /// @return one value an output, [Value#ABSENT] where an optional one is not made
    public List<Value> apply(Op op, Value... in) {
        List<Value> from = Arrays.stream(in).map(v -> renamed.getOrDefault(v, v)).toList();
        String node = scope + op.type() + "_" + nodes.size();
        List<Value> made = new ArrayList<>();
        for (var out : Shapes.of(op, from, v -> Optional.ofNullable(initializers.get(v.name())))) {
            String id = made.isEmpty() ? node : node + "." + made.size();
            made.add(out.map(m -> new Value(id, m.dtype(), m.shape())).orElse(Value.ABSENT));
        }
        nodes.add(new Node(node, op, from, made));
        return made;
    }

    private Value one(Op op, Value... in) {
        return apply(op, in).getFirst();
    }

    public Value add(Value a, Value b) {
        return one(new Op.Add(), a, b);
    }

    public Value sub(Value a, Value b) {
        return one(new Op.Sub(), a, b);
    }

    public Value mul(Value a, Value b) {
        return one(new Op.Mul(), a, b);
    }

    public Value sigmoid(Value x) {
        return one(new Op.Sigmoid(), x);
    }

    public Value tanh(Value x) {
        return one(new Op.Tanh(), x);
    }

    public Value relu(Value x) {
        return one(new Op.Relu(), x);
    }

    /// With the error function.
    public Value gelu(Value x) {
        return one(new Op.Gelu("none"), x);
    }

    /// With the tanh approximation.
    public Value geluTanh(Value x) {
        return one(new Op.Gelu("tanh"), x);
    }

    /// x · sigmoid(x), also called swish.
    public Value silu(Value x) {
        return one(new Op.QuickGelu(1), x);
    }

    public Value cast(Value x, DType to) {
        return one(new Op.Cast(to), x);
    }

    public Value matMul(Value a, Value b) {
        return one(new Op.MatMul(), a, b);
    }

    /// a bᵀ, `b` as it is stored.
    public Value matMulTransposed(Value a, Value b) {
        return one(new Op.FusedMatMul(false, true), a, b);
    }

    public Value gather(Value data, Value indices, int axis) {
        return one(new Op.Gather(axis), data, indices);
    }

    public Value reshape(Value x, long... shape) {
        return one(new Op.Reshape(), x, longs(shape));
    }

    public Value transpose(Value x, Integer... perm) {
        return one(new Op.Transpose(List.of(perm)), x);
    }

    public Value concat(int axis, Value... parts) {
        return one(new Op.Concat(axis), parts);
    }

    public List<Value> split(Value x, int axis, long... sizes) {
        return apply(new Op.Split(axis), x, longs(sizes));
    }

    public Value reduceSum(Value x, boolean keepdims, long... axes) {
        return one(new Op.ReduceSum(keepdims), x, longs(axes));
    }

    /// Running sums along an axis; `exclusive` ones leave the element itself out.
    public Value cumSum(Value x, int axis, boolean exclusive) {
        return one(new Op.CumSum(exclusive), x, longs(axis));
    }

    public Value equal(Value a, Value b) {
        return one(new Op.Equal(), a, b);
    }

    public Value softmax(Value x, int axis) {
        return one(new Op.Softmax(axis), x);
    }

    public Value logSoftmax(Value x, int axis) {
        return one(new Op.LogSoftmax(axis), x);
    }

    public Value layerNorm(Value x, Value weight, Value bias, float epsilon) {
        return one(new Op.LayerNormalization(epsilon), x, weight, bias);
    }

    public Value rmsNorm(Value x, Value weight, float epsilon) {
        return one(new Op.SimplifiedLayerNormalization(epsilon), x, weight);
    }

    /// The graph as built.
    public Graph build() {
        return new Graph(name, inputs, initializers, nodes, outputs);
    }
}
