package fewsh.graph;

import fewsh.tensor.DType;
import fewsh.tensor.Dim;
import fewsh.tensor.Shape;
import fewsh.tensor.ShapeException;
import fewsh.tensor.Tensor;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/// What each operator makes of its inputs: dtype and shape, one case an operator.
final class Shapes {
    /// What an operator makes.
    record Made(DType dtype, Shape shape) {}

    private Shapes() {}

    /// @param in the inputs; a left-out one is [Value#ABSENT]
    /// @param constants the contents of an input that is an initializer, for the operators whose result depends on them
    /// @return one entry an output; empty where an optional output is not made
    /// @throws ShapeException naming operator and inputs
    static List<Optional<Made>> of(Op op, List<Value> in, Function<Value, Optional<Tensor>> constants) {
        try {
            return infer(op, in, constants);
        } catch (ShapeException e) {
            throw new ShapeException(op.type() + ": " + e.getMessage() + "; inputs " + in);
        }
    }

    private static List<Optional<Made>> infer(Op op, List<Value> in, Function<Value, Optional<Tensor>> constants) {
        Value x = in.getFirst();
        return switch (op) {
            case Op.Add _, Op.Sub _, Op.Mul _, Op.Div _ -> one(same(x, in.get(1)), x.shape().broadcast(in.get(1).shape()));
            case Op.Abs _, Op.Sigmoid _, Op.Tanh _, Op.Relu _, Op.Gelu _, Op.QuickGelu _ -> one(x.dtype(), x.shape());
            case Op.ReduceMax(boolean keepdims) -> one(x.dtype(), reduced(x.shape(), longs(in.get(1), constants), keepdims));
            case Op.QuantizeLinear() -> one(in.get(2).dtype(), x.shape());
            case Op.MatMulIntegerToFloat() -> one(in.get(2).dtype(), product(x.shape(), in.get(1).shape()));
            case Op.CumSum _ -> one(x.dtype(), x.shape());
            case Op.Equal() -> {
                same(x, in.get(1));
                yield one(DType.BOOL, x.shape().broadcast(in.get(1).shape()));
            }
            case Op.Softmax(int axis) -> {
                x.shape().axis(axis);
                yield one(x.dtype(), x.shape());
            }
            case Op.LogSoftmax(int axis) -> {
                x.shape().axis(axis);
                yield one(x.dtype(), x.shape());
            }
            case Op.Cast(DType to) -> one(to, x.shape());
            case Op.Shape() -> one(DType.INT64, Shape.of(x.shape().rank()));
            case Op.MatMul() -> one(same(x, in.get(1)), product(x.shape(), in.get(1).shape()));
            case Op.FusedMatMul(boolean transA, boolean transB) -> one(same(x, in.get(1)),
                    product(transA ? swapped(x.shape()) : x.shape(), transB ? swapped(in.get(1).shape()) : in.get(1).shape()));
            case Op.Gemm(boolean transB) -> {
                Shape y = product(x.shape(), transB ? swapped(in.get(1).shape()) : in.get(1).shape());
                if (y.rank() != 2) throw new ShapeException("takes matrices");
                if (in.size() > 2 && !y.broadcast(in.get(2).shape()).equals(y)) throw new ShapeException("c does not fit " + y);
                yield one(same(x, in.get(1)), y);
            }
            case Op.Conv(var strides, var pads) -> one(same(x, in.get(1)), filtered(in, strides, pads));
            case Op.Gather(int axis) -> one(x.dtype(), gathered(x.shape(), axis, in.get(1).shape()));
            case Op.GatherBlockQuantized(int bits, _, int gatherAxis, _) -> {
                if (bits != 8) throw new ShapeException("only 8 bits are stored one value a byte");
                yield one(in.get(2).dtype(), gathered(x.shape(), gatherAxis, in.get(1).shape()));
            }
            case Op.Reshape() -> one(x.dtype(), reshaped(x.shape(), longs(in.get(1), constants)));
            case Op.Transpose(var perm) -> {
                if (!perm.stream().sorted().toList().equals(IntStream.range(0, x.shape().rank()).boxed().toList()))
                    throw new ShapeException("perm " + perm + " must have each axis once");
                yield one(x.dtype(), new Shape(perm.stream().map(i -> x.shape().dim(i)).toList()));
            }
            case Op.Concat(int axis) -> one(x.dtype(), concat(in, axis));
            case Op.Split(int axis) -> {
                long[] sizes = longs(in.get(1), constants);
                long sum = 0;
                for (long size : sizes) sum += size;
                if (sum != x.shape().size(axis)) throw new ShapeException("pieces add up to " + sum);
                List<Optional<Made>> pieces = new ArrayList<>();
                for (long size : sizes) pieces.add(Optional.of(new Made(x.dtype(), x.shape().with(axis, Dim.of(size)))));
                yield pieces;
            }
            case Op.ReduceSum(boolean keepdims) -> one(x.dtype(), reduced(x.shape(), longs(in.get(1), constants), keepdims));
            case Op.LayerNormalization _, Op.SimplifiedLayerNormalization _ -> {
                expect(in.get(1).shape(), x.shape().dim(-1));
                if (in.size() > 2) expect(in.get(2).shape(), x.shape().dim(-1));
                yield one(x.dtype(), x.shape());
            }
            case Op.SkipLayerNormalization _, Op.SkipSimplifiedLayerNormalization _ -> {
                if (!x.shape().equals(in.get(1).shape())) throw new ShapeException("the two summands differ");
                for (Value weight : in.subList(2, in.size())) expect(weight.shape(), x.shape().dim(-1));
                Optional<Made> made = Optional.of(new Made(x.dtype(), x.shape()));
                yield List.of(made, Optional.empty(), Optional.empty(), made);
            }
            case Op.MatMulNBits(long k, long n, int bits, int blockSize, _) -> {
                long blocks = (k + blockSize - 1) / blockSize;
                if (!x.shape().dim(-1).equals(Dim.of(k))) throw new ShapeException("last axis of x must be " + k);
                if (in.get(1).shape().count() != n * blocks * blockSize * bits / 8)
                    throw new ShapeException("quantised matrix must hold " + n + " × " + k + " values of " + bits + " bits");
                if (in.get(2).shape().count() != n * blocks) throw new ShapeException("there must be " + n * blocks + " scales");
                yield one(x.dtype(), x.shape().with(-1, Dim.of(n)));
            }
            case Op.GroupQueryAttention(int heads, int kvHeads, _, _, _, _) -> {
                Shape past = in.get(3).shape();
                long headDim = past.size(3);
                boolean packed = in.get(1).isAbsent();
                long width = packed ? (heads + 2L * kvHeads) * headDim : heads * headDim;
                if (!x.shape().dim(-1).equals(Dim.of(width)))
                    throw new ShapeException("last axis of the first input must be " + width + " for " + heads + " heads of "
                            + headDim + " and " + kvHeads + " for keys and values");
                Optional<Made> present = Optional.of(new Made(in.get(3).dtype(), past.with(2, Dim.of("total"))));
                yield List.of(Optional.of(new Made(x.dtype(), x.shape().with(-1, Dim.of(heads * headDim)))), present, present);
            }
            case Op.MultiHeadAttention(int heads, _) -> {
                long width = headWidth(in.get(1).shape(), heads);
                if (!x.shape().dim(-1).equals(Dim.of(width)))
                    throw new ShapeException("last axis of q must be " + width + ", as that of k over all heads is");
                yield one(x.dtype(), x.shape().with(-1, Dim.of(headWidth(in.get(2).shape(), heads))));
            }
        };
    }

    /// The width of all heads together.
    private static long headWidth(Shape s, int heads) {
        if (s.rank() == 4 && !s.dim(1).equals(Dim.of(heads))) throw new ShapeException(s + " is not of " + heads + " heads");
        if (s.rank() == 4) return heads * s.size(3);
        if (s.size(-1) % heads != 0) throw new ShapeException(s.size(-1) + " is not a multiple of " + heads + " heads");
        return s.size(-1);
    }

    private static List<Optional<Made>> one(DType dtype, Shape shape) {
        return List.of(Optional.of(new Made(dtype, shape)));
    }

    private static DType same(Value a, Value b) {
        if (a.dtype() != b.dtype()) throw new ShapeException("dtypes differ");
        return a.dtype();
    }

    private static void expect(Shape weight, Dim width) {
        if (weight.rank() != 1 || !weight.dim(0).equals(width))
            throw new ShapeException("weight is " + weight + ", the last axis of x is " + width);
    }

    private static Shape swapped(Shape s) {
        return s.with(-1, s.dim(-2)).with(-2, s.dim(-1));
    }

    private static Shape product(Shape a, Shape b) {
        if (a.rank() < 2 || b.rank() < 2) throw new ShapeException("takes matrices");
        if (!a.dim(-1).equals(b.dim(-2)))
            throw new ShapeException("last axis of a is " + a.dim(-1) + ", first axis of b is " + b.dim(-2));
        Shape batch = new Shape(a.dims().subList(0, a.rank() - 2)).broadcast(new Shape(b.dims().subList(0, b.rank() - 2)));
        List<Dim> dims = new ArrayList<>(batch.dims());
        dims.add(a.dim(-2));
        dims.add(b.dim(-1));
        return new Shape(dims);
    }

    private static Shape filtered(List<Value> in, List<Integer> strides, List<Integer> pads) {
        Shape x = in.getFirst().shape();
        Shape w = in.get(1).shape();
        int axes = strides.size();
        if (axes == 0 || x.rank() != axes + 2 || w.rank() != axes + 2 || pads.size() != 2 * axes)
            throw new ShapeException("x and w must have " + (axes + 2) + " axes for " + strides + ", and " + 2 * axes + " pads");
        if (!x.dim(1).equals(w.dim(1))) throw new ShapeException("x has " + x.dim(1) + " channels, w has " + w.dim(1));
        if (in.size() > 2) expect(in.get(2).shape(), w.dim(0));
        List<Dim> dims = new ArrayList<>(List.of(x.dim(0), w.dim(0)));
        for (int i = 0; i < axes; i++) {
            long room = x.size(i + 2) + pads.get(i) + pads.get(axes + i) - w.size(i + 2);
            if (room < 0 || strides.get(i) < 1) throw new ShapeException("axis " + (i + 2) + " is too short for the filters");
            dims.add(Dim.of(room / strides.get(i) + 1));
        }
        return new Shape(dims);
    }

    private static Shape gathered(Shape data, int axis, Shape indices) {
        List<Dim> dims = new ArrayList<>(data.dims().subList(0, data.axis(axis)));
        dims.addAll(indices.dims());
        dims.addAll(data.dims().subList(data.axis(axis) + 1, data.rank()));
        return new Shape(dims);
    }

    /// 0 keeps an axis, −1 stands for what is left; left over symbols give a symbol made of them.
    private static Shape reshaped(Shape from, long[] to) {
        List<Dim> dims = new ArrayList<>();
        List<Dim> left = new ArrayList<>(from.dims());
        long known = 1;
        if (Arrays.stream(to).anyMatch(size -> size < -1) || Arrays.stream(to).filter(size -> size == -1).count() > 1)
            throw new ShapeException("cannot reshape to " + Arrays.toString(to) + ": sizes, 0 and one -1 are allowed");
        for (int i = 0; i < to.length; i++) {
            Dim dim = to[i] == 0 ? from.dim(i) : to[i] == -1 ? null : Dim.of(to[i]);
            dims.add(dim);
            if (dim instanceof Dim.Symbol) left.remove(dim);
            else if (dim instanceof Dim.Fixed(long size)) known *= size;
        }
        List<String> symbols = left.stream().filter(d -> d instanceof Dim.Symbol).map(Dim::toString).toList();
        long rest = 1;
        for (Dim dim : left) if (dim instanceof Dim.Fixed(long size)) rest *= size;
        if (known == 0 || rest % known != 0) throw new ShapeException("cannot reshape to " + Arrays.toString(to));
        String size = rest / known == 1 ? "" : rest / known + "*";
        Dim inferred = symbols.isEmpty() ? Dim.of(rest / known) : Dim.of(size + String.join("*", symbols));
        if (!dims.contains(null) && (!symbols.isEmpty() || rest != known))
            throw new ShapeException("cannot reshape to " + Arrays.toString(to));
        dims.replaceAll(d -> d == null ? inferred : d);
        return new Shape(dims);
    }

    private static Shape concat(List<Value> in, int axis) {
        Shape first = in.getFirst().shape();
        long sum = 0;
        for (Value v : in) {
            same(v, in.getFirst());
            if (!v.shape().with(axis, Dim.of(0)).equals(first.with(axis, Dim.of(0)))) throw new ShapeException("shapes differ");
            sum += v.shape().size(axis);
        }
        return first.with(axis, Dim.of(sum));
    }

    /// No axes at all means every axis.
    private static Shape reduced(Shape shape, long[] axes, boolean keepdims) {
        List<Dim> dims = new ArrayList<>(shape.dims());
        if (axes.length == 0) axes = LongStream.range(0, shape.rank()).toArray();
        for (long axis : axes) dims.set(shape.axis((int) axis), keepdims ? Dim.of(1) : null);
        dims.removeIf(d -> d == null);
        return new Shape(dims);
    }

    private static long[] longs(Value v, Function<Value, Optional<Tensor>> constants) {
        Tensor t = constants.apply(v).filter(c -> c.dtype() == DType.INT64)
                .orElseThrow(() -> new ShapeException(v.name() + " must be an int64 initializer"));
        return t.data().toArray(ValueLayout.JAVA_LONG_UNALIGNED);
    }
}
