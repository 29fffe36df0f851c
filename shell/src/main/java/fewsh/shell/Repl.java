package fewsh.shell;

import fewsh.UserError;
import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.jline.reader.EOFError;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.ParsedLine;
import org.jline.reader.Parser;
import org.jline.reader.UserInterruptException;
import org.jline.reader.impl.DefaultParser;
import org.jline.terminal.Attributes;
import org.jline.terminal.Terminal;
import org.jline.terminal.Terminal.Signal;

/// The shell's loop: read an entry, run it, until Ctrl-D or `/quit`. Ctrl-C at the prompt drops what was typed; during an
/// answer it ends the answer.
final class Repl {
    private final Workspace workspace;
    private final LineReader reader;

    Repl(Workspace workspace, Terminal terminal) {
        this.workspace = workspace;
        Path history = workspace.home().history();
        boolean kept = makePrivate(history);
        reader = LineReaderBuilder.builder()
                .terminal(terminal)
                .appName("fewsh")
                .parser(new Entries())
                .completer(new Completion(workspace))
                .variable(LineReader.HISTORY_FILE, kept ? history : null)
                .variable(LineReader.SECONDARY_PROMPT_PATTERN, workspace.render().paint(Style.DIM, "… "))
                .variable(LineReader.LIST_MAX, 200)
                .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true)
                .option(LineReader.Option.HISTORY_TIMESTAMPED, false)
                .option(LineReader.Option.CASE_INSENSITIVE, true)
                .build();
        // what is typed during an answer waits for the next prompt; it must not stand in the middle of the answer
        workspace.editor(new Editor(workspace.environment(), reader, terminal.getAttributes()));
        Attributes silent = terminal.getAttributes();
        silent.setLocalFlag(Attributes.LocalFlag.ECHO, false);
        terminal.setAttributes(silent);
        Thread loop = Thread.currentThread();
        terminal.handle(Signal.INT, _ -> workspace.interrupt(loop));
    }

    int run() {
        while (!workspace.quits())
            try {
                Thread.interrupted();                                         // a Ctrl-C that came too late for its command
                Entry entry = Entry.of(reader.readLine(prompt()));
                Commands.run(workspace, entry);
            } catch (UserInterruptException _) {
                // Ctrl-C at the prompt: what was typed is gone, as in every shell
            } catch (EndOfFileException _) {
                workspace.quit();
            } catch (UserError e) {
                workspace.render().error(e);
            } catch (IOException | RuntimeException e) {
                workspace.render().bug(e);
            }
        return 0;
    }

    /// `smollm2 › `, and in a branch `smollm2:poem › `.
    private String prompt() {
        String name = workspace.loaded().isEmpty() ? "fewsh" : workspace.modelLabel();
        String branch = workspace.tree().current().name();
        if (!branch.equals(Tree.MAIN)) name += ":" + branch;
        return workspace.render().paint(Style.PROMPT, name + " ›") + " ";
    }

    /// Lines typed may be private: only their owner reads the history.
    ///
    /// @return false if there can be none
    private boolean makePrivate(Path history) {
        boolean posix = FileSystems.getDefault().supportedFileAttributeViews().contains("posix");
        try {
            Files.createDirectories(history.getParent());
            var mode = PosixFilePermissions.fromString("rw-------");
            if (!Files.exists(history)) {
                if (posix) Files.createFile(history, PosixFilePermissions.asFileAttribute(mode));
                else Files.createFile(history);
            } else if (posix && Files.isRegularFile(history)) Files.setPosixFilePermissions(history, mode);
            return Files.isRegularFile(history) && Files.isWritable(history);
        } catch (IOException e) {
            workspace.render().note("the history is not kept: " + history + " cannot be written (" + e.getClass()
                    .getSimpleName() + ")");
            return false;
        }
    }

    /// Entries of several lines, and words for the Tab key.
    private final class Entries implements Parser {
        private final DefaultParser words = new DefaultParser();

        Entries() {
            words.setEscapeChars(new char[0]);
            words.setEofOnUnclosedQuote(false);
        }

        @Override
        public ParsedLine parse(String line, int cursor, ParseContext context) {
            if (context == ParseContext.ACCEPT_LINE && !workspace.isWhole(line)) throw new EOFError(-1, -1, "more lines follow",
                    "more");
            if (context == ParseContext.ACCEPT_LINE) return new Whole(line, cursor);
            return words.parse(line, cursor, context);
        }
    }

    /// An entry as it was typed.
    private record Whole(String line, int cursor) implements ParsedLine {
        @Override
        public String word() {
            return line;
        }

        @Override
        public int wordCursor() {
            return cursor;
        }

        @Override
        public int wordIndex() {
            return 0;
        }

        @Override
        public List<String> words() {
            return List.of(line);
        }
    }
}
