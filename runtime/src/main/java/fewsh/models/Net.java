package fewsh.models;

import fewsh.graph.Fusions;
import fewsh.graph.Graph;
import fewsh.graph.GraphBuilder;
import fewsh.graph.Op;
import fewsh.graph.Value;
import fewsh.tensor.DType;
import fewsh.tensor.Dim;
import fewsh.tensor.Shape;
import fewsh.tensor.Tensor;
import fewsh.weights.Blocks;
import fewsh.weights.Encoding;
import fewsh.weights.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// What pages build with: the layers that they share, over one checkpoint's weights at one precision.
///
/// A page says what is computed; how a matrix is held, how the cache is fed and which operators do it is decided here.
/// One build, one thread.
public final class Net {
    /// The words for a layer's nonlinearity in published settings.
    static final List<String> ACTIVATIONS =
            List.of("silu", "swish", "gelu", "gelu_new", "gelu_pytorch_tanh", "gelu_fast", "relu", "tanh", "sigmoid");

    /// A matrix `name.weight`, `(rows, columns)` = (features out, features in), and `name.bias` when there is one.
    ///
    /// @param conv1d whether published checkpoints keep it transposed, as GPT-2's do
    /// @param interleavedHeads of how many heads a GGUF file keeps the rows pairwise, (0, d/2, 1, d/2+1, …); 0: it does not
    record Linear(String name, int rows, int columns, boolean bias, boolean conv1d, int interleavedHeads) {
        Linear(String name, int rows, int columns, boolean bias) {
            this(name, rows, columns, bias, false, 0);
        }

        static Linear conv1d(String name, int rows, int columns) {
            return new Linear(name, rows, columns, true, true, 0);
        }

        Linear interleavedInGguf(int heads) {
            return new Linear(name, rows, columns, bias, conv1d, heads);
        }
    }

    /// An attention's heads. Where `dim` is not a multiple of 16, which the operator needs, each head is padded with zeros.
    ///
    /// @param scale factor of q·k
    record Heads(int query, int keyValue, int dim, float scale) {
        int all() {
            return query + 2 * keyValue;
        }

        boolean padded() {
            return cacheDim(dim) != dim;
        }

        /// Where number `i` of a head goes; both halves keep their place, since rotary positions pair them.
        int place(int i) {
            int wide = cacheDim(dim);
            return i < dim / 2 ? i : wide / 2 + i - dim / 2;
        }
    }

    /// The size of a head in the cache.
    static int cacheDim(int headDim) {
        return (headDim + 15) / 16 * 16;
    }

    private final GraphBuilder g;
    private final Causal.Layout layout;
    private final Checkpoint checkpoint;
    private final Precision precision;
    private final UnaryOperator<Tensor> keep;
    private final Map<Value, Value> blockSums = new HashMap<>();
    private final Value inputIds;
    private final Value seqlensK;
    private final Value totalSequenceLength;
    private final List<Value> presents = new ArrayList<>();

    private Net(Causal page, Checkpoint checkpoint, Precision precision, UnaryOperator<Tensor> keep) {
        this.g = new GraphBuilder(checkpoint.settings().text("model_type", "model"));
        this.layout = page.layout();
        this.checkpoint = checkpoint;
        this.precision = precision;
        this.keep = keep;
        inputIds = g.input("input_ids", DType.INT64, Shape.named("batch", "sequence"));
        seqlensK = g.input("seqlens_k", DType.INT32, Shape.named("batch"));
        totalSequenceLength = g.input("total_sequence_length", DType.INT32, Shape.of());
    }

    /// The graph of a page at a precision, for prefilling, decoding and scoring alike.
    ///
    /// Inputs: `input_ids` int64 `(batch, sequence)`; `position_ids` likewise where the layout says so; `seqlens_k` int32
    /// `(batch)`, the positions filled after the run less one; `total_sequence_length` int32, the largest of them plus one;
    /// `past_key_values.i.key` and `.value` `(batch, n_kv_head, capacity, head_dim)`; `logits_positions` int64 `(n)`, indices
    /// into the flattened `(batch · sequence)`. Outputs: `logits` and `logprobs` float32 `(n, vocab_size)`; `present.i.key` and
    /// `.value`, which are to be the very memory of the pasts.
    ///
    /// @param precision decided, not `auto`
    /// @param keep where converted weights go: it is given each in memory that is freed afterwards, and gives back the same
    ///             numbers in memory that outlives the graph; the other weights stay in the checkpoint's mapping
    public static Graph build(Causal page, Checkpoint checkpoint, Precision precision, UnaryOperator<Tensor> keep) {
        Net net = new Net(page, checkpoint, precision, keep);
        page.build(net);
        for (int i = 0; i < net.presents.size(); i++)
            net.g.output("present." + i / 2 + (i % 2 == 0 ? ".key" : ".value"), net.presents.get(i));
        return Fusions.skipNorms(net.g.build());
    }

    Value inputIds() {
        return inputIds;
    }

    Value add(Value a, Value b) {
        return g.add(a, b);
    }

    Value mul(Value a, Value b) {
        return g.mul(a, b);
    }

    Value activation(String word, Value x) {
        return switch (word) {
            case "silu", "swish" -> g.silu(x);
            case "gelu" -> g.gelu(x);
            case "gelu_new", "gelu_pytorch_tanh", "gelu_fast" -> g.geluTanh(x);
            case "relu" -> g.relu(x);
            case "tanh" -> g.tanh(x);
            case "sigmoid" -> g.sigmoid(x);
            default -> throw new IllegalArgumentException(word);
        };
    }

    Value layerNorm(String name, Value x, float epsilon) {
        return g.layerNorm(x, vector(name + ".weight", x), vector(name + ".bias", x), epsilon);
    }

    Value rmsNorm(String name, Value x, float epsilon) {
        return g.rmsNorm(x, vector(name + ".weight", x), epsilon);
    }

    private Value vector(String name, Value x) {
        return vector(name, (int) x.shape().size(-1));
    }

    private Value vector(String name, int size) {
        return g.initializer(name).orElseGet(() -> g.initializer(name, floats(checkpoint.weight(name, size))));
    }

    /// Rows of `name.weight`, `(vocab, width)`.
    Value embedding(String name, int vocab, int width, Value ids) {
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

    /// Rows of `name.weight`, `(positions, width)`, at `position_ids`.
    Value positionEmbedding(String name, int positions, int width) {
        Value ids = g.input("position_ids", DType.INT64, inputIds.shape());
        return g.gather(matrix(name + ".weight", checkpoint.weight(name + ".weight", positions, width)), ids, 0);
    }

    /// The model's outputs: the positions asked for, times `name.weight`.
    void logits(String name, int vocab, Value x) {
        Value positions = g.input("logits_positions", DType.INT64, Shape.named("n"));
        int width = (int) x.shape().size(-1);
        Value chosen = g.gather(g.reshape(x, -1, width), positions, 0);                     // (n, width)
        Value logits = linear(chosen, new Linear(name, vocab, width, checkpoint.has(name + ".bias")));
        Value logprobs = g.logSoftmax(logits, -1);
        g.output("logits", logits);
        g.output("logprobs", logprobs);
    }

    Value linear(Value x, Linear linear) {
        return stacked(x, List.of(linear));
    }

    /// Several products of one `x`, computed as one where their matrices are held alike.
    List<Value> linears(Value x, Linear... linears) {
        List<Linear> all = List.of(linears);
        if (!alike(all)) return all.stream().map(l -> linear(x, l)).toList();
        return g.split(stacked(x, all), -1, all.stream().mapToLong(Linear::rows).toArray());
    }

    /// The projections of an attention side by side, queries first: `(batch, sequence, heads.all() · cacheDim)`.
    Value queryKeyValue(Value x, Heads heads, Linear... linears) {
        List<Linear> all = List.of(linears);
        if (heads.padded()) return padded(x, heads, all);
        if (alike(all)) return stacked(x, all);
        return g.concat(-1, all.stream().map(l -> linear(x, l)).toArray(Value[]::new));
    }

    /// Causal attention over the cache of `layer` and what `qkv` adds to it.
    ///
    /// @param rope turns queries and keys by their positions; null: positions are in `x` already
    Value attention(int layer, Value qkv, Heads heads, Rope rope) {
        Shape cache = Shape.named("batch", layout.nKvHead(), "capacity", layout.headDim());
        Value key = g.input("past_key_values." + layer + ".key", DType.FLOAT32, cache);
        Value value = g.input("past_key_values." + layer + ".value", DType.FLOAT32, cache);
        List<Value> in = new ArrayList<>(List.of(qkv, Value.ABSENT, Value.ABSENT, key, value, seqlensK, totalSequenceLength));
        if (rope != null) in.addAll(rotaryTables(rope));
        Op op = new Op.GroupQueryAttention(heads.query(), heads.keyValue(), rope != null, false, -1, heads.scale());
        List<Value> out = g.apply(op, in.toArray(Value[]::new));
        presents.addAll(out.subList(1, 3));
        return out.getFirst();
    }

    private List<Value> rotaryTables(Rope rope) {
        if (g.initializer("rotary.cos").isEmpty()) {
            float[][] tables = rope.tables(layout.nPositions());
            int pairs = rope.inverseFrequencies().length;
            int wide = layout.headDim() / 2;
            for (int t = 0; t < 2; t++) {
                float[] table = new float[layout.nPositions() * wide];
                Arrays.fill(table, 1 - t);                                                  // padding does not turn
                for (int p = 0; p < layout.nPositions(); p++)
                    System.arraycopy(tables[t], p * pairs, table, p * wide, pairs);
                g.initializer(t == 0 ? "rotary.cos" : "rotary.sin", keep.apply(Tensor.ofFloat32(table, layout.nPositions(), wide)));
            }
        }
        return List.of(g.initializer("rotary.cos").orElseThrow(), g.initializer("rotary.sin").orElseThrow());
    }

    /// The projection that follows an attention; `x` is `(batch, sequence, heads.query() · cacheDim)`.
    Value outOfHeads(Value x, Heads heads, Linear linear) {
        if (!heads.padded()) return linear(x, linear);
        int wide = cacheDim(heads.dim());
        float[] narrow = ordered(linear);
        float[] padded = new float[linear.rows() * heads.query() * wide];
        for (int r = 0; r < linear.rows(); r++)
            for (int h = 0; h < heads.query(); h++)
                for (int i = 0; i < heads.dim(); i++)
                    padded[(r * heads.query() + h) * wide + heads.place(i)] =
                            narrow[(r * heads.query() + h) * heads.dim() + i];
        Value w = g.initializer(linear.name() + ".padded", keep.apply(Tensor.ofFloat32(padded, linear.rows(), heads.query() * wide)));
        return biased(g.matMulTransposed(x, w), List.of(linear));
    }

    /// As `queryKeyValue`, in float32 with zeros between the heads; models with such heads are small.
    private Value padded(Value x, Heads heads, List<Linear> linears) {
        linears.forEach(this::stored);
        int wide = cacheDim(heads.dim());
        int columns = linears.getFirst().columns();
        float[] weights = new float[heads.all() * wide * columns];
        float[] biases = new float[heads.all() * wide];
        int head = 0;
        boolean biased = false;
        for (Linear linear : linears) {
            float[] narrow = ordered(linear);
            float[] bias = linear.bias() ? bias(linear) : new float[linear.rows()];
            biased |= linear.bias();
            for (int h = 0; h < linear.rows() / heads.dim(); h++, head++)
                for (int i = 0; i < heads.dim(); i++) {
                    int to = head * wide + heads.place(i);
                    System.arraycopy(narrow, (h * heads.dim() + i) * columns, weights, to * columns, columns);
                    biases[to] = bias[h * heads.dim() + i];
                }
        }
        String name = names(linears);
        Value y = g.matMulTransposed(x, g.initializer(name + ".padded", keep.apply(Tensor.ofFloat32(weights, heads.all() * wide, columns))));
        return biased ? g.add(y, g.initializer(name + ".padded.bias", Tensor.ofFloat32(biases, biases.length))) : y;
    }

    // how matrices are held

    private boolean alike(List<Linear> linears) {
        return linears.stream().map(l -> precision.bits(stored(l))).distinct().count() == 1
                && linears.stream().map(l -> stored(l).encoding().hasMinimum()).distinct().count() == 1;
    }

    /// One product with all matrices below one another: `(…, sum of rows)`.
    private Value stacked(Value x, List<Linear> linears) {
        Linear first = linears.getFirst();
        String name = names(linears);
        int bits = precision.bits(stored(first));
        if (bits != 32) return biased(blockProduct(x, name, linears), linears);
        if (linears.size() == 1 && first.conv1d() && !checkpoint.isGguf())
            return biased(g.matMul(x, matrix(name + ".weight", stored(first))), linears);   // (columns, rows) as stored
        if (linears.size() == 1 && first.interleavedHeads() == 0)
            return biased(g.matMulTransposed(x, matrix(name + ".weight", stored(first))), linears);
        Value w = g.initializer(name + ".weight").orElseGet(() -> g.initializer(name + ".weight", stack(linears)));
        return biased(g.matMulTransposed(x, w), linears);
    }

    private Value biased(Value y, List<Linear> linears) {
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
        return g.initializer(name, keep.apply(new Tensor(dtype, shape, data)));
    }

    private static String names(List<Linear> linears) {
        String first = linears.getFirst().name();
        int stem = first.lastIndexOf('.') + 1;
        return first.substring(0, stem) + linears.stream().map(l -> l.name().substring(stem)).collect(Collectors.joining("+"));
    }

    private Weight stored(Linear l) {
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
        if (l.interleavedHeads() == 0 || !checkpoint.isGguf()) return IntStream.range(0, l.rows()).toArray();
        int dim = l.rows() / l.interleavedHeads();
        return IntStream.range(0, l.rows()).map(r -> r / dim * dim + r % dim % (dim / 2) * 2 + r % dim / (dim / 2)).toArray();
    }

    private float[] bias(Linear l) {
        float[] stored = checkpoint.weight(l.name() + ".bias", l.rows()).floats();
        int[] order = order(l);
        float[] bias = new float[stored.length];
        for (int i = 0; i < bias.length; i++) bias[i] = stored[order[i]];
        return bias;
    }

    private float[] ordered(Linear l) {
        stored(l);
        float[] values = new float[l.rows() * l.columns()];
        fill(l, MemorySegment.ofArray(values));
        return values;
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
