package fewsh.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import com.google.protobuf.CodedOutputStream;
import com.sun.management.ThreadMXBean;
import fewsh.UserError;
import fewsh.graph.Graph;
import fewsh.graph.GraphBuilder;
import fewsh.graph.Op;
import fewsh.graph.OperatorCases;
import fewsh.graph.Value;
import fewsh.tensor.DType;
import fewsh.tensor.Shape;
import fewsh.tensor.Tensor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/// What is written reads back equal; what comes from elsewhere gives a graph or a [UserError], soon and in bounded memory.
class OnnxFileTest {
    /// Generous for a file of a few KiB, and nothing like what a count in it can claim.
    private static final long MOST_BYTES = 4 << 20;

    @TempDir
    Path folder;

    static List<OperatorCases.Case> cases() {
        return OperatorCases.all();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void graphsOfEveryOperatorReadBackEqual(OperatorCases.Case row) throws IOException {
        Path file = folder.resolve("model.onnx");
        OnnxFile.write(row.graph(), file);
        assertSame(row.graph(), OnnxFile.read(file));
    }

    @Test
    void largeInitializersAreReadFromTheDataFile() throws IOException {
        Graph graph = mixed();
        Path file = folder.resolve("model.onnx");
        OnnxFile.write(graph, file);
        assertTrue(Files.size(file) < 4096);
        assertEquals(4096 + 4 * 600, Files.size(folder.resolve("model.onnx.data")));
        assertSame(graph, OnnxFile.read(file));
    }

    /// Records compare tensors by where they lie, this by what they hold.
    private static void assertSame(Graph expected, Graph got) {
        assertEquals(expected.toString(), got.toString());
        assertEquals(expected.name(), got.name());
        assertEquals(expected.inputs(), got.inputs());
        assertEquals(expected.nodes(), got.nodes());
        assertEquals(expected.outputs(), got.outputs());
        assertEquals(List.copyOf(expected.initializers().keySet()), List.copyOf(got.initializers().keySet()));
        expected.initializers().forEach((name, want) -> {
            Tensor t = got.initializers().get(name);
            assertEquals(want.dtype(), t.dtype(), name);
            assertEquals(want.shape(), t.shape(), name);
            assertEquals(-1, want.data().mismatch(t.data()), name);
        });
    }

    private static Graph mixed() {
        GraphBuilder g = new GraphBuilder("mixed");
        g.scope("block.0");
        Value x = g.input("x", DType.FLOAT32, Shape.named("batch", "sequence", 30));
        Value large = g.initializer("w.large", ramp(30, 20));
        Value larger = g.initializer("w.larger", ramp(20, 30));
        Value small = g.initializer("w.small", ramp(30));
        Value y = g.matMul(g.matMul(x, large), larger);
        g.output("sum", g.add(g.reshape(y, 0, -1, 30), small));
        g.output("norm", g.apply(new Op.SkipLayerNormalization(1e-5f), x, y, small, small).getLast());
        g.output("whole", g.cast(g.gelu(y), DType.INT32));
        return g.build();
    }

    private static Tensor ramp(long... sizes) {
        float[] values = new float[(int) Shape.of(sizes).count()];
        for (int i = 0; i < values.length; i++) values[i] = i / 7f;
        return Tensor.ofFloat32(values, sizes);
    }

    @Test
    void damagedFilesGiveAGraphOrAUserError() throws IOException {
        int runs = Integer.getInteger("fuzz.runs", 4000);
        Path file = folder.resolve("model.onnx");
        OnnxFile.write(mixed(), file);
        byte[] whole = Files.readAllBytes(file);
        int graphs = 0;
        int errors = 0;
        for (int run = 0; run < runs; run++) {
            byte[] bytes = damaged(whole, new Random(run));
            Files.write(file, bytes);
            int seed = run;
            boolean read = assertTimeoutPreemptively(Duration.ofSeconds(20), () -> reads(file, seed), "seed " + seed);
            if (read) graphs++;
            else errors++;
        }
        assertTrue(graphs > 0 && errors > runs / 4, graphs + " graphs, " + errors + " errors");
    }

    private static boolean reads(Path file, int seed) throws IOException {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();
        try {
            Graph graph = OnnxFile.read(file);
            assertTrue(threads.getCurrentThreadAllocatedBytes() - before < MOST_BYTES, "seed " + seed);
            return !graph.toString().isEmpty();
        } catch (UserError e) {
            assertTrue(threads.getCurrentThreadAllocatedBytes() - before < MOST_BYTES, "seed " + seed);
            assertTrue(e.where().matches(".*model\\.onnx(\\.data)?"), "seed " + seed + ": " + e.where());
            return false;
        } catch (RuntimeException | Error e) {
            return fail("seed " + seed, e);
        }
    }

    /// Bits flipped, the end cut off, bytes that may be lengths made large, a piece left out, doubled or replaced by noise.
    private static byte[] damaged(byte[] whole, Random random) {
        byte[] bytes = whole.clone();
        for (int times = 1 + random.nextInt(3); times > 0; times--) {
            int at = random.nextInt(bytes.length);
            int length = Math.min(1 + random.nextInt(12), bytes.length - at);
            switch (random.nextInt(6)) {
                case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
                case 1 -> bytes = Arrays.copyOf(bytes, Math.max(1, at));
                case 2 -> Arrays.fill(bytes, at, at + Math.min(5, length), (byte) 0xff);
                case 3 -> {
                    byte[] shorter = Arrays.copyOf(bytes, bytes.length - length + 1);
                    System.arraycopy(bytes, at + length, shorter, at, bytes.length - at - length);
                    bytes = shorter;
                }
                case 4 -> {
                    byte[] longer = Arrays.copyOf(bytes, bytes.length + length);
                    System.arraycopy(bytes, at, longer, at + length, bytes.length - at);
                    bytes = longer;
                }
                case 5 -> {
                    byte[] noise = new byte[length];
                    random.nextBytes(noise);
                    System.arraycopy(noise, 0, bytes, at, length);
                }
                default -> throw new AssertionError();
            }
        }
        return bytes;
    }

    /// Where a hostile model may point.
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "../secret | 0 | 16 | outside the model's folder",
        "sub/../../secret | 0 | 16 | outside the model's folder",
        "/etc/passwd | 0 | 16 | outside the model's folder",
        "link | 0 | 16 | outside the model's folder",
        "linked/secret | 0 | 16 | outside the model's folder",
        "data | 8 | 16 | takes 16 bytes from byte 8, the file has 16",
        "data | 17 | 16 | takes 16 bytes from byte 17, the file has 16",
        "data | -1 | 16 | takes 16 bytes from byte -1, the file has 16",
        "data | 0 | -16 | takes -16 bytes from byte 0, the file has 16",
        "data | 9223372036854775807 | 16 | takes 16 bytes from byte 9223372036854775807, the file has 16",
        "data | 16 | 9223372036854775807 | takes 9223372036854775807 bytes from byte 16, the file has 16",
        "data | 0 | 12 | takes 16 bytes, got 12",
        "data | zero | 16 | zero",
        "data | 0 | 99999999999999999999 | 99999999999999999999",
        "missing | 0 | 16 | no file",
        "sub | 0 | 16 | no file",
        "'' | 0 | 16 | no file",
        "a\0b | 0 | 16 | not an ONNX model that can be read",
        "fifo | 0 | 16 | no file"})
    void dataElsewhereOrBeyondTheEndIsRefused(String location, String offset, String length, String expected) throws Exception {
        Path inner = Files.createDirectories(folder.resolve("model"));
        Files.createDirectories(inner.resolve("sub"));
        Files.write(folder.resolve("secret"), new byte[16]);
        Files.write(inner.resolve("data"), new byte[16]);
        Files.createSymbolicLink(inner.resolve("link"), folder.resolve("secret"));
        Files.createSymbolicLink(inner.resolve("linked"), folder);
        assertEquals(0, new ProcessBuilder("mkfifo", inner.resolve("fifo").toString()).start().waitFor());
        Path file = inner.resolve("model.onnx");
        Files.write(file, external(location.replace("\\0", "\0"), offset, length));
        UserError e = assertTimeoutPreemptively(Duration.ofSeconds(20),
                () -> assertThrows(UserError.class, () -> OnnxFile.read(file)));
        assertTrue(e.getMessage().contains(expected), e.getMessage());
    }

    @Test
    void dataBesideTheModelIsMapped() throws IOException {
        Files.write(folder.resolve("data"), new byte[32]);
        Path file = folder.resolve("model.onnx");
        Files.write(file, external("./data", "16", "16"));
        assertEquals(Shape.of(4), OnnxFile.read(file).initializers().get("w").shape());
        Path linked = Files.createSymbolicLink(folder.resolveSibling(folder.getFileName() + "-link"), folder);
        assertEquals(Shape.of(4), OnnxFile.read(linked.resolve("model.onnx")).initializers().get("w").shape());
        Files.delete(linked);
    }

    /// A model of one initializer, float32[4], with its data elsewhere.
    private static byte[] external(String location, String offset, String length) {
        return message(model -> model.writeByteArray(7, message(graph -> graph.writeByteArray(5, message(t -> {
            t.writeInt64(1, 4);
            t.writeInt32(2, 1);
            t.writeString(8, "w");
            for (var entry : Map.of("location", location, "offset", offset, "length", length).entrySet())
                t.writeByteArray(13, message(e -> {
                    e.writeString(1, entry.getKey());
                    e.writeString(2, entry.getValue());
                }));
            t.writeInt32(14, 1);
        })))));
    }

    /// An initializer whose sizes say more than the file holds.
    @ParameterizedTest
    @CsvSource({"1099511627776", "9223372036854775807", "-1", "-9223372036854775808"})
    void sizesThatTheBytesDoNotFillAreRefused(long size) throws IOException {
        Path file = folder.resolve("model.onnx");
        Files.write(file, message(model -> model.writeByteArray(7, message(graph -> graph.writeByteArray(5, message(t -> {
            t.writeInt64(1, size);
            t.writeInt64(1, 3);
            t.writeInt32(2, 1);
            t.writeString(8, "w");
            t.writeByteArray(9, new byte[12]);
        }))))));
        assertThrows(UserError.class, () -> OnnxFile.read(file));
    }

    @Test
    void deepNestingIsRefused() throws IOException {
        byte[] groups = new byte[1 << 20];
        Arrays.fill(groups, (byte) (100 << 3 & 0x7f | 3 | 0x80));
        for (int i = 1; i < groups.length; i += 2) groups[i] = 6;
        Path file = folder.resolve("model.onnx");
        Files.write(file, groups);
        assertThrows(UserError.class, () -> OnnxFile.read(file));
    }

    @Test
    void fileTooLargeForAModelIsRefusedUnread() throws IOException {
        Path file = folder.resolve("model.onnx");
        try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
            sparse.setLength(3L << 30);
        }
        UserError e = assertThrows(UserError.class, () -> OnnxFile.read(file));
        assertTrue(e.getMessage().contains("3221225472 bytes"), e.getMessage());
    }

    @Test
    void operatorThatIsNoneOfOursIsNamed() throws IOException {
        Path file = folder.resolve("model.onnx");
        Files.write(file, message(model -> model.writeByteArray(7, message(graph -> graph.writeByteArray(1,
                message(n -> n.writeString(4, "Loop")))))));
        UserError e = assertThrows(UserError.class, () -> OnnxFile.read(file));
        assertTrue(e.getMessage().contains("operator \"Loop\" is not known"), e.getMessage());
        Files.write(file, "<!doctype html>".getBytes(StandardCharsets.UTF_8));
        assertTrue(assertThrows(UserError.class, () -> OnnxFile.read(file)).where().endsWith("model.onnx"));
        Files.write(file, new byte[0]);
        assertTrue(assertThrows(UserError.class, () -> OnnxFile.read(file)).what().contains("it holds no graph"));
    }

    private interface Fields {
        void write(CodedOutputStream out) throws IOException;
    }

    private static byte[] message(Fields fields) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        CodedOutputStream out = CodedOutputStream.newInstance(bytes);
        try {
            fields.write(out);
            out.flush();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        return bytes.toByteArray();
    }
}
