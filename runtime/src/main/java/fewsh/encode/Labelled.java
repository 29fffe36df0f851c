package fewsh.encode;

/// A token with its label.
///
/// @param score the label's probability
/// @param start where the token begins in the text, as `String` counts
/// @param end one behind its last character
public record Labelled(String label, float score, int start, int end, String text) {}
