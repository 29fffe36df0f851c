package fewsh.prompt;

import java.util.List;
import java.util.Map;

/// What a prompt says, given its inputs: a prompt file's template, or in the shell the conversation and what was typed.
///
/// The last user turn is the question; examples are shown in the same words, with their own fields as inputs.
@FunctionalInterface
public interface Body {
    List<Message> render(Map<String, Object> inputs);
}
