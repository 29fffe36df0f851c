package fewsh.prompt;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// A prompt as the model gets it, each part known by its name.
///
/// @param composition what it was made from
/// @param parts in order; those of the system message first
/// @param shown the examples that are among them, in order
/// @param dropped how many examples the token budget or the room in the context left out
public record Composed(Composition composition, List<Part> parts, List<Map<String, Object>> shown, int dropped) {
    /// @param label role, context, instruction, style, system, shots, conversation, question, answer (which is begun)
    public record Part(String label, Message message) {}

    private static final String BLANK_LINE = "\n\n";

    public Composed {
        parts = List.copyOf(parts);
        shown = List.copyOf(shown);
    }

    /// As a chat template takes it: one system message in front at most, then the turns.
    public List<Message> messages() {
        List<Message> messages = new ArrayList<>();
        for (Part part : parts) {
            Message message = part.message();
            boolean joins = "system".equals(message.role()) && !messages.isEmpty() && "system".equals(messages.getLast().role());
            if (joins) messages.add(new Message("system", join(messages.removeLast().text(), BLANK_LINE, message.text())));
            else messages.add(message);
        }
        return List.copyOf(messages);
    }

    /// As a model without a chat template takes it: the messages' texts with blank lines between, an answer after its question
    /// with a space between. What a text ends or begins with stands in for either, if it is white space.
    ///
    /// Source: `fewshot_context` and `maybe_delimit` of lm-evaluation-harness 0.4.13, with their default delimiters.
    public String text() {
        return text(messages());
    }

    /// Messages as text, the same way.
    public static String text(List<Message> messages) {
        StringBuilder text = new StringBuilder();
        String before = "";
        for (Message message : messages) {
            boolean answers = "assistant".equals(message.role()) && "user".equals(before);
            append(text, answers ? " " : BLANK_LINE, message.text());
            before = message.role();
        }
        return text.toString();
    }

    /// The same prompt with the assistant's turn begun, for the model to go on from there: the trigger of zero-shot chain of
    /// thought. A turn that is begun already goes on with it.
    ///
    /// A chat template renders the messages with [ChatTemplate#renderContinuing] then.
    public Composed begun(String beginning) {
        List<Part> begun = new ArrayList<>(parts);
        Message last = parts.isEmpty() ? null : parts.getLast().message();
        if (last != null && "assistant".equals(last.role()))
            begun.add(new Part(begun.removeLast().label(), last.with("content", join(last.text(), " ", beginning))));
        else begun.add(new Part("answer", new Message("assistant", beginning)));
        return new Composed(composition, begun, shown, dropped);
    }

    /// Two texts with a delimiter between, unless there is white space at the joint or one of them is empty.
    static String join(String first, String delimiter, String second) {
        StringBuilder text = new StringBuilder(first);
        append(text, delimiter, second);
        return text.toString();
    }

    private static void append(StringBuilder text, String delimiter, String next) {
        if (next.isEmpty()) return;
        if (!text.isEmpty() && !isSpace(text.charAt(text.length() - 1)) && !isSpace(next.charAt(0))) text.append(delimiter);
        text.append(next);
    }

    private static boolean isSpace(char c) {
        return Character.isWhitespace(c) || Character.isSpaceChar(c);
    }
}
