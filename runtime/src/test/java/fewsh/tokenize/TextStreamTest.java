package fewsh.tokenize;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.lifecycle.AfterContainer;

class TextStreamTest {
    private static final Map<String, Tokenizer> OPEN = new HashMap<>();

    @AfterContainer
    static void close() {
        OPEN.values().forEach(Tokenizer::close);
        OPEN.clear();
    }

    @Property(tries = 400)
    void piecesPutTogetherAreTheDecodeOfAnyIds(@ForAll("names") String name, @ForAll("numbers") List<Integer> numbers,
            @ForAll boolean skipSpecial) {
        Tokenizer tokenizer = tokenizer(name);
        int[] ids = numbers.stream().mapToInt(number -> number % (tokenizer.size() + 2)).toArray();
        assertEquals(tokenizer.decode(ids, skipSpecial), String.join("", pieces(tokenizer, ids, skipSpecial)));
    }

    @Property(tries = 400)
    void piecesPutTogetherAreTheDecodeOfAnyText(@ForAll("names") String name, @ForAll("texts") String text) {
        Tokenizer tokenizer = tokenizer(name);
        int[] ids = tokenizer.encode(text, true, false);
        assertEquals(tokenizer.decode(ids, true), String.join("", pieces(tokenizer, ids, true)));
    }

    @Property(tries = 400)
    void byteLevelDecodesToTheTextThatWasEncoded(@ForAll("texts") String text) {
        Tokenizer tokenizer = tokenizer("byte_level");
        assertEquals(text, tokenizer.decode(tokenizer.encode(text, false, false), false));
    }

    @Property(tries = 400)
    void noPieceEndsInsideACharacter(@ForAll("texts") String text) {
        for (String name : List.of("byte_level", "sentence_piece")) {
            Tokenizer tokenizer = tokenizer(name);
            for (String piece : pieces(tokenizer, tokenizer.encode(text.replace("\uFFFD", "?"), false, false), false))
                assertFalse(piece.contains("\uFFFD"), piece);
        }
    }

    @Example
    void aCharacterComesWithTheLastOfItsBytes() {
        Tokenizer tokenizer = tokenizer("byte_level");
        byte[] bytes = Spelling.text("né🐱!");
        int[] ids = IntStream.range(0, bytes.length).map(i -> IntStream.range(0, tokenizer.size())
                .filter(id -> Arrays.equals(tokenizer.bytes(id), new byte[] {bytes[i]})).findFirst().orElseThrow()).toArray();
        assertEquals(List.of("n", "", "é", "", "", "", "🐱", "!", ""), pieces(tokenizer, ids, false));
    }

    @Provide
    Arbitrary<String> names() {
        return Arbitraries.of(Fixtures.NAMES);
    }

    @Provide
    Arbitrary<List<Integer>> numbers() {
        return Arbitraries.integers().between(0, 1 << 20).list().ofMaxSize(24);
    }

    @Provide
    Arbitrary<String> texts() {
        Arbitrary<String> parts = Arbitraries.oneOf(Arbitraries.of(" ", "\n", "the", " a", "é", "🐱", "👩‍👩‍👧", "日本", "e\u0301",
                "<|end|>", "</s>", "[SEP]", "12", "'s", "▁"), Arbitraries.strings().ascii().ofMaxLength(4),
                Arbitraries.integers().between(0, 0x10ffff).filter(c -> c < 0xd800 || c > 0xdfff).map(Character::toString));
        return parts.list().ofMaxSize(12).map(list -> String.join("", list));
    }

    private static Tokenizer tokenizer(String name) {
        return OPEN.computeIfAbsent(name, each -> Tokenizer.open(Fixtures.folder(each)));
    }

    private static List<String> pieces(Tokenizer tokenizer, int[] ids, boolean skipSpecial) {
        TextStream stream = tokenizer.stream(skipSpecial);
        List<String> pieces = new ArrayList<>();
        for (int id : ids) pieces.add(stream.next(id));
        pieces.add(stream.finish());
        return pieces;
    }
}
