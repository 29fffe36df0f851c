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
    /// A block's elements as they were rounded.
    private final int[] levels = new int[BLOCK];

    /// @param withOffsets whether each block has an offset
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
        for (int b = 0; b < perRow; b++) {
            symmetric(first + b, bits == 8 ? round8(b * BLOCK) : round4(b * BLOCK));
            int to = (first + b) * 4 * bits;
            if (bits == 8) for (int j = 0; j < BLOCK; j++) quants[to + j] = (byte) (levels[j] + 128);
            else for (int j = 0; j < BLOCK / 2; j++) quants[to + j] = (byte) (levels[2 * j] + 8 | levels[2 * j + 1] + 8 << 4);
        }
    }

    /// The levels of the encoding stay as they are; only their places change.
    private void repack(byte[] in, int first) {
        int inner = encoding.blockElements() / BLOCK;
        for (int b = 0; b < perRow; b++) {
            int block = first + b;
            int to = block * 4 * bits;
            int at = b / inner * encoding.blockBytes();
            int s = b % inner;
            switch (encoding) {
                case Q4_0 -> {
                    if (bits == 4) halvesToPairs(in, at + 2, to);
                    else halvesToBytes(in, at + 2, 0, 128 - 8, to);
                    symmetric(block, float16(in, at));
                }
                case Q4_1 -> {
                    if (bits == 4) halvesToPairs(in, at + 4, to);
                    else halvesToBytes(in, at + 4, 0, 128 - 8, to);
                    asymmetric(block, float16(in, at), float16(in, at + 2), 8);
                }
                case Q5_0 -> {
                    halvesToBytes(in, at + 6, int32(in, at + 2), 128 - 16, to);
                    symmetric(block, float16(in, at));
                }
                case Q5_1 -> {
                    halvesToBytes(in, at + 8, int32(in, at + 4), 128 - 16, to);
                    asymmetric(block, float16(in, at), float16(in, at + 2), 16);
                }
                case Q8_0 -> {
                    for (int j = 0; j < BLOCK; j++) quants[to + j] = (byte) (in[at + 2 + j] ^ 128);
                    symmetric(block, float16(in, at));
                }
                case Q4_K -> {
                    if (bits == 4) neighboursToPairs(in, at + 16 + (s >> 1) * BLOCK, s & 1, to);
                    else neighboursToBytes(in, at + 16 + (s >> 1) * BLOCK, s & 1, 128 - 8, to);
                    minimumK(in, at, s, block, 8);
                }
                case Q5_K -> {
                    neighboursToBytes(in, at + 48 + (s >> 1) * BLOCK, s & 1, 128 - 16, to);
                    for (int j = 0; j < BLOCK; j++) quants[to + j] += (byte) ((in[at + 16 + j] >> s & 1) << 4);
                    minimumK(in, at, s, block, 16);
                }
                case F64, F32, F16, BF16, I64, I32, I16, I8, U8, BOOL, Q2_K, Q3_K, Q6_K -> throw new AssertionError(encoding);
            }
        }
    }

    /// From 16 bytes with element j in the low half of byte j and element j + 16 in its high half.
    private void halvesToPairs(byte[] in, int at, int to) {
        for (int j = 0; j < BLOCK / 4; j++) {
            int even = in[at + 2 * j];
            int odd = in[at + 2 * j + 1];
            quants[to + j] = (byte) (even & 15 | odd << 4);
            quants[to + j + BLOCK / 4] = (byte) (even >> 4 & 15 | odd & 0xF0);
        }
    }

    /// As above, with the fifth bit of element j in bit j of `fifths`, and `shift` added.
    private void halvesToBytes(byte[] in, int at, int fifths, int shift, int to) {
        for (int j = 0; j < BLOCK / 2; j++) {
            int q = in[at + j];
            quants[to + j] = (byte) ((q & 15 | (fifths >>> j & 1) << 4) + shift);
            quants[to + j + BLOCK / 2] = (byte) ((q >> 4 & 15 | (fifths >>> j + BLOCK / 2 & 1) << 4) + shift);
        }
    }

    /// From 32 bytes of which one half, the low (0) or the high (1), has the elements of this block, the other its neighbour's.
    private void neighboursToPairs(byte[] in, int at, int half, int to) {
        for (int j = 0; j < BLOCK / 2; j++)
            quants[to + j] = (byte) (in[at + 2 * j] >> half * 4 & 15 | in[at + 2 * j + 1] >> half * 4 << 4);
    }

    private void neighboursToBytes(byte[] in, int at, int half, int shift, int to) {
        for (int j = 0; j < BLOCK; j++) quants[to + j] = (byte) ((in[at + j] >> half * 4 & 15) + shift);
    }

    private void minimumK(byte[] in, int at, int s, int block, int middle) {
        asymmetric(block, float16(in, at) * scaleK(in, at + 4, s), -(float16(in, at + 2) * minK(in, at + 4, s)), middle);
    }

    /// `scale * level + minimum`, where `middle` is the level that is stored as zero.
    private void asymmetric(int block, float scale, float minimum, int middle) {
        scales[block] = scale;
        offsets[block] = minimum + middle * scale;
    }

    private void symmetric(int block, float scale) {
        scales[block] = scale;
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
