package fewsh.models;

/// An attention's heads. Where `dim` is not a multiple of 16, which attention over a cache needs, each head is padded with zeros
/// there.
///
/// @param scale factor of q·k; 0 is 1 / √dim, for attention without a cache
/// @param turned how many of a head's numbers, from the first, turn with their position: `dim`, or fewer
record Heads(int query, int keyValue, int dim, float scale, int turned) {
    Heads(int query, int keyValue, int dim, float scale) {
        this(query, keyValue, dim, scale, dim);
    }

    /// Scaled by 1 / √dim.
    Heads(int query, int keyValue, int dim) {
        this(query, keyValue, dim, (float) (1 / Math.sqrt(dim)));
    }

    /// For attention without a cache.
    Heads(int count, int dim) {
        this(count, count, dim, 0);
    }

    int all() {
        return query + 2 * keyValue;
    }

    /// The size of a head in the cache.
    int wide() {
        return cacheDim(dim);
    }

    /// The size of a head in the cache.
    static int cacheDim(int dim) {
        return (dim + 15) / 16 * 16;
    }

    boolean padded() {
        return wide() != dim;
    }

    /// Whether the operator turns as many numbers as this: it takes multiples of 16.
    boolean turnsAsStored() {
        return turned % 16 == 0;
    }

    /// Where the numbers of so many heads side by side go: the halves of what turns to the beginnings of the padded head's
    /// halves, since rotary positions pair them; the others where there is room.
    int[] places(int count) {
        int[] places = new int[count * dim];
        for (int i = 0; i < places.length; i++) places[i] = i / dim * wide() + place(i % dim);
        return places;
    }

    private int place(int i) {
        int half = wide() / 2;
        int pairs = turned / 2;
        if (i < pairs) return i;
        if (i < turned) return half + i - pairs;
        return i - pairs < half ? i - pairs : i;
    }
}
