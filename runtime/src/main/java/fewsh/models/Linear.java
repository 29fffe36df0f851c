package fewsh.models;

import java.util.function.IntUnaryOperator;

/// A matrix `name.weight`, `(rows, columns)` = (features out, features in), and `name.bias` when there is one.
///
/// @param conv1d whether published checkpoints keep it transposed, as GPT-2's do
/// @param order null where files keep the rows as the page means them
record Linear(String name, int rows, int columns, boolean bias, boolean conv1d, Order order) {
    /// Which row of a file's matrix is the row that a page means.
    interface Order {
        int stored(int row, boolean gguf);
    }

    Linear(String name, int rows, int columns, boolean bias) {
        this(name, rows, columns, bias, false, null);
    }

    static Linear conv1d(String name, int rows, int columns) {
        return new Linear(name, rows, columns, true, true, null);
    }

    /// For files that keep the rows in another order.
    Linear stored(Order order) {
        return new Linear(name, rows, columns, bias, conv1d, order);
    }

    /// GGUF files keep the rows of each head pairwise, (0, d/2, 1, d/2+1, …).
    Linear interleavedInGguf(int heads) {
        int dim = rows / heads;
        return stored((r, gguf) -> gguf ? r / dim * dim + r % dim % (dim / 2) * 2 + r % dim / (dim / 2) : r);
    }

    /// The same matrix with its rows as published checkpoints have them, which is how adapters mean them.
    Linear published() {
        if (order == null) return this;
        int[] here = new int[rows];
        for (int r = 0; r < rows; r++) here[order.stored(r, false)] = r;
        return stored((r, gguf) -> gguf ? order.stored(here[r], true) : r);
    }

    /// The same matrix with its row `from(r)` as row `r`.
    Linear reordered(IntUnaryOperator from) {
        return stored((r, gguf) -> order == null ? from.applyAsInt(r) : order.stored(from.applyAsInt(r), gguf));
    }
}
