package fewsh.models;

/// Hadamard's turn of numbers in groups: each number of a group becomes a sum and difference of all, so that a large one is spread
/// over the group; lengths and products of vectors stay. Turning twice gives the numbers back.
///
/// Source: Ashkboos et al. 2024, QuaRot: what is turned in both factors is rounded with less loss.
final class Spread {
    private static final int LARGEST = 16;

    private Spread() {}

    /// How many numbers are turned together: the largest power of two, to 16, that rows of this width can be cut into.
    static int size(int columns) {
        return Math.min(LARGEST, Integer.lowestOneBit(columns));
    }

    /// Turns every `size` numbers, in place.
    static void apply(float[] values, int size) {
        float scale = (float) (1 / Math.sqrt(size));
        for (int from = 0; from < values.length; from += size) {
            for (int half = 1; half < size; half *= 2)
                for (int i = from; i < from + size; i++)
                    if ((i - from & half) == 0) {
                        float a = values[i];
                        float b = values[i + half];
                        values[i] = a + b;
                        values[i + half] = a - b;
                    }
            for (int i = from; i < from + size; i++) values[i] *= scale;
        }
    }

    /// What a row of `size` numbers is multiplied by to be turned.
    static float[] matrix(int size) {
        float[] rows = new float[size * size];
        for (int i = 0; i < size; i++) rows[i * size + i] = 1;
        apply(rows, size);
        return rows;
    }
}
