package fewsh.prompt;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import fewsh.Shared;
import fewsh.UserError;
import fewsh.jinja.Rendered;
import fewsh.jinja.TemplateError;
import fewsh.jinja.Vectors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// The chat templates of 150 models over conversations of every kind, with transformers' answers. No exceptions.
@Shared.Suite({"conformance/chat_templates", "conformance/tool_calls"})
class ChatTemplateConformanceTest {
    private static final Path FOLDER = Shared.path("conformance/chat_templates");

    @Test
    void everyRenderingIsTransformers() throws IOException {
        JsonObject shared = Vectors.read(FOLDER.resolve("conversations.json")).getAsJsonObject();
        LocalDateTime now = LocalDateTime.parse(shared.get("now").getAsString());
        Map<String, String> tokens = new LinkedHashMap<>();
        shared.getAsJsonObject("tokens").entrySet().forEach(e -> tokens.put(e.getKey(), e.getValue().getAsString()));
        Map<String, JsonObject> conversations = new HashMap<>();
        for (JsonElement element : shared.getAsJsonArray("conversations"))
            conversations.put(element.getAsJsonObject().get("id").getAsString(), element.getAsJsonObject());
        List<Path> files;
        try (Stream<Path> all = Files.walk(FOLDER.resolve("cases"))) {
            files = all.filter(file -> file.toString().endsWith(".json")).sorted().toList();
        }
        List<String> wrong = new ArrayList<>();
        Map<String, int[]> counts = new TreeMap<>();
        for (Path file : files) {
            JsonObject page = Vectors.read(file).getAsJsonObject();
            String name = page.get("template_file").getAsString();
            ChatTemplate template = ChatTemplate.of(name, Files.readString(FOLDER.resolve(name)), tokens, () -> now);
            int[] count = counts.computeIfAbsent(file.getParent().getFileName().toString(), _ -> new int[2]);
            for (JsonElement element : page.getAsJsonArray("cases")) {
                JsonObject vector = element.getAsJsonObject();
                String difference = difference(template, vector, conversations.get(vector.get("conversation").getAsString()));
                count[1]++;
                if (difference == null) count[0]++;
                else wrong.add(name + " " + vector.get("conversation") + ": " + difference);
            }
        }
        counts.forEach((group, count) ->
                System.out.println("conformance/chat_templates/" + group + ": " + count[0] + " of " + count[1]));
        assertEquals(List.of(), wrong);
    }

    private static String difference(ChatTemplate template, JsonObject vector, JsonObject conversation) {
        Map<String, Object> extra = Vectors.variables(conversation.getAsJsonObject("variables"));
        List<Message> messages = messages(extra.remove("messages"));
        boolean prompt = (boolean) extra.remove("add_generation_prompt");
        try {
            if (conversation.has("continue_final_message"))
                return same(template.renderContinuing(messages, extra), vector);
            Rendered rendered = template.renderWithSpans(messages, prompt, extra);
            String difference = same(rendered.text(), vector);
            if (difference != null || !vector.has("assistant_spans")) return difference;
            JsonArray spans = new JsonArray();
            for (Rendered.Span span : rendered.generations()) {
                JsonArray pair = new JsonArray();
                pair.add(span.start());
                pair.add(span.end());
                spans.add(pair);
            }
            JsonElement wanted = vector.get("assistant_spans");
            return spans.equals(wanted) ? null : "spans " + spans + " instead of " + wanted;
        } catch (UserError e) {
            if (!vector.has("error")) return e.toString();
            JsonObject error = vector.getAsJsonObject("error");
            String kind = e.getCause() instanceof TemplateError t ? t.kind().pythonName() : "ValueError";
            String message = e.getCause() instanceof TemplateError t ? t.getMessage() : e.what();
            boolean same = error.get("class").getAsString().equals(kind)
                    && message.startsWith(error.get("message").getAsString());
            return same ? null : kind + ": " + message + " instead of " + error;
        }
    }

    private static String same(String text, JsonObject vector) {
        if (!vector.has("expected")) return "rendered \"" + text + "\" instead of " + vector.get("error");
        return text.equals(vector.get("expected").getAsString()) ? null : "rendered \"" + text + "\"";
    }

    @SuppressWarnings("unchecked")
    private static List<Message> messages(Object list) {
        List<Message> messages = new ArrayList<>();
        for (Object message : (List<?>) list) messages.add(new Message((Map<String, Object>) message));
        return messages;
    }

    @Test
    void toolCallsAreWrittenAsTransformersWritesThem() throws IOException {
        Path folder = Shared.path("conformance/tool_calls");
        Map<String, ChatTemplate> templates = new HashMap<>();
        List<String> wrong = new ArrayList<>();
        int total = 0;
        for (JsonElement element : Vectors.read(folder.resolve("bfcl.json")).getAsJsonArray()) {
            JsonObject example = element.getAsJsonObject();
            Map<String, Object> tools = Map.of("tools", Vectors.value(example.get("tools")));
            List<Message> messages = messages(Vectors.value(example.get("messages")));
            List<Object> calls = new ArrayList<>();
            for (JsonElement call : example.getAsJsonArray("calls"))
                calls.add(Map.of("type", "function", "function", Vectors.value(call)));
            List<Message> answered = new ArrayList<>(messages);
            answered.add(new Message("assistant", "").with("tool_calls", calls));
            for (Map.Entry<String, JsonElement> wanted : example.getAsJsonObject("prompts").entrySet()) {
                String name = wanted.getKey();
                if (!templates.containsKey(name)) {
                    Map<String, String> tokens = Map.of("bos_token", name.equals("hermes") ? "<|begin_of_text|>" : "",
                            "eos_token", "<|im_end|>");
                    templates.put(name, ChatTemplate.of(name,
                            Files.readString(folder.resolve("templates/" + name + ".jinja")), tokens));
                }
                String prompt = wanted.getValue().getAsJsonObject().get("prompt").getAsString();
                String completion = wanted.getValue().getAsJsonObject().get("completion").getAsString();
                total++;
                boolean same = templates.get(name).render(messages, true, tools).equals(prompt)
                        && templates.get(name).render(answered, false, tools).equals(prompt + completion);
                if (!same) wrong.add(example.get("id") + " " + name);
            }
        }
        System.out.println("conformance/tool_calls: " + (total - wrong.size()) + " of " + total);
        assertEquals(List.of(), wrong);
    }
}
