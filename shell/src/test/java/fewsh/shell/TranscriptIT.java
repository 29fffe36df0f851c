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

/// The program in a real terminal, on a real model: the screen as pages of `docs/` show it. In float32, whose greedy
/// answers are the reference's. `-Dgolden.update=true` writes the pages again.
@Shared.Suite(value = "models/smollm2-135m-instruct-gguf", programs = "tmux")
class TranscriptIT {
    private static final List<String> FIRST = List.of("What is the capital of France?", "And of Italy?", "/probs 6",
            "/tokens few-shot shells speak naïvely", "/score The capital of France is Paris.", "/undo", "/show");
    private static final List<String> PROMPTS = List.of("/role You are a careful bookkeeper.", "/style Give the number only.",
            "/shot A pen costs 2 euros. What do 3 pens cost? => 6", "/shot Ann has 9 plums and eats 4. How many are left? => 5",
            "/show A box holds 6 eggs. How many do 2 boxes hold?", "/vote 8", "/answer number", "/set seed 7",
            "A box holds 6 eggs. How many do 2 boxes hold?", "/fork sooner", "/vote 16 early", "/retry", "/goto main",
            "/save count.prompty", "/run count.prompty input=\"A week has 7 days. How many days have 3 weeks?\"",
            "/js const asked = compose(\"count.prompty\").run({input: \"What is 2 + 2?\"})", "/js asked.votes");

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
    void aFirstSessionIsAsDocumented() throws IOException, InterruptedException {
        isAsDocumented("transcript.md", "A first session", FIRST, 60);
    }

    @Test
    void composingAPromptIsAsDocumented() throws IOException, InterruptedException {
        isAsDocumented("composing.md", "Composing, voting, saving and running a prompt", PROMPTS, 120);
    }

    private void isAsDocumented(String name, String title, List<String> lines, int rows) throws IOException, InterruptedException {
        Path documented = Shared.project().resolve("docs").resolve(name);
        Path model = Shared.path("models/smollm2-135m-instruct-gguf/SmolLM2-135M-Instruct.Q4_1.gguf");
        Path named = Files.createSymbolicLink(home.resolve("smollm2.gguf"), model.toAbsolutePath());
        tmux("new-session", "-d", "-s", session, "-x", "96", "-y", Integer.toString(rows), "-c", home.toString(), "env",
                "FEWSH_HOME=" + home.resolve("home"), Shared.project().resolve("fewsh").toAbsolutePath().toString(), "-m",
                named.toString(), "--precision", "fp32", "--threads", "2");
        await(text -> text.endsWith("›"));
        for (int i = 0; i < lines.size(); i++) {
            int prompts = i + 2;
            tmux("send-keys", "-t", session, "-l", lines.get(i));
            tmux("send-keys", "-t", session, "Enter");
            await(text -> text.endsWith("›") && text.split(" ›", -1).length > prompts);
        }
        String page = "# " + title + "\n\nMade by `TranscriptIT` in a real terminal, SmolLM2-135M-Instruct in float32; times are left out."
                + "\n\n```\n" + screen().replaceAll("[\\d.]+ s\\b", "… s").replaceAll("[\\d.]+ tok/s", "… tok/s") + "\n```\n";
        if (Boolean.getBoolean("golden.update")) Files.writeString(documented, page);
        assertEquals(Files.readString(documented), page);
    }
}
