package fewsh.weights;

import static fewsh.weights.Blocks.BLOCK;
import static fewsh.weights.Dequantise.float16;
import static fewsh.weights.Dequantise.int32;
import static fewsh.weights.Dequantise.minK;
import static fewsh.weights.Dequantise.scaleK;

/// Some rows on their way into [Blocks], in arrays: fast from the first call on, before anything is compiled.
final class Pack {
    /// Scales tried for 4 bits on each side of the plain one, and how far apart, in levels. Of normal numbers these seven leave
    /// 94.2 % of the plain scale's error (root mean square), three hundred and twenty leave 94.1 %.
    private static final int STEPS = 3;
    private static final double STEP = 0.3;

    final byte[] quants;
    final float[] scales;
    final float[] offsets;

    private final Encoding encoding;
    private final int bits;
    private final int columns;
    private final int perRow;
    private final boolean exact;
    /// The row as numbers, where it is rounded.
    private final float[] floats;
    /// A block's elements as the file has them, or as they were rounded.
    private final int[] levels = new int[BLOCK];

    /// @param withOffsets whether zero points are 0 and each block has an offset
    Pack(Encoding encoding, int bits, int columns, int rows, boolean withOffsets) {
        this.encoding = encoding;
        this.bits = bits;
        this.columns = columns;
        this.perRow = (columns + BLOCK - 1) / BLOCK;
        this.exact = Blocks.holds(encoding, bits);
        this.floats = new float[exact ? 0 : perRow * BLOCK];
        this.quants = new byte[rows * perRow * 4 * bits];
        this.scales = new float[rows * perRow];
        this.offsets = withOffsets ? new float[rows * perRow] : null;
    }

    /// Packs the encoded row `in` as row `row` of the piece.
    void row(byte[] in, int row) {
        if (exact) repack(in, row * perRow);
        else round(in, row * perRow);
    }

    private void round(byte[] in, int first) {
        Dequantise.blocks(encoding, in, 0, floats, 0, columns / encoding.blockElements());
        for (int b = 0; b < perRow; b++) symmetric(first + b, bits == 8 ? round8(b * BLOCK) : round4(b * BLOCK), 0);
    }

    /// The levels of the encoding stay as they are; only their places change.
    private void repack(byte[] in, int first) {
        int inner = encoding.blockElements() / BLOCK;
        for (int b = 0; b < perRow; b++) {
            int at = b / inner * encoding.blockBytes();
            int s = b % inner;
            switch (encoding) {
                case Q4_0 -> {
                    halves(in, at + 2);
                    symmetric(first + b, float16(in, at), 8);
                }
                case Q4_1 -> {
                    halves(in, at + 4);
                    asymmetric(first + b, float16(in, at), float16(in, at + 2));
                }
                case Q5_0 -> {
                    halves(in, at + 6);
                    fifths(int32(in, at + 2));
                    symmetric(first + b, float16(in, at), 16);
                }
                case Q5_1 -> {
                    halves(in, at + 8);
                    fifths(int32(in, at + 4));
                    asymmetric(first + b, float16(in, at), float16(in, at + 2));
                }
                case Q8_0 -> {
                    for (int j = 0; j < BLOCK; j++) levels[j] = in[at + 2 + j];
                    symmetric(first + b, float16(in, at), 0);
                }
                case Q4_K -> {
                    int from = at + 16 + (s >> 1) * BLOCK;
                    for (int j = 0; j < BLOCK; j++) levels[j] = in[from + j] >> (s & 1) * 4 & 15;
                    asymmetricK(in, at, s, first + b);
                }
                case Q5_K -> {
                    int from = at + 48 + (s >> 1) * BLOCK;
                    for (int j = 0; j < BLOCK; j++)
                        levels[j] = in[from + j] >> (s & 1) * 4 & 15 | (in[at + 16 + j] >> s & 1) << 4;
                    asymmetricK(in, at, s, first + b);
                }
                case F64, F32, F16, BF16, I64, I32, I16, I8, U8, BOOL, Q2_K, Q3_K, Q6_K -> throw new AssertionError(encoding);
            }
        }
    }

    /// 16 bytes: element j in the low half of byte j, element j + 16 in its high half.
    private void halves(byte[] in, int at) {
        for (int j = 0; j < BLOCK / 2; j++) {
            levels[j] = in[at + j] & 15;
            levels[j + BLOCK / 2] = in[at + j] >> 4 & 15;
        }
    }

    private void fifths(int high) {
        for (int j = 0; j < BLOCK; j++) levels[j] |= (high >>> j & 1) << 4;
    }

    private void asymmetricK(byte[] in, int at, int s, int block) {
        asymmetric(block, float16(in, at) * scaleK(in, at + 4, s), -(float16(in, at + 2) * minK(in, at + 4, s)));
    }

    /// Stores `scale * level + minimum`.
    private void asymmetric(int block, float scale, float minimum) {
        store(block, 0);
        scales[block] = scale;
        offsets[block] = minimum;
    }

    /// Stores `scale * (level - zero)`.
    private void symmetric(int block, float scale, int zero) {
        int half = 1 << bits - 1;
        store(block, half - zero);
        scales[block] = scale;
        if (offsets != null) offsets[block] = -half * scale;
    }

    private void store(int block, int shift) {
        if (bits == 8) {
            for (int j = 0; j < BLOCK; j++) quants[block * BLOCK + j] = (byte) (levels[j] + shift);
        } else {
            int to = block * (BLOCK / 2);
            for (int j = 0; j < BLOCK / 2; j++)
                quants[to + j] = (byte) (levels[2 * j] + shift | levels[2 * j + 1] + shift << 4);
        }
    }

    /// Rounds a block to -127 to 127; returns the scale.
    private float round8(int at) {
        float most = 0;
        for (int j = 0; j < BLOCK; j++) most = Math.max(most, Math.abs(floats[at + j]));
        float scale = most / 127;
        for (int j = 0; j < BLOCK; j++) levels[j] = scale == 0 ? 0 : nearest(floats[at + j] / scale, -127, 127);
        return scale;
    }

    /// Rounds a block to -8 to 7; returns the scale, negative where the largest magnitude is positive.
    ///
    /// Each trial divides by another scale around the one that brings the largest magnitude to -8; of its levels q, the best
    /// scale is Σxq / Σq², which lowers the squared error by (Σxq)² / Σq². What is not finite makes the
    /// whole block so. Source: `make_qx_quants` of ggml-quants.c.
    private float round4(int at) {
        double most = 0;
        double sum = 0;
        for (int j = 0; j < BLOCK; j++) {
            if (Math.abs(floats[at + j]) > Math.abs(most)) most = floats[at + j];
            sum += Math.abs(floats[at + j]);
        }
        double scale = Double.isFinite(sum) ? 0 : Double.NaN;
        double gain = 0;
        for (int step = -STEPS; step <= STEPS && most != 0; step++) {
            double inverse = -(8 + STEP * step) / most;
            double xq = 0;
            double qq = 0;
            for (int j = 0; j < BLOCK; j++) {
                int q = nearest(floats[at + j] * inverse, -8, 7);
                xq += (double) floats[at + j] * q;
                qq += q * q;
            }
            if (xq * xq > gain * qq) {
                gain = xq * xq / qq;
                scale = xq / qq;
            }
        }
        float rounded = (float) scale;
        for (int j = 0; j < BLOCK; j++) levels[j] = rounded == 0 ? 0 : nearest(floats[at + j] / (double) rounded, -8, 7);
        return rounded;
    }

    /// The whole number nearest to `x` within bounds; 0 for what is not a number.
    private static int nearest(double x, int least, int most) {
        return (int) Math.max(least, Math.min(most, Math.rint(x)));
    }
}
