package fewsh;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

class UserErrorTest {
    @Test
    void theMessageNamesThePlaceOnlyWhenThereIsOne() {
        assertEquals("a.gguf: truncated", new UserError("a.gguf", "truncated", "").getMessage());
        assertEquals("top_p must be in (0, 1], was 1.5", new UserError("", "top_p must be in (0, 1], was 1.5", "").getMessage());
    }

    private static final List<String> WORDS = List.of("ask", "score", "models", "tokenize");

    @Test
    void aSlipOfTheFingersIsFound() {
        assertEquals("did you mean \"score\"?", UserError.near("socre", WORDS, ""));
        assertEquals("did you mean \"models\"?", UserError.near("model", WORDS, ""));
        assertEquals("did you mean \"tokenize\"?", UserError.near("tokenise", WORDS, ""));
        assertEquals("did you mean \"tokenize\"?", UserError.near("tok", WORDS, ""));
    }

    @Test
    void whatIsNearNothingHasNoSuggestion() {
        assertEquals("see --help", UserError.near("frobnicate", WORDS, "see --help"));
    }

    @Test
    void aSwapIsOneEdit() {
        assertEquals(1, UserError.distance("socre", "score"));
        assertEquals(3, UserError.distance("", "ask"));
        assertEquals(0, UserError.distance("ask", "ask"));
    }
}
