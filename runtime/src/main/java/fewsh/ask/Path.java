package fewsh.ask;

import fewsh.generate.FinishReason;
import fewsh.generate.Step;
import fewsh.prompt.Extraction;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.IntFunction;

/// One path while it is being sampled.
final class Path {
    private final int index;
    private final StringBuilder text;
    private final List<Step.Token> tokens = new ArrayList<>();
    private FinishReason reason = FinishReason.INTERRUPTED;
    private String extract = "";
    private int answerFrom;
    private final IntFunction<String> piece;
    /// Whether the next token continues words that it did not follow when it was decoded.
    private boolean joins;
    /// Whether a space is due, which a SentencePiece decoder drops in front.
    private boolean spaced;

    /// @param begun what the assistant says before the first token
    /// @param piece a token as the vocabulary has it
    Path(int index, String begun, IntFunction<String> piece) {
        this.index = index;
        this.piece = piece;
        this.joins = !begun.isEmpty();
        this.text = new StringBuilder(begun);
    }

    String text() {
        return text.toString();
    }

    /// Adds what a step says.
    ///
    /// @return what it added to the text
    String take(Step step) {
        String added = switch (step) {
            case Step.Token token -> {
                if (joins) spaced = piece.apply(token.id()).startsWith("▁");
                joins = false;
                tokens.add(token);
                yield token.text();
            }
            case Step.Stop stop -> {
                if (answerFrom == 0 || stop.reason() == FinishReason.INTERRUPTED) reason = stop.reason();
                yield stop.text();
            }
        };
        if (spaced && !added.isEmpty()) {
            if (!Character.isWhitespace(added.charAt(0))) added = " " + added;
            spaced = false;
        }
        text.append(added);
        return added;
    }

    /// The phrase that asks for the answer, on a line of its own behind the text.
    String onItsLine(String phrase) {
        return (text.isEmpty() || text.charAt(text.length() - 1) == '\n' ? "" : "\n") + phrase;
    }

    /// Adds that phrase.
    void ask(String phrase) {
        text.append(onItsLine(phrase));
        extract = phrase;
        joins = true;
        answerFrom = text.length();
    }

    void interrupt() {
        reason = FinishReason.INTERRUPTED;
    }

    /// What `added` may keep if the answer is one line: empty as long as that line has not ended.
    Optional<String> lineEnd(String added) {
        int begins = answerFrom;
        while (begins < text.length() && Character.isWhitespace(text.charAt(begins))) begins++;
        int end = text.indexOf("\n", begins);
        if (end < 0) return Optional.empty();
        String kept = added.substring(0, Math.max(0, added.length() - (text.length() - end)));
        text.setLength(end);
        return Optional.of(kept);
    }

    Sample end(Extraction extraction) {
        Optional<String> answer = reason == FinishReason.INTERRUPTED ? Optional.empty() : answer(extraction);
        return new Sample(index, text(), answer, reason, tokens);
    }

    private Optional<String> answer(Extraction extraction) {
        if (answerFrom == 0) return extraction.find(text());
        String line = text.substring(answerFrom);
        return switch (extraction.kind()) {
            case TEXT, LINE -> extraction.find(line);
            // "the answer is" may be what a pattern looks for
            case NUMBER, OPTION, DATE, REGEX -> extraction.find(extract + line);
        };
    }
}
