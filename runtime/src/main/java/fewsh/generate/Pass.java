package fewsh.generate;

import fewsh.models.Causal;
import fewsh.session.Session;
import fewsh.tensor.DType;
import fewsh.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.LinkedHashMap;
import java.util.Map;

/// One forward pass over a cache, ready to be run again with other ids: `(rows, sequence)` ids in, logits of `n` positions out.
///
/// Owns its tensors. Bound to the cache's memory: to be made anew when [KvCache#reserve] moved that.
final class Pass implements AutoCloseable {
    private final Arena arena = Arena.ofShared();
    private final KvCache cache;
    private final int sequence;
    private final int vocabSize;
    private final Tensor inputIds;
    private final Tensor positionIds;
    private final Tensor seqlensK;
    private final Tensor total;
    private final Tensor logitsPositions;
    private final Tensor logits;
    private final Tensor logprobs;
    private final Session.Bound bound;

    /// @param positions how many positions of the flattened `(rows · sequence)` get logits
    Pass(Session session, Causal.Layout layout, KvCache cache, int sequence, int positions) {
        this.cache = cache;
        this.sequence = sequence;
        this.vocabSize = layout.vocabSize();
        int rows = cache.rows();
        inputIds = Tensor.allocate(arena, DType.INT64, rows, sequence);
        positionIds = Tensor.allocate(arena, DType.INT64, rows, sequence);
        seqlensK = Tensor.allocate(arena, DType.INT32, rows);
        total = Tensor.allocate(arena, DType.INT32);
        logitsPositions = Tensor.allocate(arena, DType.INT64, positions);
        logits = Tensor.allocate(arena, DType.FLOAT32, positions, vocabSize);
        logprobs = Tensor.allocate(arena, DType.FLOAT32, positions, vocabSize);
        Map<String, Tensor> in = new LinkedHashMap<>(cache.pasts());
        in.put("input_ids", inputIds);
        if (layout.takesPositions()) in.put("position_ids", positionIds);
        in.put("seqlens_k", seqlensK);
        in.put("total_sequence_length", total);
        in.put("logits_positions", logitsPositions);
        Map<String, Tensor> out = new LinkedHashMap<>(cache.presents());
        out.put("logits", logits);
        out.put("logprobs", logprobs);
        bound = session.bind(in, out);
    }

    void id(int row, int at, int id) {
        inputIds.data().setAtIndex(ValueLayout.JAVA_LONG, (long) row * sequence + at, id);
    }

    /// Asks for the logits of position `at` of `row` as the `i`-th.
    void want(int i, int row, int at) {
        logitsPositions.data().setAtIndex(ValueLayout.JAVA_LONG, i, (long) row * sequence + at);
    }

    /// Runs behind the positions that the cache holds; the caller then notes the new ones with [KvCache#append].
    ///
    /// @return false if it was interrupted
    boolean run() {
        int past = cache.length();
        for (int row = 0; row < cache.rows(); row++) {
            seqlensK.data().setAtIndex(ValueLayout.JAVA_INT, row, past + sequence - 1);
            for (int at = 0; at < sequence; at++)
                positionIds.data().setAtIndex(ValueLayout.JAVA_LONG, (long) row * sequence + at, past + at);
        }
        total.data().set(ValueLayout.JAVA_INT, 0, past + sequence);
        return bound.run();
    }

    /// Logits of the `i`-th wanted position.
    void logits(int i, float[] to) {
        MemorySegment.copy(logits.data(), ValueLayout.JAVA_FLOAT, (long) i * vocabSize * Float.BYTES, to, 0, vocabSize);
    }

    /// ln p of every token at the `i`-th wanted position.
    void logprobs(int i, float[] to) {
        MemorySegment.copy(logprobs.data(), ValueLayout.JAVA_FLOAT, (long) i * vocabSize * Float.BYTES, to, 0, vocabSize);
    }

    float logprob(int i, int id) {
        return logprobs.data().getAtIndex(ValueLayout.JAVA_FLOAT, (long) i * vocabSize + id);
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
