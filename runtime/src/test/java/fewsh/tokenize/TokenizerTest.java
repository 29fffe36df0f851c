package fewsh.tokenize;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

class TokenizerTest {
    static final List<String> NAMES = Fixtures.NAMES;
    static final List<String> GGUF = Fixtures.GGUF;

    @ParameterizedTest
    @FieldSource("NAMES")
    void folderAgreesWithTheReference(String name) {
        try (Tokenizer tokenizer = Tokenizer.open(Fixtures.folder(name))) {
            List<Executable> checks = new ArrayList<>();
            for (JsonObject each : Fixtures.golden(name)) {
                String text = each.get("text").getAsString();
                int[] ids = Fixtures.ids(each, "ids");
                checks.add(() -> assertArrayEquals(ids, tokenizer.encode(text, true, true), text));
                checks.add(() -> assertArrayEquals(Fixtures.ids(each, "ids_without_special"),
                        tokenizer.encode(text, false, true), text));
                checks.add(() -> assertEquals(each.get("decoded").getAsString(), tokenizer.decode(ids, false)));
                checks.add(() -> assertEquals(each.get("decoded_skip").getAsString(), tokenizer.decode(ids, true)));
            }
            assertAll(checks);
        }
    }

    @ParameterizedTest
    @FieldSource("NAMES")
    void textThatSpellsASpecialTokenStaysText(String name) {
        try (Tokenizer tokenizer = Tokenizer.open(Fixtures.folder(name))) {
            List<Executable> checks = new ArrayList<>();
            for (JsonObject each : Fixtures.golden(name)) {
                String text = each.get("text").getAsString();
                int[] ids = tokenizer.encode(text, false, false);
                int[] reference = Fixtures.ids(each, "ids_plain");
                checks.add(() -> assertFalse(spellsControl(tokenizer, ids), text));
                // The reference's Unigram finds "</s>" and "<unk>" among its pieces and lets a text end itself.
                if (!name.equals("unigram") || !text.matches("</s>|<unk>"))
                    checks.add(() -> assertArrayEquals(reference, ids, text));
            }
            for (int id = 0; id < tokenizer.size(); id++) {
                if (!tokenizer.isSpecial(id)) continue;
                String text = "a" + tokenizer.piece(id) + " b";
                int special = id;
                checks.add(() -> assertTrue(contains(tokenizer.encode(text, false, true), special), text));
                checks.add(() -> assertFalse(spellsControl(tokenizer, tokenizer.encode(text, false, false)), text));
                checks.add(() -> assertArrayEquals(tokenizer.encode("", true, false),
                        Arrays.stream(tokenizer.encode(text, true, false)).filter(i -> isControl(tokenizer, i)).toArray()));
            }
            assertAll(checks);
        }
    }

    @Test
    void aSpecialTokenThatNormalizationWouldSpellStaysText() {
        try (Tokenizer tokenizer = Tokenizer.open(Fixtures.folder("unigram"))) {
            assertFalse(spellsControl(tokenizer, tokenizer.encode("＜/s＞", false, false)));
        }
    }

    @ParameterizedTest
    @FieldSource("GGUF")
    void ggufKeyValuesDescribeTheSameTokenizer(String name) {
        try (Tokenizer folder = Tokenizer.open(Fixtures.folder(name));
                Tokenizer gguf = Tokenizer.ofGguf("tiny.gguf", Fixtures.gguf(name))) {
            List<Executable> checks = new ArrayList<>();
            for (JsonObject each : Fixtures.golden(name)) {
                String text = each.get("text").getAsString();
                for (boolean special : new boolean[] {false, true}) {
                    int[] ids = folder.encode(text, true, special);
                    checks.add(() -> assertArrayEquals(ids, gguf.encode(text, true, special), text));
                    checks.add(() -> assertEquals(folder.decode(ids, special), gguf.decode(ids, special)));
                }
            }
            for (int id = 0; id < folder.size(); id++) {
                int same = id;
                checks.add(() -> assertEquals(folder.piece(same), gguf.piece(same)));
                checks.add(() -> assertArrayEquals(folder.bytes(same), gguf.bytes(same)));
                checks.add(() -> assertEquals(folder.isSpecial(same), gguf.isSpecial(same)));
            }
            checks.add(() -> assertEquals(folder.size(), gguf.size()));
            assertAll(checks);
        }
    }

    @Test
    void bytesAreThoseThatATokenStandsFor() {
        try (Tokenizer tokenizer = Tokenizer.open(Fixtures.folder("byte_level"))) {
            String text = "é 🐱\n\u0000";
            var out = new java.io.ByteArrayOutputStream();
            for (int id : tokenizer.encode(text, false, false)) out.writeBytes(tokenizer.bytes(id));
            assertEquals(text, out.toString(StandardCharsets.UTF_8));
            assertEquals("<|end|>", text(tokenizer.bytes(tokenizer.eos().getAsInt())));
            assertEquals("    ", text(tokenizer.bytes(tokenizer.id("    ").getAsInt())));
        }
        try (Tokenizer tokenizer = Tokenizer.open(Fixtures.folder("sentence_piece"))) {
            assertArrayEquals(new byte[] {(byte) 0xe2}, tokenizer.bytes(tokenizer.id("<0xE2>").getAsInt()));
            assertEquals(" a", text(tokenizer.bytes(tokenizer.id("▁a").getAsInt())));
        }
    }

    @Test
    void namesOfTokensComeFromTheFilesBeside(@TempDir Path folder) throws Exception {
        try (Tokenizer tokenizer = Tokenizer.open(Fixtures.folder("byte_level"))) {
            assertEquals(tokenizer.id("<|begin|>"), tokenizer.bos());
            assertEquals(tokenizer.id("<|end|>"), tokenizer.eos());
            assertEquals(OptionalInt.empty(), tokenizer.pad());
            assertEquals(OptionalInt.empty(), tokenizer.unk());
            assertTrue(tokenizer.addsBos());
            assertEquals(Set.of(tokenizer.eos().getAsInt()), tokenizer.endOfGeneration());
        }
        Files.copy(Fixtures.folder("byte_level").resolve("tokenizer.json"), folder.resolve("tokenizer.json"));
        Files.writeString(folder.resolve("special_tokens_map.json"), "{\"bos_token\": {\"content\": \"<|begin|>\"}}");
        Files.writeString(folder.resolve("generation_config.json"), "{\"eos_token_id\": [331, 70000], \"pad_token_id\": 331}");
        Files.writeString(folder.resolve("config.json"), "{\"eos_token_id\": 12, \"bos_token_id\": 3}");
        try (Tokenizer tokenizer = Tokenizer.open(folder)) {
            assertEquals(tokenizer.id("<|begin|>"), tokenizer.bos());
            assertEquals(OptionalInt.of(331), tokenizer.eos());
            assertEquals(OptionalInt.of(331), tokenizer.pad());
            assertEquals(Set.of(331, 12), tokenizer.endOfGeneration());
        }
    }

    @Test
    void ggufFindsTheTokensThatEndAnAnswer() {
        Map<String, Object> gguf = Fixtures.gguf("byte_level");
        gguf.put("tokenizer.ggml.padding_token_id", 4294967295L);
        gguf.put("tokenizer.ggml.eot_token_id", 7L);
        try (Tokenizer tokenizer = Tokenizer.ofGguf("tiny.gguf", gguf)) {
            assertEquals(OptionalInt.empty(), tokenizer.pad());
            assertEquals(Set.of(tokenizer.id("<|end|>").getAsInt(), 7), tokenizer.endOfGeneration());
        }
        gguf.remove("tokenizer.ggml.eos_token_id");
        try (Tokenizer tokenizer = Tokenizer.ofGguf("tiny.gguf", gguf)) {
            assertEquals(OptionalInt.of(11), tokenizer.eos(), "llama.cpp's default");
        }
    }

    @Test
    void halfASurrogatePairBecomesTheReplacementCharacter() {
        try (Tokenizer tokenizer = Tokenizer.open(Fixtures.folder("byte_level"))) {
            assertArrayEquals(tokenizer.encode("a\uFFFD🐱\uFFFDé", false, false),
                    tokenizer.encode("a\ud83d🐱\udc31é", false, false));
        }
    }

    @Test
    void nothingIsTruncatedOrPadded(@TempDir Path folder) throws Exception {
        JsonObject json = Fixtures.json("byte_level");
        json.add("truncation", com.google.gson.JsonParser.parseString(
                "{\"direction\":\"Right\",\"max_length\":4,\"strategy\":\"LongestFirst\",\"stride\":0}"));
        json.add("padding", com.google.gson.JsonParser.parseString("{\"strategy\":{\"Fixed\":9},\"direction\":\"Right\","
                + "\"pad_to_multiple_of\":null,\"pad_id\":0,\"pad_type_id\":0,\"pad_token\":\"!\"}"));
        Files.writeString(folder.resolve("tokenizer.json"), json.toString());
        try (Tokenizer tokenizer = Tokenizer.open(folder)) {
            String longText = "word ".repeat(5000);
            assertEquals(longText, tokenizer.decode(tokenizer.encode(longText, false, false), false));
            assertEquals(2, tokenizer.encode("a", true, false).length);
        }
    }

    @Test
    void threadsShareATokenizer() throws Exception {
        try (Tokenizer tokenizer = Tokenizer.open(Fixtures.folder("byte_level"));
                var pool = Executors.newFixedThreadPool(4)) {
            List<Callable<String>> tasks = new ArrayList<>();
            for (int i = 0; i < 200; i++) {
                String text = "thread " + i + " says <|end|> 🐱";
                tasks.add(() -> tokenizer.decode(tokenizer.encode(text, false, false), false));
            }
            int i = 0;
            for (var done : pool.invokeAll(tasks)) assertEquals("thread " + i++ + " says <|end|> 🐱", done.get());
        }
    }

    @Test
    void aClosedTokenizerSaysSo() {
        Tokenizer tokenizer = Tokenizer.open(Fixtures.folder("byte_level"));
        tokenizer.close();
        tokenizer.close();
        assertThrows(IllegalStateException.class, () -> tokenizer.encode("a", false, false));
        assertThrows(IllegalStateException.class, () -> tokenizer.encode("<|end|>", false, false));
        assertThrows(IllegalStateException.class, () -> tokenizer.decode(new int[] {1}, false));
    }

    private static boolean isControl(Tokenizer tokenizer, int id) {
        return tokenizer.isSpecial(id) && id != tokenizer.unk().orElse(-1);
    }

    private static boolean spellsControl(Tokenizer tokenizer, int[] ids) {
        return Arrays.stream(ids).anyMatch(id -> isControl(tokenizer, id));
    }

    private static boolean contains(int[] ids, int id) {
        return Arrays.stream(ids).anyMatch(each -> each == id);
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
