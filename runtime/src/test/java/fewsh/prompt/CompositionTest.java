package fewsh.prompt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import fewsh.UserError;
import fewsh.prompt.Shots.By;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class CompositionTest {
    private static final Body REVIEW = inputs -> List.of(new Message("user", "Review: " + inputs.get("text") + "\nSentiment:"));
    private static final List<Map<String, Object>> REVIEWS = List.of(
            Map.of("text", "a joy", "label", "positive"), Map.of("text", "a bore", "label", "negative"));
    private static final Map<String, Object> ITEM = Map.of("text", "a gem");

    /// As many tokens as characters.
    private static final Tokens CHARACTERS = messages -> messages.stream().mapToInt(m -> m.text().length()).sum();

    private static Shots shots(List<Map<String, Object>> examples) {
        return new Shots(examples, -1, By.FIRST, 0, "label", "", "", 0, "");
    }

    private static Composition with(Shots shots) {
        return Composition.EMPTY.with(c -> c.shots = shots);
    }

    private static List<String> turns(Composed composed) {
        return composed.messages().stream().map(m -> m.role() + ": " + m.text()).toList();
    }

    private static List<String> labels(Composed composed) {
        return composed.parts().stream().map(Composed.Part::label).toList();
    }

    @Test
    void theExampleOfThePackageIsTrue() {
        Composition sentiment = Block.read("example", Map.of("instruction", "Judge the review.",
                "shots", List.of(Map.of("text", "a joy", "output", "positive")),
                "answer", Map.of("options", List.of("positive", "negative"))), Path.of(""));
        Body body = inputs -> List.of(new Message("user", "Review: " + inputs.get("text")));
        Composed prompt = sentiment.compose(body, Map.of("text", "a bore"), Tokens.NONE);
        assertEquals("Judge the review.\n\nReview: a joy positive\n\nReview: a bore", prompt.text());
        assertEquals(Optional.of("negative"), sentiment.answer().find("It is Negative."));
    }

    @Test
    void partsJoinToOneSystemMessageInFrontOfTheBodysOwn() {
        Composition c = Composition.EMPTY.with(f -> {
            f.role = "You are a critic.";
            f.context = "The film is old.";
            f.instruction = "Judge it.";
            f.style = "One word.";
        });
        Body body = _ -> List.of(new Message("system", "Be fair."), new Message("user", "Well?"));
        Composed composed = c.compose(body, Map.of(), Tokens.NONE);
        assertEquals(List.of("role", "context", "instruction", "style", "system", "question"), labels(composed));
        assertEquals(List.of("system: You are a critic.\n\nThe film is old.\n\nJudge it.\n\nOne word.\n\nBe fair.",
                "user: Well?"),
                turns(composed));
        assertEquals("You are a critic.\n\nThe film is old.\n\nJudge it.\n\nOne word.\n\nBe fair.\n\nWell?", composed.text());
    }

    @Test
    void examplesAreTurnsInTheWordsOfTheQuestion() {
        Composed composed = with(shots(REVIEWS)).compose(REVIEW, ITEM, Tokens.NONE);
        assertEquals(List.of("user: Review: a joy\nSentiment:", "assistant: positive", "user: Review: a bore\nSentiment:",
                "assistant: negative", "user: Review: a gem\nSentiment:"), turns(composed));
        assertEquals(List.of("shots", "shots", "shots", "shots", "question"), labels(composed));
        assertEquals(REVIEWS, composed.shown());
    }

    /// The prompt of Brown et al. 2020, figure 2.1, as text.
    @Test
    void asTextTheLayoutIsThatOfTheHarness() {
        List<Map<String, Object>> examples = List.of(Map.of("en", "sea otter", "fr", "loutre de mer"),
                Map.of("en", "plush girafe", "fr", "girafe peluche"));
        Body body = inputs -> List.of(new Message("user", inputs.get("en") + " =>"));
        Composition c = Composition.EMPTY.with(f -> {
            f.instruction = "Translate English to French:";
            f.shots = new Shots(examples, -1, By.FIRST, 0, "fr", "", "", 0, "");
        });
        assertEquals("Translate English to French:\n\nsea otter => loutre de mer\n\nplush girafe => girafe peluche\n\ncheese =>",
                c.compose(body, Map.of("en", "cheese"), Tokens.NONE).text());
    }

    @Test
    void whiteSpaceAtAJointStandsInForTheDelimiter() {
        Body body = inputs -> List.of(new Message("system", "Judge:\n"), new Message("user", inputs.get("text") + " = "));
        assertEquals("Judge:\na joy = positive\n\na bore = negative\n\na gem = ",
                with(shots(REVIEWS)).compose(body, ITEM, Tokens.NONE).text());
        assertEquals("a b", Composed.join("a", " ", "b"));
        assertEquals("a\nb", Composed.join("a", " ", "\nb"));
        assertEquals("a\u00a0b", Composed.join("a\u00a0", " ", "b"));
        assertEquals("b", Composed.join("", " ", "b"));
        assertEquals("a", Composed.join("a", " ", ""));
    }

    @Test
    void examplesStandBeforeTheConversation() {
        Body body = inputs -> List.of(new Message("system", "Be brief."), new Message("user", "Hi"), new Message("assistant",
                "Hello"),
                new Message("user", "Judge " + inputs.get("text")), new Message("assistant", "It is"));
        Composed composed = with(shots(REVIEWS.subList(0, 1))).compose(body, ITEM, Tokens.NONE);
        assertEquals(List.of("system: Be brief.", "user: Judge a joy", "assistant: positive", "user: Hi", "assistant: Hello",
                "user: Judge a gem", "assistant: It is"), turns(composed));
        assertEquals(List.of("system", "shots", "shots", "conversation", "conversation", "question", "answer"), labels(composed));
        assertEquals("assistant: It is good", turns(composed.begun("good")).getLast());
    }

    @Test
    void templatesOfExamplesReadTheirFields() {
        Shots shots = new Shots(REVIEWS, -1, By.FIRST, 0, "label", "Q: {{ text | upper }}", "<{{ label }}>", 0, "");
        assertEquals(List.of("user: Q: A JOY", "assistant: <positive>"), turns(with(shots).compose(REVIEW, ITEM,
                Tokens.NONE)).subList(0, 2));
    }

    @Test
    void whatNoExampleHasIsThePromptsOwn() {
        Body body = inputs -> List.of(new Message("user", "In " + inputs.get("language") + ": " + inputs.get("text")));
        Composed composed = with(shots(REVIEWS)).compose(body, Map.of("text", "a gem", "language", "French", "label", "?"),
                Tokens.NONE);
        assertEquals("user: In French: a joy", turns(composed).getFirst());
        assertEquals("assistant: positive", turns(composed).get(1));
    }

    @Test
    void answersThatAreNoTextsAreJson() {
        Map<String, Object> row = Map.of("text", "a", "label", Map.of("stars", 5));
        assertEquals("assistant: {\"stars\": 5}", turns(with(shots(List.of(row))).compose(REVIEW, ITEM, Tokens.NONE)).get(1));
        Map<String, Object> number = Map.of("text", "a", "label", 5);
        assertEquals("assistant: 5", turns(with(shots(List.of(number))).compose(REVIEW, ITEM, Tokens.NONE)).get(1));
    }

    /// Wei et al. 2022, figure 1.
    @Test
    void fewShotChainOfThoughtShowsTheReasoningThenTheAnswer() {
        Map<String, Object> roger = Map.of("question",
                "Roger has 5 tennis balls. He buys 2 more cans of tennis balls. Each can has 3 tennis"
                + " balls. How many tennis balls does he have now?", "reasoning",
                        "Roger started with 5 balls. 2 cans of 3 tennis balls each"
                + " is 6 tennis balls. 5 + 6 = 11.", "output", 11);
        Body body = inputs -> List.of(new Message("user", "Q: " + inputs.get("question") + "\nA:"));
        Composition c = Composition.EMPTY.with(f -> {
            f.shots = new Shots(List.of(roger), -1, By.FIRST, 0, "output", "", "", 0, "");
            f.cot = Cot.OFF.with(Cot.Kind.FEW_SHOT);
        });
        Map<String, Object> item = Map.of("question",
                "The cafeteria had 23 apples. If they used 20 to make lunch and bought 6 more, how many"
                + " apples do they have?");
        assertEquals("""
                Q: Roger has 5 tennis balls. He buys 2 more cans of tennis balls. Each can has 3 tennis balls. How many \
                tennis balls does he have now?
                A: Roger started with 5 balls. 2 cans of 3 tennis balls each is 6 tennis balls. 5 + 6 = 11. The answer is 11.

                Q: The cafeteria had 23 apples. If they used 20 to make lunch and bought 6 more, how many apples \
                do they have?
                A:""", c.compose(body, item, Tokens.NONE).text());
        assertEquals("A: 11", c.with(f -> f.cot = Cot.OFF).compose(body, item, Tokens.NONE).text().lines().toList().get(1));
    }

    @Test
    void reasoningThatConcludesAlreadyDoesNotTwice() {
        Map<String, Object> row = Map.of("text", "x", "reasoning", "1 + 1. The answer is 2.", "label", "2.");
        Composition c = with(shots(List.of(row))).with(f -> f.cot = Cot.OFF.with(Cot.Kind.FEW_SHOT));
        assertEquals("assistant: 1 + 1. The answer is 2.", turns(c.compose(REVIEW, ITEM, Tokens.NONE)).get(1));
    }

    /// Kojima et al. 2022, figure 2.
    @Test
    void zeroShotChainOfThoughtBeginsTheAnswer() {
        Body body = inputs -> List.of(new Message("user", "Q: " + inputs.get("q") + "\nA:"));
        Composition c = Composition.EMPTY.with(f -> f.cot = new Cot(Cot.Kind.ZERO_SHOT, "Let's think step by step.",
                "Therefore, the answer (arabic numerals) is"));
        Composed composed = c.compose(body, Map.of("q", "On average Joe throws 25 punches per minute…"), Tokens.NONE);
        assertEquals("Q: On average Joe throws 25 punches per minute…\nA: Let's think step by step.",
                composed.begun(c.cot().trigger()).text());
        Composed begun = composed.begun(c.cot().trigger());
        assertEquals(List.of("question", "answer"), labels(begun));
        assertEquals("assistant", begun.messages().getLast().role());
    }

    @Test
    void theImageStandsInFrontOfTheQuestion() {
        Composed composed = Composition.EMPTY.with(c -> c.image = "photo.png").compose(REVIEW, ITEM, Tokens.NONE);
        assertEquals(List.of(Map.of("type", "image", "path", "photo.png"), Map.of("type", "text", "text",
                "Review: a gem\nSentiment:")),
                composed.messages().getLast().fields().get("content"));
        assertEquals("Review: a gem\nSentiment:", composed.text());
    }

    @Test
    void optionsOfTheFormatAreThoseOfTheAnswer() {
        Composition c = Composition.EMPTY.with(f -> {
            f.format = new Format.Options(List.of("yes", "no"));
            f.answer = new Extraction(Extraction.Kind.OPTION, "", List.of());
        });
        assertEquals(List.of("yes", "no"), c.answer().options());
    }

    @Property(tries = 300)
    void aBudgetKeepsAsManyOfTheNearestAsFit(@ForAll @IntRange(max = 12) int n, @ForAll @IntRange(max = 400) int budget,
                                             @ForAll @IntRange(min = 1, max = 500) int room) {
        List<Map<String, Object>> examples = IntStream.range(0, n)
                .<Map<String, Object>>mapToObj(i -> Map.of("text", "x".repeat(1 + i * 7 % 20), "label", "l" + i)).toList();
        Composition c = with(new Shots(examples, -1, By.FIRST, 0, "label", "", "", budget, ""));
        Composed composed = c.compose(REVIEW, Map.of("text", "gem"), CHARACTERS, Pool.of(c.shots()), room);
        int[] sizes = examples.stream().mapToInt(e -> ("Review: " + e.get("text") + "\nSentiment:"
                + e.get("label")).length()).toArray();
        int bare = "Review: gem\nSentiment:".length();
        int kept = 0;
        for (int sum = 0; kept < n; kept++) { // one more from the end
            sum += sizes[n - 1 - kept];
            if (bare + sum > room || budget > 0 && sum > budget) break;
        }
        assertEquals(n - kept, composed.dropped());
        assertEquals(examples.subList(n - kept, n), composed.shown());
        assertEquals(2 * kept + 1, composed.parts().size());
    }

    @Test
    void nothingIsCountedWithoutABudget() {
        Tokens none = _ -> {
            throw new AssertionError("counted");
        };
        assertEquals(0, with(shots(REVIEWS)).compose(REVIEW, ITEM, none).dropped());
    }

    @Test
    void examplesThatCannotBeShownAreNamed() {
        Row bare = new Row("r.csv:3", Map.of("text", "x", "lable", "y"));
        List<Map<String, Object>> ragged = List.of(REVIEWS.get(0), new Row("r.jsonl:9", Map.of("txt", "x", "label", "y")));
        Composition cot = with(shots(REVIEWS)).with(c -> c.cot = Cot.OFF.with(Cot.Kind.FEW_SHOT));
        List<UserError> errors = new ArrayList<>();
        for (Composition c : List.of(with(shots(List.of(bare))), with(shots(ragged)), cot,
                with(shots(List.of(Map.of("sentence", "x", "label", "y")))),
                with(new Shots(REVIEWS, -1, By.FIRST, 0, "label", "{{ title }}", "", 0, ""))))
            errors.add(assertThrows(UserError.class, () -> c.compose(REVIEW, ITEM, Tokens.NONE)));
        assertEquals(List.of("r.csv:3: has no \"label\", which is its answer",
                "r.jsonl:9: has no \"text\", which the prompt takes",
                "example 1: has no \"reasoning\", which few-shot chain of thought shows",
                "example 1: the example has none of the prompt's inputs (text)",
                "example 1: cannot be shown: 'title' is undefined at \"{{ title }}\""),
                errors.stream().map(UserError::getMessage).toList());
        assertEquals("did you mean \"lable\"?", errors.get(0).fix());
        assertEquals("did you mean \"txt\"?", errors.get(1).fix());
        assertThrows(UserError.class, () -> with(new Shots(REVIEWS, -1, By.FIRST, 0, "label", "{{ title", "", 0, ""))
                .compose(REVIEW, ITEM, Tokens.NONE));
        assertThrows(UserError.class, () -> with(shots(REVIEWS)).compose(_ -> List.of(new Message("system", "x")), ITEM,
                Tokens.NONE));
    }
}
