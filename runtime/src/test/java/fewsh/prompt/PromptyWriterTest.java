package fewsh.prompt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

class PromptyWriterTest {
    private static PromptFile read(String text) {
        try {
            Path file = Files.createTempFile("saved", ".prompty");
            try {
                Files.writeString(file, text);
                return PromptFile.read(file, Map.of());
            } finally {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    @Provide
    Arbitrary<String> texts() {
        Arbitrary<String> pieces = Arbitraries.of("{{", "}}", "{%", "%}", "{#", "#}", "{", "}", "\n", "\n\n", "system:",
                "\nuser:\n", "# assistant:",
                "user[name=\"x\"]:", " ", "  ", "\t", "\\", "\"", "'", "{{ x }}", "{% raw %}", "{% endraw %}", "{# role #}",
                "---\n", "+++", "é",
                "🐱", "${env:HOME}", "<b>", ":", "-", "\r\n", "\r", "word", "__PROMPTY_THREAD_00000000_input__", "{{-", "-%}",
                "#", "\u0085", "\u2028",
                "\u0001", "null", "1.0", "|", ">", "&a", "*a", "!!x", "input");
        return pieces.list().ofMinSize(0).ofMaxSize(12).map(list -> String.join("", list));
    }

    @Property(tries = 600, seed = "20261124")
    void anyTextsSurviveWritingReadingAndRendering(@ForAll("texts") String role, @ForAll("texts") String instruction,
            @ForAll("texts") String question, @ForAll("texts") String answer, @ForAll("texts") String last,
            @ForAll("texts") String end) {
        String stop = end + ".";
        Composition composition = Composition.EMPTY.with(c -> {
            c.role = role;
            c.instruction = instruction;
            c.stop = List.of(stop);
        });
        List<Message> turns = List.of(new Message("user", question), new Message("assistant", answer), new Message("user", last));
        PromptFile file = read(PromptFile.write(composition, turns, Map.of("temperature", 0.5, "stop", List.of(stop)), "n",
                question));

        assertEquals(role, file.parts().role());
        assertEquals(instruction, file.parts().instruction());
        assertEquals(List.of(stop), file.composition().stop());
        assertEquals(question, file.description());
        assertEquals(Map.of("temperature", 0.5, "stop", List.of(stop)), file.options());
        List<String> system = new ArrayList<>(List.of(role, instruction));
        system.removeIf(String::isEmpty);
        List<String> wanted = new ArrayList<>();
        if (!system.isEmpty()) wanted.add("system " + trimmed(String.join("\n\n", system)));
        for (Message turn : turns) wanted.add(turn.role() + " " + trimmed(turn.text()));
        assertEquals(wanted, shown(file.body().render(file.check(Map.of()))));
        assertEquals(wanted.subList(wanted.size() - 3, wanted.size()), shown(file.turns().render(Map.of())));
        wanted.set(wanted.size() - 1, "user " + trimmed(answer));
        assertEquals(wanted, shown(file.body().render(file.check(Map.of("input", answer)))));
    }

    @Property(tries = 600, seed = "20261124")
    void anyTextsSurviveYaml(@ForAll("texts") String key, @ForAll("texts") String one, @ForAll("texts") String two) {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put(key, List.of(one, Map.of(two, List.of(), "n", 1, "x", List.of(one, two))));
        map.put("k" + key, two);
        assertEquals(Json.write(map, 0), Json.write(Yaml.read("", Yaml.write(map), 0).map(), 0));
    }

    /// What the format says of a message's blank lines.
    private static String trimmed(String text) {
        return FrontMatter.withoutBlankLines(text);
    }

    private static List<String> shown(List<Message> messages) {
        return messages.stream().map(m -> m.role() + " " + m.text()).toList();
    }

    @Test
    void aSavedPromptReadsLikeOneWrittenByHand() {
        Composition composition = Composition.EMPTY.with(c -> {
            c.role = "You are a poet.";
            c.style = "Use no {{braces}}.";
            c.stop = List.of("\n");
        });
        List<Message> turns = List.of(new Message("system", "Think first."), new Message("user", "A rhyme?"),
                new Message("assistant", "Time."));
        assertEquals("""
                ---
                name: poet
                model:
                  options:
                    maxOutputTokens: 20
                inputs:
                  - name: input
                    kind: string
                    required: true
                fewsh:
                  stop:
                    - "\\n"
                ---
                system:
                {# role #}You are a poet.

                {# style #}{{ "Use no {{braces}}." }}

                {# system #}Think first.

                user:
                A rhyme?

                assistant:
                Time.

                user:
                {{input}}
                """, PromptFile.write(composition, turns, Map.of("max_tokens", 20L), "poet", ""));
    }

    @Test
    void fieldsOfAMessageThatARoleLineCanHoldAreKept() {
        List<Message> turns = List.of(new Message(Map.of("role", "user", "content", "Hi", "name", "Ann", "odd", "a\nb")),
                new Message("user", "Bye"));
        PromptFile file = read(PromptFile.write(Composition.EMPTY, turns, Map.of(), "", ""));
        List<Message> messages = file.body().render(Map.of());
        assertEquals(Map.of("role", "user", "content", "Hi", "name", "Ann"), messages.getFirst().fields());
        assertEquals("Bye", messages.getLast().text());
        assertTrue(file.parts().role().isEmpty());
    }
}
