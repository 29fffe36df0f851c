package fewsh.generate;

import fewsh.UserError;
import fewsh.generate.Grammar.Fragment;
import fewsh.generate.Grammar.Range;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/// Writes the JSON texts that a schema accepts into a grammar: never one that it rejects, though not all that it accepts.
///
/// What is left out, because no answer is better for it: white space but one space after `:` and `,`; other orders of
/// properties than the schema's; properties that are not listed, unless `additionalProperties` allows them or none is listed;
/// items behind `prefixItems`, unless `items` allows them; where `type` is missing, types that no keyword speaks of.
/// A keyword that is not known is refused, never passed over. Names that are not listed may come twice.
///
/// Source: JSON Schema 2020-12.
final class JsonGrammar {
    private static final int MOST_DEPTH = 256;
    private static final int MOST_NAME = 1_000;
    /// What JSON strings cannot hold as it stands.
    private static final List<Range> ESCAPED = List.of(new Range(0, 0x1F), new Range('"', '"'), new Range('\\', '\\'));
    private static final List<Range> RAW = Grammar.minus(Grammar.ANY, ESCAPED);
    private static final String ESCAPE = "\\\\([\"\\\\/bfnrt]|u([0-9a-cefA-CEF][0-9a-fA-F]{3}|[dD][0-7][0-9a-fA-F]{2}"
            + "|[dD][89abAB][0-9a-fA-F]{2}\\\\u[dD][c-fC-F][0-9a-fA-F]{2}))";
    private static final String INTEGER = "-?(0|[1-9][0-9]{0,14})";
    private static final String NUMBER = INTEGER + "(\\.[0-9]{1,15})?([eE][+-]?[0-9]{1,2})?";
    private static final String DATE = "([0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)"
            + "|02-(0[1-9]|1[0-9]|2[0-8]))|([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29)";
    private static final String TIME = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6})?"
            + "(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])";
    private static final String BYTE = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
    private static final Map<String, String> FORMATS = new TreeMap<>(Map.of("date", DATE, "time", TIME,
            "date-time", DATE + "T" + TIME, "uuid", "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
            "ipv4", BYTE + "(\\." + BYTE + "){3}",
            "email", "[a-z0-9]{1,16}([._+-][a-z0-9]{1,16}){0,2}@[a-z0-9]{1,16}(-[a-z0-9]{1,16}){0,2}(\\.[a-z]{2,16}){1,3}"));

    private final Grammar grammar;
    private int depth;

    JsonGrammar(Grammar grammar) {
        this.grammar = grammar;
    }

    /// The rule of a schema, by its place.
    private record Place(String at) {}

    /// The rule of names that are not those of an object, by its place.
    private record OtherName(String at) {}

    /// The rule of any value of a type; of any value at all where it is empty.
    private record Any(String type) {}

    /// The rule of characters inside a string.
    private record Quoted(List<Range> ranges) {}

    /// Writes the rule that begins at `from`. A schema without a keyword accepts any object.
    ///
    /// @throws UserError naming the place in the schema and what is wrong there or not supported
    void write(Map<String, Object> schema, int from) {
        JsonSchema root = JsonSchema.of(schema, "#", schema);
        if (schema.isEmpty()) any("object", from, Grammar.END);
        else grammar.call(from, rule(root), Grammar.END);
    }

    private int rule(JsonSchema schema) {
        return grammar.rule(new Place(schema.at()), entry -> value(schema, entry, Grammar.END));
    }

    private void value(JsonSchema schema, int from, int to) {
        if (++depth > MOST_DEPTH) throw schema.wrong("schemas are nested more than " + MOST_DEPTH + " deep", "");
        Optional<List<String>> values = schema.valuesAllowed();
        if (values.isPresent()) grammar.texts(values.get(), from, to);
        else if (schema.elsewhere().isEmpty()) {
            if (schema.typesAllowed().isEmpty()) any("", from, to);
            for (String type : schema.typesAllowed()) typed(type, schema, from, to);
        } else switch (schema.elsewhere().get()) {
            case "$ref" -> grammar.call(from, rule(schema.referred()), to);
            case "anyOf" -> schema.children("anyOf").forEach(s -> value(s, from, to));
            case "oneOf" -> {
                schema.checkApart();
                schema.children("oneOf").forEach(s -> value(s, from, to));
            }
            default -> {
                List<JsonSchema> parts = schema.children("allOf");
                if (parts.size() != 1)
                    throw schema.wrong("\"allOf\" with other than one part is not supported", "merge its parts");
                value(parts.getFirst(), from, to);
            }
        }
        depth--;
    }

    private void typed(String type, JsonSchema schema, int from, int to) {
        switch (type) {
            case "object" -> object(schema, from, to);
            case "array" -> array(schema, from, to);
            case "string" -> string(schema, from, to);
            case "number", "integer" -> number(type, schema, from, to);
            case "boolean" -> grammar.texts(List.of("true", "false"), from, to);
            default -> grammar.text("null", from, to);
        }
    }

    /// Any value of a type, of all types where it is empty.
    private void any(String type, int from, int to) {
        grammar.call(from, grammar.rule(new Any(type), entry -> {
            if (!type.isEmpty()) typed(type, new JsonSchema(Map.of(), "any " + type, Map.of()), entry, Grammar.END);
            else JsonSchema.TYPES.keySet().stream().filter(t -> !t.equals("integer")).forEach(t -> any(t, entry, Grammar.END));
        }), to);
    }

    // objects

    private void object(JsonSchema schema, int from, int to) {
        Map<String, JsonSchema> properties = new LinkedHashMap<>(schema.properties());
        JsonSchema others = schema.has("additionalProperties") ? schema.child("additionalProperties")
                : JsonSchema.of(schema.root(), schema.at() + "/additionalProperties", true);
        Set<String> required = schema.required();
        required.forEach(name -> properties.putIfAbsent(name, others));
        int none = grammar.state();                 // nothing is written yet
        int some = -1;                              // something is, and what follows needs a comma
        grammar.bytes(from, '{', '{', none);
        for (var property : properties.entrySet()) {
            String name = schema.written(property.getKey());
            int done = grammar.state();
            value(property.getValue(), member(none, some, (a, b) -> grammar.text(name, a, b)), done);
            if (required.contains(property.getKey())) none = -1;
            else if (some >= 0) grammar.empty(some, done);
            some = done;
        }
        boolean closed = schema.has("additionalProperties") ? Boolean.FALSE.equals(schema.get("additionalProperties"))
                : schema.has("properties");
        if (!closed) {
            int name = grammar.rule(new OtherName(schema.at()), entry -> otherName(properties.keySet(), schema, entry));
            int done = grammar.state();
            if (some >= 0) grammar.empty(some, done);
            int value = member(none, some, (a, b) -> grammar.call(a, name, b));
            grammar.call(value, rule(others), done);
            grammar.call(member(-1, done, (a, b) -> grammar.call(a, name, b)), rule(others), done);
            some = done;
        }
        for (int end : new int[] {none, some}) if (end >= 0) grammar.bytes(end, '}', '}', to);
    }

    /// A comma where something stands before, a name and a colon; the value begins at the state that is returned.
    private int member(int none, int some, Fragment name) {
        int begin = grammar.state();
        if (none >= 0) grammar.empty(none, begin);
        if (some >= 0) separator(',', some, begin);
        int named = grammar.state();
        int value = grammar.state();
        name.between(begin, named);
        separator(':', named, value);
        return value;
    }

    private void separator(char c, int from, int to) {
        int after = grammar.state();
        grammar.bytes(from, c, c, after);
        grammar.empty(after, to);
        grammar.bytes(after, ' ', ' ', to);
    }

    /// Names that begin alike.
    private static final class Names {
        final Map<Integer, Names> next = new TreeMap<>();
        final int state;
        boolean ends;

        Names(int state) {
            this.state = state;
        }
    }

    /// Any name, without escapes, but these.
    private void otherName(Set<String> names, JsonSchema schema, int entry) {
        Names first = new Names(grammar.state());
        for (String name : names) {
            if (name.length() > MOST_NAME) throw schema.wrong("a property's name has more than " + MOST_NAME + " characters", "");
            Names node = first;
            for (int c : name.codePoints().toArray()) node = node.next.computeIfAbsent(c, _ -> new Names(grammar.state()));
            node.ends = true;
        }
        int rest = grammar.state();
        grammar.bytes(entry, '"', '"', first.state);
        grammar.chars(RAW, rest, rest);
        grammar.bytes(rest, '"', '"', Grammar.END);
        Deque<Names> open = new ArrayDeque<>(List.of(first));
        while (!open.isEmpty()) {
            Names node = open.pop();
            if (!node.ends) grammar.bytes(node.state, '"', '"', Grammar.END);
            List<Range> taken = node.next.keySet().stream().map(c -> new Range(c, c)).toList();
            grammar.chars(Grammar.minus(RAW, taken), node.state, rest);
            node.next.forEach((c, next) ->
                    grammar.chars(Grammar.minus(List.of(new Range(c, c)), ESCAPED), node.state, next.state));
            open.addAll(node.next.values());
        }
    }

    // arrays

    private void array(JsonSchema schema, int from, int to) {
        List<JsonSchema> first = schema.has("prefixItems") ? schema.children("prefixItems") : List.of();
        int min = schema.count("minItems", 0);
        int max = schema.count("maxItems", Grammar.UNBOUNDED);
        JsonSchema others = schema.has("items") ? schema.child("items")
                : JsonSchema.of(schema.root(), schema.at() + "/items", true);
        boolean closed = schema.has("items") ? Boolean.FALSE.equals(schema.get("items"))
                : schema.has("prefixItems") && min <= first.size();
        if (closed) max = max < 0 ? first.size() : Math.min(max, first.size());
        if (max >= 0 && max < min) throw schema.wrong("at least %,d items and at most %,d".formatted(min, max), "");
        int end = grammar.state();
        grammar.bytes(from, '[', '[', end);
        // one item at least stands before those that are without number: what follows them needs a comma
        int listed = max >= 0 ? max : Math.max(1, Math.max(min, first.size()));
        for (int i = 0; i < listed; i++) {
            if (i >= min) grammar.bytes(end, ']', ']', to);
            int begin = grammar.state();
            if (i == 0) grammar.empty(end, begin);
            else separator(',', end, begin);
            int after = grammar.state();
            grammar.call(begin, rule(i < first.size() ? first.get(i) : others), after);
            end = after;
        }
        if (max < 0) {
            int again = grammar.state();
            separator(',', end, again);
            grammar.call(again, rule(others), end);
        }
        grammar.bytes(end, ']', ']', to);
    }

    // strings

    private void string(JsonSchema schema, int from, int to) {
        int min = schema.count("minLength", 0);
        int max = schema.count("maxLength", Grammar.UNBOUNDED);
        if (max >= 0 && max < min) throw schema.wrong("at least %,d characters and at most %,d".formatted(min, max), "");
        int open = grammar.state();
        int close = grammar.state();
        grammar.bytes(from, '"', '"', open);
        grammar.bytes(close, '"', '"', to);
        List<String> used = Stream.of("pattern", "format", "minLength", "maxLength").filter(schema::has).toList();
        boolean pattern = used.contains("pattern");
        if (!pattern && !used.contains("format")) {
            grammar.repeat(this::character, min, max, open, close);
            return;
        }
        if (used.size() > 1)
            throw schema.wrong("\"" + used.getFirst() + "\" beside \"" + used.get(1) + "\" is not supported",
                    "say both in one \"pattern\"");
        String text = schema.text(used.getFirst());
        if (!pattern && !FORMATS.containsKey(text))
            throw schema.wrong("format \"" + text + "\" is not supported", "supported: " + String.join(", ", FORMATS.keySet()));
        List<Regex.Whole> alternatives;
        try {
            alternatives = Regex.parse(pattern ? text : FORMATS.get(text));
        } catch (UserError e) {
            throw schema.wrong(e.what(), e.fix());
        }
        // a pattern is searched for: what stands around it is free where it is not anchored
        Fragment any = (a, b) -> characters(Grammar.ANY, a, b);
        for (Regex.Whole whole : alternatives) {
            int begin = grammar.state();
            int after = grammar.state();
            grammar.repeat(any, 0, pattern && !whole.atStart() ? Grammar.UNBOUNDED : 0, open, begin);
            whole.regex().write(grammar, this::characters, begin, after);
            grammar.repeat(any, 0, pattern && !whole.atEnd() ? Grammar.UNBOUNDED : 0, after, close);
        }
    }

    /// Any character of a string, however it may be written.
    private void character(int from, int to) {
        grammar.call(from, grammar.rule("character", entry -> {
            grammar.chars(RAW, entry, Grammar.END);
            plain(ESCAPE, entry, Grammar.END);
        }), to);
    }

    /// These characters inside a string, escaped only where they must be.
    private void characters(List<Range> ranges, int from, int to) {
        grammar.call(from, grammar.rule(new Quoted(ranges), entry -> {
            grammar.chars(Grammar.minus(ranges, ESCAPED), entry, Grammar.END);
            List<String> escapes = new ArrayList<>();
            for (Range r : Grammar.minus(ranges, RAW))
                for (int c = r.from(); c <= r.to(); c++) {
                    String quoted = new JsonSchema(Map.of(), "", Map.of()).written(Character.toString(c));
                    escapes.add(quoted.substring(1, quoted.length() - 1));
                }
            grammar.texts(escapes, entry, Grammar.END);
        }), to);
    }

    // numbers

    private void number(String type, JsonSchema schema, int from, int to) {
        boolean whole = type.equals("integer");
        if (JsonSchema.TYPES.get("number").stream().noneMatch(schema::has)) plain(whole ? INTEGER : NUMBER, from, to);
        else new Digits(schema.bound("minimum"), schema.bound("exclusiveMinimum"), schema.bound("maximum"),
                schema.bound("exclusiveMaximum")).write(grammar, whole, from, to);
    }

    /// What a regular expression of ours matches, by a rule of its own.
    private void plain(String regex, int from, int to) {
        grammar.call(from, grammar.rule(regex, entry -> Regex.parse(regex).getFirst().regex()
                .write(grammar, grammar::chars, entry, Grammar.END)), to);
    }
}
