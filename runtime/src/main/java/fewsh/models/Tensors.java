package fewsh.models;

import fewsh.weights.Encoding;
import fewsh.weights.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import java.util.Set;
import java.util.function.Supplier;

/// A checkpoint's weights as a published one has them: names, shapes and the order of rows.
public final class Tensors {
    private Tensors() {}

    /// A folder's are as they are; of a GGUF file those that its page uses, made when they are asked for.
    public static SequencedMap<String, Supplier<Weight>> of(Checkpoint checkpoint) {
        SequencedMap<String, Supplier<Weight>> tensors = new LinkedHashMap<>();
        if (!checkpoint.isGguf()) {
            checkpoint.names().forEach(name -> tensors.put(name, () -> checkpoint.named(name)));
            return tensors;
        }
        Modules modules = Modules.of(Architectures.page(checkpoint), checkpoint);
        Matrices matrices = new Matrices(null, checkpoint, Precision.FP32, t -> t, Set.of());
        modules.tensors().forEach((name, shape) -> {
            String module = name.replaceFirst("\\.[^.]*$", "");
            Linear linear = modules.embeddings().containsKey(module) ? null : modules.linears().get(module);
            if (modules.plusOne().contains(name)) tensors.put(name, () -> lessOne(checkpoint.weight(name, shape.sizes())));
            else if (linear == null) tensors.put(name, () -> checkpoint.weight(name, shape.sizes()));
            else tensors.put(name, () -> new Weight(name, Encoding.F32, shape, memory(published(matrices, linear, name.endsWith(".bias")))));
        });
        return tensors;
    }

    private static Weight lessOne(Weight weight) {
        float[] values = weight.floats();
        for (int i = 0; i < values.length; i++) values[i] -= 1;
        return new Weight(weight.name(), Encoding.F32, weight.shape(), memory(values));
    }

    private static MemorySegment memory(float[] values) {
        return Arena.ofAuto().allocateFrom(ValueLayout.JAVA_FLOAT, values);
    }

    private static float[] published(Matrices matrices, Linear l, boolean bias) {
        float[] rows = matrices.published(l, bias);
        if (bias || !l.conv1d()) return rows;
        float[] columns = new float[rows.length];
        for (int r = 0; r < l.rows(); r++)
            for (int c = 0; c < l.columns(); c++) columns[c * l.rows() + r] = rows[r * l.columns() + c];
        return columns;
    }
}
