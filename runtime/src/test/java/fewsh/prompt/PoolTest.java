package fewsh.prompt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fewsh.UserError;
import fewsh.prompt.Shots.By;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class PoolTest {
    @Test
    void similarChoosesByTheSimilarityThatIsGiven() {
        Shots shots = new Shots(List.of(Map.of("input", "aaaa", "output", "1"), Map.of("input", "a", "output", "2"),
                Map.of("input", "aa", "output", "3")), 2, Shots.By.SIMILAR, 1, "output", "", "", 0, "");
        Similarity length = texts -> query -> texts.stream().mapToDouble(t -> -Math.abs(t.length() - query.length())).toArray();
        assertEquals(List.of("3", "1"), Pool.of(shots, length).pick(Map.of("input", "zzzz")).stream().map(e -> e.get("output")).toList());
        assertEquals(List.of("3", "2"), Pool.of(shots, length).pick(Map.of("input", "z")).stream().map(e -> e.get("output")).toList());
    }

    private static final List<String> WORDS = List.of("sun", "moon", "rain", "snow", "wind", "the", "the", "the", "a", "Ärger",
            "漢字");

    private static Map<String, Object> example(String text, String label) {
        return Map.of("text", text, "label", label);
    }

    private static Shots shots(List<Map<String, Object>> examples, int k, By by, long seed) {
        return new Shots(examples, k, by, seed, "label", "", "", 0, "");
    }

    private static List<Map<String, Object>> numbered(int n, int labels) {
        return IntStream.range(0, n).mapToObj(i -> example("text " + i, "label " + i % labels)).toList();
    }

    private static List<Map<String, Object>> pick(Shots shots, String text) {
        return shots.pick(Map.of("text", text));
    }

    @Property(tries = 200)
    void anItemsExamplesDoNotDependOnOtherItemsOrTheirOrder(@ForAll By by, @ForAll long seed, @ForAll @IntRange(min = 0,
            max = 30) int k) {
        Pool pool = Pool.of(shots(numbered(30, 3), k, by, seed));
        List<Map<String, String>> items = new ArrayList<>();
        for (int i = 20; i < 40; i++) items.add(Map.of("text", "text " + i));
        Map<Map<String, String>, List<?>> alone = items.stream().collect(Collectors.toMap(i -> i, pool::pick));
        Collections.shuffle(items, new Random(seed));
        for (Map<String, String> item : items.subList(0, 10)) assertEquals(alone.get(item), pool.pick(item));
    }

    @Property(tries = 300)
    void theItemIsNeverAmongItsExamples(@ForAll By by, @ForAll long seed, @ForAll @IntRange(min = 1, max = 12) int k,
                                        @ForAll @IntRange(max = 11) int item) {
        List<Map<String, Object>> examples = numbered(12, 2);
        List<Map<String, Object>> picked = pick(shots(examples, k, by, seed), "text " + item);
        assertFalse(picked.contains(examples.get(item)));
        assertEquals(Math.min(k, 11), picked.size());
        assertEquals(picked.size(), new HashSet<>(picked).size());
        assertTrue(examples.containsAll(picked));
    }

    @Property(tries = 300)
    void labelsAreBalancedAsFarAsTheyGo(@ForAll long seed, @ForAll @IntRange(min = 1, max = 20) int k,
                                        @ForAll @Size(min = 1, max = 5) List<@IntRange(min = 1, max = 9) Integer> sizes) {
        List<Map<String, Object>> examples = new ArrayList<>();
        for (int label = 0; label < sizes.size(); label++)
            for (int i = 0; i < sizes.get(label); i++) examples.add(example(label + " " + i, "label " + label));
        int all = examples.size();
        List<Map<String, Object>> picked = pick(shots(examples, Math.min(k, all), By.BALANCED, seed), "item");
        assertEquals(Math.min(k, all), picked.size());
        for (int from = 0; from < picked.size(); from++) { // and when a budget drops those in front
            Map<Object, Long> counts = picked.subList(from, picked.size()).stream()
                    .collect(Collectors.groupingBy(e -> e.get("label"), Collectors.counting()));
            long most = Collections.max(counts.values());
            for (int label = 0; label < sizes.size(); label++) {
                long count = counts.getOrDefault("label " + label, 0L);
                assertTrue(count >= most - 1 || count == sizes.get(label), counts + " of " + sizes);
            }
        }
    }

    @Test
    void whichLabelsGetOneMoreIsTheItemsOwn() {
        Shots three = shots(numbered(40, 2), 3, By.BALANCED, 1);
        Map<Object, Long> more = IntStream.range(0, 400).mapToObj(i -> pick(three, "item " + i).stream()
                        .collect(Collectors.groupingBy(e -> e.get("label"), Collectors.counting())))
                .map(counts -> Collections.max(counts.entrySet(), Map.Entry.comparingByValue()).getKey())
                .collect(Collectors.groupingBy(label -> label, Collectors.counting()));
        for (long count : more.values()) assertTrue(Math.abs(count - 200) < 60, more.toString()); // 6 standard deviations
        Map<Object, Long> last = IntStream.range(0, 400).mapToObj(i -> pick(three, "item " + i).getLast().get("label"))
                .collect(Collectors.groupingBy(label -> label, Collectors.counting()));
        for (long count : last.values()) assertTrue(Math.abs(count - 200) < 60, last.toString());
    }

    @Test
    void randomTakesEveryExampleEquallyOften() {
        int n = 20;
        int k = 5;
        int items = 4000;
        Pool pool = Pool.of(shots(numbered(n, 2), k, By.RANDOM, 1234));
        int[] taken = new int[n];
        int[] last = new int[n];
        for (int i = 0; i < items; i++) {
            List<Integer> picked = pool.indices(Map.of("text", "item " + i));
            picked.forEach(at -> taken[at]++);
            last[picked.getLast()]++;
        }
        double expected = (double) items * k / n;
        double chi = Arrays.stream(taken).mapToDouble(t -> (t - expected) * (t - expected) / expected).sum();
        assertTrue(chi < 45, Arrays.toString(taken)); // 19 degrees of freedom: p < 0.001
        double lastly = Arrays.stream(last).mapToDouble(t -> Math.pow(t - items / 20.0, 2) / (items / 20.0)).sum();
        assertTrue(lastly < 45, Arrays.toString(last));
    }

    @Test
    void theSeedAndTheItemDecide() {
        List<Map<String, Object>> examples = numbered(1000, 2);
        assertEquals(pick(shots(examples, 5, By.RANDOM, 1), "x"), pick(shots(examples, 5, By.RANDOM, 1), "x"));
        assertNotEquals(pick(shots(examples, 5, By.RANDOM, 1), "x"), pick(shots(examples, 5, By.RANDOM, 2), "x"));
        assertNotEquals(pick(shots(examples, 5, By.RANDOM, 1), "x"), pick(shots(examples, 5, By.RANDOM, 1), "y"));
    }

    /// Computed with Python: hashlib.sha256 of the seed and the inputs, then SplitMix64 with the example's number as counter.
    @Test
    void theDrawIsTheSameOnEveryMachine() {
        assertEquals(List.of(89, 45, 97, 43, 87), Pool.of(shots(numbered(100, 2), 5, By.RANDOM, 1234))
                .indices(Map.of("text", "a joy", "year", 1999)));
    }

    @Test
    void fewerExamplesAreThoseShownLast() {
        for (By by : By.values()) {
            List<Map<String, Object>> eight = pick(shots(numbered(50, 2), 8, by, 7), "text 49");
            if (by == By.FIRST) continue; // the file's order, cut at its end
            if (by == By.BALANCED) assertEquals(eight.subList(2, 8), pick(shots(numbered(50, 2), 6, by, 7), "text 49"));
            else assertEquals(eight.subList(3, 8), pick(shots(numbered(50, 2), 5, by, 7), "text 49"));
        }
    }

    @Test
    void firstIsTheFilesOrder() {
        assertEquals(List.of(0, 1, 3), Pool.of(shots(numbered(9, 2), 3, By.FIRST, 0)).indices(Map.of("text", "text 2")));
        assertEquals(List.of(0, 1, 2, 4), Pool.of(shots(numbered(5, 2), -1, By.FIRST, 0)).indices(Map.of("text", "text 3")));
        assertEquals(List.of(), Pool.of(shots(numbered(5, 2), 0, By.FIRST, 0)).indices(Map.of("text", "text 3")));
    }

    @Test
    void anItemIsKnownByWhatItSharesWithAnExample() {
        Map<String, Object> number = new LinkedHashMap<>();
        number.put("a", 5L);
        number.put("b", "x");
        number.put("label", "yes");
        Shots one = shots(List.of(number), 1, By.FIRST, 0);
        assertEquals(0, one.pick(Map.of("a", "5", "b", "x")).size(), "a CSV's text is a JSON's number");
        assertEquals(0, one.pick(Map.of("a", 5.0, "label", "no", "language", "French")).size(), "its label does not matter");
        assertEquals(1, one.pick(Map.of("a", 5, "b", "y")).size());
        assertEquals(1, one.pick(Map.of("label", "yes")).size());
        assertEquals(1, one.pick(Map.of()).size());
    }

    @Property(tries = 200)
    void similarityIsOkapisFormula(@ForAll @Size(min = 1, max = 12) List<@Size(max = 8) List<@IntRange(max = 10) Integer>> texts,
                                   @ForAll @Size(max = 6) List<@IntRange(max = 10) Integer> query) {
        List<List<String>> documents = texts.stream().map(PoolTest::words).toList();
        double[] scores = new Bm25(documents.stream().map(words -> String.join(", ", words)).toList())
                .scores(String.join(" ", words(query)));
        double[] expected = okapi(documents, words(query));
        for (int i = 0; i < expected.length; i++) assertEquals(expected[i], scores[i], 1e-12);
    }

    private static List<String> words(List<Integer> numbers) {
        return numbers.stream().map(WORDS::get).toList();
    }

    /// The definition, word by word.
    private static double[] okapi(List<List<String>> documents, List<String> query) {
        List<List<String>> split = documents.stream().map(PoolTest::split).toList();
        double average = Math.max(1e-300, split.stream().mapToInt(List::size).average().orElseThrow());
        double[] scores = new double[split.size()];
        for (int d = 0; d < scores.length; d++)
            for (String word : split(query)) {
                long n = split.stream().filter(document -> document.contains(word)).count();
                double tf = Collections.frequency(split.get(d), word);
                if (tf == 0) continue;
                double idf = Math.log(1 + (split.size() - n + 0.5) / (n + 0.5));
                scores[d] += idf * tf * 2.2 / (tf + 1.2 * (0.25 + 0.75 * split.get(d).size() / average));
            }
        return scores;
    }

    private static List<String> split(List<String> words) {
        return words.stream().flatMap(w -> w.equals("漢字") ? List.of("漢",
                "字").stream() : List.of(w.toLowerCase(Locale.ROOT)).stream())
                .toList();
    }

    /// Worked by hand: N = 3, lengths 2, 2, 4, average 8/3; idf(cat) = ln(1 + 1.5/2.5) = 0.4700; tf part 2.2/(1 + 1.2·(0.25 +
    /// 0.75·2/(8/3))) = 2.2/1.975 and 2.2/2.65.
    @Test
    void similarityOfAWorkedExample() {
        double[] scores = new Bm25(List.of("The cat", "a dog", "cat and a mouse")).scores("CAT?");
        assertEquals(0.523548, scores[0], 1e-6);
        assertEquals(0, scores[1]);
        assertEquals(0.390191, scores[2], 1e-6);
    }

    @Test
    void theNearestIsShownLast() {
        Shots shots = shots(List.of(example("the red apple", "x"), example("nothing shared", "x"), example("a red apple tree",
                "x"),
                example("red", "x")), 3, By.SIMILAR, 0);
        List<String> picked = pick(shots, "red apple tree").stream().map(e -> (String) e.get("text")).toList();
        assertEquals(List.of("red", "the red apple", "a red apple tree"), picked);
    }

    @Test
    void labelsAndReasoningDoNotMakeAnExampleSimilar() {
        Map<String, Object> telling = Map.of("text", "other", "label", "apple", "reasoning", "apple apple");
        Shots shots = shots(List.of(telling, example("an apple", "x")), 1, By.SIMILAR, 0);
        assertEquals("an apple", pick(shots, "apple").getFirst().get("text"));
    }

    @Test
    void anItemWithOtherFieldsIsComparedByItsText() {
        Shots shots = shots(List.of(example("rain", "x"), example("sun", "x"), example("wind", "x")), 1, By.SIMILAR, 0);
        assertEquals("sun", shots.pick(Map.of("question", "Will the sun shine?")).getFirst().get("text"));
    }

    @Test
    void moreThanThereAreIsRefused() {
        UserError e = assertThrows(UserError.class, () -> pick(shots(numbered(3, 1), 4, By.FIRST, 0), "x"));
        assertEquals("k is 4, but there are 3 examples", e.what());
        assertThrows(UserError.class, () -> shots(List.of(), 1, By.RANDOM, 0).pick(Map.of()));
        assertThrows(UserError.class, () -> shots(List.of(), -2, By.RANDOM, 0));
        assertEquals(List.of(), Shots.NONE.pick(Map.of("a", "b")));
    }

    @Test
    void anExampleWithoutALabelCannotBeBalanced() {
        Map<String, Object> bare = new Row("reviews.csv:7", Map.of("text", "x", "lable", "y"));
        UserError e = assertThrows(UserError.class, () -> shots(List.of(bare), 1, By.BALANCED, 0).pick(Map.of()));
        assertEquals("reviews.csv:7", e.where());
        assertEquals("did you mean \"lable\"?", e.fix());
    }

    @Test
    void valuesOfEqualMeaningAreOneText() {
        for (Object five : List.of(5, 5L, 5.0, 5f, new java.math.BigDecimal("5.00"), new java.math.BigInteger("5"), "5"))
            assertEquals("5", Draw.canonical(five));
        assertEquals("NaN", Draw.canonical(Double.NaN));
        assertEquals(Draw.canonical(Float.NaN), Draw.canonical(Double.NaN));
        assertEquals(Draw.canonical(Map.of("a", 1, "b", List.of(2))), Draw.canonical(new java.util.TreeMap<>(Map.of("b",
                List.of(2.0), "a", "1"))));
        assertNotEquals(Draw.canonical(List.of("a", "b")), Draw.canonical(List.of("a1:b")));
        assertNotEquals(Draw.canonical(List.of(List.of("a"), "b")), Draw.canonical(List.of("a", List.of("b"))));
        assertEquals("null", Draw.canonical(null));
    }
}
