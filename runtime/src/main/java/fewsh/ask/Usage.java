package fewsh.ask;

import java.time.Duration;

/// What an answer took.
///
/// @param promptTokens of all prompts that were fed: one for a vote, two for zero-shot chain of thought
/// @param reusedTokens how many of those the cache held already
/// @param completionTokens that were drawn, of all samples
/// @param prefill the time prompts took
/// @param decode the time all tokens took but the first of each sample
public record Usage(int promptTokens, int reusedTokens, int completionTokens, Duration prefill, Duration decode) {}
