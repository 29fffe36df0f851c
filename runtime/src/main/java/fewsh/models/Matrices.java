package fewsh.models;

import fewsh.graph.GraphBuilder;
import fewsh.graph.Op;
import fewsh.graph.Value;
import fewsh.tensor.DType;
import fewsh.tensor.Shape;
import fewsh.tensor.Tensor;
import fewsh.weights.Blocks;
import fewsh.weights.Encoding;
import fewsh.weights.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/// How a graph holds a checkpoint's matrices at a precision, and multiplies by them: in float32 as stored, or in blocks of
/// integers; several side by side as one.
class Matrices {
    private final GraphBuilder g;
    private final Checkpoint checkpoint;
    private final Precision precision;
    private final UnaryOperator<Tensor> keep;
    private final Set<LoraSlot> slots;
    private boolean batches;
    private final Map<Value, Value> blockSums = new HashMap<>();
    private final Map<String, Value> adapters = new HashMap<>();

    /// @param slots matrices beside which the graph takes low-rank ones
    Matrices(GraphBuilder g, Checkpoint checkpoint, Precision precision, UnaryOperator<Tensor> keep, Set<LoraSlot> slots) {
        this.g = g;
        this.checkpoint = checkpoint;
        this.precision = precision;
        this.keep = keep;
        this.slots = slots;
    }

    Value vector(String name, int size) {
        return matrix(name, size);
    }

    /// A norm's weights, whole.
    float[] vector(Norm norm, int size) {
        float[] weights = checkpoint.weight(norm.name() + ".weight", size).floats();
        if (norm.plusOne() && !checkpoint.isGguf()) for (int i = 0; i < size; i++) weights[i] += 1;
        return weights;
    }

    /// Rows of `name.weight`, `(vocab, width)`, looked up by `ids`.
    Value rows(String name, int vocab, int width, Value ids) {
        Weight weight = checkpoint.weight(name + ".weight", vocab, width);
        if (precision.bits(weight) == 8 && width % Blocks.BLOCK == 0 && !weight.encoding().hasMinimum()) {
            Held held = held(name, List.of(new Linear(name, vocab, width, false)));
            // initializers of their own over the same numbers: the head's are dropped once packed, and of these only the rows
            // that are looked up are ever read from the file
            Value rows = g.initializer(name + ".rows", new Tensor(DType.UINT8, Shape.of(vocab, width),
                    g.tensor(held.quants()).data()));
            Value scales = g.initializer(name + ".rowScales", new Tensor(DType.FLOAT32, Shape.of(vocab, width / Blocks.BLOCK),
                    g.tensor(held.scales()).data()));
            return g.apply(new Op.GatherBlockQuantized(8, Blocks.BLOCK, 0, 1), rows, ids, scales).getFirst();
        }
        return g.gather(matrix(name + ".weight", weight), ids, 0);
    }

    /// Whether matrices are held in one way, so that they can be stacked.
    boolean alike(List<Linear> linears) {
        return !adapted(linears) && linears.stream().map(l -> precision.bits(stored(l))).distinct().count() == 1
                && linears.stream().map(l -> stored(l).encoding().hasMinimum()).distinct().count() == 1;
    }

    /// One product with all matrices below one another: `(…, sum of rows)`.
    Value product(Value x, List<Linear> linears) {
        Value y = plain(x, linears);
        for (LoraSlot slot : slots)
            if (slot.linear().equals(linears.getFirst().name())) y = adapted(y, x, slot, linears.getFirst());
        return biased(y, linears);
    }

    /// Whether low-rank matrices go beside one of these, which then stands alone.
    boolean adapted(List<Linear> linears) {
        return slots.stream().anyMatch(s -> linears.stream().anyMatch(l -> l.name().equals(s.linear())));
    }

    /// y · gain + (x aᵀ) bᵀ with inputs of the graph, so that adapters change from run to run.
    private Value adapted(Value y, Value x, LoraSlot slot, Linear linear) {
        Value a = adapters.computeIfAbsent(slot.a(), n -> g.input(n, DType.FLOAT32, Shape.named(slot.linear() + ".rank", slot.columns())));
        Value b = adapters.computeIfAbsent(slot.b(), n -> g.input(n, DType.FLOAT32, Shape.named(slot.rows(), slot.linear() + ".rank")));
        if (slot.gain())
            y = g.mul(y, inOrder(adapters.computeIfAbsent(slot.gains(), n -> g.input(n, DType.FLOAT32, Shape.of(slot.rows()))), linear));
        return g.add(y, inOrder(g.matMulTransposed(g.matMulTransposed(x, a), b), linear));
    }

    /// The last axis from the order of published rows, which is that of adapters, to that which pages mean.
    private Value inOrder(Value x, Linear linear) {
        long[] order = IntStream.of(order(linear, false)).asLongStream().toArray();
        return Arrays.equals(order, LongStream.range(0, order.length).toArray()) ? x : g.gather(x, g.longs(order), -1);
    }

    private Value plain(Value x, List<Linear> linears) {
        Linear first = linears.getFirst();
        String name = names(linears);
        int bits = precision.bits(stored(first));
        if (bits == 8 && batches) return byteProduct(x, name, linears);
        if (bits != 32) return blockProduct(x, name, linears);
        if (linears.size() == 1 && first.conv1d() && !checkpoint.isGguf())
            return g.matMul(x, matrix(name + ".weight", stored(first)));   // (columns, rows) as stored
        if (linears.size() == 1 && first.order() == null)
            return g.matMulTransposed(x, matrix(name + ".weight", stored(first)));
        Value w = g.initializer(name + ".weight").orElseGet(() -> g.initializer(name + ".weight", stack(linears)));
        return g.matMulTransposed(x, w);
    }

    /// Adds the biases that there are.
    Value biased(Value y, List<Linear> linears) {
        if (linears.stream().noneMatch(Linear::bias)) return y;
        String name = names(linears) + ".bias";
        if (g.initializer(name).isPresent()) return g.add(y, g.initializer(name).orElseThrow());
        float[] all = new float[linears.stream().mapToInt(Linear::rows).sum()];
        int at = 0;
        for (Linear linear : linears) {
            if (linear.bias()) System.arraycopy(bias(linear), 0, all, at, linear.rows());
            at += linear.rows();
        }
        return g.add(y, g.initializer(name, Tensor.ofFloat32(all, all.length)));
    }

    /// A product with a matrix in blocks, x wᵀ with w = scale · (q − 2^(bits−1)) + offset: the operator does the first term,
    /// the sums of x over each block times the offsets the second.
    private Value blockProduct(Value x, String name, List<Linear> linears) {
        Held held = held(name, linears);
        Op op = new Op.MatMulNBits(held.columns(), held.rows(), held.bits(), Blocks.BLOCK, 4);
        Value y = g.apply(op, x, held.quants(), held.scales()).getFirst();
        if (held.offsets().isAbsent()) return y;
        return g.add(y, g.matMulTransposed(blockSums(x, held.columns()), held.offsets()));
    }

    /// A product with a matrix of bytes that has a scale for each of its rows: x is rounded to bytes too, each of its rows by the
    /// largest of its own numbers, so that no row depends on the others.
    ///
    /// In encoders a few numbers of a row are many times as large as the rest, which would leave the rest few levels. So each
    /// [Spread] of numbers is turned first, which gives all of them a part of each, in x and in the matrix: the product stays.
    private Value byteProduct(Value x, String name, List<Linear> linears) {
        Rounded r = rounded.computeIfAbsent(x, this::rounded);
        if (g.initializer(name + ".bytes").isEmpty()) bytes(name, linears);
        Value y = g.apply(new Op.MatMulIntegerToFloat(), r.bytes, g.initializer(name + ".bytes").orElseThrow(), step(),
                g.initializer(name + ".steps").orElseThrow(), middle(true), middle(!Precision.hasByteProducts())).getFirst();
        return g.mul(y, r.largest);
    }

    /// Rows of numbers as bytes: number / largest · 127 + 128.
    private record Rounded(Value bytes, Value largest) {}

    private final Map<Value, Rounded> rounded = new HashMap<>();

    private Rounded rounded(Value x) {
        Value spread = spread(x);
        Value largest = g.apply(new Op.ReduceMax(true), g.apply(new Op.Abs(), spread).getFirst(), g.longs(-1)).getFirst();
        Value within = g.apply(new Op.Div(), spread, largest).getFirst();
        return new Rounded(g.apply(new Op.QuantizeLinear(), within, step(), middle(true)).getFirst(), largest);
    }

    private Value spread(Value x) {
        int columns = (int) x.shape().size(-1);
        int size = Spread.size(columns);
        if (size == 1) return x;
        String name = "spread" + size;
        Value turn = g.initializer(name).orElseGet(() -> g.initializer(name, Tensor.ofFloat32(Spread.matrix(size), size, size)));
        boolean batch = x.shape().rank() == 3;
        Value parts = batch ? g.reshape(x, 0, 0, columns / size, size) : g.reshape(x, 0, columns / size, size);
        Value turned = g.matMul(parts, turn);
        return batch ? g.reshape(turned, 0, 0, columns) : g.reshape(turned, 0, columns);
    }

    private Value step() {
        return g.initializer("bytes.step").orElseGet(() -> g.initializer("bytes.step", Tensor.ofFloat32(new float[] {1 / 127f})));
    }

    /// What stands for 0: 128 in unsigned bytes.
    private Value middle(boolean unsigned) {
        String name = unsigned ? "bytes.middle" : "bytes.zero";
        return g.initializer(name).orElseGet(() -> g.initializer(name, new Tensor(unsigned ? DType.UINT8 : DType.INT8, Shape.of(),
                Arena.ofAuto().allocateFrom(ValueLayout.JAVA_BYTE, (byte) (unsigned ? 128 : 0)))));
    }

    /// The matrices below one another, transposed: `name.bytes` `(columns, rows)`, and `name.steps`, one a row. Signed bytes are
    /// faster where the processor multiplies them without saturating.
    private void bytes(String name, List<Linear> linears) {
        int rows = linears.stream().mapToInt(Linear::rows).sum();
        int columns = linears.getFirst().columns();
        int middle = Precision.hasByteProducts() ? 0 : 128;
        float[] steps = new float[rows];
        try (Arena arena = Arena.ofShared()) {
            MemorySegment turned = arena.allocate((long) rows * columns, 64);
            int row = 0;
            for (Linear linear : linears) {
                float[] values = ordered(linear);
                Spread.apply(values, Spread.size(columns));
                for (int r = 0; r < linear.rows(); r++, row++) {
                    float largest = 0;
                    for (int c = 0; c < columns; c++) largest = Math.max(largest, Math.abs(values[r * columns + c]));
                    steps[row] = largest / 127;
                    for (int c = 0; c < columns; c++)
                        turned.set(ValueLayout.JAVA_BYTE, (long) c * rows + row, (byte) (middle
                                + (largest == 0 ? 0 : (int) Math.rint(values[r * columns + c] / steps[row]))));
                }
            }
            kept(name + ".bytes", middle == 0 ? DType.INT8 : DType.UINT8, Shape.of(columns, rows), turned);
        }
        g.initializer(name + ".steps", Tensor.ofFloat32(steps, rows));
    }

    /// From now on products have many rows at once, as an encoder's have: 8 bits are then held with one scale a row, which takes
    /// half the time of blocks.
    void forBatches() {
        batches = true;
    }

    private Value blockSums(Value x, int columns) {
        return blockSums.computeIfAbsent(x, v -> {
            int blocks = columns / Blocks.BLOCK;
            Value parts = x.shape().rank() == 3 ? g.reshape(v, 0, 0, blocks, Blocks.BLOCK) : g.reshape(v, 0, blocks, Blocks.BLOCK);
            return g.reduceSum(parts, false, -1);
        });
    }

    /// A matrix in blocks; `offsets` is absent where the blocks have none.
    private record Held(int bits, int rows, int columns, Value quants, Value scales, Value offsets) {}

    private final Map<String, Held> held = new HashMap<>();

    private Held held(String name, List<Linear> linears) {
        return held.computeIfAbsent(name, n -> {
            int bits = precision.bits(stored(linears.getFirst()));
            try (Arena arena = Arena.ofShared()) {
                List<Blocks.Rows> parts = linears.stream().map(l -> new Blocks.Rows(inBlocks(l, bits, arena), order(l))).toList();
                Blocks b = Blocks.stack(parts, bits, arena);
                long blocks = (b.columns() + Blocks.BLOCK - 1) / Blocks.BLOCK;
                Shape each = Shape.of(b.rows(), blocks);
                return new Held(bits, b.rows(), b.columns(),
                        kept(n + ".quants", DType.UINT8, Shape.of(b.rows(), blocks, Blocks.BLOCK * bits / 8), b.quants()),
                        kept(n + ".scales", DType.FLOAT32, each, b.scales()),
                        b.offsets() == null ? Value.ABSENT : kept(n + ".offsets", DType.FLOAT32, each, b.offsets()));
            }
        });
    }

    private Value kept(String name, DType dtype, Shape shape, MemorySegment data) {
        return kept(name, new Tensor(dtype, shape, data));
    }

    /// A constant whose memory may be freed afterwards.
    Value kept(String name, Tensor tensor) {
        return g.initializer(name, keep.apply(tensor));
    }

    static String names(List<Linear> linears) {
        String first = linears.getFirst().name();
        int stem = first.lastIndexOf('.') + 1;
        return first.substring(0, stem) + linears.stream().map(l -> l.name().substring(stem)).collect(Collectors.joining("+"));
    }

    /// The weight of a matrix as it is stored.
    Weight stored(Linear l) {
        String name = l.name() + ".weight";
        return l.conv1d() && !checkpoint.isGguf() ? checkpoint.weight(name, l.columns(), l.rows())
                : checkpoint.weight(name, l.rows(), l.columns());
    }

    private Weight outFirst(Linear l, Arena arena) {
        return l.conv1d() && !checkpoint.isGguf() ? stored(l).transposed(arena) : stored(l);
    }

    /// The weight that blocks are made from. 4-bit blocks with minima have offsets in 4 bits; asked for in 8, they are rounded
    /// to these instead, an eighth of a level at most, which needs no operators for offsets.
    private Weight inBlocks(Linear l, int bits, Arena arena) {
        Weight w = outFirst(l, arena);
        if (bits == 4 || !w.encoding().hasMinimum() || !Blocks.holds(w.encoding(), 4)) return w;
        MemorySegment plain = arena.allocate(w.shape().count() * Float.BYTES, 64);
        w.floats(0, w.rows(), plain);
        return new Weight(w.name(), Encoding.F32, w.shape(), plain);
    }

    /// For each row here, the row of the file.
    private int[] order(Linear l) {
        return order(l, checkpoint.isGguf());
    }

    private static int[] order(Linear l, boolean gguf) {
        IntStream rows = IntStream.range(0, l.rows());
        return (l.order() == null ? rows : rows.map(r -> l.order().stored(r, gguf))).toArray();
    }

    /// In the order that pages mean.
    float[] bias(Linear l) {
        float[] stored = checkpoint.weight(l.name() + ".bias", l.rows()).floats();
        int[] order = order(l);
        float[] bias = new float[stored.length];
        for (int i = 0; i < bias.length; i++) bias[i] = stored[order[i]];
        return bias;
    }

    /// The matrix in float32, (rows, columns), in the order that pages mean.
    float[] ordered(Linear l) {
        stored(l);
        float[] values = new float[l.rows() * l.columns()];
        fill(l, MemorySegment.ofArray(values));
        return values;
    }

    /// The matrix in float32, (rows, columns), or the bias, in the order of published rows, which is that of adapters.
    float[] published(Linear l, boolean bias) {
        int columns = bias ? 1 : l.columns();
        float[] values = bias ? bias(l) : ordered(l);
        if (l.order() == null) return values;
        int[] order = order(l, false);
        float[] published = new float[values.length];
        for (int r = 0; r < order.length; r++) System.arraycopy(values, r * columns, published, order[r] * columns, columns);
        return published;
    }

    /// What `published` gives, as the checkpoint would store it.
    Weight restored(Linear l, float[] published) {
        boolean bias = published.length == l.rows();
        boolean transposed = !bias && l.conv1d() && !checkpoint.isGguf();
        int columns = bias ? 1 : l.columns();
        int[] from = order(l, false);
        int[] to = order(l);
        MemorySegment out = Arena.ofAuto().allocate((long) published.length * Float.BYTES, 64);
        for (int r = 0; r < l.rows(); r++)
            for (int c = 0; c < columns; c++)
                out.setAtIndex(ValueLayout.JAVA_FLOAT, transposed ? (long) c * l.rows() + to[r] : (long) to[r] * columns + c,
                        published[from[r] * columns + c]);
        Shape shape = bias ? Shape.of(l.rows()) : transposed ? Shape.of(columns, l.rows()) : Shape.of(l.rows(), columns);
        return new Weight(l.name() + (bias ? ".bias" : ".weight"), Encoding.F32, shape, out);
    }

    private void fill(Linear l, MemorySegment out) {
        try (Arena arena = Arena.ofShared()) {
            Weight weight = outFirst(l, arena);
            long row = (long) l.columns() * Float.BYTES;
            int[] order = order(l);
            for (int r = 0; r < order.length; r++) weight.floats(order[r], 1, out.asSlice(r * row, row));
        }
    }

    private Tensor stack(List<Linear> linears) {
        int columns = linears.getFirst().columns();
        try (Arena arena = Arena.ofShared()) {
            Tensor all = Tensor.allocate(arena, DType.FLOAT32, linears.stream().mapToLong(Linear::rows).sum(), columns);
            long at = 0;
            for (Linear linear : linears) {
                long bytes = (long) linear.rows() * columns * Float.BYTES;
                fill(linear, all.data().asSlice(at, bytes));
                at += bytes;
            }
            return keep.apply(all);
        }
    }

    Value matrix(String name, long... shape) {
        return matrix(name, checkpoint.weight(name, shape));
    }

    private Value matrix(String name, Weight weight) {
        return g.initializer(name).orElseGet(() -> g.initializer(name, floats(weight)));
    }

    /// The weight in float32: where it lies, or converted.
    private Tensor floats(Weight weight) {
        if (weight.encoding() == Encoding.F32) return weight.tensor();
        try (Arena arena = Arena.ofShared()) {
            Tensor converted = Tensor.allocate(arena, DType.FLOAT32, weight.shape().sizes());
            weight.floats(0, weight.rows(), converted.data());
            return keep.apply(converted);
        }
    }
}
