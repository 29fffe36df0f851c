package fewsh.ask;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import fewsh.UserError;
import fewsh.generate.CausalLm;
import fewsh.generate.SamplingConfig;
import fewsh.load.LoadOptions;
import fewsh.models.Precision;
import fewsh.models.TinyModels;
import fewsh.prompt.Composed;
import fewsh.prompt.Composition;
import fewsh.prompt.Cot;
import fewsh.prompt.Extraction;
import fewsh.prompt.Message;
import fewsh.prompt.Vote;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BatchTest {
    private static final SamplingConfig CONFIG = SamplingConfig.GREEDY.withTemperature(0.8).withSeed(4).withMaxTokens(8);

    @TempDir
    static Path models;

    private static List<CausalLm> all;
    private static CausalLm lm;

    @TempDir
    Path folder;

    private Path output;

    @BeforeAll
    static void make() throws IOException {
        LoadOptions options = LoadOptions.in(models.resolve("home")).withThreads(2);
        Path llama = TinyModels.llama(models.resolve("llama"), 6);
        Path gpt2 = TinyModels.gpt2(models.resolve("gpt2"), 6);
        all = Stream.of(Precision.FP32, Precision.INT8, Precision.INT4).flatMap(p -> Stream.of(llama, gpt2).map(m ->
                CausalLm.open(m, options.withPrecision(p)))).toList();
        lm = all.getFirst();
    }

    @AfterAll
    static void close() {
        all.forEach(CausalLm::close);
    }

    @BeforeEach
    void name() {
        output = folder.resolve("out.jsonl");
    }

    private static Composed prompt(Map<String, Object> row, Composition composition) {
        if (row.get("text") instanceof String text && text.contains("!"))
            throw new UserError("text", "\"!\" is not allowed", "drop it");
        return new Composed(composition, List.of(
                new Composed.Part("instruction", new Message("system", "answer in one word, and do not ask back whatever it is")),
                new Composed.Part("question", new Message("user", "review: " + row.get("text")))), List.of(), 0);
    }

    private static Function<Map<String, Object>, Composed> plain() {
        return row -> prompt(row, Composition.EMPTY);
    }

    private static List<Map<String, Object>> rows(String... texts) {
        List<Map<String, Object>> rows = new ArrayList<>();
        for (String text : texts) rows.add(new LinkedHashMap<>(Map.of("text", text)));
        return rows;
    }

    private List<JsonObject> run(CausalLm lm, Function<Map<String, Object>, Composed> prompt, List<Map<String, Object>> rows)
            throws IOException {
        Path to = Files.createTempDirectory(folder, "run").resolve("out.jsonl");
        try (Batch batch = Batch.open(lm, CONFIG, "p", prompt, rows, to)) {
            batch.forEachRemaining(_ -> {});
            assertTrue(batch.isFinished());
        }
        return Files.readAllLines(to).stream().map(line -> JsonParser.parseString(line).getAsJsonObject()).toList();
    }

    @Test
    void eachRowGetsALineInOrder() throws IOException {
        List<JsonObject> lines = run(lm, plain(), rows("good", "bad", "so so"));
        assertEquals(List.of("index", "inputs", "text", "answer", "finish_reason", "prompt_tokens", "completion_tokens", "seed"),
                List.copyOf(lines.getFirst().keySet()));
        for (int i = 0; i < 3; i++) assertEquals(i, lines.get(i).get("index").getAsInt());
        assertEquals("{\"text\":\"so so\"}", lines.get(2).get("inputs").toString());
        assertEquals(3, lines.stream().map(line -> line.get("seed")).distinct().count());
    }

    @Test
    void aRowThatFailsGetsItsErrorAndTheRestGoesOn() throws IOException {
        try (Batch batch = Batch.open(lm, CONFIG, "p", plain(), rows("good", "bad!", "x".repeat(800), "fine"), output)) {
            List<Batch.Progress> progress = new ArrayList<>();
            batch.forEachRemaining(progress::add);
            assertEquals(List.of(1, 2, 3, 4), progress.stream().map(Batch.Progress::done).toList());
            assertEquals(List.of(0, 1, 2, 2), progress.stream().map(Batch.Progress::failed).toList());
            assertEquals("\"!\" is not allowed", progress.get(1).error().orElseThrow().what());
            assertTrue(progress.getLast().tokensPerSecond() > 0);
            assertEquals(0, progress.getLast().left().toNanos());
        }
        List<String> lines = Files.readAllLines(output);
        assertEquals("{\"index\":1,\"inputs\":{\"text\":\"bad!\"},\"error\":{\"message\":\"\\\"!\\\" is not allowed\","
                + "\"where\":\"text\",\"fix\":\"drop it\"}}", lines.get(1));
        assertTrue(lines.get(2).contains("context length is 512"), lines.get(2));
        assertFalse(lines.get(3).contains("error"));
    }

    /// Alone, in any order, and whatever else is asked: the same answer, probabilities to the last bit.
    @Test
    void aRowsAnswerDependsOnTheRowAlone() throws IOException {
        List<Composition> compositions = List.of(Composition.EMPTY,
                Composition.EMPTY.with(c -> c.cot = new Cot(Cot.Kind.ZERO_SHOT, "so", "then")),
                Composition.EMPTY.with(c -> {
                    c.vote = new Vote(6, true, 0.1, 0.7);
                    c.answer = new Extraction(Extraction.Kind.REGEX, "[a-z]", List.of());
                }),
                Composition.EMPTY.with(c -> c.knowledge = 2));
        List<Map<String, Object>> rows = rows("good", "goo", "bad", "good and bad", "bad and good", "", "good");
        for (CausalLm model : all)
            for (Composition composition : compositions) {
                // a question and room for a statement are too much for the GPT-2's 128 positions
                if (model.layout().nPositions() < 300 && composition.knowledge() > 0) continue;
                Function<Map<String, Object>, Composed> prompt = row -> prompt(row, composition);
                List<JsonObject> together = run(model, prompt, rows);
                assertTrue(together.stream().noneMatch(line -> line.has("error")), together.toString());
                List<Map<String, Object>> shuffled = new ArrayList<>(rows);
                Collections.shuffle(shuffled, new Random(8));
                List<JsonObject> others = run(model, prompt, shuffled);
                for (int i = 0; i < rows.size(); i++) {
                    JsonObject expected = without(together.get(i));
                    assertEquals(expected, without(run(model, prompt, List.of(rows.get(i))).getFirst()));
                    assertEquals(expected, without(others.get(shuffled.indexOf(rows.get(i)))), model.about() + " " + composition);
                }
            }
    }

    private static JsonObject without(JsonObject line) {
        JsonObject copy = line.deepCopy();
        copy.remove("index");
        return copy;
    }

    @Test
    void theOrderOfARowsFieldsDoesNotChangeItsSeed() {
        Map<String, Object> one = new LinkedHashMap<>();
        one.put("a", Map.of("x", 1));
        one.put("b", List.of("y"));
        Map<String, Object> two = new LinkedHashMap<>();
        two.put("b", List.of("y"));
        two.put("a", Map.of("x", 1));
        assertEquals(Row.seed(4, one), Row.seed(4, two));
        assertTrue(Row.seed(4, one) != Row.seed(5, one) && Row.seed(4, one) >= 0 && Row.seed(4, one) < 1L << 53);
    }

    /// A kill leaves a beginning of the file that the run was writing, cut anywhere.
    @Test
    void aKilledRunGoesOnWhereItStopped() throws IOException {
        List<Map<String, Object>> rows = rows("good", "bad!", "so so");
        Path part = folder.resolve("out.jsonl.part");
        byte[] written;
        try (Batch batch = Batch.open(lm, CONFIG, "p", plain(), rows, output)) {
            batch.next();
            batch.next();
            written = Files.readAllBytes(part);
            batch.next();
        }
        String whole = Files.readString(output);
        assertFalse(Files.exists(part));
        int header = new String(written, StandardCharsets.ISO_8859_1).indexOf('\n') + 1;
        int first = new String(written, StandardCharsets.ISO_8859_1).indexOf('\n', header) + 1;
        for (int cut = 0; cut <= written.length; cut += cut < header - 3 || cut > header + 3 && cut < first - 3 ? 7 : 1) {
            Files.delete(output);
            Files.write(part, Arrays.copyOf(written, cut));
            try (Batch batch = Batch.open(lm, CONFIG, "p", plain(), rows, output)) {
                assertEquals(cut < first ? 0 : cut < written.length ? 1 : 2, batch.progress().done(), "cut at " + cut);
                assertEquals(cut < written.length ? 0 : 1, batch.progress().failed());
                batch.forEachRemaining(_ -> {});
            }
            assertEquals(whole, Files.readString(output), "cut at " + cut);
            assertEquals(List.of(output), list());
        }
    }

    private List<Path> list() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.toList();
        }
    }

    /// As a machine that lost power may leave it.
    @Test
    void aLastLineThatIsNoJsonIsDropped() throws IOException {
        List<Map<String, Object>> rows = rows("good", "bad");
        Path part = part(rows, 1);
        Files.writeString(part, Files.readString(part) + "\0\0\0\n");
        try (Batch batch = Batch.open(lm, CONFIG, "p", plain(), rows, output)) {
            assertEquals(1, batch.progress().done());
            batch.forEachRemaining(_ -> {});
        }
        assertEquals(2, Files.readAllLines(output).size());
    }

    /// What a run that was closed after `done` rows left.
    private Path part(List<Map<String, Object>> rows, int done) {
        try (Batch batch = Batch.open(lm, CONFIG, "p", plain(), rows, output)) {
            for (int i = 0; i < done; i++) batch.next();
        }
        return folder.resolve("out.jsonl.part");
    }

    @Test
    void aRunBegunWithAnythingElseIsNotGoneOnWith() throws IOException {
        List<Map<String, Object>> rows = rows("good", "bad");
        Path part = part(rows, 1);
        byte[] before = Files.readAllBytes(part);
        assertEquals(part + ": was begun with a different prompt", refused(CONFIG, "q", rows));
        assertEquals(part + ": was begun with a different sampling", refused(CONFIG.withSeed(5), "p", rows));
        assertEquals(part + ": was begun with a different number of rows", refused(CONFIG, "p", rows("good")));
        assertEquals(part + ": was begun with a different input", refused(CONFIG, "p", rows("good", "worse")));
        assertEquals(part + ": was begun with a different model", assertThrows(UserError.class, () ->
                Batch.open(all.get(1), CONFIG, "p", plain(), rows, output)).getMessage());
        assertEquals(new String(before, StandardCharsets.UTF_8), Files.readString(part));
    }

    private String refused(SamplingConfig config, String named, List<Map<String, Object>> rows) {
        return assertThrows(UserError.class, () -> Batch.open(lm, config, named, plain(), rows, output)).getMessage();
    }

    @Test
    void aFinishedFileIsNotWrittenOver() throws IOException {
        Files.writeString(output, "mine");
        assertEquals(output + ": is there already", refused(CONFIG, "p", rows("a")));
        assertEquals("mine", Files.readString(output));
        assertEquals(List.of(output), list());
    }

    @Test
    void anotherFileInTheWayIsLeftAlone() throws IOException {
        Path part = folder.resolve("out.jsonl.part");
        Files.writeString(part, "notes\nof mine\n");
        assertEquals(part + ": is not what a batch left", refused(CONFIG, "p", rows("a")));
        assertEquals("notes\nof mine\n", Files.readString(part));
    }

    @Test
    void aLineThatIsNotItsRowsIsReported() throws IOException {
        List<Map<String, Object>> rows = rows("a", "b", "c");
        Path part = part(rows, 2);
        List<String> lines = new ArrayList<>(Files.readAllLines(part));
        Collections.swap(lines, 1, 2);
        Files.write(part, lines);
        assertEquals(part + ":2: is not the line of row 0", refused(CONFIG, "p", rows));
    }

    @Test
    void twoRunsDoNotWriteTheSameFile() {
        try (Batch batch = Batch.open(lm, CONFIG, "p", plain(), rows("a", "b"), output)) {
            batch.next();
            assertTrue(refused(CONFIG, "p", rows("a", "b")).endsWith("another run is writing it"));
            batch.next();
            assertTrue(batch.isFinished());
        }
    }

    @Test
    void aRowThatIsInterruptedIsDoneByTheNextRun() throws IOException {
        List<Map<String, Object>> rows = rows("a", "b", "c");
        try (Batch batch = Batch.open(lm, CONFIG, "p", plain(), rows, output)) {
            batch.next();
            batch.interrupt();
            assertFalse(batch.hasNext());
        }
        int[] asked = {0};
        try (Batch batch = Batch.open(lm, CONFIG, "p", row -> {
            asked[0]++;
            return plain().apply(row);
        }, rows, output)) {
            assertEquals(1, batch.progress().done());
            batch.forEachRemaining(_ -> {});
        }
        assertEquals(2, asked[0]);
        assertEquals(3, Files.readAllLines(output).size());
    }

    @Test
    void noRowsGiveAnEmptyFile() throws IOException {
        try (Batch batch = Batch.open(lm, CONFIG, "p", plain(), List.of(), output)) {
            assertFalse(batch.hasNext());
        }
        assertEquals("", Files.readString(output));
    }

    @Test
    void aFolderThatIsNotThereIsReported() {
        Path nowhere = folder.resolve("no/out.jsonl");
        assertEquals(nowhere + ".part: cannot be written: no such folder", assertThrows(UserError.class, () ->
                Batch.open(lm, CONFIG, "p", plain(), rows("a"), nowhere)).getMessage());
    }
}
