package fewsh.models;

/// A root-mean-square norm's weights, `name.weight`.
///
/// @param plusOne whether published checkpoints keep them less 1, as Gemma's do; GGUF files keep them whole
record Norm(String name, float epsilon, boolean plusOne) {}
