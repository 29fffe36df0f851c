package fewsh.graph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fewsh.tensor.DType;
import fewsh.tensor.Shape;
import fewsh.tensor.ShapeException;
import fewsh.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ShapesTest {
    private final GraphBuilder g = new GraphBuilder("shapes");

    private Value x(Object... dims) {
        return in("x", dims);
    }

    private Value in(String name, Object... dims) {
        return g.input(name, DType.FLOAT32, Shape.named(dims));
    }

    private static String refused(Runnable build) {
        return assertThrows(ShapeException.class, build::run).getMessage();
    }

    @Test
    void matMulNamesTheAxesThatDisagree() {
        Value x = x(3, 4);
        assertEquals("MatMul: last axis of a is 4, first axis of b is 3; inputs [x float32[3, 4], x float32[3, 4]]",
                refused(() -> g.matMul(x, x)));
        assertEquals("FusedMatMul: last axis of a is 4, first axis of b is 5; inputs [x float32[3, 4], w float32[2, 5]]",
                refused(() -> g.matMulTransposed(x, in("w", 2, 5))));
        assertEquals("MatMul: last axis of a is width, first axis of b is 4; inputs [h float32[batch, width], w float32[4, 5]]",
                refused(() -> g.matMul(in("h", "batch", "width"), in("w", 4, 5))));
    }

    @Test
    void additionNamesTheAxisThatDoesNotBroadcast() {
        assertEquals("Add: cannot broadcast [2, 3] with [4]: axis 1 is 3 and 4; inputs [x float32[2, 3], b float32[4]]",
                refused(() -> g.add(x(2, 3), in("b", 4))));
        assertEquals("Mul: cannot broadcast [batch, 3] with [2, 3]: axis 0 is batch and 2; "
                + "inputs [x float32[batch, 3], b float32[2, 3]]", refused(() -> g.mul(x("batch", 3), in("b", 2, 3))));
        assertEquals("Sub: dtypes differ; inputs [x float32[2], longs[1,2] int64[2]]", refused(() -> g.sub(x(2), g.longs(1, 2))));
    }

    /// Every way to misuse an operator: the message begins with the operator and ends with the inputs.
    @Test
    void everyMessageNamesOperatorAndInputs() {
        Value x = x(2, 3, 4);
        Value matrix = in("m", 2, 3);
        Value ids = g.input("ids", DType.INT64, Shape.named("batch"));
        Value symbolic = in("s", "batch", 3);
        List<Function<GraphBuilder, ?>> wrong = List.of(
                b -> b.softmax(x, 3),
                b -> b.logSoftmax(x, -4),
                b -> b.gather(x, ids, 3),
                b -> b.transpose(x, 0, 1),
                b -> b.transpose(x, 0, 1, 1),
                b -> b.transpose(x, 0, 1, 3),
                b -> b.reshape(x, 5, 5),
                b -> b.reshape(x, 5, -1),
                b -> b.reshape(x, -1, -1),
                b -> b.reshape(x, -2, 12),
                b -> b.reshape(matrix, 2, 3, 0),
                b -> b.reshape(symbolic, 6),
                b -> b.split(x, 2, 1, 2),
                b -> b.split(symbolic, 0, 1, 2),
                b -> b.concat(1, x, in("w", 2, 3, 5)),
                b -> b.concat(1, x, matrix),
                b -> b.concat(0, matrix, b.cast(matrix, DType.INT64)),
                b -> b.concat(0, symbolic, matrix),
                b -> b.reduceSum(x, false, 3),
                b -> b.apply(new Op.Reshape(), x, ids),
                b -> b.layerNorm(x, in("w3", 3), in("b4", 4), 1e-5f),
                b -> b.layerNorm(x, in("w4", 4), in("b3", 3), 1e-5f),
                b -> b.rmsNorm(x, in("w1", 1, 4), 1e-5f),
                b -> b.matMul(in("v", 4), x),
                b -> b.apply(new Op.FusedMatMul(true, false), in("v", 4), x),
                b -> b.apply(new Op.Gemm(false), x, in("w", 4, 5)),
                b -> b.apply(new Op.Gemm(true), matrix, in("w", 5, 3), in("c", 3)),
                b -> b.apply(new Op.Conv(List.of(1), List.of(1, 1)), x, in("w", 5, 4, 3)),
                b -> b.apply(new Op.Conv(List.of(1), List.of(0, 0)), x, in("w", 5, 3, 5)),
                b -> b.apply(new Op.Conv(List.of(1, 1), List.of(0, 0, 0, 0)), x, in("w", 5, 3, 1, 1)),
                b -> b.apply(new Op.Conv(List.of(1), List.of(0, 0)), x, in("w", 5, 3, 1), in("b", 4)),
                b -> b.apply(new Op.SkipLayerNormalization(1e-5f), x, in("y", 3, 4), in("w", 4)),
                b -> b.apply(new Op.SkipLayerNormalization(1e-5f), x, x, in("w", 4), in("b", 3)),
                b -> b.apply(new Op.SkipSimplifiedLayerNormalization(1e-5f), x, x, in("w", 3)),
                b -> b.apply(new Op.MatMulNBits(5, 2, 4, 32, 4), x, in("q", 2, 1, 16), in("s", 2, 1)),
                b -> b.apply(new Op.MatMulNBits(4, 2, 4, 32, 4), x, in("q", 2, 1, 15), in("s", 2, 1)),
                b -> b.apply(new Op.MatMulNBits(4, 2, 4, 32, 4), x, in("q", 2, 1, 16), in("s", 2, 2)),
                b -> b.apply(new Op.GatherBlockQuantized(4, 32, 0, 1), in("q", 7, 16), ids, in("s", 7, 1)),
                b -> b.apply(new Op.GroupQueryAttention(4, 2, false, false, -1, 0), x, Value.ABSENT, Value.ABSENT,
                        in("pk", 2, 2, 8, 16), in("pv", 2, 2, 8, 16), in("seqlens", 2), in("total")));
        for (int i = 0; i < wrong.size(); i++) {
            var build = wrong.get(i);
            String message = refused(() -> build.apply(g));
            assertTrue(message.matches("[A-Z][A-Za-z]+: .+; inputs \\[.+]"), i + ": " + message);
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "2,3 | 3 | [2, 3]",
        "2,1,4 | 3,1 | [2, 3, 4]",
        "batch,1,4 | sequence,1 | [batch, sequence, 4]",
        "batch,3 | 1,3 | [batch, 3]",
        "1,1 | batch,sequence | [batch, sequence]",
        "0,3 | 1,3 | [0, 3]"})
    void broadcastingFollowsNumpyAndKeepsSymbols(String a, String b, String expected) {
        assertEquals(expected, g.add(x(dims(a)), in("b", dims(b))).shape().toString());
        assertEquals(expected, g.add(in("b", dims(b)), x(dims(a))).shape().toString());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "batch,sequence,8 | 0,0,2,-1 | [batch, sequence, 2, 4]",
        "batch,sequence,8 | -1,8 | [batch*sequence, 8]",
        "batch,sequence,8 | -1,4 | [2*batch*sequence, 4]",
        "batch,sequence,8 | 0,-1 | [batch, 8*sequence]",
        "2,3,4 | -1 | [24]"})
    void reshapingKeepsWhatIsKnown(String from, String to, String expected) {
        long[] sizes = Arrays.stream(dims(to)).mapToLong(d -> (Long) d).toArray();
        assertEquals(expected, g.reshape(x(dims(from)), sizes).shape().toString());
    }

    private static Object[] dims(String text) {
        return Arrays.stream(text.split(",")).<Object>map(d -> d.matches("-?\\d+") ? (Object) Long.valueOf(d) : d).toArray();
    }

    @Test
    void shapesThatAreNotConstantAreRefused() {
        Value to = g.input("to", DType.INT64, Shape.of(2));
        assertEquals("Reshape: to must be an int64 initializer; inputs [x float32[2, 3], to int64[2]]",
                refused(() -> g.apply(new Op.Reshape(), x(2, 3), to)));
        Value floats = g.initializer("floats", Tensor.ofFloat32(new float[] {3, 2, 0, 0}, 4));
        assertEquals("Reshape: floats must be an int64 initializer; inputs [x float32[2, 3], floats float32[4]]",
                refused(() -> g.apply(new Op.Reshape(), x(2, 3), floats)));
    }

    @Test
    void valueMayBeUsedAfterItWasMadeAnOutput() {
        Value x = x(2);
        Value half = g.relu(x);
        g.output("half", half);
        Value whole = g.tanh(half);
        g.output("whole", whole);
        Graph graph = g.build();
        assertEquals(List.of("half"), graph.nodes().getLast().inputs().stream().map(Value::name).toList());
        assertEquals(List.of("half", "whole"), graph.outputs().stream().map(Value::name).toList());
    }
}
