package fewsh.models;

/// A page whose model reads a source with its graph `encoder` and predicts tokens with its graph `decoder`, which looks at the
/// encoder's result through cross-attention.
public non-sealed interface EncoderDecoder extends Page {
    @Override
    default String uses() {
        return "translate, transcribe";
    }
}
