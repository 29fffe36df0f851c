package fewsh.models;

import java.util.LinkedHashMap;
import java.util.SequencedMap;
import java.util.function.Consumer;

/// A page whose model reads a source with its graph `encoder` and predicts tokens with its graph `decoder`, which looks at the
/// encoder's result through cross-attention.
public sealed interface EncoderDecoder extends Page permits Bart, Marian, T5, Whisper {
    /// What a caller of the graphs must know of them.
    ///
    /// @param sourceVocabSize of the encoder
    /// @param vocabSize of the decoder
    /// @param sourcePositions most positions of a source
    /// @param targetPositions most positions of what is predicted, with the token that begins it
    /// @param width last axis of the encoder's result
    /// @param nLayer of the decoder
    /// @param nHead of the decoder
    /// @param headDim the model's own, as the keys and values of cross-attention have it
    /// @param maxDistance from where on positions are equally far apart; 0 for a model without relative positions
    record Layout(int sourceVocabSize, int vocabSize, int sourcePositions, int targetPositions, int width, int nLayer, int nHead,
            int headDim, int maxDistance) {
        /// The size of a head in the cache of the decoder's own keys and values.
        public int cacheDim() {
            return Heads.cacheDim(headDim);
        }
    }

    Layout layout();

    /// Builds the graph that reads sources.
    ///
    /// Inputs: `input_ids` and `attention_mask` int64 `(batch, source)`; `position_ids` likewise, for a model that has them;
    /// `relative_positions` int64 `(source, source)`, key less query, held within ±`maxDistance`, plus `maxDistance`, for one
    /// that has those. A model that reads sound has inputs of its own. Outputs: `last_hidden_state` float32
    /// `(batch, source, width)`; for each layer of the decoder `present.i.encoder.key` and `.value`
    /// `(batch, n_head, source, head_dim)`.
    void encoder(Net g);

    /// Builds the graph that continues rows, several of which may look at one source.
    ///
    /// Inputs: `input_ids` int64 `(batch, sequence)`, `position_ids` likewise where the model has them; `relative_positions`
    /// `(sequence, total)` as the encoder's; `seqlens_k`, `total_sequence_length` and `logits_positions` as of [Causal#build];
    /// `past_key_values.i.key` and `.value` `(batch, n_head, capacity, cache_dim)`; `past_key_values.i.encoder.key` and `.value`
    /// and `encoder_attention_mask`, from the encoder; `source_queries` int64 `(sources, queries)`, which of the flattened
    /// `(batch · sequence)` look at each source, and `row_answers` int64 `(batch, sequence)`, where in the flattened
    /// `(sources · queries)` each is. Outputs: `logits` and `logprobs` float32 `(n, vocab_size)`; `present.i.key` and `.value`,
    /// which are to be the very memory of the pasts.
    void decoder(Net g);

    @Override
    default SequencedMap<String, Consumer<Net>> graphs() {
        SequencedMap<String, Consumer<Net>> graphs = new LinkedHashMap<>();
        graphs.put("encoder", this::encoder);
        graphs.put("decoder", this::decoder);
        return graphs;
    }

    @Override
    default int contextLength() {
        return layout().sourcePositions();
    }

    @Override
    default int vocabSize() {
        return layout().vocabSize();
    }

    @Override
    default long cacheBytes() {
        return 2L * layout().nLayer() * layout().nHead() * (layout().cacheDim() + layout().headDim()) * Float.BYTES;
    }

    @Override
    default String uses() {
        return "translate";
    }
}
