package fewsh.graph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fewsh.onnx.OnnxFile;
import fewsh.session.Device;
import fewsh.session.Session;
import fewsh.tensor.DType;
import fewsh.tensor.Shape;
import fewsh.tensor.Tensor;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Other operators, the same numbers: both graphs run, and the product is also taken by hand.
class LoweringTest {
    /// Float32 sums of 40 products in another order.
    private static final double FLOAT32 = 1e-4;

    @TempDir
    Path folder;

    private final Random random = new Random(3);

    @ParameterizedTest
    @CsvSource({"3, false, true, true", "2, false, true, true", "3, false, true, false", "2, true, true, false",
            "2, true, false, true", "3, true, false, false"})
    void productsByATurnedSideAreTheSame(int rank, boolean transA, boolean transB, boolean constant) throws Exception {
        GraphBuilder g = new GraphBuilder("products");
        Tensor a = normal(shape(rank, transA ? 40 : 5, transA ? 5 : 40));
        Tensor b = normal(shape(constant ? 2 : rank, transB ? 70 : 40, transB ? 40 : 70));
        Value left = g.input("a", DType.FLOAT32, a.shape());
        Value right = constant ? g.initializer("b", b) : g.input("b", DType.FLOAT32, b.shape());
        g.output("y", g.apply(new Op.FusedMatMul(transA, transB), left, right).getFirst());
        Map<String, Tensor> in = constant ? Map.of("a", a) : Map.of("a", a, "b", b);
        Graph before = g.build();
        Graph after = Lowering.plainProducts(before, copied());
        assertTrue(after.nodes().stream().noneMatch(n -> n.op() instanceof Op.FusedMatMul), after::toString);
        float[] y = run(before, in);
        float[] z = run(after, in);
        int batch = rank == 3 ? 2 : 1;
        for (int p = 0; p < batch; p++)
            for (int r = 0; r < 5; r++)
                for (int c = 0; c < 70; c++) {
                    double sum = 0;
                    for (int k = 0; k < 40; k++)
                        sum += (double) at(a, p, r, k, transA, 5) * at(b, constant ? 0 : p, k, c, transB, 70);
                    assertEquals(sum, y[(p * 5 + r) * 70 + c], FLOAT32);
                    assertEquals(sum, z[(p * 5 + r) * 70 + c], FLOAT32);
                }
    }

    @Test
    void constantsThatNothingNeedsAnyMoreAreGoneAndSharedOnesStay() {
        GraphBuilder g = new GraphBuilder("shared");
        Value w = g.initializer("w", normal(Shape.of(6, 4)));
        Value v = g.initializer("v", normal(Shape.of(6, 4)));
        Value ids = g.input("ids", DType.INT64, Shape.named("batch", "sequence"));
        Value x = g.gather(w, ids, 0);
        g.output("y", g.add(g.matMulTransposed(x, w), g.matMulTransposed(x, v)));
        List<Tensor> kept = new ArrayList<>();
        Graph after = Lowering.plainProducts(g.build(), t -> {
            kept.add(t);
            return copied().apply(t);
        });
        assertEquals(Set.of("w", "w.turned", "v.turned"), after.initializers().keySet());
        assertEquals(2, kept.size());
    }

    private static UnaryOperator<Tensor> copied() {
        return t -> Tensor.ofFloat32(t.toFloats(), t.shape().sizes());
    }

    private static Shape shape(int rank, long rows, long columns) {
        return rank == 3 ? Shape.of(2, rows, columns) : Shape.of(rows, columns);
    }

    /// Row `r`, column `c` of part `p` of a matrix of `size` rows (of `a`) or columns (of `b`) once turned.
    private static float at(Tensor t, int p, int r, int c, boolean turned, int size) {
        float[] values = t.toFloats();
        int inner = 40;
        int width = size == 5 ? (turned ? 5 : inner) : (turned ? inner : 70);
        int height = size == 5 ? (turned ? inner : 5) : (turned ? 70 : inner);
        return values[p * height * width + (turned ? c * width + r : r * width + c)];
    }

    private Tensor normal(Shape shape) {
        float[] values = new float[(int) shape.count()];
        for (int i = 0; i < values.length; i++) values[i] = (float) random.nextGaussian();
        return Tensor.ofFloat32(values, shape.sizes());
    }

    private float[] run(Graph graph, Map<String, Tensor> in) throws Exception {
        Path file = folder.resolve("model.onnx");
        OnnxFile.write(graph, file);
        try (Arena arena = Arena.ofConfined(); Session session = Session.open(file, Session.Options.of(Device.CPU, 1))) {
            Tensor y = Tensor.allocate(arena, DType.FLOAT32, graph.outputs().getFirst().shape().sizes());
            try (Session.Bound bound = session.bind(in, Map.of("y", y))) {
                assertTrue(bound.run());
            }
            return y.toFloats();
        }
    }
}
