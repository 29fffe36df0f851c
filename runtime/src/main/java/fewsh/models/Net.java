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
import java.util.function.IntUnaryOperator;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/// What pages build with: the layers that they share, over one checkpoint's weights at one precision.
///
/// A page says what is computed; how a matrix is held, how the cache is fed and which operators do it is decided here.
/// One build, one thread.
public final class Net {
    /// The words for a layer's nonlinearity in published settings.
    static final List<String> ACTIVATIONS =
            List.of("silu", "swish", "gelu", "gelu_new", "gelu_pytorch_tanh", "gelu_fast", "quick_gelu", "relu", "relu2", "tanh",
                    "sigmoid");

    /// Which row of a file's matrix is the row that a page means.
    interface RowOrder {
        int stored(int row, boolean gguf);
    }

    /// A matrix `name.weight`, `(rows, columns)` = (features out, features in), and `name.bias` when there is one.
    ///
    /// @param conv1d whether published checkpoints keep it transposed, as GPT-2's do
    /// @param order null where files keep the rows as the page means them
    record Linear(String name, int rows, int columns, boolean bias, boolean conv1d, RowOrder order) {
        Linear(String name, int rows, int columns, boolean bias) {
            this(name, rows, columns, bias, false, null);
        }

        static Linear conv1d(String name, int rows, int columns) {
            return new Linear(name, rows, columns, true, true, null);
        }

        /// For files that keep the rows in another order.
        Linear stored(RowOrder order) {
            return new Linear(name, rows, columns, bias, conv1d, order);
        }

        /// GGUF files keep the rows of each head pairwise, (0, d/2, 1, d/2+1, …).
        Linear interleavedInGguf(int heads) {
            int dim = rows / heads;
            return stored((r, gguf) -> gguf ? r / dim * dim + r % dim % (dim / 2) * 2 + r % dim / (dim / 2) : r);
        }

        /// The same matrix with its rows as published checkpoints have them, which is how adapters mean them.
        Linear published() {
            if (order == null) return this;
            int[] here = new int[rows];
            for (int r = 0; r < rows; r++) here[order.stored(r, false)] = r;
            return stored((r, gguf) -> gguf ? order.stored(here[r], true) : r);
        }

        /// The same matrix with its row `from(r)` as row `r`.
        Linear reordered(IntUnaryOperator from) {
            return stored((r, gguf) -> order == null ? from.applyAsInt(r) : order.stored(from.applyAsInt(r), gguf));
        }
    }

    /// An attention's heads. Where `dim` is not a multiple of 16, which the operator needs, each head is padded with zeros.
    ///
    /// @param scale factor of q·k
    /// @param turned how many of a head's numbers, from the first, turn with their position: `dim`, or fewer
    record Heads(int query, int keyValue, int dim, float scale, int turned) {
        Heads(int query, int keyValue, int dim, float scale) {
            this(query, keyValue, dim, scale, dim);
        }

        int all() {
            return query + 2 * keyValue;
        }

        boolean padded() {
            return cacheDim(dim) != dim;
        }

        /// Whether the operator turns as many numbers as this: it takes multiples of 16.
        boolean turnsAsStored() {
            return turned % 16 == 0;
        }

        /// Where number `i` of a head goes: the halves of what turns to the beginnings of the padded head's halves, since
        /// rotary positions pair them; the others where there is room.
        int place(int i) {
            int half = cacheDim(dim) / 2;
            int pairs = turned / 2;
            if (i < pairs) return i;
            if (i < turned) return half + i - pairs;
            return i - pairs < half ? i - pairs : i;
        }

        /// The number of a head that goes to place `p` of one that is not padded.
        private int numberAt(int p) {
            for (int i = 0; i < dim; i++) if (place(i) == p) return i;
            throw new IllegalArgumentException("no number goes to " + p);
        }
    }

    /// A root-mean-square norm's weights, `name.weight`.
    ///
    /// @param plusOne whether published checkpoints keep them less 1, as Gemma's do; GGUF files keep them whole
    record Norm(String name, float epsilon, boolean plusOne) {}

    /// The size of a head in the cache.
    static int cacheDim(int headDim) {
        return (headDim + 15) / 16 * 16;
    }

    /// Below any score; finite, so that a row of nothing but padding stays a number.
    private static final float FAR = -1e9f;

    private final GraphBuilder g;
    private final Matrices matrices;
    private final Checkpoint checkpoint;
    private final Map<String, Value> inputs = new HashMap<>();
    private final Map<Rope, List<Value>> rotaryTables = new HashMap<>();
    /// Values that several layers use.
    private final Map<String, Value> made = new HashMap<>();
    private final boolean exported;
    private final boolean bytes;

    private Net(GraphBuilder g, Checkpoint checkpoint, Matrices matrices, boolean exported, boolean bytes) {
        this.g = g;
        this.exported = exported;
        this.bytes = bytes;
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
    /// @param bytes whether the provider multiplies matrices of bytes
    public static Graph build(Consumer<Net> build, Checkpoint checkpoint, Precision precision, UnaryOperator<Tensor> keep,
            Set<Slot> slots, boolean bytes) {
        GraphBuilder g = new GraphBuilder(checkpoint.settings().text("model_type", "model"));
        build.accept(new Net(g, checkpoint, new Matrices(g, checkpoint, precision, keep, slots), false, bytes));
        return Fusions.skipNorms(g.build());
    }

    public static Graph build(Consumer<Net> build, Checkpoint checkpoint, Precision precision, UnaryOperator<Tensor> keep) {
        return build(build, checkpoint, precision, keep, Set.of(), true);
    }

    /// The graph as other programs take it: `attention_mask` int64 `(batch, total)`, 0 only behind a row's end, in place of the
    /// numbers that follow from it, and float32 `logits` `(batch, sequence, vocab_size)` of all positions.
    public static Graph export(Consumer<Net> build, Checkpoint checkpoint, Precision precision, UnaryOperator<Tensor> keep) {
        GraphBuilder g = new GraphBuilder(checkpoint.settings().text("model_type", "model"));
        build.accept(new Net(g, checkpoint, new Matrices(g, checkpoint, precision, keep, Set.of()), true, false));
        return Fusions.skipNorms(g.build());
    }

    /// Builds a graph for what it asks of its matrices.
    static void list(Consumer<Net> build, Checkpoint checkpoint, Function<GraphBuilder, Matrices> matrices) {
        GraphBuilder g = new GraphBuilder("list");
        build.accept(new Net(g, checkpoint, matrices.apply(g), false, false));
    }

    /// Said first by a page whose products have many rows at once, such as an encoder's: 8 bits are then held so that these are
    /// fast, where the provider can.
    void batches() {
        if (bytes) matrices.forBatches();
    }

    /// Plain operators, for what no layer here does.
    GraphBuilder graph() {
        return g;
    }

    /// An input of the graph; the same one when it is asked for again.
    Value input(String name, DType dtype, Shape shape) {
        if (!inputs.containsKey(name)) inputs.put(name, exported ? published(name, dtype, shape) : g.input(name, dtype, shape));
        return inputs.get(name);
    }

    private Value published(String name, DType dtype, Shape shape) {
        return switch (name) {
            case "seqlens_k" -> g.cast(g.sub(g.reduceSum(attentionMask(), false, 1), g.longs(1)), dtype);
            case "total_sequence_length" -> {
                Value sizes = g.apply(new Op.Shape(), attentionMask()).getFirst();
                yield g.cast(g.gather(sizes, g.longs(1), 0), dtype);
            }
            default -> g.input(name, dtype, shape);
        };
    }

    private Value attentionMask() {
        return input("attention_mask", DType.INT64, Shape.named("batch", "total"));
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

    /// `x` times a number.
    Value scaled(Value x, float factor) {
        String name = "factor " + factor;
        return g.mul(x, g.initializer(name).orElseGet(() -> g.initializer(name, Tensor.ofFloat32(new float[] {factor}))));
    }

    /// The numbers of a weight, for what is computed of it beforehand.
    float[] numbers(String name, long... shape) {
        return checkpoint.weight(name, shape).floats();
    }

    Value activation(String word, Value x) {
        return switch (word) {
            case "silu", "swish" -> g.silu(x);
            case "gelu" -> g.gelu(x);
            case "gelu_new", "gelu_pytorch_tanh", "gelu_fast" -> g.geluTanh(x);
            case "quick_gelu" -> g.apply(new Op.QuickGelu(1.702f), x).getFirst();
            case "relu" -> g.relu(x);
            case "relu2" -> {
                Value positive = g.relu(x);
                yield g.mul(positive, positive);
            }
            case "tanh" -> g.tanh(x);
            case "sigmoid" -> g.sigmoid(x);
            default -> throw new IllegalArgumentException(word);
        };
    }

    Value layerNorm(String name, Value x, float epsilon) {
        return g.layerNorm(x, vector(name + ".weight", x), vector(name + ".bias", x), epsilon);
    }

    Value rmsNorm(String name, Value x, float epsilon) {
        return rmsNorm(new Norm(name, epsilon, false), x);
    }

    Value rmsNorm(Norm norm, Value x) {
        if (!norm.plusOne()) return g.rmsNorm(x, vector(norm.name() + ".weight", x), norm.epsilon());
        float[] weights = matrices.vector(norm, (int) x.shape().size(-1));
        return g.rmsNorm(x, g.initializer(norm.name() + ".weight", Tensor.ofFloat32(weights, weights.length)), norm.epsilon());
    }

    /// x · factor
    Value scale(Value x, double factor) {
        String name = "scale[" + (float) factor + "]";
        float[] one = {(float) factor};
        return g.mul(x, g.initializer(name).orElseGet(() -> g.initializer(name, Tensor.ofFloat32(one, 1))));
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

    /// The same, where the table has `offset` rows before the first position.
    Value positionEmbedding(String name, int positions, int width, int offset) {
        Value ids = input("position_ids", DType.INT64, inputIds().shape());
        return g.gather(matrices.matrix(name + ".weight", positions + offset, width), g.add(ids, g.longs(offset)), 0);
    }

    /// Rows of a table that is no weight, `(positions, width)`, at `position_ids`.
    Value positionRows(String name, Tensor table) {
        Value ids = input("position_ids", DType.INT64, inputIds().shape());
        return g.gather(matrices.kept(name, table), ids, 0);
    }

    /// All rows of `name.weight`, `(rows, width)`.
    Value table(String name, int rows, int width) {
        return matrices.matrix(name + ".weight", rows, width);
    }

    /// `x` `(batch, sequence, width)`, with the input `name` in place of it where the input `is_text` `(batch, sequence, 1)` is 0;
    /// elsewhere that is 1, and the input 0.
    Value orElse(Value x, String name) {
        Value isText = input("is_text", DType.FLOAT32, Shape.named("batch", "sequence", 1));
        return g.add(g.mul(x, isText), input(name, DType.FLOAT32, x.shape()));
    }

    /// Filters `name.weight`, `(filters, channels, size)`, over the last axis of `x`, `(batch, channels, length)`, with zeros
    /// around it so that `stride` 1 keeps its length.
    Value convolution(String name, Value x, int filters, int size, int stride) {
        Value w = matrices.matrix(name + ".weight", filters, x.shape().size(1), size);
        Op op = new Op.Conv(List.of(stride), List.of(size / 2, size / 2));
        return g.apply(op, x, w, matrices.vector(name + ".bias", filters)).getFirst();
    }

    /// The model's outputs: the positions asked for, times `name.weight`.
    void logits(String name, int vocab, Value x) {
        logits(logitsOf(name, vocab, x));
    }

    /// @param softcap c of c · tanh(logits / c), which keeps them between −c and c; 0 for none
    void logits(String name, int vocab, Value x, double softcap) {
        Value logits = logitsOf(name, vocab, x);
        logits(softcap == 0 ? logits : scale(g.tanh(scale(logits, 1 / softcap)), softcap));
    }

    /// The same, plus the weight `bias`, `(1, vocab)`, where the checkpoint has it.
    void logits(String name, String bias, int vocab, Value x) {
        Value logits = logitsOf(name, vocab, x);
        logits(checkpoint.has(bias) ? g.add(logits, matrices.matrix(bias, 1, vocab)) : logits);
    }

    private Value logitsOf(String name, int vocab, Value x) {
        int width = (int) x.shape().size(-1);
        Value chosen = exported ? x                                                         // (batch, sequence, width)
                : g.gather(g.reshape(x, -1, width), input("logits_positions", DType.INT64, Shape.named("n")), 0);  // (n, width)
        return linear(chosen, new Linear(name, vocab, width, checkpoint.has(name + ".bias")));
    }

    private void logits(Value logits) {
        Value logprobs = exported ? Value.ABSENT : g.logSoftmax(logits, -1);
        g.output("logits", logits);
        if (!exported) g.output("logprobs", logprobs);
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
        List<Linear> all = heads.padded() || heads.turnsAsStored() ? List.of(linears) : regrouped(heads, linears);
        if (heads.padded() && matrices.adapted(all)) return spread(g.concat(-1, all.stream().map(l -> linear(x, l)).toArray(Value[]::new)), heads);
        if (heads.padded()) return padded(x, heads, all);
        if (matrices.alike(all)) return matrices.product(x, all);
        return g.concat(-1, all.stream().map(l -> linear(x, l)).toArray(Value[]::new));
    }

    /// The same with the numbers of each head of queries and keys in other places.
    private static List<Linear> regrouped(Heads heads, Linear... linears) {
        int dim = heads.dim();
        int values = (heads.query() + heads.keyValue()) * dim;
        int[] from = IntStream.range(0, dim).map(heads::numberAt).toArray();
        List<Linear> all = new ArrayList<>();
        int first = 0;
        for (Linear linear : linears) {
            int before = first;
            all.add(linear.reordered(r -> before + r < values ? r / dim * dim + from[r % dim] : r));
            first += linear.rows();
        }
        return all;
    }

    /// Queries, keys and values apart, each head of the first two normed over its numbers.
    List<Value> normHeads(Value qkv, Heads heads, Norm query, Norm key) {
        int wide = cacheDim(heads.dim());
        long kv = (long) heads.keyValue() * wide;
        List<Value> apart = g.split(qkv, -1, (long) heads.query() * wide, kv, kv);
        return List.of(normHeads(apart.get(0), heads.query(), heads, query), normHeads(apart.get(1), heads.keyValue(), heads, key),
                apart.get(2));
    }

    /// The mean square over a padded head is less by dim / wide, the padding being zero: the epsilon shrinks with it, and the
    /// weights make up for both.
    private Value normHeads(Value x, int count, Heads heads, Norm norm) {
        int wide = cacheDim(heads.dim());
        float[] weights = matrices.vector(norm, heads.dim());
        float[] placed = new float[wide];
        for (int i = 0; i < heads.dim(); i++)
            placed[heads.place(i)] = (float) (weights[i] * Math.sqrt((double) heads.dim() / wide));
        Value weight = g.initializer(norm.name() + ".weight", Tensor.ofFloat32(placed, wide));
        Value normed = g.rmsNorm(g.reshape(x, 0, 0, count, wide), weight, norm.epsilon() * heads.dim() / wide);
        return g.reshape(normed, 0, 0, (long) count * wide);
    }

    /// Causal attention over the cache of `layer` and what `qkv` adds to it.
    ///
    /// @param rope turns queries and keys by their positions; null: positions are in `x` already
    Value attention(int layer, Value qkv, Heads heads, Rope rope) {
        return attention(layer, List.of(qkv), heads, rope, 0);
    }

    /// The same without rotary positions.
    ///
    /// @param bias added to the scores, `(1, heads, sequence, total)`, or absent
    Value biasedAttention(int layer, Value qkv, Heads heads, Value bias) {
        return attention(layer, List.of(qkv), heads, null, 0, bias);
    }

    /// @param qkv side by side as one, or queries, keys and values
    /// @param window how many positions each sees, its own among them; 0 for all before it
    Value attention(int layer, List<Value> qkv, Heads heads, Rope rope, int window) {
        return attention(layer, qkv, heads, rope, window, Value.ABSENT);
    }

    private Value attention(int layer, List<Value> qkv, Heads heads, Rope rope, int window, Value bias) {
        Shape cache = Shape.named("batch", heads.keyValue(), "capacity", cacheDim(heads.dim()));
        Value key = input("past_key_values." + layer + ".key", DType.FLOAT32, cache);
        Value value = input("past_key_values." + layer + ".value", DType.FLOAT32, cache);
        Value seqlensK = input("seqlens_k", DType.INT32, Shape.named("batch"));
        Value totalSequenceLength = input("total_sequence_length", DType.INT32, Shape.of());
        List<Value> in = new ArrayList<>(qkv.size() == 3 ? qkv : List.of(qkv.getFirst(), Value.ABSENT, Value.ABSENT));
        in.addAll(List.of(key, value, seqlensK, totalSequenceLength));
        if (rope != null) in.addAll(rotaryTables(rope, heads));
        if (rope != null && rope.longer() != null) in.add(input("position_ids", DType.INT64, inputIds().shape()));
        if (!bias.isAbsent()) {
            while (in.size() < 10) in.add(Value.ABSENT);
            in.add(bias);
        }
        Op op = new Op.GroupQueryAttention(heads.query(), heads.keyValue(), rope != null, false, window == 0 ? -1 : window,
                heads.scale());
        List<Value> out = g.apply(op, in.toArray(Value[]::new));
        g.output("present." + layer + ".key", out.get(1));
        g.output("present." + layer + ".value", out.get(2));
        return out.getFirst();
    }

    /// Attention to all of `k` and `v`, each `(batch, keys, heads · dim)` or `(batch, heads, keys, dim)`.
    ///
    /// @param bias added to the scores, `(batch or 1, heads or 1, sequence, keys)`, or absent
    Value attend(Value q, Value k, Value v, Heads heads, Value bias) {
        Op op = new Op.MultiHeadAttention(heads.query(), heads.scale());
        return (bias.isAbsent() ? g.apply(op, q, k, v) : g.apply(op, q, k, v, Value.ABSENT, Value.ABSENT, bias)).getFirst();
    }

    /// What is added to attention scores by how far apart query and key are: a row of `table`, `(1, heads, distances)`, at the
    /// input `relative_positions`, int64 `(sequence, keys)`.
    Value byDistance(String name, Tensor table, String keys) {
        return g.gather(matrices.kept(name, table), input("relative_positions", DType.INT64, Shape.named("sequence", keys)), 2);
    }

    /// Gives the keys and values of a source for the cross-attention of a layer of the decoder, once for all its tokens.
    void crossKeyValue(int layer, Value x, Heads heads, Linear key, Linear value) {
        List<Value> both = linears(x, key, value);
        for (int i = 0; i < 2; i++) {
            Value byHeads = g.transpose(g.reshape(both.get(i), 0, 0, heads.keyValue(), heads.dim()), 0, 2, 1, 3);
            g.output("present." + layer + ".encoder." + (i == 0 ? "key" : "value"), byHeads);
        }
    }

    /// Attention of rows to the sources that they belong to. The queries of all rows of a source look at it together, so that
    /// its keys and values are there once.
    ///
    /// @param query `(batch, sequence, heads · dim)`
    /// @param masked whether sources have padding
    Value crossAttention(int layer, Value query, Heads heads, boolean masked) {
        Shape source = Shape.named("sources", heads.keyValue(), "source", heads.dim());
        Value key = input("past_key_values." + layer + ".encoder.key", DType.FLOAT32, source);
        Value value = input("past_key_values." + layer + ".encoder.value", DType.FLOAT32, source);
        Value queries = input("source_queries", DType.INT64, Shape.named("sources", "queries"));
        Value answers = input("row_answers", DType.INT64, inputIds().shape());
        int width = (int) query.shape().size(-1);
        Value together = g.gather(g.reshape(query, -1, width), queries, 0);                 // (sources, queries, width)
        Value bias = masked ? unseen("encoder_attention_mask", Shape.named("sources", "source"), queries) : Value.ABSENT;
        Value seen = attend(together, key, value, heads, bias);
        return g.gather(g.reshape(seen, -1, width), answers, 0);
    }

    /// cos and sin, `(rows, pairs of a head in the cache)`, or of the pairs that turn where these stay in their places.
    private List<Value> rotaryTables(Rope rope, Heads heads) {
        return rotaryTables.computeIfAbsent(rope, r -> {
            float[][] tables = r.tables();
            int pairs = r.inverseFrequencies().length;
            int wide = heads.padded() || !heads.turnsAsStored() ? cacheDim(heads.dim()) / 2 : pairs;
            String name = rotaryTables.isEmpty() ? "rotary." : "rotary" + rotaryTables.size() + ".";
            List<Value> made = new ArrayList<>();
            for (int t = 0; t < 2; t++) {
                float[] table = new float[r.rows() * wide];
                Arrays.fill(table, 1 - t);                                                  // padding does not turn
                for (int p = 0; p < r.rows(); p++)
                    System.arraycopy(tables[t], p * pairs, table, p * wide, pairs);
                made.add(matrices.kept(name + (t == 0 ? "cos" : "sin"), Tensor.ofFloat32(table, r.rows(), wide)));
            }
            return made;
        });
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

    /// Attention without a cache: every position sees all that `attention_mask` int64 `(batch, sequence)` has 1 for.
    ///
    /// @param linears of queries, keys and values, all `(width, width)`
    Value allAttention(Value x, int heads, Linear... linears) {
        List<Value> qkv = linears(x, linears);
        return g.apply(new Op.MultiHeadAttention(heads, 0), qkv.get(0), qkv.get(1), qkv.get(2), Value.ABSENT, Value.ABSENT,
                unseen()).getFirst();
    }

    /// Attention without a cache or padding: every position sees every other.
    ///
    /// @param linears of queries, keys and values, all `(heads · dim, width)`
    Value openAttention(Value x, int heads, Linear... linears) {
        List<Value> qkv = linears(x, linears);
        return g.apply(new Op.MultiHeadAttention(heads, 0), qkv.get(0), qkv.get(1), qkv.get(2)).getFirst();
    }

    /// As `openAttention`, in plain operators, since what positions see of each other is an output of the graph:
    /// `name` float32 `(batch, heads, sequence, sequence)`.
    Value shownAttention(String name, Value x, int heads, Linear... linears) {
        int dim = linears[0].rows() / heads;
        List<Value> qkv = Arrays.stream(linears).map(l -> g.reshape(linear(x, l), 0, 0, heads, dim)).toList();
        Value scores = g.matMul(g.transpose(qkv.get(0), 0, 2, 1, 3), g.transpose(qkv.get(1), 0, 2, 3, 1));
        Value weights = g.softmax(g.mul(scores, number("scale" + dim, (float) (1 / Math.sqrt(dim)))), -1);
        Value seen = g.matMul(weights, g.transpose(qkv.get(2), 0, 2, 1, 3));                // (batch, heads, sequence, dim)
        g.output(name, weights);
        return g.reshape(g.transpose(seen, 0, 2, 1, 3), 0, 0, heads * dim);
    }

    /// A picture's patches, row by row, each as a vector: `(batch, patches, width)`.
    ///
    /// @param name of filters `(width, channels, height, width of a patch)` and their bias
    /// @param pixels `(batch, channels, height, width)`; what is left of whole patches is cut off
    Value patches(String name, Value pixels, int width, int patchHeight, int patchWidth) {
        Value filters = matrices.matrix(name + ".weight", width, pixels.shape().size(1), patchHeight, patchWidth);
        Value x = g.apply(new Op.Conv(List.of(patchHeight, patchWidth), List.of(0, 0, 0, 0)), pixels, filters,
                matrices.vector(name + ".bias", width)).getFirst();
        return g.transpose(g.reshape(x, 0, 0, -1), 0, 2, 1);
    }

    /// The positions of `x` behind one that is the same in each row, `name` `(1, 1, width)`.
    Value behind(String name, Value x) {
        Value none = g.mul(g.gather(x, g.longs(0), 1), number("none", 0));                  // (batch, 1, width)
        return g.concat(1, g.add(none, matrices.matrix(name, 1, 1, x.shape().size(-1))), x);
    }

    /// Adds a vector for each position, `name` `(1, positions, width)`.
    Value placed(Value x, String name) {
        return g.add(x, matrices.matrix(name, 1, x.shape().size(1), x.shape().size(2)));
    }

    /// What is added to scores, so that nothing is left of padding: `(batch, 1, sequence, sequence)`.
    Value unseen() {
        return unseen("attention_mask", inputIds().shape(), inputIds());
    }

    /// The same for `queries`, of which the first two axes count, and the keys that the input `mask` has 1 for:
    /// `(batch, 1, queries, keys)`. A mask of the keys would say it too, but WebGPU's operator takes none.
    private Value unseen(String mask, Shape keys, Value queries) {
        return made.computeIfAbsent("unseen " + mask, _ -> {
            Value far = g.mul(g.sub(number("one", 1), g.cast(input(mask, DType.INT64, keys), DType.FLOAT32)), number("far", FAR));
            return g.add(g.reshape(far, 0, 1, 1, -1), g.reshape(g.cast(zeros(queries), DType.FLOAT32), 0, 1, -1, 1));
        });
    }

    private Value number(String name, float value) {
        return g.initializer(name).orElseGet(() -> g.initializer(name, Tensor.ofFloat32(new float[] {value})));
    }

    private Value whole(long value) {
        String name = "whole" + value;
        return g.initializer(name).orElseGet(() -> g.initializer(name, Tensor.ofInt64(new long[] {value})));
    }

    /// As many zeros as there are `ids`.
    Value zeros(Value ids) {
        return g.mul(ids, whole(0));
    }

    /// 0, 1, 2, …: the places of the tokens in each row.
    Value places() {
        return g.cumSum(g.add(zeros(inputIds()), whole(1)), 1, true);
    }

    /// The places of the tokens that are not `pad`, counted from `pad + 1`; `pad` for padding.
    Value placesBehind(int pad) {
        Value given = g.sub(whole(1), g.cast(g.equal(inputIds(), whole(pad)), DType.INT64));
        return g.add(g.mul(g.cumSum(given, 1, false), given), whole(pad));
    }

    /// The first position of each row: `(batch, width)`.
    Value first(Value x) {
        return g.gather(x, whole(0), 1);
    }

    /// The two numbers of each position, apart: `(batch, sequence)` each.
    List<Value> columns(Value x) {
        return g.split(x, -1, 1, 1).stream().map(v -> g.reshape(v, 0, -1)).toList();
    }

    /// Adds a vector that stands by itself.
    Value biased(Value x, String name) {
        return g.add(x, vector(name, x));
    }
}
