package fewsh.prompt;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// A prompt as the model gets it, each part known by its name.
///
/// @param composition what it was made from
/// @param parts in order; those of the system message first
/// @param shown the examples that are among them, in order
/// @param dropped how many examples the token budget left out
public record Composed(Composition composition, List<Part> parts, List<Map<String, Object>> shown, int dropped) {
    /// @param label role, context, instruction, style, system, shots, conversation, question
    public record Part(String label, Message message) {}

    public Composed {
        parts = List.copyOf(parts);
        shown = List.copyOf(shown);
    }

    /// As a chat template takes it: one system message at most, then the turns.
    public List<Message> messages() {
        List<Message> messages = new ArrayList<>();
        for (Part part : parts) {
            Message message = part.message();
            boolean joins = "system".equals(message.role()) && !messages.isEmpty() && "system".equals(messages.getLast().role());
            if (joins) messages.set(messages.size() - 1, new Message("system", messages.getLast().text() + "\n\n" + message.text()));
            else messages.add(message);
        }
        return List.copyOf(messages);
    }
}
