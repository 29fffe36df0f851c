package fewsh.generate;

import java.util.List;

/// A piece of a transcript.
///
/// @param start seconds from the beginning of the sound
/// @param end likewise
/// @param text as the model writes it, most often with a space in front
/// @param ids its tokens, timestamps among them
public record Segment(double start, double end, String text, List<Integer> ids) {
    public Segment {
        ids = List.copyOf(ids);
    }
}
