package fewsh.prompt;

import fewsh.UserError;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// A prompt kept in a file: Prompty's (`.prompty`) or dotprompt's (`.prompt`). Immutable; threads may share it.
///
/// ```java
/// PromptFile file = PromptFile.read(Path.of("prompts/translate.prompty"), System.getenv());
/// Map<String, Object> inputs = file.check(Map.of("text", "Good morning"));
/// List<Message> messages = file.body().render(inputs);
/// ```
public final class PromptFile {
    private final Path file;
    private final String name;
    private final String description;
    private final List<Input> inputs;
    private final Map<String, Object> options;
    private final PromptTemplate template;
    private final Composition composition;
    private final Map<String, Object> schema;
    private final List<String> warnings;

    /// @param schema what the inputs are checked against besides their kinds; empty for none
    PromptFile(Path file, String name, String description, List<Input> inputs, Map<String, Object> options,
               PromptTemplate template, Composition composition, Map<String, Object> schema, List<String> warnings) {
        this.file = file;
        this.name = name;
        this.description = description;
        this.inputs = List.copyOf(inputs);
        this.options = options;
        this.template = template;
        this.composition = composition;
        this.schema = schema;
        this.warnings = List.copyOf(warnings);
    }

    /// @param environment what `${env:NAME}` in a `.prompty` file stands for
    /// @throws UserError if there is no such file, it is of another kind, or it is wrong, with the line
    public static PromptFile read(Path file, Map<String, String> environment) {
        String name = file.getFileName() == null ? "" : file.getFileName().toString().toLowerCase(Locale.ROOT);
        if (name.endsWith(".prompty")) return Prompty.read(file, FrontMatter.text(file), environment);
        if (name.endsWith(".prompt")) return Dotprompt.read(file, FrontMatter.text(file));
        throw new UserError(file.toString(), "is no prompt file", "prompt files end in .prompty or .prompt");
    }

    /// What the file calls it, else the file's name without its ending.
    public String name() {
        return name;
    }

    /// May be empty.
    public String description() {
        return description;
    }

    /// In the file's order.
    public List<Input> inputs() {
        return inputs;
    }

    /// Sampling settings, of `temperature`, `top_p`, `top_k`, `max_tokens`, `seed`, `stop` (a list), `presence_penalty` and
    /// `frequency_penalty` those that the file sets.
    public Map<String, Object> options() {
        return java.util.Collections.unmodifiableMap(options);
    }

    /// What the file says that is ignored and was probably meant: a line each, with its place.
    public List<String> warnings() {
        return warnings;
    }

    /// The inputs as the template takes them: of their kinds, read from text where that is what is given, with defaults.
    /// What is not declared is passed on.
    ///
    /// @throws UserError naming the input, if one is missing, of another kind, not allowed, or looks like a declared one mistyped
    public Map<String, Object> check(Map<String, Object> given) {
        String where = file.toString();
        List<String> missing = inputs.stream().map(Input::name).filter(name -> !given.containsKey(name)).toList();
        for (String name : given.keySet()) {
            if (inputs.stream().anyMatch(input -> input.name().equals(name))) continue;
            String near = name.length() < 3 ? "" : UserError.near(name, missing, ""); // any two short names are near
            if (!near.isEmpty()) throw new UserError(where, "there is no input \"" + name + "\"", near);
        }
        Map<String, Object> checked = new LinkedHashMap<>();
        for (Input input : inputs) {
            Object value = given.get(input.name()) != null ? given.get(input.name()) : input.byDefault();
            if (value == null && input.required())
                throw new UserError(where, "input \"" + input.name() + "\" is missing",
                        "give it: --set " + input.name() + "=…"
                                + (input.description().isEmpty() ? "" : " (" + input.description() + ")"));
            if (value == null) continue;
            boolean names = Input.RICH.contains(input.kind()) && !input.kind().equals("thread");
            Object converted = input.convert(where, value);
            if (names) Rich.part(where, Prompty.folder(file), input.kind(), input.name(), converted);
            checked.put(input.name(), converted);
        }
        if (!schema.isEmpty()) Schemas.check(where, schema, checked);
        given.forEach(checked::putIfAbsent);
        return checked;
    }

    /// The messages, given inputs; those not given have their defaults, and for the template the rest is undefined.
    public Body body() {
        return given -> render(template, given);
    }

    /// The file's own keys: how the answer is to be got. The texts of the system message are in [#body].
    public Composition composition() {
        return composition;
    }

    /// The same with the texts that [#write] marked as `role`, `context`, `instruction` and `style`, to go on working on them.
    /// Together with [#turns] it says what [#composition] and [#body] say.
    public Composition parts() {
        Map<String, String> parts = template.parts();
        return composition.with(c -> {
            c.role = joined(c.role, parts.get("role"));
            c.context = joined(c.context, parts.get("context"));
            c.instruction = joined(c.instruction, parts.get("instruction"));
            c.style = joined(c.style, parts.get("style"));
        });
    }

    /// [#body] without the marked texts.
    public Body turns() {
        PromptTemplate rest = template.withoutParts();
        return given -> render(rest, given);
    }

    /// A `.prompty` file that says the same, to any program that reads Prompty: what [#parts] and [#turns] give back.
    ///
    /// Blank lines at the start and the end of a message are not kept, as the format has it; nor are parts that are no text.
    ///
    /// @param turns   what comes before the question; if its last message is the user's, that is the question's default
    /// @param options as in [#options]
    /// @param name    may be empty, as may `description`
    public static String write(Composition composition, List<Message> turns, Map<String, Object> options, String name,
                               String description) {
        return PromptyWriter.write(composition, turns, options, name, description);
    }

    private List<Message> render(PromptTemplate what, Map<String, Object> given) {
        Map<String, Object> all = new LinkedHashMap<>(given);
        for (Input input : inputs)
            if (all.get(input.name()) == null && input.byDefault() != null) all.put(input.name(), input.byDefault());
        return what.render(inputs, all, Prompty.folder(file));
    }

    private static String joined(String text, String more) {
        if (more == null || more.isEmpty()) return text;
        return text.isEmpty() ? more : text + "\n\n" + more;
    }
}
