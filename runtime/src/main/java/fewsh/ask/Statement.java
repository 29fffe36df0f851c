package fewsh.ask;

/// A generated statement and the answer that it led to.
///
/// @param text the statement; empty for the answer without any
/// @param sample the answer
/// @param probability how sure the model was of the answer, in (0, 1]: of options, the chosen one's share of the likelihood of
///                    all; otherwise the geometric mean of its tokens' probabilities
public record Statement(String text, Sample sample, double probability) {}
