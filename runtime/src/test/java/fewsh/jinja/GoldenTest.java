package fewsh.jinja;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/// Templates of our own against what Python's jinja2 made of them: `golden.json`, written by `make_golden.py` beside it.
class GoldenTest {
    // For these Python's own words count; for its built-in exceptions the class does.
    private static final Set<String> OWN_CLASSES = Set.of("TemplateError", "TemplateSyntaxError", "TemplateAssertionError",
            "TemplateRuntimeError", "UndefinedError", "SecurityError");

    @TestFactory
    Stream<DynamicTest> rendersWhatPythonRenders() throws Exception {
        JsonObject golden = Vectors.read(Path.of(GoldenTest.class.getResource("golden.json").toURI())).getAsJsonObject();
        List<DynamicTest> tests = new ArrayList<>();
        for (JsonElement element : golden.getAsJsonArray("cases")) {
            JsonArray row = element.getAsJsonArray();
            String template = row.get(2).getAsString();
            Environment environment = Vectors.environment(row.get(0).getAsString(), row.get(1).getAsJsonObject(),
                    golden.get("now").getAsString());
            tests.add(DynamicTest.dynamicTest(tests.size() + " " + template.replaceAll("\\s+", " "),
                    () -> check(template, environment, golden.getAsJsonObject("context"), row.get(3))));
        }
        return tests.stream();
    }

    private static void check(String template, Environment environment, JsonObject context, JsonElement expected) {
        String text;
        try {
            text = Template.parse(template, environment).render(Vectors.variables(context));
        } catch (TemplateError e) {
            if (!expected.isJsonObject()) throw e;
            JsonObject error = expected.getAsJsonObject();
            String kind = error.get("class").getAsString();
            assertEquals(kind, e.kind().pythonName(), e.toString());
            if (OWN_CLASSES.contains(kind)) assertEquals(error.get("message").getAsString(), e.getMessage());
            if (error.get("line").getAsInt() > 0) assertEquals(error.get("line").getAsInt(), e.line(), e.toString());
            return;
        }
        if (!expected.isJsonPrimitive()) fail("rendered \"" + text + "\" instead of " + expected);
        assertEquals(expected.getAsString(), text);
    }
}
