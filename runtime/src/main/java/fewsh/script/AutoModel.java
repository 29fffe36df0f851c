package fewsh.script;

import fewsh.UserError;
import fewsh.generate.CausalLm;
import fewsh.load.LoadOptions;
import fewsh.load.Loaded;
import fewsh.models.Architectures;
import fewsh.models.Causal;
import fewsh.models.Checkpoint;
import fewsh.models.Encoder;
import fewsh.models.EncoderDecoder;
import fewsh.models.Page;
import java.nio.file.Path;

/// Opens whatever model a folder or file holds, as the family of its page wants it.
public final class AutoModel {
    private AutoModel() {}

    /// @throws UserError if it is no model, is damaged, has no page, does not fit into memory, or the device is not there
    public static Loaded open(Path path, LoadOptions options) {
        return switch (page(path)) {
            case Causal _ -> CausalLm.open(path, options);
            case Encoder _, EncoderDecoder _ -> throw new UserError(path.toString(), "cannot be opened yet", "");
        };
    }

    private static Page page(Path path) {
        try (Checkpoint checkpoint = Checkpoint.open(path)) {
            return Architectures.page(checkpoint);
        }
    }
}
