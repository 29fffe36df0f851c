package fewsh.tokenize;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import fewsh.UserError;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Marian's files, made here field by field; ids and texts follow from the pieces' scores.
class MarianFilesTest {
    private static final String VOCAB = "{\"</s>\":0,\"<unk>\":1,\"▁\":2,\"▁he\":3,\"l\":4,\"o\":5,\"lo\":6,\"▁wor\":7,\"ld\":8,"
            + "\">>fr<<\":9,\"▁monde\":10,\"<pad>\":11}";

    @TempDir
    Path folder;

    private static byte[] spm(int modelType, Map<String, Float> pieces) throws IOException {
        ByteString.Output bytes = ByteString.newOutput();
        CodedOutputStream out = CodedOutputStream.newInstance(bytes);
        for (String control : new String[] {"<unk>", "</s>"}) piece(out, control, 0, control.equals("<unk>") ? 2 : 3);
        for (var piece : pieces.entrySet()) piece(out, piece.getKey(), piece.getValue(), 1);
        ByteString.Output trainer = ByteString.newOutput();
        CodedOutputStream settings = CodedOutputStream.newInstance(trainer);
        settings.writeInt32(3, modelType);
        settings.writeString(1, "a field that nobody reads");
        settings.flush();
        out.writeBytes(2, trainer.toByteString());
        out.flush();
        return bytes.toByteString().toByteArray();
    }

    private static void piece(CodedOutputStream to, String text, float score, int type) throws IOException {
        ByteString.Output bytes = ByteString.newOutput();
        CodedOutputStream out = CodedOutputStream.newInstance(bytes);
        out.writeString(1, text);
        out.writeFloat(2, score);
        out.writeEnum(3, type);
        out.flush();
        to.writeBytes(1, bytes.toByteString());
    }

    @BeforeEach
    void write() throws IOException {
        Map<String, Float> source = new LinkedHashMap<>();
        for (String piece : new String[] {"▁", "▁he", "l", "o", "lo", "▁wor", "ld", "x"}) source.put(piece, -2f);
        Files.write(folder.resolve("source.spm"), spm(1, source));
        Files.write(folder.resolve("target.spm"), spm(1, Map.of("▁monde", -1f)));
        Files.writeString(folder.resolve("vocab.json"), VOCAB);
        Files.writeString(folder.resolve("tokenizer_config.json"), "{\"separate_vocabs\":false}");
    }

    private int[] encode(String text) {
        try (Tokenizer tokenizer = Tokenizer.open(folder)) {
            return tokenizer.encode(text, true, false);
        }
    }

    @Test
    void theFewestPiecesOfEqualScoresAreFound() {
        assertArrayEquals(new int[] {3, 4, 6, 7, 8, 0}, encode("hello world"));
        assertArrayEquals(new int[] {3, 4, 6, 7, 8, 0}, encode("  hello   world "));
        assertArrayEquals(new int[] {0}, encode(""));
    }

    @Test
    void aLanguageCodeIsOneToken() {
        assertArrayEquals(new int[] {9, 3, 4, 6, 0}, encode(">>fr<< hello"));
    }

    @Test
    void piecesWithoutAnIdAndPiecesOfTheTargetAloneAreUnknown() {
        assertArrayEquals(new int[] {3, 1, 6, 0}, encode("hexlo"));
        assertArrayEquals(new int[] {2, 1, 5, 1, 0}, encode("monde"));
    }

    @Test
    void answersAreSpelledByTheWholeVocabulary() {
        try (Tokenizer tokenizer = Tokenizer.open(folder)) {
            assertEquals("hello monde", tokenizer.decode(new int[] {11, 3, 4, 6, 10, 0}, true));
            assertEquals(0, tokenizer.eos().orElse(tokenizer.id("</s>").orElseThrow()));
        }
    }

    @Test
    void aTargetOfItsOwnVocabularyIsDecodedByIt() throws IOException {
        Files.writeString(folder.resolve("tokenizer_config.json"), "{\"separate_vocabs\":true}");
        Files.writeString(folder.resolve("target_vocab.json"), "{\"</s>\":0,\"<unk>\":1,\"▁le\":2,\"▁monde\":3}");
        try (Tokenizer tokenizer = Tokenizer.open(folder)) {
            assertEquals("le monde", tokenizer.decode(new int[] {2, 3}, true));
            assertArrayEquals(new int[] {3, 4, 6, 0}, tokenizer.encode("hello", true, false));
        }
    }

    @Test
    void otherKindsAndVocabulariesWithGapsAreRefused() throws IOException {
        Files.writeString(folder.resolve("vocab.json"), VOCAB.replace("\"<pad>\":11", "\"<pad>\":12"));
        assertTrue(assertThrows(UserError.class, () -> encode("a")).getMessage().contains("id 11"));
        write();
        Files.write(folder.resolve("source.spm"), spm(2, Map.of("▁", -1f)));
        assertTrue(assertThrows(UserError.class, () -> encode("a")).getMessage().contains("model_type"));
        Files.delete(folder.resolve("target.spm"));
        write();
        Files.delete(folder.resolve("target.spm"));
        assertTrue(assertThrows(UserError.class, () -> encode("a")).getMessage().contains("target.spm"));
    }

    @Test
    void damagedFilesEndInAnErrorOrATokenizer() throws IOException {
        Random random = new Random(7);
        byte[] whole = Files.readAllBytes(folder.resolve("source.spm"));
        for (int i = 0; i < 400; i++) {
            byte[] bytes = i % 2 == 0 ? Arrays.copyOf(whole, random.nextInt(whole.length)) : whole.clone();
            if (i % 2 == 1) bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
            Files.write(folder.resolve("source.spm"), bytes);
            try {
                encode("hello world");
            } catch (UserError e) {
                assertTrue(!e.getMessage().isBlank());
            }
        }
    }
}
