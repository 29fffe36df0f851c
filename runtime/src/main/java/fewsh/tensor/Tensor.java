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

    /// The same numbers as another type, in memory of `arena`; whole numbers are cut, not rounded, to a truth value: 0 or not.
    public Tensor to(Arena arena, DType type) {
        Tensor to = allocate(arena, type, shape.sizes());
        if (type == dtype) to.data.copyFrom(data);
        else for (long i = 0; i < shape.count(); i++) to.set(i, at(i));
        return to;
    }

    /// The numbers from the `first` on, as many as there is room for.
    public void floats(long first, float[] to) {
        if (dtype == DType.FLOAT32) MemorySegment.copy(data, ValueLayout.JAVA_FLOAT_UNALIGNED, 4 * first, to, 0, to.length);
        else if (dtype == DType.FLOAT16)
            for (int i = 0; i < to.length; i++)
                to[i] = Float.float16ToFloat(data.get(ValueLayout.JAVA_SHORT_UNALIGNED, 2 * (first + i)));
        else for (int i = 0; i < to.length; i++) to[i] = (float) at(first + i);
    }

    private double at(long i) {
        return switch (dtype) {
            case FLOAT32 -> data.get(ValueLayout.JAVA_FLOAT_UNALIGNED, 4 * i);
            case FLOAT64 -> data.get(ValueLayout.JAVA_DOUBLE_UNALIGNED, 8 * i);
            case FLOAT16 -> Float.float16ToFloat(data.get(ValueLayout.JAVA_SHORT_UNALIGNED, 2 * i));
            case BFLOAT16 -> Float.intBitsToFloat(data.get(ValueLayout.JAVA_SHORT_UNALIGNED, 2 * i) << 16);
            case INT64 -> data.get(ValueLayout.JAVA_LONG_UNALIGNED, 8 * i);
            case INT32 -> data.get(ValueLayout.JAVA_INT_UNALIGNED, 4 * i);
            case INT8, BOOL -> data.get(ValueLayout.JAVA_BYTE, i);
            case UINT8 -> data.get(ValueLayout.JAVA_BYTE, i) & 0xFF;
        };
    }

    private void set(long i, double number) {
        switch (dtype) {
            case FLOAT32 -> data.set(ValueLayout.JAVA_FLOAT_UNALIGNED, 4 * i, (float) number);
            case FLOAT64 -> data.set(ValueLayout.JAVA_DOUBLE_UNALIGNED, 8 * i, number);
            case FLOAT16 -> data.set(ValueLayout.JAVA_SHORT_UNALIGNED, 2 * i, Float.floatToFloat16((float) number));
            case BFLOAT16 -> data.set(ValueLayout.JAVA_SHORT_UNALIGNED, 2 * i, rounded((float) number));
            case INT64 -> data.set(ValueLayout.JAVA_LONG_UNALIGNED, 8 * i, (long) number);
            case INT32 -> data.set(ValueLayout.JAVA_INT_UNALIGNED, 4 * i, (int) number);
            case INT8, UINT8 -> data.set(ValueLayout.JAVA_BYTE, i, (byte) (int) number);
            case BOOL -> data.set(ValueLayout.JAVA_BYTE, i, (byte) (number == 0 ? 0 : 1));
        }
    }

    /// The upper half of a float32, rounded to the nearest, to even on a tie.
    private static short rounded(float number) {
        int bits = Float.floatToIntBits(number);
        return (short) (bits + 0x7FFF + (bits >> 16 & 1) >> 16);
    }
}
