package fewsh;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class UserErrorTest {
    @Test
    void theMessageNamesThePlaceOnlyWhenThereIsOne() {
        assertEquals("a.gguf: truncated", new UserError("a.gguf", "truncated", "").getMessage());
        assertEquals("top_p must be in (0, 1], was 1.5", new UserError("", "top_p must be in (0, 1], was 1.5", "").getMessage());
    }
}
