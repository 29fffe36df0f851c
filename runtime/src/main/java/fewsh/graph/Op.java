package fewsh.graph;

import fewsh.tensor.DType;
import java.util.List;

/// An ONNX operator with its attributes, and nothing else. Closed on purpose: every switch over `Op` is exhaustive and has no
/// `default`, so adding an operator makes the compiler list the places that must learn it.
///
/// The first group is ONNX's own (opset 21), the second ONNX Runtime's (`com.microsoft`, version 1). Record components carry
/// the attributes' names in camel case.
/// Source: Operators.md of onnx/onnx, ContribOperators.md of microsoft/onnxruntime.
public sealed interface Op {
    record Add() implements Op {}

    record Sub() implements Op {}

    record Mul() implements Op {}

    record Sigmoid() implements Op {}

    record Tanh() implements Op {}

    record Relu() implements Op {}

    /// @param approximate "none" (erf) or "tanh"
    record Gelu(String approximate) implements Op {}

    record Cast(DType to) implements Op {}

    record MatMul() implements Op {}

    /// y = x wᵀ + b for matrices, or x w + b without `transB`.
    record Gemm(boolean transB) implements Op {}

    /// Filters of several axes, each over all channels: x `(batch, channels, …)`, w `(filters, channels, …)`, b `(filters)`.
    ///
    /// @param strides one for each axis behind the channels
    /// @param pads zeros before each of these axes, then after each
    record Conv(List<Integer> strides, List<Integer> pads) implements Op {
        public Conv {
            strides = List.copyOf(strides);
            pads = List.copyOf(pads);
        }
    }

    record Gather(int axis) implements Op {}

    record Reshape() implements Op {}

    record Transpose(List<Integer> perm) implements Op {
        public Transpose {
            perm = List.copyOf(perm);
        }
    }

    record Concat(int axis) implements Op {}

    /// Into pieces of the sizes that the second input gives.
    record Split(int axis) implements Op {}

    /// Over the axes that the second input gives.
    record ReduceSum(boolean keepdims) implements Op {}

    /// Running sums along the axis that the second input gives.
    ///
    /// @param exclusive whether an element's sum leaves the element itself out
    record CumSum(boolean exclusive) implements Op {}

    /// Whether numbers are the same; gives truth values.
    record Equal() implements Op {}

    record Softmax(int axis) implements Op {}

    record LogSoftmax(int axis) implements Op {}

    record LayerNormalization(float epsilon) implements Op {}

    /// The sizes of a tensor's axes.
    record Shape() implements Op {}

    /// Root-mean-square norm over the last axis. ONNX Runtime registers it in ONNX's own domain.
    record SimplifiedLayerNormalization(float epsilon) implements Op {}

    record Div() implements Op {}

    record Abs() implements Op {}

    /// Over the axes that the second input gives.
    record ReduceMax(boolean keepdims) implements Op {}

    /// x / scale, rounded to even, plus the zero point: bytes of the zero point's type.
    record QuantizeLinear() implements Op {}

    /// A product of matrices of bytes. Inputs: a and b `(k, n)`; the scales of a, one, and of b, one a column; their zero points,
    /// which are taken off first.
    record MatMulIntegerToFloat() implements Op {}

    /// A matrix product with one side transposed in place.
    record FusedMatMul(boolean transA, boolean transB) implements Op {}

    /// x · sigmoid(alpha x); SiLU at alpha 1.
    record QuickGelu(float alpha) implements Op {}

    /// LayerNormalization of a sum, giving the sum too: outputs (normed, absent, absent, sum).
    record SkipLayerNormalization(float epsilon) implements Op {}

    /// SimplifiedLayerNormalization of a sum, giving the sum too: outputs (normed, absent, absent, sum).
    record SkipSimplifiedLayerNormalization(float epsilon) implements Op {}

    /// x wᵀ with w `[n, k]` in blocks of `bits`-bit integers, each block with a scale.
    ///
    /// @param accuracyLevel 0 or 1: float32 arithmetic; 4: the rows of x are rounded to 8 bits, block by block
    record MatMulNBits(long k, long n, int bits, int blockSize, int accuracyLevel) implements Op {}

    /// Rows of a matrix that is quantised along its columns.
    record GatherBlockQuantized(int bits, int blockSize, int gatherAxis, int quantizeAxis) implements Op {}

    /// Causal attention with fewer key and value heads than query heads, rotary positions, and a cache that may be updated in
    /// place. Inputs: packed qkv (or q, k, v), past key and value, `seqlens_k`, `total_sequence_length`, cos and sin tables, as
    /// wide as half of what turns of a head; rows of these as `position_ids`, where they are not the positions in the cache; what
    /// is added to the scores before their softmax, `(batch or 1, heads or 1, sequence, total)`.
    ///
    /// @param localWindowSize positions seen, the token's own among them; −1 for all
    /// @param scale factor of q·k; 0 for 1/√headDim
    record GroupQueryAttention(
            int numHeads, int kvNumHeads, boolean doRotary, boolean rotaryInterleaved, int localWindowSize, float scale)
            implements Op {}

    /// Attention without a cache. Inputs: q `(batch, sequence, heads · dim)`; k and v likewise, or `(batch, heads, keys, dim)`;
    /// an absent one; the mask of the keys, int32 `(batch, keys)`, 0 for those not to be seen; what is added to the scores before
    /// their softmax, `(batch or 1, heads or 1, sequence, keys)`. The last two may be left out.
    ///
    /// @param scale factor of q·k; 0 for 1/√dim
    record MultiHeadAttention(int numHeads, float scale) implements Op {}

    /// The operator's name in an ONNX file.
    default String type() {
        return getClass().getSimpleName();
    }

    /// ONNX Runtime's own domain, or ONNX's, which is empty.
    default String domain() {
        return switch (this) {
            case Add _, Sub _, Mul _, Sigmoid _, Tanh _, Relu _, Gelu _, Cast _, MatMul _, Gemm _, Gather _, Reshape _, Transpose _,
                    Concat _, Split _, ReduceSum _, Softmax _, LogSoftmax _, LayerNormalization _, CumSum _, Equal _, Conv _, Shape _,
                    SimplifiedLayerNormalization _, Div _, Abs _, ReduceMax _, QuantizeLinear _ -> "";
            case FusedMatMul _, QuickGelu _, SkipLayerNormalization _, SkipSimplifiedLayerNormalization _, MatMulNBits _,
                    GatherBlockQuantized _, GroupQueryAttention _, MultiHeadAttention _, MatMulIntegerToFloat _ -> "com.microsoft";
        };
    }
}
