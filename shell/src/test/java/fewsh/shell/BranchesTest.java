package fewsh.shell;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonParser;
import fewsh.UserError;
import fewsh.models.TinyModels;
import fewsh.prompt.Message;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The conversation as a tree, on a model with random weights, whose answers depend on every token before them.
class BranchesTest {
    @TempDir static Path home;
    private static Path model;
    private final StringWriter out = new StringWriter();
    private Workspace workspace;

    @BeforeAll
    static void make() throws IOException {
        model = TinyModels.llama(home.resolve("llama"), 1);
    }

    @BeforeEach
    void begin() {
        workspace = begun();
    }

    private Workspace begun() {
        Render.Sink sink = new Render.Sink(out, false, false, () -> 80);
        Workspace begun = new Workspace(Map.of("FEWSH_HOME", home.toString(), "FEWSH_MODEL", model.toString()), home,
                new BufferedReader(new StringReader("")), false, new Render(sink, sink, false, false));
        begun.begin(Options.of(), false);
        begun.settings().put(Setting.MAX_TOKENS, List.of("6"));
        return begun;
    }

    @AfterEach
    void close() {
        workspace.close();
    }

    private static void run(Workspace workspace, String... lines) {
        try {
            for (String line : lines) assertEquals(0, Commands.run(workspace, Entry.of(line)), line);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private String said(String... lines) {
        out.getBuffer().setLength(0);
        run(workspace, lines);
        return out.toString();
    }

    private UserError refused(String line) {
        return assertThrows(UserError.class, () -> Commands.run(workspace, Entry.of(line)));
    }

    private List<String> prompts() {
        return workspace.messages().stream().filter(m -> m.role().equals("user")).map(Message::text).toList();
    }

    @Test
    void aForkHasTheConversationSoFarAndTheOldBranchStaysAsItWas() {
        run(workspace, "one", "/fork poem", "two");
        assertEquals(List.of("one", "two"), prompts());
        run(workspace, "/goto main");
        assertEquals(List.of("one"), prompts());
        run(workspace, "three", "/goto poem");
        assertEquals(List.of("one", "two"), prompts());
    }

    @Test
    void everyCommandActsOnTheCurrentBranch() throws IOException {
        run(workspace, "/system Be brief", "one", "two", "/fork b", "/system Be long", "/undo", "three", "/retry",
                "/save b.jsonl", "/clear");
        assertEquals(List.of(), prompts());
        assertTrue(Files.readString(home.resolve("b.jsonl")).contains("Be long"));
        assertThrows(UserError.class, () -> Commands.run(workspace, Entry.of("/probs")));
        run(workspace, "/goto main", "/probs");
        assertEquals(List.of("one", "two"), prompts());
        assertEquals("Be brief", workspace.system());
        run(workspace, "/fork c", "/open b.jsonl");
        assertEquals(List.of("one", "three"), prompts());
        assertEquals("Be long", workspace.system());
    }

    @Test
    void theListIsATree() {
        assertEquals("""
                  branch  turns  last prompt
                › main        0
                """, said("/fork"));
        run(workspace, "Write a limerick about a cat that never sleeps at night, please\nand rhyme it", "/fork poem", "darker",
                "/fork dark", "/goto main", "/fork prose", "no", "/goto poem");
        assertEquals("""
                  branch      turns  last prompt
                  main            1  Write a limerick about a cat that never sleeps …
                › ├─ poem         2  darker
                  │  └─ dark      2  darker
                  └─ prose        2  no
                """, said("/fork").replaceFirst("[\\d.]+ kB of memory are kept for the other branches\n", ""));
    }

    @Test
    void notesSayWhereOneIs() {
        assertEquals("poem goes on from main, no turns; /goto main goes back\n", said("/fork poem"));
        run(workspace, "one", "two");
        assertEquals("main, no turns\n", said("/goto main"));
        assertEquals("poem, 2 turns, the last: two\n", said("/goto poem"));
    }

    @Test
    void namesThatCannotBeAreRefusedWithAWayOut() {
        run(workspace, "/fork poem");
        assertEquals("/fork: there is a branch \"main\" already", refused("/fork main").getMessage());
        assertEquals("/goto main goes there; another name begins a new one", refused("/fork main").fix());
        assertEquals("it is the current one; another name begins a new one", refused("/fork poem").fix());
        assertEquals("/goto: there is no branch \"peom\"", refused("/goto peom").getMessage());
        assertEquals("did you mean \"poem\"?", refused("/goto peom").fix());
        assertEquals("/fork lists the branches; /fork xyz would begin one", refused("/goto xyz").fix());
        assertEquals("/goto: \"poem\" is the current branch", refused("/goto poem").getMessage());
        assertEquals("/fork: \"a/b\" is no name for a branch", refused("/fork a/b").getMessage());
        assertEquals("/fork: \"\u001b[2J\" is no name for a branch", refused("/fork \u001b[2J").getMessage());
        refused("/fork " + "x".repeat(33));
        refused("/fork a b");
        refused("/goto");
        assertEquals(List.of("main", "poem"), workspace.tree().names());
    }

    @Test
    void whatABranchHadReadIsThereAgainWhenOneGoesBack() {
        run(workspace, "one", "/fork b", "two");
        int[] b = workspace.cache().ids();
        run(workspace, "/goto main", "three", "/goto b");
        assertArrayEquals(b, workspace.cache().ids());
        run(workspace, "/goto main");
        int[] main = workspace.cache().ids();
        run(workspace, "/goto b", "/undo 2", "/system Another", "four", "/goto main");
        assertArrayEquals(main, workspace.cache().ids());
        long common = Arrays.mismatch(b, main);
        assertTrue(common > 0, "they share their beginning");
    }

    @Test
    void answersAreThoseOfAConversationThatWasNeverLeft() {
        try (Workspace stayed = begun()) {
            run(stayed, "one", "two", "three");
            run(workspace, "one", "/fork b", "/retry", "other words", "/goto main", "two", "/goto b", "/clear", "new",
                    "/goto main", "three");
            assertEquals(stayed.messages(), workspace.messages());
            assertEquals(stayed.last(), workspace.last());                    // logprobs and alternatives to the bit
        }
    }

    @Test
    void turnsTakenBackAreNotKept() {
        run(workspace, "one");
        int one = workspace.cache().length();
        run(workspace, "two", "/undo", "/fork b");
        workspace.cache().trim(0);
        assertEquals(one * workspace.model().layout().cacheBytes(), workspace.cache().keptBytes());
        run(workspace, "/goto main", "/clear", "/goto b");
        workspace.cache().trim(0);
        assertEquals(0, workspace.cache().keptBytes());
    }

    @Test
    void anotherModelFindsTheTextsOfAllBranches() {
        run(workspace, "one", "/fork b", "two", "/load " + model, "/goto main");
        assertEquals(List.of("one"), prompts());
        assertEquals(0, workspace.cache().length());
        run(workspace, "three", "/goto b");
        assertEquals(List.of("one", "two"), prompts());
        run(workspace, "/unload", "/goto main", "/fork c");
        assertEquals(List.of("one", "three"), prompts());
    }

    @Test
    void underJsonTheListIsAnObjectALine() {
        Cli cli = new Cli(home, Map.of("FEWSH_MODEL", model.toString()));
        Cli.Result result = cli.run("--json", "--max_tokens", "2", "-c", "hello", "-c", "/fork b", "-c", "/fork");
        assertEquals(0, result.code(), result.err());
        List<String> lines = result.out().lines().toList();
        assertEquals(3, lines.size(), result.out());
        assertEquals("""
                {"branch":"main","parent":null,"turns":1,"current":false,"last_prompt":"hello"}""", lines.get(1));
        assertEquals("""
                {"branch":"b","parent":"main","turns":1,"current":true,"last_prompt":"hello"}""", lines.get(2));
    }

    @Test
    void aScriptUnderJsonAnswersAsAskDoes() {
        Cli cli = new Cli(home, Map.of("FEWSH_MODEL", model.toString()));
        var asked = JsonParser.parseString(cli.run("ask", "--json", "--max_tokens", "3", "hello").out()).getAsJsonObject();
        for (Cli.Result result : List.of(cli.run("--json", "--max_tokens", "3", "-c", "hello\n/clear\nhello"),
                cli.piped("hello\n/clear\nhello\n", "--json", "--max_tokens", "3"))) {
            assertEquals(0, result.code(), result.err());
            assertEquals(2, result.out().lines().count());
            for (String line : result.out().lines().toList()) {
                var said = JsonParser.parseString(line).getAsJsonObject();
                assertEquals(asked.keySet(), said.keySet());
                for (String key : List.of("text", "finish_reason", "prompt_tokens", "completion_tokens", "model", "precision"))
                    assertEquals(asked.get(key), said.get(key), key);
            }
        }
    }

    @Test
    void aScriptCannotEdit() {
        assertEquals("/edit: opens an editor, which a script cannot use", refused("/edit").getMessage());
    }
}
