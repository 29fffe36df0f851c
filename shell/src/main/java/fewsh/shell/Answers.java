package fewsh.shell;

import fewsh.generate.Decoding;
import fewsh.generate.Step;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/// Samples of one prompt while they are being drawn: steps in, texts out as they grow.
final class Answers {
    private final List<StringBuilder> texts = new ArrayList<>();
    private final List<List<Step.Token>> tokens = new ArrayList<>();
    private final Answer[] done;

    Answers(int n) {
        done = new Answer[n];
        for (int i = 0; i < n; i++) {
            texts.add(new StringBuilder());
            tokens.add(new ArrayList<>());
        }
    }

    /// Draws all samples to their end.
    ///
    /// @param stream gets each piece of text; of the only sample there is
    /// @param finished gets each sample as it ends, in order
    static List<Answer> draw(Decoding decoding, int n, Consumer<String> stream, Consumer<Answer> finished) {
        Answers answers = new Answers(n);
        int next = 0;
        while (decoding.hasNext()) {
            String text = answers.take(decoding.next());
            if (n == 1) stream.accept(text);
            while (next < n && answers.done[next] != null) finished.accept(answers.done[next++]);
        }
        return List.of(answers.done);
    }

    private String take(Step step) {
        return switch (step) {
            case Step.Token token -> {
                texts.get(token.sample()).append(token.text());
                tokens.get(token.sample()).add(token);
                yield token.text();
            }
            case Step.Stop(int sample, var reason, var text) -> {
                texts.get(sample).append(text);
                done[sample] = new Answer(sample, texts.get(sample).toString(), reason, tokens.get(sample));
                yield text;
            }
        };
    }
}
