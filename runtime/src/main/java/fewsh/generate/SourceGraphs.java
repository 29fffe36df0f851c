package fewsh.generate;

import fewsh.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;

/// The graphs of an encoder–decoder model, ours or an export's.
interface SourceGraphs {
    /// Reads sources, and makes rows for the decoder to continue.
    ///
    /// @param sources the encoder's inputs under the reference implementation's names: `input_ids` and `attention_mask` int64
    ///                `(batch, source)`, padded on the right, or `input_features`
    /// @param each rows of each source
    DecoderRows read(Map<String, Tensor> sources, int each);

    /// One pass with nothing cached: `encoder_last_hidden_state` and `logits` at every position of `decoder_input_ids`.
    Map<String, Tensor> forward(Map<String, Tensor> sources, Tensor decoderIds);

    /// What [#forward] gives, in this order.
    static Map<String, Tensor> outputs(Tensor logits, Tensor hidden) {
        Map<String, Tensor> outputs = new LinkedHashMap<>();
        outputs.put("logits", logits);
        outputs.put("encoder_last_hidden_state", hidden);
        return outputs;
    }
}
