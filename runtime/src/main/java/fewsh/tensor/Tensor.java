package fewsh.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Numbers in host memory: row-major, little-endian, no gaps.
///
/// Does not own its memory: whoever allocated or mapped `data` (an [Arena], a weight file) keeps it alive and frees it.
///
/// @param shape all sizes fixed
/// @param data exactly `shape.count() * dtype.bytes()` bytes
public record Tensor(DType dtype, Shape shape, MemorySegment data) {
    public Tensor {
        long expected = Math.multiplyExact(shape.count(), (long) dtype.bytes());
        if (data.byteSize() != expected)
            throw new ShapeException(dtype + shape.toString() + " takes " + expected + " bytes, got " + data.byteSize());
    }

    /// Zeros, in memory that `arena` owns.
    public static Tensor allocate(Arena arena, DType dtype, long... sizes) {
        Shape shape = Shape.of(sizes);
        return new Tensor(dtype, shape, arena.allocate(Math.multiplyExact(shape.count(), (long) dtype.bytes()), 64));
    }

    /// The values, in memory that the garbage collector owns.
    public static Tensor ofFloat32(float[] values, long... sizes) {
        return ofFloat32(Arena.ofAuto(), values, sizes);
    }

    public static Tensor ofFloat32(Arena arena, float[] values, long... sizes) {
        return new Tensor(DType.FLOAT32, Shape.of(sizes), arena.allocateFrom(ValueLayout.JAVA_FLOAT, values));
    }

    /// The values, in memory that the garbage collector owns.
    public static Tensor ofInt64(long[] values, long... sizes) {
        return new Tensor(DType.INT64, Shape.of(sizes), Arena.ofAuto().allocateFrom(ValueLayout.JAVA_LONG, values));
    }

    /// The values, in memory that the garbage collector owns.
    public static Tensor ofInt32(int[] values, long... sizes) {
        return new Tensor(DType.INT32, Shape.of(sizes), Arena.ofAuto().allocateFrom(ValueLayout.JAVA_INT, values));
    }

    /// A copy of the elements of a float32 tensor.
    public float[] toFloats() {
        if (dtype != DType.FLOAT32) throw new ShapeException("expected FLOAT32, this is " + dtype);
        return data.toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
    }
}
