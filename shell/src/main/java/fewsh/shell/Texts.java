package fewsh.shell;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import fewsh.UserError;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/// What a command is given to work on: its words as one text, or a text a line of standard input.
///
/// @param where a line of standard input, for errors; empty for words
/// @param pair a second text that belongs to the first, such as a hypothesis to its premise
record Texts(String where, String text, Optional<String> pair) {
    /// How many lines are read before they are worked on together.
    private static final int TOGETHER = 1024;

    /// Hands over texts, many at a time, in order. Under `--json` a line is a string in quotes or an object with `text` and
    /// perhaps `pair`.
    ///
    /// @param pair what goes with the words
    static void each(Workspace workspace, Options options, String command, Optional<String> pair, Consumer<List<Texts>> run) {
        if (!options.words().isEmpty()) {
            run.accept(List.of(new Texts("", options.text(), pair)));
            return;
        }
        if (workspace.terminalIn())
            throw new UserError("fewsh " + command, "no text", "give a TEXT, or lines of text on standard input");
        List<Texts> lines = new ArrayList<>();
        int number = 0;
        for (String line = workspace.readLine(); line != null; line = workspace.readLine()) {
            number++;
            if (line.isBlank() && workspace.render().json()) continue;
            lines.add(of(line, "stdin:" + number, workspace.render().json(), pair));
            if (lines.size() < TOGETHER) continue;
            run.accept(lines);
            lines = new ArrayList<>();
        }
        if (number == 0) throw new UserError("fewsh " + command, "no text", "give a TEXT, or lines of text on standard input");
        if (!lines.isEmpty()) run.accept(lines);
    }

    private static Texts of(String line, String where, boolean json, Optional<String> pair) {
        if (!json) return new Texts(where, line, pair);
        JsonElement value;
        try {
            value = JsonLines.value(line, where);
        } catch (UserError e) {
            throw new UserError(where, e.what(), "with --json a line is a string in quotes, or {\"text\",\"pair\"}", e);
        }
        return switch (value) {
            case JsonPrimitive text when text.isString() -> new Texts(where, text.getAsString(), pair);
            case JsonObject object -> {
                for (String key : object.keySet())
                    if (!List.of("text", "pair").contains(key))
                        throw new UserError(where, "unknown field \"" + key + "\"", "a line is {\"text\"} or {\"text\",\"pair\"}");
                yield new Texts(where, JsonLines.text(object, "text", where),
                        object.has("pair") ? Optional.of(JsonLines.text(object, "pair", where)) : pair);
            }
            case JsonElement _ -> throw new UserError(where, "not a string or an object",
                    "with --json a line is a string in quotes, or {\"text\",\"pair\"}");
        };
    }
}
