package fewsh.tokenize;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;
import fewsh.Shared;
import fewsh.UserError;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The normalizer table of a real SentencePiece model, whole and damaged.
@Shared.Suite("models/tiny/marian")
class PrecompiledSuiteTest {
    @Test
    void aRealTableIsTakenAndADamagedOneNeverEndsTheProcess(@TempDir Path folder) throws Exception {
        byte[] table = charsMap(Files.readAllBytes(Shared.path("models/tiny/marian/source.spm")));
        assertTrue(table.length > 100_000);
        write(folder, table);
        try (Tokenizer tokenizer = Tokenizer.open(folder)) {
            assertArrayEquals(tokenizer.encode("fi ABC1 a", false, false), tokenizer.encode("ﬁ ＡＢＣ① ａ", false, false));
        }
        int refused = 0;
        for (int run = 0; run < 100; run++) {
            Random random = new Random(run);
            byte[] damaged = table.clone();
            for (int i = 0; i < 1 << random.nextInt(12); i++) damaged[random.nextInt(table.length)] = (byte) random.nextInt();
            write(folder, damaged);
            try (Tokenizer tokenizer = Tokenizer.open(folder)) {
                tokenizer.encode("ﬁ ＡＢＣ① ａ é e\u0301 日本 ½ ㌔ ﷺ", false, false);
            } catch (UserError e) {
                refused++;
            }
        }
        assertTrue(refused > 10, "refused " + refused);
        assertThrows(UserError.class, () -> {
            write(folder, java.util.Arrays.copyOf(table, table.length / 2));
            Tokenizer.open(folder).close();
        });
    }

    private static void write(Path folder, byte[] table) throws IOException {
        JsonObject json = Fixtures.json("unigram");
        JsonObject normalizer = new JsonObject();
        normalizer.addProperty("type", "Precompiled");
        normalizer.addProperty("precompiled_charsmap", Base64.getEncoder().encodeToString(table));
        json.add("normalizer", normalizer);
        Files.writeString(folder.resolve("tokenizer.json"), json.toString());
    }

    /// Field `normalizer_spec.precompiled_charsmap` of a SentencePiece model.
    private static byte[] charsMap(byte[] model) throws IOException {
        return field(field(model, 3), 2);
    }

    private static byte[] field(byte[] message, int number) throws IOException {
        CodedInputStream in = CodedInputStream.newInstance(message);
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            if (WireFormat.getTagFieldNumber(tag) == number) return in.readByteArray();
            in.skipField(tag);
        }
        throw new IOException("no field " + number);
    }
}
