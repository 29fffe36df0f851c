package fewsh.audio;

import fewsh.UserError;
import fewsh.models.Settings;
import fewsh.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/// What a speech model hears of a sound: the logarithm of its power in mel bands, frame by frame.
///
/// Frames of `n_fft` samples under a Hann window, `hop_length` apart, the first centred on the first sample and the edges
/// mirrored; power spectrum; triangular bands of equal area on Slaney's mel scale up to 8 kHz; log10, at most 8 below the
/// largest; (x + 4) / 4. The reference adds noise that differs from run to run where `dither` asks for it, here it is always
/// the same. Immutable.
/// Source: `WhisperFeatureExtractor` of Hugging Face's transformers; Slaney's Auditory Toolbox.
public final class MelFeatures {
    private static final double HIGHEST_HERTZ = 8000;
    /// Most numbers that are computed of one window; the published models take 1.2 million.
    private static final long LARGEST = 1 << 24;

    private final int samplingRate;
    private final int bins;
    private final int nFft;
    private final int hop;
    private final int samples;
    private final float padding;
    private final double dither;
    private final double[] hann;
    /// For each band, its first frequency and the weights from there on.
    private final int[] from;
    private final double[][] weights;

    private MelFeatures(int samplingRate, int bins, int nFft, int hop, int samples, float padding, double dither) {
        this.samplingRate = samplingRate;
        this.bins = bins;
        this.nFft = nFft;
        this.hop = hop;
        this.samples = samples;
        this.padding = padding;
        this.dither = dither;
        hann = new double[nFft];
        for (int i = 0; i < nFft; i++) hann[i] = 0.5 - 0.5 * Math.cos(2 * Math.PI * i / nFft);
        from = new int[bins];
        weights = new double[bins][];
        bands();
    }

    /// Reads `preprocessor_config.json`.
    ///
    /// @throws UserError for another kind of features, and for sizes that do not fit together
    public static MelFeatures of(Settings s) {
        s.choice("feature_extractor_type", "WhisperFeatureExtractor", List.of("WhisperFeatureExtractor"));
        s.only("padding_side", "right");
        int rate = s.size("sampling_rate", 16000);
        int bins = s.size("feature_size", 80);
        int nFft = s.size("n_fft", 400);
        int hop = s.size("hop_length", 160);
        int samples = s.product("chunk_length in samples", s.size("chunk_length", 30), rate);
        long computed = (long) (samples / hop) * Math.max(nFft, bins);
        if (computed > LARGEST || (long) nFft * bins > LARGEST)
            throw new UserError(s.where(), "a window of " + samples + " samples with hop_length " + hop + ", n_fft " + nFft
                    + " and feature_size " + bins + " is more than can be computed", "fetch the file again");
        if (samples <= nFft / 2 || samples < hop || nFft < 2)
            throw new UserError(s.where(), "a window of " + samples + " samples is too short for n_fft " + nFft
                    + " and hop_length " + hop, "fetch the file again");
        return new MelFeatures(rate, bins, nFft, hop, samples, (float) s.real("padding_value", 0), s.real("dither", 0));
    }

    /// Of the sounds that it takes, in Hz.
    public int samplingRate() {
        return samplingRate;
    }

    /// Bands of a frame: `feature_size`.
    public int bins() {
        return bins;
    }

    /// Frames of a window: what a model is given at a time.
    public int windowFrames() {
        return frames(samples);
    }

    /// Samples of a window.
    public int windowSamples() {
        return samples;
    }

    /// Samples from one frame to the next.
    public int hop() {
        return hop;
    }

    private int frames(int length) {
        return (length + nFft / 2 * 2 - nFft) / hop;                        // all but the last
    }

    /// `input_features` of the first window of a sound: float32 `(1, feature_size, frames)`.
    public Tensor window(Sound sound) {
        return window(sound, 0);
    }

    /// Those of the window that begins at sample `start`, filled up with silence.
    public Tensor window(Sound sound, int start) {
        return Tensor.ofFloat32(of(filled(sound, start)), 1, bins, frames(samples));
    }

    /// A whole sound's features, `(feature_size, frames)`, on one scale of loudness; a shorter one is filled up to a window.
    public Frames whole(Sound sound) {
        float[] x = sound.samples().length < samples ? filled(sound, 0) : sound.samples();
        return new Frames(bins, frames(x.length), of(x));
    }

    private float[] filled(Sound sound, int start) {
        float[] window = Arrays.copyOfRange(sound.samples(), start, start + samples);
        int given = sound.samples().length - start;
        if (given < samples) Arrays.fill(window, given, samples, padding);
        return window;
    }

    private float[] of(float[] x) {
        int frames = frames(x.length);
        float[] features = new float[bins * frames];
        Fourier fourier = new Fourier(nFft);
        double[] even = new double[nFft];
        double[] odd = new double[nFft];
        double[] power = new double[nFft / 2 + 1];
        Random noise = new Random(0);
        double largest = Double.NEGATIVE_INFINITY;
        float[] dithered = dither == 0 ? x : x.clone();
        if (dither != 0) for (int i = 0; i < x.length; i++) dithered[i] += (float) (dither * noise.nextGaussian());
        for (int t = 0; t < frames; t += 2) {                               // two real frames are one complex one
            frame(dithered, t, even);
            frame(dithered, t + 1, odd);
            fourier.transform(even, odd);
            for (int second = 0; second < 2 && t + second < frames; second++) {
                for (int k = 0; k < power.length; k++) {
                    int mirrored = (nFft - k) % nFft;
                    double re = second == 0 ? even[k] + even[mirrored] : odd[k] + odd[mirrored];
                    double im = second == 0 ? odd[k] - odd[mirrored] : even[mirrored] - even[k];
                    power[k] = (re * re + im * im) / 4;
                }
                for (int b = 0; b < bins; b++) {
                    double sum = 0;
                    for (int k = 0; k < weights[b].length; k++) sum += weights[b][k] * power[from[b] + k];
                    double log = Math.log10(Math.max(1e-10, sum));
                    largest = Math.max(largest, log);
                    features[b * frames + t + second] = (float) log;
                }
            }
        }
        for (int i = 0; i < features.length; i++) features[i] = (float) ((Math.max(features[i], largest - 8) + 4) / 4);
        return features;
    }

    /// Frame `t` under the window; beyond the last frame are samples that nobody reads.
    private void frame(float[] x, int t, double[] out) {
        long start = (long) t * hop - nFft / 2;
        for (int i = 0; i < nFft; i++) {
            long at = Math.abs(start + i);
            if (at >= x.length) at = Math.max(0, 2L * (x.length - 1) - at);
            out[i] = x[(int) at] * hann[i];
        }
    }

    /// Triangles between neighbouring points that are equally far apart in mel.
    private void bands() {
        double[] points = new double[bins + 2];
        for (int i = 0; i < points.length; i++) points[i] = hertz(mel(HIGHEST_HERTZ) * i / (bins + 1));
        int frequencies = nFft / 2 + 1;
        double step = (double) (samplingRate / 2) / (frequencies - 1);
        for (int b = 0; b < bins; b++) {
            double area = 2 / (points[b + 2] - points[b]);
            double[] row = new double[frequencies];
            int first = frequencies;
            int last = -1;
            for (int k = 0; k < frequencies; k++) {
                double rising = (k * step - points[b]) / (points[b + 1] - points[b]);
                double falling = (points[b + 2] - k * step) / (points[b + 2] - points[b + 1]);
                row[k] = area * Math.max(0, Math.min(rising, falling));
                if (row[k] == 0) continue;
                first = Math.min(first, k);
                last = k;
            }
            from[b] = last < 0 ? 0 : first;
            weights[b] = last < 0 ? new double[0] : Arrays.copyOfRange(row, first, last + 1);
        }
    }

    /// Linear below 1 kHz, logarithmic above.
    private static double mel(double hertz) {
        return hertz < 1000 ? 3 * hertz / 200 : 15 + 27 * Math.log(hertz / 1000) / Math.log(6.4);
    }

    private static double hertz(double mel) {
        return mel < 15 ? 200 * mel / 3 : 1000 * Math.exp(Math.log(6.4) / 27 * (mel - 15));
    }
}
