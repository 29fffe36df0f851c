package fewsh.weights;

import java.nio.ByteBuffer;
import java.util.AbstractList;
import java.util.Objects;
import java.util.RandomAccess;

/// A GGUF list of numbers or bools, kept as the file has it; an element is boxed when it is asked for.
final class PackedNumbers extends AbstractList<Object> implements RandomAccess {
    private final int type;
    private final int width;
    private final ByteBuffer packed;

    /// @param packed on the heap, so that the list outlives the file
    PackedNumbers(int type, int width, ByteBuffer packed) {
        this.type = type;
        this.width = width;
        this.packed = packed;
    }

    @Override
    public Object get(int index) {
        return Gguf.scalar(type, packed, Objects.checkIndex(index, size()) * width);
    }

    @Override
    public int size() {
        return packed.capacity() / width;
    }
}
