package fewsh.shell;

import fewsh.UserError;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;
import org.jline.utils.Signals;

/// Where the program starts: command line → command, or the shell, or a script of its lines; and the exit code.
public final class Main {
    static final String VERSION = "0.1.0";

    private final Map<String, String> environment;
    private final Path directory;
    private final InputStream in;
    private final boolean terminalIn;
    private final Render.Sink out;
    private final Render.Sink err;

    /// @param directory relative file names start here
    /// @param terminalIn whether a person types at `in`
    Main(Map<String, String> environment, Path directory, InputStream in, boolean terminalIn, Render.Sink out, Render.Sink err) {
        this.environment = environment;
        this.directory = directory;
        this.in = in;
        this.terminalIn = terminalIn;
        this.out = out;
        this.err = err;
    }

    public static void main(String[] args) {
        System.exit(run(args));
    }

    /// Runs a command line on the process's own streams.
    ///
    /// @return the exit code
    static int run(String[] args) {
        Map<String, String> environment = System.getenv();
        boolean colours = environment.getOrDefault("NO_COLOR", "").isEmpty() && !"dumb".equals(environment.get("TERM"));
        String width = environment.getOrDefault("COLUMNS", "");
        int columns = width.matches("[1-9]\\d{0,3}") ? Integer.parseInt(width) : 80;
        Main main = new Main(environment, Path.of(""), new FileInputStream(FileDescriptor.in), Stream.IN.isTerminal(),
                sink(FileDescriptor.out, Stream.OUT.isTerminal(), colours, columns),
                        sink(FileDescriptor.err, Stream.ERR.isTerminal(), colours, columns));
        return main.run(List.of(args));
    }

    private static Render.Sink sink(FileDescriptor descriptor, boolean terminal, boolean colours, int columns) {
        return new Render.Sink(new OutputStreamWriter(new FileOutputStream(descriptor), StandardCharsets.UTF_8), terminal,
                terminal && colours, () -> columns);
    }

    /// @return the exit code
    int run(List<String> args) {
        // before the options are parsed, so that an error in them is said as it was asked for
        Render render = new Render(out, err, args.contains("--json"), args.contains("--quiet"));
        try {
            return dispatch(args, render);
        } catch (UserError e) {
            render.error(e);
            return 2;
        } catch (Render.Closed _) {
            return 0;
        } catch (IOException | RuntimeException | Error e) {
            render.bug(e);
            return 2;
        }
    }

    private int dispatch(List<String> args, Render render) throws IOException {
        Options program = Options.parse("fewsh", Commands.PROGRAM, args, true);
        if (program.has("version")) {
            render.line("fewsh " + VERSION);
            return 0;
        }
        List<String> words = program.words();
        if (words.isEmpty() && program.has("help") || !words.isEmpty() && words.getFirst().equals("help"))
            return help(words, render);
        if (words.isEmpty() || program.has("command")) return shell(program, render);
        Optional<Command> command = Commands.program(words.getFirst());
        if (command.isPresent()) return command(command.get(), args, words, render);
        Path file = directory.resolve(words.getFirst());
        if (Files.isRegularFile(file) || words.getFirst().endsWith(".fewsh")) return script(program, render);
        throw new UserError("fewsh", "unknown command \"" + words.getFirst() + "\"", UserError.near(words.getFirst(),
                Commands.programs().stream().map(Command::name).toList(), "fewsh --help lists the commands"));
    }

    private static int help(List<String> words, Render render) {
        if (words.size() < 2) Commands.help(render);
        else Commands.help(render, Commands.program(words.get(1)).orElseThrow(() -> new UserError("fewsh help",
                "unknown command \"" + words.get(1) + "\"", "fewsh --help lists the commands")));
        return 0;
    }

    /// Options before the command's name count as if they followed it.
    private int command(Command command, List<String> args, List<String> words, Render render) throws IOException {
        List<String> own = new ArrayList<>(args.subList(0, args.size() - words.size()));
        own.addAll(words.subList(1, words.size()));
        if (own.contains("--help") && own.indexOf("--help") < (own.contains("--") ? own.indexOf("--") : own.size())) {
            Commands.help(render, command);
            return 0;
        }
        Options options = Options.parse("fewsh " + command.name(), Commands.options(command), own, false);
        if (options.has("help")) {
            Commands.help(render, command);
            return 0;
        }
        try (Workspace workspace = workspace(render.with(options.has("json"), options.has("quiet")))) {
            return command.action().run(workspace, options);
        }
    }

    private Workspace workspace(Render render) {
        return new Workspace(environment, directory, new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8)),
                terminalIn,
                render);
    }

    /// `-c LINES`, lines on standard input, or a person.
    private int shell(Options program, Render render) throws IOException {
        Render own = render.with(program.has("json"), program.has("quiet"));
        if (program.has("command")) {
            if (!program.words().isEmpty())
                throw new UserError("fewsh -c", "does not take \"" + program.words().getFirst() + "\"",
                        "put quotes around the lines");
            var lines = String.join("\n", program.all("command")).lines().iterator();
            return lines(program, own, "-c", new Entry.Lines(() -> lines.hasNext() ? lines.next() : null));
        }
        if (!terminalIn) {
            try (Workspace workspace = workspace(own)) {
                return lines(program, workspace, "stdin", new Entry.Lines(workspace::readLine));
            }
        }
        return repl(program, own);
    }

    private int script(Options program, Render render) throws IOException {
        if (program.words().size() > 1)
            throw new UserError("fewsh", "does not take \"" + program.words().get(1) + "\"", "fewsh FILE runs one file");
        String name = program.words().getFirst();
        if (!name.endsWith(".fewsh"))
            throw new UserError("fewsh", "\"" + name + "\" is no script: the name of one ends in .fewsh",
                    "fewsh ask takes text: fewsh ask <" + name);
        try (Workspace workspace = workspace(render.with(program.has("json"), program.has("quiet")))) {
            return lines(program, workspace, name);
        }
    }

    /// Runs a file of lines; an error ends it.
    static int lines(Options program, Workspace workspace, String name) throws IOException {
        var lines = workspace.read(name).lines().iterator();
        return lines(program, workspace, name, new Entry.Lines(() -> lines.hasNext() ? lines.next() : null));
    }

    private int lines(Options program, Render render, String where, Entry.Lines lines) throws IOException {
        try (Workspace workspace = workspace(render)) {
            return lines(program, workspace, where, lines);
        }
    }

    /// Runs a script; an error ends it.
    private static int lines(Options program, Workspace workspace, String where, Entry.Lines lines) throws IOException {
        Signals.register("INT", () -> {
            if (!workspace.interrupt()) java.lang.Runtime.getRuntime().halt(130);
        });
        workspace.begin(program, false);
        while (!workspace.quits()) {
            Optional<Entry> entry = Entry.next(lines, workspace::isWhole);
            if (entry.isEmpty()) return 0;
            try {
                int code = Commands.run(workspace, entry.get());
                if (code != 0) return code;
            } catch (UserError e) {
                String place = where + ":" + entry.get().line();
                throw new UserError(e.where().isEmpty() ? place : place + ": " + e.where(), e.what(), e.fix(), e);
            }
        }
        return 0;
    }

    private int repl(Options program, Render render) throws IOException {
        try (Terminal terminal = TerminalBuilder.builder().name("fewsh").system(true).encoding(StandardCharsets.UTF_8)
                .jni(true).ffm(false).jna(false).jansi(false).exec(false).dumb(true).build()) {
            boolean colour = err.colour() && !Terminal.TYPE_DUMB.equals(terminal.getType());
            Render.Sink screen = new Render.Sink(terminal.writer(), true, colour, terminal::getWidth);
            Render own = new Render(out.terminal() ? screen : out, screen, false, program.has("quiet"));
            // a dumb terminal leaves the signal to the process, which it would end
            if (Terminal.TYPE_DUMB.equals(terminal.getType()))
                Signals.register("INT", () -> terminal.raise(Terminal.Signal.INT));
            return repl(program, own, terminal);
        }
    }

    /// The shell on `terminal`.
    int repl(Options program, Render render, Terminal terminal) {
        try (Workspace workspace = workspace(render)) {
            workspace.begin(program, true);
            render.banner("fewsh " + VERSION, "the few-shot shell");
            try {
                workspace.model();
                render.banner(workspace.modelLabel(), Models.modelLine(workspace));
            } catch (UserError e) {
                if (program.has("model") || environment.containsKey("FEWSH_MODEL")) throw e;
                render.note(e.getMessage() + ": " + e.fix());
            }
            render.note("/help lists the commands · Ctrl-C stops an answer · Ctrl-D leaves");
            return new Repl(workspace, terminal).run();
        }
    }

    /// The three standard streams, and whether a person is at the other end.
    private enum Stream {
        IN, OUT, ERR;

        boolean isTerminal() {
            Path link = Path.of("/proc/self/fd/" + ordinal());
            try {
                if (Files.isSymbolicLink(link)) return Files.readSymbolicLink(link).toString()
                        .matches("/dev/(pts/\\d+|tty.*|console)");
                return org.jline.nativ.CLibrary.isatty(ordinal()) == 1;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
