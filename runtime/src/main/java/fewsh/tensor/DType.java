package fewsh.tensor;

/// The element types that cross package borders, with ONNX's number and the bytes of one element.
/// Source: `TensorProto.DataType` of onnx.proto3.
public enum DType {
    FLOAT32(1, 4),
    UINT8(2, 1),
    INT8(3, 1),
    INT32(6, 4),
    INT64(7, 8),
    BOOL(9, 1),
    FLOAT16(10, 2),
    FLOAT64(11, 8),
    BFLOAT16(16, 2);

    private final int onnx;
    private final int bytes;

    DType(int onnx, int bytes) {
        this.onnx = onnx;
        this.bytes = bytes;
    }

    /// The number of this type in an ONNX file.
    public int onnx() {
        return onnx;
    }

    /// Bytes of one element.
    public int bytes() {
        return bytes;
    }

    /// @throws IllegalArgumentException for a number that is none of these
    public static DType ofOnnx(int number) {
        for (DType type : values()) if (type.onnx == number) return type;
        throw new IllegalArgumentException("ONNX element type " + number + " is not supported");
    }
}
