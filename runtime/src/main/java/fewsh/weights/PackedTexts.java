package fewsh.weights;

import java.nio.charset.StandardCharsets;
import java.util.AbstractList;
import java.util.RandomAccess;

/// A GGUF list of strings: the file's bytes, and where each string ends; a string is decoded when it is asked for.
final class PackedTexts extends AbstractList<String> implements RandomAccess {
    /// Bytes before each string, which hold its length.
    static final int PREFIX = 8;

    private final byte[] bytes;
    private final int[] ends;

    PackedTexts(byte[] bytes, int[] ends) {
        this.bytes = bytes;
        this.ends = ends;
    }

    @Override
    public String get(int index) {
        int start = (index == 0 ? 0 : ends[index - 1]) + PREFIX;
        return new String(bytes, start, ends[index] - start, StandardCharsets.UTF_8);
    }

    @Override
    public int size() {
        return ends.length;
    }
}
