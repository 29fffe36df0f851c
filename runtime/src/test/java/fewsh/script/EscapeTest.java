package fewsh.script;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import fewsh.UserError;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.api.io.TempDir;

/// What a hostile script may try, and what becomes of it. After each attempt the sandbox still answers, the files outside are
/// as they were, and nothing of them was shown.
class EscapeTest {
    private static final String SECRET = "the secret 4711";
    private static final Limits LIMITS = new Limits(Duration.ofMillis(800), 1_000_000_000L, 200 << 20, 4 << 20);
    private static final List<String> OUTCOMES = new ArrayList<>();

    @TempDir
    static Path home;
    private static Path folder;
    private static Path secret;
    private static Notebook notebook;
    private static Sandbox sandbox;

    @BeforeAll
    static void open() throws IOException {
        folder = Files.createDirectories(home.resolve("scripts"));
        secret = Files.writeString(home.resolve("secret.txt"), SECRET);
        Files.writeString(home.resolve("secret.js"), "export default '" + SECRET + "'");
        Files.writeString(folder.resolve("data.jsonl"), "{}\n");
        Files.writeString(folder.resolve("lib.js"), "export const answer = 42");
        Files.writeString(folder.resolve(".env"), "TOKEN=" + SECRET);
        Files.createDirectories(folder.resolve(".git"));
        Files.writeString(folder.resolve(".git/config"), SECRET);
        Files.writeString(folder.resolve("big.txt"), "x".repeat(5 << 20));
        Files.createSymbolicLink(folder.resolve("link.txt"), secret);
        Files.createSymbolicLink(folder.resolve("link.js"), home.resolve("secret.js"));
        Files.createSymbolicLink(folder.resolve("up"), home);
        Files.writeString(home.resolve("secret.jsonl"), "{\"text\": \"" + SECRET + "\", \"output\": \"x\"}\n");
        Files.createSymbolicLink(folder.resolve("link.jsonl"), home.resolve("secret.jsonl"));
        Files.writeString(folder.resolve("above.prompty"),
                "---\nname: a\nfewsh:\n  shots: {file: ../secret.jsonl}\n---\nuser:\n{{ text }}\n");
        Files.writeString(folder.resolve("linked.prompty"),
                "---\nname: a\nfewsh:\n  shots: {file: link.jsonl}\n---\nuser:\n{{ text }}\n");
        Files.writeString(folder.resolve("environment.prompty"),
                "---\nname: ${env:HOME}\ndescription: ${env:PATH}\n---\nuser:\nhi\n");
        Files.writeString(folder.resolve("file.prompty"), "---\nname: a\ndescription: ${file:../secret.txt}\n---\nuser:\nhi\n");
        Files.createSymbolicLink(folder.resolve("out.jsonl"), home.resolve("written.jsonl"));
        notebook = new Notebook(home);
        notebook.load("alphabet", notebook.loadOptions());
        sandbox = new Sandbox(notebook, folder, LIMITS);
    }

    @AfterAll
    static void close() {
        sandbox.close();
        notebook.close();
        System.out.println("Attempts on the sandbox: " + OUTCOMES.size());
        OUTCOMES.forEach(System.out::println);
    }

    /// An attempt by name, and what its value or its error begins with.
    private static Arguments attempt(String name, String code, String outcome) {
        return Arguments.of(name, code, outcome);
    }

    static Stream<Arguments> attempts() {
        return Stream.of(
                // Java
                attempt("Java.type", "Java.type('java.lang.System').exit(3)", "ReferenceError: Java is not defined"),
                attempt("Packages", "Packages.java.lang.Runtime", "ReferenceError: Packages is not defined"),
                attempt("java.lang", "java.lang.System.getenv()", "ReferenceError: java is not defined"),
                attempt("Polyglot.import", "Polyglot.import('x')", "ReferenceError: Polyglot is not defined"),
                attempt("Polyglot.eval of another language", "Polyglot.eval('regex', 'a')",
                        "ReferenceError: Polyglot is not defined"),
                attempt("Graal.versionGraalVM", "Graal.versionGraalVM", "ReferenceError: Graal is not defined"),
                attempt("Debug of the engine", "Debug.class(1)", "ReferenceError: Debug is not defined"),
                attempt("getClass of a word", "typeof load.getClass + typeof print.class", "undefinedundefined"),
                attempt("getClass of an answer", "typeof tokenize('a').getClass + typeof tokenize('a').ids.getClass",
                        "undefinedundefined"),
                attempt("getClass of an error", "try { complete(5) } catch (e) { typeof e.getClass + typeof e.getStackTrace"
                        + " + typeof e.getCause + typeof e.cause }", "undefinedundefinedundefinedundefined"),
                attempt("keys of an error",
                        "try { complete(5) } catch (e) { Reflect.ownKeys(e).sort().join() + (e.__proto__ === Error.prototype) }",
                        "fix,message,stacktrue"),
                attempt("constructor of a constructor", "load.constructor.constructor('return typeof Java + typeof process')()",
                        "undefinedundefined"),
                attempt("constructor of a result", "tokenize('a').ids.constructor.constructor('return this === globalThis')()",
                        "true"),
                attempt("Function constructor", "new Function('return typeof require + typeof java')()", "undefinedundefined"),
                attempt("eval is JavaScript too", "eval('typeof Java + (1 + 1)')", "undefined2"),
                attempt("indirect eval", "(0, eval)('this === globalThis && typeof Java')", "undefined"),
                attempt("async function constructor",
                        "new (async () => {}).constructor('return typeof Java')().then(x => print(x)); 1", "1"),
                attempt("generator of a stream",
                        "Object.getPrototypeOf(complete('a', {stream: true})).constructor.constructor === Function",
                        "false"),
                attempt("caller of a word", "(function f() { return f.caller })() + ''", "undefined"),
                attempt("arguments of the program", "typeof arguments", "undefined"),
                attempt("stack of an error names no Java",
                        "try { complete(5) } catch (e) { /java|fewsh\\.|\\.java/.test(e.stack) }", "false"),
                attempt("Error.prepareStackTrace", "Error.prepareStackTrace = (_, frames) => frames; typeof new Error().stack",
                        "string"),
                attempt("script engine's import", "importClass", "ReferenceError: importClass"),
                attempt("shell functions of the engine",
                        "[typeof quit, typeof exit, typeof readline, typeof readbuffer, typeof loadWithNewGlobal].join()",
                        "undefined,undefined,undefined,undefined,undefined"),
                attempt("Realm and ShadowRealm", "[typeof Realm, typeof ShadowRealm, typeof Worker].join()",
                        "undefined,undefined,undefined"),
                // the rest of the machine
                attempt("fetch", "fetch('http://localhost/')", "ReferenceError: fetch is not defined"),
                attempt("XMLHttpRequest", "new XMLHttpRequest()", "ReferenceError: XMLHttpRequest is not defined"),
                attempt("WebSocket", "new WebSocket('ws://localhost')", "ReferenceError: WebSocket is not defined"),
                attempt("require", "require('fs')", "ReferenceError: require is not defined"),
                attempt("process.env", "process.env.HOME", "ReferenceError: process is not defined"),
                attempt("environment of the engine", "typeof $ENV + typeof $EXEC + typeof $ARG", "undefinedundefinedundefined"),
                attempt("setTimeout", "setTimeout(() => 1, 0)", "ReferenceError: setTimeout is not defined"),
                attempt("console", "console.log(1)", "ReferenceError: console is not defined"),
                attempt("WebAssembly", "new WebAssembly.Module(new Uint8Array(8))", "ReferenceError: WebAssembly is not defined"),
                attempt("SharedArrayBuffer", "new SharedArrayBuffer(8)", "ReferenceError: SharedArrayBuffer is not defined"),
                attempt("Atomics.wait", "Atomics.wait(new Int32Array(8), 0, 0)", "ReferenceError: Atomics is not defined"),
                attempt("load of a URL", "load('http://localhost/model.gguf')",
                        "http://localhost/model.gguf: no such file or folder"),
                attempt("load of a hub's name", "load('hf:owner/name')", "hf:owner/name: no such file or folder"),
                attempt("load of a script, as the engine had it", "load({name: 'x', script: 'java'})",
                        "load: model must be a text"),
                attempt("load of a model outside", "load('../models/alphabet')", "\"../models/alphabet\" is outside"),
                attempt("load of a file outside", "load('/etc/passwd')", "\"/etc/passwd\" is outside"),
                attempt("load of a provider's library", "load('alphabet', {device: '/tmp/evil.so'})", "--device"),
                // files
                attempt("file above", "readText('../secret.txt')", "\"../secret.txt\" is outside"),
                attempt("file above, in a roundabout way", "readText('a/../../secret.txt')", "\"a/../../secret.txt\" is outside"),
                attempt("absolute file", "readText('" + "/etc/passwd')", "\"/etc/passwd\" is outside"),
                attempt("/proc", "readText('/proc/self/environ')", "\"/proc/self/environ\" is outside"),
                attempt("file URL", "readText('file:///etc/passwd')", "file:///etc/passwd: no such file"),
                attempt("home folder", "readText('~/.fewsh/history')", "\"~/.fewsh/history\" is outside"),
                attempt("null byte", "readText('lib.js\\0.txt')", "\"lib.js\0.txt\" is not a path"),
                attempt("symbolic link", "readText('link.txt')", "\"link.txt\" is a link"),
                attempt("through a linked folder", "readText('up/secret.txt')", "\"up/secret.txt\" is a link"),
                attempt("hidden file", "readText('.env')", "\".env\" is hidden"),
                attempt("in a hidden folder", "readText('.git/config')", "\".git/config\" is hidden"),
                attempt("folder as a file", "readText('.')", ".: is no file"),
                attempt("file that is too long", "readText('big.txt')", "big.txt: a script may read and write 4 MiB"),
                attempt("write outside", "writeJsonl('../x.jsonl', [])", "\"../x.jsonl\" is outside"),
                attempt("write through a link", "writeJsonl('out.jsonl', [1])", "\"out.jsonl\" is a link"),
                attempt("write a program", "writeJsonl('lib.js', ['evil'])", "lib.js: must end in .jsonl"),
                attempt("write a start-up file", "writeCsv('.bashrc', [])", "\".bashrc\" is hidden"),
                attempt("a file bomb", "for (let i = 0;; i++) writeJsonl('bomb' + i % 3 + '.jsonl', ['x'.repeat(1 << 20)])",
                        "bomb"),
                attempt("import of a file outside", "await import('../secret.js')", "Error: Error reading module '../secret.js'"),
                attempt("import of an absolute file", "await import('" + "/etc/passwd')",
                        "Error: Error reading module '/etc/passwd'"),
                attempt("import through a link", "await import('./link.js')", "Error: Error reading module 'link.js'"),
                attempt("import over the network", "await import('http://localhost/x.js')",
                        "Error: Error reading module 'http://localhost/x.js'"),
                attempt("import of data is JavaScript too",
                        "(await import('data:text/javascript,export default typeof Java')).default",
                        "undefined"),
                attempt("import of node's modules", "await import('node:fs')", "Error: "),
                attempt("import of the engine's own", "await import('graal:internal')", "Error: "),
                attempt("import of what is there works", "(await import('./lib.js')).answer", "42"),
                attempt("rows above", "readJsonl('../secret.jsonl')", "\"../secret.jsonl\" is outside"),
                attempt("rows behind a link", "readJsonl('link.jsonl')", "\"link.jsonl\" is a link"),
                attempt("rows of what is no data", "readJsonl('lib.js')", "readJsonl: \"lib.js\" must end in .jsonl"),
                attempt("prompt file above", "compose('../x.prompty')", "\"../x.prompty\" is outside"),
                attempt("program as a prompt file", "compose('lib.js')", "lib.js: is no prompt file"),
                attempt("examples above", "compose({prompt: 'a', shots: {file: '../secret.jsonl'}})",
                        "\"../secret.jsonl\" is outside"),
                attempt("examples behind a link", "compose({prompt: 'a', shots: {file: 'link.jsonl'}})",
                        "\"link.jsonl\" is a link"),
                attempt("image above", "compose({prompt: 'a', image: '../secret.txt'})", "\"../secret.txt\" is outside"),
                attempt("prompt file with examples above", "compose('above.prompty').text({text: 'a'})", "above.prompty"),
                attempt("prompt file with linked examples", "compose('linked.prompty').text({text: 'a'})", "linked.prompty"),
                attempt("prompt file that asks the environment", "compose('environment.prompty').text()", "environment.prompty"),
                attempt("prompt file that reads above", "compose('file.prompty').text()", "file.prompty"),
                attempt("template that reaches for Java", "compose({prompt: '{{ x.getClass() }}'}).text({x: 'a'})",
                        "compose: the template"),
                attempt("template without end", "compose({prompt: '{% for i in range(10**9) %}x{% endfor %}'}).text()",
                        "compose: the template"),
                attempt("prompt taken apart",
                        "Reflect.ownKeys(Object.getPrototypeOf(compose({prompt: 'a'}))).includes('constructor')"
                        + " && typeof compose({prompt: 'a'}).getClass", "undefined"),
                attempt("prompt of another's", "score(Object.create(compose({prompt: 'a'})), 'b')",
                        "score: context must be a text"),
                attempt("vote without end", "vote('a', {n: 1e9})", "vote: n must be a whole number from 1 to 1024"),
                // traps for the host
                attempt("Proxy for options",
                        "complete('ab', new Proxy({}, {get() { throw new Error('trap') }, ownKeys() { return ['seed'] },"
                        + " getOwnPropertyDescriptor() { return {enumerable: true, configurable: true} }}))", "Error: trap"),
                attempt("getter that throws", "chat([{role: 'user', get content() { throw new RangeError('got') }}])",
                        "RangeError: got"),
                attempt("getter that loops", "table([{get a() { for (;;); }}])", "the script ran for more than 0.8 s"),
                attempt("toJSON that loops", "print2 = score({toJSON() { for (;;); }}, 'a')",
                        "the script ran for more than 0.8 s"),
                attempt("toString that is never asked", "complete({toString() { for (;;); }})",
                        "complete: prompt must be a text, was {}"),
                attempt("toJSON for every array", "Array.prototype.toJSON = () => 7; var r = complete('ab', {max_tokens: 2});"
                        + " delete Array.prototype.toJSON; r", "cd"),
                attempt("prototype pollution of options", "Object.prototype.max_tokens = 1; var r = complete('ab', {}).length;"
                        + " delete Object.prototype.max_tokens; r", "24"),
                attempt("__proto__ in data",
                        "chat([JSON.parse('{\"role\": \"user\", \"content\": \"ab\", \"__proto__\": {\"x\": 1}}')],"
                        + " {max_tokens: 1})", "a"),
                attempt("JSON replaced", "const p = JSON.parse; JSON.parse = JSON.stringify = () => { throw 1 };"
                        + " var r = tokenize('a').ids[0]; JSON.parse = p; r", "97"),
                attempt("Error replaced", "const E = Error; Error = function () { throw 'mine' };"
                        + " var r; try { complete(5) } catch (e) { r = e.message } Error = E; r",
                                "complete: prompt must be a text, was 5"),
                attempt("WeakMap replaced", "const g = WeakMap.prototype.get; WeakMap.prototype.get = () => ({}); complete(5)",
                        "complete: prompt must be a text, was 5"),
                attempt("Symbol as an argument", "complete(Symbol('x'))", "complete: prompt must be a text, was null"),
                attempt("function as an argument", "complete(() => 'x')", "complete: prompt must be a text, was null"),
                attempt("array that claims a length", "table({length: 1e9})", "table: rows must be an array"),
                attempt("Symbol.species",
                        "class A extends Array { static get [Symbol.species]() { throw 1 } } table(A.from([1])); 1", "1"),
                attempt("deep nesting", "let d = []; for (let i = 0; i < 1e5; i++) d = [d]; table(d)", "RangeError: "),
                attempt("less deep nesting", "let d = []; for (let i = 0; i < 400; i++) d = [d]; table(d)", ""),
                attempt("circles", "const o = {}; o.o = o; table([o])", "TypeError: Converting circular structure to JSON"),
                attempt("control characters on the terminal", "print('\\u001b[2J\\u0007'); 1", "1"),
                attempt("lone surrogates", "tokenize('\\ud800').ids.length > 0", "true"),
                attempt("numbers that are none", "complete('a', {temperature: NaN, max_tokens: 1})", "b"),
                attempt("numbers out of range", "complete('a', {max_tokens: 1e300})",
                        "complete: max_tokens must be a whole number"),
                attempt("thenable", "await {then(f) { for (;;); }}", "the script ran for more than 0.8 s"),
                attempt("error with a looping message", "throw {get message() { for (;;); }, toString() { for (;;); }}", ""),
                attempt("error behind a proxy", "throw new Proxy(new Error('x'), {getPrototypeOf() { for (;;); }})", ""),
                // runaways
                attempt("endless loop", "for (;;);", "the script ran for more than 0.8 s"),
                attempt("endless loop that catches", "for (;;) try { for (;;); } catch { } finally { continue }",
                        "the script ran for more than 0.8 s"),
                attempt("endless recursion", "(function f() { f(); f() })()", "RangeError: Maximum call stack size exceeded"),
                attempt("promises without end", "(function again() { Promise.resolve().then(again) })()",
                        "the script ran for more than 0.8 s"),
                attempt("async loop", "await (async () => { for (;;) await null })()", "the script ran for more than 0.8 s"),
                attempt("generator without end", "[...(function* () { for (;;) yield 1 })()]", "the script "),
                attempt("regular expression that backtracks", "/^(a+)+\\1b$/.test('a'.repeat(40))",
                        "the script ran for more than 0.8 s"),
                attempt("regular expression that looks behind", "/(?<=(a+)+)\\1c/.exec('a'.repeat(50000))",
                        "the script ran for more than 0.8 s"),
                attempt("regular expression that is too large", "new RegExp('(' .repeat(1e5) + ')'.repeat(1e5))",
                        "SyntaxError: "),
                attempt("source that nests", "eval('['.repeat(1e5))", "RangeError: "),
                attempt("giant string", "'x'.repeat(2 ** 30)", "RangeError: Invalid string length"),
                attempt("string that doubles", "let s = 'x'; for (;;) s += s", "RangeError: Invalid string length"),
                attempt("giant array", "new Array(2 ** 32 - 1).fill(0)", "the script "),
                attempt("giant join", "new Array(2 ** 32 - 1).join('x')", "RangeError: Invalid string length"),
                attempt("giant buffer", "new ArrayBuffer(2 ** 33)", "RangeError: "),
                attempt("many buffers", "const all = []; for (;;) all.push(new Uint8Array(1 << 26))", "the script "),
                attempt("growing map", "const m = new Map(); for (let i = 0;; i++) m.set(i, new Array(1000).fill(i))",
                        "the script "),
                attempt("BigInt without end", "2n ** (2n ** 40n)", "SyntaxError: "),
                attempt("giant spread", "Math.max(...new Array(1e8))", "js: RangeError: "),
                attempt("giant output", "for (;;) print('x'.repeat(1 << 20))", "the script "),
                attempt("giant chart", "chart(Array(1e5).fill(0).map((_, i) => i), {width: 1e9})",
                        "chart: width must be a whole number"),
                attempt("giant sample", "sample('a', 1e9)", "sample: n must be a whole number"),
                attempt("giant prompt", "complete('a'.repeat(1e4))", "prompt is "));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("attempts")
    void anAttemptEndsAsItShould(String name, String code, String outcome) throws Exception {
        notebook.lines.clear();
        Set<String> before = files();
        long start = System.nanoTime();
        String got;
        try {
            got = sandbox.evaluate(code);
        } catch (UserError e) {
            got = e.where().startsWith("js:") ? e.what() : e.getMessage();
        }
        long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
        String first = got.lines().findFirst().orElse("");
        OUTCOMES.add(String.format("  %-45s → %s", name, Table.shown(Width.cut(first, 100, "…"), true)));
        assertTrue(got.startsWith(outcome), got);
        assertTrue(millis < 10_000, name + " took " + millis + " ms");
        assertEquals("2", sandbox.evaluate("1 + 1"), "the sandbox answers");
        assertEquals("cd", sandbox.evaluate("complete('ab', {max_tokens: 2})"), "and so does the model");
        if ((got + notebook.lines).contains(SECRET)) fail("the secret is out");
        assertEquals(SECRET, Files.readString(secret));
        assertEquals("export const answer = 42", Files.readString(folder.resolve("lib.js")));
        Set<String> more = files();
        more.removeAll(before);
        more.removeIf(file -> file.matches("scripts/bomb\\d\\.jsonl"));
        assertEquals(Set.of(), more, "no file more");
    }

    private static Set<String> files() throws IOException {
        try (Stream<Path> all = Files.walk(home)) {
            return all.map(file -> home.relativize(file).toString().replace('\\', '/')).collect(Collectors.toSet());
        }
    }
}
