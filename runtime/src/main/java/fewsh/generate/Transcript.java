package fewsh.generate;

import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/// What was said.
///
/// @param language its code; empty for a model that knows only one
/// @param complete whether the whole sound was heard; false after an interruption
public record Transcript(Optional<String> language, List<Segment> segments, boolean complete) {
    public Transcript {
        segments = List.copyOf(segments);
    }

    /// All of it.
    public String text() {
        return segments.stream().map(Segment::text).collect(Collectors.joining());
    }
}
