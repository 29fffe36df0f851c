package fewsh.encode;

import fewsh.vision.Picture;

/// How much each patch of a picture counts.
///
/// @param weights `rows · columns` numbers, row by row
public record AttentionMap(int rows, int columns, float[] weights) {
    /// How much of the picture's own colour is left under the heat.
    private static final double LEFT = 0.45;

    /// The picture with the map over it: blue where it counts least, over green and yellow to red where it counts most.
    public Picture over(Picture picture) {
        float least = Float.POSITIVE_INFINITY;
        float most = Float.NEGATIVE_INFINITY;
        for (float weight : weights) {
            least = Math.min(least, weight);
            most = Math.max(most, weight);
        }
        byte[] drawn = new byte[picture.rgb().length];
        for (int y = 0, at = 0; y < picture.height(); y++)
            for (int x = 0; x < picture.width(); x++, at += 3) {
                double weight = at((y + 0.5) / picture.height() * rows - 0.5, (x + 0.5) / picture.width() * columns - 0.5);
                double heat = most > least ? (weight - least) / (most - least) : 0;
                for (int c = 0; c < 3; c++)
                    drawn[at + c] = (byte) Math.round(LEFT * (picture.rgb()[at + c] & 0xFF) + (1 - LEFT) * 255 * colour(heat, c));
            }
        return new Picture(picture.width(), picture.height(), drawn);
    }

    /// The weight at a place between the middles of patches, by those of the four around it.
    private double at(double row, double column) {
        double y = Math.clamp(row, 0, rows - 1);
        double x = Math.clamp(column, 0, columns - 1);
        int top = (int) y;
        int left = (int) x;
        int bottom = Math.min(top + 1, rows - 1);
        int right = Math.min(left + 1, columns - 1);
        double upper = weights[top * columns + left] * (left + 1 - x) + weights[top * columns + right] * (x - left);
        double lower = weights[bottom * columns + left] * (left + 1 - x) + weights[bottom * columns + right] * (x - left);
        return upper * (top + 1 - y) + lower * (y - top);
    }

    /// Red, green or blue of a heat from 0 to 1: each is full around its own place and fades to both sides.
    private static double colour(double heat, int channel) {
        double middle = 0.75 - 0.25 * channel;
        return Math.clamp(1.5 - 4 * Math.abs(heat - middle), 0, 1);
    }
}
