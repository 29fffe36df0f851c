package fewsh.generate;

import fewsh.UserError;
import fewsh.generate.Automaton.State;
import fewsh.tokenize.Tokenizer;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.BitSet;

/// Holds one sample to a format: says which tokens may follow, and makes text of those that were drawn.
///
/// Whatever is drawn, the text is complete when the tokens it may have are used up: near the end only tokens are allowed from
/// which it can still be completed.
final class Constraint {
    private final Pieces pieces;
    private final Automaton automaton;
    private final Tokenizer tokenizer;
    private final CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder().onMalformedInput(CodingErrorAction.REPLACE);
    private State state;
    private int left;
    private boolean begun;
    /// Bytes of a character that is not whole yet.
    private byte[] held = {};

    /// @param left how many tokens may be drawn
    /// @throws UserError if the shortest text of the format takes more
    Constraint(Pieces pieces, Automaton automaton, Tokenizer tokenizer, int left) {
        this.pieces = pieces;
        this.automaton = automaton;
        this.tokenizer = tokenizer;
        this.state = pieces.start(automaton);
        this.left = left;
        if (left > 0 && !pieces.fits(automaton, state, left))
            throw new UserError("format", "the shortest answer of this format takes %,d tokens, %,d are left".formatted(
                    pieces.tokens(automaton, state), left), "raise max_tokens, or shorten the prompt if the context is full");
    }

    /// Sets the scores of tokens that may not follow to −∞.
    void mask(float[] scores) {
        BitSet allowed = pieces.allowed(automaton, state, left);
        for (int id = 0; id < scores.length; id++)
            if (allowed.get(id) || state.complete && pieces.ends(id)) {
                if (!(scores[id] > -Float.MAX_VALUE)) scores[id] = -Float.MAX_VALUE;
            } else scores[id] = Float.NEGATIVE_INFINITY;
    }

    /// Takes a token that was drawn, and is not the end.
    ///
    /// @return its text; empty while a character is not whole
    String accept(int id) {
        byte[] piece = tokenizer.bytes(id);
        state = pieces.after(automaton, state, piece);
        if (state == null) throw new IllegalStateException("token " + id + " may not follow");
        left--;
        int space = !begun && automaton.spaceFirst() && piece[0] == ' ' ? 1 : 0;
        begun = true;
        ByteBuffer in = ByteBuffer.allocate(held.length + piece.length).put(held).put(piece, space, piece.length - space).flip();
        CharBuffer out = CharBuffer.allocate(in.remaining());
        decoder.decode(in, out, false);
        held = Arrays.copyOfRange(in.array(), in.position(), in.limit());
        return out.flip().toString();
    }

    /// Whether the text is complete and nothing but its end may follow.
    boolean ended() {
        return state.complete && pieces.allowed(automaton, state, left == 0 ? Integer.MAX_VALUE : left).isEmpty();
    }
}
