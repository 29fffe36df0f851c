package fewsh.prompt;

import fewsh.UserError;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/// A prompt in parts, and how it is to be answered: what the `fewsh:` block of a prompt file, the shell's `/role … /vote` and
/// the scripts' `compose` all build.
///
/// The texts may be empty; they are joined, in this order, to the system message.
///
/// @param role who answers: `You are a patient tutor.`
/// @param context what the answer is to rest on
/// @param instruction what is to be done
/// @param style how the answer is to read
/// @param format what the answer must look like; decoding is held to it. It adds no words to the prompt: what is sent is what
///               was written, so say in the instruction what is wanted
/// @param shots worked examples, and which of them are shown
/// @param cot whether the model reasons before it answers
/// @param vote how many paths are sampled, of which the majority wins
/// @param knowledge how many statements are generated, of which the one that makes the answer surest is used; 0 is off
/// @param answer how the answer is found in what the model wrote
/// @param stop texts that end what the model writes
/// @param image the path of a file; empty for none
public record Composition(String role, String context, String instruction, String style, Format format, Shots shots, Cot cot,
        Vote vote, int knowledge, Extraction answer, List<String> stop, String image) {
    public static final Composition EMPTY = new Composition("", "", "", "", new Format.Free(), Shots.NONE, Cot.OFF, Vote.NONE, 0,
            Extraction.WHOLE, List.of(), "");

    public Composition {
        stop = List.copyOf(stop);
        if (answer.kind() == Extraction.Kind.OPTION && answer.options().isEmpty()
                && format instanceof Format.Options(var options))
            answer = answer.with(options); // what may be written is what may be answered
    }

    /// The prompt for one item, as the model gets it; nothing is dropped but for `shots.budget`.
    ///
    /// @param body what the prompt says; its system messages in front follow the composition's own parts, its last user turn is
    ///             the question, and examples are shown before the turns that lead to it
    /// @param inputs the item: what `body` is rendered with, and what decides which examples are shown
    /// @throws UserError if the examples cannot be shown: too few, a field missing
    public Composed compose(Body body, Map<String, Object> inputs, Tokens tokens) {
        return compose(body, inputs, tokens, Pool.of(shots), Integer.MAX_VALUE);
    }

    /// The same for one item of many.
    ///
    /// @param pool of these `shots`, made once
    /// @param room most tokens that the prompt may be; examples are dropped until it is, and all of them if it cannot be
    public Composed compose(Body body, Map<String, Object> inputs, Tokens tokens, Pool pool, int room) {
        return new Assembly(this, body, inputs, pool).within(tokens, room);
    }

    /// The components by name, for [#with].
    public static final class Fields {
        public String role;
        public String context;
        public String instruction;
        public String style;
        public Format format;
        public Shots shots;
        public Cot cot;
        public Vote vote;
        public int knowledge;
        public Extraction answer;
        public List<String> stop;
        public String image;

        private Fields(Composition c) {
            role = c.role;
            context = c.context;
            instruction = c.instruction;
            style = c.style;
            format = c.format;
            shots = c.shots;
            cot = c.cot;
            vote = c.vote;
            knowledge = c.knowledge;
            answer = c.answer;
            stop = c.stop;
            image = c.image;
        }
    }

    /// This with some components changed: `composition.with(c -> c.role = "You are a poet.")`.
    public Composition with(Consumer<Fields> change) {
        Fields f = new Fields(this);
        change.accept(f);
        return new Composition(f.role, f.context, f.instruction, f.style, f.format, f.shots, f.cot, f.vote, f.knowledge, f.answer,
                f.stop, f.image);
    }
}
