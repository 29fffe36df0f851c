package fewsh.vision;

import fewsh.UserError;
import fewsh.models.Settings;
import fewsh.tensor.DType;
import fewsh.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Makes a picture into the tiles that Idefics3 and SmolVLM read: enlarged or reduced to whole tiles, cut into rows and columns
/// of them, and the whole picture once more as the last tile.
///
/// Source: `image_processing_pil_idefics3.py` of Hugging Face's transformers, whose Pillow backend this equals.
///
/// @param size empty: pictures are only made to fit whole tiles
/// @param splitting false: a picture is one tile
/// @param tile pixels of a tile's side
public record Idefics3Preprocessor(Optional<Edge> size, Filter resample, boolean splitting, int tile, Levels levels) {
    private static final List<Double> HALVES = List.of(0.5, 0.5, 0.5);
    private static final Set<String> KNOWN = Set.of("do_resize", "size", "resample", "do_image_splitting", "max_image_size",
            "do_rescale", "rescale_factor", "do_normalize", "image_mean", "image_std", "do_convert_rgb", "do_pad",
            "image_processor_type", "feature_extractor_type", "processor_class", "_valid_processor_keys", "data_format",
            "video_sampling");
    /// No side becomes longer than this before tiles are made.
    private static final int LONGEST = 4096;

    /// What a picture is first resized to.
    sealed interface Edge {
        /// The longer side; the shorter in proportion, made even.
        record Longest(int edge) implements Edge {}

        record Both(int height, int width) implements Edge {}
    }

    /// A picture's tiles.
    ///
    /// @param pixelValues float32 `(1, tiles, 3, tile, tile)`
    /// @param pixelAttentionMask int64 `(1, tiles, tile, tile)`: 1 at every pixel, since tiles are whole
    /// @param rows of tiles, and `columns`; both 0 for a picture of one tile
    public record Tiles(Tensor pixelValues, Tensor pixelAttentionMask, int rows, int columns) {
        /// How many there are, the whole picture among them.
        public int count() {
            return rows * columns + 1;
        }
    }

    /// Reads `preprocessor_config.json`, or what `processor_config.json` says of pictures.
    ///
    /// @throws UserError if neither is there, or it asks for something that is not done here
    public static Idefics3Preprocessor read(Path folder) {
        return of(Preprocessor.settings(folder));
    }

    static Idefics3Preprocessor of(Settings s) {
        if (!Set.of("Idefics3", "SmolVLM").contains(Preprocessor.name(s)))
            throw new UserError(s.where(), "image_processor_type \"" + Preprocessor.type(s) + "\" is not supported here",
                    "supported: those of Idefics3, SmolVLM");
        Preprocessor.refuseOthers(s, KNOWN);
        s.only("data_format", "channels_first");
        s.flag("do_convert_rgb", true);                         // a picture is RGB already
        s.flag("do_pad", true);                                 // all tiles are equally large
        Settings max = s.object("max_image_size");
        Preprocessor.refuseOthers(max, Set.of("longest_edge"));
        int tile = max.size("longest_edge", 364);
        s.product("a tile", tile, tile);
        return new Idefics3Preprocessor(s.flag("do_resize", true) ? Optional.of(edge(s)) : Optional.empty(),
                Preprocessor.resample(s, Filter.LANCZOS), s.flag("do_image_splitting", true), tile, Levels.of(s, HALVES, HALVES));
    }

    private static Edge edge(Settings s) {
        Settings size = s.object("size");
        if (size.has("longest_edge")) {
            Preprocessor.refuseOthers(size, Set.of("longest_edge"));
            return new Edge.Longest(size.size("longest_edge"));
        }
        if (!size.has("height")) {
            Preprocessor.refuseOthers(size, Set.of());
            return new Edge.Longest(4 * 364);
        }
        Preprocessor.refuseOthers(size, Set.of("height", "width"));
        s.product("the size", size.size("height"), size.size("width"));
        return new Edge.Both(size.size("height"), size.size("width"));
    }

    /// The tiles of one picture, in memory that the garbage collector owns.
    public Tiles tiles(Picture picture) {
        Picture sized = size.map(edge -> switch (edge) {
            case Edge.Longest(int longest) -> longest(picture, longest);
            case Edge.Both(int height, int width) -> resize(picture, height, width);
        }).orElse(picture);
        if (!splitting) return tensors(List.of(resize(sized, tile, tile)), 0, 0);
        Picture whole = wholeTiles(sized);
        int rows = whole.height() / tile;
        int columns = whole.width() / tile;
        if (rows == 1 && columns == 1) return tensors(List.of(whole), 0, 0);
        List<Picture> tiles = new ArrayList<>();
        for (int r = 0; r < rows; r++)
            for (int c = 0; c < columns; c++) tiles.add(whole.part(c * tile, r * tile, tile, tile));
        tiles.add(resize(whole, tile, tile));
        return tensors(tiles, rows, columns);
    }

    private Picture longest(Picture picture, int edge) {
        double aspect = (double) picture.width() / picture.height();
        boolean wide = picture.width() >= picture.height();
        int shorter = (int) (wide ? edge / aspect : edge * aspect);
        shorter = Math.max(shorter + shorter % 2, 1);
        int width = wide ? edge : shorter;
        int height = wide ? shorter : edge;
        if (edge > LONGEST) {
            aspect = (double) width / height;
            wide = width >= height;
            shorter = Math.max((int) (wide ? LONGEST / aspect : LONGEST * aspect), 1);
            width = wide ? LONGEST : shorter;
            height = wide ? shorter : LONGEST;
        }
        return resize(picture, height, width);
    }

    private Picture wholeTiles(Picture picture) {
        double aspect = (double) picture.width() / picture.height();
        boolean wide = picture.width() >= picture.height();
        int longer = ceil(wide ? picture.width() : picture.height());
        int shorter = ceil((int) (wide ? longer / aspect : longer * aspect));
        return wide ? resize(picture, shorter, longer) : resize(picture, longer, shorter);
    }

    /// The next multiple of a tile's side.
    private int ceil(int size) {
        return (size + tile - 1) / tile * tile;
    }

    private Picture resize(Picture picture, int height, int width) {
        return new Size.Exactly(height, width).resize(picture, resample);
    }

    private Tiles tensors(List<Picture> tiles, int rows, int columns) {
        long numbers = 3L * tile * tile;
        Tensor values = Tensor.allocate(Arena.ofAuto(), DType.FLOAT32, 1, tiles.size(), 3, tile, tile);
        for (int i = 0; i < tiles.size(); i++)
            levels.write(tiles.get(i), values.data().asSlice(numbers * i * Float.BYTES, numbers * Float.BYTES));
        Tensor mask = Tensor.allocate(Arena.ofAuto(), DType.INT64, 1, tiles.size(), tile, tile);
        for (long i = 0; i < mask.shape().count(); i++) mask.data().setAtIndex(ValueLayout.JAVA_LONG_UNALIGNED, i, 1);
        return new Tiles(values, mask, rows, columns);
    }
}
