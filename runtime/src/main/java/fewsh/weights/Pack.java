package fewsh.weights;

import static fewsh.weights.Blocks.BLOCK;
import static fewsh.weights.Dequantise.float16;
import static fewsh.weights.Dequantise.int32;
import static fewsh.weights.Dequantise.minK;
import static fewsh.weights.Dequantise.scaleK;

import java.util.Arrays;

/// Some rows on their way into [Blocks], in arrays: fast from the first call on, before anything is compiled.
final class Pack {
    /// Scales tried for 4 bits on each side of the plain one, and how far apart, in levels. Of normal numbers these seven leave
    /// 94.2 % of the plain scale's error (root mean square), three hundred and twenty leave 94.1 %.
    private static final int STEPS = 3;
    private static final float STEP = 0.3f;
    /// Added to a small number, it leaves no bits for a fraction.
    private static final float ROUND = 0x1.8p23f;

    final byte[] quants;
    final float[] scales;
    final float[] offsets;

    private final Encoding encoding;
    private final int bits;
    private final int columns;
    private final int perRow;
    private final boolean exact;
    /// The row as numbers, the same in units of something, and one way to round it.
    private final float[] floats;
    private final float[] units;
    private final float[] trial;
    /// Of each block, the element of the largest magnitude, and what the best scale so far gains.
    private final float[] extremes;
    private final float[] gains;

    /// @param withOffsets whether each block has an offset
    Pack(Encoding encoding, int bits, int columns, int rows, boolean withOffsets) {
        this.encoding = encoding;
        this.bits = bits;
        this.columns = columns;
        this.perRow = (columns + BLOCK - 1) / BLOCK;
        this.exact = Blocks.holds(encoding, bits);
        int rounded = exact ? 0 : perRow;
        this.floats = new float[rounded * BLOCK];
        this.units = new float[rounded * BLOCK];
        this.trial = new float[rounded * BLOCK];
        this.extremes = new float[rounded];
        this.gains = new float[rounded];
        this.quants = new byte[rows * perRow * 4 * bits];
        this.scales = new float[rows * perRow];
        this.offsets = withOffsets ? new float[rows * perRow] : null;
    }

    /// Packs the encoded row `in` as row `row` of the piece.
    void row(byte[] in, int row) {
        if (exact) repack(in, row * perRow);
        else round(in, row * perRow);
    }

    /// Decodes the row and rounds it, mostly in loops over the whole row, which become vector code.
    private void round(byte[] in, int first) {
        Dequantise.blocks(encoding, in, 0, floats, 0, columns / encoding.blockElements());
        for (int b = 0; b < perRow; b++) {
            extremes[b] = extreme(b * BLOCK);
            scales[first + b] = bits == 8 ? Math.abs(extremes[b]) / 127 : 0;
        }
        if (bits == 4) searchScales(first);
        for (int b = 0; b < perRow; b++) {
            symmetric(first + b, scales[first + b]);
            Arrays.fill(units, b * BLOCK, (b + 1) * BLOCK, scales[first + b] == 0 ? 1 : scales[first + b]);
        }
        for (int j = 0; j < floats.length; j++) units[j] = floats[j] / units[j];
        int half = 1 << bits - 1;
        nearest(units, 1, bits == 8 ? -127 : -8, half - 1);
        int to = first * 4 * bits;
        if (bits == 8) for (int j = 0; j < trial.length; j++) quants[to + j] = (byte) (int) (trial[j] + 128);
        else for (int j = 0; j < trial.length; j += 2)
            quants[to + j / 2] = (byte) ((int) trial[j] + 8 | (int) trial[j + 1] + 8 << 4);
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

    /// Finds the scale of each block for levels of -8 to 7; negative where the largest magnitude is positive.
    ///
    /// Each trial divides by another scale around the one that brings the largest magnitude to -8; of its levels q, the best
    /// scale is Σxq / Σq², which lowers the squared error by (Σxq)² / Σq². What is not finite makes the whole block so.
    /// Source: `make_qx_quants` of ggml-quants.c.
    private void searchScales(int first) {
        for (int b = 0; b < perRow; b++) Arrays.fill(units, b * BLOCK, (b + 1) * BLOCK, extremes[b] == 0 ? 1 : extremes[b]);
        for (int j = 0; j < floats.length; j++) units[j] = floats[j] / units[j];
        Arrays.fill(gains, 0);
        for (int step = -STEPS; step <= STEPS; step++) {
            nearest(units, -(8 + STEP * step), -8, 7);
            for (int b = 0; b < perRow; b++) {
                float xq = product(units, trial, b * BLOCK);
                float qq = product(trial, trial, b * BLOCK);
                if (xq * xq > gains[b] * qq) {
                    gains[b] = xq * xq / qq;
                    scales[first + b] = extremes[b] * (xq / qq);
                }
            }
        }
        for (int b = 0; b < perRow; b++) if (!Float.isFinite(extremes[b])) scales[first + b] = Float.NaN;
    }

    /// The element of the largest magnitude; not a number if one is not. Rotated so that the sign comes last, the bits of
    /// floats are in the order of magnitudes.
    private float extreme(int at) {
        int most = Integer.MIN_VALUE;
        for (int j = 0; j < BLOCK; j++)
            most = Math.max(most, Integer.rotateLeft(Float.floatToRawIntBits(floats[at + j]), 1) ^ Integer.MIN_VALUE);
        return Float.intBitsToFloat(Integer.rotateRight(most ^ Integer.MIN_VALUE, 1));
    }

    /// Σab over a block, in four sums that the processor works on side by side.
    private static float product(float[] a, float[] b, int at) {
        float s0 = 0;
        float s1 = 0;
        float s2 = 0;
        float s3 = 0;
        for (int j = at; j < at + BLOCK; j += 4) {
            s0 += a[j] * b[j];
            s1 += a[j + 1] * b[j + 1];
            s2 += a[j + 2] * b[j + 2];
            s3 += a[j + 3] * b[j + 3];
        }
        return s0 + s1 + (s2 + s3);
    }

    /// Sets `trial` to the whole numbers nearest to `factor * x`, a half to the even one, within bounds.
    private void nearest(float[] x, float factor, float least, float most) {
        for (int j = 0; j < x.length; j++) trial[j] = Math.max(least, Math.min(most, x[j] * factor)) + ROUND - ROUND;
    }
}
