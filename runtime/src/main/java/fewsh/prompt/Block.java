package fewsh.prompt;

import fewsh.UserError;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The `fewsh:` block of a prompt file, which is also what scripts pass to `compose`: a [Composition] as maps, lists and texts.
///
/// ```yaml
/// fewsh:
///   role: …                     # context, instruction, style
///   shots:                      # or a list of examples
///     file: reviews.jsonl       # or  examples: [{text: "a joy", label: positive}, …]
///     k: 4
///     by: first | random | balanced | similar
///     seed: 1234
///     label: label
///     input: "Review: {{ text }}"
///     output: "{{ label }}"
///     budget: 400
///   cot: off | zero_shot | few_shot | {kind: zero_shot, trigger: "…", extract: "…"}
///   vote: 8 | {n: 8, early: true, error: 0.05, temperature: 0.7}
///   knowledge: 5
///   answer: number | option | date | text | line | {kind: option, options: [A, B]} | {regex: "answer is (.*)"}
///   format: {options: [positive, negative]} | {regex: "[0-9]+"} | {json: {…JSON schema…}}
///   stop: ["\n"]
///   image: photo.png
/// ```
/// What is left out is as in [Composition#EMPTY]. Files are beside the prompt file or below its folder.
public final class Block {
    private static final int MOST_STATEMENTS = 1024;

    private static final List<String> KEYS = List.of("role", "context", "instruction", "style", "shots", "cot", "vote",
            "knowledge", "answer", "format", "stop", "image");
    private static final List<String> SHOTS = List.of("examples", "file", "k", "by", "seed", "label", "input", "output",
            "budget");

    private Block() {}

    /// @param where  the file, with line when known, for messages
    /// @param folder the prompt file's, or the script's, which files it names must be in
    /// @throws UserError for an unknown key, a value out of range or of another kind, a file that cannot be read
    public static Composition read(String where, Map<String, ?> block, Path folder) {
        Entry root = new Entry(where, "fewsh", block);
        Map<String, Entry> at = root.keys(KEYS);
        Composition composition = Composition.EMPTY.with(c -> {
            if (at.containsKey("role")) c.role = at.get("role").text();
            if (at.containsKey("context")) c.context = at.get("context").text();
            if (at.containsKey("instruction")) c.instruction = at.get("instruction").text();
            if (at.containsKey("style")) c.style = at.get("style").text();
            if (at.containsKey("cot")) c.cot = cot(at.get("cot"));
            if (at.containsKey("vote")) c.vote = vote(at.get("vote"));
            if (at.containsKey("knowledge")) c.knowledge = (int) at.get("knowledge").integer(0, MOST_STATEMENTS);
            if (at.containsKey("answer")) c.answer = answer(at.get("answer"));
            if (at.containsKey("format")) c.format = format(at.get("format"));
            if (at.containsKey("stop")) c.stop = at.get("stop").texts();
            if (at.containsKey("image")) c.image = folder.resolve(at.get("image").file(folder)).toString();
        });
        if (!at.containsKey("shots")) return composition;
        Shots shots = shots(at.get("shots"), folder, composition.cot());
        return composition.with(c -> c.shots = shots);
    }

    private static Shots shots(Entry node, Path folder, Cot cot) {
        boolean list = node.value() instanceof List<?>;
        Map<String, Entry> at = list ? Map.of("examples", node) : node.keys(SHOTS);
        if (at.containsKey("examples") == at.containsKey("file"))
            throw node.error(at.containsKey("file") ? "has both \"examples\" and \"file\"" : "has no examples",
                    "give \"examples\" or \"file\"");
        Entry from = at.containsKey("file") ? at.get("file") : at.get("examples");
        String file = at.containsKey("file") ? from.file(folder) : "";
        List<Map<String, Object>> examples = file.isEmpty() ? inline(from) : List.copyOf(Rows.read(folder.resolve(file)));
        if (examples.isEmpty()) throw from.error("holds no examples", "");
        Shots none = Shots.NONE;
        Shots shots = node.checked(() -> new Shots(examples,
                at.containsKey("k") ? (int) at.get("k").integer(-1, Integer.MAX_VALUE) : none.k(),
                at.containsKey("by") ? at.get("by").word(Shots.By.values()) : none.by(),
                at.containsKey("seed") ? at.get("seed").integer(Long.MIN_VALUE, Long.MAX_VALUE) : none.seed(),
                at.containsKey("label") ? at.get("label").text() : none.label(),
                at.containsKey("input") ? at.get("input").text() : none.input(),
                at.containsKey("output") ? at.get("output").text() : none.output(),
                at.containsKey("budget") ? (int) at.get("budget").integer(0, Integer.MAX_VALUE) : none.budget(), file));
        String source = file.isEmpty() ? from.path() : folder.resolve(file).toString();
        if (shots.k() > examples.size())
            throw node.error("k is " + shots.k() + ", but " + source + " holds " + examples.size(), "ask for fewer, or add some");
        Pool pool = node.checked(() -> Pool.of(shots));
        for (int i = 0; i < examples.size(); i++) {
            if (shots.output().isEmpty()) requireField(from, pool, i, shots.label(), "which is its answer");
            if (shots.output().isEmpty() && cot.kind() == Cot.Kind.FEW_SHOT)
                requireField(from, pool, i, Pool.REASONING, "which few-shot chain of thought shows");
        }
        return shots;
    }

    private static void requireField(Entry from, Pool pool, int i, String field, String what) {
        if (pool.example(i).get(field) != null) return;
        UserError e = pool.lacks(i, field, what);
        String where = pool.example(i) instanceof Row row ? row.where() : from.where() + ": " + from.path() + "[" + i + "]";
        String fix = field.equals("output") && !e.fix().startsWith("did") ? e.fix() + "; name the one with \"label\"" : e.fix();
        throw new UserError(where, e.what(), fix);
    }

    private static List<Map<String, Object>> inline(Entry node) {
        List<Map<String, Object>> examples = new ArrayList<>();
        for (Entry item : node.items()) examples.add(item.map());
        return examples;
    }

    private static Cot cot(Entry node) {
        if (!(node.value() instanceof Map<?, ?>)) return Cot.OFF.with(cotKind(node));
        Map<String, Entry> at = node.keys(List.of("kind", "trigger", "extract"));
        return new Cot(at.containsKey("kind") ? cotKind(at.get("kind")) : Cot.Kind.ZERO_SHOT,
                at.containsKey("trigger") ? at.get("trigger").filled() : Cot.OFF.trigger(),
                at.containsKey("extract") ? at.get("extract").filled() : Cot.OFF.extract());
    }

    /// YAML 1.1 reads a bare `off` as false.
    private static Cot.Kind cotKind(Entry node) {
        return Boolean.FALSE.equals(node.value()) ? Cot.Kind.OFF : node.word(Cot.Kind.values());
    }

    private static Vote vote(Entry node) {
        Vote none = Vote.NONE;
        if (!(node.value() instanceof Map<?, ?>))
            return node.checked(() -> new Vote((int) node.integer(Integer.MIN_VALUE, Integer.MAX_VALUE), none.early(),
                    none.error(), none.temperature()));
        Map<String, Entry> at = node.keys(List.of("n", "early", "error", "temperature"));
        if (!at.containsKey("n")) throw node.error("has no \"n\"", "say how many paths are sampled");
        return node.checked(() -> new Vote((int) at.get("n").integer(Integer.MIN_VALUE, Integer.MAX_VALUE),
                at.containsKey("early") ? at.get("early").bool() : none.early(),
                at.containsKey("error") ? at.get("error").number() : none.error(),
                at.containsKey("temperature") ? at.get("temperature").number() : none.temperature()));
    }

    private static Extraction answer(Entry node) {
        Extraction answer;
        if (node.value() instanceof Map<?, ?>) {
            Map<String, Entry> at = node.keys(List.of("kind", "options", "regex"));
            Extraction.Kind kind = at.containsKey("kind") ? at.get("kind").word(Extraction.Kind.values())
                    : at.containsKey("regex") ? Extraction.Kind.REGEX : at.containsKey("options") ? Extraction.Kind.OPTION
                    : Extraction.Kind.TEXT;
            if (at.containsKey("regex") != (kind == Extraction.Kind.REGEX))
                throw node.error(at.containsKey("regex") ? "has a \"regex\" and another kind" : "has no \"regex\"",
                        "regex: \"answer is (.*)\"");
            if (at.containsKey("options") && kind != Extraction.Kind.OPTION)
                throw node.error("has \"options\" and is of another kind", "kind: option");
            answer = new Extraction(kind, at.containsKey("regex") ? at.get("regex").filled() : "",
                    at.containsKey("options") ? at.get("options").options() : List.of());
        } else {
            answer = new Extraction(node.word(Extraction.Kind.values()), "", List.of());
            if (answer.kind() == Extraction.Kind.REGEX) throw node.error("has no pattern", "regex: \"answer is (.*)\"");
        }
        node.checked(() -> {
            answer.check();
            return answer;
        });
        return answer;
    }

    private static Format format(Entry node) {
        Map<String, Entry> at = node.keys(List.of("options", "regex", "json"));
        if (at.size() != 1) throw node.error("must hold one of options, regex and json", "");
        if (at.containsKey("options")) return new Format.Options(at.get("options").options());
        if (at.containsKey("regex")) return new Format.Regex(at.get("regex").filled());
        return new Format.Json(at.get("json").map());
    }

    /// What [#read] makes the same composition of, without what it would assume.
    public static Map<String, Object> write(Composition c) {
        Map<String, Object> block = new LinkedHashMap<>();
        Composition none = Composition.EMPTY;
        put(block, "role", c.role(), none.role());
        put(block, "context", c.context(), none.context());
        put(block, "instruction", c.instruction(), none.instruction());
        put(block, "style", c.style(), none.style());
        if (!c.shots().examples().isEmpty()) block.put("shots", shots(c.shots()));
        put(block, "cot", cot(c.cot()), cot(none.cot()));
        put(block, "vote", vote(c.vote()), vote(none.vote()));
        put(block, "knowledge", c.knowledge(), none.knowledge());
        put(block, "answer", answer(c.answer()), answer(none.answer()));
        switch (c.format()) {
            case Format.Free() -> { }
            case Format.Options(var options) -> block.put("format", Map.of("options", options));
            case Format.Regex(var pattern) -> block.put("format", Map.of("regex", pattern));
            case Format.Json(var schema) -> block.put("format", Map.of("json", schema));
        }
        put(block, "stop", c.stop(), none.stop());
        put(block, "image", c.image(), none.image());
        return block;
    }

    private static void put(Map<String, Object> block, String key, Object value, Object assumed) {
        if (!value.equals(assumed)) block.put(key, value);
    }

    private static Map<String, Object> shots(Shots s) {
        Map<String, Object> block = new LinkedHashMap<>();
        if (s.file().isEmpty()) block.put("examples", s.examples());
        else block.put("file", s.file());
        put(block, "k", s.k(), Shots.NONE.k());
        put(block, "by", Entry.word(s.by()), Entry.word(Shots.NONE.by()));
        put(block, "seed", s.seed(), Shots.NONE.seed());
        put(block, "label", s.label(), Shots.NONE.label());
        put(block, "input", s.input(), Shots.NONE.input());
        put(block, "output", s.output(), Shots.NONE.output());
        put(block, "budget", s.budget(), Shots.NONE.budget());
        return block;
    }

    private static Object cot(Cot cot) {
        if (cot.equals(Cot.OFF.with(cot.kind()))) return Entry.word(cot.kind());
        Map<String, Object> block = new LinkedHashMap<>();
        block.put("kind", Entry.word(cot.kind()));
        put(block, "trigger", cot.trigger(), Cot.OFF.trigger());
        put(block, "extract", cot.extract(), Cot.OFF.extract());
        return block;
    }

    private static Object vote(Vote vote) {
        Map<String, Object> block = new LinkedHashMap<>();
        block.put("n", vote.n());
        put(block, "early", vote.early(), Vote.NONE.early());
        put(block, "error", vote.error(), Vote.NONE.error());
        put(block, "temperature", vote.temperature(), Vote.NONE.temperature());
        return block.size() == 1 ? (Object) vote.n() : block;
    }

    private static Object answer(Extraction answer) {
        return switch (answer.kind()) {
            case REGEX -> Map.of("regex", answer.pattern());
            case OPTION -> {
                if (answer.options().isEmpty()) yield Entry.word(answer.kind());
                Map<String, Object> block = new LinkedHashMap<>();
                block.put("kind", Entry.word(answer.kind()));
                block.put("options", answer.options());
                yield block;
            }
            case TEXT, LINE, NUMBER, DATE -> Entry.word(answer.kind());
        };
    }
}
