package fewsh.generate;

import fewsh.UserError;
import fewsh.models.ImageText;
import fewsh.session.Session;
import fewsh.tensor.DType;
import fewsh.tensor.Shape;
import fewsh.tensor.Tensor;
import fewsh.tokenize.Tokenizer;
import fewsh.vision.Idefics3Preprocessor;
import fewsh.vision.Picture;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/// The pictures that prompts to one model hold.
///
/// In a prompt each row that the vision graph made of a picture is an id of its own, beyond the vocabulary; so a cache tells
/// pictures apart as it tells texts apart, and one that was looked at is not looked at again. Safe to share between threads.
///
/// Source of the text around a picture: `processing_idefics3.py` of Hugging Face's transformers.
final class Pictures {
    private static final String BETWEEN = "<fake_token_around_image>";
    private static final String WHOLE = "<global-img>";
    /// Float32 numbers that are kept before the pictures that are not under way are forgotten: 256 MiB.
    private static final long MOST = 1 << 26;

    /// What became of a picture.
    ///
    /// @param first id of its first row
    /// @param rows of tiles, and `columns`; both 0 for one tile
    record Seen(int first, int rows, int columns) {
        int tiles() {
            return rows * columns + 1;
        }
    }

    private final ImageText page;
    private final Supplier<Session> vision;
    private final Idefics3Preprocessor preprocessor;
    private final List<float[]> held = new ArrayList<>();
    /// By the digest of what a picture shows.
    private final Map<String, Seen> seen = new HashMap<>();

    /// @param vision the session of the page's graph of that name, opened when it is first asked for
    Pictures(ImageText page, Supplier<Session> vision, Idefics3Preprocessor preprocessor) {
        if (preprocessor.tile() != page.tile())
            throw new UserError("", "the preprocessor makes tiles of " + preprocessor.tile() + " pixels, the model reads " + page.tile(),
                    "settings and weights are not of one model: fetch both again");
        this.page = page;
        this.vision = vision;
        this.preprocessor = preprocessor;
    }

    /// The id that stands where rows of pictures are to be.
    int token() {
        return page.imageTokenId();
    }

    int width() {
        return page.width();
    }

    /// Whether an id stands for a row of a picture.
    synchronized boolean holds(int id) {
        return id >= page.vocabSize() && id < page.vocabSize() + held.size();
    }

    /// Copies the row that an id stands for, or zeros, to row `index` of `to`.
    synchronized void copy(int id, MemorySegment to, int index) {
        MemorySegment row = to.asSlice((long) index * width() * Float.BYTES, (long) width() * Float.BYTES);
        if (holds(id)) row.copyFrom(MemorySegment.ofArray(held.get(id - page.vocabSize())));
        else row.fill((byte) 0);
    }

    /// The ids as a model without eyes has them.
    int[] spoken(int[] ids) {
        return Arrays.stream(ids).map(id -> holds(id) ? token() : id).toArray();
    }

    Idefics3Preprocessor.Tiles tiles(Picture picture) {
        return preprocessor.tiles(picture);
    }

    /// Takes the pictures out of the inputs of a forward pass: ids of their rows take the place of the marks in `input_ids`.
    ///
    /// @param outputs gets `image_hidden_states`
    void forward(Map<String, Tensor> inputs, Map<String, Tensor> outputs) {
        Tensor pixels = inputs.remove("pixel_values");
        Tensor mask = inputs.remove("pixel_attention_mask");
        if (pixels == null) return;
        if (mask != null && !Arrays.stream(mask.data().toArray(ValueLayout.JAVA_LONG_UNALIGNED)).allMatch(one -> one == 1))
            throw new UserError("", "pixel_attention_mask must be 1 everywhere", "tiles are whole; leave it out");
        long[] sizes = pixels.shape().sizes();
        boolean fits = sizes.length == 5 && pixels.dtype() == DType.FLOAT32 && sizes[3] == page.tile() && sizes[4] == page.tile();
        if (!fits) throw new UserError("", "\"pixel_values\" are " + pixels.shape() + ", the model reads (batch, tiles, channels, "
                + page.tile() + ", " + page.tile() + ")", "");
        long bytes = pixels.data().byteSize() / (sizes[0] * sizes[1]);
        List<MemorySegment> real = new ArrayList<>();
        for (long tile = 0; tile < sizes[0] * sizes[1]; tile++) {
            MemorySegment one = pixels.data().asSlice(tile * bytes, bytes);
            if (!Arrays.equals(one.toArray(ValueLayout.JAVA_BYTE), new byte[(int) bytes])) real.add(one);
        }
        Tensor tiles = Tensor.allocate(Arena.ofAuto(), DType.FLOAT32, real.size(), sizes[2], sizes[3], sizes[4]);
        for (int i = 0; i < real.size(); i++) tiles.data().asSlice(i * bytes, bytes).copyFrom(real.get(i));
        Tensor rows = look(tiles, real.size());
        outputs.put("image_hidden_states", rows);
        int first = keep(rows);
        Tensor ids = inputs.get("input_ids");
        if (ids == null || ids.dtype() != DType.INT64) return;
        long[] spoken = ids.data().toArray(ValueLayout.JAVA_LONG_UNALIGNED);
        int[] placed = placed(Arrays.stream(spoken).mapToInt(Math::toIntExact).toArray(), first, real.size());
        inputs.put("input_ids", Tensor.ofInt64(Arrays.stream(placed).asLongStream().toArray(), ids.shape().sizes()));
    }

    /// Looks at a picture, if that was not done before.
    synchronized Seen see(Picture picture) {
        String shown = digest(picture);
        Seen known = seen.get(shown);
        if (known != null) return known;
        Idefics3Preprocessor.Tiles tiles = preprocessor.tiles(picture);
        long[] sizes = tiles.pixelValues().shape().sizes();
        int first = keep(look(new Tensor(DType.FLOAT32, Shape.of(Arrays.copyOfRange(sizes, 1, sizes.length)),
                tiles.pixelValues().data()), sizes[1]));
        Seen now = new Seen(first, tiles.rows(), tiles.columns());
        seen.put(shown, now);
        return now;
    }

    private static String digest(Picture picture) {
        try {
            MessageDigest sha = MessageDigest.getInstance("SHA-256");
            sha.update((picture.width() + "x" + picture.height()).getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(sha.digest(picture.rgb()));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /// What the vision graph makes of tiles `(n, channels, height, width)`: `(n · rows, width)`.
    Tensor look(Tensor tiles, long n) {
        Arena arena = Arena.ofAuto();
        Tensor in = new Tensor(DType.FLOAT32, tiles.shape(), arena.allocate(tiles.data().byteSize(), 64).copyFrom(tiles.data()));
        Tensor out = Tensor.allocate(arena, DType.FLOAT32, n * page.rows(), width());
        try (Session.Bound bound = vision.get().bind(Map.of("pixel_values", in), Map.of("image_hidden_states", out))) {
            bound.run();
        }
        return out;
    }

    /// @return the id of the first row
    synchronized int keep(Tensor rows) {
        if ((long) held.size() * width() + rows.shape().count() > MOST)
            throw new UserError("", "more pictures than there is room for were looked at", "load the model again");
        int first = page.vocabSize() + held.size();
        float[] numbers = rows.toFloats();
        for (int from = 0; from < numbers.length; from += width()) held.add(Arrays.copyOfRange(numbers, from, from + width()));
        return first;
    }

    /// A rendered conversation, each mark of a picture replaced by what stands for its tiles.
    ///
    /// @throws UserError if there are not as many marks as pictures
    String expanded(String text, List<Seen> pictures, Tokenizer tokenizer) {
        String mark = tokenizer.piece(token());
        String[] between = text.split(Pattern.quote(mark), -1);
        if (between.length - 1 != pictures.size())
            throw new UserError("", "the conversation has " + (between.length - 1) + " marks " + mark + " for " + pictures.size()
                    + " pictures", "leave " + mark + " out of the text; a picture's own is put in by the chat template");
        StringBuilder all = new StringBuilder(between[0]);
        for (int i = 0; i < pictures.size(); i++) all.append(tiles(pictures.get(i), mark.repeat(page.rows()))).append(between[i + 1]);
        return all.toString();
    }

    private static String tiles(Seen picture, String tile) {
        StringBuilder all = new StringBuilder();
        for (int row = 1; row <= picture.rows(); row++) {
            for (int column = 1; column <= picture.columns(); column++)
                all.append(BETWEEN).append("<row_").append(row).append("_col_").append(column).append('>').append(tile);
            all.append('\n');
        }
        if (picture.rows() > 0) all.append('\n');
        return all.append(BETWEEN).append(WHOLE).append(tile).append(BETWEEN).toString();
    }

    /// Ids of a text that was expanded, with those of the pictures' rows in place of the marks'.
    int[] placed(int[] ids, List<Seen> pictures) {
        return placed(ids, pictures.stream().flatMapToInt(p -> IntStream.range(p.first, p.first + p.tiles() * page.rows())).toArray());
    }

    private int[] placed(int[] ids, int first, int tiles) {
        return placed(ids, IntStream.range(first, first + tiles * page.rows()).toArray());
    }

    private int[] placed(int[] ids, int[] rows) {
        int[] placed = ids.clone();
        int next = 0;
        for (int i = 0; i < placed.length; i++) if (placed[i] == token()) {
            if (next == rows.length) throw new UserError("", "there are more image tokens than rows of pictures", "");
            placed[i] = rows[next++];
        }
        if (next != rows.length)
            throw new UserError("", "there are " + next + " image tokens for " + rows.length + " rows of pictures", "");
        return placed;
    }
}
