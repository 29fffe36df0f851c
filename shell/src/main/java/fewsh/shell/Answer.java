package fewsh.shell;

import fewsh.generate.FinishReason;
import fewsh.generate.Step;
import java.util.List;

/// A finished sample: its text, why it ended, its tokens.
///
/// @param sample which of the samples of a prompt, from 0
/// @param text what was shown: stop sequences and end-of-text tokens are not part of it
record Answer(int sample, String text, FinishReason reason, List<Step.Token> tokens) {
    Answer {
        tokens = List.copyOf(tokens);
    }
}
