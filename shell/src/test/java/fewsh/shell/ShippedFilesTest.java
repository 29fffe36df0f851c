package fewsh.shell;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fewsh.Shared;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Every file of `scripts/` and `prompts/` runs.
class ShippedFilesTest {
    @TempDir Path home;

    private static List<Path> files(String folder, String ending) throws IOException {
        try (Stream<Path> files = Files.list(Shared.project().resolve(folder))) {
            List<Path> all = files.sorted().toList();
            assertTrue(all.stream().allMatch(f -> f.toString().matches(".*\\.(fewsh|jinja|json)")), "no test runs one of " + all);
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
