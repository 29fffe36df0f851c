package fewsh.generate;

/// A token that could stand at a position.
///
/// @param logprob ln of the model's own probability, before any sampling control, in nats
public record Candidate(int id, String text, double logprob) {}
