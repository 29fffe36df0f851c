package fewsh.tokenize;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import fewsh.Shared;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Ids and texts as transformers gives them for every tiny model with a tokenizer.
@Shared.Suite("models/tiny")
class TinyModelsSuiteTest {
    static List<String> folders() throws IOException {
        try (Stream<Path> all = Files.list(Shared.path("models/tiny"))) {
            return all.filter(folder -> Files.exists(folder.resolve("tokenizer.json")) || MarianFiles.in(folder))
                    .map(folder -> folder.getFileName().toString()).sorted().toList();
        }
    }

    @ParameterizedTest
    @MethodSource("folders")
    void folderAgreesWithItsGolden(String name) throws IOException {
        Path folder = Shared.path("models/tiny").resolve(name);
        JsonObject golden = JsonParser.parseString(Files.readString(folder.resolve("golden.json"))).getAsJsonObject();
        try (Tokenizer tokenizer = Tokenizer.open(folder)) {
            List<Executable> checks = new ArrayList<>();
            JsonObject section = golden.getAsJsonObject("tokenizer");
            for (JsonElement element : section.getAsJsonArray("cases")) {
                JsonObject each = element.getAsJsonObject();
                String text = each.get("text").getAsString();
                int[] plain = LlamaCppSuiteTest.ids(each, "ids_without_special");
                checks.add(() -> assertArrayEquals(LlamaCppSuiteTest.ids(each, "ids"), tokenizer.encode(text, true, true), text));
                checks.add(() -> assertArrayEquals(plain, tokenizer.encode(text, false, false), text));
                checks.add(() -> assertEquals(each.get("decoded").getAsString(), tokenizer.decode(plain, false)));
                for (boolean skip : new boolean[] {false, true})
                    checks.add(() -> assertEquals(tokenizer.decode(LlamaCppSuiteTest.ids(each, "ids"), skip),
                            streamed(tokenizer, LlamaCppSuiteTest.ids(each, "ids"), skip)));
            }
            if (section.has("chat"))
                for (JsonElement element : section.getAsJsonArray("chat")) {
                    JsonObject each = element.getAsJsonObject();
                    if (!each.has("ids")) continue;
                    String text = each.get("text").getAsString();
                    checks.add(() -> assertArrayEquals(LlamaCppSuiteTest.ids(each, "ids"), tokenizer.encode(text, false, true),
                            text));
                }
            assertTrue(checks.size() >= 40);
            assertAll(checks);
        }
    }

    static String streamed(Tokenizer tokenizer, int[] ids, boolean skip) {
        TextStream stream = tokenizer.stream(skip);
        StringBuilder text = new StringBuilder();
        for (int id : ids) text.append(stream.next(id));
        return text.append(stream.finish()).toString();
    }
}
