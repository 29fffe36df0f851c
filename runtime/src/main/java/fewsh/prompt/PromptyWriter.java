package fewsh.prompt;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Writes a composed prompt as a `.prompty` file.
///
/// The texts of the system message stand in the body, each behind a comment that names it, so that any reader of the format
/// gives the same messages. A line that the format would take for its own is written as an expression that prints it.
final class PromptyWriter {
    private PromptyWriter() {}

    static String write(Composition composition, List<Message> turns, Map<String, Object> options, String name,
            String description) {
        List<Message> before = new ArrayList<>(turns);
        String question = null;
        if (!before.isEmpty() && "user".equals(before.getLast().role())) question = before.removeLast().text();
        StringBuilder system = new StringBuilder();
        part(system, "role", composition.role());
        part(system, "context", composition.context());
        part(system, "instruction", composition.instruction());
        part(system, "style", composition.style());
        if (!system.isEmpty() && !before.isEmpty() && "system".equals(before.getFirst().role()))
            part(system, "system", before.removeFirst().text());
        StringBuilder body = new StringBuilder();
        if (!system.isEmpty()) body.append("system:\n").append(system).append('\n');
        for (Message message : before) body.append(roleLine(message)).append(verbatim(message.text())).append("\n\n");
        body.append("user:\n{{input}}\n");

        Map<String, Object> keys = new LinkedHashMap<>();
        if (!name.isEmpty()) keys.put("name", name);
        if (!description.isEmpty()) keys.put("description", description);
        Map<String, Object> settings = ModelOptions.write(options);
        if (!settings.isEmpty()) keys.put("model", Map.of("options", settings));
        Map<String, Object> input = new LinkedHashMap<>();
        input.put("name", "input");
        input.put("kind", "string");
        if (question == null) input.put("required", true);
        else input.put("default", question);
        keys.put("inputs", List.of(input));
        keys.replaceAll((_, value) -> References.unresolved(value));
        Map<String, Object> block = Block.write(composition.with(c -> {
            c.role = "";
            c.context = "";
            c.instruction = "";
            c.style = "";
        }));
        if (!block.isEmpty()) keys.put("fewsh", block);
        return "---\n" + Yaml.write(keys) + "---\n" + body;
    }

    private static void part(StringBuilder system, String name, String text) {
        if (text.isEmpty()) return;
        system.append(system.isEmpty() ? "" : "\n").append("{# ").append(name).append(" #}").append(verbatim(text)).append('\n');
    }

    /// With those fields that a role line can hold.
    private static String roleLine(Message message) {
        StringBuilder attributes = new StringBuilder();
        message.fields().forEach((key, value) -> {
            boolean simple = key.matches("\\w+") && !List.of("role", "content", "nonce").contains(key)
                    && value instanceof String text
                    && text.matches("[\\w.:/@ -]{1,200}") && !text.matches("(?i)true|false|[+-]?[\\d.]+")
                    && text.equals(text.strip());
            if (simple) attributes.append(attributes.isEmpty() ? "" : ", ").append(key).append("=\"").append(value).append('"');
        });
        return message.role() + (attributes.isEmpty() ? "" : "[" + attributes + "]") + ":\n";
    }

    /// A template that prints `text`.
    private static String verbatim(String text) {
        List<String> lines = new ArrayList<>(List.of(text.split("\n", -1)));
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i);
            boolean last = i == lines.size() - 1;
            boolean special = line.contains("{") && (line.contains("{{") || line.contains("{%") || line.contains("{#"))
                    || line.contains("\r") || Roles.isRole(line) || last && line.isBlank();
            if (special) lines.set(i, "{{ " + quoted(line) + " }}");
        }
        return String.join("\n", lines);
    }

    private static String quoted(String text) {
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n").replace("\r", "\\r") + '"';
    }
}
