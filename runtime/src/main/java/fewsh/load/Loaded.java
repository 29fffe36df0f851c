package fewsh.load;

import fewsh.UserError;
import fewsh.tensor.Tensor;
import java.nio.file.Path;
import java.util.Map;

/// A model that is open. Immutable and shareable; close it when nobody uses it.
public interface Loaded extends AutoCloseable {
    About about();

    /// One pass over named tensors, such as `input_ids` int64 `(batch, sequence)`; `attention_mask` and other inputs that follow
    /// from the rest may be left out.
    ///
    /// @return float32 under the reference implementation's names, such as `logits`; 0 at padding
    /// @throws UserError if an input is missing, unknown or of another shape than the model takes
    Map<String, Tensor> forward(Map<String, Tensor> inputs);

    /// What the model makes of a picture or a sound: inputs of [#forward].
    ///
    /// @throws UserError if the file cannot be read, or the model reads text only
    default Map<String, Tensor> inputs(Path file) {
        throw new UserError(file.toString(), "this model reads text only", "give input_ids");
    }

    @Override
    void close();
}
