package fewsh.generate;

import fewsh.session.Session;
import fewsh.tensor.DType;
import fewsh.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/// Rows that an export's decoder continues. Each has keys and values of its source as well, since the graph knows rows only.
final class ExportedRows implements DecoderRows {
    private static final int GRAIN = 32;

    private final ExportedGraphs graphs;
    private final Arena arena;
    private final ExportedGraphs.Read read;
    private final KvMemory memory;
    private final Map<String, Tensor> cross = new LinkedHashMap<>();
    /// What each row holds, `length` ids.
    private final int[][] held;
    private int length;
    private Arena pass = Arena.ofShared();
    /// Of the last pass, `(rows, width, vocab_size)`.
    private Tensor logits;
    private final float[] scratch;
    private volatile Session.Bound running;
    private volatile boolean interrupted;

    /// @param arena of `read`'s tensors; closed with this
    ExportedRows(ExportedGraphs graphs, Arena arena, ExportedGraphs.Read read) {
        this.graphs = graphs;
        this.arena = arena;
        this.read = read;
        this.memory = new KvMemory(graphs.own, false, read.rows());
        this.held = new int[read.rows()][0];
        this.scratch = new float[graphs.vocabSize()];
        for (Ports.Slot slot : graphs.cross)
            cross.put(slot.past(), Tensor.allocate(arena, slot.dtype(), slot.shape(read.rows(), read.length())));
    }

    @Override
    public int rows() {
        return read.rows();
    }

    @Override
    public boolean feed(int[] ids) {
        int width = ids.length / rows();
        // what continues rows was traced with one id a row
        for (int at = 0; length > 0 && graphs.later != null && width > 1 && at < width; at++) {
            int[] one = new int[rows()];
            for (int row = 0; row < rows(); row++) one[row] = ids[row * width + at];
            if (!feed(one)) return false;
            if (at == width - 1) return true;
        }
        for (int row = 0; row < rows(); row++) {
            if (held[row].length < length + width) held[row] = Arrays.copyOf(held[row], 2 * (length + width));
            System.arraycopy(ids, row * width, held[row], length, width);
        }
        boolean begins = length == 0 || graphs.later == null;
        if (!run(begins ? graphs.first : graphs.later, begins, begins ? 0 : length, length + width)) return false;
        length += width;
        if (graphs.later != null) memory.filled(length);
        return true;
    }

    /// One pass over the ids from `from` to before `to`.
    private boolean run(Session session, boolean begins, int from, int to) {
        pass.close();
        pass = Arena.ofShared();
        if (memory.capacity() < to && graphs.later != null) memory.resize((to + GRAIN - 1) / GRAIN * GRAIN * 2, length);
        Map<String, Tensor> cache = memory.pasts(length);
        Map<String, Tensor> in = new LinkedHashMap<>();
        DType type = DType.FLOAT32;
        for (Session.Port port : session.outputs()) if (port.name().equals("logits")) type = port.dtype();
        for (Session.Port port : session.inputs())
            in.put(port.name(), switch (port.name()) {
                case "input_ids" -> ids(port.dtype(), from, to);
                case "encoder_attention_mask" -> read.mask().to(pass, port.dtype());
                case "encoder_hidden_states" -> read.hidden().to(pass, port.dtype());
                case "use_cache_branch" -> truth(!begins);
                default -> cache.containsKey(port.name()) ? cache.get(port.name()) : crossing(port.name(), begins);
            });
        logits = Tensor.allocate(pass, type, rows(), to - from, graphs.vocabSize());
        Map<String, Tensor> out = new LinkedHashMap<>(memory.presents(to));
        if (begins) for (Ports.Slot slot : graphs.cross) out.put(slot.present(), cross.get(slot.past()));
        out.put("logits", logits);
        try (Session.Bound bound = session.bind(in, out)) {
            running = bound;
            if (interrupted) bound.interrupt();
            return bound.run();
        } finally {
            running = null;
        }
    }

    private Tensor ids(DType type, int from, int to) {
        Tensor ids = Tensor.allocate(pass, DType.INT64, rows(), to - from);
        for (int row = 0; row < rows(); row++)
            for (int at = from; at < to; at++)
                ids.data().setAtIndex(ValueLayout.JAVA_LONG, (long) row * (to - from) + at - from, held[row][at]);
        return ids.to(pass, type);
    }

    private Tensor truth(boolean value) {
        Tensor truth = Tensor.allocate(pass, DType.BOOL, 1);
        truth.data().set(ValueLayout.JAVA_BYTE, 0, (byte) (value ? 1 : 0));
        return truth;
    }

    /// Keys or values of the source; none while a merged graph begins, which does not look at them.
    private Tensor crossing(String name, boolean begins) {
        Tensor tensor = cross.get(name);
        if (!begins) return tensor;
        long[] sizes = tensor.shape().sizes();
        sizes[sizes.length - 2] = 0;
        return Tensor.allocate(pass, tensor.dtype(), sizes);
    }

    @Override
    public void reorder(int[] from) {
        for (int row = 0; row < rows(); row++) {
            int other = from[row];
            if (other == row) continue;
            int common = Arrays.mismatch(held[row], 0, length, held[other], 0, length);
            if (common < 0) continue;
            memory.row(other, row, common, length);
            System.arraycopy(held[other], common, held[row], common, length - common);
        }
    }

    @Override
    public void logits(int row, float[] to) {
        long width = logits.shape().size(1);
        logits.floats((row * width + width - 1) * to.length, to);
    }

    /// Logits of all positions fed last.
    void all(float[] to) {
        logits.floats(0, to);
    }

    @Override
    public void logprobs(int row, float[] to) {
        logits(row, scratch);
        double normaliser = Sampler.logSumExp(scratch);
        for (int id = 0; id < to.length; id++) to[id] = (float) (scratch[id] - normaliser);
    }

    @Override
    public void interrupt() {
        interrupted = true;
        Session.Bound now = running;
        if (now != null) now.interrupt();
    }

    @Override
    public void close() {
        pass.close();
        memory.close();
        arena.close();
    }
}
