package fewsh.shell;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import fewsh.UserError;
import fewsh.tokenize.Tokenizer;
import fewsh.weights.Weights;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// `fewsh tokenize` and `/tokens`: text → ids and pieces, and back.
///
/// @param special special tokens are recognised in text, and written when decoding
/// @param decode ids in, text out
record Tokenizing(boolean special, boolean decode) {
    static int run(Workspace workspace, Options options) {
        Tokenizing how = new Tokenizing(options.has("special"), options.has("decode"));
        try (Tokenizer tokenizer = tokenizer(workspace.store().resolve(workspace.modelName(options)).path())) {
            how.run(workspace, tokenizer, options);
            return 0;
        }
    }

    /// The tokenizer alone: its model need not be loaded, nor fit into memory.
    private static Tokenizer tokenizer(Path model) {
        if (Files.isDirectory(model)) return Tokenizer.open(model);
        try (Weights weights = Weights.open(model)) {
            return Tokenizer.ofGguf(model.toString(), weights.metadata());
        }
    }

    private void run(Workspace workspace, Tokenizer tokenizer, Options options) {
        if (!options.words().isEmpty()) {
            show(workspace.render(), tokenizer, input(options.text(), "fewsh tokenize", false));
            return;
        }
        int number = 0;
        for (String line = workspace.readLine(); line != null; line = workspace.readLine()) {
            number++;
            Input input = input(line, "stdin:" + number, workspace.render().json());
            try {
                show(workspace.render(), tokenizer, input);
            } catch (UserError e) {
                throw JsonLines.at(number, e);
            }
        }
    }

    /// `/tokens TEXT`.
    static int slash(Workspace workspace, Options options) {
        String text = options.expect("/tokens", "TEXT", 1, 1).text();
        Tokenizing how = new Tokenizing(true, false);
        how.show(workspace.render(), workspace.model().tokenizer(), new Text(text));
        return 0;
    }

    private sealed interface Input {}

    private record Text(String text) implements Input {}

    private record Ids(int[] ids) implements Input {}

    private Input input(String line, String where, boolean json) {
        if (!decode) {
            if (!json) return new Text(line);
            if (JsonLines.value(line, where) instanceof JsonPrimitive value
                    && value.isString()) return new Text(value.getAsString());
            throw new UserError(where, "not a JSON string", "with --json a line is a string in quotes");
        }
        JsonElement value = line.stripLeading().startsWith("[") || json ? JsonLines.value(line, where) : null;
        List<String> ids = new ArrayList<>();
        if (value instanceof JsonArray array) array.forEach(id -> ids.add(id.isJsonPrimitive() ? id.getAsString()
                : id.toString()));
        else if (value instanceof JsonObject object && object.get("ids") instanceof JsonArray array)
            array.forEach(id -> ids.add(id.isJsonPrimitive() ? id.getAsString() : id.toString()));
        else if (value == null) ids.addAll(List.of(line.strip().split("[\\s,]+")));
        else throw new UserError(where, "not a list of ids", "a line is [1, 2, 3]");
        ids.removeIf(String::isEmpty);
        for (String id : ids)
            if (!id.matches("\\d{1,9}"))
                throw new UserError(where, "an id must be a whole number, was \"" + id + "\"", "a line is 1 2 3 or [1, 2, 3]");
        return new Ids(ids.stream().mapToInt(Integer::parseInt).toArray());
    }

    private void show(Render render, Tokenizer tokenizer, Input input) {
        switch (input) {
            case Text(String text) -> {
                int[] ids = tokenizer.encode(text, false, special);
                if (render.json()) render.line(json(tokenizer, ids));
                else table(render, tokenizer, ids);
            }
            case Ids(int[] ids) -> {
                for (int id : ids)
                    if (!tokenizer.has(id)) throw new UserError("", "id " + id + " is not in the vocabulary", "");
                String text = tokenizer.decode(ids, !special);
                if (render.json()) {
                    JsonObject line = new JsonObject();
                    line.addProperty("text", text);
                    render.line(line);
                } else render.line(text);
            }
        }
    }

    /// What a token stands for; a token that is part of a character has no text of its own and shows as `�`.
    static String text(Tokenizer tokenizer, int id) {
        return new String(tokenizer.bytes(id), StandardCharsets.UTF_8);
    }

    /// The same for people: the bytes of what is no text of its own, `<C3>`.
    static String shown(Tokenizer tokenizer, int id) {
        String text = text(tokenizer, id);
        if (!text.contains("\ufffd")) return text;
        return IntStream.range(0, tokenizer.bytes(id).length).mapToObj(i -> String.format("<%02X>", tokenizer.bytes(id)[i]))
                .collect(Collectors.joining());
    }

    private static JsonObject json(Tokenizer tokenizer, int[] ids) {
        JsonArray numbers = new JsonArray();
        JsonArray pieces = new JsonArray();
        for (int id : ids) {
            numbers.add(id);
            pieces.add(tokenizer.piece(id));
        }
        JsonObject line = new JsonObject();
        line.add("ids", numbers);
        line.add("pieces", pieces);
        return line;
    }

    private static void table(Render render, Tokenizer tokenizer, int[] ids) {
        StringBuilder pieces = new StringBuilder();
        StringBuilder numbers = new StringBuilder();
        for (int i = 0; i < ids.length; i++) {
            String piece = Render.visible(shown(tokenizer, ids[i]).replace("\n", "⏎").replace("\t", "⇥"));
            pieces.append(i == 0 ? "" : render.paint(Style.DIM, "│"))
                    .append(i % 2 == 0 ? piece : render.paint(Style.CYAN, piece));
            numbers.append(i == 0 ? "" : " ").append(ids[i]);
        }
        render.line(pieces.toString());
        render.line(numbers.toString());
        render.note(ids.length + (ids.length == 1 ? " token" : " tokens"));
    }
}
