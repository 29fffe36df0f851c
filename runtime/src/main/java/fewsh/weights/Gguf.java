package fewsh.weights;

import fewsh.UserError;
import fewsh.tensor.Shape;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Objects;
import java.util.SequencedMap;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Reads GGUF, versions 2 and 3, little-endian: magic, version, counts, key-values, tensor infos, padding, tensor data.
///
/// Source: ggml's docs/gguf.md and gguf.cpp.
final class Gguf {
    /// Far above what files have; keeps the memory that a hostile header can ask for within bounds.
    private static final int MAX_KEYS = 1 << 16;
    private static final int MAX_LISTS = 1 << 16;
    private static final int MAX_DEPTH = 4;
    private static final int MAX_AXES = 4;
    private static final int DEFAULT_ALIGNMENT = 32;

    private static final Pattern SPLIT = Pattern.compile("(.*)-[0-9]{5}-of-([0-9]{5})\\.gguf");

    private static final int BOOL = 7;
    private static final int STRING = 8;
    private static final int ARRAY = 9;

    private final Cursor in;
    private final MemorySegment file;
    private int lists;

    private Gguf(Path path, MemorySegment file) {
        this.in = new Cursor(path, file);
        this.file = file;
    }

    static WeightFile read(Path path, MemorySegment file) {
        return new Gguf(path, file).read(path);
    }

    /// Whether `file` is one of several that hold a model together.
    static boolean isSplit(WeightFile file) {
        return file.metadata().getOrDefault("split.count", 1L) instanceof Long count && count > 1;
    }

    /// All files of a split model, given any of them, by the names that llama.cpp's gguf-split gives: `x-00001-of-00003.gguf`.
    static List<WeightFile> readSplit(WeightFile file, Arena arena) throws IOException {
        Matcher name = SPLIT.matcher(file.path().getFileName().toString());
        Object count = file.metadata().get("split.count");
        if (!name.matches() || !count.equals(Long.parseLong(name.group(2))))
            throw new UserError(file.path().toString(),
                    "one of " + count + " files of a split model, but its name does not say so",
                    "name them as they were, like x-00001-of-00003.gguf");
        List<WeightFile> files = new ArrayList<>();
        for (long i = 0; i < (Long) count; i++) {
            String sibling = "%s-%05d-of-%05d.gguf".formatted(name.group(1), i + 1, count);
            Path path = file.path().resolveSibling(sibling);
            WeightFile part = path.equals(file.path()) ? file : WeightFile.read(path, arena);
            if (!count.equals(part.metadata().get("split.count")) || !Objects.equals(i, part.metadata().get("split.no")))
                throw WeightFile.damaged(part.path(), "not part " + (i + 1) + " of a model split in " + count);
            files.add(part);
        }
        return files;
    }

    /// Where a tensor lies, before its bytes are looked at.
    private record Info(String name, Encoding encoding, Shape shape, long offset, long bytes, long at) {}

    private WeightFile read(Path path) {
        in.skip(4, "the magic");
        long version = in.uint32("the version");
        if ((version & 0xFFFF) == 0 && version != 0)
            throw in.error(4, "a big-endian GGUF file", "convert it: gguf-convert-endian FILE little");
        if (version != 2 && version != 3)
            throw in.error(4, "GGUF version " + version + " is not supported", "supported: 2, 3");
        long tensors = in.count(Weights.MAX_TENSORS, "tensors");
        long keys = in.count(MAX_KEYS, "keys");

        SequencedMap<String, Object> metadata = new LinkedHashMap<>();
        for (long i = 0; i < keys; i++) {
            long at = in.position();
            String key = in.text("a key");
            int type = (int) in.uint32("the type of key \"" + key + '"');
            if (metadata.putIfAbsent(key, value(type, key, 0)) != null)
                throw in.damaged(at, "key \"" + key + "\" occurs twice");
        }

        List<Info> infos = new ArrayList<>();
        Set<String> names = new HashSet<>();
        long alignment = alignment(metadata);
        for (long i = 0; i < tensors; i++) {
            Info info = info(alignment);
            if (!names.add(info.name)) throw in.damaged(info.at, "tensor \"" + info.name + "\" occurs twice");
            infos.add(info);
        }
        return new WeightFile(path, Collections.unmodifiableSequencedMap(metadata), weights(infos, alignment));
    }

    private long alignment(SequencedMap<String, Object> metadata) {
        Object value = metadata.getOrDefault("general.alignment", (long) DEFAULT_ALIGNMENT);
        if (value instanceof Long alignment && alignment > 0 && alignment <= 1 << 30 && Long.bitCount(alignment) == 1)
            return alignment;
        throw in.damaged(in.position(), "general.alignment is " + value + ", which is not a power of two");
    }

    private Info info(long alignment) {
        long at = in.position();
        String name = in.text("a tensor's name");
        String tensor = "tensor \"" + name + '"';
        long axes = in.uint32("the number of axes of " + tensor);
        if (axes > MAX_AXES) throw in.damaged(at, tensor + " has " + axes + " axes, at most " + MAX_AXES);
        long[] sizes = new long[(int) axes];
        for (int axis = sizes.length - 1; axis >= 0; axis--) sizes[axis] = in.int64("the shape of " + tensor);
        long type = in.uint32("the type of " + tensor);
        Encoding encoding = Encoding.ofGgml(type).orElseThrow(() ->
                in.error(at, tensor + " has type " + GgmlTypes.name(type) + ", which is not supported",
                        "supported: " + Encoding.ggmlNames()));
        long offset = in.int64("the offset of " + tensor);
        long bytes = in.bytes(at, tensor, encoding, sizes);
        if (offset < 0 || offset % alignment != 0)
            throw in.damaged(at, tensor + " has offset " + Long.toUnsignedString(offset) + ", not a multiple of " + alignment);
        return new Info(name, encoding, Shape.of(sizes), offset, bytes, at);
    }

    /// The tensors over their bytes, which lie within the file and not over one another.
    private List<Weight> weights(List<Info> infos, long alignment) {
        if (infos.isEmpty()) return List.of();
        long start = (in.position() + alignment - 1) / alignment * alignment;
        long size = file.byteSize() - start;
        List<Weight> weights = new ArrayList<>(infos.size());
        for (Info info : infos) {
            if (info.offset > size - info.bytes)
                throw in.damaged(info.at, "tensor \"" + info.name + "\" ends beyond the file: " + info.bytes + " bytes at offset "
                        + info.offset + ", the tensor data has " + Math.max(0, size));
            weights.add(new Weight(info.name, info.encoding, info.shape, file.asSlice(start + info.offset, info.bytes)));
        }
        List<Info> sorted = infos.stream().filter(i -> i.bytes > 0).sorted(Comparator.comparingLong(Info::offset)).toList();
        for (int i = 1; i < sorted.size(); i++) {
            Info before = sorted.get(i - 1);
            Info info = sorted.get(i);
            if (info.offset < before.offset + before.bytes)
                throw in.damaged(info.at, "tensors \"" + before.name + "\" and \"" + info.name + "\" overlap");
        }
        return List.copyOf(weights);
    }

    private Object value(int type, String key, int depth) {
        return switch (type) {
            case STRING -> in.lenientText("the value of \"" + key + '"');
            case ARRAY -> list(key, depth + 1);
            default -> {
                yield scalar(type, in.taken(width(type, key), "the value of \"" + key + '"'), 0);
            }
        };
    }

    private Object list(String key, int depth) {
        long at = in.position();
        String what = "the list \"" + key + '"';
        int type = (int) in.uint32(what);
        long length = in.int64(what);
        if (depth > MAX_DEPTH) throw in.damaged(at, what + " is nested deeper than " + MAX_DEPTH);
        if (type == STRING) return in.texts(length, what);
        if (type != ARRAY) {
            int width = width(type, key);
            ByteBuffer packed = in.packed(length, width, what);
            return length == 0 ? List.of() : new PackedNumbers(type, width, packed);
        }
        if (length < 0 || length > MAX_LISTS - lists)
            throw in.damaged(at, what + " has " + Long.toUnsignedString(length) + " lists");
        lists += (int) length;
        List<Object> values = new ArrayList<>();
        for (long i = 0; i < length; i++) values.add(list(key, depth + 1));
        return Collections.unmodifiableList(values);
    }

    private int width(int type, String key) {
        return switch (type) {
            case 0, 1, BOOL -> 1;
            case 2, 3 -> 2;
            case 4, 5, 6 -> 4;
            case 10, 11, 12 -> 8;
            default -> throw in.damaged(in.position(), "key \"" + key + "\" has type " + Integer.toUnsignedString(type)
                    + ", which is unknown");
        };
    }

    /// The number or bool of GGUF's value type `type` at `at`.
    static Object scalar(int type, ByteBuffer bytes, int at) {
        return switch (type) {
            case 0 -> (long) bytes.get(at) & 0xFF;
            case 1 -> (long) bytes.get(at);
            case 2 -> (long) bytes.getShort(at) & 0xFFFF;
            case 3 -> (long) bytes.getShort(at);
            case 4 -> bytes.getInt(at) & 0xFFFF_FFFFL;
            case 5 -> (long) bytes.getInt(at);
            case 6 -> (double) bytes.getFloat(at);
            case BOOL -> bytes.get(at) != 0;
            case 10 -> {
                long value = bytes.getLong(at);
                if (value >= 0) yield value;
                yield (value >>> 1 | value & 1) * 2.0;
            }
            case 11 -> bytes.getLong(at);
            case 12 -> bytes.getDouble(at);
            default -> throw new IllegalArgumentException("not a number or bool: " + type);
        };
    }
}
