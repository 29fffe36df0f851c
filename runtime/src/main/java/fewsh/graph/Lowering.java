package fewsh.graph;

import fewsh.tensor.Shape;
import fewsh.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/// Rewrites for a provider that lacks an operator: others take its place and give the same numbers.
public final class Lowering {
    private final UnaryOperator<Tensor> keep;
    private final SequencedMap<String, Tensor> initializers;
    private final List<Node> nodes = new ArrayList<>();

    private Lowering(Graph graph, UnaryOperator<Tensor> keep) {
        this.keep = keep;
        this.initializers = new LinkedHashMap<>(graph.initializers());
    }

    /// Every FusedMatMul becomes a Gemm, if it is of two matrices, else a MatMul by the other side as it is when turned; a
    /// constant is turned here, once. Constants that nothing needs any more are gone.
    ///
    /// @param keep where turned constants go, as in `Net.build`
    public static Graph plainProducts(Graph graph, UnaryOperator<Tensor> keep) {
        Lowering to = new Lowering(graph, keep);
        for (Node node : graph.nodes())
            if (node.op() instanceof Op.FusedMatMul(boolean transA, boolean transB)) to.product(node, transA, transB);
            else to.nodes.add(node);
        Set<String> used = new HashSet<>();
        to.nodes.forEach(n -> n.inputs().forEach(v -> used.add(v.name())));
        graph.outputs().forEach(v -> used.add(v.name()));
        to.initializers.keySet().retainAll(used);
        return new Graph(graph.name(), graph.inputs(), to.initializers, to.nodes, graph.outputs());
    }

    private void product(Node node, boolean transA, boolean transB) {
        Value a = node.input(0);
        Value b = node.input(1);
        boolean matrices = a.shape().rank() == 2 && b.shape().rank() == 2;
        Op op = matrices && !transA ? new Op.Gemm(transB) : new Op.MatMul();
        if (op instanceof Op.MatMul && transA) a = turned(node, a);
        if (op instanceof Op.MatMul && transB) b = turned(node, b);
        nodes.add(new Node(node.name(), op, List.of(a, b), node.outputs()));
    }

    /// `v` with its last two axes exchanged.
    private Value turned(Node node, Value v) {
        int rank = v.shape().rank();
        List<Integer> perm = new ArrayList<>(IntStream.range(0, rank).boxed().toList());
        perm.addAll(List.of(perm.removeLast(), perm.removeLast()));
        Shape shape = new Shape(perm.stream().map(v.shape().dims()::get).toList());
        Tensor constant = rank == 2 ? initializers.get(v.name()) : null;
        String name = (constant != null ? "" : node.name() + ".") + v.name() + ".turned";
        Value turned = new Value(name, v.dtype(), shape);
        if (constant == null) nodes.add(new Node(turned.name(), new Op.Transpose(perm), List.of(v), List.of(turned)));
        else initializers.computeIfAbsent(turned.name(), _ -> turned(constant));
        return turned;
    }

    private Tensor turned(Tensor matrix) {
        int rows = (int) matrix.shape().size(0);
        int columns = (int) matrix.shape().size(1);
        int bytes = matrix.dtype().bytes();
        try (Arena arena = Arena.ofShared()) {
            Tensor to = Tensor.allocate(arena, matrix.dtype(), columns, rows);
            IntStream.range(0, (columns + TILE - 1) / TILE).parallel().forEach(tile -> {
                for (int first = 0; first < rows; first += TILE)
                    for (int c = tile * TILE; c < Math.min(columns, (tile + 1) * TILE); c++)
                        for (int r = first; r < Math.min(rows, first + TILE); r++)
                            MemorySegment.copy(matrix.data(), ((long) r * columns + c) * bytes,
                                    to.data(), ((long) c * rows + r) * bytes, bytes);
            });
            return keep.apply(to);
        }
    }

    /// Rows and columns that stay in the processor's cache together.
    private static final int TILE = 32;
}
