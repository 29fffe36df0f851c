package fewsh.prompt;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import fewsh.Shared;
import fewsh.jinja.Vectors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// The templates that the test models' own folders hold, with what transformers made of them.
@Shared.Suite({"models/tiny"})
class ModelTemplatesTest {
    @Test
    void chatsOfModelFoldersAreTransformers() throws IOException {
        List<Path> folders;
        try (Stream<Path> all = Files.list(Shared.path("models/tiny"))) {
            folders = all.filter(folder -> Files.exists(folder.resolve("chat_template.jinja"))
                    && Files.exists(folder.resolve("golden.json"))).sorted().toList();
        }
        int total = 0;
        for (Path folder : folders) {
            JsonObject golden = Vectors.read(folder.resolve("golden.json")).getAsJsonObject();
            JsonObject tokenizer = golden.has("tokenizer") ? golden.getAsJsonObject("tokenizer") : new JsonObject();
            if (!tokenizer.has("chat")) continue;
            ChatTemplate template = ChatTemplate.find(folder).orElseThrow();
            for (JsonElement element : tokenizer.getAsJsonArray("chat")) {
                Map<String, Object> chat = Vectors.variables(element.getAsJsonObject());
                if (!chat.containsKey("text")) continue;
                List<Message> messages = new ArrayList<>();
                for (JsonElement message : element.getAsJsonObject().getAsJsonArray("messages"))
                    messages.add(new Message(Vectors.variables(message.getAsJsonObject())));
                boolean prompt = (boolean) chat.get("add_generation_prompt");
                Object text = chat.get("text");
                for (String own : List.of("messages", "add_generation_prompt", "text", "ids")) chat.remove(own);
                assertEquals(text, template.render(messages, prompt, chat), folder.getFileName().toString());
                total++;
            }
        }
        System.out.println("models/tiny: " + total + " chats of " + folders.size() + " folders");
        assertEquals(true, total > 0);
    }
}
