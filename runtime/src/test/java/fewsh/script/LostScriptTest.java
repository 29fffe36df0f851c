package fewsh.script;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fewsh.UserError;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The one runaway that the engine cannot stop: a recursion that catches its own overflow spends its life where the stack is
/// too short for the engine to throw. It is left behind; as that costs a core, it is tried in a process of its own.
class LostScriptTest {
    @TempDir
    Path folder;

    public static void main(String[] args) throws InterruptedException {
        Path folder = Path.of(args[0]);
        try (Sandbox sandbox = new Sandbox(new Notebook(folder), folder, Limits.DEFAULT.withTime(Duration.ofMillis(500)))) {
            try {
                sandbox.evaluate("(function f() { try { f() } catch { f() } })()");
            } catch (UserError e) {
                System.out.println(e.getMessage());
            }
            System.out.println(sandbox.evaluate("1 + 1"));
        }
    }

    @Test
    void aScriptThatCannotBeStoppedIsLeftBehindAndTheNextOneRuns() throws Exception {
        Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow", "-cp",
                System.getProperty("java.class.path"), LostScriptTest.class.getName(), folder.toString())
                .redirectError(ProcessBuilder.Redirect.DISCARD).start();
        assertTrue(process.waitFor(60, TimeUnit.SECONDS), "and the program ends");
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(List.of("the script cannot be stopped: it keeps a core busy until the program is left; the variables of "
                + "/js are gone",
                "2"), out.lines().toList());
        assertEquals(0, process.exitValue());
    }
}
