package fewsh.shell;

import fewsh.UserError;
import java.io.File;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.jline.reader.LineReader;
import org.jline.terminal.Attributes;
import org.jline.terminal.Terminal;
import org.jline.terminal.Terminal.Signal;
import org.jline.terminal.Terminal.SignalHandler;

/// The person's own editor, on the terminal that the shell lends it: `$VISUAL`, else `$EDITOR`, as a shell would run it.
///
/// The text is in a file, and the file in a folder, that nobody else may read; both are gone afterwards.
final class Editor {
    private final Map<String, String> environment;
    private final LineReader reader;
    private final Attributes outside;

    /// @param outside how the terminal was before the shell began, and is for the editor
    Editor(Map<String, String> environment, LineReader reader, Attributes outside) {
        this.environment = environment;
        this.reader = reader;
        this.outside = outside;
    }

    /// The command line of the editor.
    ///
    /// @throws UserError if the person has not said which; none is better than one that a person cannot leave
    String command() {
        return Stream.of("VISUAL", "EDITOR").map(name -> environment.getOrDefault(name, "")).filter(c -> !c.isBlank()).findFirst()
                .orElseThrow(() -> new UserError("/edit", "no editor is set",
                        "set EDITOR before fewsh starts, as in EDITOR=nano fewsh"));
    }

    /// Lets the person edit `text`, and keeps what comes of it in the history, so that it is not lost whatever happens next.
    ///
    /// @return what was saved, without the line feed at its end; empty if nothing was, or nothing else, or the editor failed
    Optional<String> edit(String text) throws IOException {
        String command = command();
        Path folder = Files.createTempDirectory("fewsh-");
        try {
            folder.toFile().deleteOnExit();
            Path file = Files.createTempFile(folder, "prompt-", ".txt");
            file.toFile().deleteOnExit();
            Files.writeString(file, text.isEmpty() ? "" : text + "\n");
            int code = foreground(File.separatorChar == '\\' ? List.of("cmd", "/c", command + " \"" + file + "\"")
                    : List.of("sh", "-c", "trap : INT QUIT; " + command + " \"$1\"", "sh", file.toString()));
            if (code != 0) throw new UserError("/edit", "\"" + command + "\" ended with exit code " + code,
                    code == 127 ? "set EDITOR to one that is there, as in EDITOR=nano fewsh" : "nothing was sent");
            String saved = read(file);
            if (saved.isBlank() || saved.equals(text)) return Optional.empty();
            Entry.typed(saved).ifPresent(reader.getHistory()::add);
            return Optional.of(saved);
        } finally {
            delete(folder);
        }
    }

    private static String read(Path file) throws IOException {
        try {
            return Files.readString(file).replaceFirst("\\R+$", "");
        } catch (NoSuchFileException _) {
            return "";
        } catch (CharacterCodingException e) {
            throw new UserError("/edit", "what was saved is not UTF-8 text", "have the editor write UTF-8", e);
        }
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) Files.delete(file);             // an editor's copies and swap files too
        }
        Files.delete(folder);
    }

    /// Runs a program that has the terminal to itself until it ends: its keys, its Ctrl-C, its way to set it up.
    ///
    /// @return its exit code
    private int foreground(List<String> command) throws IOException {
        Terminal terminal = reader.getTerminal();
        Attributes inside = terminal.getAttributes();
        // a handler that does nothing, not an ignored signal: that the editor would inherit
        SignalHandler before = terminal.handle(Signal.INT, _ -> {});
        terminal.writer().flush();
        terminal.setAttributes(outside);
        try {
            return new ProcessBuilder(command).inheritIO().start().waitFor();
        } catch (InterruptedException _) {
            return 130;
        } finally {
            terminal.setAttributes(inside);
            terminal.handle(Signal.INT, before);
        }
    }

    /// `/edit`: the last prompt in the editor; what is saved is sent in its place.
    static int run(Workspace workspace, Options options) throws IOException {
        options.expect("/edit", "nothing", 0, 0);
        Editor editor = workspace.editor().orElseThrow(() -> new UserError("/edit", "opens an editor, which a script cannot use",
                "write the prompt as a line; \"\"\" opens and closes a block of lines"));
        editor.command();
        workspace.model();                                                    // before a person writes what nobody could answer
        Optional<String> prompt = editor.edit(workspace.tree().current().lastPrompt());
        if (prompt.isEmpty()) {
            workspace.render().note("nothing new was saved, so nothing was sent");
            return 0;
        }
        prompt.get().lines().forEach(line -> workspace.render().note("  " + Render.visible(line)));
        return Chat.sayInstead(workspace, prompt.get());
    }
}
