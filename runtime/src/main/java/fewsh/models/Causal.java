package fewsh.models;

/// A page whose model predicts the next token from those before it.
public sealed interface Causal permits Gpt2, Llama {
    /// What a caller of the graph must know of it.
    ///
    /// @param nPositions the context length
    /// @param nLayer how many pairs of past keys and values there are
    /// @param headDim last axis of the cache; the model's own, rounded up to a multiple of 16
    /// @param takesPositions whether the graph has an input `position_ids`
    record Layout(int vocabSize, int nPositions, int nLayer, int nKvHead, int headDim, boolean takesPositions) {
        /// Bytes of cached keys and values of one position of one sequence.
        public long cacheBytes() {
            return 2L * nLayer * nKvHead * headDim * Float.BYTES;
        }
    }

    Layout layout();

    /// Builds the whole graph: ids in, `logits` and `logprobs` out.
    void build(Net g);
}
