package fewsh.tokenize;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
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
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.FieldSource;

/// Descriptions from strangers: each is refused by a `UserError` or works; none ends the virtual machine.
///
/// `-Dfuzz.runs` sets how many mutations of each fixture are tried, `-Dfuzz.seed` which.
class DamagedTokenizerTest {
    static final List<String> NAMES = Fixtures.NAMES;
    static final List<String> GGUF = Fixtures.GGUF;
    private static final int RUNS = Integer.getInteger("fuzz.runs", 150);
    private static final long SEED = Long.getLong("fuzz.seed", 1);
    private static final List<String> TEXTS =
            List.of("", "Hello <|end|> wörld 12  3\n", "[CLS] 🐱 </s>e\u0301", "\u0000\uFFFD▁ x", "a".repeat(99));
    private static final String[] WORDS = {"", " ", "a", "e", "▁", "##", "</w>", "l+", "[a-z]", ".", "é", "🐱", "^", "o|l"};
    private static final String[] BEHAVIORS = {"Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"};
    private static final Map<String, String> COMPONENTS = Map.of("normalizer", """
            {'type':'BertNormalizer','clean_text':FLAG,'handle_chinese_chars':FLAG,'strip_accents':FLAG,'lowercase':FLAG}
            {'type':'Strip','strip_left':FLAG,'strip_right':FLAG}
            {'type':'StripAccents'}
            {'type':'NFC'}
            {'type':'NFKD'}
            {'type':'Lowercase'}
            {'type':'Nmt'}
            {'type':'ByteLevel'}
            {'type':'Prepend','prepend':TEXT}
            {'type':'Replace','pattern':PATTERN,'content':TEXT}""", "pre_tokenizer", """
            {'type':'BertPreTokenizer'}
            {'type':'ByteLevel','add_prefix_space':FLAG,'trim_offsets':FLAG,'use_regex':FLAG}
            {'type':'CharDelimiterSplit','delimiter':TEXT}
            {'type':'Metaspace','replacement':TEXT,'prepend_scheme':'first','split':FLAG}
            {'type':'Metaspace','replacement':'▁','prepend_scheme':'always','split':FLAG}
            {'type':'Whitespace'}
            {'type':'WhitespaceSplit'}
            {'type':'Split','pattern':PATTERN,'behavior':BEHAVIOR,'invert':FLAG}
            {'type':'Punctuation','behavior':BEHAVIOR}
            {'type':'Digits','individual_digits':FLAG}
            {'type':'FixedLength','length':NUMBER}
            {'type':'UnicodeScripts'}""", "post_processor", """
            {'type':'BertProcessing','sep':[TEXT,NUMBER],'cls':[TEXT,NUMBER]}
            {'type':'RobertaProcessing','sep':[TEXT,NUMBER],'cls':[TEXT,NUMBER],'trim_offsets':FLAG,'add_prefix_space':FLAG}
            {'type':'ByteLevel','add_prefix_space':FLAG,'trim_offsets':FLAG,'use_regex':FLAG}
            {'type':'TemplateProcessing','single':[{'Sequence':{'id':'A','type_id':NUMBER}},\
            {'SpecialToken':{'id':TEXT,'type_id':0}}],'pair':[],'special_tokens':{'a':{'id':'a','ids':[1,2],'tokens':['x','y']}}}
            {'type':'TemplateProcessing','single':[{'Sequence':{'id':'B','type_id':NUMBER}}],'pair':[],'special_tokens':{}}
            {'type':'TemplateProcessing','single':[],'pair':[],'special_tokens':{}}""", "decoder", """
            {'type':'BPEDecoder','suffix':TEXT}
            {'type':'ByteLevel','add_prefix_space':FLAG,'trim_offsets':FLAG,'use_regex':FLAG}
            {'type':'WordPiece','prefix':TEXT,'cleanup':FLAG}
            {'type':'Metaspace','replacement':TEXT,'prepend_scheme':'first','split':FLAG}
            {'type':'CTC','pad_token':TEXT,'word_delimiter_token':TEXT,'cleanup':FLAG}
            {'type':'Replace','pattern':PATTERN,'content':TEXT}
            {'type':'Fuse'}
            {'type':'ByteFallback'}
            {'type':'Strip','content':TEXT,'start':NUMBER,'stop':NUMBER}""");
    private static final String JSON = "0123456789\"[]{},:-e.ntfu\\ ";
    private static final List<Object> VALUES = List.of("", " ", "a", "▁", "##", "[UNK]", "((", "\\p{L}+", "(a*)*b",
            "(a|aa)+b", "<0x41>", "BPE", "Regex", "WordPiece", "Unigram", "WordLevel", "ByteLevel", "Metaspace", "Precompiled",
            "Strip", "CTC", "Fuse", "🐱", "é", "x".repeat(3000), 0L, 1L, -1L, 2L, 255L, 65536L, 1L << 31, (1L << 32) - 1,
            1L << 32, Long.MAX_VALUE, 0.5, 1e308, -1e9, true, false);

    @ParameterizedTest
    @CsvSource(delimiter = ';', quoteCharacter = '`', value = {
        "byte_level; `\"vocab\":{`; `\"vocab\":{\"!\":7,`; token \"!\" is there twice",
        "byte_level; `\"!\":0,`; `\"!\":1,`; tokens \"!\" and \"\"\" both have id 1",
        "byte_level; `\"!\":0,`; `\"!\":4294967295,`; token \"!\" has id 4294967295",
        "byte_level; `\"!\":0,`; `\"!\":-1,`; token \"!\" has id -1",
        "byte_level; `\"!\":0,`; `\"!\":\"x\",`; \"x\" at path $.model.vocab.!",
        "byte_level; `[\"Ġ\",\"a\"]`; `[\"Ġ\",\"nowhere\"]`; Token `nowhere` out of vocabulary",
        "byte_level; `{\"id\":330,`; `{\"id\":3300000000,`; has id 3300000000",
        "byte_level; `\"ids\":[330]`; `\"ids\":[999]`; post_processor.special_tokens.<|begin|>.ids is 999",
        "unigram; `\" {2,}\"`; `\"((\"`; Oniguruma error",
        "unigram; `\" {2,}\"`; `\"(a|aa)+b\"`; normalizer.normalizers[1].pattern repeats a choice",
        "unigram; `\"unk_id\":2`; `\"unk_id\":20000`; UnkIdNotInVocabulary",
        "unigram; `{\"type\":\"NFKC\"}`; `{\"precompiled_charsmap\":\"AAAA\"}`; precompiled_charsmap gives",
        "unigram; `\" {2,}\"`; `\"^\"`; normalizer.normalizers[1].pattern matches the empty text",
        "byte_level; `\"normalizer\":null`; `\"normalizer\":{\"type\":\"Prepend\",\"prepend\":\"\"}`; prepend is empty",
        "sentence_piece; `\"stop\":0`; `\"stop\":1`; decoder.decoders[3].stop is 1",
        "word_piece; `\"type\":\"WordPiece\",\"unk_token\"`; `\"type\":\"WordSalad\",\"unk_token\"`; did not match any variant",
    })
    void aFileIsRefusedWithItsPlace(String name, String from, String to, String says, @TempDir Path folder) throws Exception {
        String whole = Fixtures.text(Fixtures.folder(name).resolve("tokenizer.json"));
        assertTrue(whole.contains(from), from);
        Files.writeString(folder.resolve("tokenizer.json"), whole.replace(from, to));
        UserError error = assertThrows(UserError.class, () -> Tokenizer.open(folder).close());
        assertEquals(folder.resolve("tokenizer.json").toString(), error.where());
        assertTrue(error.what().contains(says), error.what());
    }

    @Test
    void anAddedTokenThatNormalizesToNothingIsRefused(@TempDir Path folder) throws Exception {
        Files.writeString(folder.resolve("tokenizer.json"), Fixtures.text(Fixtures.folder("byte_level").resolve("tokenizer.json"))
                .replace("\"normalized\":false", "\"normalized\":true")
                .replace("\"normalizer\":null", "\"normalizer\":{\"type\":\"Strip\",\"strip_left\":true,\"strip_right\":true}"));
        UserError error = assertThrows(UserError.class, () -> Tokenizer.open(folder).close());
        assertTrue(error.what().contains("added token \"    \" normalizes to nothing"), error.what());
    }

    @Test
    void aTruncatedFileAndAnEmptyFolderAreNamed(@TempDir Path folder) throws Exception {
        assertTrue(assertThrows(UserError.class, () -> Tokenizer.open(folder)).what().contains("no tokenizer.json"));
        assertTrue(assertThrows(UserError.class, () -> Tokenizer.open(folder.resolve("no"))).what().contains("no such folder"));
        Files.writeString(folder.resolve("tokenizer.json"), "{\"model\": {\"vocab\": {\"a\": 0, \"b");
        UserError error = assertThrows(UserError.class, () -> Tokenizer.open(folder));
        assertTrue(error.getMessage().contains("tokenizer.json: is no JSON of a tokenizer"), error.getMessage());
        Files.write(folder.resolve("tokenizer.json"), new byte[] {'{', (byte) 0xff, '}'});
        assertTrue(assertThrows(UserError.class, () -> Tokenizer.open(folder)).what().contains("no UTF-8"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {
        "byte_level; tokens; 7; tokenizer.ggml.tokens is no list", "byte_level; model; mamba; \"mamba\" is not supported",
        "byte_level; pre; gpt-9; \"gpt-9\" is not supported", "byte_level; merges; ; tokenizer.ggml.merges is missing",
        "byte_level; tokens; ; tokenizer.ggml.tokens is missing", "byte_level; model; ; tokenizer.ggml.model is missing",
        "byte_level; add_bos_token; 1; tokenizer.ggml.add_bos_token is neither true nor false",
        "byte_level; merges[3]; t nowhere; tokenizer.ggml.merges[3] \"t nowhere\" needs \"nowhere\"",
        "byte_level; merges[3]; t; merges[3] \"t\" is not two tokens", "byte_level; tokens[5]; !; tokens[5] \"!\" is token 0 too",
        "byte_level; tokens[5]; 1; tokenizer.ggml.tokens[5] is no String",
        "sentence_piece; scores; ; tokenizer.ggml.scores is missing", "word_piece; token_type; 1; token_type is no list",
    })
    void keyValuesAreRefusedWithTheirPlace(String name, String key, String value, String says) {
        Map<String, Object> gguf = Fixtures.gguf(name);
        Object put = value != null && value.matches("[0-9]+") ? Long.valueOf(value) : value;
        if (key.endsWith("]")) {
            String list = "tokenizer.ggml." + key.substring(0, key.indexOf('['));
            List<Object> changed = new ArrayList<>((List<?>) gguf.get(list));
            changed.set(Integer.parseInt(key.substring(key.indexOf('[') + 1, key.length() - 1)), put);
            gguf.put(list, changed);
        } else if (put == null) {
            gguf.remove("tokenizer.ggml." + key);
        } else {
            gguf.put("tokenizer.ggml." + key, put);
        }
        UserError error = assertThrows(UserError.class, () -> Tokenizer.ofGguf("tiny.gguf", gguf).close());
        assertEquals("tiny.gguf", error.where());
        assertTrue(error.what().contains(says), error.what());
    }

    @ParameterizedTest
    @FieldSource("NAMES")
    void changedBytesOfAFile(String name, @TempDir Path folder) throws Exception {
        byte[] whole = Files.readAllBytes(Fixtures.folder(name).resolve("tokenizer.json"));
        for (int run = 0; run < RUNS; run++) {
            Random random = new Random(SEED * 1_000_003 + run);
            byte[] bytes = random.nextInt(6) == 0 ? java.util.Arrays.copyOf(whole, random.nextInt(whole.length)) : whole.clone();
            for (int i = random.nextInt(4); i >= 0 && bytes.length > 0; i--)
                bytes[random.nextInt(random.nextBoolean() ? bytes.length : Math.min(bytes.length, 1500))] =
                        (byte) (random.nextBoolean() ? JSON.charAt(random.nextInt(JSON.length())) : random.nextInt(256));
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

    @ParameterizedTest
    @FieldSource("NAMES")
    void anyComponentsTogether(String name, @TempDir Path folder) throws Exception {
        String whole = Fixtures.json(name).toString();
        for (int run = 0; run < RUNS; run++) {
            Random random = new Random(SEED * 4_000_037 + run);
            JsonObject json = JsonParser.parseString(whole).getAsJsonObject();
            for (String part : COMPONENTS.keySet()) if (random.nextInt(3) > 0) json.add(part, component(part, random));
            for (JsonElement each : json.getAsJsonArray("added_tokens"))
                for (String flag : List.of("single_word", "lstrip", "rstrip", "normalized", "special"))
                    if (random.nextInt(3) == 0) each.getAsJsonObject().addProperty(flag, random.nextBoolean());
            if (random.nextInt(3) == 0) mutate(json.get("added_tokens"), random, 1);
            Files.writeString(folder.resolve("tokenizer.json"), json.toString());
            survives(name + " run " + run, () -> Tokenizer.open(folder), random, folder.toString());
        }
    }

    private static JsonElement component(String part, Random random) {
        if (random.nextInt(3) == 0) {
            JsonObject sequence = new JsonObject();
            sequence.addProperty("type", "Sequence");
            JsonArray list = new JsonArray();
            for (int i = random.nextInt(4); i > 0; i--) list.add(component(part, random));
            sequence.add(Map.of("normalizer", "normalizers", "pre_tokenizer", "pretokenizers", "post_processor", "processors",
                    "decoder", "decoders").get(part), list);
            return sequence;
        }
        String json = any(COMPONENTS.get(part).split("\n"), random).strip();
        while (json.contains("TEXT")) json = json.replaceFirst("TEXT", "\"" + any(WORDS, random) + "\"");
        while (json.contains("FLAG")) json = json.replaceFirst("FLAG", "" + random.nextBoolean());
        while (json.contains("NUMBER")) json = json.replaceFirst("NUMBER", "" + random.nextInt(3));
        while (json.contains("PATTERN"))
            json = json.replaceFirst("PATTERN",
                    "{'" + (random.nextBoolean() ? "String" : "Regex") + "':'" + any(WORDS, random) + "'}");
        while (json.contains("BEHAVIOR")) json = json.replaceFirst("BEHAVIOR", "\"" + any(BEHAVIORS, random) + "\"");
        return JsonParser.parseString(json.replace('\'', '"'));
    }

    private static String any(String[] choices, Random random) {
        return choices[random.nextInt(choices.length)];
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
            boolean inner = depth > 0 && (child.isJsonObject() || child.isJsonArray()) && random.nextInt(8) > 0;
            if (inner) mutate(child, random, depth - 1);
            else if (random.nextInt(5) == 0) object.remove(key);
            else if (random.nextInt(5) == 0) object.add("" + VALUES.get(random.nextInt(VALUES.size())), object.remove(key));
            else object.add(key, value(random, child));
        } else if (json instanceof JsonArray array && !array.isEmpty()) {
            int i = random.nextInt(array.size());
            JsonElement child = array.get(i);
            boolean inner = depth > 0 && (child.isJsonObject() || child.isJsonArray()) && random.nextInt(8) > 0;
            if (inner) mutate(child, random, depth - 1);
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
