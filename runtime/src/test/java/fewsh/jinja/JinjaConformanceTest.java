package fewsh.jinja;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import fewsh.Shared;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Other people's tables of templates, with Python's answers. No exceptions.
@Shared.Suite({"conformance/jinja"})
class JinjaConformanceTest {
    @ParameterizedTest
    @ValueSource(strings = {"generated", "huggingface_js", "huggingface_js_differs", "llama_cpp"})
    void everyRenderingIsPythons(String file) throws IOException {
        List<String> wrong = new ArrayList<>();
        int total = 0;
        for (JsonElement element : Vectors.read(Shared.path("conformance/jinja/" + file + ".json")).getAsJsonArray()) {
            JsonObject vector = element.getAsJsonObject();
            for (String environment : environments(vector)) {
                total++;
                String difference = difference(vector, environment);
                if (difference != null) wrong.add(vector.get("name") + " in " + environment + ": " + difference);
            }
        }
        System.out.println("conformance/jinja/" + file + ": " + (total - wrong.size()) + " of " + total);
        assertEquals(List.of(), wrong);
    }

    private static List<String> environments(JsonObject vector) {
        if (vector.has("environment")) return List.of(vector.get("environment").getAsString());
        return vector.getAsJsonArray("environments").asList().stream().map(JsonElement::getAsString).toList();
    }

    private static String difference(JsonObject vector, String name) {
        JsonObject options = vector.has("options") ? vector.getAsJsonObject("options") : new JsonObject();
        String now = vector.has("now") ? vector.get("now").getAsString() : "2026-07-04T09:05:03";
        Environment environment = Vectors.environment(name, options, now);
        try {
            String text = Template.parse(vector.get("template").getAsString(), environment)
                    .render(Vectors.variables(vector.getAsJsonObject("context")));
            if (!vector.has("expected")) return "rendered \"" + text + "\" instead of " + vector.get("error");
            return text.equals(vector.get("expected").getAsString()) ? null : "rendered \"" + text + "\"";
        } catch (TemplateError e) {
            if (!vector.has("error")) return e.toString();
            JsonObject error = vector.getAsJsonObject("error");
            boolean same = error.get("class").getAsString().equals(e.kind().pythonName())
                    && e.getMessage().contains(error.get("contains").getAsString());
            return same ? null : e + " instead of " + error;
        }
    }
}
