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
import java.util.Set;
import org.junit.jupiter.api.Test;

/// Our use of a Java library against handlebars.js, which dotprompt is defined by: `handlebars.json`, made by the script beside
/// it.
class HandlebarsTest {
    /// Which the library cannot parse: it says so.
    private static final Set<String> REFUSED = Set.of("{{\"a text\"}}", "{{^if yes}}a{{else}}b{{/if}}");

    @Test
    void everyTemplateRendersAsHandlebarsJsRendersIt() throws IOException {
        Path golden = Shared.project().resolve("runtime/src/test/resources/fewsh/prompt/handlebars.json");
        Map<?, ?> file = (Map<?, ?>) Json.parse(golden.toString(), Files.readString(golden));
        Map<String, Object> data = Yaml.texts((Map<?, ?>) file.get("data"));
        Map<?, ?> partials = (Map<?, ?>) file.get("partials");
        Map<String, Object> context = Yaml.texts((Map<?, ?>) file.get("context"));
        List<String> wrong = new ArrayList<>();
        List<?> cases = (List<?>) file.get("cases");
        for (Object each : cases) {
            Map<?, ?> vector = (Map<?, ?>) each;
            String template = (String) vector.get("template");
            String got;
            try {
                got = new DotpromptTemplate("golden", 1, template, name -> (String) partials.get(name))
                        .rendered(new LinkedHashMap<>(data), context);
            } catch (UserError e) {
                if (vector.get("expected") instanceof String expected && !REFUSED.contains(template)) wrong.add(shown(template)
                        + " gave " + expected + ", here " + e);
                continue;
            }
            if (!got.equals(vector.get("expected")))
                wrong.add(shown(template) + " gave " + shown(String.valueOf(vector.get("expected"))) + ", here " + shown(got)
                        + vector.get("error"));
        }
        System.out.println("golden/handlebars: " + (cases.size() - wrong.size() - REFUSED.size()) + " of " + cases.size()
                + ", refused " + REFUSED);
        assertEquals("", String.join("\n", wrong));
    }

    private static String shown(String text) {
        return Json.write(text, 0);
    }
}
