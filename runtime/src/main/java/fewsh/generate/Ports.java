package fewsh.generate;

import fewsh.models.Causal;
import fewsh.models.ImageText;
import fewsh.tensor.DType;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/// How the graph of a causal language model is fed and what it gives: our own graphs and other people's alike.
///
/// @param inputs all but the cache, by name
/// @param slots the cache
/// @param inPlace whether what a pass adds to the cache goes behind what is there, into the same memory; else a pass gives a
///                cache that is longer, in other memory
/// @param oneByOne whether behind a cache that is not empty a pass may have one position only
/// @param beginsWhole whether a pass over an empty cache may have many positions all the same
/// @param logits the output's name; of type `logitsType`
/// @param logprobs the name of an output with their logarithmic softmax; null if there is none
/// @param vocabSize last axis of the logits
/// @param nPositions the context length
/// @param shortPositions what is added to the positions of a sequence of more than so many; 0 for nothing
public record Ports(
        SequencedMap<String, Input> inputs, List<Slot> slots, boolean inPlace, boolean oneByOne, boolean beginsWhole,
        String logits, DType logitsType, Given given, String logprobs, int vocabSize, int nPositions, int shortPositions) {
    /// Of the logits of one pass, where not a few are chosen.
    private static final long LOGITS_BYTES = 64 << 20;

    /// What an input is.
    enum Role {
        /// `(rows, sequence)`.
        IDS,
        /// `(rows, sequence)`: where in the text each id is.
        POSITIONS,
        /// `(rows, past + sequence)`: 1 or true, since no row is padded.
        MASK,
        /// `(rows)`: the positions filled after the run less one.
        LAST,
        /// A scalar: the positions filled after the run.
        TOTAL,
        /// `(n)`: indices into the flattened `(rows, sequence)`.
        CHOSEN,
        /// A scalar: of how many of the last positions there are to be logits.
        KEPT,
        /// `(1)`: whether the cache holds anything.
        CACHED,
        /// `(rows, sequence, 1)`: 0 for an id that stands for a row of a picture, else 1.
        TEXT,
        /// `(rows, sequence, width)`: those rows of pictures, else 0.
        PICTURES
    }

    record Input(Role role, DType dtype) {}

    /// Which positions a pass gives logits of.
    enum Given {
        /// Those asked for, `(n, vocab_size)`.
        CHOSEN,
        /// `(rows, sequence, vocab_size)`.
        ALL,
        /// The last so many, `(rows, n, vocab_size)`.
        KEPT,
        /// `(rows, 1, vocab_size)`.
        LAST,
        /// `(rows, vocab_size)`.
        LAST_FLAT
    }

    /// A tensor of the cache: `(parts, rows, heads, positions, width)` in memory, though some graphs leave out axes of 1.
    ///
    /// @param parts 2 where keys and values are one tensor, else 1
    /// @param hasParts whether that axis is there; likewise `hasHeads`
    record Slot(String past, String present, DType dtype, int parts, boolean hasParts, int heads, boolean hasHeads, int width) {
        /// The shape, as the graph wants it.
        long[] shape(long rows, long positions) {
            if (hasParts) return new long[] {parts, rows, heads, positions, width};
            return hasHeads ? new long[] {rows, heads, positions, width} : new long[] {rows, positions, width};
        }

        long bytes(long rows, long positions) {
            return parts * rows * heads * positions * positionBytes();
        }

        /// Bytes of one position of one head.
        long positionBytes() {
            return (long) width * dtype.bytes();
        }
    }

    public Ports {
        slots = List.copyOf(slots);
    }

    /// Those of the graphs that our pages build.
    static Ports of(Causal page) {
        Causal.Layout layout = page.layout();
        SequencedMap<String, Input> inputs = new LinkedHashMap<>();
        inputs.put("input_ids", new Input(Role.IDS, DType.INT64));
        if (layout.takesPositions()) inputs.put("position_ids", new Input(Role.POSITIONS, DType.INT64));
        inputs.put("seqlens_k", new Input(Role.LAST, DType.INT32));
        inputs.put("total_sequence_length", new Input(Role.TOTAL, DType.INT32));
        inputs.put("logits_positions", new Input(Role.CHOSEN, DType.INT64));
        if (page instanceof ImageText) {
            inputs.put("is_text", new Input(Role.TEXT, DType.FLOAT32));
            inputs.put("image_hidden_states", new Input(Role.PICTURES, DType.FLOAT32));
        }
        List<Slot> slots = new ArrayList<>();
        for (int layer = 0; layer < layout.nLayer(); layer++)
            for (String kind : new String[] {".key", ".value"})
                slots.add(new Slot("past_key_values." + layer + kind, "present." + layer + kind, DType.FLOAT32, 1, false,
                        layout.nKvHead(), true, layout.headDim()));
        return new Ports(inputs, slots, true, false, true, "logits", DType.FLOAT32, Given.CHOSEN, "logprobs", layout.vocabSize(),
                layout.nPositions(), layout.shortPositions());
    }

    /// What is added to each position of a sequence of `positions`.
    int shift(int positions) {
        return positions > shortPositions ? shortPositions : 0;
    }

    /// Bytes of cached keys and values of one position of one sequence.
    public long cacheBytes() {
        return slots.stream().mapToLong(slot -> slot.bytes(1, 1)).sum();
    }

    /// Of how many positions at most a pass may be asked for logits.
    int scored(int most) {
        return switch (given) {
            case LAST, LAST_FLAT -> 1;
            case CHOSEN, ALL, KEPT -> most;
        };
    }

    /// How many positions a pass may have: fewer than `most` where logits of all of them come back.
    int computed(int most) {
        return given == Given.ALL ? Math.clamp(LOGITS_BYTES / ((long) vocabSize * logitsType.bytes()), 16, most) : most;
    }

    /// Whether a pass over what is behind `past` positions may have one position only.
    boolean singly(int past) {
        return oneByOne && (past > 0 || !beginsWhole);
    }
}
