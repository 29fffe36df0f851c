package fewsh.weights;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import fewsh.UserError;
import fewsh.tensor.Shape;
import fewsh.tensor.ShapeException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class BlocksTest {
    private static final Path GOLDEN = Path.of("src/test/resources/golden/weights");

    private final Arena arena = Arena.ofShared();

    @AfterEach
    void free() {
        arena.close();
    }

    private static Stream<Arguments> held() {
        return Stream.of(Encoding.values()).flatMap(encoding -> Stream.of(4, 8)
                .filter(bits -> Blocks.holds(encoding, bits)).map(bits -> Arguments.of(encoding, bits)));
    }

    @Test
    void whatTheLayoutHoldsIsAsDocumented() {
        assertEquals("[Q4_0 4, Q4_0 8, Q4_1 4, Q4_1 8, Q5_0 8, Q5_1 8, Q8_0 8, Q4_K 4, Q4_K 8, Q5_K 8]",
                held().map(a -> a.get()[0] + " " + a.get()[1]).toList().toString());
    }

    @ParameterizedTest
    @MethodSource("held")
    void holdsTheVeryNumbersOfTheFile(Encoding encoding, int bits) {
        try (Weights weights = Weights.open(GOLDEN.resolve("blocks.gguf"))) {
            Blocks blocks = Blocks.of(weights.get(encoding.name()), bits, arena);
            assertTrue(blocks.exact());
            assertEquals(encoding.hasMinimum(), blocks.offsets() != null);
            assertNumbers(weights.get(encoding.name() + ".expected").floats(), blocks);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 8})
    void theOperatorMultipliesByTheNumbersOfTheBlocks(int bits) throws OrtException {
        for (Encoding encoding : List.of(Encoding.F32, Encoding.Q4_1)) {
            Blocks blocks = Blocks.of(random(encoding, 5, 96, 3), bits, arena);
            boolean withOffsets = blocks.offsets() != null;
            assertEquals(encoding == Encoding.Q4_1, withOffsets);
            float[] w = blocks.dequantise();
            float[] x = floats(96, 4);
            float[] y = multiply(GOLDEN.resolve("matmul" + bits + ".onnx"), x, blocks);
            for (int n = 0; n < 5; n++) {
                double expected = 0;
                for (int k = 0; k < 96; k++) expected += (double) x[k] * w[n * 96 + k];
                double offset = 0;
                for (int k = 0; k < 96 && withOffsets; k++)
                    offset += (double) x[k] * blocks.offsets().getAtIndex(ValueLayout.JAVA_FLOAT, n * 3 + k / 32);
                assertEquals(expected, y[n] + offset, 1e-5, encoding + " row " + n);
            }
        }
    }

    private static float[] multiply(Path model, float[] x, Blocks blocks) throws OrtException {
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        int perRow = blocks.columns() / Blocks.BLOCK;
        Map<String, OnnxTensor> inputs = new HashMap<>();
        try (OrtSession session = environment.createSession(model.toString())) {
            inputs.put("x", OnnxTensor.createTensor(environment, FloatBuffer.wrap(x), new long[] {1, x.length}));
            inputs.put("quants", OnnxTensor.createTensor(environment, blocks.quants().asByteBuffer(),
                    new long[] {blocks.rows(), perRow, 4 * blocks.bits()}, OnnxJavaType.UINT8));
            inputs.put("scales", OnnxTensor.createTensor(environment,
                    FloatBuffer.wrap(blocks.scales().toArray(ValueLayout.JAVA_FLOAT)), new long[] {blocks.rows() * perRow}));
            try (OrtSession.Result result = session.run(inputs)) {
                return ((float[][]) result.get(0).getValue())[0];
            }
        } finally {
            inputs.values().forEach(OnnxTensor::close);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"F32", "F16", "BF16", "Q2_K", "Q3_K", "Q6_K"})
    void eightBitsRoundToTheNearest(Encoding encoding) {
        Weight weight = random(encoding, 7, 512, 1);
        Blocks blocks = Blocks.of(weight, 8, arena);
        assertFalse(blocks.exact());
        assertNull(blocks.offsets());
        float[] expected = weight.floats();
        float[] actual = blocks.dequantise();
        for (int i = 0; i < expected.length; i++) {
            float largest = 0;
            for (int j = i / 32 * 32; j < i / 32 * 32 + 32; j++) largest = Math.max(largest, Math.abs(expected[j]));
            assertEquals(expected[i], actual[i], largest / 127 / 2 * (1 + 1e-4));
        }
    }

    @Test
    void fourBitsAreNeverWorseThanThePlainScale() {
        for (int seed = 0; seed < 200; seed++) {
            Weight weight = random(Encoding.F32, 1, 32, seed);
            Weight plain = new Weight("plain", Encoding.Q4_0, Shape.of(1, 32),
                    MemorySegment.ofArray(Encode.floats(Encoding.Q4_0, weight.floats())));
            double error = error(weight.floats(), Blocks.of(weight, 4, arena).dequantise());
            assertTrue(error <= error(weight.floats(), plain.floats()) * (1 + 1e-6), "seed " + seed);
        }
    }

    @Test
    void fourBitsOfNormalNumbersHaveOneTwentiethLessErrorThanThePlainScale() {
        float[] values = floats(32 * 1000, 5);
        Weight plain = random(Encoding.Q4_0, 1000, 32, 5);
        double error = Math.sqrt(error(values, Blocks.of(weight(values, 1000, 32), 4, arena).dequantise()));
        double plainError = Math.sqrt(error(values, plain.floats()));
        assertTrue(error < 0.95 * plainError, error + " of " + plainError);
    }

    @ParameterizedTest
    @ValueSource(floats = {1f, -0.37f, 1e-30f, 3e37f})
    void fourBitsHoldAllSixteenLevels(float scale) {
        float[] values = new float[32];
        for (int i = 0; i < 32; i++) values[i] = scale * (i % 16 - 8);
        float[] actual = Blocks.of(weight(values, 1, 32), 4, arena).dequantise();
        for (int i = 0; i < 32; i++) assertEquals(values[i], actual[i], Math.abs(values[i]) * 1e-6);
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 8})
    void zerosAndTheSmallestNumbersStayFinite(int bits) {
        assertArrayEquals(new float[64], Blocks.of(weight(new float[64], 2, 32), bits, arena).dequantise());
        float[] tiny = new float[32];
        Arrays.fill(tiny, Float.MIN_VALUE);
        for (float value : Blocks.of(weight(tiny, 1, 32), bits, arena).dequantise()) assertEquals(0, value, 2e-45);
        float[] huge = new float[32];
        Arrays.fill(huge, -1e38f);
        for (float value : Blocks.of(weight(huge, 1, 32), bits, arena).dequantise())
            assertEquals(-1e38f, value, 1e32);
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 8})
    void whatIsNotFiniteStaysSo(int bits) {
        for (float value : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
            float[] values = floats(64, 6);
            values[40] = value;
            float[] actual = Blocks.of(weight(values, 1, 64), bits, arena).dequantise();
            assertFalse(Float.isFinite(actual[40]));
            for (int i = 0; i < 32; i++) assertTrue(Float.isFinite(actual[i]));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 8})
    void aRowThatIsNotWholeBlocksIsPaddedWithZero(int bits) {
        float[] values = floats(3 * 40, 7);
        Blocks blocks = Blocks.of(weight(values, 3, 40), bits, arena);
        assertEquals(3 * 2 * 4 * bits, blocks.quants().byteSize());
        assertEquals(3 * 2 * Float.BYTES, blocks.scales().byteSize());
        double error = error(values, blocks.dequantise());
        assertTrue(Math.sqrt(error / values.length) < (bits == 8 ? 0.01 : 0.1));
        byte zero = (byte) (bits == 8 ? 0x80 : 0x88);
        byte[] quants = blocks.quants().toArray(ValueLayout.JAVA_BYTE);
        for (int row = 0; row < 3; row++)
            for (int i = bits; i < 4 * bits; i++) assertEquals(zero, quants[(row * 2 + 1) * 4 * bits + i]);
    }

    @Test
    void rowsComeInTheOrderAsked() {
        Weight weight = random(Encoding.Q4_1, 6, 64, 8);
        int[] order = {5, 0, 3, 3};
        float[] expected = new float[4 * 64];
        float[] all = weight.floats();
        for (int i = 0; i < order.length; i++) System.arraycopy(all, order[i] * 64, expected, i * 64, 64);
        Blocks blocks = Blocks.of(weight, 4, order, arena);
        assertEquals(4, blocks.rows());
        assertArrayEquals(expected, blocks.dequantise());
        assertThrows(ShapeException.class, () -> Blocks.of(weight, 4, new int[] {6}, arena));
        assertThrows(ShapeException.class, () -> Blocks.of(weight, 4, new int[] {-1}, arena));
    }

    @Test
    void stackedPartsKeepTheirNumbersWhateverTheirEncodings() {
        Weight q = random(Encoding.Q4_K, 3, 256, 9);
        Weight k = random(Encoding.Q4_0, 2, 256, 10);
        Weight v = random(Encoding.Q6_K, 2, 256, 11);
        Blocks exact = Blocks.stack(List.of(new Blocks.Rows(q, new int[] {2, 1, 0}), Blocks.Rows.all(k)), 4, arena);
        assertTrue(exact.exact());
        assertNotNull(exact.offsets());
        float[] rows = exact.dequantise();
        assertArrayEquals(Arrays.copyOf(q.floats(), 256), Arrays.copyOfRange(rows, 2 * 256, 3 * 256), 1e-6f);
        assertArrayEquals(plusZero(k.floats()), plusZero(Arrays.copyOfRange(rows, 3 * 256, 5 * 256)));

        Blocks mixed = Blocks.stack(List.of(Blocks.Rows.all(q), Blocks.Rows.all(v)), 4, arena);
        assertFalse(mixed.exact());
        assertArrayEquals(q.floats(), Arrays.copyOf(mixed.dequantise(), 3 * 256), 1e-6f);
        float[] alone = Blocks.of(v, 4, arena).dequantise();
        float[] below = Arrays.copyOfRange(mixed.dequantise(), 3 * 256, 5 * 256);
        for (int i = 0; i < alone.length; i++) assertEquals(alone[i], below[i], 1e-6);
        Weight narrow = random(Encoding.F32, 1, 32, 12);
        assertThrows(ShapeException.class, () -> Blocks.stack(List.of(Blocks.Rows.all(q), Blocks.Rows.all(narrow)), 4, arena));
    }

    /// To the bit without offsets; with them each is a sum rounded to float32.
    private static void assertNumbers(float[] expected, Blocks blocks) {
        float[] actual = blocks.dequantise();
        assertEquals(expected.length, actual.length);
        for (int i = 0; i < expected.length; i++) {
            float largest = 0;
            for (int j = i / 32 * 32; j < i / 32 * 32 + 32; j++) largest = Math.max(largest, Math.abs(expected[j]));
            assertEquals(expected[i], actual[i], blocks.offsets() == null ? 0 : 1e-6f * largest, "element " + i);
        }
    }

    /// -0 as 0.
    private static float[] plusZero(float[] values) {
        for (int i = 0; i < values.length; i++) values[i] += 0f;
        return values;
    }

    @Test
    void manyThreadsPackTheSameAsOne() {
        for (Encoding encoding : List.of(Encoding.Q4_1, Encoding.F32)) {
            Weight weight = random(encoding, 300, 512, 13);
            Blocks shared = Blocks.of(weight, 4, arena);
            try (Arena confined = Arena.ofConfined()) {
                Blocks single = Blocks.of(weight, 4, confined);
                assertEquals(-1, single.quants().mismatch(shared.quants()));
                assertEquals(-1, single.scales().mismatch(shared.scales()));
            }
        }
    }

    @Test
    void axesBeforeTheLastCountAsRows() {
        Weight weight = random(Encoding.Q8_0, 6, 32, 14);
        Weight experts = new Weight("experts", Encoding.Q8_0, Shape.of(2, 3, 32), weight.data());
        assertArrayEquals(weight.floats(), Blocks.of(experts, 8, arena).dequantise());
    }

    @Test
    void refusesWhatNoMatrixProductTakes() {
        Weight empty = new Weight("w", Encoding.F32, Shape.of(1L << 40, 0), MemorySegment.ofArray(new float[0]));
        assertThrows(UserError.class, () -> Blocks.of(empty, 4, arena));
        assertThrows(IllegalArgumentException.class, () -> Blocks.of(random(Encoding.F32, 1, 32, 1), 2, arena));
    }

    private static Weight random(Encoding encoding, int rows, int columns, int seed) {
        byte[] data = Encode.floats(encoding, floats(rows * columns, seed));
        return new Weight("w" + seed, encoding, Shape.of(rows, columns), segment(data));
    }

    private static Weight weight(float[] values, int rows, int columns) {
        return new Weight("w", Encoding.F32, Shape.of(rows, columns), segment(Encode.floats(Encoding.F32, values)));
    }

    private static MemorySegment segment(byte[] data) {
        return MemorySegment.ofArray(data);
    }

    private static float[] floats(int count, int seed) {
        Random random = new Random(seed);
        float[] values = new float[count];
        IntStream.range(0, count).forEach(i -> values[i] = (float) random.nextGaussian());
        return values;
    }

    private static double error(float[] expected, float[] actual) {
        double error = 0;
        for (int i = 0; i < expected.length; i++) error += Math.pow((double) expected[i] - actual[i], 2);
        return error;
    }
}
