package fewsh.prompt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fewsh.UserError;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Prompt files come from anywhere: whatever they hold, the end is a result or one clear error, soon.
class HostilePromptFileTest {
    /// Far more than any of it takes; a template without end would take for ever.
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final List<String> PIECES = List.of("---\n", "+++", "\n", "{{", "}}", "{{{", "{%", "%}", "{#", "#}",
            "{{#if a}}", "{{/if}}",
            "{{#each this}}", "{{/each}}", "{{> manners}}", "{{> greet}}", "{{~", "~}}", "\\{{", "{{!--", "--}}", "{{role \"",
            "<<<dotprompt:role:user>>>",
            "{% for a in range(9) %}", "{% endfor %}", "system:\n", "user[", "[nonce=1]:", "${env:X}", "${file:greet.prompt}",
            "&a ", "*a", "!!", "? ", ": ",
            "- ", "[", "]", "{", "}", "\"", "'", "|", ">", "%", "@", "`", "\t", "\0", "\u0085", "\uFEFF", "🐱", "1e999", "0x",
            "-", ".inf", "null", "true",
            "inputs:\n", "fewsh:\n", "  kind: image\n", "schema: ", "(array)", "(*): ", "?", "name", "__PROMPTY_THREAD_",
            "99999999999999999999");

    @TempDir Path temp;

    @ParameterizedTest
    @ValueSource(strings = {"translate.prompty", "first_version.prompty", "weather.prompty", "greet.prompt"})
    void aDamagedFileIsReadOrRefused(String name) throws IOException {
        Files.copy(PromptFileTest.FIXTURES.resolve("_manners.prompt"), temp.resolve("_manners.prompt"),
                StandardCopyOption.REPLACE_EXISTING);
        String whole = Files.readString(PromptFileTest.FIXTURES.resolve(name));
        int[] ended = new int[2];
        for (int seed = 0; seed < 1500; seed++) {
            String text = damaged(whole, new SplittableRandom(seed));
            Path file = Files.writeString(temp.resolve(name), text);
            String where = name + " seed " + seed;
            try {
                assertTimeoutPreemptively(PATIENCE, () -> {
                    PromptFile prompt = PromptFile.read(file, Map.of());
                    prompt.parts();
                    prompt.body().render(Map.of("text", "a", "name", "b", "a", List.of(1, Map.of("b", 2)), "extra", Map.of()));
                    prompt.turns().render(prompt.check(Map.of("text", "a", "name", "b", "extra", "{}")));
                }, where);
                ended[0]++;
            } catch (UserError e) {
                ended[1]++;
            } catch (Throwable e) {
                throw new AssertionError(where + ":\n" + text, e);
            }
        }
        assertTrue(ended[0] > 100 && ended[1] > 100, "read " + ended[0] + ", refused " + ended[1]);
    }

    private static String damaged(String whole, SplittableRandom random) {
        StringBuilder text = new StringBuilder(whole);
        for (int i = random.nextInt(1, 6); i > 0; i--) {
            int at = random.nextInt(text.length() + 1);
            int end = Math.min(text.length(), at + random.nextInt(1, 20));
            switch (random.nextInt(4)) {
                case 0 -> text.delete(at, end);
                case 1 -> text.insert(at, text.substring(at, end).repeat(random.nextInt(1, 4)));
                case 2 -> text.replace(at, Math.min(end, at + 1), PIECES.get(random.nextInt(PIECES.size())));
                case 3 -> text.insert(at, PIECES.get(random.nextInt(PIECES.size())));
                default -> throw new AssertionError();
            }
        }
        return text.toString();
    }

    private UserError error(String name, String text) throws IOException {
        Path file = Files.writeString(temp.resolve(name), text);
        List<Integer> numbers = new ArrayList<>();
        for (int i = 0; i < 300; i++) numbers.add(i);
        return assertTimeoutPreemptively(PATIENCE, () -> assertThrows(UserError.class, () -> {
            PromptFile prompt = PromptFile.read(file, Map.of());
            prompt.body().render(prompt.check(Map.of("n", numbers, "a", "a".repeat(40) + "!")));
        }, text.substring(0, Math.min(200, text.length()))), name);
    }

    @Test
    void templatesThatDoTooMuchEnd() throws IOException {
        String loop = "{% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}";
        assertTrue(error("a.prompty", loop).what().contains("template"));
        assertTrue(error("a.prompty", "{% set x = 'a' * 9999999 %}{% for a in range(9) %}{{ x }}{% endfor %}").what()
                .contains("template"));
        assertTrue(error("a.prompty", "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}").what().contains("template"));
        for (String body : List.of("{{#each n}}{{#each @root.n}}{{#each @root.n}}{{this}}{{/each}}{{/each}}{{/each}}",
                "{{#each n}}{{#each @root.n}}{{#each @root.n}}{{/each}}{{/each}}{{/each}}",
                "{{#each n}}{{#each @root.n}}{{json @root.n}}{{/each}}{{/each}}",
                "{{#each n}}{{#each @root.n}}{{@root.n}}{{/each}}{{/each}}"))
            assertTrue(error("a.prompt", body).what().contains("does too much"), body);
        assertTrue(error("b.prompty", "---\ntemplate: {format: {kind: mustache}}\n---\n{{#n}}{{#n}}{{#n}}x{{/n}}{{/n}}{{/n}}")
                .what()
                .contains("does too much"));
        assertTrue(error("a.prompt", "{{#if a}}".repeat(500) + "{{/if}}".repeat(500)).what().contains("nested"));
        assertTrue(error("a.prompt", "{{json " + "(lookup ".repeat(5000) + "a" + ")".repeat(5000) + "}}").what()
                .contains("longer"));
        assertTrue(error("a.prompt", "{{json " + "(lookup a ".repeat(30) + "a" + ")".repeat(30) + "}}").what()
                .contains("nested"));
        assertTrue(error("a.prompt", "{{a}}".repeat(5000)).what().contains("tags"));
    }

    @Test
    void partialsThatCallEachOtherEnd() throws IOException {
        Files.writeString(temp.resolve("_me.prompt"), "x{{> me}}");
        Files.writeString(temp.resolve("_twice.prompt"), "{{> twice}}{{> twice}}");
        for (int i = 0; i < 40; i++) Files.writeString(temp.resolve("_p" + i + ".prompt"), ("{{> p" + (i + 1) + "}}").repeat(2));
        Files.writeString(temp.resolve("_p40.prompt"), "x");
        for (String body : List.of("{{> me}}", "{{> twice}}", "{{> p0}}")) {
            String what = error("a.prompt", body).what();
            assertTrue(what.contains(body.equals("{{> p0}}") ? "does too much" : "infinite loop"), body + ": " + what);
        }
    }

    @Test
    void yamlThatGrowsEnds() throws IOException {
        StringBuilder laughs = new StringBuilder("---\na0: &a0 [x, x, x, x, x, x, x, x, x]\n");
        for (int i = 1; i < 12; i++) laughs.append("a" + i + ": &a" + i + " [" + ("*a" + (i - 1) + ", ").repeat(8) + "x]\n");
        assertTrue(error("a.prompty", laughs + "---\nHi").what().contains("YAML"));
        StringBuilder few = new StringBuilder("---\na0: &a0 [x, x, x, x, x, x, x, x, x]\n");
        for (int i = 1; i < 30; i++) few.append("a" + i + ": &a" + i + " [*a" + (i - 1) + ", *a" + (i - 1) + "]\n");
        assertTrue(error("a.prompty", few + "---\nHi").what().contains("YAML"));
        assertTrue(error("a.prompty", "---\na: &a [*a]\n---\nHi").what().contains("YAML"));
        assertTrue(error("a.prompty", "---\na: &a {b: *a}\n---\nHi").what().contains("YAML"));
        assertTrue(error("a.prompty", "---\na: " + "[".repeat(100_000) + "\n---\nHi").what().contains("YAML"));
        assertTrue(error("a.prompty", "---\na: " + "{a: ".repeat(500) + "1" + "}".repeat(500) + "\n---\nHi").what()
                .contains("YAML"));
        assertTrue(error("a.prompt", "---\n" + " - ".repeat(20_000) + "\n---\nHi").what().contains("YAML"));
    }

    @Test
    void schemasThatTakeForEverEnd() throws IOException {
        UserError slow = error("a.prompt",
                "---\ninput:\n  schema:\n    properties: {a: {type: string, pattern: '^(.*a){12}$'}}\n---\nHi");
        assertTrue(slow.what().contains("takes too long"), slow.what());
        UserError circle = error("a.prompt", "---\ninput:\n  schema:\n    properties: {a: {$ref: '#/properties/a'}}\n---\nHi");
        assertTrue(circle.what().contains("schema"), circle.what());
        UserError away = error("a.prompt",
                "---\ninput:\n  schema:\n    properties: {a: {$ref: 'https://example.com/schema'}}\n---\nHi");
        assertTrue(away.what().contains("schema"), away.what());
        UserError none = error("a.prompt", "---\ninput:\n  schema:\n    properties: {a: {type: string, pattern: '(['}}\n---\nHi");
        assertTrue(none.what().contains("(["), none.what());
    }

    @Test
    void longLinesEnd() throws IOException {
        for (String text : List.of("user[" + "a=b,".repeat(200_000), "{%".repeat(200_000) + "user:", "{{!--".repeat(40_000),
                "{{~!".repeat(40_000),
                "\\".repeat(200_000) + "{{a}}", "\n".repeat(500_000), " ".repeat(500_000) + "x", "{{> a"
                        + "\n{{> a".repeat(30_000)))
            for (String name : List.of("a.prompty", "a.prompt")) {
                Path file = Files.writeString(temp.resolve(name), text);
                assertTimeoutPreemptively(PATIENCE, () -> {
                    try {
                        PromptFile.read(file, Map.of()).body().render(Map.of());
                    } catch (UserError e) {
                        assertTrue(e.getMessage().length() < 2_000, () -> e.getMessage().substring(0, 100));
                    }
                }, name);
            }
    }

    @Test
    void templatesDoNotReachJavaObjects() throws IOException {
        List<String> paths = List.of("a.class", "a.class.name", "a.getClass", "a.bytes", "n.class", "n.size", "n.stream",
                "this.class", "this.size",
                "this.getClass", "@root.class", "n.iterator", "a.constructor", "a.__proto__", "this.entrySet", "this.keySet",
                "a.hashCode",
                "this.[class]", "lookup a \"class\"", "lookup this \"class\"", "lookup n \"class\"", "@__work", "@partials",
                "@options");
        for (String path : paths) {
            Path file = Files.writeString(temp.resolve("a.prompt"), "<{{" + path + "}}>");
            String got;
            try {
                got = PromptFile.read(file, Map.of()).body().render(Map.of("a", "text", "n", List.of(1))).getFirst().text();
            } catch (UserError e) {
                continue;
            }
            assertTrue(got.equals("<>"), path + " gave " + got);
        }
    }

    @Test
    void whatTheLibraryWouldThinkAboutForLongOrTripOverIsRefusedWithItsPlace() throws IOException {
        Path file = temp.resolve("odd.prompt");
        for (String body : List.of("{{" + "a.".repeat(800) + "a}}", "{{a" + "-a".repeat(800) + "}}", "{{~#if x}}a{{^}}b{{/if}}")) {
            Files.writeString(file, body);
            UserError e = assertTimeoutPreemptively(PATIENCE, () -> assertThrows(UserError.class,
                    () -> PromptFile.read(file, Map.of()).body().render(Map.of("x", true))));
            assertTrue(e.where().contains("odd.prompt"), e.getMessage());
        }
        Files.writeString(file, "{{#ifEquals x \"" + "a.".repeat(100) + "\"}}yes{{/ifEquals}}no");
        assertEquals("no", PromptFile.read(file, Map.of()).body().render(Map.of("x", "a")).getFirst().text(), "a text is no path");
    }
}
