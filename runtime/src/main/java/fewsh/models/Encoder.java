package fewsh.models;

/// A page whose model reads all of its input at once: text or pictures in, hidden states or the scores of its head out.
///
/// Its graph `model` has the reference implementation's names for inputs and outputs, so that it and an export look alike:
/// `input_ids`, `attention_mask`, `token_type_ids` int64 `(batch, sequence)`, or `pixel_values` float32
/// `(batch, channels, height, width)`; `last_hidden_state`, `pooler_output`, `logits`, … out.
public non-sealed interface Encoder extends Page {
    @Override
    default long cacheBytes() {
        return 0;
    }

    @Override
    default String uses() {
        return "embed, classify, fill_mask";
    }
}
