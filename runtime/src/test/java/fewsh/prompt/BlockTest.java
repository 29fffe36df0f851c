package fewsh.prompt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.Gson;
import com.google.gson.ToNumberPolicy;
import fewsh.UserError;
import fewsh.prompt.Shots.By;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.snakeyaml.engine.v2.api.Dump;
import org.snakeyaml.engine.v2.api.DumpSettings;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.common.ScalarStyle;

class BlockTest {
    @TempDir Path folder;

    @BeforeEach
    void writeFiles() throws IOException {
        Files.writeString(folder.resolve("reviews.csv"), "text,label\na joy,positive\na bore,negative\n");
        Files.writeString(folder.resolve("photo.png"), "");
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> yaml(String text) {
        return (Map<String, Object>) new Load(LoadSettings.builder().build()).loadFromString(text);
    }

    private Composition read(String text) {
        return Block.read("x.prompty", yaml(text), folder);
    }

    private UserError refused(String text) {
        UserError e = assertThrows(UserError.class, () -> read(text), text);
        assertTrue(e.where().startsWith("x.prompty") || e.where().startsWith(folder.toString()), e.where());
        return e;
    }

    @Test
    void everyKeyIsRead() {
        Composition c = read("""
                role: You are a critic.
                context: Old films.
                instruction: Judge.
                style: Short.
                shots: {file: reviews.csv, k: 1, by: similar, seed: 7, label: label,
                  input: "R: {{ text }}", output: "{{ label }}", budget: 40}
                cot: {kind: zero_shot, trigger: Think., extract: So}
                vote: {n: 8, early: true, error: 0.01, temperature: 0.5}
                knowledge: 5
                answer: {kind: option, options: [positive, negative]}
                format: {options: [positive, negative]}
                stop: ["\\n", "###"]
                image: photo.png
                """);
        assertEquals(new Composition("You are a critic.", "Old films.", "Judge.", "Short.",
                new Format.Options(List.of("positive", "negative")),
                new Shots(List.of(Map.of("text", "a joy", "label", "positive"), Map.of("text", "a bore", "label", "negative")), 1,
                        By.SIMILAR,
                        7, "label", "R: {{ text }}", "{{ label }}", 40, "reviews.csv"),
                new Cot(Cot.Kind.ZERO_SHOT, "Think.", "So"), new Vote(8, true, 0.01, 0.5), 5,
                new Extraction(Extraction.Kind.OPTION, "", List.of("positive", "negative")), List.of("\n", "###"), folder.resolve("photo.png").toString()),
                        c);
        assertEquals(c, Block.read("x.prompty", Block.write(c.with(f -> f.image = "photo.png")), folder));
    }

    @Test
    void shortFormsMeanTheSame() {
        assertEquals(Composition.EMPTY, read("{}"));
        assertEquals(read("shots: {examples: [{text: a, output: b}]}"), read("shots: [{text: a, output: b}]"));
        assertEquals(read("vote: {n: 8}"), read("vote: 8"));
        assertEquals(read("stop: [END]"), read("stop: END"));
        assertEquals(read("cot: {kind: zero_shot}"), read("cot: zero_shot"));
        assertEquals(Cot.OFF, read("cot: off").cot());
        assertEquals(Cot.OFF, read("cot: false").cot());
        assertEquals(read("answer: {kind: regex, regex: \"(a)\"}"), read("answer: {regex: \"(a)\"}"));
        assertEquals(Extraction.Kind.NUMBER, read("answer: number").answer().kind());
        assertEquals(List.of("1", "true"), ((Format.Options) read("format: {options: [1, true]}").format()).options());
        assertEquals(Map.of("type", "object"), ((Format.Json) read("format: {json: {type: object}}").format()).schema());
    }

    @Test
    void misspeltKeysAndWordsAreNamed() {
        assertEquals("did you mean \"instruction\"?", refused("instructions: x").fix());
        assertEquals("x.prompty: unknown key \"kk\" in fewsh.shots", refused("shots: {kk: 3}").getMessage());
        assertEquals("did you mean \"similar\"?", refused("shots: {examples: [{output: a}], by: similiar}").fix());
        assertEquals("did you mean \"zero_shot\"?", refused("cot: zero-shot").fix());
        assertEquals("did you mean \"number\"?", refused("answer: numbr").fix());
        assertEquals("did you mean \"options\"?", refused("format: {option: [a]}").fix());
        assertEquals("did you mean \"temperature\"?", refused("vote: {n: 2, temprature: 1}").fix());
        assertEquals("did you mean \"trigger\"?", refused("cot: {triger: x}").fix());
    }

    @Test
    void everyValueIsChecked() {
        for (String text : List.of("role: [a]", "knowledge: -1", "knowledge: 1.5", "knowledge: 99999", "vote: 0", "vote: 5000",
                "vote: many",
                "vote: {early: true}", "vote: {n: 2, early: 1}", "vote: {n: 2, error: 1}", "vote: {n: 2, temperature: 0}",
                "vote: {n: 99999999999999999999}", "shots: 5", "shots: []", "shots: {k: 2}", "shots: [text]",
                        "shots: {examples: {}}",
                "shots: {examples: [{output: a}], file: reviews.csv}", "shots: {examples: [{output: a}], k: 2}",
                "shots: {examples: [{output: a}], k: -2}", "shots: {examples: [{output: a}], budget: -1}",
                "shots: {examples: [{output: a}], seed: x}", "shots: {examples: [{output: a}], label: ''}",
                "shots: {examples: [{output: a}], input: '{{ text'}", "shots: {examples: [{output: a}], output: '{% if %}'}",
                "shots: {examples: [{output: a}, {text: b}]}", "shots: {file: reviews.csv}",
                        "shots: {file: reviews.csv, label: lable}",
                "cot: {kind: off, trigger: ''}", "cot: 3", "cot: few_shot\nshots: [{output: a}]", "answer: regex",
                        "answer: {kind: regex}",
                "answer: {regex: '('}", "answer: {regex: x, kind: number}", "answer: {options: [a], kind: number}",
                "answer: {options: []}", "answer: {options: [a, a]}", "format: json", "format: {}",
                        "format: {regex: a, json: {}}",
                "format: {json: x}", "format: {options: a}", "stop: {a: b}", "stop: ['']", "image: ''", "image: none.png"))
            refused(text);
        assertThrows(UserError.class, () -> Block.read("x", Map.of("role", new Object()), folder));
    }

    @Test
    void whatIsWrongWithAnExampleIsSaidWithItsLine() throws IOException {
        Files.writeString(folder.resolve("r.jsonl"), "{\"text\": \"a\", \"label\": \"x\"}\n\n{\"text\": \"b\"}\n");
        UserError e = refused("shots: {file: r.jsonl, label: label}");
        assertEquals(folder.resolve("r.jsonl") + ":3", e.where());
        assertEquals("has no \"label\", which is its answer", e.what());
        assertEquals("x.prompty: fewsh.shots.examples[1]", refused("shots: {examples: [{output: a}, {outptu: b}]}").where());
        Files.writeString(folder.resolve("empty.csv"), "text,label\n");
        assertTrue(refused("shots: {file: empty.csv, label: label}").what().contains("holds no examples"));
        assertTrue(refused("shots: {file: reviews.csv, k: 9, label: label}").what().contains("reviews.csv holds 2"));
    }

    @Test
    void filesOutsideTheFolderAreRefused() throws IOException {
        Path inner = Files.createDirectory(folder.resolve("inner"));
        Files.createSymbolicLink(inner.resolve("link.csv"), folder.resolve("reviews.csv"));
        Files.createSymbolicLink(inner.resolve("up"), folder);
        Files.writeString(inner.resolve("own.csv"), "text,label\na,b\n");
        Files.createSymbolicLink(inner.resolve("alias.csv"), inner.resolve("own.csv"));
        for (String name : List.of("../reviews.csv", "link.csv", "up/reviews.csv", folder.resolve("reviews.csv").toString(), ".",
                "a/../../reviews.csv", "a\\..\\..\\reviews.csv", "~/reviews.csv", "\0", "none.csv", "up"))
            for (String key : List.of("image", "file")) {
                Map<String, Object> block = key.equals("image") ? Map.of("image", name) : Map.of("shots", Map.of("file", name,
                        "label", "label"));
                assertThrows(UserError.class, () -> Block.read("x", block, inner), name);
            }
        for (String name : List.of("own.csv", "alias.csv", "./own.csv"))
            assertEquals(1, Block.read("x", Map.of("shots", Map.of("file", name, "label", "label")),
                    inner).shots().examples().size());
    }

    @Property(tries = 300)
    void whatIsWrittenIsReadAgain(@ForAll("compositions") Composition c) {
        Map<String, Object> block = Block.write(c);
        assertEquals(c, Block.read("x", block, Path.of("")));
        // other styles of the writer do not come back for texts of newlines alone
        DumpSettings quoted = DumpSettings.builder().setDefaultScalarStyle(ScalarStyle.DOUBLE_QUOTED).build();
        String text = new Dump(quoted).dumpToString(block);
        assertEquals(c, Block.read("x", yaml(text), Path.of("")), text);
        Gson gson = new Gson().newBuilder().setObjectToNumberStrategy(ToNumberPolicy.LONG_OR_DOUBLE).serializeNulls().create();
        @SuppressWarnings("unchecked")
        Map<String, Object> json = gson.fromJson(gson.toJson(block), Map.class);
        assertEquals(c, Block.read("x", json, Path.of("")), gson.toJson(block));
    }

    @Provide
    Arbitrary<Composition> compositions() {
        Arbitrary<String> text = Arbitraries.strings().withChars(" \n\t:#-{}[]'\"|>&*!%@`,?abcÄ漢0123").ofMaxLength(12);
        Arbitrary<String> filled = text.filter(t -> !t.isEmpty());
        Arbitrary<List<String>> options = filled.list().uniqueElements().ofMinSize(1).ofMaxSize(4);
        Arbitrary<Object> value = Arbitraries.oneOf(text, Arbitraries.longs(), Arbitraries.of(true, false),
                Arbitraries.doubles().between(-1e6, 1e6).map(d -> d + 0.5), options);
        Arbitrary<Map<String, Object>> map = Arbitraries.maps(filled, value).ofMaxSize(3);
        Arbitrary<Shots> some = Combinators.combine(map.list().ofMinSize(1).ofMaxSize(3), Arbitraries.of(-1, 0, 1),
                Arbitraries.of(By.class),
                Arbitraries.longs(), filled.filter(t -> !t.isBlank()), Arbitraries.of("", "Q: {{ a }}\n"),
                        Arbitraries.integers().between(0, 999))
                .as((examples, k, by, seed, label, input, budget) -> {
                    List<Map<String, Object>> labelled = examples.stream().<Map<String, Object>>map(e -> {
                        Map<String, Object> row = new LinkedHashMap<>(e);
                        row.put(label, "x");
                        row.put("reasoning", "y");
                        return row;
                    }).toList();
                    return new Shots(labelled, k, by, seed, label, input, "", budget, "");
                });
        Arbitrary<Shots> shots = Arbitraries.frequencyOf(Tuple.of(1, Arbitraries.just(Shots.NONE)),
                Tuple.of(3, some));
        Arbitrary<Format> format = Arbitraries.oneOf(Arbitraries.just(new Format.Free()), filled.map(Format.Regex::new),
                options.map(Format.Options::new), map.map(Format.Json::new));
        Arbitrary<Extraction> answer = Arbitraries.oneOf(
                Arbitraries.of(Extraction.Kind.TEXT, Extraction.Kind.LINE, Extraction.Kind.NUMBER, Extraction.Kind.DATE,
                        Extraction.Kind.OPTION)
                        .map(kind -> new Extraction(kind, "", List.of())),
                options.map(o -> new Extraction(Extraction.Kind.OPTION, "", o)),
                Arbitraries.of("answer is (.*)", "\\d+").map(p -> new Extraction(Extraction.Kind.REGEX, p, List.of())));
        Arbitrary<Cot> cot = Combinators.combine(Arbitraries.of(Cot.Kind.class), filled, Arbitraries.of(true, false))
                .as((kind, phrase, own) -> own ? new Cot(kind, phrase, phrase) : Cot.OFF.with(kind));
        Arbitrary<Vote> vote = Combinators.combine(Arbitraries.integers().between(1, 1024), Arbitraries.of(true, false),
                Arbitraries.of(0.0, 0.05, 0.5), Arbitraries.of(0.7, 1.0)).as(Vote::new);
        return Combinators.combine(text.list().ofSize(4), shots, format, answer, cot, vote, Arbitraries.integers().between(0, 9),
                filled.list().ofMaxSize(3)).as((texts, s, f, a, c, v, k, stop) -> new Composition(texts.get(0), texts.get(1),
                        texts.get(2),
                        texts.get(3), f, s, c, v, k, a, stop, ""));
    }
}
