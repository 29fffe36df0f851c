package fewsh.script;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fewsh.UserError;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What the shell and its user see of a script: values, errors with their place, limits, interruption.
class SandboxTest {
    private static final Limits LIMITS = Limits.DEFAULT.withTime(Duration.ofMillis(700)).withStatements(3_000_000);

    @TempDir
    static Path home;
    private static Notebook notebook;
    private static Sandbox sandbox;

    @TempDir
    Path folder;

    @BeforeAll
    static void open() {
        notebook = new Notebook(home);
        sandbox = new Sandbox(notebook, home, LIMITS);
    }

    @AfterAll
    static void close() {
        sandbox.close();
        notebook.close();
    }

    @BeforeEach
    void forget() {
        notebook.lines.clear();
    }

    private static UserError error(String entry) {
        return assertThrows(UserError.class, () -> sandbox.evaluate(entry));
    }

    private void run(String name, String text, String... args) throws Exception {
        sandbox.run(Files.writeString(folder.resolve(name), text), List.of(args));
    }

    // ---- values

    @Test
    void variablesStayFromEntryToEntry() throws Exception {
        assertEquals("", sandbox.evaluate("let count = 1; function twice(x) { return 2 * x }"));
        sandbox.evaluate("count += 1");
        assertEquals("4", sandbox.evaluate("twice(count)"));
    }

    @Test
    void aDeclarationMayBeTypedAgainAndAfterAnError() throws Exception {
        sandbox.evaluate("const again = 1");
        assertThrows(UserError.class, () -> sandbox.evaluate("const again = missing()"));
        sandbox.evaluate("const again = 2");
        assertEquals("2", sandbox.evaluate("again"));
    }

    @Test
    void valuesAreShownAsAPersonReadsThem() throws Exception {
        assertEquals("", sandbox.evaluate("undefined"));
        assertEquals("null", sandbox.evaluate("null"));
        assertEquals("a \"text\"", sandbox.evaluate("'a \"text\"'"));
        assertEquals("[1, \"b\", {c: [true, null], \"d e\": 0.5}]", sandbox.evaluate("[1, 'b', {c: [true, null], 'd e': 0.5}]"));
        assertEquals("{a: 1}", sandbox.evaluate("{a: 1}"), "an object, not a block");
        assertEquals("[[[[[[…]]]]]]", sandbox.evaluate("(() => { const a = []; a.push(a); return a })()"));
        assertTrue(sandbox.evaluate("Array(1000).fill(7)").endsWith("7, … 800 more]"));
    }

    @Test
    void anEntryMayAwait() throws Exception {
        assertEquals("5", sandbox.evaluate("await Promise.resolve(5)"));
        assertEquals("6", sandbox.evaluate("await (async () => 6)()"));
        sandbox.evaluate("async function later() { return await 7 }");
        assertEquals("7", sandbox.evaluate("await later()"));
        sandbox.evaluate("for await (const piece of ['a', 'b']) {\n  print(piece)\n}");
        assertEquals(List.of("a", "b"), notebook.lines);
    }

    @Test
    void anEntryThatIsNotCompleteIsToldFromOneThatIsWrong() throws Exception {
        for (String incomplete : List.of("function f() {", "[1,", "`a", "f(`a\nb", "1 /* a", "for await (const x of y) {",
                "if (true) {\n  1", "f("))
            assertTrue(sandbox.isIncomplete(incomplete), incomplete);
        for (String complete : List.of("1", "let a b", ")", "{a: 1}", "await x",
                "'abc")) assertFalse(sandbox.isIncomplete(complete), complete);
    }

    // ---- errors

    @Test
    void aSyntaxErrorShowsLineColumnAndCaret() {
        UserError e = error("const a = 1\nlet \tb c");
        assertEquals("js:2:8", e.where());
        assertEquals("SyntaxError: Expected ; but found c\n    let \tb c\n        \t  ^", e.what());
    }

    @Test
    void aCaretStandsUnderItsPieceBehindWideCharacters() {
        UserError e = error("'日本'; nope()");
        assertEquals("js:1:7", e.where());
        assertEquals("ReferenceError: nope is not defined\n    '日本'; nope()\n            ^", e.what());
    }

    @Test
    void anErrorWhileRunningShowsWhereItWasThrown() {
        UserError e = error("function outer() {\n  return null.length\n}\nouter()");
        assertEquals("js:2:10", e.where());
        assertTrue(e.what().startsWith("TypeError: ") && e.what().endsWith("\n      return null.length\n             ^"),
                e.what());
        assertEquals("js:1:1: uncaught {a: 1}\n    throw {a: 1}\n    ^", error("throw {a: 1}").getMessage());
        assertEquals("js:1:22: TypeError: no\n    await Promise.reject(new TypeError('no'))\n                         ^",
                error("await Promise.reject(new TypeError('no'))").getMessage());
    }

    @Test
    void whatPeopleKnowFromElsewhereIsAnsweredByWhatThereIs() {
        assertEquals("print(value) shows a line", error("console.log(1)").fix());
        assertEquals("did you mean \"tokenize\"?", error("tokenise('a')").fix());
    }

    @Test
    void anErrorOfTheShellIsAnErrorInTheScript() throws Exception {
        assertEquals("[true, \"Error\", \"complete: prompt must be a text, was 5\", \"complete(prompt, options?)\"]",
                sandbox.evaluate("try { complete(5) } catch (e) { [e instanceof Error, e.name, e.message, e.fix] }"));
    }

    @Test
    void anErrorOfTheShellThatNobodyCatchesComesOutAsItWas() {
        UserError e = error("function f() { return readText('nothing.txt') }\nf()");
        assertEquals("nothing.txt", e.where());
        assertEquals("no such file", e.what());
        UserError later = error("try { complete(5) } catch (e) { throw e }");
        assertEquals("complete", later.where());
    }

    // ---- files

    @Test
    void aFileRunsAsAModuleWithItsArguments() throws Exception {
        Files.writeString(folder.resolve("lib.js"), "export const double = x => 2 * x");
        run("main.js", "import { double } from './lib.js'\nprint(args.length, double(Number(args[1])))\n"
                + "for await (const x of [1]) print(await x)", "a", "21");
        assertEquals(List.of("2 42", "1"), notebook.lines);
    }

    @Test
    void anErrorInAFileNamesTheFile() throws Exception {
        UserError e = assertThrows(UserError.class, () -> run("broken.js", "\nconst x = 1;\n  nope(x)\n"));
        assertEquals("broken.js:3:3: ReferenceError: nope is not defined\n      nope(x)\n      ^", e.getMessage());
        UserError syntax = assertThrows(UserError.class, () -> run("syntax.js", "print(1)\nlet = = 2\n"));
        assertTrue(syntax.where().startsWith("syntax.js:2:"), syntax.getMessage());
        assertTrue(syntax.what().contains("\n    let = = 2\n"), syntax.what());
        Files.writeString(folder.resolve("lib.js"), "export function f() {\n  return oops\n}");
        UserError imported = assertThrows(UserError.class, () -> run("main.js", "import { f } from './lib.js'\nf()"));
        assertEquals("lib.js:2:10", imported.where());
        assertEquals(List.of(), notebook.lines, "a file with a syntax error does not begin");
    }

    @Test
    void filesDoNotSeeTheShellsVariablesNorEachOthers() throws Exception {
        sandbox.evaluate("var mine = 1; globalThis.print2 = print");
        run("a.js", "globalThis.left = 1; print(typeof mine, typeof print2)");
        run("b.js", "print(typeof left)");
        assertEquals(List.of("undefined undefined", "undefined"), notebook.lines);
    }

    @Test
    void aFileThatIsNotThereIsAnError() {
        UserError e = assertThrows(UserError.class, () -> sandbox.run(folder.resolve("none.js"), List.of()));
        assertEquals("none.js: no such file", e.getMessage());
    }

    // ---- limits

    @Test
    void aScriptThatTakesTooLongIsStoppedAndItsVariablesStay() throws Exception {
        try (Sandbox patient = new Sandbox(notebook, home, LIMITS.withStatements(Long.MAX_VALUE))) {
            patient.evaluate("var kept = 1");
            UserError e = assertThrows(UserError.class, () -> patient.evaluate("for (;;) kept++"));
            assertEquals("the script ran for more than 0.7 s of processor time", e.what());
            assertTrue(Integer.parseInt(patient.evaluate("kept")) > 1);
        }
    }

    @Test
    void aScriptThatRunsTooManyStatementsIsStoppedAndTheNextOneRuns() throws Exception {
        try (Sandbox counting = new Sandbox(notebook, home, LIMITS.withStatements(10_000))) {
            assertEquals("100", counting.evaluate("var n = 0; for (let i = 0; i < 100; i++) n++; n"));
            UserError e = assertThrows(UserError.class, () -> counting.evaluate("for (;;) n++"));
            assertEquals("the script ran more than 10,000 statements; the variables of /js are gone", e.what());
            for (int i = 0; i < 100; i++) counting.evaluate("var n = 0; for (let i = 0; i < 100; i++) n++; n");
            assertEquals("undefined", counting.evaluate("typeof kept"));
        }
    }

    @Test
    void aScriptThatHoldsTooMuchIsStoppedAndTheNextOneRuns() throws Exception {
        try (Sandbox small = new Sandbox(notebook, home, Limits.DEFAULT.withMemory(200 << 20))) {
            UserError e = assertThrows(UserError.class, () ->
                    small.evaluate("var all = []; for (;;) all.push(new Uint8Array(1 << 24))"));
            assertEquals("the script holds more than 200 MiB; the variables of /js are gone", e.what());
            assertEquals("undefined 3", small.evaluate("typeof all + ' ' + (1 + 2)"));
            assertEquals("done", small.evaluate("for (let i = 0; i < 100; i++) new Uint8Array(1 << 24); 'done'"),
                    "what is not held does not count");
        }
    }

    // ---- interruption

    /// Interrupts `entry` once it has shown `begun`, and at the latest after 50 ms.
    ///
    /// @return milliseconds until it had ended
    private static long interrupted(String entry, String begun) throws Exception {
        long[] told = {0};
        Thread person = Thread.ofPlatform().start(() -> {
            while (!begun.isEmpty() && !notebook.lines.contains(begun)) Thread.onSpinWait();
            LockSupport.parkNanos(50_000_000);
            told[0] = System.nanoTime();
            while (!sandbox.interrupt()) Thread.onSpinWait();
        });
        assertThrows(InterruptedException.class, () -> sandbox.evaluate(entry));
        long now = System.nanoTime();
        person.join();
        return TimeUnit.NANOSECONDS.toMillis(now - told[0]);
    }

    @Test
    void anInterruptionEndsAScriptThatWillNotEndAndItsVariablesStay() throws Exception {
        sandbox.evaluate("var before = 'kept'");
        interrupted("print('go'); try { for (;;); } catch { } finally { for (;;); }", "go");
        assertEquals("kept", sandbox.evaluate("before"));
    }

    @Test
    void anInterruptionEndsTheModelsAnswerToo() throws Exception {
        sandbox.evaluate("load('endless'); var before = 'kept'");
        interrupted("print('go2'); complete('abc', {max_tokens: 1000000})", "go2");
        interrupted("for await (const p of complete('abc', {max_tokens: 1000000, stream: true})) write(p)", "");
        assertEquals("kept", sandbox.evaluate("before"));
        assertEquals("3", sandbox.evaluate("complete('abc', {max_tokens: 3, details: true}).completion_tokens"));
    }

    @Test
    void aThreadThatIsInterruptedWhileItWaitsInterruptsTheScript() throws Exception {
        Thread self = Thread.currentThread();
        Thread person = Thread.ofPlatform().start(() -> {
            while (!notebook.lines.contains("go3")) Thread.onSpinWait();
            self.interrupt();
        });
        assertThrows(InterruptedException.class, () -> sandbox.evaluate("print('go3'); for (;;);"));
        person.join();
        assertFalse(Thread.interrupted());
        assertEquals("2", sandbox.evaluate("1 + 1"));
    }

    @Test
    void nothingRunsThatCouldBeInterrupted() throws IOException {
        assertFalse(sandbox.interrupt());
    }
}
