package fewsh.graph;

import fewsh.tensor.DType;
import fewsh.tensor.Shape;
import fewsh.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SequencedMap;
import java.util.function.Consumer;

/// Small graphs of every operator, with numbers to run them on: the rows of the operator test.
public final class OperatorCases {
    /// Float32 arithmetic in another order than float64's: relative to 1 + |expected|.
    private static final double FLOAT32 = 1e-5;
    private static final double EXACT = 0;

    /// @param op the operator that the row is about; others may stand around it
    /// @param inPlace for outputs that are the very memory of an input: its name
    /// @param tolerance of one number, relative to 1 + |expected|
    /// @param slack further absolute tolerance of each number of the first output; empty for none
    public record Case(String label, Class<? extends Op> op, Graph graph, SequencedMap<String, Tensor> in,
            Map<String, String> inPlace, double tolerance, double[] slack) {
        @Override
        public String toString() {
            return op.getSimpleName() + ": " + label;
        }
    }

    private final List<Case> cases = new ArrayList<>();

    private OperatorCases() {}

    /// All rows, with numbers that the same call always gives.
    public static List<Case> all() {
        OperatorCases table = new OperatorCases();
        table.elementwise();
        table.products();
        table.filters();
        table.moving();
        table.reducing();
        table.norms();
        table.quantised();
        table.attention();
        return List.copyOf(table.cases);
    }

    /// A graph and its numbers, being made.
    private static final class Sketch {
        final GraphBuilder g = new GraphBuilder("case");
        final SequencedMap<String, Tensor> in = new LinkedHashMap<>();
        final Map<String, String> inPlace = new LinkedHashMap<>();
        final Random random;
        double[] slack = {};

        Sketch(long seed) {
            random = new Random(seed);
        }

        float[] normal(long... sizes) {
            float[] values = new float[(int) Shape.of(sizes).count()];
            for (int i = 0; i < values.length; i++) values[i] = (float) random.nextGaussian();
            return values;
        }

        Value in(String name, Tensor t) {
            return in(name, t, t.shape());
        }

        Value in(String name, Tensor t, Shape declared) {
            in.put(name, t);
            return g.input(name, t.dtype(), declared);
        }

        Value x(String name, long... sizes) {
            return x(name, Shape.of(sizes), sizes);
        }

        Value x(String name, Shape declared, long... sizes) {
            return in(name, Tensor.ofFloat32(normal(sizes), sizes), declared);
        }

        Value constant(String name, long... sizes) {
            return g.initializer(name, Tensor.ofFloat32(normal(sizes), sizes));
        }

        /// Whole numbers from `least` to below `most`.
        Tensor below(int least, int most, long... sizes) {
            return Tensor.ofInt64(random.longs(Shape.of(sizes).count(), least, most).toArray(), sizes);
        }

        Tensor bytes(long... sizes) {
            byte[] bytes = new byte[(int) Shape.of(sizes).count()];
            random.nextBytes(bytes);
            return new Tensor(DType.UINT8, Shape.of(sizes), Arena.ofAuto().allocateFrom(ValueLayout.JAVA_BYTE, bytes));
        }

        void out(Value... made) {
            for (int i = 0; i < made.length; i++) g.output("y" + i, made[i]);
        }

        void out(Op op, Value... from) {
            out(g.apply(op, from).stream().filter(v -> !v.isAbsent()).toArray(Value[]::new));
        }
    }

    private void row(Class<? extends Op> op, String label, double tolerance, Consumer<Sketch> fill) {
        Sketch s = new Sketch(cases.size());
        fill.accept(s);
        cases.add(new Case(label, op, s.g.build(), s.in, s.inPlace, tolerance, s.slack));
    }

    private void row(Op op, double tolerance, Consumer<Sketch> fill) {
        row(op.getClass(), op.toString(), tolerance, fill);
    }

    private void elementwise() {
        for (Op op : List.of(new Op.Add(), new Op.Sub(), new Op.Mul())) {
            row(op, FLOAT32, s -> s.out(op, s.x("a", 2, 3), s.x("b", 2, 3)));
            row(op, FLOAT32, s -> s.out(op, s.x("a", 2, 3, 4), s.x("b", 4)));
            row(op, FLOAT32, s -> s.out(op, s.x("a", 2, 1, 4, 1), s.x("b", 3, 1, 5)));
            row(op, FLOAT32, s -> s.out(op, s.x("a"), s.x("b", 2, 2)));
            row(op, FLOAT32, s -> s.out(op, s.x("a", 3, 4), s.constant("b", 3, 1)));
            row(op, EXACT, s -> s.out(op, s.in("a", s.below(-9, 9, 2, 3)), s.in("b", s.below(-9, 9, 1, 3))));
            row(op, FLOAT32, s -> s.out(op, s.x("a", Shape.named("batch", 3), 2, 3), s.x("b", 1, 3)));
        }
        for (Op op : List.of(new Op.Sigmoid(), new Op.Tanh(), new Op.Relu(), new Op.Gelu("none"), new Op.Gelu("tanh"),
                new Op.QuickGelu(1), new Op.QuickGelu(1.702f))) {
            row(op, FLOAT32, s -> s.out(op, s.x("x", 7)));
            row(op, FLOAT32, s -> s.out(op, s.x("x", 2, 3, 5, 7)));
            row(op, FLOAT32, s -> s.out(op, s.in("x", Tensor.ofFloat32(new float[] {-80, -9, -3, -0f, 0, 1e-6f, 3, 9, 80}, 9))));
        }
        for (DType to : DType.values())
            row(new Op.Cast(to), EXACT, s -> {
                float[] values = s.normal(3, 4);
                for (int i = 0; i < values.length; i++) values[i] = to == DType.UINT8 ? Math.abs(values[i]) * 50 : values[i] * 30;
                values[0] = 0;
                s.out(new Op.Cast(to), s.in("x", Tensor.ofFloat32(values, 3, 4)));
            });
        row(new Op.Shape(), EXACT, s -> s.out(new Op.Shape(), s.x("x", Shape.named("n", 3, "m"), 4, 3, 2)));
        row(new Op.Cast(DType.FLOAT32), EXACT, s -> s.out(new Op.Cast(DType.FLOAT32), s.in("x", s.below(-100, 100, 2, 3))));
        row(new Op.Cast(DType.INT32), EXACT, s -> s.out(new Op.Cast(DType.INT32), s.in("x", s.below(-100, 100, 2, 3))));
    }

    private void products() {
        Op matMul = new Op.MatMul();
        row(matMul, FLOAT32, s -> s.out(matMul, s.x("a", 3, 4), s.x("b", 4, 5)));
        row(matMul, FLOAT32, s -> s.out(matMul, s.x("a", 2, 3, 33), s.constant("b", 33, 7)));
        row(matMul, FLOAT32, s -> s.out(matMul, s.x("a", 2, 1, 3, 4), s.x("b", 5, 4, 2)));
        row(matMul, FLOAT32, s -> s.out(matMul, s.x("a", 3, 4), s.x("b", 2, 4, 1)));
        row(matMul, FLOAT32, s -> s.out(matMul, s.x("a", Shape.named("batch", "sequence", 4), 2, 3, 4), s.constant("b", 4, 5)));
        for (boolean a : new boolean[] {false, true})
            for (boolean b : new boolean[] {false, true}) {
                Op op = new Op.FusedMatMul(a, b);
                row(op, FLOAT32, s -> s.out(op, a ? s.x("a", 4, 3) : s.x("a", 3, 4), b ? s.x("b", 5, 4) : s.x("b", 4, 5)));
                row(op, FLOAT32, s -> s.out(op, a ? s.x("a", 2, 3, 4, 6) : s.x("a", 2, 3, 6, 4),
                        b ? s.x("b", 2, 3, 5, 4) : s.x("b", 2, 3, 4, 5)));
                row(op, FLOAT32, s -> s.out(op, a ? s.x("a", 2, 4, 3) : s.x("a", 2, 3, 4),
                        b ? s.constant("b", 5, 4) : s.constant("b", 4, 5)));
            }
        for (boolean transB : new boolean[] {false, true}) {
            Op op = new Op.Gemm(transB);
            for (long[] c : new long[][] {{5}, {3, 1}, {3, 5}, {}})
                row(op, FLOAT32, s -> s.out(op, s.x("a", 3, 4), transB ? s.x("b", 5, 4) : s.x("b", 4, 5), s.x("c", c)));
            row(op, FLOAT32, s -> s.out(op, s.x("a", 3, 4), transB ? s.constant("b", 5, 4) : s.constant("b", 4, 5)));
        }
    }

    private void filters() {
        Op same = new Op.Conv(List.of(1), List.of(1, 1));
        Op halved = new Op.Conv(List.of(2), List.of(1, 1));
        Op patches = new Op.Conv(List.of(2, 3), List.of(0, 0, 0, 0));
        Op uneven = new Op.Conv(List.of(1, 2), List.of(0, 1, 2, 3));
        row(same, FLOAT32, s -> s.out(same, s.x("x", 2, 5, 8), s.constant("w", 4, 5, 3), s.constant("b", 4)));
        row(halved, FLOAT32, s -> s.out(halved, s.x("x", Shape.named("batch", 4, 9), 2, 4, 9), s.constant("w", 6, 4, 3)));
        row(halved, FLOAT32, s -> s.out(halved, s.x("x", 1, 3, 8), s.constant("w", 2, 3, 3), s.constant("b", 2)));
        row(patches, FLOAT32, s -> s.out(patches, s.x("x", 2, 3, 4, 7), s.constant("w", 5, 3, 2, 3), s.constant("b", 5)));
        row(uneven, FLOAT32, s -> s.out(uneven, s.x("x", 1, 2, 3, 4), s.x("w", 3, 2, 2, 3)));
    }

    private void moving() {
        for (int axis : new int[] {0, 1, -1})
            row(new Op.Gather(axis), EXACT,
                    s -> s.out(new Op.Gather(axis), s.x("x", 3, 4, 3), s.in("ids", s.below(-3, 3, 2, 5))));
        row(new Op.Gather(0), EXACT, s -> s.out(new Op.Gather(0), s.constant("x", 7, 3), s.in("ids", s.below(0, 7))));
        row(new Op.Gather(0), EXACT, s -> s.out(new Op.Gather(0), s.constant("x", 7, 3),
                s.in("ids", s.below(0, 7, 2, 3), Shape.named("batch", "sequence"))));
        for (long[] to : new long[][] {{6, 4}, {0, -1}, {-1}, {0, 0, 2, 2}, {4, 0, -1}, {2, 3, 4, 1}})
            row(new Op.Reshape(), EXACT, s -> s.out(s.g.reshape(s.x("x", 2, 3, 4), to)));
        for (long[] to : new long[][] {{0, 0, 2, -1}, {-1, 4}, {-1, 2}})
            row(new Op.Reshape(), EXACT,
                    s -> s.out(s.g.reshape(s.x("x", Shape.named("batch", "sequence", 4), 2, 3, 4), to)));
        for (List<Integer> perm : List.of(List.of(0), List.of(1, 0), List.of(0, 2, 1), List.of(2, 0, 1), List.of(0, 2, 1, 3),
                List.of(3, 1, 0, 2)))
            row(new Op.Transpose(perm), EXACT, s -> s.out(new Op.Transpose(perm),
                    s.x("x", Arrays.copyOf(new long[] {2, 3, 4, 5}, perm.size()))));
        for (int axis : new int[] {0, 2, -2})
            row(new Op.Concat(axis), EXACT, s -> s.out(new Op.Concat(axis), s.x("a", 2, axis == -2 ? 1 : 3, 4),
                    s.x("b", 2, 3, 4), s.constant("c", axis == 0 ? 1 : 2, 3, 4)));
        row(new Op.Concat(1), EXACT,
                s -> s.out(new Op.Concat(1), s.in("a", s.below(0, 9, 2, 2)), s.in("b", s.below(0, 9, 2, 1))));
        row(new Op.Split(0), EXACT, s -> s.out(s.g.split(s.x("x", 5, 2), 0, 2, 3).toArray(Value[]::new)));
        row(new Op.Split(-1), EXACT, s -> s.out(s.g.split(s.x("x", 2, 3, 8), -1, 4, 1, 3).toArray(Value[]::new)));
        row(new Op.Split(1), EXACT, s -> s.out(s.g.split(s.x("x", 2, 3), 1, 3).toArray(Value[]::new)));
    }

    private static Value scalar(Sketch s, String name, float value) {
        return s.g.initializer(name, Tensor.ofFloat32(new float[] {value}));
    }

    private static Value middle(Sketch s, int value) {
        return s.g.initializer("middle", new Tensor(DType.UINT8, Shape.of(),
                Arena.ofAuto().allocateFrom(ValueLayout.JAVA_BYTE, (byte) value)));
    }

    private void reducing() {
        for (boolean keepdims : new boolean[] {false, true})
            for (long[] axes : new long[][] {{0}, {-1}, {0, 2}, {0, 1, 2}, {}})
                row(new Op.ReduceSum(keepdims), FLOAT32, s -> s.out(s.g.reduceSum(s.x("x", 2, 3, 4), keepdims, axes)));
        for (boolean keepdims : new boolean[] {false, true})
            for (long axis : new long[] {0, -1})
                row(new Op.ReduceMax(keepdims), EXACT,
                        s -> s.out(new Op.ReduceMax(keepdims), s.x("x", 2, 3, 4), s.g.longs(axis)));
        row(new Op.Abs(), EXACT, s -> s.out(new Op.Abs(), s.x("x", 2, 3)));
        row(new Op.Div(), FLOAT32, s -> s.out(new Op.Div(), s.x("a", 2, 3, 4), s.x("b", 2, 3, 1)));
        row(new Op.QuantizeLinear(), EXACT, s -> s.out(new Op.QuantizeLinear(), s.x("x", 3, 40), scalar(s, "step", 1 / 127f),
                middle(s, 128)));
        for (boolean signed : new boolean[] {false, true})
            row(new Op.MatMulIntegerToFloat(), FLOAT32, s -> {
                Value a = s.in("a", s.bytes(2, 5, 24));
                // without byte products a signed sum of two may saturate: numbers below 64 cannot
                byte[] small = new byte[24 * 7];
                for (int i = 0; i < small.length; i++) small[i] = (byte) (s.random.nextInt(64) - (signed ? 32 : 0));
                Value b = s.g.initializer("b", new Tensor(signed ? DType.INT8 : DType.UINT8, Shape.of(24, 7),
                        Arena.ofAuto().allocateFrom(ValueLayout.JAVA_BYTE, small)));
                Value zero = signed ? s.g.initializer("bZero", new Tensor(DType.INT8, Shape.of(),
                        Arena.ofAuto().allocateFrom(ValueLayout.JAVA_BYTE, (byte) 0))) : s.g.initializer("bZero", new Tensor(DType.UINT8,
                        Shape.of(), Arena.ofAuto().allocateFrom(ValueLayout.JAVA_BYTE, (byte) 31)));
                s.out(new Op.MatMulIntegerToFloat(), a, b, scalar(s, "step", 1 / 127f), s.constant("steps", 7), middle(s, 128), zero);
            });
        for (boolean exclusive : new boolean[] {false, true})
            for (int axis : new int[] {0, 1, -1}) {
                row(new Op.CumSum(exclusive), FLOAT32, s -> s.out(s.g.cumSum(s.x("x", 2, 3, 4), axis, exclusive)));
                row(new Op.CumSum(exclusive), EXACT, s -> s.out(s.g.cumSum(s.in("x", s.below(-9, 9, 3, 5)), axis % 2, exclusive)));
            }
        row(new Op.Equal(), EXACT, s -> s.out(new Op.Equal(), s.in("a", s.below(0, 3, 4, 5)), s.in("b", s.below(0, 3, 5))));
        row(new Op.Equal(), EXACT, s -> s.out(new Op.Equal(), s.in("a", s.below(0, 3, 4, 5)), s.in("b", s.below(0, 3))));
        for (int axis : new int[] {-1, 0, 1}) {
            row(new Op.Softmax(axis), FLOAT32, s -> s.out(new Op.Softmax(axis), s.x("x", 2, 3, 7)));
            row(new Op.LogSoftmax(axis), FLOAT32, s -> s.out(new Op.LogSoftmax(axis), s.x("x", 2, 3, 7)));
        }
        float[] far = {1000, 0, -1000, 999, 88, 89};
        row(new Op.Softmax(-1), FLOAT32, s -> s.out(new Op.Softmax(-1), s.in("x", Tensor.ofFloat32(far, 2, 3))));
        row(new Op.LogSoftmax(-1), FLOAT32, s -> s.out(new Op.LogSoftmax(-1), s.in("x", Tensor.ofFloat32(far, 2, 3))));
    }

    private void norms() {
        for (float epsilon : new float[] {1e-5f, 0.1f})
            for (long[] sizes : new long[][] {{3, 8}, {2, 3, 8}, {2, 2, 3, 16}}) {
                long width = sizes[sizes.length - 1];
                Op layer = new Op.LayerNormalization(epsilon);
                Op rms = new Op.SimplifiedLayerNormalization(epsilon);
                row(layer, FLOAT32, s -> s.out(layer, s.x("x", sizes), s.constant("w", width), s.constant("b", width)));
                row(layer, FLOAT32, s -> s.out(layer, s.x("x", sizes), s.constant("w", width)));
                row(rms, FLOAT32, s -> s.out(rms, s.x("x", sizes), s.constant("w", width)));
                if (sizes.length > 3) continue;
                Op skipLayer = new Op.SkipLayerNormalization(epsilon);
                Op skipRms = new Op.SkipSimplifiedLayerNormalization(epsilon);
                row(skipLayer, FLOAT32, s -> s.out(skipLayer, s.x("x", sizes), s.x("skip", sizes), s.constant("w", width),
                        s.constant("b", width)));
                row(skipLayer, FLOAT32, s -> s.out(skipLayer, s.x("x", sizes), s.x("skip", sizes), s.constant("w", width)));
                row(skipRms, FLOAT32, s -> s.out(skipRms, s.x("x", sizes), s.x("skip", sizes), s.constant("w", width)));
            }
    }

    private void quantised() {
        for (int bits : new int[] {4, 8})
            for (int accuracy : new int[] {0, 1, 4})
                for (int[] size : new int[][] {{1, 64, 16}, {5, 96, 24}, {3, 50, 7}, {1, 40, 1}, {2, 300, 33}}) {
                    Op.MatMulNBits op = new Op.MatMulNBits(size[1], size[2], bits, 32, accuracy);
                    row(op, FLOAT32 * 10, s -> blocks(s, op, size[0], size[1]));
                    row(op, FLOAT32 * 10, s -> blocks(s, op, 2, size[0], size[1]));
                }
        for (long[] ids : new long[][] {{}, {4}, {2, 3}})
            for (int columns : new int[] {32, 96}) {
                Op op = new Op.GatherBlockQuantized(8, 32, 0, 1);
                row(op, FLOAT32, s -> s.out(op, s.g.initializer("q", s.bytes(7, columns)), s.in("ids", s.below(0, 7, ids)),
                        s.constant("scales", 7, columns / 32)));
            }
    }

    private static void blocks(Sketch s, Op.MatMulNBits op, long... sizes) {
        int k = (int) op.k();
        int blocks = (k + 31) / 32;
        Tensor x = Tensor.ofFloat32(s.normal(sizes), sizes);
        Tensor q = s.bytes(op.n(), blocks, 4L * op.bits());
        float[] sc = s.normal(op.n(), blocks);
        for (int i = 0; i < sc.length; i++) sc[i] /= 1 << op.bits() - 1;
        Tensor scales = Tensor.ofFloat32(sc, op.n(), blocks);
        s.out(op, s.in("x", x), s.g.initializer("q", q), s.g.initializer("scales", scales));
        if (op.accuracyLevel() == 4 && !System.getProperty("os.arch").equals("amd64")) s.slack = rounding(x, k, (int) op.n(),
                Reference.dequantised(op, Reference.Array.of(q), Reference.Array.of(scales)));
    }

    /// How far two ways to round each block of a row of x to −127 … 127 of its largest magnitude can be apart: the operator
    /// says "can be quantized", and kernels for other processors than x86-64 were not compared number by number.
    private static double[] rounding(Tensor x, int k, int n, Reference.Array w) {
        float[] values = x.toFloats();
        double[] slack = new double[values.length / k * n];
        for (int i = 0; i < slack.length; i++)
            for (int block = 0; block < k; block += 32) {
                double most = 0;
                double weights = 0;
                for (int j = block; j < Math.min(k, block + 32); j++) {
                    most = Math.max(most, Math.abs(values[i / n * k + j]));
                    weights += Math.abs(w.at(i % n, j));
                }
                slack[i] += most / 127 * weights;
            }
        return slack;
    }

    /// How keys and values reach the operator, and where they are kept.
    ///
    /// @param past positions filled before the run, row by row
    /// @param capacity of the cache; 0: pasts as long as they are filled, and presents of their own
    /// @param bias rows and heads of what is added to the scores; empty for none
    /// @param turned how many of a head's numbers turn
    /// @param shift by how much the positions that an input gives are greater than those in the cache; 0: there is no such input
    private record Attention(String label, Op.GroupQueryAttention op, int dim, int sequence, int[] past, int capacity,
            boolean packed, int[] bias, int turned, int shift) {
        static Attention of(String label, int sequence, int[] past, int capacity) {
            return new Attention(label, new Op.GroupQueryAttention(4, 2, true, false, -1, 0), 16, sequence, past, capacity, true,
                    new int[0], 16, 0);
        }

        Attention heads(int heads, int kvHeads, int dim) {
            return with(new Op.GroupQueryAttention(heads, kvHeads, true, false, -1, 0), dim, packed);
        }

        Attention separate() {
            return with(op, dim, false);
        }

        Attention turning(boolean rotary, boolean interleaved) {
            return with(new Op.GroupQueryAttention(4, 2, rotary, interleaved, -1, 0), dim, packed);
        }

        Attention window(int window) {
            return with(new Op.GroupQueryAttention(4, 2, true, false, window, 0), dim, packed);
        }

        Attention scale(float scale) {
            return with(new Op.GroupQueryAttention(4, 2, op.doRotary(), false, -1, scale), dim, packed);
        }

        Attention bias(int rows, int heads) {
            return new Attention(label, op, dim, sequence, past, capacity, packed, new int[] {rows, heads}, turned, shift);
        }

        private Attention with(Op.GroupQueryAttention op, int dim, boolean packed) {
            return new Attention(label, op, dim, sequence, past, capacity, packed, bias, dim, shift);
        }

        Attention part(int turned) {
            return new Attention(label, op, dim, sequence, past, capacity, packed, bias, turned, shift);
        }

        Attention shifted(int shift) {
            return new Attention(label, op, dim, sequence, past, capacity, packed, bias, turned, shift);
        }
    }

    private void attention() {
        int[] fresh = {0, 0};
        attention(Attention.of("a prompt, two rows, shared buffer", 5, fresh, 8));
        attention(Attention.of("a prompt, buffer just large enough", 8, fresh, 8));
        attention(Attention.of("a prompt, presents of their own", 5, fresh, 0));
        attention(Attention.of("a prompt of one", 1, fresh, 8));
        attention(Attention.of("one more, rows with pasts of their own", 1, new int[] {4, 2, 7}, 10));
        attention(Attention.of("one more, presents of their own", 1, new int[] {4, 4}, 0));
        attention(Attention.of("three more behind a past", 3, new int[] {4}, 12));
        attention(Attention.of("three more behind a past, presents of their own", 3, new int[] {4}, 0));
        attention(Attention.of("a prompt whose second row is padded on the right", 5, new int[] {0, -2}, 8));
        attention(Attention.of("as many heads for keys", 3, fresh, 8).heads(3, 3, 16));
        attention(Attention.of("one head for keys", 1, new int[] {5, 3}, 8).heads(4, 1, 32));
        attention(Attention.of("a long past", 1, new int[] {199, 57}, 256).heads(6, 2, 64));
        attention(Attention.of("separate q, k, v", 5, fresh, 8).separate());
        attention(Attention.of("separate q, k, v, one more", 1, new int[] {4, 2}, 8).separate());
        attention(Attention.of("no positions", 5, fresh, 8).turning(false, false));
        attention(Attention.of("no positions, three more", 3, new int[] {2}, 8).turning(false, false));
        attention(Attention.of("interleaved", 5, fresh, 8).turning(true, true));
        attention(Attention.of("interleaved, one more", 1, new int[] {4, 2}, 8).turning(true, true));
        for (int window : new int[] {1, 3, 100}) {
            attention(Attention.of("window of " + window, 6, fresh, 8).window(window));
            attention(Attention.of("window of " + window + ", one more", 1, new int[] {6, 3}, 8).window(window));
            attention(Attention.of("window of " + window + ", three more", 3, new int[] {4}, 8).window(window));
        }
        for (int turned : new int[] {16, 48}) {
            attention(Attention.of(turned + " of a head turn", 5, fresh, 8).heads(4, 2, 64).part(turned));
            attention(Attention.of(turned + " of a head turn, one more", 1, new int[] {4, 2}, 8).heads(4, 2, 64).part(turned));
        }
        attention(Attention.of("positions given", 5, fresh, 8).shifted(3));
        attention(Attention.of("positions given, one more", 1, new int[] {4, 2}, 8).shifted(3));
        attention(Attention.of("positions given, three more", 3, new int[] {4}, 12).shifted(3));
        attention(Attention.of("scale of 0.3", 5, fresh, 8).scale(0.3f));
        attention(Attention.of("scale of 0.3, one more", 1, new int[] {4, 2}, 8).scale(0.3f));
        for (int heads : new int[] {1, 4})
            for (int rows : new int[] {1, 2}) {
                String label = "bias of " + rows + " rows and " + heads + " heads";
                attention(Attention.of(label, 5, fresh, 8).turning(false, false).bias(rows, heads));
                attention(Attention.of(label + ", one more", 1, new int[] {4, 4}, 8).turning(false, false).bias(rows, heads));
            }
        attention(Attention.of("bias and scale, one more", 1, new int[] {9}, 16).turning(false, false).bias(1, 4).scale(1));
        for (int keys : new int[] {5, 40})
            for (float scale : new float[] {0, 1}) {
                Op op = new Op.MultiHeadAttention(3, scale);
                row(op, FLOAT32, s -> s.out(op, s.x("q", 2, 4, 36), s.x("k", 2, keys, 36), s.x("v", 2, keys, 36)));
                row(op, FLOAT32, s -> s.out(op, s.x("q", 2, 1, 36), s.x("k", 2, keys, 36), s.x("v", 2, keys, 30), Value.ABSENT,
                        mask(s, keys)));
                row(op, FLOAT32, s -> s.out(op, s.x("q", 2, 4, 36), s.x("k", 2, 3, keys, 12), s.x("v", 2, 3, keys, 12)));
                row(op, FLOAT32, s -> s.out(op, s.x("q", 2, 1, 36), s.x("k", 2, 3, keys, 12), s.x("v", 2, 3, keys, 12),
                        Value.ABSENT, mask(s, keys)));
                for (long[] bias : new long[][] {{1, 3, 4, keys}, {2, 3, 4, keys}, {1, 1, 4, keys}}) {
                    row(op, FLOAT32, s -> s.out(op, s.x("q", 2, 4, 36), s.x("k", 2, keys, 36), s.x("v", 2, keys, 36),
                            Value.ABSENT, Value.ABSENT, s.x("bias", bias)));
                    row(op, FLOAT32, s -> s.out(op, s.x("q", 2, 4, 36), s.x("k", 2, keys, 36), s.x("v", 2, keys, 36),
                            Value.ABSENT, mask(s, keys), s.x("bias", bias)));
                }
            }
    }

    private static Value mask(Sketch s, int keys) {
        int[] seen = s.random.ints(2L * keys, 0, 2).toArray();
        seen[0] = seen[keys] = 1;
        return s.in("mask", Tensor.ofInt32(seen, 2, keys));
    }

    private void attention(Attention a) {
        row(Op.GroupQueryAttention.class, a.label(), FLOAT32, s -> {
            int batch = a.past().length;
            long width = (long) a.op().numHeads() * a.dim();
            int kvHeads = a.op().kvNumHeads();
            long kvWidth = (long) kvHeads * a.dim();
            int[] seqlensK = new int[batch];
            int total = 0;
            for (int b = 0; b < batch; b++) {
                seqlensK[b] = a.past()[b] + a.sequence() - 1;
                total = Math.max(total, seqlensK[b] + 1);
            }
            long held = a.capacity() > 0 ? a.capacity() : a.past()[0];
            Value q = s.x("q", batch, a.sequence(), a.packed() ? width + 2 * kvWidth : width);
            Value k = a.packed() ? Value.ABSENT : s.x("k", batch, a.sequence(), kvWidth);
            Value v = a.packed() ? Value.ABSENT : s.x("v", batch, a.sequence(), kvWidth);
            Shape cache = Shape.named("batch", kvHeads, "capacity", a.dim());
            Value pastKey = s.x("past_key", cache, batch, kvHeads, held, a.dim());
            Value pastValue = s.x("past_value", cache, batch, kvHeads, held, a.dim());
            List<Value> in = new ArrayList<>(List.of(q, k, v, pastKey, pastValue,
                    s.in("seqlens_k", Tensor.ofInt32(seqlensK, batch)), s.in("total", Tensor.ofInt32(new int[] {total}))));
            if (a.op().doRotary()) {
                int pairs = a.turned() / 2;
                int rows = total + 2 + a.shift();
                float[] cos = new float[rows * pairs];
                float[] sin = new float[rows * pairs];
                for (int i = 0; i < cos.length; i++) {
                    double angle = i / pairs * Math.pow(100, -1.0 * (i % pairs) / pairs);
                    cos[i] = (float) Math.cos(angle);
                    sin[i] = (float) Math.sin(angle);
                }
                in.add(s.g.initializer("cos", Tensor.ofFloat32(cos, rows, pairs)));
                in.add(s.g.initializer("sin", Tensor.ofFloat32(sin, rows, pairs)));
            }
            if (a.shift() > 0) {
                long[] positions = new long[batch * a.sequence()];
                for (int i = 0; i < positions.length; i++)
                    positions[i] = a.past()[i / a.sequence()] + i % a.sequence() + a.shift();
                in.add(s.in("position_ids", Tensor.ofInt64(positions, batch, a.sequence())));
            }
            if (a.bias().length > 0) {
                while (in.size() < 10) in.add(Value.ABSENT);
                in.add(s.x("bias", a.bias()[0], a.bias()[1], a.sequence(), total));
            }
            s.out(a.op(), in.toArray(Value[]::new));
            if (a.capacity() > 0) {
                s.inPlace.put("y1", "past_key");
                s.inPlace.put("y2", "past_value");
            }
        });
    }
}
