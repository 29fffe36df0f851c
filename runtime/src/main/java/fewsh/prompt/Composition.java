package fewsh.prompt;

import java.util.List;
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
/// @param format what the answer must look like; decoding is held to it
/// @param shots worked examples, and which of them are shown
/// @param cot whether the model reasons before it answers
/// @param vote how many paths are sampled, of which the majority wins
/// @param knowledge how many statements are generated, of which the one that makes the answer surest is used; 0 is off
/// @param answer how the answer is found in what the model wrote
/// @param stop texts that end what the model writes
/// @param image a file beside the prompt; empty for none
public record Composition(String role, String context, String instruction, String style, Format format, Shots shots, Cot cot,
        Vote vote, int knowledge, Extraction answer, List<String> stop, String image) {
    public static final Composition EMPTY = new Composition("", "", "", "", new Format.Free(), Shots.NONE, Cot.OFF, Vote.NONE, 0,
            Extraction.WHOLE, List.of(), "");

    public Composition {
        stop = List.copyOf(stop);
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
