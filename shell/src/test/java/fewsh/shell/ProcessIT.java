package fewsh.shell;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonParser;
import fewsh.Shared;
import fewsh.models.TinyModels;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What only a process of its own shows: signals, pipes, locales, exit codes.
class ProcessIT {
    private static final String FEWSH = Shared.project().resolve("fewsh").toString();

    @TempDir Path scratch;
    private Path alphabet;

    @BeforeEach
    void makeModel() {
        alphabet = Cli.alphabet(scratch);
    }

    private Process start(Map<String, String> environment, String... command) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command).directory(scratch.toFile())
                .redirectError(scratch.resolve("err").toFile());
        builder.environment().put("FEWSH_HOME", scratch.resolve("home").toString());
        builder.environment().put("FEWSH_MODEL", alphabet.toString());
        builder.environment().putAll(environment);
        return builder.start();
    }

    private static String read(Process process) throws Exception {
        process.getOutputStream().close();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(60, TimeUnit.SECONDS), "still running after a minute");
        return out;
    }

    private String err() throws IOException {
        return Files.readString(scratch.resolve("err"));
    }

    @Test
    void askAnswersAndLeavesNothingOnStderr() throws Exception {
        Process process = start(Map.of(), FEWSH, "ask", "hello");
        assertEquals("abcdefghijklmnopqrstuvwxyz\n", read(process));
        assertEquals(0, process.exitValue());
        assertEquals("", err());
    }

    @Test
    void textIsUtf8InEveryLocale() throws Exception {
        for (String locale : List.of("C", "POSIX", "C.UTF-8")) {
            Process process = start(Map.of("LC_ALL", locale, "LANG", locale), FEWSH, "tokenize", "--json", "né");
            assertEquals("[110,195,169]", JsonParser.parseString(read(process)).getAsJsonObject().get("ids").toString(), locale);
        }
    }

    @Test
    void anErrorExits2AndSaysSoOnStderrAlone() throws Exception {
        Process process = start(Map.of(), FEWSH, "ask", "--top_p", "2", "hello");
        assertEquals("", read(process));
        assertEquals(2, process.exitValue());
        assertEquals("error: top_p must be in (0, 1], was 2.0\n", err());
    }

    @Test
    void aReaderThatHasHadEnoughEndsItQuietly() throws Exception {
        Files.writeString(scratch.resolve("in.jsonl"), "{\"text\":\"abc\"}\n".repeat(3000));
        Process process = start(Map.of(), "sh", "-c", "\"$0\" score <in.jsonl | head -n 1", FEWSH);
        assertEquals(1, read(process).lines().count());
        assertEquals("", err());
    }

    @Test
    void aScriptOnStandardInputRunsAndItsErrorIsTheExitCode() throws Exception {
        Process process = start(Map.of(), "sh", "-c", "printf '/set max_tokens 3\\nhello\\n/nope\\n' | \"$0\"", FEWSH);
        assertEquals("abc\n", read(process));
        assertEquals(2, process.exitValue());
        assertTrue(err().startsWith("error: stdin:3: unknown command \"/nope\"\n"), err());
    }

    @Test
    void anInterruptKeepsThePartialAnswerAndExits130() throws Exception {
        Path endless = TinyModels.endless(scratch.resolve("endless"));
        Process process = start(Map.of(), FEWSH, "ask", "--raw", "-m", endless.toString(), "--max_tokens", "1000000", "a");
        process.getOutputStream().close();
        try (BufferedReader out = process.inputReader(StandardCharsets.UTF_8)) {
            assertTrue(out.read() >= 0, err());
            new ProcessBuilder("kill", "-INT", Long.toString(process.pid())).start().waitFor();
            out.transferTo(Writer.nullWriter());
        }
        assertTrue(process.waitFor(60, TimeUnit.SECONDS), "still running after a minute");
        assertEquals(130, process.exitValue(), err());
        assertEquals("", err());
    }
}
