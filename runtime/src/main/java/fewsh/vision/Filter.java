package fewsh.vision;

import fewsh.UserError;
import java.util.Arrays;

/// How a picture is made larger or smaller: Pillow's filters, to the byte.
///
/// Each output pixel is a weighted mean of the pixels under a window that widens with the reduction, so that nothing is skipped;
/// across and down in two passes, each rounded to 8 bits with weights of 22 fractional bits. `NEAREST` picks one pixel.
/// Source: `Resample.c` and `Geometry.c` of Pillow 13 (which goes down first where a height shrinks most; Pillow 11 never does).
enum Filter {
    NEAREST(0),
    LANCZOS(3),
    BILINEAR(1),
    BICUBIC(2),
    BOX(0.5),
    HAMMING(1);

    private static final int FRACTION = 32 - 8 - 2;
    private static final int HALF = 1 << FRACTION - 1;

    private final double support;

    Filter(double support) {
        this.support = support;
    }

    /// The filter of this number in published settings.
    ///
    /// @throws UserError if there is none
    static Filter of(String where, int resample) {
        if (resample >= 0 && resample < values().length) return values()[resample];
        throw new UserError(where, "resample " + resample + " is not supported",
                "supported: 0 nearest, 1 lanczos, 2 bilinear, 3 bicubic, 4 box, 5 hamming");
    }

    private double weight(double x) {
        return switch (this) {
            case NEAREST -> 0;
            case BOX -> x > -0.5 && x <= 0.5 ? 1 : 0;
            case BILINEAR -> Math.max(0, 1 - Math.abs(x));
            case HAMMING -> hamming(Math.abs(x));
            case BICUBIC -> bicubic(Math.abs(x));
            case LANCZOS -> x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0;
        };
    }

    private static double hamming(double x) {
        if (x == 0) return 1;
        if (x >= 1) return 0;
        x *= Math.PI;
        return StrictMath.sin(x) / x * (0.54f + 0.46f * StrictMath.cos(x));
    }

    private static double bicubic(double x) {
        double a = -0.5;
        if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
        return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
    }

    private static double sinc(double x) {
        if (x == 0) return 1;
        x *= Math.PI;
        return StrictMath.sin(x) / x;
    }

    Picture resize(Picture picture, int width, int height) {
        if (this == NEAREST) return nearest(picture, width, height);
        int less = picture.height() - height;
        boolean downFirst = less > 0 && less > 2 * (picture.width() - width);           // then there is less to do across
        Picture half = downFirst ? down(picture, height) : across(picture, width);
        return downFirst ? across(half, width) : down(half, height);
    }

    private static Picture nearest(Picture picture, int width, int height) {
        int[] columns = nearest(picture.width(), width);
        int[] rows = nearest(picture.height(), height);
        byte[] rgb = new byte[3 * width * height];
        for (int y = 0, to = 0; y < height; y++)
            for (int x = 0; x < width; x++, to += 3)
                System.arraycopy(picture.rgb(), 3 * (rows[y] * picture.width() + columns[x]), rgb, to, 3);
        return new Picture(width, height, rgb);
    }

    /// For each new place the old one; the sum grows by rounded steps, as the source's does.
    private static int[] nearest(int from, int to) {
        int[] places = new int[to];
        double step = (double) from / to;
        double at = step * 0.5;
        for (int i = 0; i < to; i++, at += step) places[i] = Math.min((int) at, from - 1);
        return places;
    }

    /// For each new place, the first old one that counts and the weights from there on.
    private final class Window {
        final int[] first;
        final int[][] weights;

        Window(int from, int to) {
            double scale = (double) from / to;
            double wide = Math.max(scale, 1);
            double reach = support * wide;
            first = new int[to];
            weights = new int[to][];
            for (int i = 0; i < to; i++) {
                double center = (i + 0.5) * scale;
                first[i] = Math.max((int) (center - reach + 0.5), 0);
                double[] real = new double[Math.min((int) (center + reach + 0.5), from) - first[i]];
                double sum = 0;
                for (int k = 0; k < real.length; k++) sum += real[k] = weight((k + first[i] - center + 0.5) * (1 / wide));
                weights[i] = new int[real.length];
                for (int k = 0; k < real.length; k++) {
                    double fixed = (sum == 0 ? real[k] : real[k] / sum) * (1 << FRACTION);
                    weights[i][k] = (int) (fixed + (fixed < 0 ? -0.5 : 0.5));
                }
            }
        }
    }

    private Picture across(Picture picture, int width) {
        if (width == picture.width()) return picture;
        Window window = new Window(picture.width(), width);
        byte[] rgb = picture.rgb();
        byte[] out = new byte[3 * width * picture.height()];
        for (int y = 0, to = 0; y < picture.height(); y++)
            for (int x = 0; x < width; x++, to += 3) {
                int[] weights = window.weights[x];
                int red = HALF;
                int green = HALF;
                int blue = HALF;
                int at = 3 * (y * picture.width() + window.first[x]);
                for (int k = 0; k < weights.length; k++, at += 3) {
                    red += (rgb[at] & 0xFF) * weights[k];
                    green += (rgb[at + 1] & 0xFF) * weights[k];
                    blue += (rgb[at + 2] & 0xFF) * weights[k];
                }
                out[to] = rounded(red);
                out[to + 1] = rounded(green);
                out[to + 2] = rounded(blue);
            }
        return new Picture(width, picture.height(), out);
    }

    private Picture down(Picture picture, int height) {
        if (height == picture.height()) return picture;
        Window window = new Window(picture.height(), height);
        byte[] rgb = picture.rgb();
        int row = 3 * picture.width();
        byte[] out = new byte[row * height];
        int[] sums = new int[row];
        for (int y = 0; y < height; y++) {
            Arrays.fill(sums, HALF);
            int[] weights = window.weights[y];
            for (int k = 0; k < weights.length; k++) {
                int at = row * (window.first[y] + k);
                int weight = weights[k];
                for (int i = 0; i < row; i++) sums[i] += (rgb[at + i] & 0xFF) * weight;
            }
            for (int i = 0; i < row; i++) out[row * y + i] = rounded(sums[i]);
        }
        return new Picture(picture.width(), height, out);
    }

    private static byte rounded(int sum) {
        return (byte) Math.clamp(sum >> FRACTION, 0, 255);
    }
}
