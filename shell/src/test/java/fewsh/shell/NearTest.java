package fewsh.shell;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

class NearTest {
    private static final List<String> WORDS = List.of("ask", "score", "models", "tokenize");

    @Test
    void aSlipOfTheFingersIsFound() {
        assertEquals("did you mean \"score\"?", Near.fix("socre", WORDS, ""));
        assertEquals("did you mean \"models\"?", Near.fix("model", WORDS, ""));
        assertEquals("did you mean \"tokenize\"?", Near.fix("tokenise", WORDS, ""));
        assertEquals("did you mean \"tokenize\"?", Near.fix("tok", WORDS, ""));
    }

    @Test
    void whatIsNearNothingHasNoSuggestion() {
        assertEquals("see --help", Near.fix("frobnicate", WORDS, "see --help"));
    }

    @Test
    void aSwapIsOneEdit() {
        assertEquals(1, Near.distance("socre", "score"));
        assertEquals(3, Near.distance("", "ask"));
        assertEquals(0, Near.distance("ask", "ask"));
    }
}
