package fewsh.prompt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fewsh.UserError;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ChatTemplateTest {
    private static final String CHATML = """
            {% for m in messages %}
            {{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>' }}
            {% endfor %}
            {% if add_generation_prompt %}
            {{ '<|im_start|>assistant\\n' }}
            {% endif %}
            """;
    private static final List<Message> HELLO = List.of(new Message("system", "Be brief."), new Message("user", "Hi"));

    @TempDir
    Path folder;

    @Test
    void theExampleOfThePackageRenders() {
        ChatTemplate template = ChatTemplate.of("example", "{% for m in messages %}<{{ m.role }}>{{ m.content }}{{ eos_token }}"
                + "{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}", Map.of("eos_token", "</s>"));
        String text = template.render(List.of(new Message("user", "Hi")), true, Map.of());
        assertEquals("<user>Hi</s><assistant>", text);
    }

    @Test
    void toolsAndDocumentsArePresentAsNull() {
        ChatTemplate template =
                ChatTemplate.of("m", "{{ tools is defined }}{{ tools is none }}{{ documents is none }}", Map.of());
        assertEquals("TrueTrueTrue", template.render(HELLO, false, Map.of()));
        assertEquals("TrueFalseTrue", template.render(HELLO, false, Map.of("tools", List.of())));
    }

    @Test
    void extraVariablesWinOverSpecialTokens() {
        ChatTemplate template = ChatTemplate.of("m", "{{ bos_token }}{{ enable_thinking }}", Map.of("bos_token", "<s>"));
        assertEquals("<s>False", template.render(HELLO, false, Map.of("enable_thinking", false)));
        assertEquals("!True", template.render(HELLO, false, Map.of("bos_token", "!", "enable_thinking", true)));
    }

    @Test
    void theDateComesFromTheClock() {
        ChatTemplate template = ChatTemplate.of("m", "{{ strftime_now('%d %b %Y') }}", Map.of(),
                () -> LocalDateTime.of(2025, 3, 2, 1, 2));
        assertEquals("02 Mar 2025", template.render(HELLO, false, Map.of()));
    }

    @Test
    void reasoningIsThereUnderBothNames() {
        ChatTemplate template = ChatTemplate.of("m", "{{ messages[0].thinking }}/{{ messages[0].reasoning_content }}", Map.of());
        for (String name : List.of("thinking", "reasoning_content", "reasoning"))
            assertEquals("hm/hm", template.render(List.of(new Message("assistant", "x").with(name, "hm")), false, Map.of()));
    }

    @Test
    void aTemplateThatRefusesSaysSoWithItsWords() {
        ChatTemplate template =
                ChatTemplate.of("llama/chat_template.jinja", "a\n{{ raise_exception('No system role') }}", Map.of());
        UserError error = assertThrows(UserError.class, () -> template.render(HELLO, true, Map.of()));
        assertEquals("llama/chat_template.jinja:2", error.where());
        assertEquals("the chat template refuses these messages: \"No system role\"", error.what());
    }

    @Test
    void aTemplateThatFailsSaysWhere() {
        ChatTemplate template = ChatTemplate.of("llama", "\n\n{{ messages[7].content }}", Map.of());
        UserError error = assertThrows(UserError.class, () -> template.render(HELLO, true, Map.of()));
        assertEquals("llama:3", error.where());
        assertEquals("the chat template fails: list object has no element 7 (UndefinedError at \"messages[7].content\")",
                error.what());
        UserError syntax = assertThrows(UserError.class, () -> ChatTemplate.of("llama", "{% if %}", Map.of()));
        assertEquals("llama:1", syntax.where());
    }

    @Test
    void continuingStopsAfterTheLastWord() {
        ChatTemplate template = ChatTemplate.of("m", CHATML, Map.of());
        List<Message> open = List.of(new Message("user", "Count."), new Message("assistant", "One, two, "));
        assertEquals("<|im_start|>user\nCount.<|im_end|>\n<|im_start|>assistant\nOne, two, ",
                template.renderContinuing(open, Map.of()));
        ChatTemplate trimming = ChatTemplate.of("m", "{% for m in messages %}{{ m.content | trim }}\n{% endfor %}", Map.of());
        assertEquals("Count.\nOne, two,", trimming.renderContinuing(open, Map.of()));
        ChatTemplate parts = ChatTemplate.of("m", "{% for p in messages[0].content %}{{ p.text }}{% endfor %}", Map.of());
        Message message = new Message("user", null).with("content", List.of(Map.of("text", "a"), Map.of("text", "b")));
        assertEquals("ab", parts.renderContinuing(List.of(message), Map.of()));
    }

    @Test
    void whatCannotBeContinuedIsRefused() {
        ChatTemplate template = ChatTemplate.of("m", "{{ messages[0].content }}", Map.of());
        assertThrows(UserError.class, () -> template.renderContinuing(List.of(), Map.of()));
        assertThrows(UserError.class, () -> template.renderContinuing(HELLO, Map.of()));
        assertThrows(UserError.class, () -> template.renderContinuing(List.of(new Message("user", null)), Map.of()));
    }

    @Test
    void receivedMessagesLoseTheirNulls() {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("role", "assistant");
        fields.put("content", null);
        fields.put("tool_calls", List.of());
        Message message = Message.received(fields);
        assertEquals(List.of("role", "tool_calls"), List.copyOf(message.fields().keySet()));
        assertEquals("assistant", message.role());
        assertEquals("", message.text());
    }

    @Test
    void aFolderWithoutATemplateHasNone() throws IOException {
        assertTrue(ChatTemplate.find(folder).isEmpty());
        write("tokenizer_config.json", "{\"eos_token\": \"</s>\", \"chat_template\": null}");
        assertTrue(ChatTemplate.find(folder).isEmpty());
    }

    @Test
    void theTemplateInTheConfigIsFoundWithItsTokens() throws IOException {
        write("tokenizer_config.json", """
                {"bos_token": {"content": "<s>", "lstrip": false}, "eos_token": "</s>", "add_bos_token": true, "pad_token": null,
                 "added_tokens_decoder": {"0": {"content": "<unk>"}}, "extra_special_tokens": {"image_token": "<img>"},
                 "chat_template": "{{ bos_token }}{{ eos_token }}{{ unk_token }}{{ image_token }}"}""");
        write("special_tokens_map.json", "{\"unk_token\": \"<unk>\", \"eos_token\": \"other\"}");
        ChatTemplate template = ChatTemplate.find(folder).orElseThrow();
        assertEquals("<s></s><unk><img>", template.render(HELLO, false, Map.of()));
        assertEquals(List.of("default"), template.names());
    }

    @Test
    void theFileWinsOverTheConfigAndToolsChooseTheirTemplate() throws IOException {
        write("tokenizer_config.json", """
                {"chat_template": [{"name": "default", "template": "config"},
                                   {"name": "tool_use", "template": "config tools"}]}""");
        ChatTemplate listed = ChatTemplate.find(folder).orElseThrow();
        assertEquals("config", listed.render(HELLO, false, Map.of()));
        assertEquals("config tools", listed.render(HELLO, false, Map.of("tools", List.of())));
        write("chat_template.jinja", "file\n");
        Files.createDirectory(folder.resolve("additional_chat_templates"));
        write("additional_chat_templates/tool_use.jinja", "file tools");
        ChatTemplate files = ChatTemplate.find(folder).orElseThrow();
        assertEquals("file", files.render(HELLO, false, Map.of()));
        assertEquals("file tools", files.render(HELLO, false, Map.of("tools", List.of())));
    }

    @Test
    void brokenFilesAreNamed() throws IOException {
        for (String text : List.of("{", "[]", "{\"chat_template\": 5}", "{\"chat_template\": [{\"name\": \"a\"}]}", "{\"a\": tru",
                "{\"chat_template\": \"{{\"}", "{\"chat_template\": " + "[".repeat(100_000))) {
            write("tokenizer_config.json", text);
            UserError error = assertThrows(UserError.class, () -> ChatTemplate.find(folder), text);
            assertTrue(error.where().contains("tokenizer_config.json"), error.where());
        }
        Files.delete(folder.resolve("tokenizer_config.json"));
        Files.write(folder.resolve("chat_template.jinja"), new byte[] {(byte) 0xff, 'a'});
        UserError error = assertThrows(UserError.class, () -> ChatTemplate.find(folder));
        assertEquals("is not UTF-8", error.what());
    }

    @Test
    void aGgufFileGivesItsTemplatesAndTokens() {
        String source = "{{ bos_token }}|{{ eos_token }}|{{ pad_token is defined }}";
        Map<String, Object> metadata = Map.of("tokenizer.chat_template", source,
                "tokenizer.chat_template.tool_use", "tools", "tokenizer.ggml.bos_token_id", 1, "tokenizer.ggml.eos_token_id", 2L,
                "tokenizer.ggml.padding_token_id", 4294967295L, "general.name", "x");
        ChatTemplate template =
                ChatTemplate.ofGguf("m.gguf", metadata, id -> id == 1 ? "<s>" : id == 2 ? "</s>" : null).orElseThrow();
        assertEquals("<s>|</s>|False", template.render(HELLO, false, Map.of()));
        assertEquals("tools", template.render(HELLO, false, Map.of("tools", List.of())));
        assertTrue(ChatTemplate.ofGguf("m.gguf", Map.of("general.name", "x"), _ -> null).isEmpty());
    }

    private void write(String name, String text) throws IOException {
        Files.writeString(folder.resolve(name), text);
    }
}
