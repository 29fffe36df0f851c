package fewsh.script;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fewsh.UserError;
import fewsh.generate.Score;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The words, on a model that knows the alphabet.
class VocabularyTest {
    @TempDir
    static Path home;
    private static Path folder;
    private static Notebook notebook;
    private static Sandbox sandbox;

    @BeforeAll
    static void open() throws Exception {
        folder = Files.createDirectories(home.resolve("scripts"));
        notebook = new Notebook(home);
        sandbox = new Sandbox(notebook, folder, Limits.DEFAULT);
        sandbox.evaluate("load('alphabet')");
    }

    @AfterAll
    static void close() {
        sandbox.close();
        notebook.close();
    }

    @BeforeEach
    void forget() {
        notebook.lines.clear();
        notebook.progress.clear();
    }

    private static String js(String entry) throws InterruptedException {
        return sandbox.evaluate(entry);
    }

    private static String error(String entry) {
        UserError e = assertThrows(UserError.class, () -> sandbox.evaluate(entry));
        return e.getMessage() + (e.fix().isEmpty() ? "" : " | " + e.fix());
    }

    // ---- models

    @Test
    void loadSaysWhatWasLoaded() throws Exception {
        assertEquals("llama 260 512 true fp32", js("const m = load('alphabet', {threads: 1, precision: 'fp32'});"
                + " [m.architecture, m.vocab_size, m.context_length, m.chat_template, m.precision].join(' ')"));
        assertEquals("load: unknown option \"treads\" | did you mean \"threads\"?", error("load('alphabet', {treads: 2})"));
        assertEquals("load: unknown precision \"fp8\" | precisions are auto, fp32, int8, int4",
                error("load('alphabet', {precision: 'fp8'})"));
    }

    @Test
    void completeContinuesAText() throws Exception {
        assertEquals("defghijklmnopqrstuvwxyz", js("complete('abc')"));
        assertEquals("defg", js("complete('abc', {stop: 'h'})"));
        assertEquals("[\"defg\", \"length\", 3, 4, 4]", js("const a = complete('abc', {max_tokens: 4, details: true});"
                + " [a.text, a.finish_reason, a.prompt_tokens, a.completion_tokens, a.tokens.length]"));
        assertEquals("true", js("Math.abs(a.logprob - a.tokens.reduce((sum, t) => sum + t.logprob, 0)) < 1e-9"));
        assertEquals("complete: unknown option \"max_token\" | did you mean \"max_tokens\"?",
                error("complete('a', {max_token: 4})"));
        assertEquals("complete: temperature must be in [0, 100], was -1.0", error("complete('a', {temperature: -1})"));
        assertEquals("complete: options must be an object, was 4 | complete(prompt, options?)", error("complete('a', 4)"));
    }

    @Test
    void anAnswerStreams() throws Exception {
        assertEquals("[\"d\", \"e\", \"f\"]", js("[...complete('abc', {stream: true, max_tokens: 3})]"));
        js("for await (const piece of chat('abc', {stream: true, max_tokens: 3})) write(piece)");
        assertEquals(List.of("… a", "… b", "… c"), notebook.lines);
        js("for (const piece of complete('abc', {stream: true})) { print(piece); if (piece === 'e') break }");
        assertEquals("defgh", js("complete('abc', {max_tokens: 5})"), "a loop that is left leaves nothing behind");
        assertEquals("this answer was ended by the one that began after it",
                error("const s = complete('abc', {stream: true}); complete('a'); [...s]"));
    }

    @Test
    void chatGoesThroughTheChatTemplate() throws Exception {
        assertEquals("abcd", js("chat([{role: 'system', content: 'S'}, {role: 'user', content: 'U'}], {max_tokens: 4})"));
        assertEquals(notebook.model().encode(List.of(new fewsh.prompt.Message("user", "U")), true).length,
                Integer.parseInt(js("chat('U', {max_tokens: 1, details: true}).prompt_tokens")));
        assertTrue(error("chat([{role: 'user'}])").startsWith("chat: message 1 must be {role, content}, both texts, was "
                + "{\"role\":\"user\"}"));
        assertTrue(error("chat([])").startsWith("chat: there is no message"));
    }

    @Test
    void sampleDrawsSeveral() throws Exception {
        assertEquals("3 4", js("const answers = sample('abc', 3, {max_tokens: 4, seed: 1, temperature: 3});"
                + " answers.length + ' ' + sample('a', 1, {details: true, max_tokens: 4})[0].completion_tokens"));
        assertEquals("true",
                js("JSON.stringify(answers) === JSON.stringify(sample('abc', 3, {max_tokens: 4, seed: 1, temperature: 3}))"));
        assertEquals("true", js("new Set(sample('abc', 30, {max_tokens: 4, temperature: 8})).size > 1"));
    }

    @Test
    void scoreIsTheModels() throws Exception {
        Score score = notebook.model().score(notebook.cache(), "abc", "def");
        assertEquals(score.loglikelihood(), Double.parseDouble(js("score('abc', 'def').loglikelihood")));
        assertEquals("[3, 0.5, 1e+21, -0, NaN]", js("[1.5 * 2, 1 / 2, 1e21, -0, 0 / 0]"), "numbers are JavaScript's");
        assertEquals("[true, \"d\", 3]",
                js("const s1 = score('abc', 'def'); [s1.is_greedy, s1.tokens[0].text, s1.tokens.length]"));
        assertEquals("score: the continuation is empty", error("score('abc', '')"));
        assertEquals("score: needs 2 arguments, got 1 | score(context, continuation)", error("score('abc')"));
    }

    @Test
    void tokenizeGivesIdsAndPieces() throws Exception {
        assertEquals("{ids: [97, 98], pieces: [\"a\", \"b\"]}", js("tokenize('ab')"));
        assertEquals("[1, 2]", js("['a', 'ab'].map(tokenize).map(t => t.ids.length)"), "what map adds is not looked at");
    }

    // ---- prompts

    @Test
    void aComposedPromptIsWhatItsPartsSay() throws Exception {
        js("const p = compose({role: 'R', instruction: 'I', prompt: 'Q: {{ q }}', shots: [{q: 'one', output: '1'}]})");
        assertEquals("[{role: \"system\", content: \"R\\n\\nI\"}, {role: \"user\", content: \"Q: one\"}, {role: \"assistant\", "
                + "content: \"1\"},"
                + " {role: \"user\", content: \"Q: two\"}]", js("p.messages({q: 'two'})"));
        assertEquals("<|im_start|>system\nR\n\nI<|im_end|>\n<|im_start|>user\nQ: "
                + "one<|im_end|>\n<|im_start|>assistant\n1<|im_end|>\n"
                + "<|im_start|>user\nQ: two<|im_end|>\n<|im_start|>assistant\n", js("p.with({q: 'two'}).text()"));
        assertEquals("{a prompt}", js("p"));
        js("p.show({q: 'two'})");
        assertTrue(notebook.lines.getLast().matches("all +\\d+"), "" + notebook.lines);
        assertEquals("compose: the template at line 1, column 4: 'q' is undefined | give it as an input: prompt.run({name: "
                + "value})",
                error("p.run()"));
        assertEquals("compose: unknown key \"rol\" in fewsh | did you mean \"role\"?", error("compose({rol: 'x', prompt: 'y'})"));
    }

    @Test
    void aPromptStandsWhereATextStands() throws Exception {
        js("const said = compose({prompt: '{{ x }}'}).with({x: 'U'})");
        for (String word : List.of("complete", "chat")) assertEquals("abc", js(word + "(said, {max_tokens: 3})"));
        assertEquals("[\"ab\", \"ab\"]", js("sample(said, 2, {max_tokens: 2, temperature: 0.01})"));
        assertEquals("true",
                js("const messages = said.messages(); score(said, 'ab').loglikelihood > score(said, 'ba').loglikelihood"));
        int ids = notebook.model().encode(List.of(new fewsh.prompt.Message("user", "U")), true).length;
        assertEquals(Integer.toString(ids), js("tokenize(said).ids.length"), "the template's special tokens are tokens");
    }

    @Test
    void runAnswersByTheTechniquesOfThePrompt() throws Exception {
        assertEquals("[\"abc\", \"abc\", \"length\"]", js("const r1 = compose({prompt: 'x'}).run({}, {max_tokens: 3});"
                + " [r1.text, r1.answer, r1.finish_reason]"));
        assertEquals("[\"yes\", \"yes\"]",
                js("const r2 = compose({prompt: 'x', format: {options: ['yes', 'no']}, answer: 'option'}).run();"
                + " [r2.text, r2.answer]"));
        assertEquals("{abc: 4}",
                js("compose({prompt: 'x', vote: {n: 4, early: false}}).run({}, {max_tokens: 3, temperature: 0.01}).votes"));
    }

    @Test
    void aVoteCountsAnswers() throws Exception {
        assertEquals("[\"abc\", {abc: 5}, 5]", js("const v = vote('x', {n: 5, max_tokens: 3, answer: 'line', temperature: 0.01});"
                + " [v.answer, v.votes, v.samples]"));
        assertEquals("path 5 of 5: abc", notebook.progress.get(4));
        assertTrue(error("vote('x', {answer: 'numbr'})").startsWith("vote: "), error("vote('x', {answer: 'numbr'})"));
    }

    @Test
    void aPromptFileIsAPromptToo() throws Exception {
        Files.writeString(folder.resolve("ask.prompty"), """
                ---
                name: ask
                model:
                  api: chat
                  options: {max_output_tokens: 2}
                inputs:
                  - {name: q, kind: string, required: true}
                ---
                user:
                Q: {{q}}
                """);
        assertEquals("[{role: \"user\", content: \"Q: x\"}]", js("const file = compose('ask.prompty'); file.messages({q: 'x'})"));
        assertEquals("ab", js("file.run({q: 'x'}).text"), "the file's settings");
        assertEquals("abc", js("file.run({q: 'x'}, {max_tokens: 3}).text"), "and a call's over them");
        assertTrue(error("file.run({})").contains("input \"q\" is missing"), error("file.run({})"));
    }

    // ---- files

    @Test
    void rowsAreReadAsTheyWereWritten() throws Exception {
        js("const rows = [{a: 1, b: 'x, \"y\"\\n', c: null}, {b: '日本', d: [true, {e: 0.5}]}]; writeJsonl('rows.jsonl', rows)");
        assertEquals("{\"a\":1,\"b\":\"x, \\\"y\\\"\\n\",\"c\":null}\n{\"b\":\"日本\",\"d\":[true,{\"e\":0.5}]}\n",
                Files.readString(folder.resolve("rows.jsonl")));
        assertEquals("true", js("JSON.stringify(readJsonl('rows.jsonl')) === JSON.stringify(rows)"));
        js("writeCsv('rows.csv', rows)");
        assertEquals("a,b,c,d\n1,\"x, \"\"y\"\"\n\",,\n,日本,,\"[true,{\"\"e\"\":0.5}]\"\n",
                Files.readString(folder.resolve("rows.csv")));
        assertEquals("[\"x, \\\"y\\\"\\n\", \"日本\"]", js("readCsv('rows.csv').map(row => row.b)"));
        js("writeCsv('rows.tsv', [{a: 'x\\ty', b: 'z'}])");
        assertEquals("x\ty", js("readCsv('rows.tsv')[0].a"));
        Files.writeString(folder.resolve("broken.jsonl"), "{\"a\": 1}\n{\"a\": }\n");
        assertTrue(error("readJsonl('broken.jsonl')").startsWith("broken.jsonl:2: is not JSON"),
                error("readJsonl('broken.jsonl')"));
    }

    @Test
    void inputIsWhatAPersonGave() throws Exception {
        Path file = Files.writeString(folder.resolve("input.js"), "print(input === null ? 'none' : input[1].text, args)");
        sandbox.run(file, List.of("a"), List.of(Map.of("text", "one"), Map.of("text", "two")));
        sandbox.run(file, List.of());
        assertEquals(List.of("two [\"a\"]", "none []"), notebook.lines);
    }

    // ---- what is shown

    @Test
    void printShowsValuesOnALine() throws Exception {
        js("print('a', 1, {b: [2]}, null, undefined); print('two\\nlines'); print(); write('open')");
        assertEquals(List.of("a 1 {b: [2]} null undefined", "two", "lines", "", "… open"), notebook.lines);
    }

    @Test
    void progressGoesThroughItems() throws Exception {
        assertEquals("[0, 1, 2]", js("[...progress(3)]"));
        assertEquals("ab", js("var seen = ''; for (const c of progress(['a', 'b'], 'letters')) seen += c; seen"));
        assertEquals("letters  ░░░░░░░░░░░░░░░░░░░░  0 %  0 of 2", notebook.progress.get(2));
        assertEquals("", notebook.progress.getLast(), "and clears what it drew");
        js("for (const c of progress(new Set([1, 2]))) break");
        assertEquals("", notebook.progress.getLast());
        assertTrue(error("progress()").startsWith("progress: "));
        assertTrue(error("progress({})").startsWith("progress: items must be"));
    }

    @Test
    void tablesAndChartsAreShown() throws Exception {
        js("table([{k: 0, acc: 0.5, note: 'x'}, {k: 12, acc: 0.7125}], {columns: ['acc', 'k'], title: 't'})");
        assertEquals(List.of("t", "   acc   k", "──────  ──", "0.5000   0", "0.7125  12"), notebook.lines);
        notebook.lines.clear();
        js("chart({yes: 3, no: 1}, {width: 20})");
        assertEquals(List.of("yes │█████████████ 3", " no │████▍ 1"), notebook.lines);
        assertEquals("chart: unknown kind \"lines\" | did you mean \"line\"?", error("chart([1], {kind: 'lines'})"));
        assertEquals("chart: \"x\" is no number | chart([0.5, 0.6]), chart([[x, y]]), chart({a: 1})", error("chart(['x'])"));
        assertEquals("table: rows must be an array, was 5 | table(rows, options?)", error("table(5)"));
    }
}
