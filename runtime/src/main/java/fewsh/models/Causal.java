package fewsh.models;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.Consumer;

/// A page whose model predicts the next token from those before it.
public sealed interface Causal extends Page permits Gpt1, Gpt2, GptNeoX, Llama, Mistral, Qwen2, Qwen3, Gemma3,
        Phi3, ImageText {
    /// What a caller of the graph must know of it.
    ///
    /// @param nPositions the context length
    /// @param nLayer how many pairs of past keys and values there are
    /// @param headDim last axis of the cache; the model's own, rounded up to a multiple of 16
    /// @param takesPositions whether the graph has an input `position_ids`
    /// @param shortPositions what is added to the `position_ids` of a sequence of more positions than this; 0 for nothing
    record Layout(
            int vocabSize, int nPositions, int nLayer, int nKvHead, int headDim, boolean takesPositions, int shortPositions) {
        Layout(int vocabSize, int nPositions, int nLayer, int nKvHead, int headDim, boolean takesPositions) {
            this(vocabSize, nPositions, nLayer, nKvHead, headDim, takesPositions, 0);
        }

        /// With rotary positions, which the graph counts itself unless there are two tables of them.
        Layout(int vocabSize, int nLayer, int nKvHead, int headDim, Rope rope) {
            this(vocabSize, rope.positions(), nLayer, nKvHead, headDim, rope.longer() != null, rope.shortPositions());
        }

        /// Bytes of cached keys and values of one position of one sequence.
        public long cacheBytes() {
            return 2L * nLayer * nKvHead * headDim * Float.BYTES;
        }
    }

    Layout layout();

    /// Builds the whole graph, for prefilling, decoding and scoring alike.
    ///
    /// Inputs: `input_ids` int64 `(batch, sequence)`; `position_ids` likewise where the layout says so; `seqlens_k` int32
    /// `(batch)`, the positions filled after the run less one; `total_sequence_length` int32, the largest of them plus one;
    /// `past_key_values.i.key` and `.value` `(batch, n_kv_head, capacity, head_dim)`; `logits_positions` int64 `(n)`, indices
    /// into the flattened `(batch · sequence)`. Outputs: `logits` and `logprobs` float32 `(n, vocab_size)`; `present.i.key` and
    /// `.value`, which are to be the very memory of the pasts.
    void build(Net g);

    @Override
    default SequencedMap<String, Consumer<Net>> graphs() {
        return new LinkedHashMap<>(Map.of("model", this::build));
    }

    @Override
    default int contextLength() {
        return layout().nPositions();
    }

    @Override
    default int vocabSize() {
        return layout().vocabSize();
    }

    @Override
    default long cacheBytes() {
        return layout().cacheBytes();
    }

    @Override
    default String uses() {
        return "ask, score";
    }
}
