package fewsh.generate;

import fewsh.generate.Ports.Slot;
import fewsh.tensor.Shape;
import fewsh.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/// Keys and values of every layer for the tokens seen so far, so that a step feeds only what is new.
///
/// Per layer, keys and values are `(rows, n_kv_head, pitch, head_dim)`. Where the graph can, a run writes behind what is filled,
/// in place: the pitch is the capacity. Other graphs give a longer cache, in other memory; two buffers then take turns, and the
/// pitch is the length. Bytes: `rows * capacity * ports.cacheBytes()`, twice for the latter; SmolLM2-135M: 45 KiB a position.
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
    private Arena arena;
    /// One block of memory a slot of the graph; likewise `next`, which the next run fills, and then the two change places.
    private List<MemorySegment> held = List.of();
    private List<MemorySegment> next = List.of();
    private Map<String, Tensor> pasts = Map.of();
    private int capacity;
    /// From one head's positions to the next one's in memory, in positions.
    private int pitch;
    private int[] ids = new int[0];
    private int length;
    private int whole;
    private Object user;

    /// Positions that the cache had to give up: they go behind the first `from` of those whose ids are `ids`.
    private record Tail(int[] ids, int from, List<MemorySegment> held, Arena arena) {
        /// How many positions of `wanted` there would be with this behind them; 0 if it has none of them.
        int reach(int[] wanted) {
            int common = common(ids, ids.length, wanted);
            return common > from ? common : 0;
        }

        long bytes() {
            return held.stream().mapToLong(MemorySegment::byteSize).sum();
        }
    }

    /// @param stride 0 for none; with one, `keep` is not to be used
    KvCache(Ports ports, int rows, int stride) {
        this.ports = ports;
        this.rows = rows;
        this.stride = stride;
        this.arena = Arena.ofShared();
    }

    /// Says which model, with its adapters, fills the cache from now on: what another filled is forgotten, to the last tail.
    void use(Object model) {
        if (user != null && user != model) {
            keep(List.of());
            length = 0;
            whole = 0;
        }
        user = model;
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
        if (needed > n) tails.add(take(n, needed));
        length = n;
        if (!ports.inPlace()) repitch(n);
        whole = stride == 0 ? 0 : Math.min(whole, n - n % stride);
    }

    /// Says which sequences of ids will be wanted again, in place of what was said before. What the cache holds of them from now
    /// on is not lost when it is trimmed; what was kept of others is freed.
    public void keep(List<int[]> sequences) {
        kept = List.copyOf(sequences);
        tails.removeIf(tail -> {
            boolean needed = kept.stream().anyMatch(wanted -> tail.reach(wanted) > 0);
            if (!needed) tail.arena.close();
            return !needed;
        });
    }

    /// Native memory that `keep` takes now, in bytes, beside what the cache itself has.
    public long keptBytes() {
        return tails.stream().mapToLong(Tail::bytes).sum();
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

    private Tail take(int from, int to) {
        Arena own = Arena.ofShared();
        List<MemorySegment> taken = new ArrayList<>();
        for (int i = 0; i < held.size(); i++) {
            Slot slot = ports.slots().get(i);
            MemorySegment tail = own.allocate(slot.bytes(rows, to - from), 64);
            copy(slot, new Place(held.get(i), rows, 0, pitch, from), new Place(tail, rows, 0, to - from, 0), rows, to - from);
            taken.add(tail);
        }
        return new Tail(Arrays.copyOf(ids, to), from, taken, own);
    }

    private void put(Tail tail) {
        int n = tail.ids.length - tail.from;
        reserve(tail.ids.length);
        if (!ports.inPlace()) repitch(tail.ids.length);
        for (int i = 0; i < held.size(); i++)
            copy(ports.slots().get(i), new Place(tail.held.get(i), rows, 0, n, 0),
                    new Place(held.get(i), rows, 0, pitch, tail.from), rows, n);
        note(Arrays.copyOfRange(tail.ids, tail.from, tail.ids.length));
        tails.remove(tail);
        tail.arena.close();
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
        return capacity;
    }

    /// Pasts by their names in the graph.
    Map<String, Tensor> pasts() {
        return ports.inPlace() ? pasts : tensors(held, Slot::past, length);
    }

    /// Where a run over `more` positions puts the presents, by their names; the very memory of the pasts if it works in place.
    Map<String, Tensor> presents(int more) {
        return ports.inPlace() ? tensors(held, Slot::present, capacity) : tensors(next, Slot::present, length + more);
    }

    private Map<String, Tensor> tensors(List<MemorySegment> memory, Function<Slot, String> name, int positions) {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        for (int i = 0; i < memory.size(); i++) {
            Slot slot = ports.slots().get(i);
            tensors.put(name.apply(slot), new Tensor(slot.dtype(), Shape.of(slot.shape(rows, positions)),
                    memory.get(i).asSlice(0, slot.bytes(rows, positions))));
        }
        return tensors;
    }

    /// Notes that a run put positions with these ids behind the filled ones.
    void append(int... more) {
        note(more);
        if (ports.inPlace()) return;
        List<MemorySegment> filled = next;
        next = held;
        held = filled;
        pitch = length;
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
        if (positions <= capacity) return false;
        int wanted = Math.max(positions, capacity + capacity / 2);
        resize(Math.min((wanted + GRAIN - 1) / GRAIN * GRAIN, Math.max(positions, ports.nPositions())));
        return true;
    }

    private void resize(int wanted) {
        Arena old = arena;
        Arena larger = Arena.ofShared();
        List<MemorySegment> moved = new ArrayList<>();
        List<MemorySegment> spare = new ArrayList<>();
        int moving = ports.inPlace() ? wanted : length;
        for (int i = 0; i < ports.slots().size(); i++) {
            Slot slot = ports.slots().get(i);
            moved.add(larger.allocate(slot.bytes(rows, wanted), 64));
            if (!ports.inPlace()) spare.add(larger.allocate(slot.bytes(rows, wanted), 64));
            if (length > 0)
                copy(slot, new Place(held.get(i), rows, 0, pitch, 0), new Place(moved.get(i), rows, 0, moving, 0), rows, length);
        }
        arena = larger;
        held = moved;
        next = spare;
        capacity = wanted;
        pitch = moving;
        if (ports.inPlace()) pasts = tensors(held, Slot::past, capacity);
        old.close();
    }

    /// Moves what is held together or apart.
    private void repitch(int wanted) {
        int kept = Math.min(pitch, wanted);
        for (int i = 0; i < held.size() && wanted != pitch; i++) {
            Slot slot = ports.slots().get(i);
            copy(slot, new Place(held.get(i), rows, 0, pitch, 0), new Place(next.get(i), rows, 0, wanted, 0), rows, kept);
        }
        if (wanted != pitch) {
            List<MemorySegment> old = held;
            held = next;
            next = old;
        }
        pitch = wanted;
    }

    /// A cache whose `rows` rows all begin as this one's first.
    KvCache fanOut(int rows, int capacity) {
        KvCache fan = new KvCache(ports, rows, 0);
        fan.reserve(capacity);
        if (!ports.inPlace()) fan.pitch = length;
        for (int i = 0; i < held.size(); i++)
            for (int r = 0; r < rows; r++)
                copy(ports.slots().get(i), new Place(held.get(i), this.rows, 0, pitch, 0),
                        new Place(fan.held.get(i), rows, r, fan.pitch, 0), 1, length);
        fan.note(ids());
        return fan;
    }

    /// Where positions are: from the `first` one of a row on, in memory of `rows` rows.
    private record Place(MemorySegment data, int rows, int row, int pitch, int first) {
        long offset(Slot slot, int part, int head) {
            long heads = (long) (part * rows + row) * slot.heads() + head;
            return (heads * pitch + first) * slot.positionBytes();
        }
    }

    /// Copies `positions` positions of `rows` rows.
    private static void copy(Slot slot, Place from, Place to, int rows, int positions) {
        for (int part = 0; part < slot.parts(); part++)
            for (int head = 0; head < rows * slot.heads(); head++)
                MemorySegment.copy(from.data, from.offset(slot, part, head), to.data, to.offset(slot, part, head),
                        positions * slot.positionBytes());
    }

    @Override
    public void close() {
        keep(List.of());
        arena.close();
    }
}
