package fewsh.generate;

import fewsh.models.Causal;
import fewsh.tensor.DType;
import fewsh.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/// Keys and values of every layer for the tokens seen so far, so that a step feeds only what is new.
///
/// Per layer, keys and values are float32 `(rows, n_kv_head, capacity, head_dim)`; a run writes behind what is filled, in
/// place. Bytes: `rows * capacity * layout.cacheBytes()`; SmolLM2-135M: 45 KiB a position. Grows as needed up to the context
/// length.
///
/// Owns native memory: close it. Belongs to one conversation; not thread-safe. `trim(n)` keeps the first `n` positions, which
/// is how an edited prompt reuses its common prefix.
public final class KvCache implements AutoCloseable {
    private static final int GRAIN = 256;

    private final Causal.Layout layout;
    private final int rows;
    private Arena arena;
    private Map<String, Tensor> pasts = Map.of();
    private int capacity;
    private int[] ids = new int[0];
    private int length;

    KvCache(Causal.Layout layout, int rows) {
        this.layout = layout;
        this.rows = rows;
        this.arena = Arena.ofShared();
    }

    /// How many positions are filled.
    public int length() {
        return length;
    }

    /// The ids whose keys and values are held, in order; of the first row.
    public int[] ids() {
        return Arrays.copyOf(ids, length);
    }

    /// Forgets all positions from `n` on.
    public void trim(int n) {
        if (n < 0 || n > length) throw new IllegalArgumentException("cannot keep " + n + " of " + length + " positions");
        length = n;
    }

    /// How many of `prompt`'s first ids are held already.
    int common(int[] prompt) {
        int mismatch = Arrays.mismatch(ids, 0, length, prompt, 0, prompt.length);
        return mismatch < 0 ? length : mismatch;
    }

    int rows() {
        return rows;
    }

    int capacity() {
        return capacity;
    }

    /// Pasts by their names in the graph.
    Map<String, Tensor> pasts() {
        return pasts;
    }

    /// The same memory under the names of the presents.
    Map<String, Tensor> presents() {
        Map<String, Tensor> presents = new LinkedHashMap<>();
        pasts.forEach((name, tensor) -> presents.put(name.replace("past_key_values", "present"), tensor));
        return presents;
    }

    /// Notes that the positions behind the filled ones now hold these ids.
    void append(int... more) {
        if (length + more.length > ids.length) ids = Arrays.copyOf(ids, Math.max(2 * ids.length, length + more.length));
        System.arraycopy(more, 0, ids, length, more.length);
        length += more.length;
    }

    /// Makes room for `positions` in all.
    ///
    /// @return whether the memory moved, so that runs must be bound again
    boolean reserve(int positions) {
        if (positions <= capacity) return false;
        int wanted = Math.max(positions, capacity + capacity / 2);
        resize(Math.min((wanted + GRAIN - 1) / GRAIN * GRAIN, Math.max(positions, layout.nPositions())));
        return true;
    }

    private void resize(int wanted) {
        Arena old = arena;
        Arena larger = Arena.ofShared();
        Map<String, Tensor> moved = new LinkedHashMap<>();
        for (int layer = 0; layer < layout.nLayer(); layer++)
            for (String kind : new String[] {"key", "value"}) {
                String name = "past_key_values." + layer + "." + kind;
                Tensor to = Tensor.allocate(larger, DType.FLOAT32, rows, layout.nKvHead(), wanted, layout.headDim());
                if (length > 0) copy(pasts.get(name), 0, to, 0, rows, length);
                moved.put(name, to);
            }
        arena = larger;
        pasts = moved;
        capacity = wanted;
        old.close();
    }

    /// A cache whose `rows` rows all begin as this one's first.
    KvCache fanOut(int rows, int capacity) {
        KvCache fan = new KvCache(layout, rows);
        fan.reserve(capacity);
        for (var past : pasts.entrySet())
            for (int r = 0; r < rows; r++) copy(past.getValue(), 0, fan.pasts.get(past.getKey()), r, 1, length);
        fan.append(ids());
        return fan;
    }

    /// Copies the first `positions` of `rows` rows.
    private static void copy(Tensor from, int fromRow, Tensor to, int toRow, int rows, int positions) {
        long heads = from.shape().size(1);
        long width = from.shape().size(3) * Float.BYTES;
        long fromHead = from.shape().size(2) * width;
        long toHead = to.shape().size(2) * width;
        for (long i = 0; i < rows * heads; i++)
            MemorySegment.copy(from.data(), (fromRow * heads + i) * fromHead, to.data(), (toRow * heads + i) * toHead,
                    positions * width);
    }

    @Override
    public void close() {
        arena.close();
    }
}
