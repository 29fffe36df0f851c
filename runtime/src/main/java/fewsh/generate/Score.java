package fewsh.generate;

import java.util.List;

/// How likely a text is.
///
/// @param loglikelihood sum of the tokens' logprobs, in nats (≤ 0)
/// @param isGreedy whether argmax decoding yields exactly these tokens
/// @param tokens each token that was scored
/// @param cut how many tokens of the context were dropped from the left to fit the context length
public record Score(double loglikelihood, boolean isGreedy, List<Candidate> tokens, int cut) {
    public Score {
        tokens = List.copyOf(tokens);
    }
}
