package fewsh.shell;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TemplatesTest {
    @TempDir Path home;

    private Cli.Result batch(String line) {
        return Cli.in(home).piped(line + "\n", "render", "--batch");
    }

    @Test
    void aTemplateOfAFileIsPrintedBare() throws IOException {
        Files.writeString(home.resolve("t.jinja"), "{% for x in xs %}\n- {{ x }}\n{% endfor %}\n");
        Files.writeString(home.resolve("v.json"), "{\"xs\":[1,2.0,\"é\"]}");
        assertEquals(new Cli.Result(0, "\n- 1\n\n- 2.0\n\n- é\n", ""),
                Cli.in(home).run("render", "--template", "t.jinja", "--vars", "v.json"));
        assertEquals("- 1\n- 2.0\n- é\n",
                Cli.in(home).run("render", "--template", "t.jinja", "--vars", "v.json", "--environment", "chat").out());
    }

    @Test
    void anErrorOfATemplateNamesFileAndLine() throws IOException {
        Files.writeString(home.resolve("t.jinja"), "a\n{{ x.y.z }}");
        Cli.Result result = Cli.in(home).run("render", "--template", "t.jinja");
        assertEquals(2, result.code());
        assertTrue(result.err().startsWith("error: t.jinja:2: UndefinedError: "), result.err());
    }

    @Test
    void linesAreRenderedOrSayWhyNot() {
        assertEquals("{\"text\":\"a 1\"}\n", batch("{\"template\":\"a {{ x }}\",\"vars\":{\"x\":1}}").out());
        assertEquals("{\"text\":\"x\\n\"}\n",
                batch("{\"template\":\"x\\n\",\"vars\":{},\"options\":{\"keep_trailing_newline\":true}}").out());
        Cli.Result failed = batch("{\"template\":\"{{ x }}\",\"vars\":{},\"environment\":\"lm_eval\"}\n{\"template\":\"b\"}");
        assertEquals(0, failed.code());
        List<String> lines = failed.out().lines().toList();
        assertTrue(lines.getFirst().startsWith("{\"error\":\"UndefinedError: 'x' is undefined"), lines.getFirst());
        assertEquals("{\"text\":\"b\"}", lines.get(1));
    }

    @Test
    void theClockStandsWhereTheLineSays() {
        assertEquals("{\"text\":\"04 Jul 2026\"}\n", batch("{\"template\":\"{{ strftime_now('%d %b %Y') }}\",\"vars\":{},"
                + "\"environment\":\"chat\",\"now\":\"2026-07-04T09:05:03\"}").out());
        assertTrue(batch("{\"template\":\"\",\"now\":\"yesterday\"}").out()
                .contains("\\\"now\\\" is no time: \\\"yesterday\\\""));
    }

    @Test
    void aLineThatIsWrongIsAnErrorOfThatLineAlone() {
        for (String line : List.of("{\"template\":1}", "{\"template\":\"a\",\"vars\":[]}",
                "{\"template\":\"a\",\"environment\":\"x\"}",
                "{\"template\":\"a\",\"options\":{\"autoescape\":true}}", "{\"template\":\"a\",\"vasr\":{}}", "nonsense", "[]",
                "{\"messages\":1,\"model\":\"x\"}", "{\"messages\":[],\"model\":\"nowhere\"}")) {
            Cli.Result result = batch(line);
            assertEquals(0, result.code(), line);
            assertTrue(result.out().startsWith("{\"error\":"), result.out());
        }
    }

    @Test
    void aModelsChatTemplateIsRenderedWithoutLoadingTheModel() throws IOException {
        Path model = Cli.alphabet(home);
        Files.delete(model.resolve("model.safetensors"));
        String line = "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"model\":" + Render.quoted(model.toString());
        assertEquals("{\"text\":\"<|im_start|>user\\nhi<|im_end|>\\n\"}\n", batch(line + "}").out());
        assertEquals("{\"text\":\"<|im_start|>user\\nhi<|im_end|>\\n<|im_start|>assistant\\n\"}\n",
                batch(line + ",\"add_generation_prompt\":true}").out());
    }

    @Test
    void oneOfTemplateAndBatchIsNeeded() {
        assertEquals(2, Cli.in(home).run("render").code());
        assertEquals(2, Cli.in(home).run("render", "--batch", "--template", "t").code());
        assertTrue(Cli.in(home).run("render", "--template", "nowhere.jinja").err()
                .startsWith("error: nowhere.jinja: no such file"));
    }
}
