package fewsh.jinja;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TemplateTest {
    @Test
    void theExampleOfThePackageRenders() {
        Template greeting = Template.parse("{% for name in names %}Hello {{ name }}!{% endfor %}", Environment.plain());
        assertEquals("Hello Ada!", greeting.render(Map.of("names", List.of("Ada"))));
    }

    @Test
    void errorsSayWhereAndWhat() {
        Template template = Template.parse("a\n{% if x %}\n  é {{ x.y.z }}\n{% endif %}", Environment.chat());
        TemplateError error = assertThrows(TemplateError.class, () -> template.render(Map.of("x", Map.of("q", 1))));
        assertEquals(TemplateError.Kind.UNDEFINED, error.kind());
        assertEquals("'dict object' has no attribute 'y'", error.getMessage());
        assertEquals(3, error.line());
        assertEquals(8, error.column());
        assertEquals("x.y.z", error.piece());
        assertEquals("UndefinedError: 'dict object' has no attribute 'y' (line 3, column 8: \"x.y.z\")", error.toString());
    }

    @Test
    void anErrorInAMacroIsPlacedInTheMacro() {
        Template template = Template.parse("{% macro m(a) %}\n{{ a / 0 }}{% endmacro %}\n{{ m(1) }}", Environment.plain());
        TemplateError error = assertThrows(TemplateError.class, () -> template.render(Map.of()));
        assertEquals("ZeroDivisionError: division by zero (line 2, column 4: \"a / 0\")", error.toString());
    }

    @Test
    void syntaxErrorsAreFoundWhenParsing() {
        TemplateError error = assertThrows(TemplateError.class, () -> Template.parse("\n{{ a..b }}", Environment.plain()));
        assertEquals("TemplateSyntaxError: expected name or number (line 2, column 6: \".\")", error.toString());
    }

    @Test
    void generationBlocksAreCountedInCodePoints() {
        String source = "{% for m in ms %}{{ '👍' }}{% generation %}{{ m }}é{% endgeneration %}{% endfor %}";
        Rendered rendered = Template.parse(source, Environment.chat()).renderWithSpans(Map.of("ms", List.of("👍b", "c")));
        assertEquals("👍👍bé👍cé", rendered.text());
        assertEquals(List.of(new Rendered.Span(1, 4), new Rendered.Span(5, 7)), rendered.generations());
    }

    @Test
    void aTemplateCanBeRenderedAgainWithOtherVariables() {
        Template template = Template.parse("{% set n = x + 1 %}{{ n }}", Environment.plain());
        assertEquals("2", template.render(Map.of("x", 1)));
        assertEquals("3", template.render(Map.of("x", 2L)));
        assertEquals("3.5", template.render(Map.of("x", 2.5)));
    }
}
