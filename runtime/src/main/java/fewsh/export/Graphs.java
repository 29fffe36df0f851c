package fewsh.export;

import fewsh.graph.Graph;
import fewsh.models.Architectures;
import fewsh.models.Checkpoint;
import fewsh.models.Net;
import fewsh.onnx.DataFile;
import fewsh.onnx.OnnxFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// A page's graphs, each as a `.onnx` file with its weights in a `.onnx.data` file beside it.
final class Graphs {
    private Graphs() {}

    static void write(Checkpoint checkpoint, Export.Numbers numbers, Path folder) throws IOException {
        for (var graph : Architectures.page(checkpoint).graphs().entrySet()) {
            String name = graph.getKey().equals("model") ? "model.onnx" : graph.getKey() + "_model.onnx";
            Path scratch = folder.resolve(name + ".scratch");
            try (DataFile converted = new DataFile(scratch); DataFile data = new DataFile(folder.resolve(name + ".data"))) {
                boolean half = numbers == Export.Numbers.FP16;
                Graph built = Net.export(graph.getValue(), checkpoint, numbers.precision(), half ? converted::keep : data::keep);
                Graph named = Published.named(built);
                OnnxFile.write(half ? Halves.of(named, data::keep) : named, folder.resolve(name), data);
            } finally {
                Files.deleteIfExists(scratch);
            }
        }
    }
}
