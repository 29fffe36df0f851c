package fewsh.weights;

import fewsh.UserError;
import fewsh.tensor.ShapeException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.stream.IntStream;

/// A matrix in the layout of ONNX Runtime's `com.microsoft.MatMulNBits` with block size 32.
///
/// An element is `scale * (q - 2^(bits - 1)) + offset`, without offsets simply `scale * (q - 2^(bits - 1))`: the graph adds
/// `blockSums(x) * offsetsᵀ` to what the operator gives. The levels are centred, since the operator rounds x to 8 bits and the
/// error of that grows with them. The last block of a row is padded with elements that stand for zero.
///
/// Does not own its memory: the arena it was made in does.
///
/// @param bits 4 or 8
/// @param rows N, the output features
/// @param columns K, the input features
/// @param exact whether every element is that of the weight it was made from, but for the rounding of an offset's sum in float32
/// @param quants uint8 `[rows, ceil(columns / 32), 4 * bits]`; of 4 bits, element 2i in the low half of byte i, 2i + 1 in the
///               high half
/// @param scales float32 `[rows, ceil(columns / 32)]`
/// @param offsets float32 `[rows, ceil(columns / 32)]`, or null where all are zero
public record Blocks(int bits, int rows, int columns, boolean exact, MemorySegment quants, MemorySegment scales,
        MemorySegment offsets) {
    /// Elements that share a scale.
    public static final int BLOCK = 32;

    /// Elements packed by one task: enough to be worth a task, few enough for the second-level cache.
    private static final int PIECE = 32_768;

    /// Rows of a weight, in an order of the caller's: target row `i` is the weight's row `order[i]`.
    public record Rows(Weight weight, int[] order) {
        public Rows {
            for (int row : order)
                if (row < 0 || row >= weight.rows())
                    throw new ShapeException("no row " + row + " in " + weight.name() + " " + weight.shape());
        }

        /// All rows of `weight` as they are.
        ///
        /// @throws UserError if there are none, or more than 2^30 - 1
        public static Rows all(Weight weight) {
            return new Rows(weight, IntStream.range(0, size(weight.rows(), weight)).toArray());
        }
    }

    /// Whether this layout holds the very numbers of `encoding`, without rounding again.
    ///
    /// ggml's blocks of 16 (in Q2_K, Q3_K and Q6_K) do not fit blocks of 32.
    public static boolean holds(Encoding encoding, int bits) {
        return switch (encoding) {
            case Q4_0, Q4_1, Q4_K -> bits == 4 || bits == 8;
            case Q5_0, Q5_1, Q5_K, Q8_0 -> bits == 8;
            case F64, F32, F16, BF16, I64, I32, I16, I8, U8, BOOL, Q2_K, Q3_K, Q6_K -> false;
        };
    }

    /// The matrix `weight`, in memory that `arena` owns. The axes before the last count as rows.
    ///
    /// What the layout does not hold is rounded: 8 bits to the nearest with the block's largest magnitude at 127; 4 bits to all
    /// 16 levels, with the scale of the least squared error among seven.
    ///
    /// @param bits 4 or 8
    /// @throws UserError if it is empty, or has more than 2^30 - 1 rows or columns
    public static Blocks of(Weight weight, int bits, Arena arena) {
        return stack(List.of(Rows.all(weight)), bits, arena);
    }

    /// As above, with the weight's row `rowOrder[i]` as row `i`.
    public static Blocks of(Weight weight, int bits, int[] rowOrder, Arena arena) {
        return stack(List.of(new Rows(weight, rowOrder)), bits, arena);
    }

    /// All parts below one another. They may differ in encoding; if one needs offsets, all get them.
    ///
    /// @throws ShapeException if they differ in columns
    public static Blocks stack(List<Rows> parts, int bits, Arena arena) {
        if (bits != 4 && bits != 8) throw new IllegalArgumentException("bits are 4 or 8, was " + bits);
        Weight first = parts.getFirst().weight;
        long rows = 0;
        boolean exact = true;
        boolean needsOffsets = false;
        for (Rows part : parts) {
            Weight weight = part.weight;
            if (weight.columns() != first.columns())
                throw new ShapeException("cannot stack " + first.name() + " " + first.shape() + " and " + weight.name() + " "
                        + weight.shape() + ": their rows differ in length");
            rows += part.order.length;
            exact &= holds(weight.encoding(), bits);
            needsOffsets |= holds(weight.encoding(), bits) && weight.encoding().hasMinimum();
        }
        int columns = size(first.columns(), first);
        long blocks = rows * ((columns + BLOCK - 1) / BLOCK);
        Blocks target = new Blocks(bits, size(rows, first), columns, exact,
                arena.allocate(blocks * 4 * bits, 64),
                arena.allocate(blocks * Float.BYTES, 64),
                needsOffsets ? arena.allocate(blocks * Float.BYTES, 64) : null);
        int at = 0;
        for (Rows part : parts) {
            target.fill(at, part);
            at += part.order.length;
        }
        return target;
    }

    /// Writes the rows of `part` from row `at` on, on all cores where the memory allows it.
    private void fill(int at, Rows part) {
        int step = Math.max(1, PIECE / Math.max(1, columns));
        int tasks = (part.order.length + step - 1) / step;
        IntStream pieces = IntStream.range(0, tasks);
        if (tasks > 1 && shared(quants) && shared(part.weight.data())) pieces = pieces.parallel();
        pieces.forEach(i -> fill(at, part, i * step, Math.min(part.order.length, (i + 1) * step)));
    }

    private static boolean shared(MemorySegment memory) {
        return memory.isAccessibleBy(Thread.ofPlatform().unstarted(() -> {}));
    }

    private void fill(int at, Rows part, int from, int to) {
        Weight weight = part.weight;
        int perRow = (columns + BLOCK - 1) / BLOCK;
        int rowBytes = Math.toIntExact(weight.encoding().bytes(columns));
        Pack pack = new Pack(weight.encoding(), bits, columns, to - from, offsets != null);
        byte[] row = new byte[rowBytes];
        for (int i = from; i < to; i++) {
            MemorySegment.copy(weight.data(), ValueLayout.JAVA_BYTE, (long) part.order[i] * rowBytes, row, 0, rowBytes);
            pack.row(row, i - from);
        }
        long block = (long) (at + from) * perRow;
        MemorySegment.copy(pack.quants, 0, quants, ValueLayout.JAVA_BYTE, block * 4 * bits, pack.quants.length);
        MemorySegment.copy(pack.scales, 0, scales, ValueLayout.JAVA_FLOAT, block * Float.BYTES, pack.scales.length);
        if (offsets != null)
            MemorySegment.copy(pack.offsets, 0, offsets, ValueLayout.JAVA_FLOAT, block * Float.BYTES, pack.offsets.length);
    }

    /// The elements as float32, row-major.
    public float[] dequantise() {
        float[] out = new float[Math.multiplyExact(rows, columns)];
        int perRow = (columns + BLOCK - 1) / BLOCK;
        for (int i = 0; i < out.length; i++) {
            long block = (long) (i / columns) * perRow + i % columns / BLOCK;
            int k = i % columns % BLOCK;
            int q = bits == 8
                    ? quants.get(ValueLayout.JAVA_BYTE, block * BLOCK + k) & 255
                    : quants.get(ValueLayout.JAVA_BYTE, block * (BLOCK / 2) + k / 2) >> k % 2 * 4 & 15;
            float scale = scales.getAtIndex(ValueLayout.JAVA_FLOAT, block);
            float offset = offsets == null ? 0 : offsets.getAtIndex(ValueLayout.JAVA_FLOAT, block);
            out[i] = scale * (q - (1 << bits - 1)) + offset;
        }
        return out;
    }

    private static int size(long size, Weight weight) {
        if (size <= Integer.MAX_VALUE / 2 && weight.shape().count() > 0) return (int) size;
        throw new UserError("", "tensor \"" + weight.name() + "\" is " + weight.shape() + ", which no matrix product takes", "");
    }
}
