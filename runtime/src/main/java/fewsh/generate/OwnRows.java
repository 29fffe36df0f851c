package fewsh.generate;

import fewsh.models.EncoderDecoder;
import fewsh.session.Session;
import fewsh.tensor.DType;
import fewsh.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/// Rows that a page's graph `decoder` continues.
///
/// Keys and values of cross-attention are there once a source, those of what the rows hold once a row, in memory that a run
/// writes behind what is filled, in place. Rows that have their first ids in common have those of their keys and values in
/// common too, so that one is made another by copying only what comes after.
final class OwnRows implements DecoderRows {
    /// Positions that the memory of the rows grows by, at least.
    private static final int GRAIN = 32;

    private final OwnGraphs graphs;
    private final EncoderDecoder.Layout layout;
    private final Arena arena;
    private final OwnGraphs.Read read;
    private final int rows;
    /// What each row holds, `length` ids.
    private final int[][] held;
    private int length;
    private int capacity;
    private Arena memory = Arena.ofShared();
    private Map<String, Tensor> pasts = Map.of();
    /// The pass that is bound, for `width` ids a row; null when memory moved.
    private Step step;
    private volatile Session.Bound running;
    private volatile boolean interrupted;

    /// A pass of so many ids a row, with logits of so many positions a row.
    private record Step(int width, int wanted, Arena arena, Tensor ids, Tensor positions, Tensor seqlens, Tensor total,
            Tensor logits, Tensor logprobs, Session.Bound bound) {
        void close() {
            bound.close();
            arena.close();
        }
    }

    /// @param arena of `read`'s tensors, or another; closed with this
    OwnRows(OwnGraphs graphs, Arena arena, OwnGraphs.Read read, int each) {
        this.graphs = graphs;
        this.layout = graphs.layout();
        this.arena = arena;
        this.read = read;
        this.rows = read.batch() * each;
        this.held = new int[rows][0];
    }

    @Override
    public int rows() {
        return rows;
    }

    @Override
    public boolean feed(int[] ids) {
        return feed(ids, 1);
    }

    /// Feeds ids and gives the logits of them all, row by row.
    void feed(int[] ids, float[] logits) {
        feed(ids, ids.length / rows);
        MemorySegment.copy(step.logits.data(), ValueLayout.JAVA_FLOAT, 0, logits, 0, logits.length);
    }

    /// @param wanted of how many of the last positions of each row there are to be logits
    private boolean feed(int[] ids, int wanted) {
        int width = ids.length / rows;
        reserve(length + width);
        boolean relative = layout.maxDistance() > 0;
        if (step != null && (relative || step.width != width || step.wanted != wanted)) release();
        if (step == null) step = bind(width, wanted);
        for (int i = 0; i < ids.length; i++) {
            step.ids.data().setAtIndex(ValueLayout.JAVA_LONG, i, ids[i]);
            step.positions.data().setAtIndex(ValueLayout.JAVA_LONG, i, length + i % width);
        }
        for (int row = 0; row < rows; row++) step.seqlens.data().setAtIndex(ValueLayout.JAVA_INT, row, length + width - 1);
        step.total.data().set(ValueLayout.JAVA_INT, 0, length + width);
        if (interrupted || !step.bound.run()) return false;
        for (int row = 0; row < rows; row++) {
            if (held[row].length < length + width) held[row] = Arrays.copyOf(held[row], 2 * (length + width));
            System.arraycopy(ids, row * width, held[row], length, width);
        }
        length += width;
        return true;
    }

    private Step bind(int width, int wanted) {
        Arena own = Arena.ofShared();
        int sources = read.batch();
        int queries = rows / sources * width;
        int vocab = layout.vocabSize();
        Tensor ids = Tensor.allocate(own, DType.INT64, rows, width);
        Tensor positions = Tensor.allocate(own, DType.INT64, rows, width);
        Tensor seqlens = Tensor.allocate(own, DType.INT32, rows);
        Tensor total = Tensor.allocate(own, DType.INT32);
        Tensor logits = Tensor.allocate(own, DType.FLOAT32, (long) rows * wanted, vocab);
        Tensor logprobs = Tensor.allocate(own, DType.FLOAT32, (long) rows * wanted, vocab);
        Tensor last = Tensor.allocate(own, DType.INT64, (long) rows * wanted);
        for (long i = 0; i < (long) rows * wanted; i++)
            last.data().setAtIndex(ValueLayout.JAVA_LONG, i, i / wanted * width + width - wanted + i % wanted);
        Map<String, Tensor> in = new LinkedHashMap<>(pasts);
        in.putAll(read.cross());
        in.put("input_ids", ids);
        in.put("position_ids", positions);
        in.put("seqlens_k", seqlens);
        in.put("total_sequence_length", total);
        in.put("logits_positions", last);
        // rows of a source stand side by side, so both only count
        in.put("source_queries", OwnGraphs.counted(own, Long.MAX_VALUE, sources, queries));
        in.put("row_answers", OwnGraphs.counted(own, Long.MAX_VALUE, rows, width));
        if (read.mask() != null) in.put("encoder_attention_mask", read.mask());
        if (layout.maxDistance() > 0) in.put("relative_positions", graphs.distances(own, length, width));
        Map<String, Tensor> out = new LinkedHashMap<>();
        pasts.forEach((name, tensor) -> out.put(name.replace("past_key_values", "present"), tensor));
        out.put("logits", logits);
        out.put("logprobs", logprobs);
        Session.Bound bound = graphs.bindDecoder(in, out);
        running = bound;
        if (interrupted) bound.interrupt();
        return new Step(width, wanted, own, ids, positions, seqlens, total, logits, logprobs, bound);
    }

    private void release() {
        running = null;
        if (step != null) step.close();
        step = null;
    }

    private void reserve(int positions) {
        if (positions <= capacity) return;
        release();
        int wanted = Math.max((positions + GRAIN - 1) / GRAIN * GRAIN, Math.min(2 * capacity, layout.targetPositions()));
        Arena larger = Arena.ofShared();
        Map<String, Tensor> moved = new LinkedHashMap<>();
        for (int layer = 0; layer < layout.nLayer(); layer++)
            for (String kind : new String[] {"key", "value"}) {
                String name = "past_key_values." + layer + "." + kind;
                Tensor to = Tensor.allocate(larger, DType.FLOAT32, rows, layout.nHead(), wanted, layout.cacheDim());
                for (int row = 0; length > 0 && row < rows; row++) copy(pasts.get(name), row, to, row, 0, length);
                moved.put(name, to);
            }
        memory.close();
        memory = larger;
        pasts = moved;
        capacity = wanted;
    }

    @Override
    public void reorder(int[] from) {
        for (int row = 0; row < rows; row++) {
            int other = from[row];
            if (other == row) continue;
            int common = Arrays.mismatch(held[row], 0, length, held[other], 0, length);
            if (common < 0) continue;
            for (Tensor past : pasts.values()) copy(past, other, past, row, common, length);
            System.arraycopy(held[other], common, held[row], common, length - common);
        }
    }

    /// Copies positions of a row, head by head.
    private static void copy(Tensor from, int fromRow, Tensor to, int toRow, int first, int end) {
        long heads = from.shape().size(1);
        long width = from.shape().size(3) * Float.BYTES;
        for (long h = 0; h < heads; h++)
            MemorySegment.copy(from.data(), ((fromRow * heads + h) * from.shape().size(2) + first) * width,
                    to.data(), ((toRow * heads + h) * to.shape().size(2) + first) * width, (end - first) * width);
    }

    @Override
    public void logits(int row, float[] to) {
        copy(step.logits, row, to);
    }

    @Override
    public void logprobs(int row, float[] to) {
        copy(step.logprobs, row, to);
    }

    private void copy(Tensor all, int row, float[] to) {
        int vocab = layout.vocabSize();
        MemorySegment.copy(all.data(), ValueLayout.JAVA_FLOAT, (long) row * vocab * Float.BYTES, to, 0, vocab);
    }

    @Override
    public void interrupt() {
        interrupted = true;
        Session.Bound now = running;
        if (now != null) now.interrupt();
    }

    @Override
    public void close() {
        release();
        memory.close();
        arena.close();
    }
}
