package fewsh.prompt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fewsh.Shared;
import fewsh.prompt.Shots.By;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Choosing among the 10,662 sentences of Pang & Lee 2005.
@Shared.Suite({"data/nltk-sentence_polarity"})
class SentencePolaritySuiteTest {
    private static final List<Map<String, Object>> SENTENCES = new ArrayList<>();

    @BeforeAll
    static void readSentences() throws IOException {
        for (var label : Map.of("pos", "positive", "neg", "negative").entrySet())
            for (String line : Files.readAllLines(Shared.path("data/nltk-sentence_polarity/rt-polarity." + label.getKey())))
                SENTENCES.add(Map.of("text", line.strip(), "label", label.getValue()));
    }

    /// Every 53rd sentence, which falls on both labels.
    private static List<Map<String, Object>> items() {
        List<Map<String, Object>> items = new ArrayList<>();
        for (int i = 0; i < SENTENCES.size(); i += 53) items.add(SENTENCES.get(i));
        return items;
    }

    private static Pool pool(int k, By by) {
        return Pool.of(new Shots(SENTENCES, k, by, 1234, "label", "", "", 0, ""));
    }

    private static long positive(List<Map<String, Object>> examples) {
        return examples.stream().filter(e -> e.get("label").equals("positive")).count();
    }

    @Test
    void balancedShowsAsManyOfEach() {
        Pool eight = pool(8, By.BALANCED);
        for (Map<String, Object> item : items()) {
            List<Map<String, Object>> shown = eight.pick(Map.of("text", item.get("text")));
            assertEquals(4, positive(shown));
            assertFalse(shown.contains(item));
        }
    }

    /// As nearest neighbours do: the label of most of 9 similar sentences is right more often than chance is (50 %, standard
    /// deviation 3.5 % here).
    @Test
    void similarSentencesTendToShareTheLabel() {
        Pool nine = pool(9, By.SIMILAR);
        int right = 0;
        for (Map<String, Object> item : items()) {
            List<Map<String, Object>> shown = nine.pick(Map.of("text", item.get("text")));
            assertFalse(shown.contains(item));
            if (positive(shown) > 4 == item.get("label").equals("positive")) right++;
        }
        assertTrue(right > 0.6 * items().size(), right + " of " + items().size());
    }
}
