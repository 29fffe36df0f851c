package fewsh.shell;

import fewsh.prompt.Body;
import fewsh.prompt.Input;
import fewsh.prompt.Message;
import fewsh.prompt.PromptFile;
import java.util.List;
import java.util.Map;

/// How what is typed becomes the user's turn: as it is, or as an input of the prompt file that was opened.
///
/// @param input the name of what is typed
/// @param body whose last user turn is the question, given the input
record Question(String input, Body body) {
    static final Question PLAIN = new Question("input", inputs ->
            List.of(new Message("user", String.valueOf(inputs.get("input")))));

    /// The question of a prompt file: what is typed is its input of that name, else the first text that it cannot do without,
    /// else its first text; its other inputs have their defaults.
    static Question of(PromptFile file) {
        List<Input> texts = file.inputs().stream().filter(i -> i.kind().equals("string") || i.kind().equals("any")).toList();
        String input = texts.stream().filter(i -> i.name().equals("input")).findFirst()
                .or(() -> texts.stream().filter(i -> i.byDefault() == null).findFirst())
                .or(() -> texts.stream().findFirst()).map(Input::name).orElse("");
        return input.isEmpty() ? PLAIN : new Question(input, file.turns());
    }

    /// The user's turn that `inputs` make.
    Message turn(Map<String, Object> inputs) {
        return body.render(inputs).reversed().stream().filter(m -> "user".equals(m.role())).findFirst()
                .orElseGet(() -> new Message("user", String.valueOf(inputs.get(input))));
    }
}
