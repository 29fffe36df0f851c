package fewsh.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.sun.net.httpserver.HttpHandler;
import fewsh.UserError;
import fewsh.store.FileServer.Fault;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Repositories of a hub, on a server that answers as the hub does.
class HubTest {
    private static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";
    private static final byte[] WEIGHTS = FileServer.bytes(600_000, 5);
    private static final byte[] CONFIG = "{\"model_type\":\"gpt2\"}".getBytes(StandardCharsets.UTF_8);

    @TempDir
    private Path root;

    private final List<Progress> events = new ArrayList<>();
    private final Map<String, String> environment = new LinkedHashMap<>();
    private FileServer hub;
    private FileServer cdn;

    @BeforeEach
    void start() throws IOException {
        hub = new FileServer();
        cdn = new FileServer();
        environment.put("HF_ENDPOINT", hub.url("/"));
    }

    @AfterEach
    void stop() {
        hub.close();
        cdn.close();
    }

    private Store store(Catalogue.Entry... entries) {
        return new Store(new Home(root), new Catalogue(List.of(entries)), environment, PullTest.QUICK);
    }

    private Model pull(String what) throws InterruptedException {
        return store().pull(what, events::add);
    }

    private UserError fails(String what) {
        return assertThrows(UserError.class, () -> pull(what));
    }

    /// A repository as the hub shows it: large files (over 1000 bytes) by sha256 and on another server, small ones by git's name.
    private void repository(String name, Map<String, byte[]> files) throws Exception {
        JsonObject listing = new JsonObject();
        listing.addProperty("id", name);
        listing.addProperty("sha", COMMIT);
        JsonObject card = new JsonObject();
        card.addProperty("license", "mit");
        listing.add("cardData", card);
        JsonArray siblings = new JsonArray();
        for (var file : files.entrySet()) {
            byte[] bytes = file.getValue();
            JsonObject one = new JsonObject();
            one.addProperty("rfilename", file.getKey());
            one.addProperty("size", bytes.length);
            one.addProperty("blobId", gitSha1(bytes));
            String path = "/" + name + "/resolve/" + COMMIT + "/" + file.getKey();
            if (bytes.length > 1000) {
                JsonObject lfs = new JsonObject();
                lfs.addProperty("sha256", FileServer.sha256(bytes));
                lfs.addProperty("size", bytes.length);
                lfs.addProperty("pointerSize", 134);
                one.add("lfs", lfs);
                hub.at(path, linked(file.getKey(), bytes));
                cdn.file("/" + file.getKey(), bytes);
            } else {
                hub.file(path, bytes).etag("\"" + gitSha1(bytes) + "\"");
            }
            siblings.add(one);
        }
        listing.add("siblings", siblings);
        hub.at("/api/models/" + name + "/revision/main", FileServer.text(200, "application/json", listing.toString()));
    }

    private HttpHandler linked(String file, byte[] bytes) {
        return exchange -> {
            exchange.getResponseHeaders().set("X-Linked-Etag", "\"" + FileServer.sha256(bytes) + "\"");
            exchange.getResponseHeaders().set("X-Linked-Size", bytes.length + "");
            exchange.getResponseHeaders().set("X-Repo-Commit", COMMIT);
            FileServer.redirect(cdn.url("/" + file) + "?X-Signature=secret").handle(exchange);
        };
    }

    private static String gitSha1(byte[] bytes) throws Exception {
        MessageDigest sha1 = MessageDigest.getInstance("SHA-1");
        sha1.update(("blob " + bytes.length + "\0").getBytes(StandardCharsets.UTF_8));
        return Disk.hex(sha1.digest(bytes));
    }

    private static Map<String, byte[]> gpt2() {
        Map<String, byte[]> files = new LinkedHashMap<>();
        files.put(".gitattributes", "x".getBytes(StandardCharsets.UTF_8));
        files.put("README.md", "y".getBytes(StandardCharsets.UTF_8));
        files.put("config.json", CONFIG);
        files.put("model.safetensors", WEIGHTS);
        files.put("pytorch_model.bin", FileServer.bytes(2000, 6));
        files.put("onnx/model.onnx", FileServer.bytes(2000, 7));
        files.put("tokenizer.json", "{}".getBytes(StandardCharsets.UTF_8));
        return files;
    }

    @Test
    void aRepositoryGivesTheFilesAModelNeeds() throws Exception {
        repository("openai-community/gpt2", gpt2());
        Model model = pull("hf:openai-community/gpt2");
        assertEquals("openai-community--gpt2", model.name());
        assertEquals("hf:openai-community/gpt2", model.source());
        assertEquals("mit", model.licence());
        assertEquals(root.resolve("models/openai-community--gpt2"), model.path());
        try (Stream<Path> all = Files.list(model.path())) {
            assertEquals(List.of("config.json", "model.json", "model.safetensors", "tokenizer.json"),
                    all.map(p -> p.getFileName().toString()).sorted().toList());
        }
        assertArrayEquals(WEIGHTS, Files.readAllBytes(model.path().resolve("model.safetensors")));
        assertEquals(model, store().resolve("hf:openai-community/gpt2"));
        assertEquals(model, store().resolve("openai-community--gpt2"));
    }

    @Test
    void apageOfTheHubIsTheRepositoryItShows() {
        assertEquals(Source.parse("hf:a/b"), Source.parse("https://huggingface.co/a/b"));
        assertEquals(Source.parse("hf:a/b:x/y.gguf@v1"), Source.parse("https://huggingface.co/a/b/blob/v1/x/y.gguf"));
        assertEquals(Source.parse("hf:a/b:y.gguf"), Source.parse("https://hf.co/a/b/resolve/main/y.gguf?download=true"));
    }

    @Test
    void theTokenGoesToTheHubAndNowhereElse() throws Exception {
        environment.put("HF_TOKEN", "hf_secret\n");
        repository("o/n", gpt2());
        pull("hf:o/n");
        assertTrue(hub.asked.stream().allMatch(a -> "Bearer hf_secret".equals(a.authorization())), hub.asked + "");
        assertTrue(cdn.asked.stream().allMatch(a -> a.authorization() == null), cdn.asked + "");
        assertEquals(1, cdn.asked.size());
    }

    @Test
    void withoutATokenNoneIsSent() throws Exception {
        repository("o/n", gpt2());
        pull("hf:o/n");
        assertTrue(hub.asked.stream().allMatch(a -> a.authorization() == null));
    }

    @Test
    void anInterruptedRepositoryGoesOnWithTheFileThatWasInterrupted() throws Exception {
        repository("o/n", gpt2());
        cdn.file("/model.safetensors", WEIGHTS).fault(new Fault.Cut(400_000)).fault(new Fault.Status(404));
        fails("hf:o/n");
        pull("hf:o/n");
        assertTrue(cdn.ranges().getLast().matches("bytes=\\d{6}-"), cdn.ranges() + "");
        assertEquals(1, hub.asked.stream().filter(a -> a.path().endsWith("/config.json")).count());
    }

    @Test
    void aSmallFileWithOtherBytesThanGitNamesIsRefused() throws Exception {
        Map<String, byte[]> files = gpt2();
        repository("o/n", files);
        hub.file("/o/n/resolve/" + COMMIT + "/config.json", "{\"model_type\":\"evil\"}".getBytes(StandardCharsets.UTF_8));
        UserError error = fails("hf:o/n");
        assertTrue(error.what().contains("config.json is not the file that was meant: git blob"), error.what());
        assertFalse(Files.exists(root.resolve("models/o--n")));
    }

    @Test
    void aRevisionIsAskedForAndNamed() throws Exception {
        repository("o/n", gpt2());
        hub.at("/api/models/o/n/revision/refs%2Fpr%2F1", exchange -> {
            FileServer.text(200, "application/json", "{\"siblings\":[{\"rfilename\":\"a b.gguf\"}]}").handle(exchange);
        });
        hub.file("/o/n/resolve/refs%2Fpr%2F1/a%20b.gguf", WEIGHTS);
        Model model = pull("hf:o/n@refs/pr/1");
        assertEquals("o--n--refs-pr-1", model.name());
        assertEquals(model.path().getFileName().toString(), "a b.gguf");
        assertEquals(FileServer.sha256(WEIGHTS), model.sha256());
    }

    @Test
    void oneFileOfSeveralIsTakenByNameOrTag() throws Exception {
        Map<String, byte[]> files = new LinkedHashMap<>();
        files.put("README.md", CONFIG);
        files.put("x.Q4_K_M.gguf", WEIGHTS);
        files.put("x.Q8_0.gguf", FileServer.bytes(2000, 8));
        repository("o/n", files);
        UserError error = fails("hf:o/n");
        assertEquals("add :FILE, one of x.Q4_K_M.gguf, x.Q8_0.gguf", error.fix());
        assertEquals("o--n--x.Q4_K_M", pull("hf:o/n:x.Q4_K_M.gguf").name());
        Model byTag = pull("hf:o/n:q4_k_m");
        assertEquals("o--n--q4_k_m", byTag.name());
        assertArrayEquals(WEIGHTS, Files.readAllBytes(byTag.path()));
        assertTrue(fails("hf:o/n:Q5_K_M").what().contains("nothing in the repository is named like \"Q5_K_M\""));
        assertTrue(fails("hf:o/n:y.gguf").what().contains("no file \"y.gguf\""));
    }

    @Test
    void aMirrorWithoutListingsServesOneFile() throws Exception {
        hub.at("/o/n/resolve/main/sub/x.gguf", linked("x.gguf", WEIGHTS));
        cdn.file("/x.gguf", WEIGHTS);
        Model model = pull("hf:o/n:sub/x.gguf");
        assertEquals(FileServer.sha256(WEIGHTS), model.sha256());
        assertEquals("x.gguf", model.path().getFileName().toString());
    }

    @Test
    void anotherFileThanTheCatalogueMeansIsRefusedBeforeItIsSent() throws Exception {
        hub.at("/o/n/resolve/" + COMMIT + "/x.gguf", linked("x.gguf", FileServer.bytes(600_000, 9)));
        FileServer.Served there = cdn.file("/x.gguf", FileServer.bytes(600_000, 9));
        there.slowly(100);
        Catalogue.Entry entry = new Catalogue.Entry("m", "", "MIT",
                List.of(new StoredFile("x.gguf", WEIGHTS.length, FileServer.sha256(WEIGHTS))),
                List.of(Source.parse("hf:o/n:x.gguf@" + COMMIT)));
        UserError error = assertThrows(UserError.class, () -> store(entry).pull("m", events::add));
        assertTrue(error.what().contains("x.gguf is another file there"), error.what());
        assertEquals(1, hub.asked.size());
        assertTrue(events.stream().noneMatch(e -> e instanceof Progress.Receiving));
    }

    @Test
    void refusalsSayWhatToDo() {
        hub.at("/api/models/o/gated/revision/main", FileServer.text(401, "application/json", "{}", "X-Error-Code", "GatedRepo"));
        UserError gated = fails("hf:o/gated");
        assertTrue(gated.fix().contains("accept them at " + hub.url("/o/gated") + ", then set HF_TOKEN"), gated.fix());
        hub.at("/api/models/o/private/revision/main",
                FileServer.text(401, "application/json", "{}", "X-Error-Code", "RepoNotFound"));
        assertTrue(fails("hf:o/private").what().contains("no repository o/private on the hub, or a private one"));
        hub.at("/api/models/o/n/revision/v9", FileServer.text(404, "application/json", "{}", "X-Error-Code", "RevisionNotFound"));
        assertTrue(fails("hf:o/n@v9").what().contains("has no revision \"v9\""));
        assertTrue(fails("hf:o/missing").what().contains("no repository o/missing"));
        environment.put("HF_TOKEN", "hf_old");
        hub.at("/api/models/o/any/revision/main", FileServer.text(401, "application/json", "{}"));
        UserError old = fails("hf:o/any");
        assertEquals("the hub does not take HF_TOKEN", old.what());
        assertFalse((old.what() + old.fix()).contains("hf_old"));
    }

    @Test
    void aTokenThatCannotBeOneIsNotQuoted() {
        environment.put("HF_TOKEN", "two words\u00e9");
        UserError error = fails("hf:o/n");
        assertEquals("HF_TOKEN", error.where());
        assertFalse(error.getMessage().contains("words"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"http://example.com", "ftp://x", "not a url", "https://user:pw@host", "https://", "//x"})
    void anEndpointThatCannotBeOneIsAnError(String endpoint) {
        environment.put("HF_ENDPOINT", endpoint);
        assertEquals("HF_ENDPOINT", fails("hf:o/n").where());
    }

    @ParameterizedTest
    @ValueSource(strings = {"../../x.gguf", "/etc/x.gguf", "a/../../x.gguf", "..\\..\\x.gguf", "C:\\x.gguf", "C:x.gguf",
            "a\0.gguf",
        "con.gguf", "a/NUL/x.gguf", ".../x.gguf", "a//x.gguf", "./x.gguf", "x .gguf/ .gguf", "line\nbreak.gguf"})
    void aPathThatLeavesTheFolderIsRefused(String path) throws Exception {
        Path outside = root.resolveSibling("x.gguf");
        repository("o/n", Map.of(path.replace("\0", ""), WEIGHTS));
        JsonObject listing = new JsonObject();
        JsonArray siblings = new JsonArray();
        JsonObject one = new JsonObject();
        one.addProperty("rfilename", path);
        siblings.add(one);
        listing.add("siblings", siblings);
        hub.at("/api/models/o/n/revision/main", FileServer.text(200, "application/json", listing.toString()));
        UserError error = fails("hf:o/n");
        assertTrue(error.what().contains("cannot be a file here"), error.what());
        assertFalse(error.getMessage().matches("(?s).*[\0\n].*"), error.getMessage());
        assertFalse(Files.exists(outside));
        assertEquals(1, hub.asked.size());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{", "[]", "null", "{}", "{\"siblings\":3}", "{\"siblings\":[3]}", "{\"siblings\":[{}]}",
        "{\"siblings\":[{\"rfilename\":7}]}", "{\"siblings\":[{\"rfilename\":\"m.gguf\",\"size\":-1}]}",
        "{\"siblings\":[{\"rfilename\":\"m.gguf\",\"size\":1e400}]}", "{\"siblings\":[]} x", "<html>"})
    void aListingThatIsNoneIsAnError(String listing) {
        hub.at("/api/models/o/n/revision/main", FileServer.text(200, "application/json", listing));
        UserError error = fails("hf:o/n");
        assertTrue(error.what().contains("not a listing of a hub"), error.what());
    }

    @Test
    void aDeeplyNestedListingIsAnError() {
        hub.at("/api/models/o/n/revision/main", FileServer.text(200, "application/json", "[".repeat(1_000_000)));
        assertTrue(fails("hf:o/n").what().contains("not a listing of a hub"));
    }

    @Test
    void filesThatDifferInCaseOnlyAreRefused() throws Exception {
        Map<String, byte[]> files = new LinkedHashMap<>();
        files.put("model-00001-of-00002.safetensors", WEIGHTS);
        files.put("model.safetensors.index.json", CONFIG);
        files.put("LICENSE", CONFIG);
        files.put("LICENSE.md", CONFIG);
        files.put("LICENSE.MD", CONFIG);
        repository("o/n", files);
        assertTrue(fails("hf:o/n").what().contains("cannot be a file here"));
    }

    private static List<String> choose(String asked, String... files) throws SourceFailure {
        return HubFiles.choose(List.of(files), asked);
    }

    @Test
    void theWeightsOfOneFormatAreChosen() throws Exception {
        assertEquals(List.of("config.json", "model.safetensors"),
                choose("", "config.json", "model.safetensors", "model.fp16.safetensors", "pytorch_model.bin", "x.gguf",
                        "model.onnx"));
        assertEquals(List.of("config.json", "model.safetensors.index.json", "model-00001-of-00002.safetensors",
                "model-00002-of-00002.safetensors"),
                choose("", "config.json", "model-00002-of-00002.safetensors", "model-00001-of-00002.safetensors",
                        "model.safetensors.index.json", "consolidated.safetensors"));
        assertEquals(List.of("adapter_config.json", "adapter_model.safetensors"),
                choose("", "adapter_config.json", "adapter_model.safetensors", "README.md"));
        assertEquals(List.of("a-00001-of-00002.gguf", "a-00002-of-00002.gguf"),
                choose("", "a-00002-of-00002.gguf", "a-00001-of-00002.gguf", "mmproj-f16.gguf"));
        assertEquals(List.of("config.json", "onnx/model.onnx", "onnx/model.onnx_data"),
                choose("", "config.json", "onnx/model.onnx", "onnx/model.onnx_data", "onnx/model_fp16.onnx"));
        assertEquals(List.of("config.json", "onnx/model_q4.onnx"),
                choose("q4", "config.json", "onnx/model.onnx", "onnx/model_q4.onnx", "onnx/model_q4f16.onnx"));
        assertEquals(List.of("config.json", "encoder_model.onnx", "decoder_model.onnx", "decoder_with_past_model.onnx"),
                choose("", "config.json", "decoder_model.onnx", "decoder_with_past_model.onnx", "encoder_model.onnx"));
        assertEquals(List.of("genai_config.json", "model.onnx", "model.onnx.data"),
                choose("", "genai_config.json", "model.onnx", "model.onnx.data"));
        assertEquals(List.of("tokenizer.json"), choose("tokenizer.json", "config.json", "tokenizer.json", "model.safetensors"));
        assertEquals(List.of("1_Pooling/config.json", "modules.json", "model.safetensors"),
                choose("", "1_Pooling/config.json", "modules.json", "model.safetensors", "openvino/model.bin"));
    }

    @Test
    void picklesAreNotTaken() {
        SourceFailure failure = assertThrows(SourceFailure.class, () -> choose("", "config.json", "pytorch_model.bin"));
        assertTrue(failure.fix().contains("pickles"), failure.fix());
    }
}
