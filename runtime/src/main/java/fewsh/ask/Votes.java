package fewsh.ask;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;

/// How a vote went.
///
/// @param answer the one with most votes; of equal ones the first that was seen; empty if no answer was found at all
/// @param counts answer → votes: most votes first, then first seen
/// @param unparsable paths in which no answer was found
/// @param samples paths that ended and were counted: the votes and the unparsable ones
/// @param asked paths that were asked for
/// @param stoppedEarly whether the outcome was settled before all were sampled
/// @param savedTokens about how many tokens that saved: the mean of the paths times the number that were not sampled
public record Votes(Optional<String> answer, SequencedMap<String, Integer> counts, int unparsable, int samples, int asked,
        boolean stoppedEarly, long savedTokens) {
    public Votes {
        counts = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(counts));
    }

    /// How many paths were not sampled because the outcome was settled.
    public int saved() {
        return stoppedEarly ? asked - samples : 0;
    }

    /// As the last line of `ask --vote --json`.
    public Map<String, Object> fields() {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("answer", answer.orElse(null));
        fields.put("votes", counts);
        fields.put("unparsable", unparsable);
        fields.put("samples", samples);
        fields.put("stopped_early", stoppedEarly);
        if (stoppedEarly) {
            fields.put("saved_samples", saved());
            fields.put("saved_tokens", savedTokens);
        }
        return fields;
    }
}
