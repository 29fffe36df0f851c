package fewsh.models;

import fewsh.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/// What several adapters do to one matrix w, together: w becomes gain · w + b a.
///
/// @param a `(rank, columns)`, the adapters' one below another
/// @param b `(rows, rank)`, with scales and gains
/// @param gain one a row; null: none
/// Source: Hu et al. 2021; with magnitudes, Liu et al. 2024 (DoRA), one adapter after another as PEFT applies them.
record LowRank(int rank, float[] a, float[] b, float[] gain) {
    /// @param scale of the low-rank product
    record Part(float[] a, float[] b, float[] magnitude, float scale) {
        /// Of each row, what brings its length after the sum to the magnitude.
        float[] gain(Linear l, int r, float[] w) {
            float[] gain = new float[l.rows()];
            float[] row = new float[l.columns()];
            for (int i = 0; i < gain.length; i++) {
                System.arraycopy(w, i * row.length, row, 0, row.length);
                for (int k = 0; k < r; k++) add(row, scale * b[i * r + k], a, k * row.length);
                double square = 0;
                for (float v : row) square += (double) v * v;
                gain[i] = (float) (magnitude[i] / Math.sqrt(square));
            }
            return gain;
        }
    }

    static LowRank of(Linear l, List<Part> parts, float[] w) {
        int rank = parts.stream().mapToInt(p -> p.a.length / l.columns()).sum();
        float[] a = new float[rank * l.columns()];
        float[] b = new float[l.rows() * rank];
        float[] gain = null;
        int at = 0;
        for (Part part : parts) {
            int r = part.a.length / l.columns();
            if (part.magnitude != null) {
                if (gain == null) {
                    gain = new float[l.rows()];
                    Arrays.fill(gain, 1);
                }
                // what came before is scaled along with the matrix
                float[] own = part.gain(l, r, w);
                for (int row = 0; row < l.rows(); row++) {
                    gain[row] *= own[row];
                    for (int i = 0; i < at; i++) b[row * rank + i] *= own[row];
                    for (int i = 0; i < r; i++) b[row * rank + at + i] = own[row] * part.scale * part.b[row * r + i];
                }
            } else for (int row = 0; row < l.rows(); row++)
                for (int i = 0; i < r; i++) b[row * rank + at + i] = part.scale * part.b[row * r + i];
            System.arraycopy(part.a, 0, a, at * l.columns(), part.a.length);
            at += r;
        }
        return new LowRank(rank, a, b, gain);
    }

    private static void add(float[] row, float factor, float[] a, int from) {
        for (int c = 0; c < row.length; c++) row[c] += factor * a[from + c];
    }

    /// The matrix with its low-rank part added.
    float[] merged(Linear l, float[] w) {
        float[] all = new float[w.length];
        float[] row = new float[l.columns()];
        for (int r = 0; r < l.rows(); r++) {
            for (int c = 0; c < row.length; c++) row[c] = w[r * row.length + c] * (gain == null ? 1 : gain[r]);
            for (int i = 0; i < rank; i++) add(row, b[r * rank + i], a, i * row.length);
            System.arraycopy(row, 0, all, r * row.length, row.length);
        }
        return all;
    }

    /// The inputs of a slot.
    void bind(LoraSlot slot, Map<String, Tensor> inputs) {
        inputs.put(slot.a(), Tensor.ofFloat32(a, rank, slot.columns()));
        inputs.put(slot.b(), Tensor.ofFloat32(b, slot.rows(), rank));
        if (!slot.gain()) return;
        float[] ones = new float[slot.rows()];
        Arrays.fill(ones, 1);
        inputs.put(slot.gains(), Tensor.ofFloat32(gain == null ? ones : gain, slot.rows()));
    }

    /// What leaves a matrix as it is.
    static LowRank none(LoraSlot slot) {
        return new LowRank(1, new float[slot.columns()], new float[slot.rows()], null);
    }
}
