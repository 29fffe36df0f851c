package fewsh.vision;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import fewsh.UserError;
import fewsh.models.Settings;
import java.util.Set;
import java.util.TreeSet;

/// How large a picture is to become, as published settings put it.
///
/// Source: `get_size_dict` of `image_processing_utils.py`, `get_resize_output_image_size`, `get_size_with_aspect_ratio` and
/// `get_image_size_for_max_height_width` of Hugging Face's transformers, with their rounding.
public sealed interface Size {
    /// Most pixels of a side.
    int LONGEST = 1 << 15;

    /// `{"height", "width"}`, in whatever proportion.
    record Exactly(int height, int width) implements Size {}

    /// `{"shortest_edge"}`: the shorter side, the other in proportion.
    record Shortest(int edge) implements Size {}

    /// `{"shortest_edge", "longest_edge"}`: the shorter side, less where the longer would exceed its own.
    record Between(int shortest, int longest) implements Size {}

    /// `{"max_height", "max_width"}`: as large as fits, in proportion.
    record Within(int height, int width) implements Size {}

    /// The setting `key`: an object with one of these sets of keys, `[height, width]`, or a number.
    ///
    /// @param square whether a number is both sides; else it is the shorter one
    /// @throws UserError for anything else
    static Size of(Settings s, String key, boolean square, Size otherwise) {
        if (!s.has(key)) return otherwise;
        return switch (s.json().get(key)) {
            case JsonPrimitive _ -> square ? exactly(s, s.size(key), s.size(key)) : new Shortest(s.size(key));
            case JsonArray pair when pair.size() == 2 -> {
                JsonObject named = new JsonObject();
                named.add("height", pair.get(0));
                named.add("width", pair.get(1));
                yield named(new Settings(s.where() + ": " + key, named), key);
            }
            case JsonObject _ -> named(s.object(key), key);
            default -> throw new UserError(s.where(), "\"" + key + "\" must be a size, was " + s.json().get(key), "fetch the file again");
        };
    }

    private static Size named(Settings size, String key) {
        Set<String> keys = new TreeSet<>(size.json().keySet());
        keys.removeIf(k -> !size.has(k));
        if (keys.equals(Set.of("height", "width"))) return exactly(size, size.size("height"), size.size("width"));
        if (keys.equals(Set.of("shortest_edge"))) return new Shortest(size.size("shortest_edge"));
        if (keys.equals(Set.of("shortest_edge", "longest_edge")))
            return new Between(size.size("shortest_edge"), size.size("longest_edge"));
        if (keys.equals(Set.of("max_height", "max_width"))) return new Within(size.size("max_height"), size.size("max_width"));
        throw new UserError(size.where(), key + " with " + keys + " is not supported",
                "supported: height and width, shortest_edge, shortest_edge and longest_edge, max_height and max_width");
    }

    private static Exactly exactly(Settings s, int height, int width) {
        s.product("the size", height, width);
        return new Exactly(height, width);
    }

    /// The picture at this size.
    ///
    /// @throws UserError if that has no pixels, or more than 2²⁶ when one side is done
    default Picture resize(Picture picture, Filter filter) {
        Exactly to = of(picture.height(), picture.width());
        long most = Math.max((long) to.height * Math.max(to.width, picture.width()), (long) to.width * picture.height());
        if (to.height < 1 || to.width < 1 || most > Picture.LARGEST || Math.max(to.height, to.width) > LONGEST)
            throw new UserError("", "a picture of " + picture.width() + " × " + picture.height() + " pixels would become "
                    + to.width + " × " + to.height, "cut it to a more even shape");
        return filter.resize(picture, to.width, to.height);
    }

    /// The size that a picture of this one gets.
    default Exactly of(int height, int width) {
        return switch (this) {
            case Exactly exactly -> exactly;
            case Shortest(int edge) -> sides(height, width, edge, edge);
            case Between(int shortest, int longest) -> {
                double raw = longest * (double) Math.min(height, width) / Math.max(height, width);
                boolean less = (double) Math.max(height, width) / Math.min(height, width) * shortest > longest;
                int edge = less ? (int) Math.rint(raw) : shortest;
                yield Math.min(height, width) == edge ? new Exactly(height, width) : sides(height, width, edge, less ? raw : edge);
            }
            case Within(int h, int w) -> {
                double scale = Math.min((double) h / height, (double) w / width);
                yield new Exactly((int) (height * scale), (int) (width * scale));
            }
        };
    }

    /// @param edge the shorter side
    /// @param by what the longer one is in proportion to
    private static Exactly sides(int height, int width, int edge, double by) {
        return width < height ? new Exactly((int) (by * height / width), edge) : new Exactly(edge, (int) (by * width / height));
    }
}
