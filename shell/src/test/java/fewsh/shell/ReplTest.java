package fewsh.shell;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fewsh.models.TinyModels;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.jline.terminal.Size;
import org.jline.terminal.impl.LineDisciplineTerminal;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The shell at a terminal: what a person types, and what the screen then says.
class ReplTest {
    private static final Duration PATIENCE = Duration.ofSeconds(Integer.getInteger("patience", 30));

    @TempDir Path home;
    private final ByteArrayOutputStream screen = new ByteArrayOutputStream();
    private LineDisciplineTerminal terminal;
    private CompletableFuture<Integer> ended;
    private int seen;

    /// Starts the shell on a terminal of type `type`, and waits for the prompt.
    private void start(String type, boolean colour, Map<String, String> environment) throws IOException {
        terminal = new LineDisciplineTerminal("test", type, screen, StandardCharsets.UTF_8);
        terminal.setSize(new Size(100, 40));
        Cli cli = new Cli(home, environment);
        Render.Sink sink = new Render.Sink(terminal.writer(), true, colour, terminal::getWidth);
        Main main = new Main(cli.environment(), home, new ByteArrayInputStream(new byte[0]), true, sink, sink);
        ended = new CompletableFuture<>();
        Thread.ofPlatform().daemon().start(() -> {
            try {
                ended.complete(main.repl(Options.of(), new Render(sink, sink, false, false), terminal));
            } catch (RuntimeException | Error e) {
                ended.completeExceptionally(e);
            }
        });
        await(text -> plain(text).contains("› "));
    }

    private static String plain(String text) {
        return text.replaceAll("\033\\[[\\d;?]*[a-zA-Z]|\033[=>]", "");
    }

    private void startWithAlphabet(String type, boolean colour) throws IOException {
        start(type, colour, Map.of("FEWSH_MODEL", Cli.alphabet(home).toString()));
    }

    private String text() {
        return screen.toString(StandardCharsets.UTF_8);
    }

    private void await(Predicate<String> there) {
        Instant end = Instant.now().plus(PATIENCE);
        while (!there.test(text().substring(seen)) && !ended.isDone())
            if (Instant.now().isAfter(end)) throw new AssertionError("after " + PATIENCE + " the screen still says\n" + text());
            else Thread.onSpinWait();
        seen = text().length();
    }

    /// Types `keys` and waits until the screen holds `then`.
    private void type(String keys, String then) throws IOException {
        seen = text().length();
        terminal.processInputBytes(keys.getBytes(StandardCharsets.UTF_8));
        await(text -> plain(text).contains(then));
    }

    /// Types a line, and waits for the next prompt.
    private void line(String line) throws IOException {
        seen = text().length();
        terminal.processInputBytes((line + "\n").getBytes(StandardCharsets.UTF_8));
        await(text -> text.contains("\n") && plain(text).endsWith("› "));
    }

    private int leave() throws Exception {
        terminal.processInputBytes(new byte[] {4});
        return ended.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    }

    @AfterEach
    void close() throws Exception {
        if (!ended.isDone()) leave();
        terminal.close();
    }

    /// The screen without what differs from run to run.
    private String transcript() {
        return text().replace("\r", "").replace(home.toString(), "HOME").replaceAll("\\d[\\d,.]* tok/s", "N tok/s")
                .replaceAll("(-\\d+\\.\\d\\d)\\d\\d", "$1")
                .replaceAll("loaded in [\\d.]+ s", "loaded in N s").replaceAll("[\\d.]+ s to first token", "N s to first token")
                .replaceAll("(?m) +$", "");
    }

    @Test
    void aSessionAtADumbTerminal() throws Exception {
        startWithAlphabet("dumb", false);
        for (String line : List.of("hello", "/set", "/set max_tokens 3", "/retry", "/probs", "/probs 2", "/tokens né",
                "/score abc",
                "/system Be brief", "/show", "/undo", "/undo", "/time off", "hello", "/time", "/clear", "/save x.txt", "/nope",
                "/set tempratur 1", "/help load", "/unload", "hello", "/info"))
            line(line);
        assertEquals(0, leave());
        Golden.check("shell/src/test/resources/golden/session.txt", transcript());
    }

    @Test
    void withNoModelItSaysInOneLineWhatToType() throws Exception {
        start("dumb", false, Map.of());
        assertTrue(text().contains("no model yet: type /pull smollm2 to fetch a small one"), text());
        line("hello");
        assertTrue(text().contains("error: no model yet"), text());
    }

    @Test
    void ctrlCDuringAnAnswerKeepsWhatThereIsAndComesBackAtOnce() throws Exception {
        Path endless = TinyModels.endless(home.resolve("endless"));
        start("dumb", false, Map.of("FEWSH_MODEL", endless.toString()));
        line("/set max_tokens 1000000");
        type("hello\n", "\n");
        long start = System.nanoTime();
        terminal.processInputBytes(new byte[] {3});
        await(text -> plain(text).endsWith("› "));
        assertTrue(text().contains(" · interrupted"), text());
        assertTrue(Duration.ofNanos(System.nanoTime() - start).toMillis() < 2000, "it took long to come back");
        line("/save partial.jsonl");
        assertTrue(Files.readString(home.resolve("partial.jsonl")).contains("\"role\":\"assistant\""));
    }

    @Test
    void ctrlCAtThePromptDropsTheLine() throws Exception {
        startWithAlphabet("ansi", false);
        type("never sent", "never sent");
        type("\003", "› ");
        line("/save c.jsonl");
        assertTrue(text().contains("the conversation is empty"), text());
    }

    @Test
    void aPasteOfSeveralLinesIsOneEntry() throws Exception {
        startWithAlphabet("xterm", false);
        type("\033[200~one\ntwo\nthree\033[201~", "three");
        line("");
        line("/save c.jsonl");
        assertTrue(Files.readString(home.resolve("c.jsonl"))
                .startsWith("{\"messages\":[{\"role\":\"user\",\"content\":\"one\\ntwo\\nthree\"}"));
    }

    @Test
    void aBlockAndAContinuedLineAreOneEntryEach() throws Exception {
        startWithAlphabet("ansi", false);
        type("\"\"\"\n", "… ");
        type("one\n", "… ");
        line("two\"\"\"");
        type("three \\\n", "… ");
        line("four");
        line("/save c.jsonl");
        String saved = Files.readString(home.resolve("c.jsonl"));
        assertTrue(saved.contains("\"content\":\"one\\ntwo\"") && saved.contains("\"content\":\"three \\nfour\""), saved);
    }

    @Test
    void thePromptShowsTheBranchAndTabCompletesIt() throws Exception {
        startWithAlphabet("ansi", false);
        line("/fork poem");
        assertTrue(plain(text()).endsWith("alphabet:poem › "), text());
        type("/goto m\t", "/goto main ");
        line("");
        assertTrue(plain(text()).endsWith("alphabet › "), text());
    }

    /// A shell script for an editor; it also says how its file is kept, and that it was there.
    private Map<String, String> editor(String script) throws IOException {
        Path editor = home.resolve("an editor.sh");
        Files.writeString(editor, "#!/bin/sh\nstat -c '%a %n' \"$1\" \"${1%/*}\" >\"" + home + "/modes\"\ncp \"$1\" \"" + home
                + "/before\"\n" + script + "\n");
        Files.setPosixFilePermissions(editor, PosixFilePermissions.fromString("rwx------"));
        return Map.of("FEWSH_MODEL", Cli.alphabet(home).toString(), "EDITOR", "'" + editor + "'");
    }

    private String saved() throws IOException {
        line("/save c.jsonl");
        return Files.readString(home.resolve("c.jsonl"));
    }

    @Test
    void whatTheEditorSavesIsSentInPlaceOfTheLastPrompt() throws Exception {
        start("ansi", false, editor("printf 'two\\nlines\\n' >\"$1\"; echo backup >\"$1~\""));
        line("one");
        line("first");
        line("/edit");
        assertEquals("first\n", Files.readString(home.resolve("before")));
        String saved = saved();
        assertTrue(saved.contains("\"content\":\"one\"") && saved.contains("\"content\":\"two\\nlines\"")
                && !saved.contains("first"), saved);
        List<String> modes = Files.readAllLines(home.resolve("modes"));
        assertTrue(modes.get(0).startsWith("600 ") && modes.get(1).startsWith("700 "), modes.toString());
        for (String mode : modes) assertFalse(Files.exists(Path.of(mode.substring(4))), mode);
        assertTrue(Files.readString(home.resolve("history")).contains("two\\nlines"));
    }

    @Test
    void anEmptyConversationIsEditedFromAnEmptyFile() throws Exception {
        start("dumb", false, editor("echo hello >\"$1\""));
        line("/edit");
        assertEquals("", Files.readString(home.resolve("before")));
        assertTrue(saved().contains("\"content\":\"hello\""));
    }

    @Test
    void anEditorThatSavesNothingNewOrFailsLeavesEverythingAsItWas() throws Exception {
        start("dumb", false, editor(". \"" + home + "/how\""));
        Files.writeString(home.resolve("how"), ":");
        line("one");
        String before = saved();
        for (String how : List.of(":", ": >\"$1\"", "rm \"$1\"", "echo '  ' >\"$1\"")) {
            Files.writeString(home.resolve("how"), how);
            line("/edit");
            assertTrue(text().contains("nothing new was saved, so nothing was sent"), text());
            assertEquals(before, saved(), how);
        }
        Files.writeString(home.resolve("how"), "echo other >\"$1\"; exit 3");
        line("/edit");
        assertTrue(text().contains("ended with exit code 3"), text());
        Files.writeString(home.resolve("how"), "printf '\\377' >\"$1\"");
        line("/edit");
        assertTrue(text().contains("not UTF-8 text"), text());
        assertEquals(before, saved());
    }

    @Test
    void ctrlCInTheEditorIsTheEditors() throws Exception {
        start("dumb", false, editor("while [ ! -e \"" + home + "/go\" ]; do sleep 0.02; done; echo hello >\"$1\""));
        type("/edit\n", "\n");
        while (!Files.exists(home.resolve("before"))) Thread.onSpinWait();
        terminal.processInputBytes(new byte[] {3});
        Files.createFile(home.resolve("go"));
        await(text -> plain(text).endsWith("› "));
        assertTrue(text().contains("abcdefghijklmnopqrstuvwxyz"), text());
        assertTrue(saved().contains("\"content\":\"hello\""));
    }

    @Test
    void withoutAnEditorItSaysWhatToSet() throws Exception {
        startWithAlphabet("dumb", false);
        line("/edit");
        assertTrue(text().replace("\r", "").contains("no editor is set\n  fix: set EDITOR before fewsh starts"), text());
    }

    @Test
    void ctrlCDuringALoadComesBackAndLeavesTheModelThereWas() throws Exception {
        startWithAlphabet("dumb", false);
        Path blocked = Files.createDirectories(home.resolve("blocked"));
        assertEquals(0, new ProcessBuilder("mkfifo", blocked.resolve("config.json").toString()).start().waitFor());
        type("/load " + blocked + "\n", "\n");
        try (var config = Files.newOutputStream(blocked.resolve("config.json"))) {     // waits until the load reads it
            type("\003", "› ");
            assertTrue(text().contains("the load was interrupted"), text());
            line("hello");
            assertTrue(text().contains("abcdefghijklmnopqrstuvwxyz"), text());
            config.write("{}".getBytes(StandardCharsets.UTF_8));
        }
        line("/load " + home.resolve("alphabet"));
        assertTrue(text().split("loaded in").length == 3, text());
    }

    @Test
    void tabCompletesCommandsSettingsModelsAndFiles() throws Exception {
        startWithAlphabet("ansi", false);
        Files.writeString(home.resolve("notes.jsonl"), "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}\n");
        type("/und\t", "/undo ");
        type("\003", "› ");
        type("/set min\t", "min_p ");
        type("\003", "› ");
        type("/open no\t", "notes.jsonl");
        type("\003", "› ");
        type("/load alpha\t", "alphabet/");
        type("\003", "› ");
        type("/time of\t", "off ");
        type("\003", "› ");
        type("/load x --prec\t", "--precision ");
        type("\003", "› ");
    }

    @Test
    void theHistoryIsKeptForTheNextSessionAndIsPrivate() throws Exception {
        startWithAlphabet("ansi", false);
        line("/time");
        assertEquals(0, leave());
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(home.resolve("history"))));
        assertEquals(List.of("/time"), Files.readAllLines(home.resolve("history")));
        terminal.close();
        Files.setPosixFilePermissions(home.resolve("history"), PosixFilePermissions.fromString("rw-r--r--"));
        startWithAlphabet("ansi", false);
        type("\033[A", "/time");
        type("\003", "› ");
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(home.resolve("history"))));
    }

    @Test
    void exclamationMarksAndBackslashesStayWhatTheyAre() throws Exception {
        startWithAlphabet("dumb", false);
        line("Hi! !! C:\\new");
        line("/save c.jsonl");
        assertTrue(Files.readString(home.resolve("c.jsonl")).contains("\"content\":\"Hi! !! C:\\\\new\""));
    }

    @Test
    void colourIsUsedWhereItIsAllowed() throws Exception {
        startWithAlphabet("xterm", true);
        line("hello");
        line("/probs");
        assertTrue(text().contains("\033[32m"), text());
        assertEquals(0, leave());
        screen.reset();
        seen = 0;
        terminal.close();
        startWithAlphabet("xterm", false);
        line("hello");
        line("/probs");
        assertFalse(text().contains("\033[32m"), text());
    }

    @Test
    void quitLeaves() throws Exception {
        startWithAlphabet("dumb", false);
        terminal.processInputBytes("/quit\n".getBytes(StandardCharsets.UTF_8));
        assertEquals(0, ended.get(PATIENCE.toSeconds(), TimeUnit.SECONDS));
    }
}
