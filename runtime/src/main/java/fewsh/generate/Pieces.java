package fewsh.generate;

import fewsh.UserError;
import fewsh.generate.Automaton.State;
import fewsh.prompt.Format;
import fewsh.tokenize.Tokenizer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;

/// The bytes that a vocabulary's tokens stand for, sorted, so that tokens which begin alike are tried together.
///
/// Control tokens are not among them. Threads may share one.
final class Pieces {
    /// Formats whose automata are kept, with the masks of their states.
    private static final int KEPT = 4;

    private record Piece(byte[] bytes, int id) {}

    private record Compiled(Format format, Automaton automaton) {}

    private final int vocabSize;
    private final byte[][] bytes;
    private final int[] ids;
    /// How many bytes each has in common with the one before it.
    private final int[] common;
    private final int longest;
    private final BitSet alphabet = new BitSet(256);
    private final BitSet ends = new BitSet();
    private final Deque<Compiled> compiled = new ArrayDeque<>();

    Pieces(Tokenizer tokenizer, int vocabSize) {
        this.vocabSize = vocabSize;
        tokenizer.endOfGeneration().forEach(ends::set);
        List<Piece> pieces = new ArrayList<>();
        for (int id = 0; id < Math.min(vocabSize, tokenizer.size()); id++) {
            if (!tokenizer.has(id) || tokenizer.isSpecial(id) || ends.get(id)) continue;
            byte[] piece = tokenizer.bytes(id);
            if (piece.length > 0) pieces.add(new Piece(piece, id));
        }
        pieces.sort(Comparator.comparing(Piece::bytes, Arrays::compareUnsigned));
        bytes = pieces.stream().map(Piece::bytes).toArray(byte[][]::new);
        ids = pieces.stream().mapToInt(Piece::id).toArray();
        common = new int[ids.length];
        int most = 0;
        for (int i = 0; i < ids.length; i++) {
            if (i > 0) {
                int differs = Arrays.mismatch(bytes[i - 1], bytes[i]);
                common[i] = differs < 0 ? bytes[i].length : differs;
            }
            most = Math.max(most, bytes[i].length);
            if (bytes[i].length == 1) alphabet.set(bytes[i][0] & 0xFF);
        }
        longest = most;
    }

    /// The automaton of a format; that of the last few is kept.
    ///
    /// @throws UserError if the format is wrong, asks for what is not supported, is too large, or allows no text
    synchronized Automaton automaton(Format format) {
        // by identity: to compare formats is to walk through schemas, which may be as deep and wide as someone likes
        for (Compiled known : compiled) if (known.format == format) return known.automaton;
        Compiled fresh = new Compiled(format, Automaton.of(format, alphabet));
        compiled.addLast(fresh);
        if (compiled.size() > KEPT) compiled.removeFirst();
        return fresh.automaton;
    }

    /// Whether a token ends an answer.
    boolean ends(int id) {
        return ends.get(id);
    }

    /// The tokens that may follow when `left` may be drawn, the one asked for among them: a text can be completed with the
    /// others. Not to be changed.
    synchronized BitSet allowed(Automaton automaton, State from, int left) {
        State state = automaton.at(from);
        if (state.mask() == null) {
            BitSet mask = new BitSet(vocabSize);
            state.mask(mask, walk(state, Integer.MAX_VALUE, mask));
        }
        if (left - 1 >= state.farthest()) return state.mask();
        BitSet mask = new BitSet(vocabSize);
        walk(state, left - 1, mask);
        return mask;
    }

    synchronized State start(Automaton automaton) {
        return automaton.start();
    }

    /// Whether a text can be completed with so many tokens.
    synchronized boolean fits(Automaton automaton, State from, int tokens) {
        return fits(automaton.at(from), tokens);
    }

    /// The fewest tokens of the shortest completion.
    synchronized int tokens(Automaton automaton, State from) {
        return tokens(automaton.at(from));
    }

    /// The state after a token; null if it may not follow.
    synchronized State after(Automaton automaton, State from, byte[] piece) {
        State state = automaton.at(from);
        for (byte b : piece) {
            state = state.next(b & 0xFF);
            if (state == null) return null;
        }
        return state;
    }

    /// Sets the tokens after which the text can be completed with `left` more, and says how many bytes the farthest of them is
    /// from the end.
    private int walk(State from, int left, BitSet mask) {
        State[] path = new State[longest + 1];
        path[0] = from;
        int farthest = 0;
        int dead = Integer.MAX_VALUE;       // the length of a beginning that may not follow
        for (int i = 0; i < ids.length; i++) {
            if (common[i] >= dead) continue;
            dead = Integer.MAX_VALUE;
            byte[] piece = bytes[i];
            for (int d = common[i]; d < piece.length; d++) {
                path[d + 1] = path[d].next(piece[d] & 0xFF);
                if (path[d + 1] == null) {
                    dead = d + 1;
                    break;
                }
            }
            if (dead <= piece.length) continue;
            State to = path[piece.length];
            if (!fits(to, left)) continue;
            mask.set(ids[i]);
            farthest = Math.max(farthest, to.distance);
        }
        return farthest;
    }

    private boolean fits(State state, int left) {
        return left >= 0 && (state.distance <= left || tokens(state) <= left);
    }

    /// The fewest tokens that spell the shortest completion of `state`: there are some, for each of its bytes is a token.
    private int tokens(State state) {
        if (state.tokens >= 0) return state.tokens;
        List<State> path = new ArrayList<>(List.of(state));
        byte[] text = new byte[state.distance];
        for (int i = 0; i < text.length; i++) {
            int b = path.getLast().shortest();
            text[i] = (byte) b;
            path.add(path.getLast().next(b));
        }
        path.getLast().tokens = 0;
        for (int i = text.length - 1; i >= 0; i--) {
            if (path.get(i).tokens >= 0) continue;
            int fewest = Integer.MAX_VALUE;
            int low = 0;
            int high = ids.length;
            for (int d = 0; i + d < text.length; d++) {
                low = first(low, high, d, text[i + d] & 0xFF);
                high = first(low, high, d, (text[i + d] & 0xFF) + 1);
                if (low == high) break;
                if (bytes[low].length == d + 1) fewest = Math.min(fewest, 1 + path.get(i + d + 1).tokens);
            }
            path.get(i).tokens = fewest;
        }
        return state.tokens;
    }

    /// The first of the pieces from `low` on, all alike in their first `d` bytes, whose next byte is `b` or more.
    private int first(int low, int high, int d, int b) {
        while (low < high) {
            int middle = low + high >>> 1;
            if (bytes[middle].length > d && (bytes[middle][d] & 0xFF) >= b) high = middle;
            else low = middle + 1;
        }
        return low;
    }
}
