package fewsh.generate;

import java.util.List;

/// What a decoding does next. With several samples their steps alternate; `sample` tells them apart.
public sealed interface Step {
    /// Which of the `n` samples, from 0.
    int sample();

    /// A token was drawn.
    ///
    /// @param text what may be shown now: empty while a character or a possible stop sequence is incomplete
    /// @param logprob ln of the model's own probability of the token, in nats
    /// @param top the likeliest tokens at this position, likeliest first; empty unless asked for
    record Token(int sample, int id, String text, double logprob, List<Candidate> top) implements Step {
        public Token {
            top = List.copyOf(top);
        }
    }

    /// A sample ended.
    ///
    /// @param text what was held back and may be shown after all
    record Stop(int sample, FinishReason reason, String text) implements Step {}
}
