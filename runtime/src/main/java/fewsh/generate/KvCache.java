package fewsh.generate;

import fewsh.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/// Keys and values of every layer for the tokens seen so far, so that a step feeds only what is new.
///
/// Bytes: `rows * capacity * ports.cacheBytes()`, twice where a graph does not work in place; SmolLM2-135M: 45 KiB a position.
/// Grows as needed up to the context length.
///
/// Owns native memory: close it. Belongs to one conversation; not thread-safe. `trim(n)` keeps the first `n` positions, which
/// is how an edited prompt reuses its common prefix. What `keep` was told of outlives that, apart and without spare room, and
/// `reuse` puts it back: so the branches of a conversation share what they have in common, and none is computed twice.
///
/// How many positions a pass has shows in the last bits of its results, so what a cache held can show in an answer. A cache
/// with a stride lets nothing show: its passes end at multiples of the stride, and only positions that such a whole pass
/// computed are used again, never those of an answer. A prompt then takes the same passes whatever the cache held.
public final class KvCache implements AutoCloseable {
    private static final int GRAIN = 256;

    private final Ports ports;
    private final int rows;
    private final List<Tail> tails = new ArrayList<>();
    private List<int[]> kept = List.of();
    private final int stride;
    private final KvMemory memory;
    private int[] ids = new int[0];
    private int length;
    private int whole;
    private Object user;
    private int shift;

    /// Positions that the cache had to give up: they go behind the first `from` of those whose ids are `ids`.
    private record Tail(int[] ids, int from, KvMemory memory) {
        /// How many positions of `wanted` there would be with this behind them; 0 if it has none of them.
        int reach(int[] wanted) {
            int common = common(ids, ids.length, wanted);
            return common > from ? common : 0;
        }
    }

    /// @param stride 0 for none; with one, `keep` is not to be used
    KvCache(Ports ports, int rows, int stride) {
        this.ports = ports;
        this.rows = rows;
        this.stride = stride;
        this.memory = new KvMemory(ports.slots(), ports.inPlace(), rows);
    }

    /// Says which model, with its adapters, fills the cache from now on, and how many positions there are to be: what another
    /// filled, or with other numbers for the positions, is forgotten, to the last tail.
    void use(Object model, int positions) {
        if (user != null && (user != model || shift != ports.shift(positions))) {
            keep(List.of());
            length = 0;
            whole = 0;
        }
        user = model;
        shift = ports.shift(positions);
    }

    /// What is added to each position.
    int shift() {
        return shift;
    }

    /// How many positions are filled.
    public int length() {
        return length;
    }

    /// The ids whose keys and values are held, in order; of the first row.
    public int[] ids() {
        return Arrays.copyOf(ids, length);
    }

    /// Forgets all positions from `n` on, but for those to be kept.
    public void trim(int n) {
        if (n < 0 || n > length) throw new IllegalArgumentException("cannot keep " + n + " of " + length + " positions");
        int needed = kept.stream()
                .filter(wanted -> tails.stream().noneMatch(t -> t.from <= n && t.reach(wanted) >= common(wanted)))
                .mapToInt(this::common).max().orElse(0);
        if (needed > n) tails.add(new Tail(Arrays.copyOf(ids, needed), n, memory.part(n, needed)));
        length = n;
        memory.reach(n);
        whole = stride == 0 ? 0 : Math.min(whole, n - n % stride);
    }

    /// Says which sequences of ids will be wanted again, in place of what was said before. What the cache holds of them from now
    /// on is not lost when it is trimmed; what was kept of others is freed.
    public void keep(List<int[]> sequences) {
        kept = List.copyOf(sequences);
        tails.removeIf(tail -> {
            boolean needed = kept.stream().anyMatch(wanted -> tail.reach(wanted) > 0);
            if (!needed) tail.memory.close();
            return !needed;
        });
    }

    /// Native memory that `keep` takes now, in bytes, beside what the cache itself has.
    public long keptBytes() {
        return tails.stream().mapToLong(t -> t.memory.bytes()).sum();
    }

    /// Makes what was ever kept or is held of `wanted` the content, `most` positions of it at most.
    ///
    /// @return how many positions are filled then: the others are still to be fed
    public int reuse(int[] wanted, int most) {
        while (true) {
            int held = usable(wanted, most);
            Tail best = null;
            for (Tail tail : tails) {
                boolean fits = tail.from <= held && Math.min(tail.reach(wanted), most) > held;
                if (fits && (best == null || tail.reach(wanted) > best.reach(wanted))) best = tail;
            }
            // from where the tail begins on, what is there is another's, equal in ids but perhaps not to the last bit
            trim(best == null ? held : best.from);
            if (best == null) return held;
            put(best);
        }
    }

    private void put(Tail tail) {
        reserve(tail.ids.length);
        memory.reach(tail.ids.length);
        memory.put(tail.memory, tail.from);
        note(Arrays.copyOfRange(tail.ids, tail.from, tail.ids.length));
        tails.remove(tail);
        tail.memory.close();
    }

    /// How many of the first ids of `wanted` are held already and may be used, `most` at most.
    private int usable(int[] wanted, int most) {
        int common = Math.clamp(most, 0, common(wanted));
        return stride == 0 ? common : Math.min(whole, common - common % stride);
    }

    /// How many of the first ids of `wanted` are held.
    public int common(int[] wanted) {
        return common(ids, length, wanted);
    }

    private static int common(int[] ids, int length, int[] others) {
        int mismatch = Arrays.mismatch(ids, 0, length, others, 0, others.length);
        return mismatch < 0 ? length : mismatch;
    }

    /// Most positions of a pass that begins behind the filled ones.
    int longestPass() {
        return stride == 0 ? Integer.MAX_VALUE : stride - length % stride;
    }

    int stride() {
        return stride;
    }

    int rows() {
        return rows;
    }

    int capacity() {
        return memory.capacity();
    }

    /// Pasts by their names in the graph.
    Map<String, Tensor> pasts() {
        return memory.pasts(length);
    }

    /// Where a run over `more` positions puts the presents, by their names.
    Map<String, Tensor> presents(int more) {
        return memory.presents(length + more);
    }

    /// Notes that a run put positions with these ids behind the filled ones.
    void append(int... more) {
        note(more);
        memory.filled(length);
    }

    private void note(int[] more) {
        if (length + more.length > ids.length) ids = Arrays.copyOf(ids, Math.max(2 * ids.length, length + more.length));
        System.arraycopy(more, 0, ids, length, more.length);
        length += more.length;
    }

    /// The same for a pass over a prompt.
    void appendPass(int[] more) {
        if (stride > 0 && length == whole && more.length == stride) whole += stride;
        append(more);
    }

    /// Makes room for `positions` in all.
    ///
    /// @return whether the memory moved, so that runs must be bound again
    boolean reserve(int positions) {
        int capacity = memory.capacity();
        if (positions <= capacity) return false;
        int wanted = Math.max(positions, capacity + capacity / 2);
        memory.resize(Math.min((wanted + GRAIN - 1) / GRAIN * GRAIN, Math.max(positions, ports.nPositions())), length);
        return true;
    }

    /// A cache whose `rows` rows all begin as this one's first.
    KvCache fanOut(int rows, int capacity) {
        KvCache fan = new KvCache(ports, rows, 0);
        fan.reserve(capacity);
        fan.memory.fill(memory, length);
        fan.note(ids());
        fan.shift = shift;
        return fan;
    }

    /// A cache with a row for each of these, which are of one length.
    static KvCache together(List<KvCache> rows) {
        KvCache all = rows.getFirst().fanOut(rows.size(), rows.getFirst().length + 1);
        for (int row = 1; row < rows.size(); row++) all.memory.fill(row, rows.get(row).memory, all.length);
        return all;
    }

    @Override
    public void close() {
        keep(List.of());
        memory.close();
    }
}
