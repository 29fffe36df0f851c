package fewsh.generate;

import fewsh.generate.Ports.Slot;
import fewsh.tensor.Shape;
import fewsh.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/// Keys and values as they lie in native memory: a block `(rows, heads, pitch, width)` for each slot of a graph. Owns it.
///
/// Where a graph works in place, the pitch is the capacity, and a run writes behind what is there. Other graphs give a longer
/// cache, in other memory: blocks are held twice, which take turns, and the pitch is how many positions there are.
final class KvMemory implements AutoCloseable {
    private final List<Slot> slots;
    private final boolean inPlace;
    private final int rows;
    private Arena arena = Arena.ofShared();
    private List<MemorySegment> held = List.of();
    /// What the next run fills; empty where that works in place.
    private List<MemorySegment> next = List.of();
    private Map<String, Tensor> fixed = Map.of();
    private int capacity;
    /// From one head's positions to the next one's, in positions.
    private int pitch;

    KvMemory(List<Slot> slots, boolean inPlace, int rows) {
        this.slots = slots;
        this.inPlace = inPlace;
        this.rows = rows;
    }

    int capacity() {
        return capacity;
    }

    long bytes() {
        return held.stream().mapToLong(MemorySegment::byteSize).sum();
    }

    /// Changes the capacity; the first `length` positions stay. What was tied to the memory must be tied anew.
    void resize(int wanted, int length) {
        KvMemory larger = new KvMemory(slots, inPlace, rows);
        larger.held = larger.blocks(wanted);
        larger.pitch = inPlace ? wanted : length;
        copy(this, 0, 0, larger, 0, 0, length > 0 ? rows : 0, length);
        arena.close();
        arena = larger.arena;
        held = larger.held;
        next = inPlace ? List.of() : blocks(wanted);
        capacity = wanted;
        pitch = larger.pitch;
        if (inPlace) fixed = tensors(held, Slot::past, wanted);
    }

    private List<MemorySegment> blocks(int positions) {
        return slots.stream().map(slot -> arena.allocate(slot.bytes(rows, positions), 64)).toList();
    }

    /// The first `length` positions under the names of the graph's inputs.
    Map<String, Tensor> pasts(int length) {
        return inPlace ? fixed : tensors(held, Slot::past, length);
    }

    /// Where a run puts what are then `length` positions, under the names of its outputs; the pasts' own memory if in place.
    Map<String, Tensor> presents(int length) {
        return inPlace ? tensors(held, Slot::present, capacity) : tensors(next, Slot::present, length);
    }

    private Map<String, Tensor> tensors(List<MemorySegment> blocks, Function<Slot, String> name, int positions) {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        for (int i = 0; i < blocks.size(); i++) {
            Slot slot = slots.get(i);
            tensors.put(name.apply(slot), new Tensor(slot.dtype(), Shape.of(slot.shape(rows, positions)),
                    blocks.get(i).asSlice(0, slot.bytes(rows, positions))));
        }
        return tensors;
    }

    /// Notes that a run filled the presents of `length` positions.
    void filled(int length) {
        if (inPlace) return;
        List<MemorySegment> before = held;
        held = next;
        next = before;
        pitch = length;
    }

    /// Makes the positions `length`, forgetting the last ones or with room for more behind them.
    void reach(int length) {
        if (inPlace || pitch == length || held.isEmpty()) return;
        KvMemory other = new KvMemory(slots, inPlace, rows);
        other.held = next;
        other.pitch = length;
        copy(this, 0, 0, other, 0, 0, rows, Math.min(pitch, length));
        other.close();
        filled(length);
    }

    /// A copy of the positions from `from` to before `to`, without room for more.
    KvMemory part(int from, int to) {
        KvMemory part = new KvMemory(slots, inPlace, rows);
        part.held = part.blocks(to - from);
        part.pitch = to - from;
        copy(this, 0, from, part, 0, 0, rows, to - from);
        return part;
    }

    /// Puts the positions of `part` back, from the `first` on.
    void put(KvMemory part, int first) {
        copy(part, 0, 0, this, 0, first, rows, part.pitch);
    }

    /// Fills each row with the first `length` positions of the first row of `one`.
    void fill(KvMemory one, int length) {
        reach(length);
        for (int row = 0; row < rows; row++) fill(row, one, length);
    }

    /// Fills a row with the first `length` positions of the first row of `one`.
    void fill(int row, KvMemory one, int length) {
        copy(one, 0, 0, this, row, 0, 1, length);
    }

    /// Copies the positions from `first` to before `end` of a row to another.
    void row(int from, int to, int first, int end) {
        copy(this, from, first, this, to, first, 1, end - first);
    }

    /// Copies `positions` positions of `rows` rows.
    private static void copy(KvMemory from, int fromRow, int fromFirst, KvMemory to, int toRow, int toFirst,
            int rows, int positions) {
        for (int i = 0; i < from.held.size(); i++) {
            Slot slot = from.slots.get(i);
            for (int part = 0; part < slot.parts(); part++)
                for (int head = 0; head < rows * slot.heads(); head++)
                    MemorySegment.copy(from.held.get(i), from.offset(slot, part, fromRow, head, fromFirst),
                            to.held.get(i), to.offset(slot, part, toRow, head, toFirst), positions * slot.positionBytes());
        }
    }

    private long offset(Slot slot, int part, int row, int head, int position) {
        return (((long) (part * rows + row) * slot.heads() + head) * pitch + position) * slot.positionBytes();
    }

    @Override
    public void close() {
        arena.close();
    }
}
