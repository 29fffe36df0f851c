package fewsh.prompt;

import static org.junit.jupiter.api.Assertions.assertEquals;

import fewsh.Shared;
import fewsh.UserError;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// dotprompt's own tests. No exceptions.
@Shared.Suite({"conformance/dotprompt"})
class DotpromptConformanceTest {
    @Test
    void everyVectorPasses() throws IOException {
        List<String> wrong = new ArrayList<>();
        Map<String, Integer> totals = new LinkedHashMap<>();
        int total = 0;
        try (Stream<Path> files = Files.walk(Shared.path("conformance/dotprompt"))) {
            for (Path file : files.filter(f -> f.toString().endsWith(".json") && !f.endsWith("schema.json")).sorted().toList())
                for (Object suite : (List<?>) Json.parse(file.toString(), Files.readString(file)))
                    for (Object test : (List<?>) ((Map<?, ?>) suite).get("tests")) {
                        total++;
                        totals.merge(Prompty.stem(file), 1, Integer::sum);
                        String difference = difference((Map<?, ?>) suite, (Map<?, ?>) test);
                        if (difference != null)
                            wrong.add(file.getFileName() + "/" + ((Map<?, ?>) suite).get("name") + "/"
                                    + ((Map<?, ?>) test).get("desc")
                                    + ": " + difference);
                    }
        }
        System.out.println("conformance/dotprompt: " + (total - wrong.size()) + " of " + total + " " + totals);
        assertEquals(List.of(), wrong);
    }

    private static String difference(Map<?, ?> suite, Map<?, ?> test) {
        Map<String, Object> expected = new LinkedHashMap<>(map(test.get("expect")));
        Map<String, Object> options = map(test.get("options"));
        Map<String, Object> data = new LinkedHashMap<>(map(suite.get("data")));
        data.putAll(map(test.get("data")));
        try {
            FrontMatter front = FrontMatter.ofDotprompt("vector", (String) suite.get("template"));
            Map<String, Object> meta = new LinkedHashMap<>(Dotprompt.metadata(front, map(suite.get("schemas"))));
            Map<String, Object> inputs = new LinkedHashMap<>(map(map(meta.get("input")).get("default")));
            inputs.putAll(map(map(options.get("input")).get("default")));
            inputs.putAll(map(data.get("input")));
            Map<String, Object> partials = new LinkedHashMap<>(map(suite.get("partials")));
            partials.putAll(map(suite.get("resolverPartials")));
            DotpromptTemplate template = new DotpromptTemplate("vector", front.bodyLine(), Dotprompt.body(front),
                    name -> (String) partials.get(name));
            List<Map<String, Object>> history = new ArrayList<>();
            if (data.get("messages") instanceof List<?> messages) messages.forEach(message -> history.add(map(message)));
            List<Object> messages = new ArrayList<>();
            for (var turn : template.turns(inputs, new DotpromptTemplate.Surroundings(map(data.get("context")), history))) {
                Map<String, Object> shown = new LinkedHashMap<>(Map.of("role", turn.role(), "content", turn.content()));
                if (!turn.metadata().isEmpty()) shown.put("metadata", turn.metadata());
                messages.add(shown);
            }
            Map<String, Object> rendered = new LinkedHashMap<>(meta);
            options.forEach((key, value) -> rendered.put(key, value));
            rendered.put("messages", messages);
            rendered.put("raw", front.keys().map());
            if (!expected.containsKey("raw")) rendered.remove("raw");
            String first = compare(without(expected, "input"), without(rendered, "input"));
            if (first != null) return first;
            Map<String, Object> metadata = new LinkedHashMap<>(meta);
            options.forEach((key, value) -> metadata.put(key, value));
            return compare(without(expected, "messages", "raw"), without(metadata, "messages", "raw"));
        } catch (UserError e) {
            return e.getMessage();
        }
    }

    private static String compare(Map<String, Object> expected, Map<String, Object> got) {
        for (String key : List.of("ext", "config", "metadata")) {
            expected.putIfAbsent(key, Map.of());
            got.putIfAbsent(key, Map.of());
        }
        return PromptyConformanceTest.same(ordered(expected), ordered(got)) ? null : Json.write(got, 0) + " instead of "
                + Json.write(expected, 0);
    }

    /// The order of `required` and of names in a schema says nothing.
    private static Object ordered(Object value) {
        if (value instanceof Map<?, ?> map) {
            Map<String, Object> copy = new LinkedHashMap<>();
            map.forEach((key, item) -> copy.put((String) key, key.equals("required") && item instanceof List<?> names
                    ? names.stream().map(String::valueOf).sorted().toList() : ordered(item)));
            return copy;
        }
        return value instanceof List<?> list ? new ArrayList<>(list.stream().map(DotpromptConformanceTest::ordered).toList())
                : value;
    }

    private static Map<String, Object> without(Map<String, Object> map, String... keys) {
        Map<String, Object> copy = new LinkedHashMap<>(map);
        copy.keySet().removeAll(List.of(keys));
        return copy;
    }

    private static Map<String, Object> map(Object value) {
        return value instanceof Map<?, ?> map ? Yaml.texts(map) : Map.of();
    }
}
