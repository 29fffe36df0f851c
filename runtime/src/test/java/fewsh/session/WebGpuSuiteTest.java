package fewsh.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fewsh.UserError;
import fewsh.WebGpu;
import fewsh.graph.GraphBuilder;
import fewsh.graph.Value;
import fewsh.onnx.OnnxFile;
import fewsh.store.Home;
import fewsh.tensor.DType;
import fewsh.tensor.Shape;
import fewsh.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Sessions on WebGPU: what runs where, what goes wrong, and that no order of ending things ends the process.
@WebGpu.Suite
class WebGpuSuiteTest {
    private static final int WIDTH = 64;

    @TempDir
    Path folder;

    private static Session.Options options() {
        return Session.Options.of(Device.parse("webgpu"), 1).withPlugins(Home.of(System.getenv()).providers());
    }

    /// y = logSoftmax(x w) with w all ones; x has `rows` rows.
    private static Path product(Path folder, Object rows) throws IOException {
        GraphBuilder g = new GraphBuilder("product");
        Value x = g.input("x", DType.FLOAT32, Shape.named(rows, WIDTH));
        g.output("y", g.logSoftmax(g.matMul(x, g.initializer("w", ones(WIDTH, WIDTH))), -1));
        Path file = Files.createTempDirectory(folder, "model").resolve("model.onnx");
        OnnxFile.write(g.build(), file);
        return file;
    }

    private static Tensor ones(int rows, int columns) {
        float[] ones = new float[rows * columns];
        Arrays.fill(ones, 1);
        return Tensor.ofFloat32(ones, rows, columns);
    }

    private static void assertRuns(Session session) {
        Tensor y = Tensor.ofFloat32(new float[2 * WIDTH], 2, WIDTH);
        try (Session.Bound bound = session.bind(Map.of("x", ones(2, WIDTH)), Map.of("y", y))) {
            assertTrue(bound.run());
        }
        for (float value : y.toFloats()) assertEquals(-Math.log(WIDTH), value, 1e-5);
    }

    @Test
    void whatThePluginLacksRunsOnTheCpuAndIsCounted() throws IOException {
        try (Session session = Session.open(product(folder, 2), options())) {
            assertRuns(session);
            assertEquals("webgpu 1 node, cpu 1 (LogSoftmax)", session.placement().toString());
        }
    }

    @Test
    void sessionsCloseInAnyOrder() throws IOException {
        for (int order = 0; order < 2; order++) {
            Session first = Session.open(product(folder, 2), options());
            Session second = Session.open(product(folder, 2), options());
            assertRuns(first);
            (order == 0 ? first : second).close();
            assertRuns(order == 0 ? second : first);
            (order == 0 ? second : first).close();
        }
    }

    @Test
    void anInterruptedRunIsNoFailureAndTheNextOneRuns() throws IOException {
        try (Session session = Session.open(product(folder, 2), options())) {
            Tensor y = Tensor.ofFloat32(new float[2 * WIDTH], 2, WIDTH);
            try (Session.Bound bound = session.bind(Map.of("x", ones(2, WIDTH)), Map.of("y", y))) {
                bound.interrupt();
                assertFalse(bound.run());
            }
            assertRuns(session);
        }
    }

    /// 100,000² float32 between two nodes, 40 GB.
    @Test
    void whatDoesNotFitIntoTheDeviceIsSaid() throws IOException {
        GraphBuilder g = new GraphBuilder("large");
        Value x = g.input("x", DType.FLOAT32, Shape.named("n", 1));
        g.output("y", g.reduceSum(g.add(x, g.transpose(x, 1, 0)), false, 0, 1));
        Path file = folder.resolve("large.onnx");
        OnnxFile.write(g.build(), file);
        try (Session session = Session.open(file, options());
                Session.Bound bound = session.bind(Map.of("x", ones(100_000, 1)), Map.of("y", Tensor.ofFloat32(new float[1])))) {
            UserError e = assertThrows(UserError.class, bound::run);
            assertTrue(e.getMessage().startsWith("--device webgpu: the device's memory does not hold it ("), e.getMessage());
        }
    }

    @Test
    void anotherDeviceThanTheOneThePluginChoosesIsRefused() throws IOException {
        Path file = product(folder, 2);
        Session.Options second = Session.Options.of(Device.parse("webgpu:1"), 1).withPlugins(options().plugins());
        UserError e = assertThrows(UserError.class, () -> Session.open(file, second).close());
        assertEquals("--device webgpu:1: the plugin chooses among several GPUs itself", e.getMessage());
    }

    /// Without one of what a machine must have: the words of `fewsh doctor`.
    @ParameterizedTest
    @CsvSource({"LD_LIBRARY_PATH, there is no adapter that the plugin can use",
            "VK_DRIVER_FILES, there is no adapter that the plugin can use",
            "ORT_WEBGPU_EP_ALLOW_SOFTWARE_ADAPTER, the plugin finds no GPU here"})
    void doctorSaysWhatIsMissing(String variable, String said) throws Exception {
        if (System.getenv(variable) == null) return;        // a machine with a GPU needs none of them
        String out = child(Set.of(variable), "doctor");
        assertTrue(out.contains("available=false") && out.contains(said) && out.contains("libvulkan1"), out);
    }

    @ParameterizedTest
    @ValueSource(strings = {"exit", "return", "killed"})
    void theProcessEndsAsItWantsToWhileARunIsUnderWay(String how) throws Exception {
        assertEquals("ran\n", child(Set.of(), how));
    }

    /// Runs [Child] in a process without `unset`; returns what it prints.
    private String child(Set<String> unset, String what) throws Exception {
        Path out = folder.resolve("out.txt");
        ProcessBuilder child = new ProcessBuilder(ProcessHandle.current().info().command().orElseThrow(),
                "--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow",
                "-XX:ErrorFile=" + folder.resolve("crash"), "-cp", System.getProperty("java.class.path"), Child.class.getName(), what, product(folder, "n").toString())
                .redirectOutput(out.toFile()).redirectError(ProcessBuilder.Redirect.DISCARD);
        child.environment().keySet().removeAll(unset);
        Process process = child.start();
        if (what.equals("killed")) {
            while (process.isAlive() && !read(out).contains("ran")) Thread.sleep(100);
            process.destroy();
        }
        int code = switch (what) {
            case "exit" -> 7;
            case "killed" -> 128 + 15;
            default -> 0;
        };
        assertEquals(code, process.waitFor(), () -> read(out));
        return read(out);
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static final class Child {
        public static void main(String[] args) throws InterruptedException {
            if (args[0].equals("doctor")) {
                System.out.println(Device.all(Home.of(System.getenv()).providers()).get(Device.Provider.WEBGPU.ordinal()));
                return;
            }
            Session session = Session.open(Path.of(args[1]), options());
            Tensor x = ones(20_000, WIDTH);
            Tensor y = ones(20_000, WIDTH);
            Session.Bound bound = session.bind(Map.of("x", x), Map.of("y", y));
            bound.run();
            System.out.println("ran");
            Thread runs = Thread.ofPlatform().daemon(true).start(() -> {
                while (true) bound.run();
            });
            Thread.sleep(300);
            if (args[0].equals("exit")) System.exit(7);
            if (args[0].equals("killed")) runs.join();
            assertTrue(runs.isAlive());
        }
    }
}
