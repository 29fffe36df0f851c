package fewsh.export;

import fewsh.UserError;
import fewsh.graph.Graph;
import fewsh.models.Architectures;
import fewsh.models.Causal;
import fewsh.models.Checkpoint;
import fewsh.models.Encoder;
import fewsh.models.EncoderDecoder;
import fewsh.models.ImageText;
import fewsh.models.Net;
import fewsh.models.Page;
import fewsh.onnx.DataFile;
import fewsh.onnx.OnnxFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// A page's graph as `model.onnx`, with its weights in `model.onnx.data` beside it.
final class Graphs {
    private Graphs() {}

    /// @throws UserError for a model of several graphs, whose inputs have names of our own: nobody else could feed them
    static void write(Checkpoint checkpoint, Export.Numbers numbers, Path folder) throws IOException {
        Page page = Architectures.page(checkpoint);
        switch (page) {
            case ImageText _, EncoderDecoder _ -> throw new UserError(checkpoint.path().toString(), "is a "
                    + checkpoint.settings().text("model_type", "") + " model, whose graphs others could not feed",
                    "give --format safetensors");
            case Causal _, Encoder _ -> {}
        }
        Path scratch = folder.resolve("scratch");
        try (DataFile converted = new DataFile(scratch); DataFile data = new DataFile(folder.resolve("model.onnx.data"))) {
            boolean half = numbers == Export.Numbers.FP16;
            Graph built = Net.export(page.graphs().get("model"), checkpoint, numbers.precision(), half ? converted::keep : data::keep);
            Graph named = Published.named(built);
            OnnxFile.write(half ? Halves.of(named, data::keep) : named, folder.resolve("model.onnx"), data);
        } finally {
            Files.deleteIfExists(scratch);
        }
    }
}
