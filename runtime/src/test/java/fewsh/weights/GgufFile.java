package fewsh.weights;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A GGUF file in the making: keys and tensors of every encoding, for the fixtures of tests.
/// ```java
/// new GgufFile().put("general.architecture", "llama").put("llama.block_count", 2)
///         .tensor("token_embd.weight", Encoding.Q8_0, values, 64, 32)
///         .write(folder.resolve("tiny.gguf"));
/// ```
public final class GgufFile {
    /// The offset of a tensor that goes behind the others.
    public static final long NEXT = -1;

    /// A tensor as it will be written; a test may put in what no honest file has.
    ///
    /// @param type ggml's number
    /// @param dims GGUF's order, innermost first
    /// @param offset from the start of the tensor data; `NEXT` for the next free place
    public record Entry(String name, long type, long[] dims, long offset, byte[] data) {}

    private final Map<String, Object> keys = new LinkedHashMap<>();
    private final List<Entry> tensors = new ArrayList<>();
    private int version = 3;
    private int alignment = 32;

    public GgufFile version(int version) {
        this.version = version;
        return this;
    }

    public GgufFile alignment(int alignment) {
        this.alignment = alignment;
        return put("general.alignment", alignment);
    }

    /// @param value Byte, Short, Integer and Long become int8 to int64, Integer and Long without a sign when not negative;
    ///              Float, Double, Boolean, String, and lists of one of these or of lists
    public GgufFile put(String key, Object value) {
        keys.put(key, value);
        return this;
    }

    /// @param values row-major
    /// @param shape outermost axis first
    public GgufFile tensor(String name, Encoding encoding, float[] values, long... shape) {
        return tensor(name, encoding, Encode.floats(encoding, values), shape);
    }

    /// @param data the encoded bytes
    /// @param shape outermost axis first
    public GgufFile tensor(String name, Encoding encoding, byte[] data, long... shape) {
        long[] dims = new long[shape.length];
        for (int i = 0; i < dims.length; i++) dims[i] = shape[shape.length - 1 - i];
        return entry(new Entry(name, encoding.ggml(), dims, NEXT, data));
    }

    public GgufFile entry(Entry entry) {
        tensors.add(entry);
        return this;
    }

    public Path write(Path path) {
        try {
            return Files.write(path, bytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public byte[] bytes() {
        Out out = new Out();
        out.bytes("GGUF".getBytes(StandardCharsets.US_ASCII));
        out.int32(version);
        out.int64(tensors.size());
        out.int64(keys.size());
        keys.forEach((key, value) -> {
            out.text(key);
            out.int32(type(value));
            out.value(value);
        });
        Out data = new Out();
        for (Entry tensor : tensors) {
            data.pad(alignment);
            out.text(tensor.name);
            out.int32(tensor.dims.length);
            for (long dim : tensor.dims) out.int64(dim);
            out.int32((int) tensor.type);
            out.int64(tensor.offset == NEXT ? data.size() : tensor.offset);
            data.bytes(tensor.data);
        }
        if (!tensors.isEmpty()) out.pad(alignment);
        out.bytes(data.toByteArray());
        return out.toByteArray();
    }

    private static int type(Object value) {
        return switch (value) {
            case Byte _ -> 1;
            case Short _ -> 3;
            case Integer number -> number < 0 ? 5 : 4;
            case Float _ -> 6;
            case Boolean _ -> 7;
            case String _ -> 8;
            case List<?> _ -> 9;
            case Long number -> number < 0 ? 11 : 10;
            case Double _ -> 12;
            default -> throw new IllegalArgumentException("no GGUF type for " + value);
        };
    }

    private static final class Out extends ByteArrayOutputStream {
        void bytes(byte[] bytes) {
            writeBytes(bytes);
        }

        void int32(int value) {
            bytes(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array());
        }

        void int64(long value) {
            bytes(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array());
        }

        void text(String text) {
            byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
            int64(utf8.length);
            bytes(utf8);
        }

        void pad(int alignment) {
            while (size() % alignment != 0) write(0);
        }

        void value(Object value) {
            switch (value) {
                case Byte number -> write(number);
                case Short number -> bytes(new byte[] {(byte) (int) number, (byte) (number >> 8)});
                case Integer number -> int32(number);
                case Long number -> int64(number);
                case Float number -> int32(Float.floatToIntBits(number));
                case Double number -> int64(Double.doubleToLongBits(number));
                case Boolean bool -> write(bool ? 1 : 0);
                case String text -> text(text);
                case List<?> list -> {
                    int32(list.isEmpty() ? 4 : type(list.getFirst()));
                    int64(list.size());
                    list.forEach(this::value);
                }
                default -> throw new IllegalArgumentException("no GGUF type for " + value);
            }
        }
    }
}
