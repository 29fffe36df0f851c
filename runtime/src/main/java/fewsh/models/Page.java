package fewsh.models;

import java.util.SequencedMap;
import java.util.function.Consumer;

/// An architecture with its configuration: what it builds of a checkpoint's weights.
public sealed interface Page permits Causal, Encoder, EncoderDecoder {
    /// The graphs, by the names that they are stored under, and what builds each; most pages have one, `model`.
    SequencedMap<String, Consumer<Net>> graphs();

    /// Most positions of one sequence.
    int contextLength();

    /// How many token ids there are; 0 for a model without any.
    int vocabSize();

    /// The commands that such a model is for.
    String uses();

    /// Bytes of cached keys and values of one position of one sequence; 0 for a model without a cache.
    long cacheBytes();
}
