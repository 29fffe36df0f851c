package fewsh.script;

import fewsh.UserError;
import fewsh.generate.CausalLm;
import fewsh.generate.Seq2Seq;
import fewsh.load.Export;
import fewsh.load.Exported;
import fewsh.load.LoadOptions;
import fewsh.load.Loaded;
import fewsh.models.Architectures;
import fewsh.models.Causal;
import fewsh.models.Checkpoint;
import fewsh.models.Encoder;
import fewsh.models.EncoderDecoder;
import fewsh.models.Page;
import java.nio.file.Path;
import java.util.Optional;

/// Opens whatever model a folder or file holds, as the family of its page wants it.
public final class AutoModel {
    private AutoModel() {}

    /// @throws UserError if it is no model, is damaged, has no page, does not fit into memory, or the device is not there
    public static Loaded open(Path path, LoadOptions options) {
        Optional<Export> export = Export.find(path, options);
        if (export.isPresent()) return export(export.get(), path, options);
        return switch (page(path)) {
            case Causal _ -> CausalLm.open(path, options);
            case Encoder _, EncoderDecoder _ -> throw new UserError(path.toString(), "cannot be opened yet", "");
        };
    }

    /// A language model, if the graphs and the files beside them make one; else whatever the graphs take and give.
    private static Loaded export(Export export, Path path, LoadOptions options) {
        Exported exported = Exported.open(export, options);
        boolean described = !export.architecture().isEmpty();
        boolean causal = described && exported.has("model")
                && exported.session("model").inputs().stream().anyMatch(p -> p.name().startsWith("past"));
        boolean pair = described && exported.has("encoder") && (exported.has("decoder") || exported.has("decoder_merged"));
        if (!causal && !pair) return exported;
        exported.close();
        return causal ? CausalLm.open(path, options) : Seq2Seq.open(path, options);
    }

    private static Page page(Path path) {
        try (Checkpoint checkpoint = Checkpoint.open(path)) {
            return Architectures.page(checkpoint);
        }
    }
}
