package fewsh.encode;

/// A part of a text that answers a question.
///
/// @param score the product of the probabilities that it begins and that it ends there
/// @param start where it begins in the text, as `String` counts
/// @param end one behind its last character
public record Answer(String text, float score, int start, int end) {}
