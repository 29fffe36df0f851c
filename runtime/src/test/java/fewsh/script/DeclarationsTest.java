package fewsh.script;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fewsh.Shared;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `scripts/fewsh.d.ts` says what there is, and all of it.
class DeclarationsTest {
    private static final Pattern METHOD = Pattern.compile("(?m)^    (\\w+)\\(");
    private static final Pattern FUNCTION = Pattern.compile("(?m)^declare function (\\w+)(?:<\\w+>)?\\(");

    @TempDir
    Path folder;

    private static String declarations() throws IOException {
        return Files.readString(Shared.project().resolve("scripts/fewsh.d.ts"));
    }

    /// The parameters of each declaration, as the table of words writes them: of overloads, one that must be given in one and
    /// may be left out in another counts as that.
    private static Map<String, List<String>> declared(Pattern what, String text) {
        Map<String, List<String>> all = new TreeMap<>();
        Matcher function = what.matcher(text);
        while (function.find()) {
            List<String> parameters = new ArrayList<>();
            int depth = 1;
            int start = function.end();
            for (int i = start; depth > 0; i++) {
                char c = text.charAt(i);
                if ("({[<".indexOf(c) >= 0) depth++;
                if (")}]>".indexOf(c) >= 0 && text.charAt(i - 1) != '=') depth--;
                if (depth == 0 || c == ',' && depth == 1) {
                    String parameter = text.substring(start, i).strip();
                    if (!parameter.isEmpty()) parameters.add(parameter.substring(0, parameter.indexOf(':')));
                    start = i + 1;
                }
            }
            all.merge(function.group(1), parameters, (a, b) -> {
                assertEquals(a.size(), b.size(), "overloads of " + function.group(1));
                List<String> merged = new ArrayList<>();
                for (int i = 0; i < a.size(); i++) merged.add(a.get(i).endsWith("?") ? a.get(i) : b.get(i));
                return merged;
            });
        }
        return all;
    }

    @Test
    void everyWordIsDeclaredWithItsParametersAndNothingElseIs() throws IOException {
        Map<String, List<String>> words = new TreeMap<>();
        for (Word word : new Vocabulary(new Notebook(folder), new Jail(folder, 0)).words()) words.put(word.name(),
                word.parameters());
        assertEquals(words, declared(FUNCTION, declarations()));
    }

    @Test
    void everyWordOfAPromptIsDeclaredWithItsParametersAndNothingElseIs() throws IOException {
        Map<String, List<String>> words = new TreeMap<>();
        for (Word word : Prompt.words(new Vocabulary(new Notebook(folder), new Jail(folder, 0)).models()))
            words.put(word.name(), word.parameters());
        String declarations = declarations();
        int begin = declarations.indexOf("interface Prompt {");
        assertEquals(words, declared(METHOD, declarations.substring(begin, declarations.indexOf("\n}", begin))));
    }

    @Test
    void whatAScriptFindsIsWhatIsDeclared() throws Exception {
        try (Sandbox sandbox = new Sandbox(new Notebook(folder), folder, Limits.DEFAULT)) {
            TreeSet<String> declared = new TreeSet<>(declared(FUNCTION, declarations()).keySet());
            Matcher constant = Pattern.compile("(?m)^declare const (\\w+)").matcher(declarations());
            while (constant.find()) declared.add(constant.group(1));
            String bare = "Object Function Array String Date Number Boolean RegExp Math JSON NaN Infinity undefined isNaN "
                    + "isFinite"
                    + " parseFloat parseInt encodeURI encodeURIComponent decodeURI decodeURIComponent eval escape unescape Error"
                    + " EvalError RangeError ReferenceError SyntaxError TypeError URIError AggregateError ArrayBuffer Int8Array"
                    + " Uint8Array Uint8ClampedArray Int16Array Uint16Array Float16Array Int32Array Uint32Array Float32Array"
                    + " Float64Array DataView Map Set WeakRef FinalizationRegistry WeakMap WeakSet Symbol Reflect Proxy Promise"
                    + " globalThis Intl Iterator AsyncIterator BigInt BigInt64Array BigUint64Array SuppressedError "
                            + "DisposableStack"
                    + " AsyncDisposableStack";
            String more = sandbox.evaluate("Object.getOwnPropertyNames(globalThis).filter(name => !\"" + bare
                    + "\".split(\" \").includes(name)).sort().join(\" \")");
            assertEquals(String.join(" ", declared), more, "no global but JavaScript's own and the words");
        }
    }

    @Test
    void theExamplesAreJavaScriptThatParses() throws Exception {
        try (Sandbox sandbox = new Sandbox(new Notebook(folder), folder, Limits.DEFAULT)) {
            List<String> examples = declarations().lines().filter(line -> line.startsWith(" *     ")).map(line ->
                    line.substring(7)).toList();
            assertTrue(examples.size() >= 15, "" + examples);
            for (String example : examples) sandbox.evaluate("(function* () {\n" + example + "\n})");
        }
    }
}
