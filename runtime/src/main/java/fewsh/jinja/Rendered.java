package fewsh.jinja;

import java.util.List;

/// A rendered template.
///
/// @param generations the `{% generation %}` blocks, in the order they were written: what the assistant says
public record Rendered(String text, List<Span> generations) {
    /// A part of the text, in code points: from `start`, up to but without `end`.
    public record Span(int start, int end) {}

    public Rendered {
        generations = List.copyOf(generations);
    }
}
