package fewsh.models;

import fewsh.graph.Fusions;
import fewsh.graph.Graph;
import fewsh.graph.GraphBuilder;
import fewsh.graph.Op;
import fewsh.graph.Value;
import fewsh.tensor.DType;
import fewsh.tensor.Shape;
import fewsh.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.UnaryOperator;

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
    private final Matrices matrices;
    private final Checkpoint checkpoint;
    private final Map<String, Value> inputs = new HashMap<>();

    private Net(GraphBuilder g, Checkpoint checkpoint, Matrices matrices) {
        this.g = g;
        this.checkpoint = checkpoint;
        this.matrices = matrices;
    }

    /// One graph of a page at a precision.
    ///
    /// @param build of [Page#graphs]
    /// @param precision decided, not `auto`
    /// @param keep where converted weights go: it is given each in memory that is freed afterwards, and gives back the same
    ///             numbers in memory that outlives the graph; the other weights stay in the checkpoint's mapping
    /// @param slots where the graph takes low-rank matrices as inputs
    public static Graph build(Consumer<Net> build, Checkpoint checkpoint, Precision precision, UnaryOperator<Tensor> keep,
            Set<Slot> slots) {
        GraphBuilder g = new GraphBuilder(checkpoint.settings().text("model_type", "model"));
        build.accept(new Net(g, checkpoint, new Matrices(g, checkpoint, precision, keep, slots)));
        return Fusions.skipNorms(g.build());
    }

    public static Graph build(Consumer<Net> build, Checkpoint checkpoint, Precision precision, UnaryOperator<Tensor> keep) {
        return build(build, checkpoint, precision, keep, Set.of());
    }

    /// Builds a graph for what it asks of its matrices.
    static void list(Consumer<Net> build, Checkpoint checkpoint, Function<GraphBuilder, Matrices> matrices) {
        GraphBuilder g = new GraphBuilder("list");
        build.accept(new Net(g, checkpoint, matrices.apply(g)));
    }

    /// Plain operators, for what no layer here does.
    GraphBuilder graph() {
        return g;
    }

    /// An input of the graph; the same one when it is asked for again.
    Value input(String name, DType dtype, Shape shape) {
        return inputs.computeIfAbsent(name, n -> g.input(n, dtype, shape));
    }

    /// Makes `value` an output of the graph.
    void output(String name, Value value) {
        g.output(name, value);
    }

    /// The token ids, int64 `(batch, sequence)`.
    Value inputIds() {
        return input("input_ids", DType.INT64, Shape.named("batch", "sequence"));
    }

    /// Whether the checkpoint has a weight of this name.
    boolean has(String name) {
        return checkpoint.has(name);
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
        return matrices.vector(name, (int) x.shape().size(-1));
    }

    /// Rows of `name.weight`, `(vocab, width)`.
    Value embedding(String name, int vocab, int width, Value ids) {
        return matrices.rows(name, vocab, width, ids);
    }

    /// Rows of `name.weight`, `(positions, width)`, at `position_ids`.
    Value positionEmbedding(String name, int positions, int width) {
        Value ids = input("position_ids", DType.INT64, inputIds().shape());
        return g.gather(matrices.matrix(name + ".weight", positions, width), ids, 0);
    }

    /// The model's outputs: the positions asked for, times `name.weight`.
    void logits(String name, int vocab, Value x) {
        Value positions = input("logits_positions", DType.INT64, Shape.named("n"));
        int width = (int) x.shape().size(-1);
        Value chosen = g.gather(g.reshape(x, -1, width), positions, 0);                     // (n, width)
        Value logits = linear(chosen, new Linear(name, vocab, width, checkpoint.has(name + ".bias")));
        Value logprobs = g.logSoftmax(logits, -1);
        g.output("logits", logits);
        g.output("logprobs", logprobs);
    }

    Value linear(Value x, Linear linear) {
        return matrices.product(x, List.of(linear));
    }

    /// Several products of one `x`, computed as one where their matrices are held alike.
    List<Value> linears(Value x, Linear... linears) {
        List<Linear> all = List.of(linears);
        if (!matrices.alike(all)) return all.stream().map(l -> linear(x, l)).toList();
        return g.split(matrices.product(x, all), -1, all.stream().mapToLong(Linear::rows).toArray());
    }

    /// The projections of an attention side by side, queries first: `(batch, sequence, heads.all() · cacheDim)`.
    Value queryKeyValue(Value x, Heads heads, Linear... linears) {
        List<Linear> all = List.of(linears);
        if (heads.padded() && matrices.adapted(all)) return spread(g.concat(-1, all.stream().map(l -> linear(x, l)).toArray(Value[]::new)), heads);
        if (heads.padded()) return padded(x, heads, all);
        if (matrices.alike(all)) return matrices.product(x, all);
        return g.concat(-1, all.stream().map(l -> linear(x, l)).toArray(Value[]::new));
    }

    /// Causal attention over the cache of `layer` and what `qkv` adds to it.
    ///
    /// @param rope turns queries and keys by their positions; null: positions are in `x` already
    Value attention(int layer, Value qkv, Heads heads, Rope rope) {
        Shape cache = Shape.named("batch", heads.keyValue(), "capacity", cacheDim(heads.dim()));
        Value key = input("past_key_values." + layer + ".key", DType.FLOAT32, cache);
        Value value = input("past_key_values." + layer + ".value", DType.FLOAT32, cache);
        Value seqlensK = input("seqlens_k", DType.INT32, Shape.named("batch"));
        Value totalSequenceLength = input("total_sequence_length", DType.INT32, Shape.of());
        List<Value> in = new ArrayList<>(List.of(qkv, Value.ABSENT, Value.ABSENT, key, value, seqlensK, totalSequenceLength));
        if (rope != null) in.addAll(rotaryTables(rope, cacheDim(heads.dim()) / 2));
        Op op = new Op.GroupQueryAttention(heads.query(), heads.keyValue(), rope != null, false, -1, heads.scale());
        List<Value> out = g.apply(op, in.toArray(Value[]::new));
        g.output("present." + layer + ".key", out.get(1));
        g.output("present." + layer + ".value", out.get(2));
        return out.getFirst();
    }

    /// @param wide pairs of a head in the cache, at least as many as turn
    private List<Value> rotaryTables(Rope rope, int wide) {
        if (g.initializer("rotary.cos").isEmpty()) {
            float[][] tables = rope.tables();
            int pairs = rope.inverseFrequencies().length;
            for (int t = 0; t < 2; t++) {
                float[] table = new float[rope.positions() * wide];
                Arrays.fill(table, 1 - t);                                                  // padding does not turn
                for (int p = 0; p < rope.positions(); p++)
                    System.arraycopy(tables[t], p * pairs, table, p * wide, pairs);
                matrices.kept(t == 0 ? "rotary.cos" : "rotary.sin", Tensor.ofFloat32(table, rope.positions(), wide));
            }
        }
        return List.of(g.initializer("rotary.cos").orElseThrow(), g.initializer("rotary.sin").orElseThrow());
    }

    /// The projection that follows an attention; `x` is `(batch, sequence, heads.query() · cacheDim)`.
    Value outOfHeads(Value x, Heads heads, Linear linear) {
        if (!heads.padded()) return linear(x, linear);
        if (matrices.adapted(List.of(linear))) return linear(g.gather(x, narrow(heads), -1), linear);
        int wide = cacheDim(heads.dim());
        float[] narrow = matrices.ordered(linear);
        float[] padded = new float[linear.rows() * heads.query() * wide];
        for (int r = 0; r < linear.rows(); r++)
            for (int h = 0; h < heads.query(); h++)
                for (int i = 0; i < heads.dim(); i++)
                    padded[(r * heads.query() + h) * wide + heads.place(i)] =
                            narrow[(r * heads.query() + h) * heads.dim() + i];
        Value w = matrices.kept(linear.name() + ".padded", Tensor.ofFloat32(padded, linear.rows(), heads.query() * wide));
        return matrices.biased(g.matMulTransposed(x, w), List.of(linear));
    }

    /// Heads side by side, with zeros between them.
    private Value spread(Value x, Heads heads) {
        int wide = cacheDim(heads.dim());
        long[] from = new long[heads.all() * wide];
        float[] mask = new float[from.length];
        for (int h = 0; h < heads.all(); h++)
            for (int i = 0; i < heads.dim(); i++) {
                from[h * wide + heads.place(i)] = h * heads.dim() + i;
                mask[h * wide + heads.place(i)] = 1;
            }
        Value placed = g.gather(x, g.longs(from), -1);
        String name = "heads" + heads.all() + "x" + heads.dim();
        return g.mul(placed, g.initializer(name).orElseGet(() -> g.initializer(name, Tensor.ofFloat32(mask, mask.length))));
    }

    /// Where the numbers of the heads are that are none of the zeros.
    private Value narrow(Heads heads) {
        long[] from = new long[heads.query() * heads.dim()];
        for (int i = 0; i < from.length; i++) from[i] = i / heads.dim() * cacheDim(heads.dim()) + heads.place(i % heads.dim());
        return g.longs(from);
    }

    /// As `queryKeyValue`, in float32 with zeros between the heads; models with such heads are small.
    private Value padded(Value x, Heads heads, List<Linear> linears) {
        linears.forEach(matrices::stored);
        int wide = cacheDim(heads.dim());
        int columns = linears.getFirst().columns();
        float[] weights = new float[heads.all() * wide * columns];
        float[] biases = new float[heads.all() * wide];
        int head = 0;
        boolean biased = false;
        for (Linear linear : linears) {
            float[] narrow = matrices.ordered(linear);
            float[] bias = linear.bias() ? matrices.bias(linear) : new float[linear.rows()];
            biased |= linear.bias();
            for (int h = 0; h < linear.rows() / heads.dim(); h++, head++)
                for (int i = 0; i < heads.dim(); i++) {
                    int to = head * wide + heads.place(i);
                    System.arraycopy(narrow, (h * heads.dim() + i) * columns, weights, to * columns, columns);
                    biases[to] = bias[h * heads.dim() + i];
                }
        }
        String name = Matrices.names(linears);
        Value y = g.matMulTransposed(x, matrices.kept(name + ".padded", Tensor.ofFloat32(weights, heads.all() * wide, columns)));
        return biased ? g.add(y, g.initializer(name + ".padded.bias", Tensor.ofFloat32(biases, biases.length))) : y;
    }
}
