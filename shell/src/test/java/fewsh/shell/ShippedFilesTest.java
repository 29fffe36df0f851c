package fewsh.shell;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fewsh.Shared;
import fewsh.models.TinyModels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Every file of `scripts/` and `prompts/` runs; `LibraryTest` has more to say about prompt files and recipes.
class ShippedFilesTest {
    @TempDir Path home;

    private static List<Path> files(String folder, String ending) throws IOException {
        try (Stream<Path> files = Files.list(Shared.project().resolve(folder))) {
            List<Path> all = files.filter(Files::isRegularFile).sorted().toList();
            assertTrue(all.stream().allMatch(f -> f.toString().matches(".*\\.(fewsh|jinja|json|prompty|prompt|js|d\\.ts)")),
                    "no test runs one of " + all);
            return all.stream().filter(f -> f.toString().endsWith(ending)).toList();
        }
    }

    @Test
    void everyScriptRuns() throws IOException {
        Cli cli = Cli.in(home).with("FEWSH_MODEL", Cli.alphabet(home).toString());
        List<Path> scripts = files("scripts", ".fewsh");
        assertFalse(scripts.isEmpty());
        for (Path script : scripts) {
            Cli.Result result = cli.run(script.toString());
            assertEquals(0, result.code(), script + ": " + result.err());
            assertFalse(result.out().isBlank(), script.toString());
        }
    }

    @Test
    void everyPromptFileRendersAsItIs() throws IOException {
        for (String ending : List.of(".prompty", ".prompt"))
            for (Path prompt : files("prompts", ending)) {
                Cli.Result result = Cli.in(home).run("render", prompt.toString());
                assertEquals("", result.err(), prompt.toString());
                assertEquals(0, result.code(), prompt.toString());
                assertFalse(result.out().isBlank(), prompt.toString());
            }
    }

    private Cli withAModelThatSaysAnything() throws IOException {
        return Cli.in(home).with("FEWSH_MODEL", TinyModels.endless(home.resolve("endless")).toString());
    }

    @Test
    void aPromptFileRunsWithAnInputOfOnesOwn() throws IOException {
        Path prompt = Shared.project().resolve("prompts/sentiment_few_shot.prompty");
        Cli.Result answer = withAModelThatSaysAnything().run("run", prompt.toString(), "--set", "text=A film to see twice.");
        assertEquals(0, answer.code(), answer.err());
        assertTrue(answer.out().strip().matches("positive|negative"), answer.out());
    }

    @Test
    void aRecipeTakesTheRowsOfAFile() throws IOException {
        Path recipe = Shared.project().resolve("scripts/few_shot_curve.js");
        Path rows = Files.writeString(home.resolve("rows.jsonl"), """
                {"text": "Good.", "label": "up"}
                {"text": "Bad.", "label": "down"}
                {"text": "Fine.", "label": "up"}
                """);
        Cli.Result curve = withAModelThatSaysAnything().run("run", recipe.toString(), "ks=0,1", "--input", rows.toString());
        assertEquals(0, curve.code(), curve.err());
        assertTrue(curve.out().contains("labels down, up"), curve.out());
    }

    @Test
    void everyTemplateRendersWithTheVariablesBesideIt() throws IOException {
        List<Path> templates = files("prompts", ".jinja");
        assertFalse(templates.isEmpty());
        for (Path template : templates) {
            Path variables = Path.of(template.toString().replace(".jinja", ".json"));
            Cli.Result result = Cli.in(home).run("render", "--template", template.toString(), "--vars", variables.toString());
            assertEquals("", result.err(), template.toString());
            assertFalse(result.out().isBlank(), template.toString());
        }
    }

    @Test
    void theFewShotTemplateIsThePromptOfThePaper() {
        Path prompts = Shared.project().resolve("prompts");
        Cli.Result result = Cli.in(home).run("render", "--template", prompts.resolve("few_shot.jinja").toString(), "--vars",
                prompts.resolve("few_shot.json").toString());
        assertEquals("Translate English to French.\n\nsea otter => loutre de mer\ncheese => fromage\npeppermint =>",
                result.out());
    }
}
