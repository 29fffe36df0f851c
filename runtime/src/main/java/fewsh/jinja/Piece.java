package fewsh.jinja;

/// A stretch of a rendered template.
///
/// @param text    may be empty where an expression printed nothing
/// @param literal whether the template itself holds this text; else an expression printed it
/// @param name    the variable that a plain `{{ name }}` or `{{ name.field }}` printed; null for other expressions and literals
public record Piece(String text, boolean literal, String name) {}
