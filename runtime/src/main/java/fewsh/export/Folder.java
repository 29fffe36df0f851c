package fewsh.export;

import fewsh.models.Checkpoint;
import fewsh.models.Tensors;
import fewsh.onnx.DataFile;
import fewsh.tensor.DType;
import fewsh.tensor.Tensor;
import fewsh.weights.Safetensors;
import fewsh.weights.Weight;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.Supplier;

/// `model.safetensors` with published names.
final class Folder {
    private Folder() {}

    static void write(Checkpoint checkpoint, Export.Numbers numbers, Path folder) throws IOException {
        Path scratch = folder.resolve("scratch");
        SequencedMap<String, Tensor> tensors = new LinkedHashMap<>();
        // converted ones are in a file and not in memory until they are written
        try (DataFile converted = new DataFile(scratch)) {
            for (Map.Entry<String, Supplier<Weight>> entry : Tensors.of(checkpoint).entrySet())
                tensors.put(entry.getKey(), tensor(entry.getValue().get(), numbers, converted));
            Safetensors.write(folder.resolve("model.safetensors"), tensors, Map.of("format", "pt"));
        } finally {
            Files.deleteIfExists(scratch);
        }
    }

    private static Tensor tensor(Weight weight, Export.Numbers numbers, DataFile converted) {
        DType to = switch (numbers) {
            case FP32, INT8, INT4 -> DType.FLOAT32;
            case FP16 -> DType.FLOAT16;
            case BF16 -> DType.BFLOAT16;
        };
        boolean number = weight.encoding().dtype().map(d -> switch (d) {
            case FLOAT16, BFLOAT16, FLOAT32, FLOAT64 -> true;
            case INT8, INT32, INT64, UINT8, BOOL -> false;
        }).orElse(true);
        if (!number || weight.encoding().dtype().filter(d -> d == to).isPresent()) return weight.tensor();
        try (Arena arena = Arena.ofShared()) {
            Tensor floats = Tensor.allocate(arena, DType.FLOAT32, weight.shape().sizes());
            weight.floats(0, weight.rows(), floats.data());
            return converted.keep(to == DType.FLOAT32 ? floats : Halves.convert(arena, floats, to));
        }
    }
}
