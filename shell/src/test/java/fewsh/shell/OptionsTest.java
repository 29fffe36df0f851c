package fewsh.shell;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fewsh.UserError;
import java.util.List;
import org.junit.jupiter.api.Test;

class OptionsTest {
    private static Options ask(String... args) {
        return Options.parse("fewsh ask", Commands.options(Commands.program("ask").orElseThrow()), List.of(args), false);
    }

    private static UserError refused(String... args) {
        return assertThrows(UserError.class, () -> ask(args));
    }

    @Test
    void aHyphenIsAcceptedWhereverAnUnderscoreIs() {
        assertEquals("0.5", ask("--top-p", "0.5").get("top_p", ""));
        assertEquals("0.5", ask("--top_p=0.5").get("top_p", ""));
        assertEquals("7", ask("--max-tokens=7").get("max_tokens", ""));
    }

    @Test
    void optionsMayStandBetweenTheWordsAndTheLastOneWins() {
        Options options = ask("Why", "--seed", "1", "is", "--seed", "2", "it?");
        assertEquals("Why is it?", options.text());
        assertEquals("2", options.get("seed", ""));
    }

    @Test
    void everythingAfterTwoHyphensIsWords() {
        assertEquals("--seed 1", ask("--", "--seed", "1").text());
    }

    @Test
    void repeatableOptionsKeepAllValuesWhateverTheyLookLike() {
        assertEquals(List.of("\n", "a,b", "\"q\"", "@file"),
                ask("--stop", "\n", "--stop", "a,b", "--stop=\"q\"", "--stop", "@file")
                .all("stop"));
        assertEquals("-3 degrees", ask("--system", "-3 degrees").get("system", ""));
    }

    @Test
    void anOptionalNumberDoesNotSwallowTheNextWord() {
        Options options = ask("--logprobs", "Why");
        assertEquals("0", options.get("logprobs", ""));
        assertEquals("Why", options.text());
        assertEquals("5", ask("--logprobs", "5", "Why").get("logprobs", ""));
        assertEquals("5", ask("--logprobs=5", "Why").get("logprobs", ""));
        assertEquals("0", ask("Why", "--logprobs").get("logprobs", ""));
    }

    @Test
    void switchesAreThereOrNot() {
        assertTrue(ask("--raw", "x").has("raw"));
        assertFalse(ask("x").has("raw"));
        assertTrue(ask("-v").has("verbose"));
    }

    @Test
    void anUnknownOptionIsNamedWithANearMiss() {
        UserError e = refused("--tempratur", "1");
        assertEquals("unknown option \"--tempratur\"", e.what());
        assertEquals("did you mean \"--temperature\"?", e.fix());
        assertEquals("did you mean \"--top_p\"?", refused("--top-pp=1").fix());
        assertEquals("fewsh ask --help lists the options", refused("--zzzzzz").fix());
    }

    @Test
    void aMissingValueIsNamed() {
        assertEquals("--seed needs a value", refused("Why", "--seed").what());
    }

    @Test
    void wholeNumbersSayWhatTheyWere() {
        UserError e = assertThrows(UserError.class, () -> ask("-n", "two").whole("n", 1, 1));
        assertEquals("n must be a whole number, at least 1, was \"two\"", e.what());
        assertThrows(UserError.class, () -> ask("-n", "0").whole("n", 1, 1));
    }
}
