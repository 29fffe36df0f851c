package fewsh.tokenize;

import java.util.Arrays;

/// Turns ids that come one by one into text, without ever showing half a character.
///
/// The pieces that [#next] and [#finish] return, put together, are what [Tokenizer#decode] makes of all the ids at once: the
/// space that a SentencePiece decoder drops in front is dropped once, WordPiece's spaces stand between words, bytes that are no
/// UTF-8 become U+FFFD. Text is held back while a later id could still change it. Belongs to one answer and one thread.
public final class TextStream {
    private final Tokenizer tokenizer;
    private final boolean skipSpecial;
    private int[] ids = {};
    /// How many of `ids` have been shown; at most one, which decoders look back at.
    private int shown;

    TextStream(Tokenizer tokenizer, boolean skipSpecial) {
        this.tokenizer = tokenizer;
        this.skipSpecial = skipSpecial;
    }

    /// The text that is certain now and has not been returned yet; often one word, empty while a character is incomplete.
    public String next(int id) {
        if (!tokenizer.has(id) || skipSpecial && tokenizer.isSpecial(id)) return "";
        ids = Arrays.copyOf(ids, ids.length + 1);
        ids[ids.length - 1] = id;
        if (tokenizer.isByte(id)) return "";
        String text = rest();
        if (text.endsWith("\uFFFD")) return "";
        ids = new int[] {id};
        shown = 1;
        return text;
    }

    /// What was held back.
    public String finish() {
        String text = rest();
        ids = new int[] {};
        shown = 0;
        return text;
    }

    private String rest() {
        if (shown == ids.length) return "";
        int before = tokenizer.decode(Arrays.copyOf(ids, shown), false).length();
        String text = tokenizer.decode(ids, false);
        return text.substring(Math.min(before, text.length()));
    }
}
