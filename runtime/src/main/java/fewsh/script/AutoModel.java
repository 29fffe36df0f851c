package fewsh.script;

import fewsh.encode.ImageClassifier;
import fewsh.encode.TextEncoder;
import fewsh.generate.CausalLm;
import fewsh.generate.Seq2Seq;
import fewsh.generate.Transcriber;
import fewsh.load.About;
import fewsh.load.Export;
import fewsh.load.Exported;
import fewsh.load.LoadOptions;
import fewsh.load.Loaded;
import fewsh.load.Opened;
import fewsh.models.Architectures;
import fewsh.models.Causal;
import fewsh.models.Checkpoint;
import fewsh.models.Encoder;
import fewsh.models.EncoderDecoder;
import fewsh.models.Page;
import fewsh.models.Whisper;
import fewsh.onnx.Outline;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;

/// Opens whatever model a folder or file holds, as the family of its page, or the inputs of its export, want it.
public final class AutoModel {
    private AutoModel() {}

    /// @throws fewsh.UserError if it is no model, is damaged, has no page, does not fit into memory, or the device is not there
    public static Loaded open(Path path, LoadOptions options) {
        if (Files.exists(path.resolve("modules.json"))) return TextEncoder.open(path, options);
        Optional<Export> export = Export.find(path, options);
        if (export.isPresent()) return open(path, export.get(), options);
        return switch (page(path)) {
            case Causal _ -> CausalLm.open(path, options);
            case Encoder encoder when encoder.vocabSize() == 0 -> ImageClassifier.open(path, options);
            case Encoder _ -> TextEncoder.open(path, options);
            case Whisper _ -> Transcriber.open(path, options);
            case EncoderDecoder _ -> Seq2Seq.open(path, options);
        };
    }

    /// What the graphs and the files beside them make; where nothing says which model it is, whatever the graphs take and give.
    private static Loaded open(Path path, Export export, LoadOptions options) {
        if (export.architecture().isEmpty()) return Exported.open(export, options);
        if (export.graphs().containsKey("encoder")) return Seq2Seq.open(path, options);
        Path model = export.graphs().get("model");
        Set<String> inputs = model == null ? Set.of() : Outline.of(model).inputs();
        if (inputs.contains("pixel_values")) return ImageClassifier.open(path, options);
        if (inputs.stream().anyMatch(name -> name.startsWith("past"))) return CausalLm.open(path, options);
        return inputs.contains("input_ids") ? TextEncoder.open(path, options) : Exported.open(export, options);
    }

    /// What would be loaded, without loading it.
    public static About about(Path path, LoadOptions options) {
        if (Export.find(path, options).isPresent() || page(path) instanceof Causal) return CausalLm.about(path, options);
        return Opened.about(path, options, Page.class);
    }

    private static Page page(Path path) {
        try (Checkpoint checkpoint = Checkpoint.open(path)) {
            return Architectures.page(checkpoint);
        }
    }
}
