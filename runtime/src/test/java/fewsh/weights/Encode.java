package fewsh.weights;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/// float32 → encoded bytes, plainly: good enough for fixtures, not what ggml's own quantisation would choose.
public final class Encode {
    private Encode() {}

    /// The bytes of `values` in `encoding`.
    ///
    /// @param values whole blocks
    public static byte[] floats(Encoding encoding, float[] values) {
        ByteBuffer out = ByteBuffer.allocate(Math.toIntExact(encoding.bytes(values.length))).order(ByteOrder.LITTLE_ENDIAN);
        int elements = encoding.blockElements();
        for (int at = 0; at < values.length; at += elements) {
            float x = values[at];
            switch (encoding) {
                case F64 -> out.putDouble(x);
                case F32 -> out.putFloat(x);
                case F16 -> out.putShort(Float.floatToFloat16(x));
                case BF16 -> out.putShort(bfloat16(x));
                case I64 -> out.putLong((long) x);
                case I32 -> out.putInt((int) x);
                case I16 -> out.putShort((short) x);
                case I8, U8 -> out.put((byte) x);
                case BOOL -> out.put((byte) (x == 0 ? 0 : 1));
                case Q4_0 -> symmetric(out, values, at, 4);
                case Q5_0 -> symmetric(out, values, at, 5);
                case Q4_1 -> asymmetric(out, values, at, 4);
                case Q5_1 -> asymmetric(out, values, at, 5);
                case Q8_0 -> q80(out, values, at);
                case Q2_K -> q2k(out, values, at);
                case Q3_K -> q3k(out, values, at);
                case Q4_K -> q45k(out, values, at, 4);
                case Q5_K -> q45k(out, values, at, 5);
                case Q6_K -> q6k(out, values, at);
            }
        }
        return out.array();
    }

    private static short bfloat16(float x) {
        int bits = Float.floatToIntBits(x);
        return (short) (Float.isNaN(x) ? bits >> 16 : bits + 0x7FFF + (bits >> 16 & 1) >> 16);
    }

    /// Writes the scale as float16; returns it as it will be read.
    private static float half(ByteBuffer out, float scale) {
        out.putShort(Float.floatToFloat16(scale));
        return Float.float16ToFloat(Float.floatToFloat16(scale));
    }

    private static int level(float x, float scale, int least, int most) {
        return scale == 0 ? Math.max(0, least) : Math.max(least, Math.min(most, Math.round(x / scale)));
    }

    private static void symmetric(ByteBuffer out, float[] x, int at, int bits) {
        int zero = 1 << bits - 1;
        float extreme = 0;
        for (int j = 0; j < 32; j++) if (Math.abs(x[at + j]) > Math.abs(extreme)) extreme = x[at + j];
        float d = half(out, extreme / -zero);
        int[] levels = new int[32];
        for (int j = 0; j < 32; j++) levels[j] = level(x[at + j], d, -zero, zero - 1) + zero;
        halves(out, levels, bits);
    }

    private static void asymmetric(ByteBuffer out, float[] x, int at, int bits) {
        float least = x[at];
        float most = x[at];
        for (int j = 0; j < 32; j++) {
            least = Math.min(least, x[at + j]);
            most = Math.max(most, x[at + j]);
        }
        int top = (1 << bits) - 1;
        float d = half(out, (most - least) / top);
        float m = half(out, least);
        int[] levels = new int[32];
        for (int j = 0; j < 32; j++) levels[j] = level(x[at + j] - m, d, 0, top);
        halves(out, levels, bits);
    }

    private static void halves(ByteBuffer out, int[] levels, int bits) {
        int fifths = 0;
        for (int j = 0; j < 32; j++) fifths |= (levels[j] >> 4) << j;
        if (bits == 5) out.putInt(fifths);
        for (int j = 0; j < 16; j++) out.put((byte) (levels[j] & 15 | (levels[j + 16] & 15) << 4));
    }

    private static void q80(ByteBuffer out, float[] x, int at) {
        float d = half(out, most(x, at, 32) / 127);
        for (int j = 0; j < 32; j++) out.put((byte) level(x[at + j], d, -127, 127));
    }

    private static float most(float[] x, int at, int count) {
        float most = 0;
        for (int j = 0; j < count; j++) most = Math.max(most, Math.abs(x[at + j]));
        return most;
    }

    /// Scales and minima of the sub-blocks in whole steps of d and dmin, and the levels they give.
    private record Minima(float d, float dmin, int[] scales, int[] minima, int[] levels) {
        static Minima of(float[] x, int at, int inner, int top, int steps) {
            int count = 256 / inner;
            float[] scale = new float[count];
            float[] minimum = new float[count];
            for (int s = 0; s < count; s++) {
                float least = 0;
                float most = 0;
                for (int j = 0; j < inner; j++) {
                    least = Math.min(least, x[at + s * inner + j]);
                    most = Math.max(most, x[at + s * inner + j]);
                }
                scale[s] = (most - least) / top;
                minimum[s] = -least;
            }
            float d = rounded(most(scale, 0, count) / steps);
            float dmin = rounded(most(minimum, 0, count) / steps);
            int[] scales = new int[count];
            int[] minima = new int[count];
            int[] levels = new int[256];
            for (int i = 0; i < 256; i++) {
                int s = i / inner;
                scales[s] = level(scale[s], d, 0, steps);
                minima[s] = level(minimum[s], dmin, 0, steps);
                levels[i] = level(x[at + i] + dmin * minima[s], d * scales[s], 0, top);
            }
            return new Minima(d, dmin, scales, minima, levels);
        }
    }

    private static float rounded(float scale) {
        return Float.float16ToFloat(Float.floatToFloat16(scale));
    }

    private static void q2k(ByteBuffer out, float[] x, int at) {
        Minima block = Minima.of(x, at, 16, 3, 15);
        for (int s = 0; s < 16; s++) out.put((byte) (block.scales[s] | block.minima[s] << 4));
        twos(out, block.levels);
        half(out, block.d);
        half(out, block.dmin);
    }

    private static void twos(ByteBuffer out, int[] levels) {
        for (int i = 0; i < 64; i++) {
            int from = i / 32 * 128 + i % 32;
            int bits = 0;
            for (int k = 0; k < 4; k++) bits |= (levels[from + 32 * k] & 3) << 2 * k;
            out.put((byte) bits);
        }
    }

    private static void q3k(ByteBuffer out, float[] x, int at) {
        float[] scale = new float[16];
        for (int s = 0; s < 16; s++) scale[s] = most(x, at + s * 16, 16) / 4;
        float d = rounded(most(scale, 0, 16) / 31);
        int[] scales = new int[16];
        int[] levels = new int[256];
        for (int i = 0; i < 256; i++) {
            int s = i / 16;
            scales[s] = level(scale[s], d, 0, 31) + 32;
            levels[i] = level(x[at + i], d * (scales[s] - 32), -4, 3) + 4;
        }
        for (int i = 0; i < 32; i++) {
            int bits = 0;
            for (int k = 0; k < 8; k++) bits |= (levels[i + 32 * k] >> 2) << k;
            out.put((byte) bits);
        }
        twos(out, levels);
        for (int s = 0; s < 8; s++) out.put((byte) (scales[s] & 15 | (scales[s + 8] & 15) << 4));
        for (int s = 0; s < 4; s++)
            out.put((byte) (scales[s] >> 4 | scales[s + 4] >> 4 << 2 | scales[s + 8] >> 4 << 4 | scales[s + 12] >> 4 << 6));
        half(out, d);
    }

    private static void q45k(ByteBuffer out, float[] x, int at, int bits) {
        Minima block = Minima.of(x, at, 32, (1 << bits) - 1, 63);
        half(out, block.d);
        half(out, block.dmin);
        for (int s = 0; s < 4; s++) out.put((byte) (block.scales[s] | block.scales[s + 4] >> 4 << 6));
        for (int s = 0; s < 4; s++) out.put((byte) (block.minima[s] | block.minima[s + 4] >> 4 << 6));
        for (int s = 4; s < 8; s++) out.put((byte) (block.scales[s] & 15 | (block.minima[s] & 15) << 4));
        for (int i = 0; i < 32 && bits == 5; i++) {
            int fifths = 0;
            for (int k = 0; k < 8; k++) fifths |= (block.levels[i + 32 * k] >> 4) << k;
            out.put((byte) fifths);
        }
        for (int i = 0; i < 128; i++) {
            int from = i / 32 * 64 + i % 32;
            out.put((byte) (block.levels[from] & 15 | (block.levels[from + 32] & 15) << 4));
        }
    }

    private static void q6k(ByteBuffer out, float[] x, int at) {
        float[] scale = new float[16];
        for (int s = 0; s < 16; s++) scale[s] = most(x, at + s * 16, 16) / 32;
        float d = rounded(most(scale, 0, 16) / 127);
        int[] scales = new int[16];
        int[] levels = new int[256];
        for (int i = 0; i < 256; i++) {
            scales[i / 16] = level(scale[i / 16], d, 0, 127);
            levels[i] = level(x[at + i], d * scales[i / 16], -32, 31) + 32;
        }
        for (int i = 0; i < 128; i++) {
            int from = i / 64 * 128 + i % 64;
            out.put((byte) (levels[from] & 15 | (levels[from + 64] & 15) << 4));
        }
        for (int i = 0; i < 64; i++) {
            int from = i / 32 * 128 + i % 32;
            int bits = 0;
            for (int k = 0; k < 4; k++) bits |= (levels[from + 32 * k] >> 4) << 2 * k;
            out.put((byte) bits);
        }
        for (int s = 0; s < 16; s++) out.put((byte) scales[s]);
        half(out, d);
    }
}
