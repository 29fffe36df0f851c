package fewsh.generate;

import fewsh.session.Session;
import fewsh.tensor.DType;
import fewsh.tensor.Shape;
import fewsh.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/// One forward pass over a cache, ready to be run again with other ids: `(rows, sequence)` ids in, logits of `n` positions out.
///
/// Owns its tensors. Bound to the cache's memory: to be made anew when [KvCache#reserve] moved that.
final class Pass implements AutoCloseable {
    private final Arena arena = Arena.ofShared();
    private final Ports ports;
    private final KvCache cache;
    private final Optional<Pictures> pictures;
    private final int sequence;
    private final int positions;
    private final Map<String, Tensor> inputs = new LinkedHashMap<>();
    private final Tensor logits;
    private final Tensor logprobs;
    /// Which row of the logits is the `i`-th wanted one.
    private final int[] places;
    private final Session.Bound bound;
    /// Of the logits whose softmax was last asked for.
    private final float[] scratch;
    private int normalised = -1;
    private double normaliser;

    /// @param positions how many positions of the flattened `(rows · sequence)` get logits
    Pass(Session session, Ports ports, Optional<Pictures> pictures, KvCache cache, int sequence, int positions) {
        this.ports = ports;
        this.pictures = pictures;
        this.cache = cache;
        this.sequence = sequence;
        this.positions = positions;
        this.places = new int[positions];
        int rows = cache.rows();
        ports.inputs().forEach((name, input) -> inputs.put(name, switch (input.role()) {
            case IDS, POSITIONS -> Tensor.allocate(arena, input.dtype(), rows, sequence);
            case TEXT -> Tensor.allocate(arena, input.dtype(), rows, sequence, 1);
            case PICTURES -> Tensor.allocate(arena, input.dtype(), rows, sequence, pictures.orElseThrow().width());
            case MASK -> ones(input.dtype(), rows, cache.capacity());
            case LAST -> Tensor.allocate(arena, input.dtype(), rows);
            case TOTAL -> Tensor.allocate(arena, input.dtype());
            case CHOSEN -> Tensor.allocate(arena, input.dtype(), positions);
            case KEPT -> number(input.dtype(), kept());
            case CACHED -> Tensor.allocate(arena, DType.BOOL, 1);
        }));
        long vocab = ports.vocabSize();
        logits = Tensor.allocate(arena, ports.logitsType(), switch (ports.given()) {
            case CHOSEN -> new long[] {positions, vocab};
            case ALL -> new long[] {rows, sequence, vocab};
            case KEPT -> new long[] {rows, kept(), vocab};
            case LAST -> new long[] {rows, 1, vocab};
            case LAST_FLAT -> new long[] {rows, vocab};
        });
        logprobs = ports.logprobs() == null ? null : Tensor.allocate(arena, DType.FLOAT32, positions, vocab);
        scratch = ports.logprobs() == null ? new float[ports.vocabSize()] : null;
        Map<String, Tensor> in = new LinkedHashMap<>(cache.pasts());
        in.putAll(inputs);
        Map<String, Tensor> out = new LinkedHashMap<>(cache.presents(sequence));
        out.put(ports.logits(), logits);
        if (logprobs != null) out.put(ports.logprobs(), logprobs);
        bound = session.bind(in, out);
    }

    /// Of the last so many positions of each row the graph is told to give logits.
    private int kept() {
        return sequence == 1 ? 1 : positions;
    }

    private Tensor ones(DType dtype, long... sizes) {
        Tensor ones = Tensor.allocate(arena, dtype, sizes);
        for (long i = 0; i < ones.shape().count(); i++)
            switch (dtype) {
                case INT64 -> ones.data().setAtIndex(ValueLayout.JAVA_LONG, i, 1);
                case INT32 -> ones.data().setAtIndex(ValueLayout.JAVA_INT, i, 1);
                case BOOL, INT8, UINT8 -> ones.data().set(ValueLayout.JAVA_BYTE, i, (byte) 1);
                case FLOAT32 -> ones.data().setAtIndex(ValueLayout.JAVA_FLOAT, i, 1);
                case FLOAT64 -> ones.data().setAtIndex(ValueLayout.JAVA_DOUBLE, i, 1);
                case FLOAT16 -> ones.data().setAtIndex(ValueLayout.JAVA_SHORT, i, Float.floatToFloat16(1));
                case BFLOAT16 -> ones.data().setAtIndex(ValueLayout.JAVA_SHORT, i, (short) (Float.floatToIntBits(1) >> 16));
            }
        return ones;
    }

    private Tensor number(DType dtype, int value) {
        Tensor number = Tensor.allocate(arena, dtype);
        set(number, 0, value);
        return number;
    }

    private static void set(Tensor whole, long i, int value) {
        if (whole.dtype() == DType.INT64) whole.data().setAtIndex(ValueLayout.JAVA_LONG, i, value);
        else whole.data().setAtIndex(ValueLayout.JAVA_INT, i, value);
    }

    void id(int row, int at, int id) {
        int index = row * sequence + at;
        boolean ofPicture = pictures.isPresent() && pictures.get().holds(id);
        ports.inputs().forEach((name, input) -> {
            Tensor tensor = inputs.get(name);
            switch (input.role()) {
                case IDS -> set(tensor, index, ofPicture ? pictures.get().token() : id);
                case TEXT -> tensor.data().setAtIndex(ValueLayout.JAVA_FLOAT, index, ofPicture ? 0 : 1);
                case PICTURES -> pictures.orElseThrow().copy(id, tensor.data(), index);
                case POSITIONS, MASK, LAST, TOTAL, CHOSEN, KEPT, CACHED -> {}
            }
        });
    }

    /// Asks for the logits of position `at` of `row` as the `i`-th; of the last positions, if there are several of a row.
    void want(int i, int row, int at) {
        places[i] = switch (ports.given()) {
            case CHOSEN -> i;
            case ALL -> row * sequence + at;
            case KEPT -> row * kept() + at - (sequence - kept());
            case LAST, LAST_FLAT -> row;
        };
        ports.inputs().forEach((name, input) -> {
            if (input.role() == Ports.Role.CHOSEN) set(inputs.get(name), i, row * sequence + at);
        });
    }

    /// Runs behind the positions that the cache holds; the caller then notes the new ones with [KvCache#append].
    ///
    /// @return false if it was interrupted
    boolean run() {
        int past = cache.length();
        int rows = cache.rows();
        ports.inputs().forEach((name, input) -> {
            Tensor tensor = inputs.get(name);
            switch (input.role()) {
                case POSITIONS -> {
                    for (int i = 0; i < rows * sequence; i++) set(tensor, i, cache.shift() + past + i % sequence);
                }
                case MASK -> bound.in(name, part(tensor, rows, past + sequence));
                case LAST -> {
                    for (int row = 0; row < rows; row++) set(tensor, row, past + sequence - 1);
                }
                case TOTAL -> set(tensor, 0, past + sequence);
                case CACHED -> tensor.data().set(ValueLayout.JAVA_BYTE, 0, (byte) (past > 0 ? 1 : 0));
                case IDS, CHOSEN, KEPT, TEXT, PICTURES -> {}
            }
        });
        if (!ports.inPlace()) {
            cache.pasts().forEach(bound::in);
            cache.presents(sequence).forEach(bound::out);
        }
        normalised = -1;
        return bound.run();
    }

    /// The first numbers of a tensor, as one of another shape.
    private static Tensor part(Tensor tensor, long... sizes) {
        Shape shape = Shape.of(sizes);
        return new Tensor(tensor.dtype(), shape, tensor.data().asSlice(0, shape.count() * tensor.dtype().bytes()));
    }

    /// Logits of the `i`-th wanted position.
    void logits(int i, float[] to) {
        logits.floats((long) places[i] * ports.vocabSize(), to);
    }

    /// ln p of every token at the `i`-th wanted position.
    void logprobs(int i, float[] to) {
        if (logprobs != null) {
            MemorySegment.copy(logprobs.data(), ValueLayout.JAVA_FLOAT, (long) i * to.length * Float.BYTES, to, 0, to.length);
            return;
        }
        normalise(i);
        for (int id = 0; id < to.length; id++) to[id] = (float) (scratch[id] - normaliser);
    }

    float logprob(int i, int id) {
        if (logprobs != null) return logprobs.data().getAtIndex(ValueLayout.JAVA_FLOAT, (long) i * ports.vocabSize() + id);
        normalise(i);
        return (float) (scratch[id] - normaliser);
    }

    private void normalise(int i) {
        if (normalised == i) return;
        logits(i, scratch);
        normaliser = Sampler.logSumExp(scratch);
        normalised = i;
    }

    void interrupt() {
        bound.interrupt();
    }

    @Override
    public void close() {
        bound.close();
        arena.close();
    }
}
