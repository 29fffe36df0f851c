package fewsh.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fewsh.UserError;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Names → files, without a connection.
class StoreTest {
    @TempDir
    private Path root;

    @TempDir
    private Path elsewhere;

    private Store store() {
        Catalogue.Entry entry = new Catalogue.Entry("smollm2", "a chat model", "Apache-2.0",
                List.of(new StoredFile("x.gguf", 98_362_432, "0".repeat(64))), List.of(Source.parse("hf:o/n:x.gguf")));
        // an endpoint that would be an error if it were looked at
        return new Store(new Home(root), new Catalogue(List.of(entry)), Map.of("HF_ENDPOINT", "not an endpoint"), PullTest.QUICK);
    }

    private Path folder(String name, String... files) throws IOException {
        Path folder = Files.createDirectories(elsewhere.resolve(name));
        for (String file : files) {
            Files.createDirectories(folder.resolve(file).getParent());
            Files.writeString(folder.resolve(file), file);
        }
        return folder;
    }

    private Model pull(Path path) throws InterruptedException {
        return store().pull(path.toString(), _ -> {});
    }

    private static UserError fails(Runnable action) {
        return assertThrows(UserError.class, action::run);
    }

    @Test
    void theHomeIsWhereTheEnvironmentSays() {
        assertEquals(Path.of("/x/y"), Home.of(Map.of("FEWSH_HOME", "/x/y/", "HOME", "/home/u")).root());
        assertEquals(Path.of("/home/u/.fewsh"), Home.of(Map.of("HOME", "/home/u")).root());
        assertEquals(Path.of("/home/u/.fewsh"), Home.of(Map.of("HOME", "/home/u", "FEWSH_HOME", " ")).root());
        assertEquals(Path.of("/home/u/models"), Home.of(Map.of("HOME", "/home/u", "FEWSH_HOME", "~/models")).root());
        assertEquals(Path.of(System.getProperty("user.home"), ".fewsh"), Home.of(Map.of()).root());
        assertEquals("FEWSH_HOME", fails(() -> Home.of(Map.of("FEWSH_HOME", "a\0b"))).where());
        Home home = Home.of(Map.of("HOME", "/h"));
        assertEquals(List.of("models", "cache", "providers", "history", "config.yaml", "runs"),
                List.of(home.models(), home.cache(), home.providers(), home.history(), home.config(), home.runs()).stream()
                        .map(p -> Path.of("/h/.fewsh").relativize(p).toString()).toList());
    }

    @Test
    void lookingChangesNothing() throws IOException {
        store().list();
        fails(() -> store().resolve("smollm2"));
        fails(() -> store().remove("smollm2"));
        try (var all = Files.list(root)) {
            assertEquals(0, all.count());
        }
    }

    @Test
    void aFolderIsReferredToAndNotCopied() throws Exception {
        Path folder = folder("my model", "config.json", "model.safetensors", ".git/x");
        Model model = pull(folder);
        assertEquals("my-model", model.name());
        assertEquals(folder, model.path());
        assertEquals(List.of("config.json", "model.safetensors"), model.files().stream().map(StoredFile::name).toList());
        assertEquals(model, store().resolve("my-model"));
        assertFalse(Files.exists(root.resolve("models/my-model/config.json")));
        store().remove("my-model");
        assertTrue(Files.exists(folder.resolve("model.safetensors")));
        assertEquals(List.of(), store().list().models());
    }

    @Test
    void aFileIsReferredToAndItsChecksumKnown() throws Exception {
        Path file = folder("f", "tiny.gguf").resolve("tiny.gguf");
        Model model = pull(file);
        assertEquals("tiny", model.name());
        assertEquals(file, store().resolve("tiny").path());
        assertEquals(FileServer.sha256("tiny.gguf".getBytes()), model.sha256());
        Files.delete(file);
        UserError error = fails(() -> store().resolve("tiny"));
        assertTrue(error.what().contains("is no longer there"), error.what());
        assertTrue(store().remove("tiny") > 0);
    }

    @Test
    void whatHoldsNoModelIsNotTaken() throws Exception {
        Path folder = folder("f", "readme.txt");
        assertTrue(assertThrows(UserError.class, () -> pull(folder)).what().contains("holds no safetensors"));
        assertTrue(assertThrows(UserError.class, () -> pull(folder.resolve("readme.txt"))).what().contains("is no GGUF"));
        assertFalse(Files.exists(root.resolve("models/f")));
    }

    @Test
    void anotherFolderOfTheSameNameIsNotTakenForTheFirst() throws Exception {
        pull(folder("a/m", "w.gguf"));
        UserError error = assertThrows(UserError.class, () -> pull(folder("b/m", "w.gguf")));
        assertTrue(error.what().contains("is there already, from " + elsewhere.resolve("a/m")), error.what());
        assertEquals(elsewhere.resolve("a/m"), store().resolve("m").path());
    }

    @Test
    void aFolderThatChangedIsLookedAtAgain() throws Exception {
        Path folder = folder("m", "w.gguf");
        String before = pull(folder).sha256();
        Files.writeString(folder.resolve("w.gguf"), "new");
        assertEquals(FileServer.sha256("new".getBytes()), pull(folder).sha256());
        assertFalse(before.equals(store().resolve("m").sha256()));
    }

    @Test
    void aPathIsAModelOfWhichNothingIsKnown() throws Exception {
        Path folder = folder("gpt2", "config.json", "model.safetensors");
        assertEquals(new Model("gpt2", folder, "", "", "", List.of()), store().resolve(folder.toString()));
        Path file = folder("g", "m.gguf").resolve("m.gguf");
        assertEquals(file, store().resolve(file.toString()).path());
        UserError error = fails(() -> store().resolve(folder.resolve("config.json").toString()));
        assertTrue(error.fix().contains("a folder, a .gguf or an .onnx file"), error.fix());
    }

    @Test
    void aPathIntoTheStoreIsTheModelThatIsThere() throws Exception {
        Path folder = Files.createDirectories(root.resolve("models/m"));
        Files.writeString(folder.resolve("w.gguf"), "abc");
        Files.writeString(folder.resolve("model.json"), new Manifest("m", "hf:o/n", "MIT", "2026-01-01T00:00:00Z", "",
                List.of(new StoredFile("w.gguf", 3, FileServer.sha256("abc".getBytes())))).json());
        Model model = store().resolve("m");
        assertEquals(folder.resolve("w.gguf"), model.path());
        assertEquals("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", model.sha256());
        assertEquals(model, store().resolve(folder.toString()));
        assertEquals(model, store().resolve(folder.resolve("w.gguf").toString()));
        assertEquals(model, store().resolve("hf:o/n"));
        Files.writeString(folder.resolve("w.gguf"), "abcd");
        UserError error = fails(() -> store().resolve("m"));
        assertEquals("fewsh pull hf:o/n fetches it again", error.fix());
    }

    @Test
    void theChecksumOfSeveralFilesIsThatOfTheirListing() {
        Model model = new Model("m", root, "", "", "",
                List.of(new StoredFile("b", 1, "b".repeat(64)), new StoredFile("a", 1, "a".repeat(64))));
        assertEquals(FileServer.sha256(("a".repeat(64) + "  a\n" + "b".repeat(64) + "  b\n").getBytes()), model.sha256());
    }

    @Test
    void aFolderPutIntoTheStoreByHandIsAModel() throws Exception {
        Files.createDirectories(root.resolve("models/mine"));
        Files.writeString(root.resolve("models/mine/w.onnx"), "");
        assertEquals(root.resolve("models/mine/w.onnx"), store().resolve("mine").path());
        Files.writeString(root.resolve("models/mine/config.json"), "");
        assertEquals(root.resolve("models/mine"), store().resolve("mine").path());
        assertEquals(1, store().list().models().size());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{", "{}", "[]", "FILES", "FILES3", "FILES[3]", "FILES[{}]",
        "FILES[{'name':'../../etc/passwd','size':1,'sha256':''}]",
        "FILES[{'name':'a','size':1,'sha256':'zz'}]",
        "FILES[{'name':'a','size':-1,'sha256':''}]"})
    void aDamagedManifestSpoilsOnlyItsOwnModel(String manifest) throws Exception {
        pull(folder("good", "w.gguf"));
        Files.createDirectories(root.resolve("models/bad"));
        String start = "{'name':'m','source':'','licence':'','date':'','files':";
        String json = manifest.startsWith("FILES") ? manifest.replace("FILES", start) + "}" : manifest;
        Files.writeString(root.resolve("models/bad/model.json"), json.replace('\'', '"'));
        Store.Listing listing = store().list();
        assertEquals(List.of("good"), listing.models().stream().map(Model::name).toList());
        assertEquals(1, listing.damaged().size());
        assertTrue(listing.damaged().getFirst().what().startsWith("damaged: "), listing.damaged().getFirst().what());
        fails(() -> store().resolve("bad"));
        store().remove("bad");
        assertEquals(0, store().list().damaged().size());
    }

    @Test
    void anUnknownNameIsToldWhatIsNearAndHowToFetchIt() throws Exception {
        assertEquals("fewsh pull smollm2 fetches it (98.4 MB, Apache-2.0)", fails(() -> store().resolve("smollm2")).fix());
        assertEquals("did you mean \"smollm2\"? fewsh pull smollm2", fails(() -> store().resolve("smolm2")).fix());
        assertEquals("did you mean \"smollm2\"? fewsh pull smollm2", fails(() -> store().resolve("SmolLM2")).fix());
        assertTrue(fails(() -> store().resolve("zzz")).fix().contains("fewsh pull smollm2"));
        pull(folder("gpt2", "w.gguf"));
        assertEquals("did you mean \"gpt2\"?", fails(() -> store().resolve("gtp2")).fix());
        assertEquals("no model \"zzz\"", fails(() -> store().resolve("zzz")).what());
        assertTrue(fails(() -> store().resolve("zzz")).fix().startsWith("stored are gpt2;"));
        assertEquals("fewsh pull hf:o/n", fails(() -> store().resolve("hf:o/n")).fix());
    }

    @Test
    void aPullOfNothingThatIsKnownSaysWhatMayBeMeant() {
        assertEquals("did you mean \"smollm2\"?", assertThrows(UserError.class, () -> store().pull("smollm", _ -> {})).fix());
        assertTrue(assertThrows(UserError.class, () -> store().pull("openai/gpt2", _ -> {})).fix()
                .endsWith("fewsh pull hf:openai/gpt2"));
        assertTrue(assertThrows(UserError.class, () -> store().pull("", _ -> {})).fix().contains("the catalogue has smollm2"));
    }

    @Test
    void removingTakesTheModelItsCacheAndItsPartsAndNothingElse() throws Exception {
        pull(folder("a", "w.gguf"));
        pull(folder("a.b", "w.gguf"));
        for (String path : List.of("cache/a/x", "cache/a.b/x", "models/.pull/a/w.part", "models/.pull/a.b/w.part",
                "models/.pull/a+01234567-0123-0123-0123-0123456789ab/w", "runs/a/x")) {
            Files.createDirectories(root.resolve(path).getParent());
            Files.writeString(root.resolve(path), "12345");
        }
        assertTrue(store().remove("a") >= 10);
        for (String gone : List.of("models/a", "cache/a", "models/.pull/a",
                "models/.pull/a+01234567-0123-0123-0123-0123456789ab"))
            assertFalse(Files.exists(root.resolve(gone)), gone);
        for (String kept : List.of("models/a.b/model.json", "cache/a.b/x", "models/.pull/a.b/w.part", "runs/a/x"))
            assertTrue(Files.exists(root.resolve(kept)), kept);
        assertThrows(UserError.class, () -> store().remove("a"));
    }

    @Test
    void theRestOfABrokenPullCanBeRemoved() throws Exception {
        Files.createDirectories(root.resolve("models/.pull/m"));
        Files.writeString(root.resolve("models/.pull/m/w.part"), "12345");
        assertEquals(5, store().remove("m"));
        assertFalse(Files.exists(root.resolve("models/.pull/m")));
    }

    @Test
    void removingALinkLeavesWhatItPointsTo() throws Exception {
        Path folder = folder("real", "w.gguf");
        Files.createDirectories(root.resolve("models"));
        Files.createSymbolicLink(root.resolve("models/link"), folder);
        assertEquals(folder.getFileName().toString(), store().resolve("link").path().toRealPath().getParent().getFileName()
                .toString());
        store().remove("link");
        assertFalse(Files.exists(root.resolve("models/link")));
        assertTrue(Files.exists(folder.resolve("w.gguf")));
    }

    @Test
    void aModelThatIsBeingPulledIsNotRemoved() throws Exception {
        pull(folder("a", "w.gguf"));
        try (Lock _ = Lock.take(new Home(root).models(), "a", () -> {})) {
            assertEquals("is being pulled", fails(() -> store().remove("a")).what());
        }
        store().remove("a");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ".", "..", "../models", "../../etc", "/etc", "a/b", "a\\b", "C:", "C:\\x", "~", ".pull", "-x",
            "a\0b", "a\nb",
        "CON", "nul", "com1.gguf", "LPT9", "a+b", "a@b", "a b", "a.", "é", "a:b", "a*"})
    void aNameThatIsNoneIsNotRemovedNorStored(String name) throws Exception {
        Files.createDirectories(root.resolve("models"));
        Files.writeString(root.resolve("keep"), "");
        assertTrue(fails(() -> store().remove(name)).what().endsWith("is not a model name"));
        assertThrows(UserError.class, () -> store().pull(folder("f", "w.gguf").toString(), name, _ -> {}));
        assertTrue(Files.exists(root.resolve("keep")));
        assertTrue(Files.isDirectory(root.resolve("models")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "..", "a\0b", "CON", "no such", "http://x", "hf:", "pip:x", "https://", "hf:../..", "\u001b[31m"})
    void whatIsNoModelIsAUserErrorWithoutControlCharacters(String name) {
        if (name.equals("..")) return; // a folder that exists
        UserError error = fails(() -> store().resolve(name));
        assertFalse((error.getMessage() + error.fix()).matches("(?s).*[\\p{Cntrl}].*"), error.getMessage());
    }

    @Test
    void aVeryLongNameIsAShortError() {
        String name = "x".repeat(1_000_000);
        assertTrue(fails(() -> store().resolve(name)).getMessage().length() < 500);
        assertTrue(fails(() -> store().remove(name)).getMessage().length() < 500);
        assertTrue(assertThrows(UserError.class, () -> store().pull(name, _ -> {})).getMessage().length() < 500);
    }
}
