package fewsh.shell;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fewsh.UserError;
import java.io.IOException;
import java.io.StringWriter;
import java.io.Writer;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class RenderTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private Render render(boolean terminal, boolean colour, boolean json, boolean quiet) {
        return new Render(new Render.Sink(out, terminal, colour, () -> 30), new Render.Sink(err, terminal, colour, () -> 30),
                json, quiet);
    }

    @Test
    void anErrorSaysWhereWhatAndWhatToDo() {
        render(false, false, false, false).error(new UserError("a.jsonl:3", "\"text\" is missing", "add it"));
        assertEquals("error: a.jsonl:3: \"text\" is missing\n  fix: add it\n", err.toString());
        assertEquals("", out.toString());
    }

    @Test
    void anErrorWithoutPlaceOrFixIsOneLine() {
        render(false, false, false, false).error(new UserError("", "top_p must be in (0, 1], was 1.5", ""));
        assertEquals("error: top_p must be in (0, 1], was 1.5\n", err.toString());
    }

    @Test
    void anErrorIsRedOnlyWhereColourIsAllowed() {
        render(true, true, false, false).error(new UserError("", "no", ""));
        assertEquals("\033[31merror:\033[0m no\n", err.toString());
    }

    @Test
    void anErrorUnderJsonIsOneObjectOnStderr() {
        render(false, false, true, true).error(new UserError("x", "say \"é\"", ""));
        assertEquals("{\"error\":{\"message\":\"say \\\"é\\\"\",\"where\":\"x\",\"fix\":\"\"}}\n", err.toString());
    }

    @Test
    void aBugSaysThatItIsOne() {
        render(false, false, false, false).bug(new IllegalStateException("oops"));
        assertTrue(err.toString().startsWith("java.lang.IllegalStateException: oops\n\tat fewsh.shell.RenderTest"),
                err.toString());
        assertTrue(err.toString().contains("please report"));
    }

    @Test
    void controlCharactersOfAModelAreShownAndNotObeyedOnATerminal() {
        render(true, false, false, false).text("a\033[2Jb\n\tc");
        assertEquals("a\u241b[2Jb\n\tc", out.toString());
    }

    @Test
    void aPipeGetsTheTextAsItIs() {
        render(false, false, false, false).text("a\033[2Jb");
        assertEquals("a\033[2Jb", out.toString());
    }

    @Test
    void anOpenLineIsEndedOnce() {
        Render render = render(false, false, false, false);
        render.text("a");
        render.endLine();
        render.endLine();
        render.text("b\n");
        render.endLine();
        assertEquals("a\nb\n", out.toString());
    }

    @Test
    void quietLeavesOutNotesAndProgress() {
        Render render = render(true, false, false, true);
        render.note("note");
        render.progress("50 %");
        assertEquals("", err.toString());
    }

    @Test
    void progressIsDrawnOverAndRemovedBeforeOtherLines() {
        Render render = render(true, false, false, false);
        render.progress("12345");
        render.progress("ab");
        render.note("done");
        assertEquals("\r12345\rab   \r  \rdone\n", err.toString());
    }

    @Test
    void progressIsCutToTheTerminalSoThatItCanBeDrawnOver() {
        render(true, false, false, false).progress("x".repeat(40));
        assertEquals("\r" + "x".repeat(28) + "…", err.toString());
    }

    @Test
    void progressIsOnlyForTerminals() {
        render(false, false, false, false).progress("50 %");
        assertEquals("", err.toString());
    }

    @Test
    void tablesAlignNumbersRightAndCountWideCharactersTwice() {
        render(false, false, false, false).table(List.of("name", ">n"), List.of(List.of("猫", "1"), List.of("abc", "22")));
        assertEquals("name   n\n猫     1\nabc   22\n", out.toString());
    }

    /// A place that fails to take what is written.
    private static Render.Sink failing(String message) {
        return new Render.Sink(new Writer() {
            @Override
            public void write(char[] buffer, int from, int length) throws IOException {
                throw new IOException(message);
            }

            @Override
            public void flush() {}

            @Override
            public void close() {}
        }, false, false, () -> 80);
    }

    @Test
    void aReaderThatHasGoneIsNoErrorButAFullDiskIs() {
        Render.Sink stderr = new Render.Sink(err, false, false, () -> 80);
        assertThrows(Render.Closed.class, () -> new Render(failing("Broken pipe"), stderr, false, false).text("x"));
        UserError e = assertThrows(UserError.class,
                () -> new Render(failing("No space left on device"), stderr, false, false).line("x"));
        assertEquals("stdout: cannot be written: No space left on device", e.getMessage());
    }

    @Test
    void withStderrGoneTheResultStillComes() {
        Render render = new Render(new Render.Sink(out, false, false, () -> 80), failing("Broken pipe"), false, false);
        render.error(new UserError("", "lost", ""));
        render.line("result");
        assertEquals("result\n", out.toString());
    }

    @Test
    void quantitiesAreShort() {
        assertEquals(List.of("999 B", "1.0 kB", "98.4 MB", "1.0 GB"), List.of(Render.bytes(999), Render.bytes(1000),
                Render.bytes(98_413_768), Render.bytes(999_999_999)));
        assertEquals(List.of("260K", "135M", "1.7B", "8.0B"), List.of(Render.parameters(260_000), Render.parameters(134_515_008),
                Render.parameters(1_711_376_384), Render.parameters(8_030_261_248L)));
        assertEquals(List.of("0.21 s", "2.8 s", "3 min 20 s"), List.of(Render.time(Duration.ofMillis(213)),
                Render.time(Duration.ofMillis(2800)), Render.time(Duration.ofSeconds(200))));
        assertEquals(List.of("187", "6.1", "0.0"), List.of(Render.rate(187, Duration.ofSeconds(1)),
                Render.rate(61, Duration.ofSeconds(10)), Render.rate(1, Duration.ZERO)));
        assertEquals(List.of("1", "0.95"), List.of(Render.number(1), Render.number(0.95)));
    }

    @Test
    void aDownloadShowsShareRateAndTimeLeft() {
        assertEquals("model.gguf  ████████████░░░░░░░░░░░░  50 %  50.0 MB of 100.0 MB  5.0 MB/s  10 s left",
                Models.receiving("model.gguf", 50_000_000, 100_000_000, 5e6));
        assertEquals("model.gguf  50.0 MB  5.0 MB/s", Models.receiving("model.gguf", 50_000_000, -1, 5e6));
    }
}
