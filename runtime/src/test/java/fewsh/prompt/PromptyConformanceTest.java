package fewsh.prompt;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import fewsh.Shared;
import fewsh.UserError;
import fewsh.jinja.Piece;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Prompty's own vectors. Those of its later stages concern a provider's wire format, or a loop over one: fewsh runs the model
/// itself and opens no connection. What they say of settings and of schemas is checked all the same.
@Shared.Suite({"conformance/prompty"})
class PromptyConformanceTest {
    private static final Map<String, String> NOT_APPLICABLE = new LinkedHashMap<>();

    static {
        NOT_APPLICABLE.put("to_request", "a provider's request");
        NOT_APPLICABLE.put("process", "a provider's answer");
        NOT_APPLICABLE.put("process_stream", "a provider's answer, streamed");
        NOT_APPLICABLE.put("turn_run", "a loop of tool calls over a provider");
        NOT_APPLICABLE.put("turn_run_turn", "a loop of tool calls over a provider");
        NOT_APPLICABLE.put("turn_replay", "a log of such a loop");
        NOT_APPLICABLE.put("enrich", "a table of providers' models");
        NOT_APPLICABLE.put("map_model", "a table of providers' models");
    }

    @TempDir Path temp;
    private int folders;

    @Test
    void everyVectorThatAppliesPasses() throws IOException {
        List<String> wrong = new ArrayList<>();
        int passed = 0;
        int total = 0;
        int others = 0;
        StringBuilder not = new StringBuilder();
        for (String file : List.of("load", "render", "render_segments", "parse"))
            for (JsonElement element : cases(file)) {
                total++;
                String difference = difference(file, element.getAsJsonObject());
                if (difference == null) passed++;
                else wrong.add(file + "/" + element.getAsJsonObject().get("name").getAsString() + ": " + difference);
            }
        for (Map.Entry<String, String> file : NOT_APPLICABLE.entrySet()) {
            int n = cases(file.getKey()).size();
            others += n;
            not.append("\n  not applicable: " + file.getKey() + " " + n + " (" + file.getValue() + ")");
        }
        System.out.println("conformance/prompty: " + passed + " of " + (total + others) + ", of those that apply " + passed
                + " of "
                + total + not);
        assertEquals(List.of(), wrong);
    }

    @Test
    void requestsHaveTheSettingsAndSchemasThatFewshReads() throws IOException {
        List<String> wrong = new ArrayList<>();
        int checked = 0;
        for (JsonElement element : cases("to_request")) {
            Map<?, ?> vector = (Map<?, ?>) value(element);
            Map<?, ?> input = (Map<?, ?>) vector.get("input");
            if (!(((Map<?, ?>) vector.get("expected")).get("request_body") instanceof Map<?, ?> body)) continue;
            if (input.get("options") instanceof Map<?, ?> options && "openai".equals(vector.get("provider"))) {
                Map<String, Object> read = new LinkedHashMap<>(ModelOptions.read("", options));
                if (!read.isEmpty()) checked++;
                read.forEach((name, setting) -> {
                    Object sent = name.equals("max_tokens") ? body.get("max_completion_tokens") : body.get(name);
                    if (sent != null && !same(sent, setting)) wrong.add(vector.get("name") + ": " + name + " " + setting);
                });
            }
            Object schema = at(body, "response_format", "json_schema", "schema");
            if (schema == null) schema = at(body, "text", "format", "schema");
            if (schema == null) continue;
            checked++;
            Object made = Prompty.schema(Input.properties("", "outputs", input.get("outputs")));
            if (!same(schema, made)) wrong.add(vector.get("name") + ": " + made + " instead of " + schema);
        }
        System.out.println("conformance/prompty: settings or schemas of " + checked + " requests");
        assertEquals(List.of(), wrong);
    }

    private String difference(String file, JsonObject vector) throws IOException {
        Map<?, ?> input = (Map<?, ?>) value(vector.get("input"));
        Map<?, ?> expected = (Map<?, ?>) value(vector.get("expected"));
        try {
            Object got = switch (file) {
                case "load" -> load(input);
                case "render" -> render(input);
                case "render_segments" -> segments(input);
                default -> parse(input);
            };
            if (expected.containsKey("error")) return "no error but " + got;
            if (expected.get("nonce_pattern") instanceof String pattern)
                return Pattern.compile(pattern).matcher(((Map<?, ?>) got).get("rendered").toString()).find() ? null
                        : got.toString();
            return within(expected, got) ? null : got + " instead of " + expected;
        } catch (UserError e) {
            if (!expected.containsKey("error")) return e.getMessage();
            Object field = expected.get("error_field");
            return field == null || e.getMessage().contains(field.toString()) ? null : e.getMessage() + " does not name " + field;
        }
    }

    private Object load(Map<?, ?> input) throws IOException {
        Map<String, String> environment = new HashMap<>();
        if (input.get("env") instanceof Map<?, ?> env)
            env.forEach((name, value) -> environment.put((String) name, (String) value));
        Path file;
        if (input.get("fixture") instanceof String fixture) {
            file = Shared.path("conformance/prompty/fixtures").resolve(fixture);
        } else {
            Path root = temp.resolve("case" + folders++);
            Path folder = input.get("agent_subdir") instanceof String sub ? root.resolve(sub) : root;
            Files.createDirectories(folder);
            file = folder.resolve("agent.prompty");
            String text = input.get("frontmatter_raw") instanceof String raw ? raw
                    : "---\n" + Yaml.write(Yaml.texts((Map<?, ?>) input.get("frontmatter"))) + "---\n"
                            + (input.get("body") instanceof String body ? body : "Hello");
            Files.writeString(file, text);
            if (input.get("files") instanceof Map<?, ?> files)
                for (Map.Entry<?, ?> beside : files.entrySet()) {
                    Path path = folder.resolve((String) beside.getKey());
                    Files.createDirectories(path.getParent());
                    Files.writeString(path, beside.getValue() instanceof String content ? content
                            : Json.write(beside.getValue(), 0));
                }
        }
        PromptFile prompt = PromptFile.read(file, environment);
        Map<String, Object> agent = new LinkedHashMap<>(Prompty.agent(FrontMatter.ofPrompty(file.toString(),
                FrontMatter.text(file)),
                Prompty.folder(file), environment));
        if (input.get("inputs") instanceof Map<?, ?> inputs)
            agent.put("validated_inputs", Map.of("exactly", prompt.check(Yaml.texts(inputs))));
        return agent;
    }

    private static Object render(Map<?, ?> input) {
        Map<String, Object> inputs = new LinkedHashMap<>();
        Rich rich = new Rich();
        ((Map<?, ?>) input.get("inputs")).forEach((name, value) -> inputs.put((String) name,
                value instanceof Map<?, ?> map && map.containsKey("_kind") ? rich.placeholder((String) name, value) : value));
        String template = (String) input.get("template");
        return Map.of("rendered", new PromptyTemplate("vector", 1, template, "vector", (String) input.get("engine"), false)
                .rendered(inputs, ""));
    }

    private static Object segments(Map<?, ?> input) {
        Set<String> strict = new java.util.HashSet<>();
        if (input.get("strict_props") instanceof List<?> names) names.forEach(name -> strict.add((String) name));
        List<Object> segments = new ArrayList<>();
        for (Piece piece : Prompty.segments("vector", (String) input.get("template"),
                Yaml.texts((Map<?, ?>) input.get("inputs")), strict)) {
            Map<String, Object> segment = new LinkedHashMap<>();
            segment.put("kind", piece.literal() ? "literal" : "interp");
            segment.put("text", piece.text());
            segment.put("source", piece.name());
            segment.put("strict", piece.name() != null && strict.contains(piece.name()));
            segments.add(segment);
        }
        return Map.of("segments", segments);
    }

    private static Object parse(Map<?, ?> input) {
        String rendered = (String) input.get("rendered");
        Rich rich = new Rich();
        if (input.get("thread_inputs") instanceof Map<?, ?> threads)
            threads.forEach((name, thread) -> {
                var m = Pattern.compile("__PROMPTY_THREAD_[a-f0-9]+_" + name + "__").matcher(rendered);
                while (m.find()) rich.put(m.group(), thread);
            });
        String nonce = input.get("nonce") instanceof String given ? given : "";
        List<Object> messages = new ArrayList<>();
        for (Message message : rich.messages(Roles.parse("vector", rendered, nonce))) {
            Map<String, Object> shown = new LinkedHashMap<>();
            shown.put("role", message.role());
            Object content = message.fields().get("content");
            shown.put("content", content instanceof String text ? List.of(Map.of("kind", "text", "value", text)) : content);
            Map<String, Object> metadata = new LinkedHashMap<>(message.fields());
            metadata.keySet().removeAll(List.of("role", "content"));
            shown.put("metadata", metadata);
            messages.add(shown);
        }
        return Map.of("messages", messages);
    }

    /// Whether all that `expected` says is in `got`; lists are as long as each other.
    private static boolean within(Object expected, Object got) {
        if (expected instanceof Map<?, ?> map) {
            if (got instanceof Map<?, ?> g && g.get("exactly") instanceof Map<?, ?> exactly) return same(expected, exactly);
            return got instanceof Map<?, ?> other && map.entrySet().stream()
                    .allMatch(entry -> within(entry.getValue(), other.get(entry.getKey())));
        }
        if (expected instanceof List<?> list) {
            if (!(got instanceof List<?> other) || list.size() != other.size()) return false;
            for (int i = 0; i < list.size(); i++) if (!within(list.get(i), other.get(i))) return false;
            return true;
        }
        return same(expected, got);
    }

    static boolean same(Object a, Object b) {
        return Json.write(sorted(a), 0).equals(Json.write(sorted(b), 0));
    }

    private static Object sorted(Object value) {
        return switch (value) {
            case Map<?, ?> map -> {
                Map<String, Object> copy = new java.util.TreeMap<>();
                map.forEach((key, item) -> copy.put((String) key, sorted(item)));
                yield copy;
            }
            case List<?> list -> {
                List<Object> copy = new ArrayList<>();
                list.forEach(item -> copy.add(sorted(item)));
                yield copy;
            }
            case null, default -> value;
        };
    }

    private static Object at(Object value, String... path) {
        for (String key : path) value = value instanceof Map<?, ?> map ? map.get(key) : null;
        return value;
    }

    private static List<JsonElement> cases(String file) throws IOException {
        String text = Files.readString(Shared.path("conformance/prompty/" + file + ".json"));
        return JsonParser.parseString(text).getAsJsonObject().getAsJsonArray("cases").asList();
    }

    private static Object value(JsonElement json) {
        return Json.parse("vector", json.toString());
    }
}
