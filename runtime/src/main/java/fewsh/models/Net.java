package fewsh.models;

import fewsh.graph.Fusions;
import fewsh.graph.Graph;
import fewsh.graph.GraphBuilder;
import fewsh.graph.Op;
import fewsh.graph.Value;
import fewsh.tensor.DType;
import fewsh.tensor.Shape;
import fewsh.tensor.Tensor;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/// What pages build with: the layers that they share, over one checkpoint's weights at one precision.
///
/// A page says what is computed; how a matrix is held, how the cache is fed and which operators do it is decided here.
/// One build, one thread.
public final class Net {
    private final GraphBuilder g;
    private final Matrices matrices;
    private final Checkpoint checkpoint;
    private final Map<String, Value> inputs = new HashMap<>();
    private final Map<Rope, List<Value>> rotaryTables = new HashMap<>();
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
            Set<LoraSlot> slots, boolean bytes) {
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

    Matrices matrices() {
        return matrices;
    }

    /// cos and sin of the rotary positions that layers have asked for.
    Map<Rope, List<Value>> rotaryTables() {
        return rotaryTables;
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
    Value scaled(Value x, double factor) {
        return g.mul(x, number("factor " + (float) factor, (float) factor));
    }

    /// The same, under the name that conversions of Gemma's pages have had for the number.
    Value scale(Value x, double factor) {
        return g.mul(x, constant("scale[" + (float) factor + "]", () -> Tensor.ofFloat32(new float[] {(float) factor}, 1)));
    }

    /// The numbers of a weight, for what is computed of it beforehand.
    float[] numbers(String name, long... shape) {
        return checkpoint.weight(name, shape).floats();
    }

    Value activation(String word, Value x) {
        return Activations.of(word, g, x);
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

    private Value vector(String name, Value x) {
        return matrices.vector(name, (int) x.shape().size(-1));
    }

    /// Rows of `name.weight`, `(vocab, width)`.
    Value embedding(String name, int vocab, int width, Value ids) {
        return matrices.rows(name, vocab, width, ids);
    }

    Value positionIds() {
        return input("position_ids", DType.INT64, inputIds().shape());
    }

    /// Rows of `name.weight`, `(positions, width)`, at `position_ids`.
    Value positionEmbedding(String name, int positions, int width) {
        return g.gather(table(name, positions, width), positionIds(), 0);
    }

    /// The same, where the table has `offset` rows before the first position.
    Value positionEmbedding(String name, int positions, int width, int offset) {
        return g.gather(table(name, positions + offset, width), g.add(positionIds(), g.longs(offset)), 0);
    }

    /// Rows of a table that is no weight, `(positions, width)`, at `position_ids`.
    Value positionRows(String name, Tensor table) {
        return g.gather(matrices.kept(name, table), positionIds(), 0);
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

    /// A value that several layers use, computed for the first.
    Value once(String name, Supplier<Value> value) {
        return made.computeIfAbsent(name, _ -> value.get());
    }

    /// A constant of the graph; the same one when it is asked for again.
    Value constant(String name, Supplier<Tensor> tensor) {
        return g.initializer(name).orElseGet(() -> g.initializer(name, tensor.get()));
    }

    Value number(String name, float value) {
        return constant(name, () -> Tensor.ofFloat32(new float[] {value}));
    }

    private Value whole(long value) {
        return constant("whole" + value, () -> Tensor.ofInt64(new long[] {value}));
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
