package fewsh.graph;

import fewsh.tensor.DType;
import fewsh.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.DoubleBinaryOperator;
import java.util.function.DoubleUnaryOperator;
import java.util.function.IntToDoubleFunction;

/// What a graph computes, in float64 over plain arrays: as simple and as slow as can be, to compare runtimes with.
///
/// Written from the operators' specifications. Where they leave a number open (padding), it is NaN here.
/// Source: Operators.md of onnx/onnx, ContribOperators.md of microsoft/onnxruntime.
public final class Reference {
    private Reference() {}

    /// Row-major numbers of any dtype; integers up to 2⁵³ are exact.
    public record Array(int[] sizes, double[] values) {
        public Array {
            if (count(sizes) != values.length)
                throw new IllegalArgumentException(Arrays.toString(sizes) + " of " + values.length);
        }

        static Array of(int[] sizes, IntToDoubleFunction value) {
            double[] values = new double[count(sizes)];
            for (int i = 0; i < values.length; i++) values[i] = value.applyAsDouble(i);
            return new Array(sizes, values);
        }

        public static Array of(Tensor t) {
            MemorySegment data = t.data();
            int[] sizes = Arrays.stream(t.shape().sizes()).mapToInt(Math::toIntExact).toArray();
            return of(sizes, i -> switch (t.dtype()) {
                case FLOAT32 -> data.get(ValueLayout.JAVA_FLOAT_UNALIGNED, 4L * i);
                case FLOAT64 -> data.get(ValueLayout.JAVA_DOUBLE_UNALIGNED, 8L * i);
                case FLOAT16 -> Float.float16ToFloat(data.get(ValueLayout.JAVA_SHORT_UNALIGNED, 2L * i));
                case BFLOAT16 -> Float.intBitsToFloat(data.get(ValueLayout.JAVA_SHORT_UNALIGNED, 2L * i) << 16);
                case INT64 -> data.get(ValueLayout.JAVA_LONG_UNALIGNED, 8L * i);
                case INT32 -> data.get(ValueLayout.JAVA_INT_UNALIGNED, 4L * i);
                case INT8 -> data.get(ValueLayout.JAVA_BYTE, i);
                case UINT8, BOOL -> data.get(ValueLayout.JAVA_BYTE, i) & 0xff;
            });
        }

        double at(int... index) {
            int flat = 0;
            for (int axis = 0; axis < sizes.length; axis++) flat = flat * sizes[axis] + index[axis];
            return values[flat];
        }

        int rank() {
            return sizes.length;
        }

        /// The size of axis `i`, counted from the end when negative.
        int size(int i) {
            return sizes[axis(i)];
        }

        int axis(int i) {
            return i < 0 ? i + sizes.length : i;
        }

        int[] index(int flat) {
            int[] index = new int[sizes.length];
            for (int axis = sizes.length - 1; axis >= 0; axis--) {
                index[axis] = flat % sizes[axis];
                flat /= sizes[axis];
            }
            return index;
        }

        /// The element that stands at `index` of a larger shape to which this one is broadcast.
        double broadcastAt(int[] index) {
            int[] own = new int[rank()];
            for (int i = 0; i < own.length; i++) own[i] = sizes[i] == 1 ? 0 : index[index.length - own.length + i];
            return at(own);
        }
    }

    private static int count(int[] sizes) {
        return Arrays.stream(sizes).reduce(1, Math::multiplyExact);
    }

    /// The outputs of `graph` by name.
    public static SequencedMap<String, Array> run(Graph graph, Map<String, Tensor> in) {
        Map<String, Array> known = new HashMap<>();
        graph.initializers().forEach((name, t) -> known.put(name, Array.of(t)));
        in.forEach((name, t) -> known.put(name, Array.of(t)));
        for (Node node : graph.nodes()) {
            List<Array> made = apply(node.op(),
                    node.inputs().stream().map(v -> v.isAbsent() ? null : known.get(v.name())).toList());
            for (int i = 0; i < node.outputs().size(); i++)
                if (!node.outputs().get(i).isAbsent()) known.put(node.outputs().get(i).name(), made.get(i));
        }
        SequencedMap<String, Array> out = new LinkedHashMap<>();
        for (Value v : graph.outputs()) out.put(v.name(), known.get(v.name()));
        return out;
    }

    /// @param in null where an optional input is left out
    private static List<Array> apply(Op op, List<Array> in) {
        Array x = in.getFirst();
        return switch (op) {
            case Op.Add() -> List.of(binary(x, in.get(1), (a, b) -> a + b));
            case Op.Sub() -> List.of(binary(x, in.get(1), (a, b) -> a - b));
            case Op.Mul() -> List.of(binary(x, in.get(1), (a, b) -> a * b));
            case Op.Sigmoid() -> List.of(unary(x, Reference::sigmoid));
            case Op.Tanh() -> List.of(unary(x, Math::tanh));
            case Op.Relu() -> List.of(unary(x, a -> Math.max(a, 0)));
            case Op.Gelu(var approximate) when approximate.equals("tanh") -> List.of(unary(x,
                    a -> 0.5 * a * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (a + 0.044715 * a * a * a)))));
            case Op.Gelu(_) -> List.of(unary(x, a -> 0.5 * a * (1 + erf(a / Math.sqrt(2)))));
            case Op.QuickGelu(float alpha) -> List.of(unary(x, a -> a * sigmoid(alpha * a)));
            case Op.Shape() -> List.of(Array.of(new int[] {x.rank()}, i -> x.size(i)));
            case Op.Cast(DType to) -> List.of(unary(x, a -> cast(a, to)));
            case Op.MatMul() -> List.of(product(x, in.get(1)));
            case Op.FusedMatMul(boolean transA, boolean transB) ->
                    List.of(product(transA ? swapped(x) : x, transB ? swapped(in.get(1)) : in.get(1)));
            case Op.Gemm(boolean transB) -> {
                Array y = product(x, transB ? swapped(in.get(1)) : in.get(1));
                yield List.of(in.size() > 2 ? binary(y, in.get(2), (a, b) -> a + b) : y);
            }
            case Op.Conv(var strides, var pads) -> List.of(conv(in, strides, pads));
            case Op.Gather(int axis) -> List.of(gather(x, in.get(1), x.axis(axis)));
            case Op.Reshape() -> List.of(reshape(x, in.get(1)));
            case Op.Transpose(var perm) -> List.of(transpose(x, perm.stream().mapToInt(i -> i).toArray()));
            case Op.Concat(int axis) -> List.of(concat(in, x.axis(axis)));
            case Op.Split(int axis) -> split(x, in.get(1), x.axis(axis));
            case Op.Div() -> List.of(binary(x, in.get(1), (a, b) -> a / b));
            case Op.Abs() -> List.of(unary(x, Math::abs));
            case Op.ReduceMax(boolean keepdims) -> List.of(reduced(x, in.get(1), keepdims, Double.NEGATIVE_INFINITY, Math::max));
            case Op.QuantizeLinear() -> List.of(unary(x, a -> Math.clamp(Math.rint(a / in.get(1).values()[0]) + in.get(2).values()[0],
                    0, 255)));
            case Op.MatMulIntegerToFloat() -> List.of(product(unary(x, a -> (a - in.get(4).values()[0]) * in.get(2).values()[0]),
                    binary(binary(in.get(1), in.get(5), (a, b) -> a - b), in.get(3), (a, b) -> a * b)));
            case Op.CumSum(boolean exclusive) -> List.of(cumSum(x, x.axis((int) in.get(1).values()[0]), exclusive));
            case Op.Equal() -> List.of(binary(x, in.get(1), (a, b) -> a == b ? 1 : 0));
            case Op.ReduceSum(boolean keepdims) -> List.of(reduced(x, in.get(1), keepdims, 0, Double::sum));
            case Op.Softmax(int axis) -> List.of(softmax(x, x.axis(axis), false));
            case Op.LogSoftmax(int axis) -> List.of(softmax(x, x.axis(axis), true));
            case Op.LayerNormalization(float epsilon) -> norm(x, in.get(1), in.size() > 2 ? in.get(2) : null, true, epsilon);
            case Op.SimplifiedLayerNormalization(float epsilon) -> norm(x, in.get(1), null, false, epsilon);
            case Op.SkipLayerNormalization(float epsilon) -> {
                Array sum = binary(x, in.get(1), (a, b) -> a + b);
                if (in.size() > 4) sum = binary(sum, in.get(4), (a, b) -> a + b);
                List<Array> made = new ArrayList<>(norm(sum, in.get(2), in.size() > 3 ? in.get(3) : null, true, epsilon));
                made.add(sum);
                yield made;
            }
            case Op.SkipSimplifiedLayerNormalization(float epsilon) -> {
                Array sum = binary(x, in.get(1), (a, b) -> a + b);
                if (in.size() > 3) sum = binary(sum, in.get(3), (a, b) -> a + b);
                List<Array> made = new ArrayList<>(norm(sum, in.get(2), null, false, epsilon));
                made.add(sum);
                yield made;
            }
            case Op.MatMulNBits o -> List.of(product(o.accuracyLevel() == 4 ? rounded(x, o.blockSize()) : x,
                    swapped(dequantised(o, in.get(1), in.get(2)))));
            case Op.GatherBlockQuantized(int bits, int blockSize, int gatherAxis, int quantizeAxis) -> {
                Array scales = in.get(2);
                Array numbers = Array.of(x.sizes(), i -> {
                    int[] index = x.index(i);
                    index[x.axis(quantizeAxis)] /= blockSize;
                    return scales.at(index) * (x.values()[i] - (1 << bits - 1));
                });
                yield List.of(gather(numbers, in.get(1), x.axis(gatherAxis)));
            }
            case Op.GroupQueryAttention o -> attention(o, in);
            case Op.MultiHeadAttention o -> List.of(attention(o, in));
        };
    }

    private static Array unary(Array x, DoubleUnaryOperator f) {
        return Array.of(x.sizes(), i -> f.applyAsDouble(x.values()[i]));
    }

    private static Array binary(Array a, Array b, DoubleBinaryOperator f) {
        int[] sizes = broadcast(a.sizes(), b.sizes());
        Array shape = Array.of(sizes, _ -> 0);
        return Array.of(sizes, i -> f.applyAsDouble(a.broadcastAt(shape.index(i)), b.broadcastAt(shape.index(i))));
    }

    private static int[] broadcast(int[] a, int[] b) {
        int[] sizes = new int[Math.max(a.length, b.length)];
        for (int i = 0; i < sizes.length; i++) {
            int left = i < sizes.length - a.length ? 1 : a[i - sizes.length + a.length];
            int right = i < sizes.length - b.length ? 1 : b[i - sizes.length + b.length];
            if (left != right && left != 1 && right != 1) throw new IllegalArgumentException("cannot broadcast");
            sizes[i] = left == 1 ? right : left;
        }
        return sizes;
    }

    private static double sigmoid(double a) {
        return 1 / (1 + Math.exp(-a));
    }

    /// The Maclaurin series, whose terms stay below 1e7 for |a| < 4; beyond, 1 − |erf| is below 2e-8.
    private static double erf(double a) {
        if (Math.abs(a) > 4) return Math.signum(a);
        double sum = 0;
        double power = a;
        for (int n = 0; n < 200; n++) {
            sum += power / (2 * n + 1);
            power *= -a * a / (n + 1);
        }
        return 2 / Math.sqrt(Math.PI) * sum;
    }

    private static double cast(double a, DType to) {
        return switch (to) {
            case FLOAT64 -> a;
            case FLOAT32 -> (float) a;
            case FLOAT16 -> Float.float16ToFloat(Float.floatToFloat16((float) a));
            case BFLOAT16 -> {
                int bits = Float.floatToRawIntBits((float) a);
                yield Float.intBitsToFloat(bits + 0x7fff + (bits >> 16 & 1) & 0xffff0000);
            }
            case INT64 -> (long) a;
            case INT32 -> (int) (long) a;
            case INT8 -> (byte) (long) a;
            case UINT8 -> (long) a & 0xff;
            case BOOL -> a == 0 ? 0 : 1;
        };
    }

    private static Array swapped(Array x) {
        int[] perm = new int[x.rank()];
        for (int i = 0; i < perm.length; i++) perm[i] = i;
        perm[perm.length - 1] = perm.length - 2;
        perm[perm.length - 2] = perm.length - 1;
        return transpose(x, perm);
    }

    private static Array transpose(Array x, int[] perm) {
        Array shape = Array.of(Arrays.stream(perm).map(x::size).toArray(), _ -> 0);
        return Array.of(shape.sizes(), i -> {
            int[] to = shape.index(i);
            int[] from = new int[perm.length];
            for (int axis = 0; axis < perm.length; axis++) from[perm[axis]] = to[axis];
            return x.at(from);
        });
    }

    private static Array product(Array a, Array b) {
        int[] batch = broadcast(Arrays.copyOf(a.sizes(), a.rank() - 2), Arrays.copyOf(b.sizes(), b.rank() - 2));
        int[] sizes = Arrays.copyOf(batch, batch.length + 2);
        sizes[batch.length] = a.size(-2);
        sizes[batch.length + 1] = b.size(-1);
        Array shape = Array.of(sizes, _ -> 0);
        int inner = a.size(-1);
        return Array.of(sizes, i -> {
            int[] left = shape.index(i);
            int[] right = left.clone();
            double sum = 0;
            for (int k = 0; k < inner; k++) {
                left[left.length - 1] = k;
                right[right.length - 2] = k;
                sum += a.broadcastAt(left) * b.broadcastAt(right);
            }
            return sum;
        });
    }

    /// Each number of the result is the sum over everything under the filter; beyond the edges is nothing.
    private static Array conv(List<Array> in, List<Integer> strides, List<Integer> pads) {
        Array x = in.getFirst();
        Array w = in.get(1);
        int[] sizes = x.sizes().clone();
        sizes[1] = w.size(0);
        for (int i = 2; i < sizes.length; i++)
            sizes[i] = (x.size(i) + pads.get(i - 2) + pads.get(i - 2 + strides.size()) - w.size(i)) / strides.get(i - 2) + 1;
        int[] filter = w.sizes().clone();
        filter[0] = 1;
        Array window = Array.of(filter, i -> i);
        Array y = Array.of(sizes, i -> i);
        return Array.of(sizes, flat -> {
            int[] at = y.index(flat);
            double sum = in.size() > 2 ? in.get(2).at(at[1]) : 0;
            for (int f = 0; f < window.values().length; f++) {
                int[] offset = window.index(f);
                int[] from = offset.clone();
                from[0] = at[0];
                boolean inside = true;
                for (int i = 2; i < from.length; i++) {
                    from[i] = at[i] * strides.get(i - 2) - pads.get(i - 2) + offset[i];
                    inside &= from[i] >= 0 && from[i] < x.size(i);
                }
                offset[0] = at[1];
                if (inside) sum += x.at(from) * w.at(offset);
            }
            return sum;
        });
    }

    private static Array gather(Array data, Array indices, int axis) {
        List<Integer> sizes = new ArrayList<>();
        for (int i = 0; i < axis; i++) sizes.add(data.size(i));
        for (int size : indices.sizes()) sizes.add(size);
        for (int i = axis + 1; i < data.rank(); i++) sizes.add(data.size(i));
        Array shape = Array.of(ints(sizes), _ -> 0);
        return Array.of(shape.sizes(), i -> {
            int[] to = shape.index(i);
            int chosen = (int) indices.at(Arrays.copyOfRange(to, axis, axis + indices.rank()));
            int[] from = new int[data.rank()];
            for (int d = 0; d < axis; d++) from[d] = to[d];
            from[axis] = chosen < 0 ? chosen + data.size(axis) : chosen;
            for (int d = axis + 1; d < from.length; d++) from[d] = to[d - 1 + indices.rank()];
            return data.at(from);
        });
    }

    private static int[] ints(List<Integer> sizes) {
        return sizes.stream().mapToInt(i -> i).toArray();
    }

    private static Array reshape(Array x, Array to) {
        int[] sizes = new int[to.values().length];
        int known = 1;
        for (int i = 0; i < sizes.length; i++) {
            sizes[i] = to.values()[i] == 0 ? x.size(i) : (int) to.values()[i];
            if (sizes[i] != -1) known *= sizes[i];
        }
        for (int i = 0; i < sizes.length; i++) if (sizes[i] == -1) sizes[i] = x.values().length / known;
        return new Array(sizes, x.values());
    }

    private static Array concat(List<Array> parts, int axis) {
        int[] sizes = parts.getFirst().sizes().clone();
        sizes[axis] = parts.stream().mapToInt(p -> p.size(axis)).sum();
        Array shape = Array.of(sizes, _ -> 0);
        return Array.of(sizes, i -> {
            int[] index = shape.index(i);
            for (Array part : parts) {
                if (index[axis] < part.size(axis)) return part.at(index);
                index[axis] -= part.size(axis);
            }
            throw new AssertionError();
        });
    }

    private static List<Array> split(Array x, Array pieces, int axis) {
        List<Array> made = new ArrayList<>();
        int start = 0;
        for (double piece : pieces.values()) {
            int[] sizes = x.sizes().clone();
            sizes[axis] = (int) piece;
            Array shape = Array.of(sizes, _ -> 0);
            int from = start;
            made.add(Array.of(sizes, i -> {
                int[] index = shape.index(i);
                index[axis] += from;
                return x.at(index);
            }));
            start += (int) piece;
        }
        return made;
    }

    /// No axes at all means every axis, as `noop_with_empty_axes` is 0.
    private static Array cumSum(Array x, int axis, boolean exclusive) {
        return Array.of(x.sizes(), flat -> {
            int[] index = x.index(flat);
            int last = index[axis] - (exclusive ? 1 : 0);
            double sum = 0;
            for (index[axis] = 0; index[axis] <= last; index[axis]++) sum += x.at(index);
            return sum;
        });
    }

    private static Array reduced(Array x, Array axes, boolean keepdims, double first, DoubleBinaryOperator by) {
        boolean[] reduced = new boolean[x.rank()];
        for (double axis : axes.values()) reduced[x.axis((int) axis)] = true;
        if (axes.values().length == 0) Arrays.fill(reduced, true);
        int[] kept = x.sizes().clone();
        List<Integer> sizes = new ArrayList<>();
        for (int i = 0; i < kept.length; i++) {
            if (reduced[i]) kept[i] = 1;
            if (!reduced[i] || keepdims) sizes.add(kept[i]);
        }
        Array sums = Array.of(kept, _ -> first);
        for (int i = 0; i < x.values().length; i++) {
            int[] index = x.index(i);
            int to = 0;
            for (int axis = 0; axis < kept.length; axis++) to = to * kept[axis] + (reduced[axis] ? 0 : index[axis]);
            sums.values()[to] = by.applyAsDouble(sums.values()[to], x.values()[i]);
        }
        return new Array(ints(sizes), sums.values());
    }

    private static Array softmax(Array x, int axis, boolean log) {
        return Array.of(x.sizes(), i -> {
            int[] index = x.index(i);
            double most = Double.NEGATIVE_INFINITY;
            for (int j = 0; j < x.size(axis); j++) most = Math.max(most, along(x, index, axis, j));
            double sum = 0;
            for (int j = 0; j < x.size(axis); j++) sum += Math.exp(along(x, index, axis, j) - most);
            double logarithm = x.values()[i] - most - Math.log(sum);
            return log ? logarithm : Math.exp(logarithm);
        });
    }

    private static double along(Array x, int[] index, int axis, int j) {
        int[] moved = index.clone();
        moved[axis] = j;
        return x.at(moved);
    }

    /// Over the last axis.
    ///
    /// @param bias null for none
    /// @param centred whether the mean is taken off, as LayerNormalization does and RMS norm does not
    /// @return result, means, inverse standard deviations
    private static List<Array> norm(Array x, Array scale, Array bias, boolean centred, double epsilon) {
        int width = x.size(-1);
        int[] rows = x.sizes().clone();
        rows[rows.length - 1] = 1;
        Array mean = Array.of(rows, r -> {
            double sum = 0;
            for (int i = 0; i < width; i++) sum += x.values()[r * width + i];
            return centred ? sum / width : 0;
        });
        Array inverse = Array.of(rows, r -> {
            double sum = 0;
            for (int i = 0; i < width; i++) sum += Math.pow(x.values()[r * width + i] - mean.values()[r], 2);
            return 1 / Math.sqrt(sum / width + epsilon);
        });
        Array y = Array.of(x.sizes(), i -> (x.values()[i] - mean.values()[i / width]) * inverse.values()[i / width]
                * scale.values()[i % width] + (bias == null ? 0 : bias.values()[i % width]));
        return List.of(y, mean, inverse);
    }

    /// Each block of a row rounded to −127 … 127 times a scale, half to even.
    private static Array rounded(Array x, int blockSize) {
        int width = x.size(-1);
        return Array.of(x.sizes(), i -> {
            int block = i - i % width % blockSize;
            double most = 0;
            for (int j = block; j < Math.min(block + blockSize, i - i % width + width); j++)
                most = Math.max(most, Math.abs(x.values()[j]));
            return most == 0 ? 0 : Math.rint(x.values()[i] / most * 127) * most / 127;
        });
    }

    /// The matrix `(n, k)` that a MatMulNBits multiplies by; its zero point is the middle of the range.
    ///
    /// @param packed `(n, blocks, bytes)`; of two 4-bit numbers in a byte the first is the low half
    static Array dequantised(Op.MatMulNBits op, Array packed, Array scales) {
        int k = (int) op.k();
        int blocks = (k + op.blockSize() - 1) / op.blockSize();
        int bytes = op.blockSize() * op.bits() / 8;
        return Array.of(new int[] {(int) op.n(), k}, i -> {
            int block = i / k * blocks + i % k / op.blockSize();
            int within = i % k % op.blockSize();
            int value = (int) packed.values()[block * bytes + within * op.bits() / 8];
            if (op.bits() == 4) value = within % 2 == 0 ? value & 15 : value >> 4;
            return scales.values()[block] * (value - (1 << op.bits() - 1));
        });
    }

    /// Row by row, head by head, position by position. Presents are as long as the pasts where these have room for the new
    /// positions (a buffer that is shared), and longer by the new positions where not.
    private static List<Array> attention(Op.GroupQueryAttention op, List<Array> in) {
        Array query = in.getFirst();
        Array pastKey = in.get(3);
        Array pastValue = in.get(4);
        int batch = query.size(0);
        int sequence = query.size(1);
        int heads = op.numHeads();
        int kvHeads = op.kvNumHeads();
        int dim = pastKey.size(3);
        int total = (int) in.get(6).values()[0];
        int capacity = Math.max(pastKey.size(2), total);
        double scale = op.scale() == 0 ? 1 / Math.sqrt(dim) : op.scale();
        Array key = unknown(batch, kvHeads, capacity, dim);
        Array value = unknown(batch, kvHeads, capacity, dim);
        Array y = unknown(batch, sequence, heads * dim);
        for (int b = 0; b < batch; b++) {
            int filled = (int) in.get(5).values()[b] + 1;
            int past = sequence == total ? 0 : filled - sequence;       // a first prompt may be padded on the right
            for (int h = 0; h < kvHeads; h++)
                for (int position = 0; position < filled; position++) {
                    double[] k = position < past ? cached(pastKey, b, h, position)
                            : turned(op, in, b, position - past, position, in.get(1) == null ? query : in.get(1),
                                    in.get(1) == null ? heads + h : h, dim);
                    double[] v = position < past ? cached(pastValue, b, h, position)
                            : head(in.get(2) == null ? query : in.get(2), b, position - past,
                                    in.get(2) == null ? heads + kvHeads + h : h, dim);
                    int at = ((b * kvHeads + h) * capacity + position) * dim;
                    System.arraycopy(k, 0, key.values(), at, dim);
                    System.arraycopy(v, 0, value.values(), at, dim);
                }
            for (int h = 0; h < heads; h++)
                for (int s = 0; s < sequence && past + s < filled; s++) {
                    double[] q = turned(op, in, b, s, past + s, query, h, dim);
                    Array bias = in.size() > 10 ? in.get(10) : null;
                    double[] added = new double[past + s + 1];
                    for (int p = 0; bias != null && p < added.length; p++) added[p] = bias.broadcastAt(new int[] {b, h, s, p});
                    double[] seen = attend(q, key, value, b, h / (heads / kvHeads), op.localWindowSize(), scale, added);
                    System.arraycopy(seen, 0, y.values(), ((b * sequence + s) * heads + h) * dim, dim);
                }
        }
        return List.of(y, key, value);
    }

    private static Array attention(Op.MultiHeadAttention op, List<Array> in) {
        int heads = op.numHeads();
        Array query = byHeads(in.getFirst(), heads);
        Array key = byHeads(in.get(1), heads);
        Array value = byHeads(in.get(2), heads);
        Array mask = in.size() > 4 ? in.get(4) : null;
        Array bias = in.size() > 5 ? in.get(5) : null;
        int dim = value.size(3);
        double scale = op.scale() == 0 ? 1 / Math.sqrt(query.size(3)) : op.scale();
        Array y = unknown(query.size(0), query.size(2), heads * dim);
        for (int b = 0; b < query.size(0); b++)
            for (int h = 0; h < heads; h++)
                for (int s = 0; s < query.size(2); s++) {
                    double[] added = new double[key.size(2)];
                    for (int p = 0; p < added.length; p++) {
                        if (bias != null) added[p] = bias.broadcastAt(new int[] {b, h, s, p});
                        if (mask != null && mask.at(b, p) == 0) added[p] = Double.NEGATIVE_INFINITY;
                    }
                    double[] seen = attend(cached(query, b, h, s), key, value, b, h, -1, scale, added);
                    System.arraycopy(seen, 0, y.values(), ((b * query.size(2) + s) * heads + h) * dim, dim);
                }
        return y;
    }

    private static Array byHeads(Array x, int heads) {
        if (x.rank() == 4) return x;
        int[] split = {x.size(0), x.size(1), heads, x.size(2) / heads};
        return transpose(new Array(split, x.values()), new int[] {0, 2, 1, 3});
    }

    private static double[] attend(
            double[] q, Array key, Array value, int b, int kvHead, int window, double scale, double[] added) {
        int position = added.length - 1;
        int first = window < 0 ? 0 : Math.max(0, position - window + 1);
        double[] weights = new double[position + 1];
        double sum = 0;
        for (int p = first; p <= position; p++) {
            double dot = 0;
            for (int i = 0; i < q.length; i++) dot += q[i] * key.at(b, kvHead, p, i);
            weights[p] = Math.exp(scale * dot + added[p]);
            sum += weights[p];
        }
        double[] y = new double[value.size(3)];
        for (int p = first; p <= position; p++)
            for (int i = 0; i < y.length; i++) y[i] += weights[p] / sum * value.at(b, kvHead, p, i);
        return y;
    }

    private static Array unknown(int... sizes) {
        return Array.of(sizes, _ -> Double.NaN);
    }

    private static double[] cached(Array past, int b, int h, int position) {
        double[] x = new double[past.size(3)];
        for (int i = 0; i < x.length; i++) x[i] = past.at(b, h, position, i);
        return x;
    }

    private static double[] head(Array from, int b, int s, int head, int dim) {
        double[] x = new double[dim];
        for (int i = 0; i < dim; i++) x[i] = from.at(b, s, head * dim + i);
        return x;
    }

    /// The head, turned by its position: pairs are (i, i + dim/2), or (2i, 2i + 1) when interleaved.
    private static double[] turned(
            Op.GroupQueryAttention op, List<Array> in, int b, int s, int position, Array from, int head, int dim) {
        double[] x = head(from, b, s, head, dim);
        if (!op.doRotary()) return x;
        double[] y = x.clone();
        int pairs = in.get(7).size(1);
        if (in.size() > 9 && in.get(9) != null) position = (int) in.get(9).at(b, s);
        for (int i = 0; i < pairs; i++) {
            int left = op.rotaryInterleaved() ? 2 * i : i;
            int right = op.rotaryInterleaved() ? 2 * i + 1 : i + pairs;
            double cos = in.get(7).at(position, i);
            double sin = in.get(8).at(position, i);
            y[left] = x[left] * cos - x[right] * sin;
            y[right] = x[right] * cos + x[left] * sin;
        }
        return y;
    }
}
