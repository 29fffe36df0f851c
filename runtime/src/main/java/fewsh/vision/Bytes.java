package fewsh.vision;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/// A file's bytes, read from the front. What goes past the end throws [BufferUnderflowException]: the file is cut short.
final class Bytes {
    private final ByteBuffer buffer;

    Bytes(byte[] bytes, ByteOrder order) {
        this(ByteBuffer.wrap(bytes), order);
    }

    private Bytes(ByteBuffer buffer, ByteOrder order) {
        this.buffer = buffer.order(order);
    }

    int u8() {
        return buffer.get() & 0xFF;
    }

    int u16() {
        return buffer.getShort() & 0xFFFF;
    }

    int u24() {
        return u8() | u8() << 8 | u8() << 16;
    }

    /// A length or place; one of 2³¹ or more goes past any end.
    int u32() {
        int value = buffer.getInt();
        if (value < 0) throw new BufferUnderflowException();
        return value;
    }

    int i32() {
        return buffer.getInt();
    }

    String latin1(int length) {
        return new String(take(length), StandardCharsets.ISO_8859_1);
    }

    byte[] take(int length) {
        if (length > left()) throw new BufferUnderflowException();
        byte[] taken = new byte[length];
        buffer.get(taken);
        return taken;
    }

    /// The next `length` bytes on their own.
    Bytes part(int length, ByteOrder order) {
        skip(length);
        return new Bytes(buffer.slice(buffer.position() - length, length), order);
    }

    void skip(int length) {
        if (length > left()) throw new BufferUnderflowException();
        buffer.position(buffer.position() + length);
    }

    void at(int place) {
        if (place > buffer.limit()) throw new BufferUnderflowException();
        buffer.position(place);
    }

    int place() {
        return buffer.position();
    }

    int left() {
        return buffer.remaining();
    }

    byte[] array() {
        return buffer.array();
    }
}
