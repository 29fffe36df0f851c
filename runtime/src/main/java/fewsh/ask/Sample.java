package fewsh.ask;

import fewsh.generate.FinishReason;
import fewsh.generate.Step;
import java.util.List;
import java.util.Optional;

/// One sampled path to its end.
///
/// @param index which of the samples, from 0; the path depends on the seed and it alone
/// @param text all that the assistant said; of zero-shot chain of thought both phrases too
/// @param answer what was found in it; empty if nothing was, or if the path was interrupted
/// @param reason why the path ended; of zero-shot chain of thought, why the reasoning did
/// @param tokens that were drawn, in order
public record Sample(int index, String text, Optional<String> answer, FinishReason reason, List<Step.Token> tokens) {
    public Sample {
        tokens = List.copyOf(tokens);
    }

    /// ln of the path's probability, in nats.
    public double logprob() {
        return tokens.stream().mapToDouble(Step.Token::logprob).sum();
    }
}
