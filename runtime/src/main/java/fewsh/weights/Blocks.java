package fewsh.weights;

import fewsh.UserError;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// A matrix in the layout of ONNX Runtime's `com.microsoft.MatMulNBits`, block size 32.
public record Blocks(int bits, int rows, int columns, boolean exact, MemorySegment quants, MemorySegment scales,
        MemorySegment offsets) {
    /// Elements that share a scale.
    public static final int BLOCK = 32;

    /// Rows of a weight, in an order of the caller's: target row `i` is the weight's row `order[i]`.
    public record Rows(Weight weight, int[] order) {
        public static Rows all(Weight weight) {
            throw new UserError("", "not there yet", "");
        }
    }

    public static boolean holds(Encoding encoding, int bits) {
        throw new UserError("", "not there yet", "");
    }

    public static Blocks of(Weight weight, int bits, Arena arena) {
        throw new UserError("", "not there yet", "");
    }

    public static Blocks of(Weight weight, int bits, int[] rowOrder, Arena arena) {
        throw new UserError("", "not there yet", "");
    }

    /// All parts below one another.
    public static Blocks stack(List<Rows> parts, int bits, Arena arena) {
        throw new UserError("", "not there yet", "");
    }

    public float[] dequantise() {
        throw new UserError("", "not there yet", "");
    }
}
