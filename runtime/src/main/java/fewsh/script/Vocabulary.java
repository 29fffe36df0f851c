package fewsh.script;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import fewsh.UserError;
import fewsh.prompt.Rows;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.IntStream;

/// What scripts can say: the table of words, and those that read, write and show. `scripts/fewsh.d.ts` documents them.
///
/// Belongs to one script's context and one thread, but for `interrupt`.
final class Vocabulary implements AutoCloseable {
    private static final int WIDEST = 400;

    private final Stage stage;
    private final Jail jail;
    private final Models models;
    private long drawn;

    Vocabulary(Stage stage, Jail jail) {
        this.stage = stage;
        this.jail = jail;
        this.models = new Models(stage, jail);
    }

    Models models() {
        return models;
    }

    List<Word> words() {
        return List.of(
                Word.of("load", "model, options?", models::load),
                Word.of("complete", "prompt, options?", models::complete),
                Word.of("chat", "messages, options?", models::chat),
                Word.of("sample", "prompt, n, options?", models::sample),
                Word.of("score", "context, continuation", models::score),
                Word.of("tokenize", "text", models::tokenize),
                Word.of("compose", "parts", given -> Prompt.of(given, jail)),
                Word.of("vote", "prompt, options?", models::vote),
                Word.of("readJsonl", "file", given -> rows(given, List.of(".jsonl"))),
                Word.of("readCsv", "file", given -> rows(given, List.of(".csv", ".tsv"))),
                Word.of("readText", "file", given -> new JsonPrimitive(jail.read(given.text(0)))),
                Word.of("writeJsonl", "file, rows", this::writeJsonl),
                Word.of("writeCsv", "file, rows", this::writeCsv),
                Word.of("table", "rows, options?", this::table),
                Word.of("chart", "data, options?", this::chart),
                Word.of("progress", "items, label?", this::progress),
                Word.of("print", "...values", this::print),
                Word.of("write", "...values", this::write));
    }

    private JsonArray rows(Given given, List<String> endings) {
        String name = given.text(0);
        if (endings.stream().noneMatch(name::endsWith))
            throw given.error("\"" + name + "\" must end in " + String.join(" or ", endings), "");
        Path file = jail.regular(name);
        JsonArray rows = new JsonArray();
        try (Rows read = Rows.open(file)) {
            jail.count(name, Files.size(file));
            while (read.hasNext()) rows.add(Data.json(read.next()));
        } catch (UserError e) {
            throw jail.own(e);
        } catch (IOException e) {
            throw new UserError(name, "cannot be read: " + e.getMessage(), "", e);
        }
        return rows;
    }

    private Object writeJsonl(Given given) {
        StringBuilder out = new StringBuilder();
        for (JsonElement row : given.list(1)) out.append(row).append('\n');
        jail.write(given.text(0), List.of(".jsonl"), out.toString());
        return null;
    }

    private Object writeCsv(Given given) {
        String name = given.text(0);
        List<JsonObject> rows = given.rows(1);
        Set<String> fields = fields(rows);
        String separator = name.endsWith(".tsv") ? "\t" : ",";
        StringBuilder out = new StringBuilder();
        if (!fields.isEmpty()) out.append(record(fields.stream().toList(), separator));
        for (JsonObject row : rows)
            out.append(record(fields.stream().map(field -> cell(row.get(field))).toList(), separator));
        jail.write(name, List.of(".csv", ".tsv"), out.toString());
        return null;
    }

    /// A record of RFC 4180, quoted where it must be.
    private static String record(List<String> values, String separator) {
        List<String> quoted = new ArrayList<>();
        for (String value : values) {
            boolean plain = !value.isEmpty() && value.indexOf(separator) < 0 && value.chars().noneMatch(c -> c == '"' || c < ' ');
            quoted.add(plain || value.isEmpty() && values.size() > 1 ? value : "\"" + value.replace("\"", "\"\"") + "\"");
        }
        return String.join(separator, quoted) + "\n";
    }

    /// The names of all fields, in the order in which they first come.
    private static Set<String> fields(List<JsonObject> rows) {
        Set<String> fields = new LinkedHashSet<>();
        for (JsonObject row : rows) fields.addAll(row.keySet());
        return fields;
    }

    private static String cell(JsonElement value) {
        if (value == null || value instanceof JsonNull) return "";
        return value instanceof JsonPrimitive p ? p.getAsString() : value.toString();
    }

    private Object table(Given given) {
        Options options = given.options(1).expect(List.of(), "columns", "title");
        List<JsonObject> rows = new ArrayList<>();
        for (JsonElement element : given.list(0)) {
            JsonObject row = new JsonObject();
            switch (element) {
                case JsonObject object -> row = object;
                case JsonArray array -> {
                    for (int i = 0; i < array.size(); i++) row.add(Integer.toString(i), array.get(i));
                }
                default -> row.add("value", element);
            }
            rows.add(row);
        }
        List<String> columns = options.texts("columns", List.copyOf(fields(rows)));
        List<List<String>> cells = new ArrayList<>();
        boolean[] numeric = new boolean[columns.size()];
        for (int c = 0; c < numeric.length; c++) {
            String column = columns.get(c);
            numeric[c] = rows.stream().map(row -> row.get(column)).allMatch(v -> v == null || v.isJsonNull() || isNumber(v));
        }
        int[] decimals = columns.stream().mapToInt(column -> rows.stream().mapToInt(row -> decimals(row.get(column)))
                .max().orElse(0)).toArray();
        for (JsonObject row : rows)
            cells.add(IntStream.range(0, columns.size()).mapToObj(c -> tableCell(row.get(columns.get(c)), decimals[c])).toList());
        show(new Table(options.text("title", ""), columns, cells, numeric).lines(stage.columns(), stage.unicode()));
        return null;
    }

    private static boolean isNumber(JsonElement value) {
        return value instanceof JsonPrimitive p && p.isNumber();
    }

    /// How many a number is shown with.
    private static int decimals(JsonElement value) {
        String shown = isNumber(value) ? Chart.number(value.getAsDouble()) : "";
        return shown.contains("e") || !shown.contains(".") ? 0 : shown.length() - shown.indexOf('.') - 1;
    }

    private static String tableCell(JsonElement value, int decimals) {
        if (!isNumber(value)) return cell(value);
        double number = value.getAsDouble();
        String shown = Chart.number(number);
        return shown.contains("e") || decimals > 6 ? shown : String.format(Locale.ROOT, "%." + decimals + "f", number);
    }

    private Object chart(Given given) {
        Options options = given.options(1).expect(List.of(), "kind", "title", "x", "y", "width", "height", "bins");
        int width = options.whole("width", 20, WIDEST, Math.min(stage.columns(), 80));
        int height = options.whole("height", 4, 60, 12);
        show(Plot.of(given, options).lines(width, height, stage.unicode()));
        return null;
    }

    private void show(List<String> lines) {
        stage.progress("");
        lines.forEach(stage::line);
    }

    /// `[done, total, label, over]`, of which a tenth of a second shows one.
    private Object progress(Given given) {
        if (!given.has(0)) throw given.error("items must be a number or something to go through",
                "progress(rows) or progress(100)");
        List<JsonElement> state = given.values().asList();
        if (state.get(3).getAsBoolean()) {
            drawn = 0;
            stage.progress("");
            return null;
        }
        long now = System.nanoTime();
        if (drawn != 0 && now - drawn < 100_000_000) return null;
        drawn = now;
        long done = state.get(0).getAsLong();
        String label = state.get(2).getAsString();
        stage.progress((label.isEmpty() ? "" : label + "  ") + (state.get(1).isJsonNull() ? Long.toString(done)
                : Chart.bar(done, state.get(1).getAsDouble(), 20, stage.unicode())));
        return null;
    }

    private Object print(Given given) {
        stage.progress("");
        given.text(0).lines().forEach(stage::line);
        if (given.text(0).isEmpty()) stage.line("");
        return null;
    }

    private Object write(Given given) {
        stage.text(given.text(0));
        return null;
    }

    /// What one call of one word answers.
    ///
    /// @throws UserError for too few arguments and whatever else a script can do wrong
    static Object answer(Word word, int count, JsonArray values, Prompt prompt) {
        Given given = new Given(word, values, prompt);
        if (count < word.required()) throw given.error("needs " + (word.required() == 1 ? "an argument" : word.required()
                + " arguments") + ", got " + (count == 0 ? "none" : count), word.signature());
        return word.call().with(given);
    }

    @Override
    public void close() {
        models.close();
    }
}
