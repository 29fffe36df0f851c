package fewsh.prompt;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// The text of a prompt file below its front matter.
interface PromptTemplate {
    /// @param inputs those of `declared` that are given or have a default, and others
    /// @param folder where files that inputs name are
    /// @throws fewsh.UserError if the template fails, with its line
    List<Message> render(List<Input> declared, Map<String, Object> inputs, Path folder);

    /// The texts that `/save` marked as `role`, `context`, `instruction` and `style`.
    default Map<String, String> parts() {
        return Map.of();
    }

    /// Without those texts.
    default PromptTemplate withoutParts() {
        return this;
    }
}
