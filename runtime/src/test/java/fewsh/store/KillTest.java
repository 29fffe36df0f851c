package fewsh.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fewsh.UserError;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A pull in a process of its own, killed in the middle, again and again.
class KillTest {
    @TempDir
    private Path root;

    /// The process that is killed: `HOME SOURCE`.
    public static final class Puller {
        private Puller() {}

        public static void main(String[] args) throws Exception {
            Store store = new Store(new Home(Path.of(args[0])), new Catalogue(List.of()), Map.of(), PullTest.QUICK);
            store.pull(args[1], "m", _ -> {});
        }
    }

    private Process puller(String source) throws IOException {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        return new ProcessBuilder(java, "-Xmx64m", "-XX:TieredStopAtLevel=1", "-cp", System.getProperty("java.class.path"),
                Puller.class.getName(), root.toString(), source).inheritIO().start();
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2})
    void aPullThatIsKilledAtRandomPointsEndsWithTheSameFile(long seed) throws Exception {
        byte[] file = FileServer.bytes(4_000_000, 1);
        Random random = new Random(seed);
        File part = root.resolve("models/.pull/m/m.gguf.part").toFile();
        try (FileServer server = new FileServer()) {
            String source = server.url("/m.gguf") + "#sha256=" + FileServer.sha256(file);
            server.file("/m.gguf", file).slowly(10);
            for (int kill = 0; kill < 3; kill++) {
                long size = part.length() + random.nextLong(700_000);
                Process process = puller(source);
                while (process.isAlive() && part.length() <= size) Thread.onSpinWait();
                process.destroyForcibly().waitFor();
                assertFalse(Files.exists(root.resolve("models/m")), "seed " + seed + ", kill " + kill);
            }
            assertEquals(0, puller(source).waitFor());
            assertArrayEquals(file, Files.readAllBytes(root.resolve("models/m/m.gguf")), "seed " + seed);
            assertEquals("", server.ranges().getFirst());
            for (String range : server.ranges().subList(1, 4)) assertTrue(range.matches("bytes=\\d+-"), server.ranges()
                    + ", seed " + seed);
            assertEquals(4, server.asked.size());
        }
    }

    /// Near the end: verification, the manifest, renames.
    @Test
    void aPullThatIsKilledWhileItFinishesIsFinishedByTheNext() throws Exception {
        byte[] file = FileServer.bytes(1_000_000, 2);
        Random random = new Random(3);
        try (FileServer server = new FileServer()) {
            String source = server.url("/m.gguf") + "#sha256=" + FileServer.sha256(file);
            AtomicLong sent = new AtomicLong();
            server.file("/m.gguf", file).sent(n -> sent.set(n));
            Store store = new Store(new Home(root), new Catalogue(List.of()), Map.of(), PullTest.QUICK);
            for (int kill = 0; kill < 4; kill++) {
                sent.set(0);
                Process process = puller(source);
                while (process.isAlive() && sent.get() < file.length) Thread.onSpinWait();
                Thread.sleep(0, random.nextInt(999_999));
                if (kill > 1) Thread.sleep(random.nextInt(30));
                process.destroyForcibly().waitFor();
                Path place = root.resolve("models/m/m.gguf");
                if (Files.exists(place)) assertArrayEquals(file, Files.readAllBytes(place));
                assertArrayEquals(file, Files.readAllBytes(store.pull(source, "m", _ -> {}).path()));
                store.remove("m");
            }
        }
    }

    @Test
    void withoutAChecksumAKilledPullGoesOnFromWhatWasRecorded() throws Exception {
        byte[] file = FileServer.bytes(20_000_000, 3);
        AtomicLong sent = new AtomicLong();
        try (FileServer server = new FileServer()) {
            server.file("/m.gguf", file).slowly(1).sent(n -> sent.set(n));
            Process process = puller(server.url("/m.gguf"));
            while (process.isAlive() && sent.get() < 15_000_000) Thread.sleep(1);
            process.destroyForcibly().waitFor();
            assertEquals(0, puller(server.url("/m.gguf")).waitFor());
            assertArrayEquals(file, Files.readAllBytes(root.resolve("models/m/m.gguf")));
            assertTrue(server.ranges().getLast().matches("bytes=\\d{7,8}-"), server.ranges() + "");
            assertEquals("\"v1\"", server.asked.getLast().ifRange());
        }
    }

    @Test
    void twoProcessesThatPullTheSameFetchItOnce() throws Exception {
        byte[] file = FileServer.bytes(3_000_000, 4);
        try (FileServer server = new FileServer()) {
            server.file("/m.gguf", file).slowly(5);
            List<Process> processes = new ArrayList<>();
            for (int i = 0; i < 3; i++) processes.add(puller(server.url("/m.gguf")));
            for (Process process : processes) assertEquals(0, process.waitFor());
            assertArrayEquals(file, Files.readAllBytes(root.resolve("models/m/m.gguf")));
            assertEquals(1, server.asked.size());
        }
    }

    @Test
    void whileAnotherProcessPullsAModelIsNotRemovedAndItsLockDiesWithIt() throws Exception {
        try (FileServer server = new FileServer()) {
            AtomicLong sent = new AtomicLong();
            server.file("/m.gguf", FileServer.bytes(3_000_000, 4)).slowly(50).sent(n -> sent.set(n));
            Process process = puller(server.url("/m.gguf"));
            while (process.isAlive() && sent.get() == 0) Thread.sleep(1);
            Store store = new Store(new Home(root), new Catalogue(List.of()), Map.of(), PullTest.QUICK);
            assertEquals("is being pulled", assertThrows(UserError.class, () -> store.remove("m")).what());
            process.destroyForcibly().waitFor();
            store.remove("m");
            assertFalse(Files.exists(root.resolve("models/.pull/m")));
        }
    }

    /// The shell's limit on a file's size stands in for a disk that becomes full in the middle.
    @Test
    @EnabledOnOs(OS.LINUX)
    void aDiskThatBecomesFullIsAClearErrorThatLeavesNothing() throws Exception {
        try (FileServer server = new FileServer()) {
            server.file("/m.gguf", FileServer.bytes(3_000_000, 4));
            String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
            Process process = new ProcessBuilder("/bin/sh", "-c", "ulimit -f 2000; exec \"$@\"", "sh", java, "-Xmx64m", "-cp",
                    System.getProperty("java.class.path"), Puller.class.getName(), root.toString(), server.url("/m.gguf"))
                    .redirectErrorStream(true).start();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            process.waitFor();
            assertTrue(output.contains("m.gguf.part: no space left"), output);
            assertFalse(Files.exists(root.resolve("models/m")));
            try (Stream<Path> all = Files.list(root.resolve("models/.pull/m"))) {
                assertEquals(0, all.count());
            }
        }
    }
}
