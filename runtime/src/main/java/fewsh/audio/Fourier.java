package fewsh.audio;

import java.util.Arrays;

/// The discrete Fourier transform of any length, in double precision. Holds buffers: one thread.
///
/// Source: Bluestein's algorithm, a transform of length n as a convolution of a power-of-two length.
final class Fourier {
    private final int n;
    private final int size;
    /// exp(−iπj²/n).
    private final double[] chirpRe;
    private final double[] chirpIm;
    /// The transform of the chirp's conjugate, which each input is convolved with.
    private final double[] answerRe;
    private final double[] answerIm;
    /// exp(−2πij/size), j below size / 2.
    private final double[] rootRe;
    private final double[] rootIm;
    private final double[] re;
    private final double[] im;

    Fourier(int n) {
        this.n = n;
        size = 2 * Integer.highestOneBit(Math.max(1, 2 * n - 2));            // the first power of two from 2n − 1
        rootRe = new double[size / 2];
        rootIm = new double[size / 2];
        for (int j = 0; j < size / 2; j++) {
            rootRe[j] = Math.cos(-2 * Math.PI * j / size);
            rootIm[j] = Math.sin(-2 * Math.PI * j / size);
        }
        chirpRe = new double[n];
        chirpIm = new double[n];
        answerRe = new double[size];
        answerIm = new double[size];
        for (int j = 0; j < n; j++) {
            double angle = -Math.PI * ((long) j * j % (2L * n)) / n;
            chirpRe[j] = Math.cos(angle);
            chirpIm[j] = Math.sin(angle);
            answerRe[j] = answerRe[(size - j) % size] = chirpRe[j];
            answerIm[j] = answerIm[(size - j) % size] = -chirpIm[j];
        }
        powerOfTwo(answerRe, answerIm);
        re = new double[size];
        im = new double[size];
    }

    /// Replaces the `n` numbers `a + ib` by their transform.
    void transform(double[] a, double[] b) {
        Arrays.fill(re, 0);
        Arrays.fill(im, 0);
        for (int j = 0; j < n; j++) {
            re[j] = a[j] * chirpRe[j] - b[j] * chirpIm[j];
            im[j] = a[j] * chirpIm[j] + b[j] * chirpRe[j];
        }
        powerOfTwo(re, im);
        for (int j = 0; j < size; j++) {
            double product = re[j] * answerRe[j] - im[j] * answerIm[j];
            im[j] = -(re[j] * answerIm[j] + im[j] * answerRe[j]);            // conjugated, so that forward is back
            re[j] = product;
        }
        powerOfTwo(re, im);
        for (int j = 0; j < n; j++) {
            double x = re[j] / size;
            double y = -im[j] / size;
            a[j] = x * chirpRe[j] - y * chirpIm[j];
            b[j] = x * chirpIm[j] + y * chirpRe[j];
        }
    }

    /// The transform of `size` numbers, in place: decimation in time.
    private void powerOfTwo(double[] x, double[] y) {
        for (int i = 1, j = 0; i < size; i++) {
            int bit = size >> 1;
            for (; (j & bit) != 0; bit >>= 1) j ^= bit;
            j ^= bit;
            if (i < j) {
                swap(x, i, j);
                swap(y, i, j);
            }
        }
        for (int half = 1, step = size / 2; half < size; half *= 2, step /= 2)
            for (int block = 0; block < size; block += 2 * half)
                for (int k = 0; k < half; k++) {
                    int low = block + k;
                    int high = low + half;
                    double re = x[high] * rootRe[k * step] - y[high] * rootIm[k * step];
                    double im = x[high] * rootIm[k * step] + y[high] * rootRe[k * step];
                    x[high] = x[low] - re;
                    y[high] = y[low] - im;
                    x[low] += re;
                    y[low] += im;
                }
    }

    private static void swap(double[] x, int i, int j) {
        double kept = x[i];
        x[i] = x[j];
        x[j] = kept;
    }
}
