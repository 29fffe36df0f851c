package fewsh.script;

import fewsh.encode.ImageClassifier;
import fewsh.encode.TextEncoder;
import fewsh.generate.CausalLm;
import fewsh.generate.Seq2Seq;
import fewsh.generate.Transcriber;
import fewsh.load.About;
import fewsh.load.ExportFolder;
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
    /// What a model can be opened as, and the commands that it is then for.
    public enum Kind {
        CAUSAL_LM("ask, score"),
        TEXT_ENCODER("embed, classify, fill_mask"),
        IMAGE_CLASSIFIER("classify"),
        SEQ2SEQ("translate"),
        TRANSCRIBER("transcribe"),
        /// Graphs with nothing beside them that says which model they are.
        GRAPHS("forward");

        private final String commands;

        Kind(String commands) {
            this.commands = commands;
        }

        public String commands() {
            return commands;
        }
    }

    private AutoModel() {}

    /// What is there, without opening it.
    ///
    /// @throws fewsh.UserError if it is no model, is damaged or has no page
    public static Kind kind(Path path, LoadOptions options) {
        if (Files.exists(path.resolve("modules.json"))) return Kind.TEXT_ENCODER;
        Optional<ExportFolder> export = ExportFolder.find(path, options);
        if (export.isPresent()) return kind(export.get());
        try (Checkpoint checkpoint = Checkpoint.open(path)) {
            return switch (Architectures.page(checkpoint)) {
                case Causal _ -> Kind.CAUSAL_LM;
                case Encoder encoder when encoder.vocabSize() == 0 -> Kind.IMAGE_CLASSIFIER;
                case Encoder _ -> Kind.TEXT_ENCODER;
                case Whisper _ -> Kind.TRANSCRIBER;
                case EncoderDecoder _ -> Kind.SEQ2SEQ;
            };
        }
    }

    private static Kind kind(ExportFolder export) {
        if (export.architecture().isEmpty()) return Kind.GRAPHS;
        if (export.graphs().containsKey("encoder")) return Kind.SEQ2SEQ;
        Path model = export.graphs().get("model");
        Set<String> inputs = model == null ? Set.of() : Outline.of(model).inputs();
        if (inputs.contains("pixel_values")) return Kind.IMAGE_CLASSIFIER;
        if (inputs.stream().anyMatch(name -> name.startsWith("past"))) return Kind.CAUSAL_LM;
        return inputs.contains("input_ids") ? Kind.TEXT_ENCODER : Kind.GRAPHS;
    }

    /// @throws fewsh.UserError if it is no model, is damaged, has no page, does not fit into memory, or the device is not there
    public static Loaded open(Path path, LoadOptions options) {
        return switch (kind(path, options)) {
            case CAUSAL_LM -> CausalLm.open(path, options);
            case TEXT_ENCODER -> TextEncoder.open(path, options);
            case IMAGE_CLASSIFIER -> ImageClassifier.open(path, options);
            case SEQ2SEQ -> Seq2Seq.open(path, options);
            case TRANSCRIBER -> Transcriber.open(path, options);
            case GRAPHS -> Exported.open(ExportFolder.find(path, options).orElseThrow(), options);
        };
    }

    /// What would be loaded, without loading it.
    public static About about(Path path, LoadOptions options) {
        boolean ours = ExportFolder.find(path, options).isEmpty();
        return ours && kind(path, options) != Kind.CAUSAL_LM ? Opened.about(path, options, Page.class) : CausalLm.about(path, options);
    }
}
