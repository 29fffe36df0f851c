package fewsh.weights;

import fewsh.UserError;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/// A position in an untrusted file that never leaves it: what is not there is a [UserError] that names the byte.
final class Cursor {
    /// Header bytes that are read at all: ten times what the largest vocabularies take.
    private static final long MAX_HEADER = 1 << 28;

    private final Path path;
    private final MemorySegment file;
    private final long limit;
    /// The header; a buffer, because its getters are twice as fast as a segment's until they are compiled.
    private final ByteBuffer header;
    private long position;

    Cursor(Path path, MemorySegment file) {
        this.path = path;
        this.file = file;
        this.limit = Math.min(file.byteSize(), MAX_HEADER);
        this.header = file.asSlice(0, limit).asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    }

    long position() {
        return position;
    }

    UserError error(long at, String what, String fix) {
        return new UserError(path.toString(), "byte " + at + ": " + what, fix);
    }

    UserError damaged(long at, String what) {
        return error(at, what, WeightFile.DAMAGED);
    }

    /// Passes over `bytes` bytes.
    void skip(long bytes, String what) {
        if (bytes < 0 || bytes > limit - position) {
            String left = file.byteSize() > limit && bytes >= 0 && bytes <= file.byteSize() - position
                    ? "goes beyond the " + MAX_HEADER + " bytes that a header may have"
                    : "takes " + Long.toUnsignedString(bytes) + " bytes, " + (file.byteSize() - position) + " are left";
            throw damaged(position, what + ' ' + left);
        }
        position += bytes;
    }

    /// Passes over `bytes` bytes, and reads them.
    ByteBuffer taken(int bytes, String what) {
        skip(bytes, what);
        return header.slice((int) position - bytes, bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    long uint32(String what) {
        skip(4, what);
        return header.getInt((int) position - 4) & 0xFFFF_FFFFL;
    }

    long int64(String what) {
        skip(8, what);
        return header.getLong((int) position - 8);
    }

    /// A number of things, at most `most`.
    long count(long most, String what) {
        long count = int64("the number of " + what);
        if (count < 0 || count > most)
            throw damaged(position - 8, Long.toUnsignedString(count) + ' ' + what + ", at most " + most + " are read");
        return count;
    }

    /// A length and as many bytes of UTF-8.
    String text(String what) {
        long at = position;
        byte[] bytes = textBytes(what);
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException e) {
            throw damaged(at, what + " is not UTF-8");
        }
    }

    /// As `text`, with U+FFFD for what is not UTF-8.
    String lenientText(String what) {
        return new String(textBytes(what), StandardCharsets.UTF_8);
    }

    private byte[] textBytes(String what) {
        long length = int64(what);
        skip(length, what);
        return copy(position - length, length);
    }

    private byte[] copy(long from, long length) {
        byte[] bytes = new byte[(int) length];
        header.get((int) from, bytes);
        return bytes;
    }

    /// A heap copy of `length` values of `width` bytes.
    ByteBuffer packed(long length, int width, String what) {
        if (length < 0 || length > (limit - position) / width)
            throw damaged(position, what + " has " + Long.toUnsignedString(length) + " values, " + (file.byteSize() - position)
                    + " bytes are left");
        skip(length * width, what);
        return ByteBuffer.wrap(copy(position - length * width, length * width)).order(ByteOrder.LITTLE_ENDIAN);
    }

    /// A list of `length` strings.
    List<String> texts(long length, String what) {
        if (length < 0 || length > (limit - position) / PackedTexts.PREFIX)
            throw damaged(position, what + " has " + Long.toUnsignedString(length) + " strings, " + (file.byteSize() - position)
                    + " bytes are left");
        long start = position;
        int[] ends = new int[(int) length];
        for (int i = 0; i < ends.length; i++) {
            skip(int64(what), what);
            ends[i] = (int) (position - start);
        }
        return new PackedTexts(copy(start, position - start), ends);
    }

    /// The bytes that a tensor of this encoding and shape takes.
    long bytes(long at, String tensor, Encoding encoding, long[] sizes) {
        long elements = 1;
        try {
            long volume = 1;
            for (long size : sizes) {
                if (size < 0) throw new ArithmeticException();
                elements = Math.multiplyExact(elements, size);
                volume = Math.multiplyExact(volume, Math.max(1, size));
            }
            long columns = sizes.length == 0 ? 1 : sizes[sizes.length - 1];
            if (columns % encoding.blockElements() != 0)
                throw damaged(at, tensor + " has rows of " + columns + ", " + encoding + " needs a multiple of "
                        + encoding.blockElements());
            return encoding.bytes(elements);
        } catch (ArithmeticException e) {
            String shape = Arrays.stream(sizes).mapToObj(Long::toUnsignedString).toList().toString();
            throw damaged(at, tensor + " has shape " + shape + ", which is larger than any file");
        }
    }
}
