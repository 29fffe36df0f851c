package fewsh.tokenize;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import fewsh.Shared;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Ids as llama.cpp gives them for the same GGUF files.
@Shared.Suite({"models/smollm2-135m-instruct-gguf", "models/stories260K-gguf", "models/tokenizer-vectors",
    "models/gpt2-tokenizer"})
class LlamaCppSuiteTest {
    private static final String SMOLLM2 = "models/smollm2-135m-instruct-gguf/SmolLM2-135M-Instruct.Q4_1.gguf";
    private static final String STORIES = "models/stories260K-gguf/tinyllm.gguf";

    @Test
    void smollm2AgreesWithAndWithoutSpecialTokens() throws IOException {
        try (Tokenizer tokenizer = open(SMOLLM2)) {
            List<Executable> checks = new ArrayList<>();
            for (JsonObject each : cases("models/smollm2-135m-instruct-gguf/golden.json")) {
                String text = each.get("text").getAsString();
                checks.add(() -> assertArrayEquals(ids(each, "ids"), tokenizer.encode(text, false, false), text));
                checks.add(() -> assertArrayEquals(ids(each, "ids_special"), tokenizer.encode(text, false, true), text));
                checks.add(() -> assertEquals(text, tokenizer.decode(ids(each, "ids"), false)));
            }
            assertTrue(checks.size() >= 3 * 49);
            assertAll(checks);
        }
    }

    @Test
    void smollm2SaysWhatItsTokensAreFor() throws IOException {
        try (Tokenizer tokenizer = open(SMOLLM2)) {
            assertEquals(OptionalInt.of(1), tokenizer.bos());
            assertEquals(OptionalInt.of(2), tokenizer.eos());
            assertEquals(OptionalInt.of(2), tokenizer.pad());
            assertEquals(OptionalInt.of(0), tokenizer.unk());
            assertEquals(Set.of(0, 2, 4), tokenizer.endOfGeneration(), "what llama_vocab_is_eog says");
            assertFalse(tokenizer.addsBos());
            assertEquals(49152, tokenizer.size());
            assertTrue(tokenizer.isSpecial(1));
            assertEquals("<|im_start|>", tokenizer.piece(1));
            assertEquals("", tokenizer.decode(new int[] {1, 2}, true));
        }
    }

    @Test
    void stories260kAgreesWithAndWithoutBos() throws IOException {
        try (Tokenizer tokenizer = open(STORIES)) {
            List<Executable> checks = new ArrayList<>();
            for (JsonObject each : cases("models/stories260K-gguf/golden.json")) {
                String text = each.get("text").getAsString();
                checks.add(() -> assertArrayEquals(ids(each, "ids"), tokenizer.encode(text, false, false), text));
                checks.add(() -> assertArrayEquals(ids(each, "ids_with_bos"), tokenizer.encode(text, true, false), text));
                checks.add(() -> assertEquals(text, tokenizer.decode(ids(each, "ids_with_bos"), true)));
            }
            assertTrue(checks.size() >= 3 * 49);
            assertAll(checks);
            assertTrue(tokenizer.addsBos());
            assertEquals(OptionalInt.empty(), tokenizer.pad());
        }
    }

    @ParameterizedTest
    @CsvSource({"gpt-2", "llama-spm", "bert-bge"})
    void vocabularyAgreesWithItsVectors(String name) throws IOException {
        String file = "models/tokenizer-vectors/ggml-vocab-" + name + ".gguf";
        List<String> texts = texts(file);
        List<String> lines = Files.readAllLines(Shared.path(file + ".out"));
        assertEquals(lines.size(), texts.size());
        try (Tokenizer tokenizer = open(file)) {
            List<Executable> checks = new ArrayList<>();
            for (int i = 0; i < texts.size(); i++) {
                String text = texts.get(i);
                int[] ids = Arrays.stream(lines.get(i).trim().split(" +")).filter(id -> !id.isEmpty())
                        .mapToInt(Integer::parseInt).toArray();
                checks.add(() -> assertArrayEquals(ids, tokenizer.encode(text, false, false), text));
            }
            assertAll(checks);
        }
    }

    @Test
    void gpt2FoldersAgreeWithTheVectorsByEveryFile() throws IOException {
        String file = "models/tokenizer-vectors/ggml-vocab-gpt-2.gguf";
        List<String> texts = texts(file);
        var older = Files.createTempDirectory("gpt2");
        for (String name : List.of("vocab.json", "merges.txt"))
            Files.copy(Shared.path("models/gpt2-tokenizer/" + name), older.resolve(name));
        try (Tokenizer gguf = open(file); Tokenizer folder = Tokenizer.open(Shared.path("models/gpt2-tokenizer"));
                Tokenizer files = Tokenizer.open(older)) {
            List<Executable> checks = new ArrayList<>();
            for (String text : texts) {
                checks.add(() -> assertArrayEquals(gguf.encode(text, true, false), folder.encode(text, true, false), text));
                checks.add(() -> assertArrayEquals(gguf.encode(text, true, false), files.encode(text, true, false), text));
                checks.add(() -> assertEquals(text, folder.decode(folder.encode(text, false, false), false)));
            }
            assertAll(checks);
        } finally {
            for (String name : List.of("vocab.json", "merges.txt")) Files.delete(older.resolve(name));
            Files.delete(older);
        }
    }

    /// Each text has the separator behind it.
    static List<String> texts(String gguf) throws IOException {
        String[] texts = Files.readString(Shared.path(gguf + ".inp")).split("\n__ggml_vocab_test__\n", -1);
        return Arrays.asList(texts).subList(0, texts.length - 1);
    }

    static Tokenizer open(String gguf) throws IOException {
        return Tokenizer.ofGguf(gguf, GgufMetadata.read(Shared.path(gguf)));
    }

    private static List<JsonObject> cases(String golden) throws IOException {
        JsonObject root = JsonParser.parseString(Files.readString(Shared.path(golden))).getAsJsonObject();
        return StreamSupport.stream(root.getAsJsonObject("tokenizer").getAsJsonArray("cases").spliterator(), false)
                .map(JsonElement::getAsJsonObject).toList();
    }

    static int[] ids(JsonObject from, String key) {
        return StreamSupport.stream(from.getAsJsonArray(key).spliterator(), false).mapToInt(JsonElement::getAsInt).toArray();
    }
}
