package fewsh.weights;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.Gson;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import fewsh.UserError;
import fewsh.tensor.DType;
import fewsh.tensor.Shape;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;

class GgufTest {
    private static final Path GOLDEN = Path.of("src/test/resources/golden/weights");

    @TempDir
    Path folder;

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = {"U8", "BOOL"})
    void decodesEveryEncodingToTheBitsOfTheReference(Encoding encoding) {
        try (Weights weights = Weights.open(GOLDEN.resolve("blocks.gguf"))) {
            Weight weight = weights.get(encoding.name());
            Weight expected = weights.get(encoding.name() + ".expected");
            assertEquals(encoding, weight.encoding());
            assertEquals(expected.shape(), weight.shape());
            assertArrayEquals(bits(expected.floats()), bits(weight.floats()));
        }
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = {"U8", "BOOL"})
    void someRowsAreTheSameAsThoseOfTheWhole(Encoding encoding) {
        try (Weights weights = Weights.open(GOLDEN.resolve("blocks.gguf"))) {
            Weight weight = weights.get(encoding.name());
            float[] whole = weight.floats();
            int columns = (int) weight.columns();
            float[] rows = new float[2 * columns];
            weight.floats(1, 2, MemorySegment.ofArray(rows));
            assertArrayEquals(bits(Arrays.copyOfRange(whole, columns, 3 * columns)), bits(rows));
            assertThrows(IndexOutOfBoundsException.class,
                    () -> weight.floats(weight.rows() - 1, 2, MemorySegment.ofArray(rows)));
        }
    }

    @Test
    void keysOfEveryTypeAreTheReferencesOnes() throws IOException {
        JsonObject expected = new Gson().fromJson(Files.readString(GOLDEN.resolve("metadata.json")), JsonObject.class);
        try (Weights weights = Weights.open(GOLDEN.resolve("blocks.gguf"))) {
            List<String> keys = new ArrayList<>(weights.metadata().keySet());
            assertEquals(List.of("general.architecture", "general.alignment"), keys.subList(0, 2));
            assertEquals(expected.keySet(), weights.metadata().keySet());
            weights.metadata().forEach((key, value) -> assertEquals(java(expected.get(key)), value, key));
        }
    }

    private static Object java(JsonElement json) {
        if (json.isJsonArray()) return json.getAsJsonArray().asList().stream().map(GgufTest::java).toList();
        if (json.getAsJsonPrimitive().isBoolean()) return json.getAsBoolean();
        if (json.getAsJsonPrimitive().isString()) return json.getAsString();
        String number = json.getAsString();
        if (number.matches("-?[0-9]+")) return json.getAsLong();
        return json.getAsDouble();
    }

    @Test
    void metadataOutlivesTheFile() {
        Object tokens;
        Object scores;
        Path path = new GgufFile().put("tokens", List.of("a", "é")).put("scores", List.of(0.5f, -1f))
                .write(folder.resolve("a.gguf"));
        try (Weights weights = Weights.open(path)) {
            tokens = weights.metadata().get("tokens");
            scores = weights.metadata().get("scores");
        }
        assertEquals(List.of("a", "é"), tokens);
        assertEquals(List.of(0.5, -1.0), scores);
    }

    @Test
    void uint64BeyondLongIsNotNegative() {
        byte[] bytes = new GgufFile().put("seed", -1L).bytes();
        bytes[24 + 8 + 4] = 10;
        try (Weights weights = open(bytes)) {
            assertEquals(0x1p64, weights.metadata().get("seed"));
        }
    }

    @Test
    void version2IsReadAsVersion3() {
        try (Weights weights = open(new GgufFile().version(2).tensor("w", Encoding.F32, new float[] {1, 2}, 2).bytes())) {
            assertArrayEquals(new float[] {1, 2}, weights.get("w").floats());
        }
    }

    @Test
    void aFileWithoutTensorsIsRead() {
        try (Weights weights = open(new GgufFile().put("general.architecture", "bert").bytes())) {
            assertEquals(List.of(), weights.names());
            assertEquals("bert", weights.metadata().get("general.architecture"));
            assertError("no tensor \"w\" (0 found)", () -> weights.get("w"));
        }
    }

    @Test
    void anyFileOfASplitModelOpensAll() {
        for (int i = 0; i < 3; i++)
            new GgufFile().put("split.no", (short) i).put("split.count", (short) 3).put("part", i)
                    .tensor("w" + i, Encoding.F32, new float[] {i}, 1)
                    .write(folder.resolve("m-0000" + (i + 1) + "-of-00003.gguf"));
        try (Weights weights = Weights.open(folder.resolve("m-00002-of-00003.gguf"))) {
            assertEquals(List.of("w0", "w1", "w2"), weights.names());
            assertEquals(0L, weights.metadata().get("part"));
            assertArrayEquals(new float[] {2}, weights.get("w2").floats());
        }
    }

    @Test
    void refusesSplitModelsThatAreNotWhole() {
        GgufFile part = new GgufFile().put("split.no", (short) 0).put("split.count", (short) 2);
        assertRefused("one of 2 files of a split model, but its name does not say so", part.bytes());
        Path first = part.write(folder.resolve("m-00001-of-00002.gguf"));
        assertError("no such file", () -> Weights.open(first));
        part.write(folder.resolve("m-00002-of-00002.gguf"));
        assertError("not part 2 of a model split in 2", () -> Weights.open(first));
    }

    @Test
    void shapesAreOutermostFirst() {
        try (Weights weights = open(new GgufFile().tensor("w", Encoding.F32, new float[6], 1, 2, 3).bytes())) {
            assertEquals(Shape.of(1, 2, 3), weights.get("w").shape());
            assertEquals(2, weights.get("w").rows());
            assertEquals(24, weights.bytes());
        }
    }

    @Test
    void aPlainWeightIsATensorAndABlockIsNot() {
        try (Weights weights = Weights.open(GOLDEN.resolve("blocks.gguf"))) {
            assertEquals(DType.BFLOAT16, weights.get("BF16").tensor().dtype());
            assertEquals(weights.get("F32").data().address(), weights.get("F32").tensor().data().address());
            assertError("tensor \"Q4_K\" is stored as Q4_K", () -> weights.get("Q4_K").tensor());
            assertError("tensor \"I16\" is stored as I16", () -> weights.get("I16").tensor());
        }
    }

    @Test
    void transposingExchangesTheAxes() {
        try (Weights weights = open(new GgufFile().tensor("w", Encoding.F16, new float[] {1, 2, 3, 4, 5, 6}, 2, 3).bytes());
                Arena arena = Arena.ofConfined()) {
            Weight transposed = weights.get("w").transposed(arena);
            assertEquals(Shape.of(3, 2), transposed.shape());
            assertArrayEquals(new float[] {1, 4, 2, 5, 3, 6}, transposed.floats());
        }
    }

    @Test
    void aMissingNameSuggestsTheNearOnes() {
        byte[] file = new GgufFile().tensor("transformer.ln_f.weight", Encoding.F32, new float[1], 1)
                .tensor("blk.0.attn_q.weight", Encoding.F32, new float[1], 1).bytes();
        try (Weights weights = open(file)) {
            assertTrue(weights.contains("transformer.ln_f.weight"));
            UserError prefix = assertThrows(UserError.class, () -> weights.get("ln_f.weight"));
            assertEquals("no tensor \"ln_f.weight\" (2 found)", prefix.what());
            assertEquals("did you mean \"transformer.ln_f.weight\"?", prefix.fix());
            assertEquals("did you mean \"blk.0.attn_q.weight\"?",
                    assertThrows(UserError.class, () -> weights.get("blk.0.attn_k.weight")).fix());
            assertEquals("names here are like \"transformer.ln_f.weight\", \"blk.0.attn_q.weight\"",
                    assertThrows(UserError.class, () -> weights.get("x")).fix());
        }
    }

    @Test
    void refusesOtherVersionsByteOrdersAndFiles() {
        assertRefused("byte 4: GGUF version 1 is not supported", new GgufFile().version(1).bytes());
        assertRefused("byte 4: GGUF version 4 is not supported", new GgufFile().version(4).bytes());
        assertRefused("byte 4: a big-endian GGUF file", new GgufFile().version(Integer.reverseBytes(3)).bytes());
        assertRefused("not a GGUF file: it is empty", new byte[0]);
        assertRefused("not a GGUF file: it is a web page or XML", ascii("<!doctype html>"));
        assertRefused("not a GGUF file: it is a Git LFS pointer", ascii("version https://git-lfs.github.com/spec/v1"));
        assertRefused("not a GGUF file: it starts with 67 67", ascii("gg"));
        assertError("no such file", () -> Weights.open(folder.resolve("none.gguf")));
        assertError("no weights in this folder", () -> Weights.open(folder));
    }

    @Test
    void refusesTensorTypesThatAreNotReadByName() {
        UserError unread = assertThrows(UserError.class,
                () -> open(entry(new GgufFile.Entry("w", 23, new long[] {256}, 0, new byte[136]))));
        assertTrue(unread.what().endsWith("tensor \"w\" has type IQ4_XS (23), which is not supported"), unread.what());
        assertTrue(unread.fix().contains("Q6_K (14)"), unread.fix());
        assertRefused("has type 4294967295, which", entry(new GgufFile.Entry("w", -1, new long[] {1}, 0, new byte[4])));
    }

    @Test
    void refusesTensorsThatDoNotFitTheFile() {
        assertRefused("tensor \"w\" ends beyond the file: 8 bytes at offset 0, the tensor data has 4",
                entry(new GgufFile.Entry("w", 0, new long[] {2}, 0, new byte[4])));
        assertRefused("tensor \"w\" ends beyond the file",
                entry(new GgufFile.Entry("w", 0, new long[] {1}, 1L << 40, new byte[4])));
        assertRefused("tensor \"w\" has offset 9223372036854775808, not a multiple of 32",
                entry(new GgufFile.Entry("w", 0, new long[] {1}, Long.MIN_VALUE, new byte[4])));
        assertRefused("tensor \"w\" has offset 4, not a multiple of 32",
                entry(new GgufFile.Entry("w", 0, new long[] {1}, 4, new byte[8])));
        assertRefused("tensor \"w\" has shape [4294967296, 4294967296], which is larger than any file",
                entry(new GgufFile.Entry("w", 0, new long[] {1L << 32, 1L << 32}, 0, new byte[4])));
        assertRefused("tensor \"w\" has shape [18446744073709551615], which is larger than any file",
                entry(new GgufFile.Entry("w", 0, new long[] {-1}, 0, new byte[4])));
        assertRefused("tensor \"w\" has rows of 48, Q4_0 needs a multiple of 32",
                entry(new GgufFile.Entry("w", 2, new long[] {48, 2}, 0, new byte[54])));
        assertRefused("tensor \"w\" has 5 axes, at most 4",
                entry(new GgufFile.Entry("w", 0, new long[] {1, 1, 1, 1, 1}, 0, new byte[4])));
    }

    @Test
    void refusesTensorsThatShareBytesOrNames() {
        assertRefused("tensors \"a\" and \"b\" overlap", new GgufFile()
                .entry(new GgufFile.Entry("a", 0, new long[] {16}, 0, new byte[64]))
                .entry(new GgufFile.Entry("b", 0, new long[] {16}, 32, new byte[64])).bytes());
        assertRefused("tensor \"a\" occurs twice", new GgufFile().tensor("a", Encoding.F32, new float[1], 1)
                .tensor("a", Encoding.F32, new float[1], 1).bytes());
        assertRefused("key \"a\" occurs twice", twoKeys());
    }

    private static byte[] twoKeys() {
        byte[] bytes = new GgufFile().put("a", true).put("b", true).bytes();
        bytes[24 + 8 + 1 + 4 + 1 + 8] = 'a';
        return bytes;
    }

    @Test
    void refusesLengthsThatDoNotFitTheFile() {
        assertRefused("4294967295 tensors, at most", patched(new GgufFile().bytes(), 8, 0xFFFF_FFFFL));
        assertRefused("18446744073709551615 keys, at most", patched(new GgufFile().bytes(), 16, -1));
        assertRefused("a key takes 6 bytes, 0 are left", patched(new GgufFile().bytes(), 16, 1, 6));
        byte[] text = new GgufFile().put("k", "v").bytes();
        assertRefused("the value of \"k\" takes 9223372036854775807 bytes, 1 are left", patched(text, 37, Long.MAX_VALUE));
        byte[] list = new GgufFile().put("k", List.of(1, 2)).bytes();
        assertRefused("the list \"k\" has 2305843009213693953 values, 8 bytes are left", patched(list, 41, (1L << 61) + 1));
        byte[] texts = new GgufFile().put("k", List.of("v")).bytes();
        assertRefused("the list \"k\" has 9223372036854775807 strings", patched(texts, 41, Long.MAX_VALUE));
        assertRefused("the list \"k\" has 134217728 strings, 9 bytes are left", patched(texts, 41, 1 << 27));
        assertRefused("the list \"k\" takes 18446744073709551615 bytes", patched(texts, 49, -1));
        Object nested = List.of();
        for (int i = 0; i < 5; i++) nested = List.of(nested);
        assertRefused("the list \"k\" is nested deeper than 4", new GgufFile().put("k", nested).bytes());
        List<Object> many = new ArrayList<>(Collections.nCopies(70_000, List.of()));
        assertRefused("the list \"k\" has 70000 lists", new GgufFile().put("k", many).bytes());
        assertRefused("general.alignment is 12, which is not a power", new GgufFile().put("general.alignment", 12).bytes());
        assertRefused("general.alignment is x,", new GgufFile().put("general.alignment", "x").bytes());
    }

    @Test
    void refusesNamesThatAreNotText() {
        byte[] bytes = new GgufFile().put("k", 1).bytes();
        bytes[32] = (byte) 0xFF;
        assertRefused("byte 24: a key is not UTF-8", bytes);
    }

    @Test
    void everyTruncationIsAUserError() {
        byte[] whole = new GgufFile().put("general.architecture", "llama").put("tokens", List.of("a", "bc"))
                .put("types", List.of(1, 2)).tensor("w", Encoding.Q4_0, new float[64], 2, 32).bytes();
        for (int length = 0; length < whole.length; length++) {
            byte[] part = Arrays.copyOf(whole, length);
            assertThrows(UserError.class, () -> open(part).close(), "cut to " + length);
        }
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = {"U8", "BOOL", "I64", "I32", "I16", "I8"})
    void theTestsOwnEncoderIsNearItsInput(Encoding encoding) {
        Random random = new Random(7);
        float[] values = new float[1024];
        for (int i = 0; i < values.length; i++) values[i] = (float) random.nextGaussian();
        try (Weights weights = open(new GgufFile().tensor("w", encoding, values, 2, 512).bytes())) {
            float[] decoded = weights.get("w").floats();
            double error = 0;
            for (int i = 0; i < values.length; i++) error += Math.pow(values[i] - decoded[i], 2);
            double bound = switch (encoding) {
                case F64, F32 -> 0;
                case F16, BF16, Q8_0 -> 0.006;
                case Q6_K -> 0.03;
                case Q5_0, Q5_1, Q5_K -> 0.06;
                case Q4_0, Q4_1, Q4_K -> 0.12;
                case Q3_K -> 0.25;
                case Q2_K -> 0.35;
                case I64, I32, I16, I8, U8, BOOL -> throw new AssertionError();
            };
            assertTrue(Math.sqrt(error / values.length) <= bound, encoding + " " + Math.sqrt(error / values.length));
        }
    }

    private static byte[] entry(GgufFile.Entry entry) {
        return new GgufFile().entry(entry).bytes();
    }

    /// `bytes` with int64s written from `at` on, longer where needed.
    private static byte[] patched(byte[] bytes, int at, long... values) {
        byte[] longer = Arrays.copyOf(bytes, Math.max(bytes.length, at + 8 * values.length));
        ByteBuffer.wrap(longer).order(ByteOrder.LITTLE_ENDIAN).position(at).slice().order(ByteOrder.LITTLE_ENDIAN).asLongBuffer()
                .put(values);
        return longer;
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private static int[] bits(float[] floats) {
        int[] bits = new int[floats.length];
        for (int i = 0; i < bits.length; i++) bits[i] = Float.floatToIntBits(floats[i]);
        return bits;
    }

    private Weights open(byte[] bytes) {
        try {
            return Weights.open(Files.write(folder.resolve("file.gguf"), bytes));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void assertRefused(String message, byte[] bytes) {
        UserError error = assertError(message, () -> open(bytes).close());
        assertEquals(folder.resolve("file.gguf").toString(), error.where());
    }

    private static UserError assertError(String message, Executable executable) {
        UserError error = assertThrows(UserError.class, executable);
        assertTrue(error.what().contains(message), error.what());
        return error;
    }
}
