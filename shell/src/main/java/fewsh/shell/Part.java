package fewsh.shell;

import fewsh.UserError;
import fewsh.ask.Inquiry;
import fewsh.prompt.Block;
import fewsh.prompt.Composition;
import fewsh.prompt.Cot;
import fewsh.prompt.Extraction;
import fewsh.prompt.Format;
import fewsh.prompt.Row;
import fewsh.prompt.Rows;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// A part of the composed prompt: a command of the shell, an option of the program and a key of the `fewsh:` block, a row each.
enum Part {
    ROLE("TEXT", "who answers: You are a patient tutor."),
    CONTEXT("TEXT", "what the answer is to rest on; @FILE is the text of a file"),
    INSTRUCTION("TEXT", "what is to be done"),
    STYLE("TEXT", "how the answer is to read"),
    SHOTS("FILE [k=N] [by=first|random|balanced|similar] [input=FIELD] [label=FIELD] [budget=N] [seed=N]",
            "examples of a JSONL, CSV or TSV file"),
    COT("off|zero_shot|few_shot", "whether the model reasons before it answers"),
    VOTE("N [early] [error=E] [temperature=T]", "N sampled paths, the majority wins; early stops when it is decided"),
    KNOWLEDGE("N", "N statements first; the answer that one of them makes surest wins"),
    ANSWER("text|line|number|date|option A|B…|regex P", "how the answer is found in what the model wrote"),
    FORMAT("json [@SCHEMA]|options A|B…|regex P", "what an answer must look like; nothing else can be written"),
    IMAGE("FILE", "an image beside the question");

    private static final List<String> OUTPUTS = List.of("output", "label", "answer", "target", "completion");
    private static final List<String> INPUTS = List.of("input", "question", "text", "prompt", "sentence");

    private final String value;
    private final String help;

    Part(String value, String help) {
        this.value = value;
        this.help = help;
    }

    String key() {
        return name().toLowerCase(Locale.ROOT);
    }

    String value() {
        return value;
    }

    String help() {
        return help;
    }

    /// The help as a sentence of the shell's.
    String sentence() {
        return Character.toUpperCase(help.charAt(0)) + help.substring(1) + "; off takes it away.";
    }

    /// What the Tab key offers for its value.
    Complete complete() {
        return this == SHOTS || this == IMAGE ? Complete.FILES : Complete.NOTHING;
    }

    Option option() {
        return Option.of(value.contains(" ") || value.contains("|") ? "\"" + value + "\"" : value, help, "--" + key());
    }

    /// `composition` with this part as a person gave it; `off` takes it away.
    ///
    /// @throws UserError for a value that is none
    Composition set(Composition composition, String text, Workspace workspace) {
        Composition given = text.equals("off") ? Composition.EMPTY : read(text, workspace);
        return composition.with(f -> {
            switch (this) {
                case ROLE -> f.role = given.role();
                case CONTEXT -> f.context = given.context();
                case INSTRUCTION -> f.instruction = given.instruction();
                case STYLE -> f.style = given.style();
                case SHOTS -> f.shots = given.shots();
                case COT -> f.cot = given.cot();
                case VOTE -> f.vote = given.vote();
                case KNOWLEDGE -> f.knowledge = given.knowledge();
                case ANSWER -> f.answer = given.answer();
                case FORMAT -> f.format = given.format();
                case IMAGE -> f.image = given.image();
            }
        });
    }

    private Composition read(String text, Workspace workspace) {
        Path folder = workspace.file(".");
        Object yaml = switch (this) {
            case ROLE, INSTRUCTION, STYLE, COT -> text;
            case CONTEXT -> text.startsWith("@") ? workspace.read(text.substring(1)) : text;
            case KNOWLEDGE -> Options.whole(key(), text, 0);
            case IMAGE -> {
                Path file = workspace.file(text).toAbsolutePath().normalize();
                folder = file.getParent();
                yield file.getFileName().toString();
            }
            case SHOTS -> examples(text, workspace);
            case VOTE -> words("n", text);
            case ANSWER -> choice(text, "kind");
            case FORMAT -> format(text, workspace);
        };
        return Block.read("/" + key(), Map.of(key(), yaml), folder);
    }

    /// The examples of a file as pairs of `input` and `output`, which is what a typed prompt asks for.
    private Object examples(String text, Workspace workspace) {
        Map<String, Object> words = words("file", text);
        String name = String.valueOf(words.remove("file"));
        List<Row> rows = Rows.read(workspace.file(name));
        if (rows.isEmpty()) throw new UserError(name, "holds no examples", "");
        List<String> fields = List.copyOf(rows.getFirst().keySet());
        String output = field(name, words, "label", OUTPUTS, fields);
        String input = field(name, words, "input", INPUTS, fields.stream().filter(f -> !f.equals(output)).toList());
        List<Map<String, Object>> examples = new ArrayList<>();
        for (Row row : rows) {
            Map<String, Object> example = new LinkedHashMap<>();
            for (var pair : List.of(Map.entry("input", input), Map.entry("output", output))) {
                if (row.get(pair.getValue()) == null)
                    throw new UserError(row.where(), "has no \"" + pair.getValue() + "\"", "it has " + String.join(", ", row.keySet()));
                example.put(pair.getKey(), row.get(pair.getValue()));
            }
            if (row.get("reasoning") != null) example.put("reasoning", row.get("reasoning"));
            examples.add(example);
        }
        words.put("examples", examples);
        return words;
    }

    /// Which field plays a role: the one that was named, the first that is called so, or the only one there is.
    private static String field(String file, Map<String, Object> words, String role, List<String> called, List<String> fields) {
        if (words.remove(role) instanceof Object named) {
            if (fields.contains(named.toString())) return named.toString();
            throw new UserError(file, "has no field \"" + named + "\"", UserError.near(named.toString(), fields, "it has "
                    + String.join(", ", fields)));
        }
        return called.stream().filter(fields::contains).findFirst().or(() -> fields.size() == 1 ? fields.stream().findFirst()
                : java.util.Optional.empty()).orElseThrow(() -> new UserError(file, "which field is the " + role + "? it has "
                + String.join(", ", fields), "say " + role + "=FIELD"));
    }

    /// `FILE k=5 early` → `{file: FILE, k: 5, early: true}`: the first word is `first`, the others are keys with values.
    private Map<String, Object> words(String first, String text) {
        Map<String, Object> words = new LinkedHashMap<>();
        for (String word : Commands.words("/" + key(), text)) {
            int equals = word.indexOf('=');
            if (words.isEmpty()) words.put(first, number(word));
            else if (equals < 0) words.put(word, true);
            else words.put(word.substring(0, equals), number(word.substring(equals + 1)));
        }
        return words;
    }

    private static Object number(String word) {
        if (word.matches("-?\\d{1,18}")) return Long.valueOf(word);
        return word.matches("-?\\d*\\.\\d+") ? (Object) Double.valueOf(word) : word;
    }

    /// `option A|B`, `regex P`, or a word alone.
    private static Object choice(String text, String kind) {
        String[] words = text.split("\\s+", 2);
        if (words.length == 1) return text;
        return switch (words[0]) {
            case "option" -> Map.of(kind, "option", "options", options(words[1]));
            case "regex" -> Map.of("regex", words[1]);
            default -> text;
        };
    }

    private static Object format(String text, Workspace workspace) {
        String[] words = text.split("\\s+", 2);
        String rest = words.length == 1 ? "" : words[1];
        return switch (words[0]) {
            case "json" -> Map.of("json", rest.isEmpty() ? Map.of() : Templates.map(rest.startsWith("@")
                    ? JsonLines.object(workspace.read(rest.substring(1)), rest.substring(1)) : JsonLines.object(rest, "/format")));
            case "options" -> Map.of("options", options(rest));
            case "regex" -> Map.of("regex", rest);
            default -> throw new UserError("/format", "unknown format \"" + words[0] + "\"",
                    UserError.near(words[0], List.of("json", "options", "regex"), "formats are json, options and regex"));
        };
    }

    private static List<String> options(String text) {
        return Arrays.stream(text.split("\\|")).map(String::strip).filter(o -> !o.isEmpty()).toList();
    }

    /// What `composition` has of this part, as a person would give it; empty for nothing.
    String shown(Composition composition) {
        return switch (this) {
            case ROLE -> composition.role();
            case CONTEXT -> composition.context();
            case INSTRUCTION -> composition.instruction();
            case STYLE -> composition.style();
            case SHOTS -> shots(composition);
            case COT -> composition.cot().kind() == Cot.Kind.OFF ? "" : composition.cot().kind().name().toLowerCase(Locale.ROOT);
            case VOTE -> composition.vote().n() == 1 ? "" : composition.vote().n() + (composition.vote().early()
                    ? " early error=" + Render.number(composition.vote().error()) : "");
            case KNOWLEDGE -> composition.knowledge() == 0 ? "" : Integer.toString(composition.knowledge());
            case ANSWER -> answer(composition.answer());
            case FORMAT -> format(composition.format());
            case IMAGE -> composition.image();
        };
    }

    private static String shots(Composition composition) {
        int pool = composition.shots().examples().size();
        if (pool == 0) return "";
        int k = composition.shots().k();
        return (k < 0 ? "all" : k + " of") + " " + pool + (pool == 1 ? " example" : " examples") + " by "
                + composition.shots().by().name().toLowerCase(Locale.ROOT)
                + (composition.shots().file().isEmpty() ? "" : " from " + composition.shots().file());
    }

    private static String answer(Extraction answer) {
        if (answer.equals(Extraction.WHOLE)) return "";
        String kind = answer.kind().name().toLowerCase(Locale.ROOT);
        return switch (answer.kind()) {
            case TEXT, LINE, NUMBER, DATE -> kind;
            case OPTION -> (kind + " " + String.join("|", answer.options())).strip();
            case REGEX -> kind + " " + answer.pattern();
        };
    }

    private static String format(Format format) {
        return switch (format) {
            case Format.Free _ -> "";
            case Format.Json(var schema) -> "json" + (schema.isEmpty() ? "" : " " + new com.google.gson.Gson().toJson(schema));
            case Format.Regex(var pattern) -> "regex " + pattern;
            case Format.Options(var options) -> "options " + String.join("|", options);
        };
    }

    /// The parts that `options` gives.
    static Map<Part, String> given(Options options) {
        Map<Part, String> given = new EnumMap<>(Part.class);
        for (Part part : values())
            if (options.has(part.key())) given.put(part, options.get(part.key(), ""));
        return given;
    }

    /// `composition` with all of `given` set.
    ///
    /// @throws UserError if what comes of it cannot be asked
    static Composition apply(Composition composition, Map<Part, String> given, Workspace workspace) {
        Composition changed = composition;
        for (var entry : given.entrySet()) changed = entry.getKey().set(changed, entry.getValue(), workspace);
        Inquiry.check(changed);
        return changed;
    }

}
