package fewsh.generate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.Strictness;
import com.google.gson.ToNumberPolicy;
import dev.harrel.jsonschema.FormatEvaluatorFactory;
import dev.harrel.jsonschema.Validator;
import dev.harrel.jsonschema.ValidatorFactory;
import dev.harrel.jsonschema.providers.GsonNode;
import fewsh.UserError;
import fewsh.load.LoadOptions;
import fewsh.models.Precision;
import fewsh.models.TinyModels;
import fewsh.prompt.Format;
import java.io.IOException;
import java.math.BigDecimal;
import java.net.Inet4Address;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Answers held to a format, by models whose own words would be noise: whatever is right in them is the constraint's doing.
class FormatTest {
    private static final Gson GSON = new GsonBuilder().setStrictness(Strictness.STRICT)
            .setObjectToNumberStrategy(ToNumberPolicy.LONG_OR_DOUBLE).create();

    @TempDir
    static Path folder;

    private static CausalLm noise;
    private static CausalLm alphabet;

    @BeforeAll
    static void make() throws IOException {
        LoadOptions fp32 = LoadOptions.in(folder.resolve("home")).withPrecision(Precision.FP32).withThreads(2);
        noise = CausalLm.open(TinyModels.llama(folder.resolve("llama"), 1), fp32);
        alphabet = CausalLm.open(TinyModels.alphabet(folder.resolve("alphabet")), fp32);
    }

    @AfterAll
    static void close() {
        noise.close();
        alphabet.close();
    }

    record Answer(String text, int tokens, FinishReason reason) {}

    static List<Answer> answers(CausalLm lm, String prompt, SamplingConfig config, int n) {
        StringBuilder[] texts = new StringBuilder[n];
        int[] tokens = new int[n];
        FinishReason[] reasons = new FinishReason[n];
        for (int i = 0; i < n; i++) texts[i] = new StringBuilder();
        try (KvCache cache = lm.cache(); Decoding d = lm.decode(cache, lm.encode(prompt), config, n)) {
            while (d.hasNext())
                switch (d.next()) {
                    case Step.Token(int sample, _, String text, _, _) -> {
                        texts[sample].append(text);
                        tokens[sample]++;
                    }
                    case Step.Stop(int sample, FinishReason reason, String text) -> {
                        texts[sample].append(text);
                        reasons[sample] = reason;
                    }
                }
        }
        List<Answer> answers = new ArrayList<>();
        for (int i = 0; i < n; i++) answers.add(new Answer(texts[i].toString(), tokens[i], reasons[i]));
        return answers;
    }

    private static Answer answer(CausalLm lm, String prompt, Format format, SamplingConfig config) {
        return answers(lm, prompt, config.with(c -> c.format = format), 1).getFirst();
    }

    private static SamplingConfig hot(long seed, int maxTokens) {
        return SamplingConfig.GREEDY.withTemperature(2).withSeed(seed).withMaxTokens(maxTokens);
    }

    private static Format json(String schema) {
        return new Format.Json(map(GSON.fromJson(schema, Object.class)));
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> map(Object value) {
        return (Map<String, Object>) value;
    }

    private static void assertValid(String schema, String answer) {
        JsonElement parsed = GSON.fromJson(answer, JsonElement.class);
        assertTrue(parsed != null, answer);
        Validator validator = new ValidatorFactory().withJsonNodeFactory(new GsonNode.Factory())
                .withEvaluatorFactory(new FormatEvaluatorFactory()).createValidator();
        URI uri = validator.registerSchema(schema);
        Validator.Result result = validator.validate(uri, answer);
        assertTrue(result.isValid(), () -> answer + "\nis not valid by " + schema + "\n"
                + result.getErrors().stream().map(e -> e.getInstanceLocation() + " " + e.getError()).toList());
    }

    // options

    @Test
    void anAnswerIsOneOfTheOptions() {
        Format format = new Format.Options(List.of("positive", "negative", "no", "none", "né 🐱"));
        List<String> seen = new ArrayList<>();
        for (Answer a : answers(noise, "a", hot(1, 40).with(c -> c.format = format), 40)) {
            assertEquals(FinishReason.STOP, a.reason());
            seen.add(a.text());
        }
        assertTrue(List.of("positive", "negative", "no", "none", "né 🐱").containsAll(seen), seen.toString());
        assertTrue(seen.stream().distinct().count() >= 4, seen.toString());
    }

    @Test
    void theLikelierOptionWinsWhenGreedy() {
        // after "w" the model says x, y, z
        assertEquals(new Answer("xyz", 3, FinishReason.STOP),
                answer(alphabet, "w", new Format.Options(List.of("abc", "xyz", "xq")), SamplingConfig.GREEDY));
    }

    @Test
    void theTextEndsByItselfWhereNothingElseMayFollow() {
        assertEquals(new Answer("bcd", 3, FinishReason.STOP),
                answer(alphabet, "a", new Format.Options(List.of("bcd")), SamplingConfig.GREEDY));
        // after "d" the model wants "e": with a choice it goes on, and the end is a token of its own
        assertEquals(new Answer("bcde", 4, FinishReason.STOP),
                answer(alphabet, "a", new Format.Options(List.of("bcd", "bcde")), SamplingConfig.GREEDY));
        assertEquals(new Answer("xyz", 4, FinishReason.STOP),
                answer(alphabet, "w", new Format.Options(List.of("xyz", "xyz?")), SamplingConfig.GREEDY));
    }

    @Test
    void anEmptyOptionIsAnAnswer() {
        assertEquals(new Answer("", 1, FinishReason.STOP),
                answer(alphabet, "z", new Format.Options(List.of("", "q")), SamplingConfig.GREEDY));
    }

    @Test
    void oneSpaceInFrontIsNotPartOfTheText() {
        boolean[] spaced = new boolean[2];
        Format format = new Format.Options(List.of("no"));
        for (Answer a : answers(noise, "a", hot(3, 3).with(c -> c.format = format), 40)) {
            assertEquals("no", a.text());
            spaced[a.tokens() - 2] = true;
        }
        assertTrue(spaced[0] && spaced[1]);
        // where a text begins with a space itself, the space is its own
        for (Answer a : answers(noise, "a", hot(3, 9).with(c -> c.format = new Format.Options(List.of(" no", "yes"))), 20))
            assertTrue(List.of(" no", "yes").contains(a.text()), a.text());
    }

    @Test
    void samplesAreHeldEachOnItsOwnAndDoNotDependOnTheirNumber() {
        SamplingConfig config = hot(9, 30).with(c -> c.format = new Format.Regex("[a-f]{2,12}(é|ü)[0-9]+"));
        List<Answer> eight = answers(noise, "x", config, 8);
        assertEquals(eight.subList(0, 3), answers(noise, "x", config, 3));
        assertEquals(eight.subList(0, 1), answers(noise, "x", config, 1));
        for (Answer a : eight) assertTrue(a.text().matches("[a-f]{2,12}(é|ü)[0-9]+"), a.text());
    }

    @Test
    void aFreeFormatChangesNothing() {
        SamplingConfig config = hot(4, 20);
        assertEquals(answers(noise, "abc", config, 2), answers(noise, "abc", config.with(c -> c.format = new Format.Free()), 2));
    }

    @Test
    void stopTextsDoNotCutAnAnswerThatIsHeldToAFormat() {
        SamplingConfig stopping = SamplingConfig.GREEDY.withStop(List.of("c"));
        assertEquals("bcd", answer(alphabet, "a", new Format.Options(List.of("bcd")), stopping).text());
    }

    @Test
    void topKAndTopPKeepToWhatIsAllowed() {
        for (int seed = 0; seed < 20; seed++) {
            int s = seed;
            SamplingConfig config = hot(seed, 12).with(c -> {
                c.topK = s % 2 == 0 ? 50 : 0;
                c.topP = s % 3 == 0 ? 0.9 : 1;
                c.minP = s % 5 == 0 ? 0.1 : 0;
                c.repetitionPenalty = 1.3;
            });
            assertTrue(answer(noise, "a", new Format.Regex("[0-9]{4}"), config).text().matches("[0-9]{4}"));
        }
    }

    // regular expressions

    @Test
    void aRegularExpressionIsMatchedAsAWhole() {
        for (String regex : List.of("\\d{4}-\\d\\d", "(yes|no)( indeed)?", "[^a-z\\s]{3,5}", "^\\w+@\\w+\\.(com|org)$",
                ".{3}", "\\p{Lu}\\p{Ll}{2,4}", "[🐱-🐶é]+x", "a|b|", "(?:ab*?)+c",
                "\\u00e9\\x41\\\\\\.", "[\\d\\-x]{5}", "x{0,3}y", "(?<year>\\d{2})"))
            for (Answer a : answers(noise, "q", hot(5, 60).with(c -> c.format = new Format.Regex(regex)), 6))
                assertTrue(Pattern.matches(regex, a.text()), regex + " answered \"" + a.text() + "\"");
    }

    /// A random pattern of what both engines understand.
    private static String pattern(Random random, int depth) {
        return switch (random.nextInt(depth > 2 ? 4 : 8)) {
            case 0 -> List.of("a", "b", "é", "🐱", "\\.", "c").get(random.nextInt(6));
            case 1 -> List.of(".", "\\d", "\\w", "\\S", "\\D").get(random.nextInt(5));
            case 2 -> List.of("[ab]", "[^a]", "[a-cé-ü]", "[^\\w]", "[\\d🐱]").get(random.nextInt(5));
            case 3 -> "b";
            case 4 -> pattern(random, depth + 1) + pattern(random, depth + 1);
            case 5 -> "(" + pattern(random, depth + 1) + "|" + pattern(random, depth + 1) + ")";
            case 6 -> "(" + pattern(random, depth + 1) + ")"
                    + List.of("*", "+", "?", "{2}", "{1,3}", "{2,}", "*?").get(random.nextInt(7));
            default -> "(" + pattern(random, depth + 1) + "|)";
        };
    }

    @Test
    void theAutomatonAcceptsWhatJavasExpressionsMatch() {
        Random random = new Random(42);
        int matched = 0;
        for (int i = 0; i < 1500; i++) {
            String regex = pattern(random, 0);
            Automaton automaton = Automaton.of(new Format.Regex(regex), bytes());
            Pattern java = Pattern.compile(regex);
            for (int j = 0; j < 40; j++) {
                StringBuilder text = new StringBuilder();
                for (int n = random.nextInt(6); n > 0; n--)
                    text.append(List.of("a", "b", "c", "é", "ü", "🐱", "0", ".", "\u0100", "-", "\uFFFD").get(random.nextInt(11)));
                boolean accepts = accepts(automaton, text.toString());
                assertEquals(java.matcher(text).matches(), accepts, regex + " on \"" + text + "\"");
                if (accepts) matched++;
            }
        }
        assertTrue(matched > 3000, "only " + matched + " matched");
    }

    private static boolean accepts(Automaton automaton, String text) {
        Automaton.State state = automaton.at(automaton.start());
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            state = state.next(b & 0xFF);
            if (state == null) return false;
        }
        return state.complete;
    }

    @Test
    void everyCodePointOfAClassIsThatOfJavas() {
        for (String regex : List.of("\\p{L}", "[^\\p{L}]", ".", "[^ -\u07ff\u1000]", "[\ud7ff-\ue000\uffff-\ud800\udc00]",
                "\\S")) {
            Automaton automaton = Automaton.of(new Format.Regex(regex), bytes());
            var java = Pattern.compile(regex).matcher("");
            for (int c = 0; c <= 0x10FFFF; c += c < 0x3000 || c > 0xD000 && c < 0x10100 ? 1 : 37) {
                if (c >= 0xD800 && c <= 0xDFFF || c == ' ') continue;
                String text = Character.toString(c);
                assertEquals(java.reset(text).matches(), accepts(automaton, text), regex + " on U+" + Integer.toHexString(c));
            }
        }
    }

    @Test
    void whatIsNoRegularLanguageIsRefused() {
        Map<String, String> reasons = Map.of("(?=a)b", "looks around", "(a)\\1", "reference back", "a++", "possessive",
                "(?i)yes", "flags", "a\\b", "\"\\b\" is not", "(a", "not closed", "[a", "not closed", "a{3", "not closed",
                "*a", "nothing to repeat", "a(^b)", "\"^\" inside");
        for (var wrong : reasons.entrySet()) {
            UserError e = assertThrows(UserError.class,
                    () -> answer(noise, "a", new Format.Regex(wrong.getKey()), SamplingConfig.GREEDY));
            assertTrue(e.getMessage().contains(wrong.getValue()), wrong.getKey() + ": " + e.getMessage());
            assertFalse(e.fix().isEmpty(), e.getMessage());
        }
        for (String wrong : List.of("a)", "a$b", "(?!x)", "(?<=x)y", "(?>a)", "a**", "a{2}{3}", "[z-a]", "[]", "[a&&b]", "[[a]]",
                "\\p{Xyz}", "\\pL", "\\u12", "\\", "\\Qa\\E", "\\k<x>", "(?<n", "a{5,2}", "a{99999}", "\ud800", "(a$)", "x^"))
            assertThrows(UserError.class, () -> answer(noise, "a", new Format.Regex(wrong), SamplingConfig.GREEDY), wrong);
    }

    // JSON

    @Test
    void anEmptySchemaIsAnyObject() {
        for (int seed = 0; seed < 30; seed++) {
            Answer a = answer(noise, "{", new Format.Json(Map.of()), hot(seed, 30 + 10 * seed));
            assertTrue(GSON.fromJson(a.text(), JsonElement.class).isJsonObject(), a.text());
        }
    }

    static final List<String> SCHEMAS = List.of(
            "{'type':'object','properties':{'name':{'type':'string','maxLength':8},"
                    + "'age':{'type':'integer','minimum':0,'maximum':130}},'required':['name','age']}",
            "{'properties':{'a':{'type':'boolean'},'b':{'type':'null'},'c \\'\\\\/~ é':{'enum':[1,'x',null,[1,2],{'k':1.5}]}}}",
            "{'type':'object','properties':{'ab':{'const':1},'ac\\n':{}},'additionalProperties':{'type':'integer'}}",
            "{'type':'object','required':['x','y'],'properties':{'y':{'type':'boolean'}}}",
            "{'type':'array','items':{'type':'number','minimum':-1.25,'exclusiveMaximum':2},'minItems':2,'maxItems':4}",
            "{'type':'array','prefixItems':[{'type':'string'},{'type':'integer'}],'items':{'type':'boolean'},'minItems':1}",
            "{'type':'array','prefixItems':[{'type':'string'},{'type':'integer'}],'minItems':2}",
            "{'anyOf':[{'type':'string','minLength':2,'maxLength':5},{'type':'integer','exclusiveMinimum':99}]}",
            "{'oneOf':[{'properties':{'t':{'const':'a'},'v':{'type':'integer'}},'required':['t','v'],'type':'object'},"
                    + "{'properties':{'t':{'enum':['b','c']},'w':{}},'required':['t'],'type':'object'},{'type':'null'}]}",
            "{'$ref':'#/$defs/tree','$defs':{'tree':{'type':'object','properties':{'v':{'type':'integer'},'kids':{'type':'array',"
                    + "'items':{'$ref':'#/$defs/tree'}}},'required':['v','kids']}}}",
            "{'type':['string','null'],'format':'date'}", "{'type':'string','format':'date-time'}",
            "{'type':'string','format':'time'}",
            "{'type':'string','format':'uuid'}",
            "{'type':'string','pattern':'^[a-z]{2}[^x]$'}", "{'type':'string','pattern':'ab|^c'}",
            "{'pattern':'[\\\\x00-\\\\x22\\\\\\\\]{3}'}",
            "{'type':'string','minLength':3,'maxLength':3}", "{'type':'number'}", "{'type':'integer'}",
            "{'type':['integer','boolean']}",
            "{'allOf':[{'type':'array','maxItems':0}],'description':'none'}", "{'title':'anything'}",
            "{'type':'array','items':false}", "{'type':'object','properties':{'a':false,'b':true}}",
            "{'type':'number','minimum':0,'maximum':1}", "{'type':'number','exclusiveMinimum':0,'exclusiveMaximum':0.001}",
            "{'type':'integer','minimum':-9223372036854775808,'maximum':9223372036854775807}",
            "{'minimum':1e-300,'maximum':1e300}",
            "{'type':'integer','minimum':-12,'maximum':7}", "{'type':'integer','minimum':998,'exclusiveMaximum':10001}",
            "{'type':'integer','enum':[1,2.0,2.5,'3']}");

    @Test
    void whatIsAnsweredIsValid() {
        for (String schema : SCHEMAS) {
            String text = schema.replace('\'', '"').replace("\\\"", "'");
            for (int seed = 0; seed < 12; seed++) {
                Answer a = answer(noise, "json", json(text), hot(seed, seed < 6 ? 200 : 90));
                assertValid(text, a.text());
            }
        }
    }

    @Test
    void whatIsAnsweredIsValidByRandomSchemas() {
        int decoded = 0;
        for (int seed = 0; seed < 250; seed++) {
            String text = GSON.toJson(new RandomSchema(seed).schema(0));
            try {
                for (Answer a : answers(noise, "json", hot(seed, 150).with(c -> c.format = json(text)), 3))
                    assertValid(text, a.text());
                decoded++;
            } catch (UserError e) {
                assertTrue(e.getMessage().contains("takes") || e.getMessage().contains("no text"), text + " " + e.getMessage());
            }
        }
        assertTrue(decoded > 200, "only " + decoded);
    }

    @Test
    void anAnswerIsWholeWhateverMaxTokensAllows() {
        for (String schema : SCHEMAS) {
            String text = schema.replace('\'', '"').replace("\\\"", "'");
            int shortest = shortest(noise, json(text));
            if (shortest > 1) {
                UserError e = assertThrows(UserError.class, () -> answer(noise, "x", json(text), hot(1, shortest - 1)));
                assertEquals("format: the shortest answer of this format takes %d tokens, %d are left"
                        .formatted(shortest, shortest - 1), e.getMessage());
            }
            for (int most = shortest; most < shortest + 12; most++) {
                Answer a = answer(noise, "x", json(text), hot(most, most));
                assertValid(text, a.text());
                assertTrue(a.tokens() <= most, a + " in " + most);
            }
        }
    }

    @Test
    void formatsOfStringsAreThoseOfTheLibrariesThatReadThem() throws IOException {
        for (int seed = 0; seed < 30; seed++) {
            String address = GSON.fromJson(answer(noise, "x", json("{\"format\":\"ipv4\"}"), hot(seed, 40)).text(), String.class);
            assertEquals(address, Inet4Address.ofLiteral(address).getHostAddress());
            String mail = GSON.fromJson(answer(noise, "x", json("{\"format\":\"email\"}"), hot(seed, 200)).text(), String.class);
            assertTrue(Pattern.matches("[^@\\s]+@[a-z0-9.-]+\\.[a-z]{2,}", mail), mail);
        }
    }

    private static int shortest(CausalLm lm, Format format) {
        for (int most = 1; ; most++)
            try {
                answer(lm, "x", format, hot(1, most));
                return most;
            } catch (UserError e) {
                assertTrue(e.getMessage().contains("the shortest answer"), e.getMessage());
            }
    }

    @Test
    void anAnswerIsWholeAtTheContextsEnd() {
        // 512 positions: the last token is drawn after all of them
        Answer a = answer(noise, "x".repeat(505), new Format.Json(Map.of()), hot(2, 100));
        assertTrue(GSON.fromJson(a.text(), JsonElement.class).isJsonObject(), a.text());
        assertTrue(a.tokens() <= 8, a.toString());
        assertThrows(UserError.class, () -> answer(noise, "x".repeat(505), new Format.Regex("x{9}"), hot(2, 100)));
        assertEquals("", answer(noise, "x", new Format.Regex("x{9}"), hot(2, 0)).text());
    }

    @Test
    void whatCannotBeHadIsRefusedWithItsPlace() {
        refused("{'properties':{'a':{'not':{}}}}", "json schema #/properties/a: keyword \"not\" is not supported");
        refused("{'type':'strng'}", "no type \"strng\"");
        refused("{'multipleOf':3}", "\"multipleOf\"");
        refused("{'$ref':'http://x/y'}", "is not supported");
        refused("{'$ref':'#/$defs/nothing'}", "leads nowhere");
        refused("{'$ref':'#'}", "no text");
        refused("{'anyOf':[{'$ref':'#'},{'$ref':'#/anyOf/0'}]}", "no text");
        refused("{'type':'array','minItems':1,'items':{'$ref':'#'}}", "no text");
        refused("{'enum':[]}", "no text");
        refused("{'type':'string','pattern':'(?=a)'}", "looks around");
        refused("{'type':'string','format':'iri'}", "format \"iri\"");
        refused("{'oneOf':[{'type':'integer'},{'type':'number'}]}", "oneOf/0 and oneOf/1");
        refused("{'oneOf':[{'properties':{'a':{}}},{'properties':{'b':{}}}]}", "both");
        refused("{'minLength':5,'maxLength':2}", "at least 5");
        refused("{'type':'integer','minimum':5,'maximum':2}", "no text");
        refused("{'type':'string','maxLength':-1}", "maxLength");
        refused(new Format.Json(Map.of("maxLength", new BigDecimal("1e999999999"))), "too large");
        refused(new Format.Json(Map.of("minimum", new BigDecimal("1e999999999"))), "no text");
        refused(new Format.Json(Map.of("minimum", new BigDecimal("1e-999999999"))), "not supported");
        refused(new Format.Json(Map.of("maximum", Double.NaN)), "no number of JSON");
        refused("{'type':'array','maxItems':1000000}", "too large");
        refused("{'properties':[]}", "must be an object");
        refused("{'anyOf':[{}],'type':'string'}", "beside");
        refused("{'properties':{'a':{'$id':'x'}}}", "$id");
        refused(new Format.Options(List.of()), "no option");
        refused(new Format.Json(Map.of("const", new Object())), "no value of JSON");
        refused(new Format.Json(Map.of("properties", Collections.singletonMap(null, true))), "must be text");
        refused(new Format.Json(Collections.singletonMap(null, true)), "must be text");
    }

    private static void refused(String schema, String why) {
        refused(json(schema.replace('\'', '"')), why);
    }

    private static void refused(Format format, String why) {
        UserError e = assertThrows(UserError.class, () -> answer(noise, "x", format, hot(1, 100)), why);
        assertTrue(e.getMessage().contains(why), e.getMessage());
    }

    @Test
    void hostileFormatsEndInAnError() {
        for (String regex : List.of("((a{1000}){1000}){1000}", "(a|b)*a(a|b){2000}", "(){9999}".repeat(300),
                "(".repeat(5000) + ")".repeat(5000), "(((((a*)*)*)*)*)*b{9000}", "x".repeat(30000)))
            error(new Format.Regex(regex));
        Map<String, Object> deep = Map.of("type", "null");
        for (int i = 0; i < 5000; i++) deep = Map.of("type", "array", "items", deep);
        error(new Format.Json(deep));
        Map<String, Object> wide = Map.of("type", "boolean");
        for (int i = 0; i < 60; i++) wide = Map.of("properties", Map.of("a", wide, "b", wide), "required", List.of("a", "b"));
        error(new Format.Json(wide));
        Object laughs = "ha";
        for (int i = 0; i < 60; i++) laughs = List.of(laughs, laughs, laughs);
        error(new Format.Json(Map.of("const", laughs)));
        StringBuilder doubling = new StringBuilder("{'$ref':'#/$defs/d0','$defs':{'d90':{'type':'null'}");
        for (int i = 0; i < 90; i++)
            doubling.append(",'d%d':{'type':'array','items':{'$ref':'#/$defs/d%d'},'minItems':2}".formatted(i, i + 1));
        error(json(doubling.append("}}").toString().replace('\'', '"')));
    }

    private static void error(Format format) {
        assertThrows(UserError.class, () -> answer(noise, "x", format, hot(1, 100)));
    }

    @Test
    void nestingIsBoundedSoThatParsersCanRead() {
        Automaton automaton = Automaton.of(new Format.Json(Map.of("type", "array")), bytes());
        Automaton.State state = automaton.start();
        int depth = 0;
        while (state.next('[') != null) {
            state = state.next('[');
            depth++;
        }
        assertTrue(depth > 40 && depth < 100, "depth " + depth);
    }

    private static BitSet bytes() {
        BitSet all = new BitSet();
        all.set(0, 256);
        return all;
    }
}
