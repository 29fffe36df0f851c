package fewsh.onnx;

import fewsh.graph.Op;
import fewsh.tensor.DType;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/// An operator's attributes under ONNX's names, and an operator from a name and its attributes.
///
/// Values are `Long`, `Float`, `String` and `List<Long>`.
final class Attributes {
    private Attributes() {}

    static SequencedMap<String, Object> of(Op op) {
        SequencedMap<String, Object> a = new LinkedHashMap<>();
        switch (op) {
            case Op.Add _, Op.Div _, Op.Abs _, Op.QuantizeLinear _, Op.MatMulIntegerToFloat _, Op.Sub _, Op.Mul _, Op.Sigmoid _, Op.Tanh _, Op.Relu _, Op.MatMul _, Op.Reshape _, Op.Equal _, Op.Shape _ -> {}
            case Op.Gelu(String approximate) -> a.put("approximate", approximate);
            case Op.Cast(DType to) -> a.put("to", (long) to.onnx());
            case Op.Gemm(boolean transB) -> a.put("transB", number(transB));
            case Op.Conv(var strides, var pads) -> {
                a.put("strides", longs(strides));
                a.put("pads", longs(pads));
            }
            case Op.Gather(int axis) -> a.put("axis", (long) axis);
            case Op.Transpose(var perm) -> a.put("perm", longs(perm));
            case Op.Concat(int axis) -> a.put("axis", (long) axis);
            case Op.Split(int axis) -> a.put("axis", (long) axis);
            case Op.ReduceSum(boolean keepdims) -> a.put("keepdims", number(keepdims));
            case Op.CumSum(boolean exclusive) -> a.put("exclusive", number(exclusive));
            case Op.ReduceMax(boolean keepdims) -> a.put("keepdims", number(keepdims));
            case Op.Softmax(int axis) -> a.put("axis", (long) axis);
            case Op.LogSoftmax(int axis) -> a.put("axis", (long) axis);
            case Op.LayerNormalization(float epsilon) -> a.put("epsilon", epsilon);
            case Op.SimplifiedLayerNormalization(float epsilon) -> a.put("epsilon", epsilon);
            case Op.SkipLayerNormalization(float epsilon) -> a.put("epsilon", epsilon);
            case Op.SkipSimplifiedLayerNormalization(float epsilon) -> a.put("epsilon", epsilon);
            case Op.FusedMatMul(boolean transA, boolean transB) -> {
                a.put("transA", number(transA));
                a.put("transB", number(transB));
            }
            case Op.QuickGelu(float alpha) -> a.put("alpha", alpha);
            case Op.MatMulNBits(long k, long n, int bits, int blockSize, int accuracyLevel) -> {
                a.put("K", k);
                a.put("N", n);
                a.put("bits", (long) bits);
                a.put("block_size", (long) blockSize);
                a.put("accuracy_level", (long) accuracyLevel);
            }
            case Op.GatherBlockQuantized(int bits, int blockSize, int gatherAxis, int quantizeAxis) -> {
                a.put("bits", (long) bits);
                a.put("block_size", (long) blockSize);
                a.put("gather_axis", (long) gatherAxis);
                a.put("quantize_axis", (long) quantizeAxis);
            }
            case Op.GroupQueryAttention(int heads, int kvHeads, boolean rotary, boolean interleaved, int window, float scale) -> {
                a.put("num_heads", (long) heads);
                a.put("kv_num_heads", (long) kvHeads);
                a.put("do_rotary", number(rotary));
                a.put("rotary_interleaved", number(interleaved));
                a.put("local_window_size", (long) window);
                a.put("scale", scale);
            }
            case Op.MultiHeadAttention(int heads, float scale) -> {
                a.put("num_heads", (long) heads);
                a.put("scale", scale);
            }
        }
        return a;
    }

    /// @throws IllegalArgumentException for an operator that is none of ours, or an attribute that is missing or of another type
    static Op parse(String type, Map<String, Object> attributes) {
        Reader a = new Reader(type, attributes);
        return switch (type) {
            case "Add" -> new Op.Add();
            case "Sub" -> new Op.Sub();
            case "Mul" -> new Op.Mul();
            case "Sigmoid" -> new Op.Sigmoid();
            case "Tanh" -> new Op.Tanh();
            case "Relu" -> new Op.Relu();
            case "MatMul" -> new Op.MatMul();
            case "Reshape" -> new Op.Reshape();
            case "Shape" -> new Op.Shape();
            case "Gelu" -> new Op.Gelu(a.text("approximate"));
            case "Cast" -> new Op.Cast(DType.ofOnnx(a.integer("to")));
            case "Gemm" -> new Op.Gemm(a.flag("transB"));
            case "Conv" -> new Op.Conv(a.integers("strides"), a.integers("pads"));
            case "Gather" -> new Op.Gather(a.integer("axis"));
            case "Transpose" -> new Op.Transpose(a.integers("perm"));
            case "Concat" -> new Op.Concat(a.integer("axis"));
            case "Split" -> new Op.Split(a.integer("axis"));
            case "ReduceSum" -> new Op.ReduceSum(a.flag("keepdims"));
            case "CumSum" -> new Op.CumSum(a.flag("exclusive"));
            case "Equal" -> new Op.Equal();
            case "Div" -> new Op.Div();
            case "Abs" -> new Op.Abs();
            case "ReduceMax" -> new Op.ReduceMax(a.flag("keepdims"));
            case "QuantizeLinear" -> new Op.QuantizeLinear();
            case "MatMulIntegerToFloat" -> new Op.MatMulIntegerToFloat();
            case "Softmax" -> new Op.Softmax(a.integer("axis"));
            case "LogSoftmax" -> new Op.LogSoftmax(a.integer("axis"));
            case "LayerNormalization" -> new Op.LayerNormalization(a.real("epsilon"));
            case "SimplifiedLayerNormalization" -> new Op.SimplifiedLayerNormalization(a.real("epsilon"));
            case "SkipLayerNormalization" -> new Op.SkipLayerNormalization(a.real("epsilon"));
            case "SkipSimplifiedLayerNormalization" -> new Op.SkipSimplifiedLayerNormalization(a.real("epsilon"));
            case "FusedMatMul" -> new Op.FusedMatMul(a.flag("transA"), a.flag("transB"));
            case "QuickGelu" -> new Op.QuickGelu(a.real("alpha"));
            case "MatMulNBits" -> new Op.MatMulNBits(a.integer("K"), a.integer("N"), a.integer("bits"),
                    a.integer("block_size"), a.integer("accuracy_level"));
            case "GatherBlockQuantized" -> new Op.GatherBlockQuantized(a.integer("bits"), a.integer("block_size"),
                    a.integer("gather_axis"), a.integer("quantize_axis"));
            case "GroupQueryAttention" -> new Op.GroupQueryAttention(a.integer("num_heads"), a.integer("kv_num_heads"),
                    a.flag("do_rotary"), a.flag("rotary_interleaved"), a.integer("local_window_size"), a.real("scale"));
            case "MultiHeadAttention" -> new Op.MultiHeadAttention(a.integer("num_heads"), a.real("scale"));
            default -> throw new IllegalArgumentException("operator \"" + type + "\" is not known");
        };
    }

    private static List<Long> longs(List<Integer> values) {
        return values.stream().map(Integer::longValue).toList();
    }

    private static long number(boolean flag) {
        return flag ? 1 : 0;
    }

    private record Reader(String type, Map<String, Object> attributes) {
        private <T> T value(String name, Class<T> kind) {
            Object value = attributes.get(name);
            if (!kind.isInstance(value))
                throw new IllegalArgumentException(type + ": attribute \"" + name + "\" must be a " + kind.getSimpleName()
                        + ", was " + value);
            return kind.cast(value);
        }

        int integer(String name) {
            return Math.toIntExact(value(name, Long.class));
        }

        boolean flag(String name) {
            return value(name, Long.class) != 0;
        }

        float real(String name) {
            return value(name, Float.class);
        }

        String text(String name) {
            return value(name, String.class);
        }

        List<Integer> integers(String name) {
            List<Integer> result = new ArrayList<>();
            for (Object i : value(name, List.class)) result.add(Math.toIntExact((Long) i));
            return result;
        }
    }
}
