package fewsh.weights;

import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.JsonWriter;
import fewsh.UserError;
import fewsh.tensor.DType;
import fewsh.tensor.Shape;
import fewsh.tensor.Tensor;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.StringWriter;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import java.util.UUID;

/// The safetensors format: the length of a header, the header in JSON, the bytes of the tensors without gaps.
///
/// As strict as the reference implementation: the tensors cover the data exactly, a header takes at most 100 MB.
/// Source: safetensors/src/tensor.rs of huggingface/safetensors.
public final class Safetensors {
    private static final String METADATA = "__metadata__";
    private static final int PREFIX = 8;
    private static final ValueLayout.OfLong LENGTH = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final long MAX_HEADER = 100_000_000;
    private static final int MAX_AXES = 32;
    private static final int MAX_KEYS = 1 << 16;
    private static final long WRITE_PIECE = 1 << 30;

    private Safetensors() {}

    /// Writes `tensors` to a temporary file beside `path`, then moves it there: a reader sees the old file or the new one,
    /// whole.
    ///
    /// As in the reference implementation, wider types come first so that every tensor is aligned; among one type the order
    /// of `tensors` is kept.
    ///
    /// @param metadata the strings of `__metadata__`; none writes none
    /// @throws UserError if the file cannot be written
    public static void write(Path path, SequencedMap<String, Tensor> tensors, Map<String, String> metadata) {
        if (tensors.containsKey(METADATA))
            throw new UserError(path.toString(), "a tensor cannot be called \"" + METADATA + '"', "rename it");
        List<Map.Entry<String, Tensor>> ordered = new ArrayList<>(tensors.entrySet());
        ordered.sort(Comparator.comparingInt(entry -> rank(entry.getValue().dtype())));
        Path target = path.toAbsolutePath();
        Path temporary = target.resolveSibling(target.getFileName() + "." + UUID.randomUUID() + ".tmp");
        try {
            try (FileChannel channel = FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                writeFully(channel, MemorySegment.ofArray(header(ordered, metadata)));
                for (Map.Entry<String, Tensor> entry : ordered) writeFully(channel, entry.getValue().data());
                channel.force(true);
            }
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (NoSuchFileException e) {
            throw new UserError(path.toString(), "no such folder \"" + target.getParent() + '"', "create it", e);
        } catch (IOException e) {
            throw new UserError(path.toString(), "cannot be written: " + e, "check the folder's permissions and free space", e);
        } finally {
            deleteLeftover(temporary);
        }
    }

    /// Removes the temporary file that a failed write leaves; after a good one it is gone already.
    private static void deleteLeftover(Path temporary) {
        try {
            Files.deleteIfExists(temporary);
        } catch (IOException e) {
            throw new UserError(temporary.toString(), "cannot be deleted: " + e, "delete it by hand", e);
        }
    }

    /// Where a type stands in a file: the reverse of the reference implementation's `Dtype`.
    private static int rank(DType dtype) {
        return switch (dtype) {
            case INT64 -> 0;
            case FLOAT64 -> 1;
            case FLOAT32 -> 2;
            case INT32 -> 3;
            case BFLOAT16 -> 4;
            case FLOAT16 -> 5;
            case INT8 -> 6;
            case UINT8 -> 7;
            case BOOL -> 8;
        };
    }

    private static byte[] header(List<Map.Entry<String, Tensor>> tensors, Map<String, String> metadata) throws IOException {
        StringWriter text = new StringWriter();
        try (JsonWriter json = new JsonWriter(text)) {
            json.beginObject();
            if (!metadata.isEmpty()) {
                json.name(METADATA).beginObject();
                for (Map.Entry<String, String> entry : metadata.entrySet()) json.name(entry.getKey()).value(entry.getValue());
                json.endObject();
            }
            long offset = 0;
            for (Map.Entry<String, Tensor> entry : tensors) {
                Tensor tensor = entry.getValue();
                json.name(entry.getKey()).beginObject();
                json.name("dtype").value(Encoding.of(tensor.dtype()).safetensors().orElseThrow());
                json.name("shape").beginArray();
                for (long size : tensor.shape().sizes()) json.value(size);
                json.endArray();
                json.name("data_offsets").beginArray().value(offset);
                offset = Math.addExact(offset, tensor.data().byteSize());
                json.value(offset).endArray().endObject();
            }
            json.endObject();
        }
        byte[] utf8 = text.toString().getBytes(StandardCharsets.UTF_8);
        int length = (utf8.length + PREFIX - 1) / PREFIX * PREFIX;
        ByteBuffer header = ByteBuffer.allocate(PREFIX + length).order(ByteOrder.LITTLE_ENDIAN).putLong(length).put(utf8);
        while (header.hasRemaining()) header.put((byte) ' ');
        return header.array();
    }

    private static void writeFully(FileChannel channel, MemorySegment data) throws IOException {
        for (long at = 0; at < data.byteSize(); at += WRITE_PIECE) {
            ByteBuffer piece = data.asSlice(at, Math.min(WRITE_PIECE, data.byteSize() - at)).asByteBuffer();
            while (piece.hasRemaining()) channel.write(piece);
        }
    }

    /// What the header says of one tensor; offsets count from the end of the header.
    private record Info(String name, String dtype, List<Long> shape, long begin, long end) {}

    static WeightFile read(Path path, MemorySegment file) {
        if (file.byteSize() <= PREFIX || file.get(ValueLayout.JAVA_BYTE, PREFIX) != '{')
            throw WeightFile.damaged(path, "not a safetensors file: " + WeightFile.looksLike(file));
        long length = file.get(LENGTH, 0);
        if (length < 2 || length > Math.min(MAX_HEADER, file.byteSize() - PREFIX))
            throw WeightFile.damaged(path, "byte 0: a header of " + Long.toUnsignedString(length) + " bytes, "
                    + (file.byteSize() - PREFIX) + " are left");
        byte[] header = file.asSlice(PREFIX, length).toArray(ValueLayout.JAVA_BYTE);
        SequencedMap<String, Object> metadata = new LinkedHashMap<>();
        List<Info> infos = new ArrayList<>();
        readJson(path, header, json -> readHeader(path, json, metadata, infos));
        MemorySegment data = file.asSlice(PREFIX + length);
        checkCover(path, infos, data.byteSize());
        List<Weight> weights = infos.stream().map(info -> weight(path, info, data)).toList();
        return new WeightFile(path, Collections.unmodifiableSequencedMap(metadata), weights);
    }

    /// A walk over JSON.
    interface Walk {
        void over(JsonReader json) throws IOException;
    }

    /// Walks over the one JSON value that `utf8` holds; whatever is wrong with it is a [UserError].
    static void readJson(Path path, byte[] utf8, Walk walk) {
        Reader text = new InputStreamReader(new ByteArrayInputStream(utf8), StandardCharsets.UTF_8.newDecoder());
        try (JsonReader json = new JsonReader(text)) {
            json.setStrictness(Strictness.STRICT);
            walk.over(json);
            if (json.peek() != JsonToken.END_DOCUMENT) throw new IOException("more after the end at " + json.getPath());
        } catch (IOException | IllegalStateException | NumberFormatException e) {
            String reason = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
            throw new UserError(path.toString(), "its JSON cannot be read: " + reason, WeightFile.DAMAGED, e);
        }
    }

    private static void readHeader(Path path, JsonReader json, Map<String, Object> metadata, List<Info> infos)
            throws IOException {
        Set<String> names = new HashSet<>();
        json.beginObject();
        while (json.hasNext()) {
            String name = json.nextName();
            if (!names.add(name))
                throw WeightFile.damaged(path, "tensor \"" + name + "\" occurs twice");
            if (names.size() > Weights.MAX_TENSORS)
                throw WeightFile.damaged(path, "more than " + Weights.MAX_TENSORS + " tensors");
            if (!name.equals(METADATA)) {
                infos.add(readInfo(name, json));
                continue;
            }
            json.beginObject();
            while (json.hasNext() && metadata.size() < MAX_KEYS) metadata.put(json.nextName(), string(json));
            json.endObject();
        }
        json.endObject();
    }

    private static Info readInfo(String name, JsonReader json) throws IOException {
        String dtype = null;
        List<Long> shape = null;
        List<Long> offsets = null;
        json.beginObject();
        while (json.hasNext()) {
            switch (json.nextName()) {
                case "dtype" -> dtype = string(json);
                case "shape" -> shape = wholeNumbers(json, MAX_AXES);
                case "data_offsets" -> offsets = wholeNumbers(json, 2);
                default -> json.skipValue();
            }
        }
        json.endObject();
        if (dtype == null || shape == null || offsets == null || offsets.size() != 2)
            throw new IOException("tensor \"" + name + "\" needs dtype, shape and two data_offsets");
        return new Info(name, dtype, shape, offsets.get(0), offsets.get(1));
    }

    static String string(JsonReader json) throws IOException {
        if (json.peek() != JsonToken.STRING) throw new IOException("a string was expected at " + json.getPath());
        return json.nextString();
    }

    private static List<Long> wholeNumbers(JsonReader json, int most) throws IOException {
        List<Long> numbers = new ArrayList<>();
        json.beginArray();
        while (json.hasNext()) {
            String text = json.peek() == JsonToken.NUMBER ? json.nextString() : "";
            if (text.isEmpty() || text.length() > 19 || !text.chars().allMatch(c -> c >= '0' && c <= '9'))
                throw new IOException("a whole number was expected at " + json.getPath());
            if (numbers.size() == most) throw new IOException("more than " + most + " numbers at " + json.getPath());
            numbers.add(Long.parseLong(text));
        }
        json.endArray();
        return numbers;
    }

    /// The tensors lie one behind another and fill the data.
    private static void checkCover(Path path, List<Info> infos, long size) {
        List<Info> sorted = infos.stream().sorted(Comparator.comparingLong(Info::begin).thenComparingLong(Info::end)).toList();
        long end = 0;
        for (Info info : sorted) {
            if (info.begin != end || info.end < info.begin || info.end > size)
                throw WeightFile.damaged(path, "tensor \"" + info.name + "\" has data_offsets [" + info.begin + ", "
                        + info.end + "], which should begin at " + end + " and end within the " + size + " bytes of data");
            end = info.end;
        }
        if (end != size)
            throw WeightFile.damaged(path, "the tensors take " + end + " bytes, the file has " + size);
    }

    private static Weight weight(Path path, Info info, MemorySegment data) {
        String tensor = "tensor \"" + info.name + '"';
        Encoding encoding = Encoding.ofSafetensors(info.dtype).orElseThrow(() -> new UserError(path.toString(),
                tensor + " has dtype \"" + info.dtype + "\", which is not supported",
                "supported: " + Encoding.safetensorsNames()));
        long[] sizes = info.shape.stream().mapToLong(Long::longValue).toArray();
        long bytes = new Cursor(path, data).bytes(PREFIX, tensor, encoding, sizes);
        if (bytes != info.end - info.begin)
            throw WeightFile.damaged(path, tensor + " is " + info.dtype + " " + info.shape + ", which takes " + bytes
                    + " bytes, but its data_offsets are [" + info.begin + ", " + info.end + "]");
        return new Weight(info.name, encoding, Shape.of(sizes), data.asSlice(info.begin, bytes));
    }
}
