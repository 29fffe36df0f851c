package fewsh.shell;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fewsh.Shared;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The program in a real terminal, on a real model: the screen as `docs/transcript.md` shows it. In float32, whose greedy
/// answers are the reference's. `-Dgolden.update=true` writes the page again.
@Shared.Suite(value = "models/smollm2-135m-instruct-gguf", programs = "tmux")
class TranscriptIT {
    private static final Path PAGE = Shared.project().resolve("docs/transcript.md");
    private static final List<String> LINES = List.of("What is the capital of France?", "And of Italy?", "/probs 6",
            "/tokens few-shot shells speak naïvely", "/score The capital of France is Paris.", "/undo", "/show");

    @TempDir Path home;
    private final String session = "fewsh-" + ProcessHandle.current().pid();

    private static String tmux(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("tmux", "-L", "fewsh-test"));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(10, TimeUnit.SECONDS), "tmux hangs");
        return out;
    }

    private String screen() throws IOException, InterruptedException {
        return tmux("capture-pane", "-t", session, "-p").stripTrailing();
    }

    private void await(Predicate<String> shown) throws IOException, InterruptedException {
        for (int i = 0; i < 600; i++) {
            if (shown.test(screen())) return;
            Thread.sleep(50);
        }
        throw new AssertionError("not shown in half a minute:\n" + screen());
    }

    @AfterEach
    void end() throws IOException, InterruptedException {
        tmux("kill-session", "-t", session);
    }

    @Test
    void theScreenIsAsDocumented() throws IOException, InterruptedException {
        Path model = Shared.path("models/smollm2-135m-instruct-gguf/SmolLM2-135M-Instruct.Q4_1.gguf");
        Path named = Files.createSymbolicLink(home.resolve("smollm2.gguf"), model.toAbsolutePath());
        tmux("new-session", "-d", "-s", session, "-x", "96", "-y", "60", "env", "FEWSH_HOME=" + home.resolve("home"),
                Shared.project().resolve("fewsh").toString(), "-m", named.toString(), "--precision", "fp32", "--threads", "2");
        await(text -> text.endsWith("›"));
        for (int i = 0; i < LINES.size(); i++) {
            int prompts = i + 2;
            tmux("send-keys", "-t", session, "-l", LINES.get(i));
            tmux("send-keys", "-t", session, "Enter");
            await(text -> text.endsWith("›") && text.split(" ›", -1).length > prompts);
        }
        String page = "# A first session\n\nMade by `TranscriptIT` in a real terminal, SmolLM2-135M-Instruct in float32; times are left out.\n\n```\n"
                + screen().replaceAll("[\\d.]+ s\\b", "… s").replaceAll("[\\d.]+ tok/s", "… tok/s") + "\n```\n";
        if (Boolean.getBoolean("golden.update")) Files.writeString(PAGE, page);
        assertEquals(Files.readString(PAGE), page);
    }
}
