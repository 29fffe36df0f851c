package fewsh.vision;

import com.google.gson.JsonArray;
import com.google.gson.JsonPrimitive;
import fewsh.UserError;
import fewsh.models.Settings;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/// What each of the 256 levels of each channel becomes: a number that the model was trained with.
///
/// @param values of red, green and blue
record Levels(float[] red, float[] green, float[] blue) {
    /// By `do_rescale`, `rescale_factor`, `do_normalize`, `image_mean` and `image_std`.
    static Levels of(Settings s, List<Double> mean, List<Double> std) {
        boolean rescale = s.flag("do_rescale", true);
        boolean normalize = s.flag("do_normalize", true);
        double factor = finite(s, "rescale_factor", s.real("rescale_factor", 1 / 255.0));
        mean = numbers(s, "image_mean", mean);
        std = numbers(s, "image_std", std);
        float[][] values = new float[3][256];
        for (int c = 0; c < 3; c++)
            for (int level = 0; level < 256; level++) {
                float value = rescale ? (float) (level * factor) : level;
                float deviation = std.get(c).floatValue();
                if (normalize && deviation == 0) throw new UserError(s.where(), "image_std has a 0", "fetch the file again");
                values[c][level] = normalize ? (value - mean.get(c).floatValue()) / deviation : value;
            }
        return new Levels(values[0], values[1], values[2]);
    }

    private static double finite(Settings s, String key, double value) {
        if (Double.isFinite((float) value)) return value;
        throw new UserError(s.where(), "\"" + key + "\" must be a finite number, was " + value, "fetch the file again");
    }

    /// A number for each channel, or one for all.
    private static List<Double> numbers(Settings s, String key, List<Double> otherwise) {
        if (!s.has(key)) return otherwise;
        if (s.json().get(key) instanceof JsonPrimitive) {
            double one = finite(s, key, s.real(key, 0));
            return List.of(one, one, one);
        }
        List<Double> numbers = new ArrayList<>();
        if (s.json().get(key) instanceof JsonArray array && array.size() == 3)
            for (var number : array)
                if (number instanceof JsonPrimitive p && p.isNumber()) numbers.add(finite(s, key, p.getAsDouble()));
        if (numbers.size() == 3) return numbers;
        throw new UserError(s.where(), "\"" + key + "\" must be three numbers, was " + s.json().get(key), "fetch the file again");
    }

    /// Writes a picture's numbers, `(3, height, width)` float32.
    void write(Picture picture, MemorySegment out) {
        byte[] rgb = picture.rgb();
        long plane = rgb.length / 3;
        for (int pixel = 0, at = 0; at < rgb.length; pixel++, at += 3) {
            out.setAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, pixel, red[rgb[at] & 0xFF]);
            out.setAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, plane + pixel, green[rgb[at + 1] & 0xFF]);
            out.setAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, 2 * plane + pixel, blue[rgb[at + 2] & 0xFF]);
        }
    }
}
