package fewsh.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import fewsh.UserError;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Secure connections: a company's own certificates, and its proxy. The server is this machine, under a certificate made here
/// for `localhost` and `hub.test`; that name is known to the proxy only.
class SecureTest {
    private static final byte[] FILE = FileServer.bytes(300_000, 1);

    @TempDir
    private static Path keys;

    private static FileServer server;

    @TempDir
    private Path root;

    private final Map<String, String> environment = new LinkedHashMap<>();
    private final List<String> tunnels = Collections.synchronizedList(new ArrayList<>());
    private ServerSocket proxy;

    @BeforeAll
    static void serve() throws Exception {
        Path store = keys.resolve("keys.p12");
        String keytool = Path.of(System.getProperty("java.home"), "bin", "keytool").toString();
        Process made = new ProcessBuilder(keytool, "-genkeypair", "-alias", "k", "-keyalg", "EC", "-dname", "CN=company",
                "-validity", "3",
                "-ext", "san=dns:localhost,dns:hub.test", "-keystore", store.toString(), "-storepass", "secret")
                .redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
        assertEquals(0, made.waitFor());
        KeyStore loaded = KeyStore.getInstance(store.toFile(), "secret".toCharArray());
        Files.writeString(keys.resolve("ca.pem"), "# the company's\n-----BEGIN CERTIFICATE-----\n"
                + Base64.getMimeEncoder().encodeToString(loaded.getCertificate("k").getEncoded())
                        + "\n-----END CERTIFICATE-----\n");
        KeyManagerFactory managers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        managers.init(loaded, "secret".toCharArray());
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(managers.getKeyManagers(), null, null);
        HttpsServer https = HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        https.setHttpsConfigurator(new HttpsConfigurator(context));
        server = new FileServer(https);
        server.file("/m.gguf", FILE);
        server.at("/down.gguf", FileServer.redirect("http://127.0.0.1:" + server.port() + "/m.gguf"));
        server.at("/inward.gguf", FileServer.redirect("https://localhost:" + server.port() + "/m.gguf"));
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @BeforeEach
    void start() throws IOException {
        proxy = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        environment.put("SSL_CERT_FILE", keys.resolve("ca.pem").toString());
    }

    @AfterEach
    void end() throws IOException {
        proxy.close();
    }

    /// A proxy that opens every tunnel to the server here.
    ///
    /// @param credentials what it wants to see in `Proxy-Authorization`; empty for nothing
    private void proxy(String credentials) {
        Thread.ofVirtual().start(() -> {
            while (true) {
                Socket client;
                try {
                    client = proxy.accept();
                } catch (IOException e) {
                    return;
                }
                Thread.ofVirtual().start(() -> tunnel(client, credentials));
            }
        });
    }

    private void tunnel(Socket client, String credentials) {
        try (client) {
            while (true) {
                BufferedReader in = new BufferedReader(new InputStreamReader(client.getInputStream(),
                        StandardCharsets.ISO_8859_1), 1);
                String request = in.readLine();
                if (request == null) return;
                boolean known = credentials.isEmpty();
                for (String line; !(line = in.readLine()).isEmpty(); ) known |= line.equalsIgnoreCase("Proxy-Authorization: "
                        + credentials);
                tunnels.add(request + (known ? "" : " refused"));
                String answer = known ? "HTTP/1.1 200 OK\r\n\r\n"
                        : "HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic realm=\"corp\"\r\nContent-Length: 0\r\n\r\n";
                client.getOutputStream().write(answer.getBytes(StandardCharsets.ISO_8859_1));
                if (known) break;
            }
            try (Socket there = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
                Thread back = Thread.ofVirtual().start(() -> copy(there, client));
                copy(client, there);
                back.join();
            }
        } catch (IOException | InterruptedException e) {
            tunnels.add("broken: " + e);
        }
    }

    private static void copy(Socket from, Socket to) {
        try {
            from.getInputStream().transferTo(to.getOutputStream());
            to.shutdownOutput();
        } catch (IOException e) {
            // one side hung up
        }
    }

    private Store store() {
        return new Store(new Home(root), new Catalogue(List.of()), environment, PullTest.QUICK);
    }

    private void assertPulls(String url) throws Exception {
        assertArrayEquals(FILE, Files.readAllBytes(store().pull(url, _ -> {}).path()));
    }

    private UserError fails(String url) {
        return assertThrows(UserError.class, () -> store().pull(url, _ -> {}));
    }

    @Test
    void aCertificateOfSslCertFileIsTrusted() throws Exception {
        assertPulls("https://localhost:" + server.port() + "/m.gguf");
    }

    @Test
    void withoutItTheConnectionIsRefusedAndTheFixNamesIt() {
        environment.remove("SSL_CERT_FILE");
        UserError error = fails("https://localhost:" + server.port() + "/m.gguf");
        assertTrue(error.what().contains("no secure connection"), error.what());
        assertTrue(error.fix().contains("SSL_CERT_FILE"), error.fix());
    }

    @Test
    void aCertificateForAnotherNameIsRefused() {
        assertTrue(fails("https://127.0.0.1:" + server.port() + "/m.gguf").what().contains("no secure connection"));
    }

    @Test
    void aCertificateFileThatIsNoneIsAnError() throws Exception {
        environment.put("SSL_CERT_FILE", root.resolve("missing.pem").toString());
        assertTrue(fails("https://localhost/m.gguf").where().startsWith("SSL_CERT_FILE"));
        Path file = Files.writeString(root.resolve("x.pem"), "nothing");
        environment.put("SSL_CERT_FILE", file.toString());
        assertEquals("holds no certificate", fails("https://localhost/m.gguf").what());
        Files.writeString(file, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        assertTrue(fails("https://localhost/m.gguf").what().contains("cannot be read"));
    }

    @Test
    void aRedirectFromASecureToAnOpenConnectionIsNotFollowed() {
        assertTrue(fails("https://localhost:" + server.port() + "/down.gguf").what().contains("redirects to"));
    }

    @Test
    void aRedirectFromElsewhereToThisMachineIsNotFollowed() {
        proxy("");
        environment.put("HTTPS_PROXY", "http://127.0.0.1:" + proxy.getLocalPort());
        assertTrue(fails("https://hub.test/inward.gguf").what().contains("redirects to \"https://localhost\""));
    }

    @Test
    void theProxyOfTheEnvironmentIsUsed() throws Exception {
        proxy("");
        environment.put("HTTPS_PROXY", "http://127.0.0.1:" + proxy.getLocalPort());
        assertPulls("https://hub.test/m.gguf");
        assertEquals("CONNECT hub.test:443 HTTP/1.1", tunnels.getFirst());
    }

    @Test
    void noProxyGoesPastIt() {
        proxy("");
        environment.put("HTTPS_PROXY", "http://127.0.0.1:" + proxy.getLocalPort());
        environment.put("NO_PROXY", ".test");
        assertTrue(fails("https://hub.test/m.gguf").what().contains("unknown host"));
        assertEquals(List.of(), tunnels);
    }

    /// In a process of its own: the JDK reads the property that allows it once.
    @Test
    void aProxyThatAsksForAPasswordGetsIt() throws Exception {
        proxy("Basic " + Base64.getEncoder().encodeToString("user:p@ss".getBytes(StandardCharsets.UTF_8)));
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        for (String user : List.of("user:p%40ss@", "user:wrong@")) {
            Process process = new ProcessBuilder(java, "-Xmx64m", "-XX:TieredStopAtLevel=1", "-cp",
                    System.getProperty("java.class.path"),
                    Client.class.getName(), root.toString(), "http://" + user + "127.0.0.1:" + proxy.getLocalPort(),
                    environment.get("SSL_CERT_FILE")).redirectErrorStream(true).start();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            process.waitFor();
            if (user.contains("wrong")) {
                assertTrue(output.contains("the proxy refuses"), output);
                assertFalse(output.contains("wrong"), output);
            } else {
                assertTrue(output.contains(FileServer.sha256(FILE)), output);
                store().remove("m");
            }
        }
    }

    /// `HOME PROXY CERTIFICATES`: prints the checksum of what it pulled, or why it did not.
    public static final class Client {
        private Client() {}

        public static void main(String[] args) throws Exception {
            Store store = new Store(new Home(Path.of(args[0])), new Catalogue(List.of()),
                    Map.of("HTTPS_PROXY", args[1], "SSL_CERT_FILE", args[2]), PullTest.QUICK);
            String text;
            try {
                text = store.pull("https://hub.test/m.gguf", _ -> {}).sha256();
            } catch (UserError e) {
                text = e.getMessage();
            }
            System.out.println(text);
        }
    }
}
