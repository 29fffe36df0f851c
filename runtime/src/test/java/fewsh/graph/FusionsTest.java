package fewsh.graph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fewsh.onnx.OnnxFile;
import fewsh.session.Device;
import fewsh.session.Session;
import fewsh.tensor.DType;
import fewsh.tensor.Shape;
import fewsh.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SequencedMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What a fusion may change: how many nodes there are. What not: any number, in [Reference] or in the runtime.
class FusionsTest {
    private static final int WIDTH = 16;
    /// Float32 sums in another order.
    private static final double FLOAT32 = 1e-5;

    @TempDir
    Path folder;

    private final Random random = new Random(5);
    private final GraphBuilder g = new GraphBuilder("fusions");
    private final SequencedMap<String, Tensor> in = new LinkedHashMap<>();
    private Value w;
    private Value b;

    @BeforeEach
    void weights() {
        w = g.initializer("w", normal(WIDTH));
        b = g.initializer("b", normal(WIDTH));
    }

    private Tensor normal(long... sizes) {
        float[] values = new float[(int) Shape.of(sizes).count()];
        for (int i = 0; i < values.length; i++) values[i] = (float) random.nextGaussian();
        return Tensor.ofFloat32(values, sizes);
    }

    private Value x(String name, long... sizes) {
        in.put(name, normal(sizes));
        return g.input(name, DType.FLOAT32, Shape.of(sizes));
    }

    /// Fuses what was built, compares all results, and returns the operators that are left.
    private List<String> fused() throws IOException {
        Graph plain = g.build();
        Graph fused = Fusions.skipNorms(plain);
        assertEquals(plain.inputs(), fused.inputs());
        assertEquals(plain.outputs(), fused.outputs());
        var expected = Reference.run(plain, in);
        close(expected, Reference.run(fused, in), 1e-12);
        close(expected, run(fused), FLOAT32);
        return fused.nodes().stream().map(n -> n.op().type()).toList();
    }

    private static void close(Map<String, Reference.Array> expected, Map<String, Reference.Array> got, double tolerance) {
        assertEquals(expected.keySet(), got.keySet());
        expected.forEach((name, want) -> {
            for (int i = 0; i < want.values().length; i++)
                assertEquals(want.values()[i], got.get(name).values()[i], tolerance * (1 + Math.abs(want.values()[i])), name);
        });
    }

    private Map<String, Reference.Array> run(Graph graph) throws IOException {
        Path file = folder.resolve("model.onnx");
        OnnxFile.write(graph, file);
        Map<String, Tensor> out = new LinkedHashMap<>();
        for (Value v : graph.outputs()) out.put(v.name(), Tensor.allocate(Arena.ofAuto(), v.dtype(), v.shape().sizes()));
        try (Session session = Session.open(file, Session.Options.of(Device.CPU, 1));
                Session.Bound bound = session.bind(in, out)) {
            assertTrue(bound.run());
        }
        Map<String, Reference.Array> arrays = new LinkedHashMap<>();
        out.forEach((name, t) -> arrays.put(name, Reference.Array.of(t)));
        return arrays;
    }

    @Test
    void normOfASumBecomesOneOperatorAndTheSumStays() throws IOException {
        Value x = x("x", 2, 3, WIDTH);
        Value sum = g.add(x, x("y", 2, 3, WIDTH));
        Value again = g.add(sum, g.layerNorm(sum, w, b, 1e-5f));
        g.output("normed", g.rmsNorm(again, w, 1e-6f));
        g.output("sum", again);
        assertEquals(List.of("SkipLayerNormalization", "SkipSimplifiedLayerNormalization"), fused());
    }

    @Test
    void normWithoutABiasIsFusedToo() throws IOException {
        Value sum = g.add(x("x", 3, WIDTH), x("y", 3, WIDTH));
        g.output("normed", g.apply(new Op.LayerNormalization(1e-5f), sum, w).getFirst());
        assertEquals(List.of("SkipLayerNormalization"), fused());
    }

    @Test
    void sumOfTwoNormsIsAddedOnce() throws IOException {
        Value sum = g.add(x("x", 2, 3, WIDTH), x("y", 2, 3, WIDTH));
        g.output("first", g.layerNorm(sum, w, b, 1e-5f));
        g.output("second", g.rmsNorm(sum, w, 1e-5f));
        g.output("sum", g.tanh(sum));
        assertEquals(List.of("SkipLayerNormalization", "SimplifiedLayerNormalization", "Tanh"), fused());
    }

    @Test
    void sumWithItselfIsFused() throws IOException {
        Value x = x("x", 2, 3, WIDTH);
        g.output("normed", g.rmsNorm(g.add(x, x), w, 1e-5f));
        assertEquals(List.of("SkipSimplifiedLayerNormalization"), fused());
    }

    @Test
    void sumOfUnequalShapesStays() throws IOException {
        g.output("normed", g.layerNorm(g.add(x("x", 2, 3, WIDTH), x("y", 3, WIDTH)), w, b, 1e-5f));
        g.output("other", g.rmsNorm(g.add(g.initializer("v", normal(WIDTH)), x("z", 2, 3, WIDTH)), w, 1e-5f));
        assertEquals(List.of("Add", "LayerNormalization", "Add", "SimplifiedLayerNormalization"), fused());
    }

    @Test
    void sumUsedBetweenItAndItsNormStaysAvailable() throws IOException {
        Value sum = g.add(x("x", 2, 3, WIDTH), x("y", 2, 3, WIDTH));
        Value between = g.tanh(sum);
        g.output("normed", g.add(between, g.layerNorm(sum, w, b, 1e-5f)));
        assertEquals(List.of("SkipLayerNormalization", "Tanh", "Add"), fused());
    }

    @Test
    void normWhoseWeightIsMadeAfterTheSumIsComputedAfterIt() throws IOException {
        Value sum = g.add(x("x", 2, 3, WIDTH), x("y", 2, 3, WIDTH));
        Value scaled = g.mul(w, x("factor", 1));
        g.output("normed", g.rmsNorm(sum, scaled, 1e-5f));
        fused();
    }

    @Test
    void shapesAndTypesThatTheFusedOperatorDoesNotTakeStay() throws IOException {
        g.output("vector", g.layerNorm(g.add(x("x", WIDTH), x("y", WIDTH)), w, b, 1e-5f));
        g.output("four", g.layerNorm(g.add(x("u", 2, 2, 3, WIDTH), x("v", 2, 2, 3, WIDTH)), w, b, 1e-5f));
        assertEquals(List.of("Add", "LayerNormalization", "Add", "LayerNormalization"), fused());
    }

    @Test
    void sumOfFloat64Stays() throws IOException {
        Value x = g.cast(x("x", 2, 3, WIDTH), DType.FLOAT64);
        Value y = g.cast(x("y", 2, 3, WIDTH), DType.FLOAT64);
        g.output("normed", g.layerNorm(g.add(x, y), g.cast(w, DType.FLOAT64), g.cast(b, DType.FLOAT64), 1e-5f));
        assertEquals(List.of("Cast", "Cast", "Add", "Cast", "Cast", "LayerNormalization").stream().sorted().toList(),
                fused().stream().sorted().toList());
    }
}
