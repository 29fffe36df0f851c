package fewsh.session;

import static java.nio.channels.FileChannel.MapMode.READ_ONLY;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fewsh.UserError;
import fewsh.graph.GraphBuilder;
import fewsh.graph.Op;
import fewsh.graph.Value;
import fewsh.onnx.OnnxFile;
import fewsh.tensor.DType;
import fewsh.tensor.Shape;
import fewsh.tensor.Tensor;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SessionTest {
    private static final Session.Options CPU = Session.Options.of(Device.CPU, 1);

    @TempDir
    Path folder;

    private Path model(Consumer<GraphBuilder> build) throws IOException {
        GraphBuilder g = new GraphBuilder("session");
        build.accept(g);
        Path file = folder.resolve("model.onnx");
        OnnxFile.write(g.build(), file);
        return file;
    }

    /// y = 2 x + w
    private Path small() throws IOException {
        return model(g -> {
            Value x = g.input("x", DType.FLOAT32, Shape.named("batch", 2));
            Value w = g.initializer("w", Tensor.ofFloat32(new float[] {1, 10}, 2));
            g.output("y", g.add(g.add(x, x), w));
        });
    }

    @Test
    void runsAgainWithOtherNumbersInTheSameMemory() throws IOException {
        Tensor x = Tensor.ofFloat32(new float[] {1, 2, 3, 4}, 2, 2);
        Tensor y = Tensor.ofFloat32(new float[4], 2, 2);
        try (Session session = Session.open(small(), CPU); Session.Bound bound = session.bind(Map.of("x", x), Map.of("y", y))) {
            assertTrue(bound.run());
            assertArrayEquals(new float[] {3, 14, 7, 18}, y.toFloats());
            x.data().setAtIndex(ValueLayout.JAVA_FLOAT, 3, -4);
            assertTrue(bound.run());
            assertArrayEquals(new float[] {3, 14, 7, 2}, y.toFloats());
        }
    }

    @Test
    void portsAreWhatTheModelDeclares() throws IOException {
        Path file = model(g -> {
            for (DType dtype : DType.values())
                g.output("to " + dtype, g.cast(g.input("from " + dtype, dtype, Shape.named("batch", 2)), dtype));
        });
        try (Session session = Session.open(file, CPU)) {
            List<DType> all = List.of(DType.values());
            Shape shape = Shape.named("batch", 2);
            assertEquals(all.stream().map(d -> new Session.Port("from " + d, d, shape)).toList(), session.inputs());
            assertEquals(all.stream().map(d -> new Session.Port("to " + d, d, shape)).toList(), session.outputs());
        }
    }

    @Test
    void sessionTakesSeveralBatchesAtOnce() throws IOException {
        try (Session session = Session.open(small(), CPU)) {
            List<Tensor> results = Stream.of(1, 2, 3, 40).parallel().map(rows -> {
                Tensor x = Tensor.ofFloat32(new float[2 * rows], rows, 2);
                Tensor y = Tensor.ofFloat32(new float[2 * rows], rows, 2);
                try (Session.Bound bound = session.bind(Map.of("x", x), Map.of("y", y))) {
                    for (int i = 0; i < 50; i++) assertTrue(bound.run());
                }
                return y;
            }).toList();
            for (Tensor y : results) assertArrayEquals(new float[] {1, 10}, Arrays.copyOf(y.toFloats(), 2));
        }
    }

    /// Token by token into one buffer gives what all tokens at once give.
    @Test
    void cacheThatIsInputAndOutputGrowsInPlace() throws IOException {
        Path file = model(g -> {
            Value qkv = g.input("qkv", DType.FLOAT32, Shape.named("batch", "sequence", 64));
            Shape cache = Shape.named("batch", 1, "capacity", 16);
            Value key = g.input("past_key", DType.FLOAT32, cache);
            Value value = g.input("past_value", DType.FLOAT32, cache);
            List<Value> made = g.apply(new Op.GroupQueryAttention(2, 1, false, false, -1, 0), qkv, Value.ABSENT, Value.ABSENT,
                    key, value, g.input("seqlens_k", DType.INT32, Shape.named("batch")),
                    g.input("total", DType.INT32, Shape.of()));
            g.output("y", made.get(0));
            g.output("key", made.get(1));
            g.output("value", made.get(2));
        });
        int positions = 6;
        float[] numbers = new float[positions * 64];
        Random random = new Random(3);
        for (int i = 0; i < numbers.length; i++) numbers[i] = (float) random.nextGaussian();
        try (Session session = Session.open(file, CPU)) {
            Tensor atOnce = Tensor.ofFloat32(new float[positions * 32], 1, positions, 32);
            Tensor cache = attend(session, numbers, 0, positions, atOnce, caches());
            Tensor[] grown = caches();
            for (int p = 0; p < positions; p++) {
                Tensor y = Tensor.ofFloat32(new float[32], 1, 1, 32);
                attend(session, Arrays.copyOfRange(numbers, p * 64, (p + 1) * 64), p, 1, y, grown);
                assertArrayEquals(Arrays.copyOfRange(atOnce.toFloats(), p * 32, (p + 1) * 32), y.toFloats(), 1e-5f);
            }
            assertArrayEquals(cache.toFloats(), grown[0].toFloats());
        }
    }

    private static Tensor[] caches() {
        return new Tensor[] {Tensor.ofFloat32(new float[8 * 16], 1, 1, 8, 16), Tensor.ofFloat32(new float[8 * 16], 1, 1, 8, 16)};
    }

    private static Tensor attend(Session session, float[] qkv, int past, int sequence, Tensor y, Tensor[] cache) {
        Map<String, Tensor> in = Map.of("qkv", Tensor.ofFloat32(qkv, 1, sequence, 64),
                "past_key", cache[0], "past_value", cache[1],
                "seqlens_k", Tensor.ofInt32(new int[] {past + sequence - 1}, 1),
                "total", Tensor.ofInt32(new int[] {past + sequence}));
        try (Session.Bound bound = session.bind(in, Map.of("y", y, "key", cache[0], "value", cache[1]))) {
            assertTrue(bound.run());
        }
        return cache[0];
    }

    /// Without the interrupt the run takes minutes.
    @Test
    void interruptEndsALongRun() throws Exception {
        int width = 1024;
        Path file = model(g -> {
            Value x = g.input("x", DType.FLOAT32, Shape.of(width, width));
            Value y = x;
            for (int i = 0; i < 10_000; i++) y = g.matMul(y, x);
            g.output("y", y);
        });
        Tensor x = Tensor.allocate(Arena.ofAuto(), DType.FLOAT32, width, width);
        Tensor y = Tensor.allocate(Arena.ofAuto(), DType.FLOAT32, width, width);
        try (Session session = Session.open(file, CPU); Session.Bound bound = session.bind(Map.of("x", x), Map.of("y", y))) {
            Thread other = Thread.ofPlatform().start(() -> {
                try {
                    Thread.sleep(300);
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
                bound.interrupt();
            });
            assertFalse(assertTimeoutPreemptively(Duration.ofSeconds(60), bound::run));
            other.join();
            assertFalse(bound.run());
        }
    }

    @Test
    void interruptAfterCloseDoesNothing() throws IOException {
        Tensor x = Tensor.ofFloat32(new float[2], 1, 2);
        try (Session session = Session.open(small(), CPU)) {
            Session.Bound bound = session.bind(Map.of("x", x), Map.of("y", Tensor.ofFloat32(new float[2], 1, 2)));
            bound.close();
            bound.close();
            bound.interrupt();
        }
    }

    @Test
    void weightsMayBeHandedOver() throws IOException {
        Path file = model(g -> {
            Value w = g.initializer("w", Tensor.ofFloat32(new float[400], 20, 20));
            g.output("y", g.matMul(g.input("x", DType.FLOAT32, Shape.of(1, 20)), w));
        });
        Files.write(folder.resolve("model.onnx.data"), new byte[0]);        // the runtime wants it to be there
        float[] ones = new float[400];
        Arrays.fill(ones, 1);
        Tensor w = Tensor.ofFloat32(ones, 20, 20);
        Tensor x = Tensor.ofFloat32(Arrays.copyOf(ones, 20), 1, 20);
        Tensor y = Tensor.ofFloat32(new float[20], 1, 20);
        try (Session session = Session.open(file, CPU.withInitializers(Map.of("w", w)));
                Session.Bound bound = session.bind(Map.of("x", x), Map.of("y", y))) {
            assertTrue(bound.run());
        }
        assertEquals(20, y.toFloats()[19]);
    }

    @Test
    void runtimeFailureSaysWhichNode() throws IOException {
        Path file = model(g -> {
            g.scope("embed");
            Value ids = g.input("ids", DType.INT64, Shape.named("sequence"));
            g.output("y", g.gather(g.initializer("w", Tensor.ofFloat32(new float[6], 3, 2)), ids, 0));
        });
        try (Session session = Session.open(file, CPU);
                Session.Bound bound = session.bind(Map.of("ids", Tensor.ofInt64(new long[] {7}, 1)),
                        Map.of("y", Tensor.ofFloat32(new float[2], 1, 2)))) {
            UserError e = assertThrows(UserError.class, bound::run);
            assertTrue(e.getMessage().contains("embed/Gather_0"), e.getMessage());
            assertEquals("model.onnx", e.where());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"x of another rank", "no x", "unknown input", "another dtype"})
    void tensorsThatDoNotFitAreRefused(String what) throws IOException {
        Tensor y = Tensor.ofFloat32(new float[2], 1, 2);
        Tensor x = Tensor.ofFloat32(new float[2], 1, 2);
        Map<String, Tensor> in = switch (what) {
            case "x of another rank" -> Map.of("x", Tensor.ofFloat32(new float[2], 2));
            case "no x" -> Map.of();
            case "unknown input" -> Map.of("x", x, "z", x);
            case "another dtype" -> Map.of("x", Tensor.ofInt64(new long[2], 1, 2));
            default -> throw new AssertionError(what);
        };
        try (Session session = Session.open(small(), CPU); Session.Bound bound = session.bind(in, Map.of("y", y))) {
            assertTrue(assertThrows(UserError.class, bound::run).getMessage().startsWith("model.onnx: onnxruntime: "));
        }
    }

    @Test
    void fileThatIsNoModelIsRefused() throws IOException {
        Path file = small();
        byte[] whole = Files.readAllBytes(file);
        List<byte[]> broken = List.of(new byte[0], "hello".getBytes(), Arrays.copyOf(whole, whole.length / 2),
                HexFormat.of().parseHex("0a".repeat(400)));
        for (byte[] bytes : broken) {
            Files.write(file, bytes);
            UserError e = assertThrows(UserError.class, () -> Session.open(file, CPU).close());
            assertEquals(file.toString(), e.where());
        }
        assertThrows(UserError.class, () -> Session.open(folder.resolve("missing.onnx"), CPU).close());
    }

    @ParameterizedTest
    @CsvSource({"cpu, CPU, 0", "cuda, CUDA, 0", "cuda:1, CUDA, 1", "webgpu:12, WEBGPU, 12"})
    void deviceIsAProviderAndANumber(String text, Device.Provider provider, int index) {
        assertEquals(new Device(provider, index), Device.parse(text));
        assertEquals(text, Device.parse(text).toString());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "gpu", "CUDA", "cuda:", "cuda:x", "cuda:-1", "cuda:1:2", "cuda:12345", " cpu", "cpu:٣"})
    void unknownDeviceIsRefusedWithTheListOfThem(String text) {
        UserError e = assertThrows(UserError.class, () -> Device.parse(text));
        assertEquals("--device: unknown device \"" + text + "\"", e.getMessage());
        for (Device.Provider provider : Device.Provider.values()) assertTrue(e.fix().contains(provider.word()), e.fix());
    }

    @Test
    void absentProviderSaysWhatIsThereAndHowToGetIt() throws IOException {
        Path file = small();
        for (Device.Status status : Device.all(folder.resolve("providers"))) {
            if (status.available()) continue;
            Device device = new Device(status.provider(), 0);
            UserError e = assertThrows(UserError.class, () -> Session.open(file, Session.Options.of(device, 1)).close());
            assertTrue(e.getMessage().matches("--device " + device + ": .*; available: .*cpu.*"), e.getMessage());
            assertEquals(status.detail(), e.fix());
        }
        Device.Status cpu = Device.all(folder).getFirst();
        assertEquals(new Device.Status(Device.Provider.CPU, true, "ONNX Runtime " + Session.version()), cpu);
        Session.Options second = Session.Options.of(Device.parse("cpu:1"), 1);
        UserError e = assertThrows(UserError.class, () -> Session.open(file, second).close());
        assertEquals("--device: there is one cpu, asked for cpu:1", e.getMessage());
    }

    @Test
    void brokenPluginIsNamed() throws IOException {
        Path plugins = Files.createDirectories(folder.resolve("providers"));
        Path plugin = Files.writeString(plugins.resolve("libonnxruntime_providers_webgpu.so"), "no library");
        Path file = small();
        UserError e = assertThrows(UserError.class,
                () -> Session.open(file, Session.Options.of(Device.parse("webgpu"), 1).withPlugins(plugins)).close());
        assertEquals(plugin.toString(), e.where());
    }

    @Test
    void memoryThatTheRuntimeCannotShareIsRefused() throws IOException {
        Tensor x = Tensor.ofFloat32(new float[2], 1, 2);
        Tensor heap = new Tensor(DType.FLOAT32, Shape.of(1, 2), MemorySegment.ofArray(new byte[8]));
        Tensor readOnly = new Tensor(DType.FLOAT32, Shape.of(1, 2), x.data().asReadOnly());
        Path large = folder.resolve("large");
        try (RandomAccessFile sparse = new RandomAccessFile(large.toFile(), "rw")) {
            sparse.setLength(1L << 31);
        }
        try (Session session = Session.open(small(), CPU);
                Arena arena = Arena.ofConfined();
                FileChannel file = FileChannel.open(large)) {
            assertThrows(IllegalArgumentException.class, () -> session.bind(Map.of("x", x), Map.of("y", heap)));
            assertThrows(IllegalArgumentException.class, () -> session.bind(Map.of("x", heap), Map.of("y", x)));
            assertThrows(IllegalArgumentException.class, () -> session.bind(Map.of("x", x), Map.of("y", readOnly)));
            Tensor half = new Tensor(DType.FLOAT32, Shape.of(1L << 28, 2), file.map(READ_ONLY, 0, 1L << 31, arena));
            UserError e = assertThrows(UserError.class, () -> session.bind(Map.of("x", half), Map.of("y", x)));
            assertTrue(e.getMessage().contains("takes 2147483648 bytes"), e.getMessage());
        }
    }

    @Test
    void threadsMustBeAtLeastOne() {
        assertThrows(UserError.class, () -> Session.Options.of(Device.CPU, 0));
    }

    /// What fails is an exception, and what was interrupted a result: the terminal belongs to the shell.
    @ParameterizedTest
    @ValueSource(strings = {"fail", "interrupt", "broken"})
    void runtimePrintsNothing(String what) throws Exception {
        assertEquals("", child(what));
    }

    /// Whatever of this package is used first, in a process whose environment does not switch telemetry off.
    @ParameterizedTest
    @ValueSource(strings = {"open", "devices", "version"})
    void telemetryLeavesNoTrace(String first) throws Exception {
        assertEquals("", child(first));
        assertEquals(List.of(), files(folder.resolve("home")));
        assertEquals(List.of(), files(folder.resolve("tmp")));
    }

    /// Runs [Child] in a process that does not know of this one's settings; returns what it prints.
    private String child(String what) throws Exception {
        Path home = Files.createDirectories(folder.resolve("home"));
        Path temporary = Files.createDirectories(folder.resolve("tmp"));
        Path out = folder.resolve("out.txt");
        ProcessBuilder child = new ProcessBuilder(ProcessHandle.current().info().command().orElseThrow(),
                "--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow",
                "-Duser.home=" + home, "-Djava.io.tmpdir=" + temporary,
                "-cp", System.getProperty("java.class.path"), Child.class.getName(), what, small().toString())
                .redirectErrorStream(true).redirectOutput(out.toFile());
        Map<String, String> environment = child.environment();
        environment.keySet().removeIf(name -> name.startsWith("ORT_") || name.startsWith("XDG_"));
        environment.put("HOME", home.toString());
        environment.put("TMPDIR", temporary.toString());
        assertEquals(0, child.start().waitFor(), () -> read(out));
        return read(out);
    }

    private static List<String> files(Path root) throws IOException {
        try (Stream<Path> all = Files.walk(root)) {
            return all.filter(Files::isRegularFile).map(Path::toString).toList();
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /// A process of its own, which prints nothing itself.
    static final class Child {
        public static void main(String[] args) throws InterruptedException {
            switch (args[0]) {
                case "devices" -> Device.all(Path.of("providers"));
                case "version" -> Session.version();
                case "broken" -> assertThrows(UserError.class, () -> Session.open(Path.of(args[1]).getParent(), CPU));
                case "open", "fail", "interrupt" -> {
                    Tensor x = Tensor.ofFloat32(new float[2], 1, 2);
                    Tensor y = args[0].equals("fail") ? Tensor.ofFloat32(new float[2], 2) : Tensor.ofFloat32(new float[2], 1, 2);
                    try (Session session = Session.open(Path.of(args[1]), CPU);
                            Session.Bound bound = session.bind(Map.of("x", x), Map.of("y", y))) {
                        switch (args[0]) {
                            case "open" -> assertTrue(bound.run());
                            case "fail" -> assertThrows(UserError.class, bound::run);
                            default -> {
                                bound.interrupt();
                                assertFalse(bound.run());
                            }
                        }
                    }
                }
                default -> throw new AssertionError(args[0]);
            }
            Thread.sleep(300);      // what a telemetry thread would need
        }
    }
}
