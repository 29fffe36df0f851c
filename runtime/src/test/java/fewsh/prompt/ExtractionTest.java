package fewsh.prompt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fewsh.UserError;
import fewsh.prompt.Extraction.Kind;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ExtractionTest {
    private static final List<String> ANIMALS = List.of("a cat", "the dog", "a cat-fish");

    private static Extraction of(Kind kind) {
        return new Extraction(kind, "", List.of());
    }

    private static Extraction options(List<String> options) {
        return new Extraction(Kind.OPTION, "", options);
    }

    private static Extraction regex(String pattern) {
        return new Extraction(Kind.REGEX, pattern, List.of());
    }

    private static String found(Extraction extraction, String text) {
        return extraction.find(text).orElse(null);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            1,234.50                                            | 1234.5
            -3                                                  | -3
            −3 degrees                                          | -3
            $18                                                 | 18
            $1,000.00 a month                                   | 1000
            -$5                                                 | -5
            $-5                                                 | -5
            18%                                                 | 18
            .5                                                  | 0.5
            0.50                                                | 0.5
            -0                                                  | 0
            007                                                 | 7
            1/2                                                 | 0.5
            2/6                                                 | 1/3
            -1/3                                                | -1/3
            1 1/2 cups                                          | 1.5
            5/0                                                 | 5
            24/7                                                | 24/7
            1e3                                                 | 1000
            2.5E-1                                              | 0.25
            1e3x                                                | 3
            She has 3 apples, eats 1, 2 left                    | 2
            5-3=2.                                              | 2
            10 - 3                                              | 3
            the range 5-7                                       | 7
            1,2,3                                               | 3
            1,234,56                                            | 56
            12345,678                                           | 678
            3/5/2021                                            | 2021
            GPT-4                                               | 4
            The answer is 18. That is 9 * 2.                    | 18
            The answer is $1,200.                               | 1200
            First the answer is 3. No, the answer is 4 + 0      | 4
            The answer (arabic numerals) is 8 (2 more than 6)   | 8
            Answer: 5 or so, 6                                  | 5
            There are 48/2 = <<48/2=24>>24 clips. #### 72       | 72
            18 is what we get, so the answer is that.           | 18
            no number at all                                    |
            twenty                                              |
            ''                                                  |
            """)
    void numbers(String text, String expected) {
        assertEquals(expected, found(of(Kind.NUMBER), text));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            The answer is (B).                       | the dog
            (B)                                      | the dog
            ( b )                                    | the dog
            b)                                       | the dog
            B                                        | the dog
            B.                                       | the dog
            **B**                                    | the dog
            B. the dog                               | the dog
            It must be option B                      | the dog
            Choice c is right                        | a cat-fish
            answer: C                                | a cat-fish
            ' : B'                                   | the dog
            The answer is B because of the cat.      | the dog
            The answer is a cat.                     | a cat
            the answer is A CAT                      | a cat
            A cat-fish, not the dog? The answer is: a catfish | a cat-fish
            (A) no, (C)                              | a cat-fish
            Not (A). So the dog it is, a cat is not  | a cat
            THE DOG                                  | the dog
            the, dog!                                | the dog
            a «cat»                                  | a cat
            a catfish                                | a cat-fish
            a catalogue                              |
            the dogs                                 |
            A man walks in                           |
            I say D.                                 |
            (D)                                      |
            nothing                                  |
            Vitamin B.                               | the dog
            """)
    void optionsByLetterOrWords(String text, String expected) {
        assertEquals(expected, found(options(ANIMALS), text));
    }

    @Test
    void optionsInLongerOptionsAreNotMentioned() {
        Extraction sentiment = options(List.of("positive", "very positive"));
        assertEquals("very positive", found(sentiment, "It is very positive."));
        assertEquals("positive", found(sentiment, "It is very positive. Or rather positive."));
        assertEquals("Guilty of Romance", found(options(List.of("Guilty", "Guilty of Romance")), "Guilty of Romance"));
        assertEquals("Guilty", found(options(List.of("Guilty", "Guilty of Romance")), "Guilty"));
    }

    @Test
    void optionsWithoutLettersAreTakenAsTheyAre() {
        assertEquals("-3", found(options(List.of("3", "-3")), "it is -3"));
        assertEquals("3", found(options(List.of("3", "-3")), "it is 3."));
        assertEquals(null, found(options(List.of("3", "30")), "it is 3.5 or 300"));
        assertEquals("<", found(options(List.of("<", ">")), "a < b"));
        assertEquals("C++", found(options(List.of("C", "C++")), "I like c++"));
    }

    @Test
    void optionsThatAreLettersAreMentionedByTheirOwn() {
        Extraction letters = options(List.of("(P)", "(Q)"));
        assertEquals("(Q)", found(letters, "So the answer is Q."));
        assertEquals(null, found(letters, "So the answer is (B)."));
        assertEquals("D", found(options(List.of()), "the answer is (D)."));
        assertEquals("D", found(options(List.of()), "d)"));
    }

    @Test
    void yesAndNoAreWords() {
        Extraction yesNo = options(List.of("yes", "no"));
        assertEquals("yes", found(yesNo, "There is no doubt: Yes."));
        assertEquals("no", found(yesNo, "I know that yesterday it was not. So the answer is no, not yes."));
        assertEquals(null, found(yesNo, "nobody knows"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            2021-03-05                                     | 2021-03-05
            2021/3/5                                       | 2021-03-05
            March 5, 2021                                  | 2021-03-05
            Mar. 5th 2021                                  | 2021-03-05
            5 Mar 2021                                     | 2021-03-05
            the 5th of march, 2021                         | 2021-03-05
            03/05/2021                                     | 2021-03-05
            25/12/2021                                     | 2021-12-25
            05.03.2021                                     | 2021-03-05
            12-24-1999                                     | 1999-12-24
            02/29/2020                                     | 2020-02-29
            02/29/2021                                     |
            13/13/2021                                     |
            It was 05/01/2021, so the answer is 05/02/2021, not 05/03/2021. | 2021-05-02
            from 01/01/2020 to 02/01/2020                  | 2020-02-01
            May 2021                                       |
            Sept 1, 1939                                   | 1939-09-01
            112/05/20212                                   |
            """)
    void dates(String text, String expected) {
        assertEquals(expected, found(of(Kind.DATE), text));
    }

    @Test
    void textsAreGivenAsTheyAreAndComparedWithoutWhatDoesNotMatter() {
        Extraction text = of(Kind.TEXT);
        for (String same : List.of("Paris", " paris. ", "\"Paris.\"", "\"Paris\".", "“PARIS”", "'paris'")) {
            assertEquals(same.strip(), found(text, same));
            assertEquals("paris", text.key(found(text, same)), same);
        }
        assertEquals("new york", text.key("New\n  York"));
        assertEquals("and so on...", text.key("And so on..."));
        assertEquals("\"a\" or b", text.key("\"a\" or b."));
        assertEquals(null, found(text, " \n"));
        assertEquals("First.", found(of(Kind.LINE), "\n  First. \nSecond"));
        assertEquals("first", of(Kind.LINE).key("First."));
        assertEquals("12.5", of(Kind.NUMBER).key("12.5"));
        assertEquals(null, found(of(Kind.LINE), "\n \n"));
    }

    @Test
    void aPatternGivesItsLastMatchAndTheFirstGroupThatTookPart() {
        assertEquals("4", found(regex("answer is (\\d+)"), "answer is 3, no: answer is 4"));
        assertEquals("b", found(regex("(a)|(b)"), "a b"));
        assertEquals("ab", found(regex("ab"), "x ab "));
        assertEquals("7", found(regex("(?P<n>\\d)"), "7"));
        assertEquals(null, found(regex("z"), "abc"));
        assertEquals(null, found(regex("( *)$"), "abc  "));
    }

    @Test
    void aPatternThatRunsAwayIsGivenUp() {
        String text = "a".repeat(5000) + "b";
        for (String pattern : List.of("(a+)+$", "(a|a)*$", "(.*)(.*)(.*)(.*)(.*)x", "(?:(?:){99999}){99999}", "^{2000000000}",
                "(a|b|a)*c"))
            Assertions.assertTimeoutPreemptively(Duration.ofSeconds(10),
                    () -> assertThrows(UserError.class, () -> regex(pattern).find(text), pattern), pattern);
        UserError e = assertThrows(UserError.class, () -> regex("(a+)+$").find(text));
        assertTrue(e.what().contains("(a+)+$") && e.fix().contains("repeats"), e.what());
    }

    @Test
    void aPatternThatIsNoneIsNamed() {
        UserError e = assertThrows(UserError.class, () -> regex("(").find("x"));
        assertTrue(e.what().contains("cannot be read"), e.what());
        assertThrows(UserError.class, () -> regex("(".repeat(100_000)).find("x"));
    }

    @Property(tries = 300)
    void anyTextIsReadWithoutFailing(@ForAll String text) {
        for (Kind kind : Kind.values())
            if (kind != Kind.REGEX) assertTrue(of(kind).find(text).map(answer -> !answer.isEmpty()).orElse(true));
        options(ANIMALS).find(text).ifPresent(answer -> assertTrue(ANIMALS.contains(answer)));
    }

    @Property(tries = 300)
    void aNormalisedNumberIsItsOwnAnswer(@ForAll long whole, @ForAll short cents) {
        Extraction number = of(Kind.NUMBER);
        Optional<String> found = number.find("so %,d.%02d".formatted(whole, Math.abs(cents % 100)));
        assertEquals(new java.math.BigDecimal(whole + "."
                + "%02d".formatted(Math.abs(cents % 100))).stripTrailingZeros().toPlainString()
                .replaceFirst("^-?0$", "0"), found.orElseThrow());
        assertEquals(found, number.find(found.orElseThrow()));
    }

    @Test
    void longAnswersTakeLittle() {
        String digits = "1".repeat(200_000);
        String commas = "1,111".repeat(50_000);
        String words = "a cat ".repeat(50_000);
        Assertions.assertTimeoutPreemptively(Duration.ofSeconds(20), () -> {
            for (String text : List.of(digits, commas, words, "answer ".repeat(50_000), "(".repeat(200_000),
                    "1/".repeat(100_000)))
                for (Kind kind : Kind.values())
                    if (kind != Kind.REGEX) new Extraction(kind, "", kind == Kind.OPTION ? ANIMALS : List.of()).find(text);
        });
    }
}
