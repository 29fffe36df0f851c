package fewsh.shell;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jline.terminal.Size;
import org.jline.terminal.impl.LineDisciplineTerminal;

/// Runs the common command lines once, in one process: the build records the AOT cache of this run, so that what they load
/// and link is ready at every later start.
final class WarmUp {
    /// Command lines that need neither a model nor a terminal.
    private static final List<List<String>> COMMON = List.of(List.of("--version"), List.of("--help"), List.of("models"),
            List.of("doctor"), List.of("doctor", "--json"), List.of("-c", "/help\n/set temperature 0.5\n/set"));

    /// Command lines for a model.
    private static final List<List<String>> OF_MODEL = List.of(List.of("ask", "--max_tokens", "8", "Hello"),
            List.of("ask", "--json", "--max_tokens", "8", "--temperature", "1", "--logprobs", "2", "Hello"),
            List.of("ask", "--vote", "2", "--max_tokens", "4", "--answer", "number", "--format", "regex [0-9]+", "Hello"),
            List.of("score", "--context", "a", "--continuation", "b"), List.of("tokenize", "Hello"), List.of("info"));

    private WarmUp() {}

    /// @param args the folder or file of a model, or nothing
    public static void main(String[] args) throws IOException {
        List<List<String>> lines = new ArrayList<>(COMMON);
        if (args.length > 0)
            for (List<String> line : OF_MODEL) {
                List<String> own = new ArrayList<>(List.of("-m", args[0]));
                own.addAll(line);
                lines.add(own);
            }
        for (List<String> line : lines) Main.run(line.toArray(String[]::new));
        shell(args);
        System.exit(0);
    }

    /// The shell at a terminal that types by itself.
    private static void shell(String[] args) throws IOException {
        try (LineDisciplineTerminal terminal = new LineDisciplineTerminal("warm-up", "xterm", OutputStream.nullOutputStream(),
                StandardCharsets.UTF_8)) {
            terminal.setSize(new Size(80, 24));
            terminal.processInputBytes("/help\n/se\t\025hello\n/probs\n/role Be brief.\n/shot a => b\n/show\n/js 1 + 1\n/quit\n".getBytes(StandardCharsets.UTF_8));
            Render.Sink screen = new Render.Sink(terminal.writer(), true, true, terminal::getWidth);
            Main main = new Main(System.getenv(), Path.of(""), new ByteArrayInputStream(new byte[0]), true, screen, screen);
            Options program = Options.parse("fewsh", Commands.PROGRAM, args.length > 0 ? List.of("-m", args[0]) : List.of(),
                    true);
            main.repl(program, new Render(screen, screen, false, false), terminal);
        }
    }
}
