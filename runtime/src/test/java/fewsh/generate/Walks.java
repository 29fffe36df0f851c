package fewsh.generate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.Gson;
import com.google.gson.JsonParser;
import com.google.gson.reflect.TypeToken;
import fewsh.prompt.Format;
import fewsh.tokenize.Tokenizer;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/// Answers by a model that finds every token as likely as any other, in a vocabulary of any size, and what must be true of them.
final class Walks {
    private static final List<Format> FORMATS = List.of(new Format.Json(Map.of()), new Format.Regex("[\\p{L} ]{3,30}(🐱|é+)!"),
            new Format.Options(List.of("yes", "yes indeed", "née 🐱🐶", "no")), new Format.Json(new Gson().fromJson("""
                    {"properties": {"name": {"type": "string", "maxLength": 9}, "tags": {"items": {"enum": ["a", "bé"]}}},
                     "required": ["name", "tags"]}""", new TypeToken<Map<String, Object>>() {})));

    private Walks() {}

    /// Walks through formats, trying each mask against every token on its own, and each text against its format.
    static void check(Tokenizer tokenizer, int walks) {
        Pieces pieces = new Pieces(tokenizer, tokenizer.size() + 7);
        for (Format format : FORMATS) {
            Automaton automaton = pieces.automaton(format);
            int shortest = pieces.tokens(automaton, pieces.start(automaton));
            for (int seed = 0; seed < walks; seed++) {
                int most = shortest + (seed < walks / 2 ? seed : 40 * seed);
                String text = walk(tokenizer, pieces, automaton, most, new Random(seed), seed == 1);
                assertTrue(fits(format, text), format + " in " + most + " tokens answered \"" + text + "\"");
            }
        }
    }

    private static boolean fits(Format format, String text) {
        return switch (format) {
            case Format.Free _ -> true;
            case Format.Regex(var pattern) -> Pattern.matches(pattern, text);
            case Format.Options(var options) -> options.contains(text);
            case Format.Json _ -> JsonParser.parseString(text).isJsonObject();
        };
    }

    private static String walk(Tokenizer tokenizer, Pieces pieces, Automaton automaton, int most, Random random, boolean masks) {
        Constraint constraint = new Constraint(pieces, automaton, tokenizer, most);
        Automaton.State state = pieces.start(automaton);
        StringBuilder text = new StringBuilder();
        float[] scores = new float[tokenizer.size() + 7];
        for (int left = most; left > 0; left--) {
            Arrays.fill(scores, 0);
            constraint.mask(scores);
            if (masks) assertMask(tokenizer, automaton.at(state), left, scores);
            int[] allowed = IntStream.range(0, scores.length).filter(i -> scores[i] == 0).toArray();
            int id = allowed[random.nextInt(allowed.length)];
            if (tokenizer.endOfGeneration().contains(id)) break;
            text.append(constraint.accept(id));
            state = pieces.after(automaton, state, tokenizer.bytes(id));
            if (constraint.ended()) break;
        }
        return text.toString();
    }

    private static void assertMask(Tokenizer tokenizer, Automaton.State from, int left, float[] scores) {
        BitSet expected = new BitSet();
        for (int id = 0; id < tokenizer.size(); id++) {
            if (tokenizer.endOfGeneration().contains(id)) expected.set(id, from.complete);
            if (!tokenizer.has(id) || tokenizer.isSpecial(id) || tokenizer.bytes(id).length == 0) continue;
            Automaton.State state = from;
            for (byte b : tokenizer.bytes(id)) state = state == null ? null : state.next(b & 0xFF);
            // where there is room for the bytes one by one, there is no doubt; else only that something is allowed
            if (state != null && state.distance < left) expected.set(id);
            else if (state != null) expected.set(id, scores[id] == 0);
        }
        BitSet got = new BitSet();
        for (int id = 0; id < scores.length; id++) got.set(id, scores[id] == 0);
        assertEquals(expected, got);
    }
}
