package fewsh.weights;

import fewsh.UserError;
import fewsh.tensor.DType;
import fewsh.tensor.Shape;
import fewsh.tensor.ShapeException;
import fewsh.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// A tensor of a model file: its name, and its bytes where they lie in the mapped file.
///
/// Does not own its memory: the [Weights] it came from does, and closing those ends every weight of theirs. Reading is
/// thread-safe.
///
/// @param name as the file has it
/// @param shape row-major, outermost axis first, all sizes fixed (the dims of a GGUF file reversed); a row is the last axis
/// @param data exactly the encoded bytes, little-endian, at any alignment
public record Weight(String name, Encoding encoding, Shape shape, MemorySegment data) {
    public Weight {
        long expected = encoding.bytes(shape.count());
        if (data.byteSize() != expected)
            throw new ShapeException(encoding + shape.toString() + " takes " + expected + " bytes, got " + data.byteSize());
        if (shape.rank() > 0 && shape.size(-1) % encoding.blockElements() != 0)
            throw new ShapeException("rows of " + shape + " are not whole blocks of " + encoding.blockElements());
    }

    /// The number of rows: the product of all axes but the last.
    public long rows() {
        long rows = 1;
        for (int axis = 0; axis < shape.rank() - 1; axis++) rows = Math.multiplyExact(rows, shape.size(axis));
        return rows;
    }

    /// The elements of a row: the last axis; 1 for a scalar.
    public long columns() {
        return shape.rank() == 0 ? 1 : shape.size(-1);
    }

    /// All elements as float32, in row-major order.
    ///
    /// Block encodings give the values of ggml's own dequantisation, to the bit; integers and float64 are rounded to the
    /// nearest; a bool is 0 or 1.
    ///
    /// @throws UserError if they are more than an array holds
    public float[] floats() {
        long count = shape.count();
        if (count > Integer.MAX_VALUE - 8)
            throw new UserError("", "tensor \"" + name + "\" has " + count + " elements, more than fit in one array", "");
        float[] floats = new float[(int) count];
        Dequantise.into(encoding, data, MemorySegment.ofArray(floats));
        return floats;
    }

    /// The elements of `rows` rows from `fromRow` on as float32, as [#floats()] gives them.
    ///
    /// @param out as many float32 as there are elements, at any alignment
    /// @throws IndexOutOfBoundsException if there are no such rows
    /// @throws ShapeException if `out` has another size
    public void floats(long fromRow, long rows, MemorySegment out) {
        long all = rows();
        if (fromRow < 0 || rows < 0 || fromRow > all - rows)
            throw new IndexOutOfBoundsException("rows " + fromRow + " to " + (fromRow + rows) + " of " + all + " in " + name);
        long elements = rows * columns();
        if (out.byteSize() != elements * Float.BYTES)
            throw new ShapeException(elements + " float32 take " + elements * Float.BYTES + " bytes, got " + out.byteSize());
        long rowBytes = encoding.bytes(columns());
        Dequantise.into(encoding, data.asSlice(fromRow * rowBytes, rows * rowBytes), out);
    }

    /// The same bytes as a tensor, without a copy.
    ///
    /// @throws UserError for an encoding that no tensor has: ggml's blocks, and `I16`
    public Tensor tensor() {
        DType dtype = encoding.dtype().orElseThrow(() ->
                new UserError("", "tensor \"" + name + "\" is stored as " + encoding + ", a plain type is needed here",
                        "plain types: F64, F32, F16, BF16, I64, I32, I8, U8, BOOL"));
        return new Tensor(dtype, shape, data);
    }

    /// A float32 copy of a matrix with its axes exchanged, in memory that `arena` owns: GPT-2's published matrices are
    /// `[in, out]`, where everything else is `[out, in]`.
    ///
    /// @throws ShapeException unless it is a matrix
    public Weight transposed(Arena arena) {
        if (shape.rank() != 2) throw new ShapeException("only a matrix can be transposed, " + name + " is " + shape);
        int rows = Math.toIntExact(rows());
        int columns = Math.toIntExact(columns());
        MemorySegment out = arena.allocate(shape.count() * Float.BYTES, 64);
        float[] row = new float[columns];
        for (int i = 0; i < rows; i++) {
            floats(i, 1, MemorySegment.ofArray(row));
            for (int j = 0; j < columns; j++) out.setAtIndex(ValueLayout.JAVA_FLOAT, (long) j * rows + i, row[j]);
        }
        return new Weight(name, Encoding.F32, Shape.of(columns, rows), out);
    }
}
