package fewsh.weights;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Encoded bytes → float32, one function an encoding, in the order of operations of ggml's own code: the same bits.
///
/// Works on arrays, a piece at a time: arrays are fast from the first call on, before anything is compiled.
/// Source: ggml-quants.c; checked against the Python package `gguf`.
final class Dequantise {
    /// Elements decoded at a time: a multiple of every block, small enough for the second-level cache.
    private static final int PIECE = 16_384;

    private Dequantise() {}

    /// @param data whole blocks
    /// @param out float32, as many as `data` has elements
    static void into(Encoding encoding, MemorySegment data, MemorySegment out) {
        if (encoding == Encoding.F32) {
            MemorySegment.copy(data, 0, out, 0, data.byteSize());
            return;
        }
        long elements = data.byteSize() / encoding.blockBytes() * encoding.blockElements();
        byte[] bytes = new byte[(int) encoding.bytes(Math.min(PIECE, elements))];
        float[] floats = new float[(int) Math.min(PIECE, elements)];
        for (long done = 0; done < elements; done += PIECE) {
            int count = (int) Math.min(PIECE, elements - done);
            int length = (int) encoding.bytes(count);
            MemorySegment.copy(data, ValueLayout.JAVA_BYTE, encoding.bytes(done), bytes, 0, length);
            blocks(encoding, bytes, 0, floats, 0, count / encoding.blockElements());
            MemorySegment.copy(floats, 0, out, ValueLayout.JAVA_FLOAT_UNALIGNED, done * Float.BYTES, count);
        }
    }

    /// Decodes `n` blocks from `in[at]` on to `out[to]` on.
    static void blocks(Encoding encoding, byte[] in, int at, float[] out, int to, int n) {
        switch (encoding) {
            case F64 -> { for (int i = 0; i < n; i++) out[to + i] = (float) Double.longBitsToDouble(int64(in, at + 8 * i)); }
            case F32 -> { for (int i = 0; i < n; i++) out[to + i] = Float.intBitsToFloat(int32(in, at + 4 * i)); }
            case F16 -> { for (int i = 0; i < n; i++) out[to + i] = float16(in, at + 2 * i); }
            case BF16 -> { for (int i = 0; i < n; i++) out[to + i] = Float.intBitsToFloat(int16(in, at + 2 * i) << 16); }
            case I64 -> { for (int i = 0; i < n; i++) out[to + i] = int64(in, at + 8 * i); }
            case I32 -> { for (int i = 0; i < n; i++) out[to + i] = int32(in, at + 4 * i); }
            case I16 -> { for (int i = 0; i < n; i++) out[to + i] = int16(in, at + 2 * i); }
            case I8 -> { for (int i = 0; i < n; i++) out[to + i] = in[at + i]; }
            case U8 -> { for (int i = 0; i < n; i++) out[to + i] = in[at + i] & 0xFF; }
            case BOOL -> { for (int i = 0; i < n; i++) out[to + i] = in[at + i] == 0 ? 0 : 1; }
            case Q4_0 -> { for (int i = 0; i < n; i++) q40(in, at + 18 * i, out, to + 32 * i); }
            case Q4_1 -> { for (int i = 0; i < n; i++) q41(in, at + 20 * i, out, to + 32 * i); }
            case Q5_0 -> { for (int i = 0; i < n; i++) q50(in, at + 22 * i, out, to + 32 * i); }
            case Q5_1 -> { for (int i = 0; i < n; i++) q51(in, at + 24 * i, out, to + 32 * i); }
            case Q8_0 -> { for (int i = 0; i < n; i++) q80(in, at + 34 * i, out, to + 32 * i); }
            case Q2_K -> { for (int i = 0; i < n; i++) q2k(in, at + 84 * i, out, to + 256 * i); }
            case Q3_K -> { for (int i = 0; i < n; i++) q3k(in, at + 110 * i, out, to + 256 * i); }
            case Q4_K -> { for (int i = 0; i < n; i++) q4k(in, at + 144 * i, out, to + 256 * i); }
            case Q5_K -> { for (int i = 0; i < n; i++) q5k(in, at + 176 * i, out, to + 256 * i); }
            case Q6_K -> { for (int i = 0; i < n; i++) q6k(in, at + 210 * i, out, to + 256 * i); }
        }
    }

    /// d, 16 bytes: element j in the low half of byte j, element j + 16 in its high half; 8 stands for zero.
    private static void q40(byte[] in, int at, float[] out, int to) {
        float d = float16(in, at);
        for (int j = 0; j < 16; j++) {
            int q = in[at + 2 + j];
            out[to + j] = d * ((q & 15) - 8);
            out[to + j + 16] = d * ((q >> 4 & 15) - 8);
        }
    }

    /// d, m, 16 bytes as in Q4_0.
    private static void q41(byte[] in, int at, float[] out, int to) {
        float d = float16(in, at);
        float m = float16(in, at + 2);
        for (int j = 0; j < 16; j++) {
            int q = in[at + 4 + j];
            out[to + j] = d * (q & 15) + m;
            out[to + j + 16] = d * (q >> 4 & 15) + m;
        }
    }

    /// d, 32 fifth bits, 16 bytes as in Q4_0; 16 stands for zero.
    private static void q50(byte[] in, int at, float[] out, int to) {
        float d = float16(in, at);
        int high = int32(in, at + 2);
        for (int j = 0; j < 16; j++) {
            int q = in[at + 6 + j];
            out[to + j] = d * ((q & 15 | (high >>> j & 1) << 4) - 16);
            out[to + j + 16] = d * ((q >> 4 & 15 | (high >>> j + 16 & 1) << 4) - 16);
        }
    }

    /// d, m, 32 fifth bits, 16 bytes as in Q4_0.
    private static void q51(byte[] in, int at, float[] out, int to) {
        float d = float16(in, at);
        float m = float16(in, at + 2);
        int high = int32(in, at + 4);
        for (int j = 0; j < 16; j++) {
            int q = in[at + 8 + j];
            out[to + j] = d * (q & 15 | (high >>> j & 1) << 4) + m;
            out[to + j + 16] = d * (q >> 4 & 15 | (high >>> j + 16 & 1) << 4) + m;
        }
    }

    /// d, 32 signed bytes.
    private static void q80(byte[] in, int at, float[] out, int to) {
        float d = float16(in, at);
        for (int j = 0; j < 32; j++) out[to + j] = d * in[at + 2 + j];
    }

    /// 16 bytes of 4-bit scale and minimum, 64 bytes of 2-bit elements, d, dmin.
    private static void q2k(byte[] in, int at, float[] out, int to) {
        float d = float16(in, at + 80);
        float dmin = float16(in, at + 82);
        for (int i = 0; i < 256; i++) {
            int scale = in[at + (i >> 4)];
            int q = in[at + 16 + (i >> 7 << 5) + (i & 31)] >> (i >> 5 & 3) * 2 & 3;
            out[to + i] = d * (scale & 15) * q - dmin * (scale >> 4 & 15);
        }
    }

    /// 32 bytes of third bits, 64 bytes of the lower two, 16 6-bit scales in 12 bytes, d. A third bit of 0 means minus 4.
    private static void q3k(byte[] in, int at, float[] out, int to) {
        float d = float16(in, at + 108);
        for (int i = 0; i < 256; i++) {
            int s = i >> 4;
            int scale = (in[at + 96 + (s & 7)] >> (s >> 3) * 4 & 15 | (in[at + 104 + (s & 3)] >> (s >> 2) * 2 & 3) << 4) - 32;
            int low = in[at + 32 + (i >> 7 << 5) + (i & 31)] >> (i >> 5 & 3) * 2 & 3;
            int high = in[at + (i & 31)] >> (i >> 5) & 1;
            out[to + i] = d * scale * (low - (high ^ 1) * 4);
        }
    }

    /// d, dmin, 8 6-bit scales and minima in 12 bytes, 128 bytes: of each 32, the low halves are one block of 32 elements, the
    /// high halves the next.
    private static void q4k(byte[] in, int at, float[] out, int to) {
        float d = float16(in, at);
        float dmin = float16(in, at + 2);
        for (int s = 0; s < 8; s++) {
            float scale = d * scaleK(in, at + 4, s);
            float min = dmin * minK(in, at + 4, s);
            for (int j = 0; j < 32; j++) {
                int q = in[at + 16 + (s >> 1 << 5) + j] >> (s & 1) * 4 & 15;
                out[to + s * 32 + j] = scale * q - min;
            }
        }
    }

    /// As Q4_K, with 32 bytes of fifth bits before the 128.
    private static void q5k(byte[] in, int at, float[] out, int to) {
        float d = float16(in, at);
        float dmin = float16(in, at + 2);
        for (int s = 0; s < 8; s++) {
            float scale = d * scaleK(in, at + 4, s);
            float min = dmin * minK(in, at + 4, s);
            for (int j = 0; j < 32; j++) {
                int q = in[at + 48 + (s >> 1 << 5) + j] >> (s & 1) * 4 & 15 | (in[at + 16 + j] >> s & 1) << 4;
                out[to + s * 32 + j] = scale * q - min;
            }
        }
    }

    /// 128 bytes of the lower four bits, 64 of the upper two, 16 signed scales, d; 32 stands for zero.
    private static void q6k(byte[] in, int at, float[] out, int to) {
        float d = float16(in, at + 208);
        for (int s = 0; s < 16; s++) {
            int half = s >> 3;
            int quarter = s >> 1 & 3;
            int low = at + half * 64 + (quarter & 1) * 32 + (s & 1) * 16;
            int high = at + 128 + half * 32 + (s & 1) * 16;
            float scale = d * in[at + 192 + s];
            for (int j = 0; j < 16; j++) {
                int q = in[low + j] >> (quarter >> 1) * 4 & 15 | (in[high + j] >> quarter * 2 & 3) << 4;
                out[to + s * 16 + j] = scale * (q - 32);
            }
        }
    }

    /// The `s`-th of the eight scales of a Q4_K or Q5_K block.
    static int scaleK(byte[] in, int at, int s) {
        return s < 4 ? in[at + s] & 63 : in[at + 4 + s] & 15 | (in[at + s - 4] >> 6 & 3) << 4;
    }

    /// The `s`-th of the eight minima of a Q4_K or Q5_K block.
    static int minK(byte[] in, int at, int s) {
        return s < 4 ? in[at + 4 + s] & 63 : in[at + 4 + s] >> 4 & 15 | (in[at + s] >> 6 & 3) << 4;
    }

    static float float16(byte[] in, int at) {
        return Float.float16ToFloat(int16(in, at));
    }

    static short int16(byte[] in, int at) {
        return (short) (in[at] & 0xFF | in[at + 1] << 8);
    }

    static int int32(byte[] in, int at) {
        return in[at] & 0xFF | (in[at + 1] & 0xFF) << 8 | (in[at + 2] & 0xFF) << 16 | in[at + 3] << 24;
    }

    static long int64(byte[] in, int at) {
        return int32(in, at) & 0xFFFF_FFFFL | (long) int32(in, at + 4) << 32;
    }
}
