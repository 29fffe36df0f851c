package fewsh.script;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonParser;
import fewsh.Shared;
import fewsh.ask.Inquiry;
import fewsh.ask.Reply;
import fewsh.ask.Votes;
import fewsh.generate.CausalLm;
import fewsh.generate.KvCache;
import fewsh.generate.SamplingConfig;
import fewsh.load.LoadOptions;
import fewsh.models.Precision;
import fewsh.models.TinyModels;
import fewsh.prompt.Composed;
import fewsh.prompt.Composition;
import fewsh.prompt.Cot;
import fewsh.prompt.Format;
import fewsh.prompt.Message;
import fewsh.prompt.PromptFile;
import fewsh.prompt.Row;
import fewsh.prompt.Rows;
import fewsh.prompt.Shots;
import fewsh.prompt.Tokens;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Every file of `prompts/` and `scripts/` teaches, says what it is and runs as it is. The prompts' examples are a person's to
/// judge; what a machine can see of them is seen here.
class LibraryTest {
    private static final Path PROMPTS = Shared.project().resolve("prompts");
    private static final Path SCRIPTS = Shared.project().resolve("scripts");
    /// `Wei et al. 2022`, `Schick and Schütze 2021`, `Shannon 1951`.
    private static final Pattern PAPER = Pattern.compile("\\p{Lu}[\\p{L}-]+ (et al\\. |and \\p{Lu}[\\p{L}]+ )?(19|20)\\d\\d");
    private static final int LONGEST_LINE = 130;

    @TempDir static Path home;
    private static CausalLm lm;

    @BeforeAll
    static void openAModelThatSaysAnything() throws IOException {
        lm = CausalLm.open(TinyModels.endless(home.resolve("endless")),
                LoadOptions.in(home).withPrecision(Precision.FP32).withThreads(1));
    }

    @AfterAll
    static void close() {
        lm.close();
    }

    private static List<Path> files(Path folder, String pattern) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.getFileName().toString().matches(pattern)).sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static List<Path> prompts() {
        return files(PROMPTS, ".*\\.prompty?");
    }

    static List<Path> recipes() {
        return files(SCRIPTS, ".*\\.js");
    }

    private static String stem(Path file) {
        return file.getFileName().toString().replaceFirst("\\.[a-z]+$", "");
    }

    /// The lines a file begins with, after its first `---`, that begin with `mark`.
    private static List<String> comment(List<String> lines, String mark) {
        int from = lines.getFirst().equals("---") ? 1 : 0;
        return lines.stream().skip(from).takeWhile(line -> line.startsWith(mark))
                .map(line -> line.substring(mark.length()).strip()).toList();
    }

    private static void namesAPaper(String comment) {
        assertTrue(PAPER.matcher(comment).find(), "no paper with its year in: " + comment);
    }

    // ---- prompts

    @Test
    void thereAreEnoughOfBoth() {
        assertTrue(prompts().size() >= 25, prompts().toString());
        assertTrue(prompts().stream().filter(file -> file.toString().endsWith(".prompt")).count() >= 4);
        assertTrue(recipes().size() >= 10, recipes().toString());
    }

    @ParameterizedTest
    @MethodSource("prompts")
    void aPromptTeachesAndSaysWhatItIs(Path file) throws IOException {
        List<String> lines = Files.readAllLines(file);
        List<String> comment = comment(lines, "#");
        String said = String.join(" ", comment);
        assertTrue(comment.size() >= 3 && comment.size() <= 8, "a comment of 3 to 8 lines, was " + comment.size());
        for (String line : lines) assertTrue(line.length() <= LONGEST_LINE, line);
        namesAPaper(said);
        PromptFile prompt = PromptFile.read(file, Map.of());
        assertEquals(List.of(), prompt.warnings());
        assertEquals(stem(file), prompt.name());
        assertTrue(prompt.name().matches("[a-z]+(_[a-z]+)*"), prompt.name());
        assertTrue(prompt.description().matches("\\p{Lu}.{10,90}\\."), prompt.description());
        assertTrue(prompt.options().containsKey("max_tokens"), "has no bound on its answer");
        assertFalse(prompt.inputs().isEmpty(), "takes no input");
        prompt.inputs().forEach(input -> assertTrue(input.byDefault() != null, input.name() + " has no value to run it with"));
        Composition composition = prompt.composition();
        papers(composition).forEach(paper -> assertTrue(said.contains(paper), "names not " + paper));
    }

    /// The paper that each technique is from.
    private static List<String> papers(Composition composition) {
        List<String> papers = new ArrayList<>();
        if (composition.cot().kind() == Cot.Kind.FEW_SHOT) papers.add("Wei et al. 2022");
        else if (!composition.shots().examples().isEmpty()) papers.add("Brown et al. 2020");
        if (composition.cot().kind() == Cot.Kind.ZERO_SHOT) papers.add("Kojima et al. 2022");
        if (composition.vote().n() > 1) papers.add("Wang et al. 2022");
        if (composition.knowledge() > 0) papers.add("Liu et al. 2022");
        return papers;
    }

    private static Composed composed(PromptFile prompt) {
        return prompt.composition().compose(prompt.body(), prompt.check(Map.of()), Tokens.NONE);
    }

    @ParameterizedTest
    @MethodSource("prompts")
    void aPromptComposesFromTheInputsItBrings(Path file) {
        PromptFile prompt = PromptFile.read(file, Map.of());
        Composed composed = composed(prompt);
        List<Message> messages = composed.messages();
        assertEquals("user", messages.getLast().role());
        for (Message message : messages) {
            assertFalse(message.text().isBlank(), messages.toString());
            assertFalse(message.text().contains("{{") || message.text().contains("{%"), message.text());
            assertFalse(message.text().contains("\n\n\n"), message.text());
        }
        for (var input : prompt.inputs()) {
            String value = String.valueOf(input.byDefault()).strip();
            boolean text = input.byDefault() instanceof String || input.byDefault() instanceof Number;
            if (text) assertTrue(composed.text().contains(value), input.name() + " is not in the prompt");
        }
        Shots shots = prompt.composition().shots();
        assertEquals(shots.k() < 0 ? shots.examples().size() : shots.k(), composed.shown().size());
    }

    @ParameterizedTest
    @MethodSource("prompts")
    void aPromptRunsAndItsAnswerHasItsForm(Path file) {
        PromptFile prompt = PromptFile.read(file, Map.of());
        Composed composed = composed(prompt);
        Format format = composed.composition().format();
        int most = ((Number) prompt.options().get("max_tokens")).intValue();
        SamplingConfig config = SamplingConfig.GREEDY.withMaxTokens(format instanceof Format.Free ? 6 : most)
                .with(c -> c.format = format);
        Reply reply;
        try (KvCache cache = lm.cache(); Inquiry inquiry = Inquiry.of(lm, cache, composed, config)) {
            reply = inquiry.reply();
        }
        assertTrue(reply.usage().completionTokens() > 0);
        int saved = reply.votes().map(Votes::saved).orElse(0);
        int knowledge = composed.composition().knowledge();
        assertEquals(knowledge > 0 ? knowledge + 1 : composed.composition().vote().n(), reply.samples().size() + saved);
        switch (format) {
            case Format.Free() -> { }
            case Format.Options(var options) -> assertTrue(options.contains(reply.text().strip()), reply.text());
            case Format.Regex(var pattern) -> assertTrue(reply.text().matches(pattern), reply.text());
            case Format.Json(_) -> assertTrue(JsonParser.parseString(reply.text()).isJsonObject(), reply.text());
        }
    }

    @Test
    void examplesAreDistinctAndBalancedWhereTheyAreLabels() {
        for (Path file : prompts()) {
            Composition composition = PromptFile.read(file, Map.of()).composition();
            Shots shots = composition.shots();
            assertEquals(shots.examples().size(), new HashSet<>(shots.examples()).size(), file + " has an example twice");
            if (!(composition.format() instanceof Format.Options(var options)) || shots.examples().isEmpty()) continue;
            Map<String, Integer> counts = new TreeMap<>();
            shots.examples().forEach(example -> counts.merge(String.valueOf(example.get(shots.label())), 1, Integer::sum));
            assertEquals(new TreeSet<>(options), counts.keySet(), file.toString());
            assertEquals(1, new TreeSet<>(counts.values()).size(), file + ": " + counts);
        }
    }

    /// The arithmetic of the worked examples is right, and what they conclude is their answer.
    @Test
    void workedExamplesCalculateRight() {
        Pattern sum = Pattern.compile("(\\d+) ([-+*/]) (\\d+) = (\\d+)");
        int sums = 0;
        for (Path file : List.of(PROMPTS.resolve("data/arithmetic.jsonl"), SCRIPTS.resolve("data/worked.jsonl")))
            for (var row : Rows.read(file)) {
                String last = "";
                for (Matcher m = sum.matcher((String) row.get("reasoning")); m.find(); sums++) {
                    long a = Long.parseLong(m.group(1));
                    long b = Long.parseLong(m.group(3));
                    long result = switch (m.group(2)) {
                        case "+" -> a + b;
                        case "-" -> a - b;
                        case "*" -> a * b;
                        default -> a % b == 0 ? a / b : -1;
                    };
                    last = m.group(4);
                    assertEquals(Long.parseLong(last), result, row.toString());
                }
                assertEquals(row.get("answer"), last, row.toString());
            }
        assertTrue(sums >= 15, sums + " sums");
    }

    @Test
    void everyDataFileOfThePromptsIsUsedByOne() {
        TreeSet<String> used = new TreeSet<>();
        for (Path file : prompts()) {
            String of = PromptFile.read(file, Map.of()).composition().shots().file();
            if (!of.isEmpty()) used.add(Path.of(of).getFileName().toString());
        }
        assertEquals(files(PROMPTS.resolve("data"), ".*").stream().map(file -> file.getFileName().toString()).toList(),
                List.copyOf(used));
    }

    // ---- recipes

    @ParameterizedTest
    @MethodSource("recipes")
    void aRecipeTeachesAndIsShort(Path file) throws IOException {
        List<String> lines = Files.readAllLines(file);
        List<String> comment = comment(lines, "//");
        String said = String.join(" ", comment);
        assertTrue(comment.size() >= 5 && comment.size() <= 14, "a comment of 5 to 14 lines, was " + comment.size());
        namesAPaper(said);
        assertTrue(said.contains("Run: fewsh run scripts/" + file.getFileName()), "does not say how it is run");
        assertTrue(lines.size() >= 15 && lines.size() <= 60, lines.size() + " lines");
        for (String line : lines) assertTrue(line.length() <= LONGEST_LINE, line);
        for (Matcher m = Pattern.compile("option\\(\"(\\w+)\"").matcher(String.join("\n", lines)); m.find(); )
            assertTrue(said.contains(m.group(1) + "="), "the comment does not name " + m.group(1) + "=");
    }

    /// Few items, short answers: what each recipe needs to be run to its end in a second.
    private static final List<String> SMALL = List.of("limit=4", "max_tokens=6", "n=3", "shots=3", "candidates=6", "dev=2",
            "ks=0,1,4", "out=labelled.jsonl");

    private List<String> shown(Path file, List<Map<String, Object>> input) throws IOException, InterruptedException {
        Path folder = Files.createDirectories(home.resolve("scripts"));
        try (Stream<Path> all = Files.walk(SCRIPTS)) {
            for (Path each : all.filter(Files::isRegularFile).toList()) {
                Path copy = folder.resolve(SCRIPTS.relativize(each).toString());
                Files.createDirectories(copy.getParent());
                Files.copy(each, copy, StandardCopyOption.REPLACE_EXISTING);
            }
        }
        try (Notebook notebook = new Notebook(home); Sandbox sandbox = new Sandbox(notebook, folder, Limits.DEFAULT)) {
            notebook.load("endless", notebook.loadOptions());
            List<String> args = SMALL.stream().filter(arg -> names(file, arg)).toList();
            sandbox.run(folder.resolve(file.getFileName()), args, input);
            return List.copyOf(notebook.lines);
        }
    }

    private static boolean names(Path file, String arg) {
        try {
            return Files.readString(file).contains(arg.replaceFirst("=.*", "="));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @ParameterizedTest
    @MethodSource("recipes")
    void aRecipeEndsInATableOrAChart(Path file) throws Exception {
        List<String> shown = shown(file, null);
        assertTrue(shown.stream().anyMatch(line -> line.matches("[─ ]*─[─ ]*")), "no table in " + shown);
        String text = String.join("\n", shown);
        for (String odd : List.of("NaN", "undefined", "[object", "∞")) assertFalse(text.contains(odd), text);
    }

    @Test
    void aRecipeSaysTheSameTwice() throws Exception {
        for (String name : List.of("few_shot_curve.js", "zero_shot_cot_vote.js", "temperature_sweep.js"))
            assertEquals(shown(SCRIPTS.resolve(name), null), shown(SCRIPTS.resolve(name), null), name);
    }

    @Test
    void aCurveOverRowsThatAreGivenCountsThem() throws Exception {
        List<Map<String, Object>> rows = new ArrayList<>();
        for (int i = 0; i < 12; i++) rows.add(Map.of("text", "film number " + i, "label", i < 6 ? "bad" : "good"));
        String shown = String.join("\n", shown(SCRIPTS.resolve("few_shot_curve.js"), rows));
        assertTrue(shown.contains("labels bad, good"), shown);
        for (String k : List.of("0", "1", "4"))
            assertTrue(shown.matches("(?s).*\\n *" + k + " +[01][.0-9]* +[0-9.]+ +\\d +4\\b.*"), shown);
    }

    @Test
    void labellingKeepsTheRowsAndAddsToThem() throws Exception {
        shown(SCRIPTS.resolve("label.js"), null);
        List<Row> rows = Rows.read(home.resolve("scripts/labelled.jsonl"));
        assertEquals(List.of(1L, 2L, 3L, 4L), rows.stream().map(row -> row.get("id")).toList());
        for (Row row : rows) {
            assertTrue(List.of("billing", "delivery", "account").contains(row.get("label")), row.toString());
            double p = ((Number) row.get("p")).doubleValue();
            assertTrue(p >= 1 / 3.0 && p <= 1, row.toString());
        }
    }

    // ---- docs

    /// `docs/library.md` has a row for each file, in the file's own words, and no other.
    @Test
    void theTablesOfTheDocsAreTheFolders() throws IOException {
        Map<String, String> rows = new TreeMap<>();
        Pattern row = Pattern.compile("\\| \\[([^]]+)]\\(\\.\\./(prompts|scripts)/\\1\\) \\| (.+) \\| (.+) \\|");
        for (String line : Files.readAllLines(Shared.project().resolve("docs/library.md"))) {
            Matcher m = row.matcher(line);
            if (m.matches()) assertEquals(null, rows.put(m.group(1), m.group(3) + "|" + m.group(4)), line);
        }
        Set<String> files = new TreeSet<>();
        for (Path file : recipes()) files.add(file.getFileName().toString());
        for (Path file : prompts()) {
            files.add(file.getFileName().toString());
            PromptFile prompt = PromptFile.read(file, Map.of());
            String documented = rows.getOrDefault(file.getFileName().toString(), "|");
            assertEquals(prompt.description(), documented.substring(0, documented.indexOf('|')));
            for (String technique : techniques(prompt.composition()))
                assertTrue(documented.contains(technique), file.getFileName() + ": " + documented + " without " + technique);
        }
        assertEquals(files, rows.keySet());
    }

    private static List<String> techniques(Composition composition) {
        List<String> techniques = new ArrayList<>();
        if (!composition.shots().examples().isEmpty()) techniques.add("few-shot");
        if (composition.cot().kind() == Cot.Kind.FEW_SHOT) techniques.add("few-shot chain of thought");
        if (composition.cot().kind() == Cot.Kind.ZERO_SHOT) techniques.add("zero-shot chain of thought");
        if (composition.vote().n() > 1) techniques.add("vote");
        if (composition.knowledge() > 0) techniques.add("generated knowledge");
        switch (composition.format()) {
            case Format.Free() -> { }
            case Format.Options(_) -> techniques.add("options");
            case Format.Regex(_) -> techniques.add("regular expression");
            case Format.Json(_) -> techniques.add("JSON");
        }
        return techniques;
    }
}
