package fewsh.generate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import fewsh.UserError;
import fewsh.models.TinyModels;
import fewsh.prompt.Format;
import fewsh.tokenize.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A vocabulary whose tokens begin and end in the middle of characters and of JSON.
class PiecesTest {
    @TempDir
    static Path folder;

    /// Bytes, and these: GPT-2's letters for the bytes of `{"`, `": `, `", "`, half an é with what stands before, half a cat…
    private static final List<String> PIECES = List.of("{\"", "\":Ġ", "\",Ġ\"", "Ġ", "Ġyes", "yes", "no", "aÃ", "©\"",
            "Ã©", "ðŁ", "ĲI", "ye", "\"}", "[\"a\"", "],", "name", "{}", "null", "ĠĠ");

    private static Tokenizer tokenizer(String without) throws IOException {
        Path made = TinyModels.llama(folder.resolve("llama" + without), 1);
        Path file = made.resolve("tokenizer.json");
        JsonObject json = JsonParser.parseString(Files.readString(file)).getAsJsonObject();
        JsonObject vocabulary = json.getAsJsonObject("model").getAsJsonObject("vocab");
        int id = TinyModels.VOCAB;
        for (String piece : PIECES) if (!vocabulary.has(piece)) vocabulary.addProperty(piece, id++);
        for (char c : without.toCharArray()) vocabulary.addProperty("unused " + c, vocabulary.remove("" + c).getAsInt());
        Files.writeString(file, json.toString());
        return Tokenizer.open(made);
    }

    @Test
    void tokensOfSeveralSymbolsSpellWholeAnswers() throws IOException {
        try (Tokenizer tokenizer = tokenizer("")) {
            Walks.check(tokenizer, 60);
        }
    }

    @Test
    void theShortestAnswerIsCountedInTokens() throws IOException {
        try (Tokenizer tokenizer = tokenizer("")) {
            Pieces pieces = new Pieces(tokenizer, tokenizer.size());
            for (var shortest : Map.of("{}", 1, "yesno", 2, "{\"name\": \"", 4, "[\"a\"],", 2, "yeyes", 2, "é", 1).entrySet()) {
                Automaton automaton = pieces.automaton(new Format.Options(List.of(shortest.getKey())));
                assertEquals(shortest.getValue(), pieces.tokens(automaton, pieces.start(automaton)), shortest.getKey());
            }
        }
    }

    @Test
    void aByteThatNoTokenSpellsIsNotWritten() throws IOException {
        try (Tokenizer tokenizer = tokenizer("q")) {
            Pieces pieces = new Pieces(tokenizer, tokenizer.size());
            assertThrows(UserError.class, () -> pieces.automaton(new Format.Regex("q+")));
            Automaton automaton = pieces.automaton(new Format.Regex("[p-r]{2}"));
            Automaton.State p = pieces.start(automaton).next('p');
            assertTrue(p.next('q') == null && p.next('r') != null);
        }
    }
}
