package fewsh.tokenize;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import fewsh.UserError;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/// Descriptions from strangers: each is refused by a `UserError` or works; none ends the virtual machine.
///
/// `-Dfuzz.runs` sets how many mutations of each fixture are tried, `-Dfuzz.seed` which.
class DamagedTokenizerTest {
    static final List<String> NAMES = Fixtures.NAMES;
    static final List<String> GGUF = Fixtures.GGUF;
    private static final int RUNS = Integer.getInteger("fuzz.runs", 400);
    private static final long SEED = Long.getLong("fuzz.seed", 1);
    private static final List<String> TEXTS = List.of("", "Hello <|end|> wörld 12  3\n", "[CLS] 🐱 </s>e\u0301", "\u0000\uFFFD▁ x");
    private static final List<Object> VALUES = List.of("", " ", "a", "▁", "##", "[UNK]", "((", "\\p{L}+", "(a*)*b", "<0x41>", "BPE", "Regex",
            "WordPiece", "Unigram", "WordLevel", "ByteLevel", "Metaspace", "Precompiled", "Strip", "CTC", "Fuse", "🐱", "é",
            "x".repeat(3000), 0L, 1L, -1L, 2L, 255L, 65536L, 1L << 31, (1L << 32) - 1, 1L << 32, Long.MAX_VALUE, 0.5, 1e308, -1e9, true,
            false);

    @ParameterizedTest
    @FieldSource("NAMES")
    void changedBytesOfAFile(String name, @TempDir Path folder) throws Exception {
        byte[] whole = Files.readAllBytes(Fixtures.folder(name).resolve("tokenizer.json"));
        for (int run = 0; run < RUNS; run++) {
            Random random = new Random(SEED * 1_000_003 + run);
            byte[] bytes = random.nextInt(6) == 0 ? java.util.Arrays.copyOf(whole, random.nextInt(whole.length)) : whole.clone();
            for (int i = random.nextInt(4); i >= 0 && bytes.length > 0; i--)
                bytes[random.nextInt(random.nextBoolean() ? bytes.length : Math.min(bytes.length, 1500))] =
                        (byte) (random.nextBoolean() ? "0123456789\"[]{},:-e.ntfu\\ ".charAt(random.nextInt(25)) : random.nextInt(256));
            Files.write(folder.resolve("tokenizer.json"), bytes);
            survives(name + " run " + run, () -> Tokenizer.open(folder), random, folder.toString());
        }
    }

    @ParameterizedTest
    @FieldSource("NAMES")
    void changedValuesOfAFile(String name, @TempDir Path folder) throws Exception {
        String whole = Fixtures.json(name).toString();
        for (int run = 0; run < RUNS; run++) {
            Random random = new Random(SEED * 2_000_003 + run);
            JsonElement json = JsonParser.parseString(whole);
            for (int i = random.nextInt(3); i >= 0; i--) mutate(json, random, 6);
            Files.writeString(folder.resolve("tokenizer.json"), json.toString());
            survives(name + " run " + run, () -> Tokenizer.open(folder), random, folder.toString());
        }
    }

    @ParameterizedTest
    @FieldSource("GGUF")
    void changedKeyValues(String name) {
        for (int run = 0; run < RUNS; run++) {
            Random random = new Random(SEED * 3_000_017 + run);
            Map<String, Object> gguf = new HashMap<>(Fixtures.gguf(name));
            for (int i = random.nextInt(3); i >= 0; i--) mutate(gguf, random);
            survives(name + " run " + run, () -> Tokenizer.ofGguf("tiny.gguf", gguf), random, "tiny.gguf");
        }
    }

    private static void survives(String what, Supplier<Tokenizer> open, Random random, String place) {
        try (Tokenizer tokenizer = open.get()) {
            for (String text : TEXTS) {
                int[] ids = tokenizer.encode(text, random.nextBoolean(), random.nextBoolean());
                tokenizer.decode(ids, random.nextBoolean());
                int[] any = random.ints(8, -1, tokenizer.size() + 3).toArray();
                String whole = tokenizer.decode(any, false);
                TextStream stream = tokenizer.stream(false);
                for (int id : any) {
                    stream.next(id);
                    if (tokenizer.has(id)) tokenizer.bytes(id);
                }
                stream.finish();
                assertTrue(whole.length() < 1 << 20);
            }
        } catch (UserError e) {
            assertTrue(e.where().startsWith(place), what + ": " + e.getMessage());
        } catch (RuntimeException | Error e) {
            fail(what + ", -Dfuzz.seed=" + SEED, e);
        }
    }

    private static void mutate(JsonElement json, Random random, int depth) {
        if (json instanceof JsonObject object && !object.isEmpty()) {
            List<String> keys = List.copyOf(object.keySet());
            String key = keys.get(random.nextInt(keys.size()));
            JsonElement child = object.get(key);
            if (depth > 0 && (child.isJsonObject() || child.isJsonArray()) && random.nextInt(8) > 0) mutate(child, random, depth - 1);
            else if (random.nextInt(5) == 0) object.remove(key);
            else if (random.nextInt(5) == 0) object.add("" + VALUES.get(random.nextInt(VALUES.size())), object.remove(key));
            else object.add(key, value(random, child));
        } else if (json instanceof JsonArray array && !array.isEmpty()) {
            int i = random.nextInt(array.size());
            JsonElement child = array.get(i);
            if (depth > 0 && (child.isJsonObject() || child.isJsonArray()) && random.nextInt(8) > 0) mutate(child, random, depth - 1);
            else if (random.nextInt(5) == 0) array.remove(i);
            else if (random.nextInt(5) == 0) array.add(child.deepCopy());
            else array.set(i, value(random, child));
        }
    }

    private static JsonElement value(Random random, JsonElement old) {
        return switch (random.nextInt(12)) {
            case 0 -> JsonNull.INSTANCE;
            case 1 -> new JsonObject();
            case 2 -> new JsonArray();
            case 3 -> {
                JsonArray around = new JsonArray();
                around.add(old.deepCopy());
                yield around;
            }
            default -> switch (VALUES.get(random.nextInt(VALUES.size()))) {
                case String text -> new JsonPrimitive(text);
                case Number number -> new JsonPrimitive(number);
                case Boolean flag -> new JsonPrimitive(flag);
                default -> throw new AssertionError();
            };
        };
    }

    private static void mutate(Map<String, Object> gguf, Random random) {
        List<String> keys = gguf.keySet().stream().sorted().toList();
        String key = keys.get(random.nextInt(keys.size()));
        Object any = VALUES.get(random.nextInt(VALUES.size()));
        if (gguf.get(key) instanceof List<?> list && !list.isEmpty() && random.nextInt(6) > 0) {
            List<Object> changed = new ArrayList<>(list);
            for (int i = random.nextInt(3); i >= 0 && !changed.isEmpty(); i--)
                switch (random.nextInt(5)) {
                    case 0 -> changed.remove(random.nextInt(changed.size()));
                    case 1 -> changed.add(changed.get(random.nextInt(changed.size())));
                    case 2 -> changed.set(random.nextInt(changed.size()), changed.get(random.nextInt(changed.size())));
                    default -> changed.set(random.nextInt(changed.size()),
                            random.nextInt(3) > 0 && any.getClass() != changed.getFirst().getClass() ? changed.getFirst() : any);
                }
            gguf.put(key, changed);
        } else if (random.nextBoolean()) {
            gguf.remove(key);
        } else {
            gguf.put(random.nextInt(4) == 0 ? "tokenizer.ggml.add_eos_token" : key, any);
        }
    }
}
