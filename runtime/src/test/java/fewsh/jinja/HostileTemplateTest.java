package fewsh.jinja;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import fewsh.jinja.TemplateError.Kind;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Templates that mean harm, and templates broken at random: they render or fail as templates do, within their limits.
class HostileTemplateTest {
    private static final Limits SMALL = new Limits(200_000, 100_000, 300, 100, 100, 10_000);

    @ParameterizedTest
    @ValueSource(strings = {
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{{ 'x' * 999999999 }}", "{{ ['x'] * 999999999 }}", "{{ 'x'.center(999999999) }}", "{{ '%999999999d' % 1 }}",
        "{{ '{:999999999}'.format(1) }}", "{{ 'x'.ljust(99999999, 'y') }}", "{{ '\\t'.expandtabs(999999999) }}",
        "{{ 'a'.zfill(999999999) }}", "{{ 'a'|indent(999999999, true) }}", "{{ 'a'|center(999999999) }}",
        "{{ [1]|tojson(indent=999999999) }}", "{{ 10 ** (10 ** 10) }}", "{{ 7 ** 99999 ** 2 }}",
        "{{ [1]|batch(999999999, 0)|list }}",
        "{{ [1]|slice(999999999)|list }}", "{{ lipsum(999999999) }}", "{{ ('a' * 50000).replace('a', 'b' * 50000) }}",
        "{{ ('a' * 50000).replace('', 'b' * 50000) }}", "{{ ('b' * 50000).join(range(50000)|map('string')) }}",
        "{% set ns = namespace(s='xxxxxxxxxx') %}{% for i in range(99) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
        "{% set ns = namespace(l=[1]) %}{% for i in range(99) %}{% set ns.l = ns.l + ns.l %}{% endfor %}",
        "{% set ns = namespace(d={}) %}{% for i in range(99) %}{% set ns.d = {'a': ns.d, 'b': ns.d} %}{% endfor %}{{ ns.d }}",
        "{% for i in range(99999) %}xxxxxxxxxxxxxxxxxxxxxxxx{% endfor %}", "{{ range(99999)|list }}{{ range(99999)|list }}",
    })
    void whatWouldTakeForeverOrFillTheMemoryStopsAtALimit(String template) {
        TemplateError error = assertThrows(TemplateError.class, () -> render(template, Environment.chat()));
        assertTrue(List.of(Kind.LIMIT, Kind.RECURSION, Kind.OVERFLOW, Kind.VALUE).contains(error.kind()), error.toString());
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        "{% macro f() %}{{ caller is defined }}{% call f() %}{% endcall %}{% endmacro %}{{ f() }}",
        "{% for a in [1] recursive %}{{ loop([1]) }}{% endfor %}", "{% block a %}{{ self.a() }}{% endblock %}",
        "{% set l = [] %}{% set _ = l.append(l) %}{{ l == [l] }}{{ l|tojson }}",
        "{% set l = [] %}{% set k = [] %}{% set _ = l.append(k) %}{% set _ = k.append(l) %}{{ l == k }}",
        "{% set ns = namespace(l=[]) %}{% for i in range(999) %}{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l|string|length }}",
    })
    void recursionStopsAtALimit(String template) {
        assertEquals(Kind.RECURSION, assertThrows(TemplateError.class, () -> render(template, Environment.plain())).kind());
    }

    @Test
    void aListInItselfPrintsAsPythonPrintsIt() {
        assertEquals("[[...]]", render("{% set l = [] %}{% set _ = l.append(l) %}{{ l }}", Environment.plain()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"(", "[", "{1:", "-", "not ", "x.", "f(", "a|b(", "1 if ", "1+", "a~", "a and "})
    void deepNestingIsRefusedWhereverItIs(String open) {
        String deep = "{{ " + open.repeat(100_000) + "1";
        assertTrue(List.of(Kind.RECURSION, Kind.SYNTAX).contains(
                assertThrows(TemplateError.class, () -> Template.parse(deep, Environment.chat())).kind()));
        String blocks = "{% if 1 %}".repeat(100_000);
        assertEquals(Kind.RECURSION, assertThrows(TemplateError.class, () -> Template.parse(blocks, Environment.chat())).kind());
    }

    @Test
    void longRowsOfOperatorsAreRefusedAndUsualOnesAreNot() {
        String row = "{{ 1" + " + 1".repeat(300) + " }}";
        assertEquals("301", render(row, Environment.plain().withLimits(Limits.DEFAULT)));
        for (String link : List.of(" + 1", "|abs", ".a", "[0]", " and 1", " if 1 else 1")) {
            String endless = "{{ 1" + link.repeat(100_000) + " }}";
            assertEquals(Kind.RECURSION,
                    assertThrows(TemplateError.class, () -> Template.parse(endless, Environment.plain())).kind(), link);
        }
    }

    @Test
    void aPatternThatBacktracksStopsAtALimit() {
        String template = "{{ ('a' * 60)|regex_replace('(a+)(a+)(a+)(a+)(a+)(a+)b', '') }}";
        assertEquals(Kind.LIMIT, assertThrows(TemplateError.class, () -> render(template, Environment.lmEval())).kind());
        String deep = "{{ ('ab' * 9000)|regex_replace('(a|b)*c', '') }}";
        assertTrue(List.of(Kind.LIMIT, Kind.RECURSION).contains(
                assertThrows(TemplateError.class, () -> render(deep, Environment.lmEval())).kind()));
    }

    @Test
    void theSandboxKeepsTheCallersListsAndDictsAsTheyAre() {
        List<Object> items = new ArrayList<>(List.of(1));
        Template.parse("{{ l.append(2) }}", Environment.plain()).render(Map.of("l", items));
        assertEquals(List.of(1), items);
        TemplateError error = assertThrows(TemplateError.class,
                () -> Template.parse("{{ l.append(2) }}", Environment.chat()).render(Map.of("l", items)));
        assertEquals(Kind.SECURITY, error.kind());
    }

    @Test
    void variablesOfOtherTypesAreRefused() {
        Template template = Template.parse("{{ x }}", Environment.plain());
        assertThrows(IllegalArgumentException.class, () -> template.render(Map.of("x", new Object())));
        List<Object> endless = new ArrayList<>();
        endless.add(endless);
        assertThrows(IllegalArgumentException.class, () -> template.render(Map.of("x", endless)));
    }

    /// Cuts, doubles, swaps and overwrites pieces of good templates; nothing but a `TemplateError` may come of it.
    @Test
    void brokenTemplatesRenderOrFailAsTemplatesDo() throws Exception {
        JsonObject golden = Vectors.read(Path.of(GoldenTest.class.getResource("golden.json").toURI())).getAsJsonObject();
        Map<String, Object> variables = Vectors.variables(golden.getAsJsonObject("context"));
        List<String> seeds = new ArrayList<>();
        for (JsonElement row : golden.getAsJsonArray("cases")) seeds.add(((JsonArray) row).get(2).getAsString());
        List<String> pieces = new ArrayList<>(List.of("{{", "}}", "{%", "%}", "{#", "#}", "-", "(", ")", "[", "]", "{",
                "}", "'", "\"", "\\", "|", ".", ",", ":", "=", "~", "*", "**", "x", "1", "99999999999999999999", "0.5", "\n",
                "\ud83d", "\0", "é", "👍",
                " in ", " is ", " not ", " if ", " else ", "none", "loop", "{% for x in l %}", "{% endfor %}", "{% endif %}",
                "{% macro m(a) %}", "{% endmacro %}", "|map('upper')", ".format(", "|join", "%s", "[::-1]", "{% set x %}"));
        Random random = new Random(1);
        List<Environment> environments = List.of(Environment.plain().withLimits(SMALL), Environment.chat().withLimits(SMALL),
                Environment.lmEval().withLimits(SMALL));
        int rendered = 0;
        int failed = 0;
        for (int i = 0; i < 20_000; i++) {
            StringBuilder text = new StringBuilder(seeds.get(random.nextInt(seeds.size())));
            for (int changes = random.nextInt(4); changes >= 0; changes--) {
                int at = random.nextInt(text.length() + 1);
                int end = Math.min(text.length(), at + random.nextInt(6));
                switch (random.nextInt(4)) {
                    case 0 -> text.delete(at, end);
                    case 1 -> text.insert(at, text.substring(at, end));
                    case 2 -> text.insert(at, pieces.get(random.nextInt(pieces.size())));
                    default -> text.replace(at, end, seeds.get(random.nextInt(seeds.size())));
                }
            }
            try {
                Template.parse(text.toString(), environments.get(i % 3)).render(variables);
                rendered++;
            } catch (TemplateError e) {
                failed++;
            } catch (RuntimeException | Error e) {
                throw new AssertionError("seed 1, round " + i + ": " + text, e);
            }
        }
        assertTrue(rendered > 1000 && failed > 1000, rendered + " rendered, " + failed + " failed");
    }

    private static String render(String template, Environment environment) {
        Environment limited = environment.limits() == Limits.DEFAULT && !template.contains(" + 1 + 1")
                ? environment.withLimits(SMALL) : environment;
        return Template.parse(template, limited).render(Collections.emptyMap());
    }
}
