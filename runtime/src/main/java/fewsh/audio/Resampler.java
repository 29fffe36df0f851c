package fewsh.audio;

import fewsh.UserError;
import java.util.Arrays;

/// Samples of one rate to samples of another, block by block.
///
/// Band-limited interpolation without delay: a sinc over 64 zero crossings a side under a Kaiser window (β 10.06), cut off at
/// 0.95 of the lower Nyquist frequency. Flat to 0.9 of it; what would fold back is 100 dB down. Equal rates pass untouched.
/// Source: J. O. Smith, "Digital Audio Resampling"; as `resample` of torchaudio with `sinc_interp_kaiser`.
final class Resampler {
    private static final int CROSSINGS = 64;
    private static final double CUTOFF = 0.95;
    private static final double BETA = 10.06;
    private static final double HIGHEST = bessel(BETA);
    /// Most numbers of the filter; rates whose ratio has no small terms need many.
    private static final int LARGEST = 1 << 23;

    /// Of the input's Nyquist frequency.
    private final double cutoff;
    private final int up;
    private final int down;
    /// Input samples that an output depends on, on each side; even.
    private final int half;
    /// For each of `up` positions between two input samples, the weights of `2 half` around it; made when first needed.
    private final float[][] filter;
    /// Input from sample `start` on; silence stands before the first.
    private float[] held;
    private long start;
    private int filled;
    private float[] out = new float[1 << 12];
    private int length;

    /// @throws UserError if the ratio of the rates has terms so large that the filter would not fit
    Resampler(String where, int from, int to) {
        int common = gcd(from, to);
        up = to / common;
        down = from / common;
        cutoff = CUTOFF * Math.min(1, (double) up / down);
        half = up == down ? 0 : (int) Math.ceil(CROSSINGS / cutoff / 2) * 2;
        if (2L * half * up > LARGEST)
            throw new UserError(where, "has a sampling rate of " + from + " Hz, which does not convert to " + to,
                    "convert it: ffmpeg -i IN -ar " + to + " -ac 1 OUT.wav");
        filter = new float[up][];
        held = new float[half];
        start = -half;
        filled = half;
    }

    private static int gcd(int a, int b) {
        return b == 0 ? a : gcd(b, a % b);
    }

    private float[] weights(int phase) {
        if (filter[phase] == null) {
            filter[phase] = new float[2 * half];
            for (int i = 0; i < 2 * half; i++)
                filter[phase][i] = (float) (cutoff * kernel(cutoff * (i - half + 1 - (double) phase / up)));
        }
        return filter[phase];
    }

    /// The windowed sinc `t` zero crossings from its middle.
    private static double kernel(double t) {
        double edge = t / CROSSINGS;
        if (Math.abs(edge) >= 1) return 0;
        double sinc = t == 0 ? 1 : Math.sin(Math.PI * t) / (Math.PI * t);
        return sinc * bessel(BETA * Math.sqrt(1 - edge * edge)) / HIGHEST;
    }

    /// The modified Bessel function of order 0, by its power series.
    private static double bessel(double x) {
        double sum = 1;
        double term = 1;
        for (int k = 1; term > 1e-17 * sum; k++) {
            term *= x / 2 / k * (x / 2 / k);
            sum += term;
        }
        return sum;
    }

    /// Takes the first `n` of `block`.
    void add(float[] block, int n) {
        if (half == 0) {
            reserve(n);
            System.arraycopy(block, 0, out, length, n);
            length += n;
            return;
        }
        if (filled + n > held.length) held = Arrays.copyOf(held, filled + n);
        System.arraycopy(block, 0, held, filled, n);
        filled += n;
        advance(Long.MAX_VALUE);
        long needed = Math.min((long) length * down / up - half + 1 - start, filled);
        System.arraycopy(held, (int) needed, held, 0, (int) (filled - needed));
        filled -= (int) needed;
        start += needed;
    }

    /// Computes what the held input suffices for, up to `most` samples in all.
    private void advance(long most) {
        for (long at; length < most && (at = (long) length * down / up) + half < start + filled; ) {
            float[] weights = weights((int) ((long) length * down % up));
            int from = (int) (at - half + 1 - start);
            float a = 0;
            float b = 0;
            float c = 0;
            float d = 0;
            for (int i = 0; i < weights.length; i += 4) {                   // four sums do not wait for one another
                a += weights[i] * held[from + i];
                b += weights[i + 1] * held[from + i + 1];
                c += weights[i + 2] * held[from + i + 2];
                d += weights[i + 3] * held[from + i + 3];
            }
            reserve(1);
            out[length++] = a + b + (c + d);
        }
    }

    private void reserve(int n) {
        if (length + n > out.length) out = Arrays.copyOf(out, Math.max(length + n, 2 * out.length));
    }

    /// Samples that are made already.
    int length() {
        return length;
    }

    /// All samples: as long as the input, rounded up.
    float[] finish() {
        long input = start + filled;
        long most = half == 0 ? length : (input * up + down - 1) / down;
        if (half > 0) {
            held = Arrays.copyOf(Arrays.copyOf(held, filled), filled + half + 1);   // silence behind the last
            filled = held.length;
            advance(most);
        }
        return Arrays.copyOf(out, length);
    }
}
