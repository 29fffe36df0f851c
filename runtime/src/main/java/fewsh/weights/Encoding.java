package fewsh.weights;

import fewsh.tensor.DType;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;

/// How the numbers of a weight are stored: one after another (the plain encodings), or in ggml's blocks that share scales.
///
/// Source: `enum ggml_type` and the block structures of ggml-common.h; the dtype names of the safetensors format.
public enum Encoding {
    F64(28, "F64", DType.FLOAT64, 8),
    F32(0, "F32", DType.FLOAT32, 4),
    F16(1, "F16", DType.FLOAT16, 2),
    BF16(30, "BF16", DType.BFLOAT16, 2),
    I64(27, "I64", DType.INT64, 8),
    I32(26, "I32", DType.INT32, 4),
    I16(25, "I16", null, 2),
    I8(24, "I8", DType.INT8, 1),
    U8(-1, "U8", DType.UINT8, 1),
    BOOL(-1, "BOOL", DType.BOOL, 1),
    Q4_0(2, 32, 18),
    Q4_1(3, 32, 20),
    Q5_0(6, 32, 22),
    Q5_1(7, 32, 24),
    Q8_0(8, 32, 34),
    Q2_K(10, 256, 84),
    Q3_K(11, 256, 110),
    Q4_K(12, 256, 144),
    Q5_K(13, 256, 176),
    Q6_K(14, 256, 210);

    private final int ggml;
    private final String safetensors;
    private final DType dtype;
    private final int blockElements;
    private final int blockBytes;

    Encoding(int ggml, String safetensors, DType dtype, int bytes) {
        this.ggml = ggml;
        this.safetensors = safetensors;
        this.dtype = dtype;
        this.blockElements = 1;
        this.blockBytes = bytes;
    }

    Encoding(int ggml, int blockElements, int blockBytes) {
        this.ggml = ggml;
        this.safetensors = null;
        this.dtype = null;
        this.blockElements = blockElements;
        this.blockBytes = blockBytes;
    }

    /// The number of this type in a GGUF file; -1 for those that GGUF does not have.
    public int ggml() {
        return ggml;
    }

    /// The name of this type in a safetensors header; empty for ggml's blocks.
    public Optional<String> safetensors() {
        return Optional.ofNullable(safetensors);
    }

    /// The element type of a tensor that holds these bytes as they are; empty for ggml's blocks and for `I16`.
    public Optional<DType> dtype() {
        return Optional.ofNullable(dtype);
    }

    /// Elements that share one block: 1, 32 or 256. The last axis of a weight is a multiple of it.
    public int blockElements() {
        return blockElements;
    }

    /// Bytes of one block.
    public int blockBytes() {
        return blockBytes;
    }

    /// Whether each element is stored by itself.
    public boolean plain() {
        return blockElements == 1;
    }

    /// Whether a block has a minimum beside its scale: `scale * q + minimum`.
    public boolean hasMinimum() {
        return switch (this) {
            case Q4_1, Q5_1, Q2_K, Q4_K, Q5_K -> true;
            case F64, F32, F16, BF16, I64, I32, I16, I8, U8, BOOL, Q4_0, Q5_0, Q8_0, Q3_K, Q6_K -> false;
        };
    }

    /// Bytes of `elements` elements.
    ///
    /// @throws ArithmeticException if that overflows
    /// @throws IllegalArgumentException unless whole blocks
    public long bytes(long elements) {
        if (elements % blockElements != 0)
            throw new IllegalArgumentException(elements + " elements are not whole blocks of " + blockElements);
        return Math.multiplyExact(elements / blockElements, (long) blockBytes);
    }

    static Optional<Encoding> ofGgml(long number) {
        if (number < 0) return Optional.empty();
        return Arrays.stream(values()).filter(e -> e.ggml == number).findFirst();
    }

    static Optional<Encoding> ofSafetensors(String name) {
        return Arrays.stream(values()).filter(e -> name.equals(e.safetensors)).findFirst();
    }

    static Encoding of(DType dtype) {
        return Arrays.stream(values()).filter(e -> e.dtype == dtype).findFirst().orElseThrow();
    }

    /// The types of GGUF files that are read, for messages.
    static String ggmlNames() {
        return Arrays.stream(values()).filter(e -> e.ggml >= 0).map(e -> e + " (" + e.ggml + ")")
                .collect(Collectors.joining(", "));
    }

    /// The types of safetensors files that are read, for messages.
    static String safetensorsNames() {
        return Arrays.stream(values()).filter(e -> e.safetensors != null).map(e -> e.safetensors)
                .collect(Collectors.joining(", "));
    }
}
