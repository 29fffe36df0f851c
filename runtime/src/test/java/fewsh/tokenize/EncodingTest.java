package fewsh.tokenize;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

class EncodingTest {
    /// Against taking the last token of the longer text away until the rest fits; of two as long, that of the text that was the
    /// shorter, or of the first: compared with Hugging Face's library for all sizes here.
    @Property
    void theLongerTextIsCutFirst(@ForAll @IntRange(max = 12) int first, @ForAll @IntRange(max = 12) int second,
            @ForAll @IntRange(min = 3, max = 30) int most) {
        List<Integer> texts = new ArrayList<>(List.of(-1));
        for (int i = 0; i < first; i++) texts.add(0);
        texts.add(-1);
        for (int i = 0; i < second; i++) texts.add(1);
        texts.add(-1);
        int[] of = texts.stream().mapToInt(i -> i).toArray();
        int[] ids = IntStream.range(0, of.length).toArray();
        int a = first;
        int b = second;
        while (a + b + 3 > most)
            if (a > b || a == b && first <= second) a--;
            else b--;
        List<Integer> kept = new ArrayList<>(List.of(0));
        for (int i = 0; i < a; i++) kept.add(1 + i);
        kept.add(1 + first);
        for (int i = 0; i < b; i++) kept.add(2 + first + i);
        kept.add(2 + first + second);
        Encoding cut = new Encoding(ids, ids, of, ids, ids).truncated(most);
        assertEquals(Math.min(most, of.length), cut.length());
        assertArrayEquals(kept.stream().mapToInt(i -> i).toArray(), cut.ids());
    }
}
