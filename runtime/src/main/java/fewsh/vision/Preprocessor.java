package fewsh.vision;

import com.google.gson.JsonElement;
import com.google.gson.JsonPrimitive;
import fewsh.UserError;
import fewsh.models.Settings;
import fewsh.tensor.DType;
import fewsh.tensor.Tensor;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Makes pictures into `pixel_values` as a folder's `preprocessor_config.json` says, value for value: resized, the middle cut out,
/// scaled and normalised, in this order.
///
/// For the processors that do these steps and no others: ViT's, DeiT's and CLIP's, under any of their classes' names.
/// Source: `image_processing_utils.py`, `image_processing_backends.py` and `image_transforms.py` of Hugging Face's transformers,
/// whose Pillow backend this equals.
///
/// @param size empty: pictures stay as they are
/// @param crop empty: nothing is cut
public record Preprocessor(Optional<Size> size, Filter resample, Optional<Size.Exactly> crop, Levels levels) {
    /// What a processor's class assumes where the file says nothing.
    private record Defaults(Filter resample, Size size, boolean crop, boolean squareSize, List<Double> mean, List<Double> std) {}

    private static final List<Double> HALVES = List.of(0.5, 0.5, 0.5);
    private static final Map<String, Defaults> CLASSES = Map.of(
            "ViT", new Defaults(Filter.BILINEAR, new Size.Exactly(224, 224), false, true, HALVES, HALVES),
            "DeiT", new Defaults(Filter.BICUBIC, new Size.Exactly(256, 256), true, true, HALVES, HALVES),
            "CLIP", new Defaults(Filter.BICUBIC, new Size.Shortest(224), true, false,
                    List.of(0.48145466, 0.4578275, 0.40821073), List.of(0.26862954, 0.26130258, 0.27577711)));
    private static final Set<String> KNOWN = Set.of("do_resize", "size", "resample", "do_center_crop", "crop_size", "do_rescale",
            "rescale_factor", "do_normalize", "image_mean", "image_std", "do_convert_rgb", "image_processor_type",
            "feature_extractor_type", "processor_class", "_valid_processor_keys", "default_to_square", "data_format", "do_pad", "offset");

    /// Reads `preprocessor_config.json`, or what `processor_config.json` says of pictures.
    ///
    /// @throws UserError if neither is there, or it asks for something that is not done here
    public static Preprocessor read(Path folder) {
        return of(settings(folder));
    }

    /// The settings for pictures of a model's folder.
    static Settings settings(Path folder) {
        Path combined = folder.resolve("processor_config.json");
        Path own = folder.resolve("preprocessor_config.json");
        String needed = "a model for pictures has a preprocessor_config.json, which says how they are made to fit";
        if (!Files.exists(own) && Files.exists(combined))
            return Settings.read(combined, needed).object("image_processor");
        return Settings.read(own, needed);
    }

    static Preprocessor of(Settings s) {
        Defaults defaults = CLASSES.get(name(s));
        if (defaults == null)
            throw new UserError(s.where(), "image_processor_type \"" + type(s) + "\" is not supported",
                    "supported: those of " + String.join(", ", CLASSES.keySet().stream().sorted().toList()));
        refuseOthers(s, KNOWN);
        s.only("do_pad", false);
        s.only("offset", false);
        s.only("data_format", "channels_first");
        s.flag("do_convert_rgb", true);                         // a picture is RGB already
        boolean square = s.flag("default_to_square", defaults.squareSize());
        Optional<Size> size = s.flag("do_resize", true) ? Optional.of(Size.of(s, "size", square, defaults.size())) : Optional.empty();
        Optional<Size.Exactly> crop = Optional.empty();
        if (s.flag("do_center_crop", defaults.crop())) {
            if (!(Size.of(s, "crop_size", true, new Size.Exactly(224, 224)) instanceof Size.Exactly exactly))
                throw new UserError(s.where(), "crop_size " + s.json().get("crop_size") + " is not supported",
                        "it must have height and width");
            crop = Optional.of(exactly);
        }
        return new Preprocessor(size, resample(s, defaults.resample()), crop, Levels.of(s, defaults.mean(), defaults.std()));
    }

    static String type(Settings s) {
        return s.text("image_processor_type", s.text("feature_extractor_type", "ViTImageProcessor"));
    }

    /// The model that a processor's class is named after: its classes differ in what computes, not in what is computed.
    static String name(Settings s) {
        return type(s).replaceFirst("(ImageProcessor(Fast|Pil)?|FeatureExtractor)$", "");
    }

    static Filter resample(Settings s, Filter otherwise) {
        if (!s.has("resample")) return otherwise;
        double number = s.real("resample", 0);
        return Filter.of(s.where(), number == Math.rint(number) ? (int) number : -1);
    }

    /// A key that nothing here knows may only be absent, null or false.
    static void refuseOthers(Settings s, Set<String> known) {
        Set<String> others = new HashSet<>(s.json().keySet());
        others.removeAll(known);
        for (String key : others) {
            JsonElement value = s.json().get(key);
            boolean off = value.isJsonNull() || value instanceof JsonPrimitive p && p.isBoolean() && !p.getAsBoolean();
            if (!off) throw new UserError(s.where(), "\"" + key + "\" is not supported",
                    UserError.near(key, known, "remove it, if the model was not trained with it"));
        }
    }

    /// The picture as the model sees it, still in 8 bits.
    Picture fitted(Picture picture) {
        Picture fitted = size.map(s -> s.resize(picture, resample)).orElse(picture);
        return crop.map(c -> fitted.middle(c.width(), c.height())).orElse(fitted);
    }

    /// The part of a picture that the model sees, as large as it was unless something is cut off.
    public Picture seen(Picture picture) {
        return crop.isEmpty() ? picture : fitted(picture);
    }

    /// float32 `(batch, 3, height, width)`, in memory that the garbage collector owns.
    ///
    /// @throws UserError if the pictures do not come out equally large, as settings that keep proportions may leave them
    public Tensor pixelValues(List<Picture> pictures) {
        List<Picture> fitted = pictures.stream().map(this::fitted).toList();
        Picture first = fitted.getFirst();
        long plane = (long) first.width() * first.height();
        Tensor values = Tensor.allocate(Arena.ofAuto(), DType.FLOAT32, fitted.size(), 3, first.height(), first.width());
        for (int i = 0; i < fitted.size(); i++) {
            Picture p = fitted.get(i);
            if (p.width() != first.width() || p.height() != first.height())
                throw new UserError("", "pictures of " + first.width() + " × " + first.height() + " and " + p.width() + " × "
                        + p.height() + " cannot go together", "give them one at a time");
            levels.write(p, values.data().asSlice(3 * plane * i * Float.BYTES, 3 * plane * Float.BYTES));
        }
        return values;
    }
}
