package fewsh.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fewsh.UserError;
import fewsh.store.FileServer.Fault;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What a pull does when servers, connections and disks do what they do.
class PullTest {
    /// As usual, with short pauses.
    static final Limits QUICK =
            new Limits(Duration.ofSeconds(10), Duration.ofSeconds(20), 4, Duration.ofMillis(1), Duration.ofSeconds(2));

    /// For what never answers.
    static final Limits IMPATIENT =
            new Limits(Duration.ofSeconds(10), Duration.ofMillis(700), 4, Duration.ofMillis(1), Duration.ofSeconds(2));

    private static final byte[] FILE = FileServer.bytes(3_000_000, 1);

    @TempDir
    private Path root;

    private final List<Progress> events = Collections.synchronizedList(new ArrayList<>());
    private FileServer server;
    private Limits limits = QUICK;

    @BeforeEach
    void start() throws IOException {
        server = new FileServer();
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private Store store(Catalogue.Entry... entries) {
        return new Store(new Home(root), new Catalogue(List.of(entries)), Map.of(), limits);
    }

    private Catalogue.Entry entry(byte[] file, String... urls) {
        return new Catalogue.Entry("m", "a model", "MIT",
                List.of(new StoredFile("m.gguf", file.length, FileServer.sha256(file))), Stream.of(urls).map(Source::parse)
                        .toList());
    }

    private Model pull(String what) throws InterruptedException {
        return store().pull(what, events::add);
    }

    private void assertPulled(Model model) throws IOException {
        assertArrayEquals(FILE, Files.readAllBytes(model.path()));
        assertEquals(FileServer.sha256(FILE), model.sha256());
        assertEquals(List.of(), leftovers());
        assertEquals(model, store().resolve(model.name()));
    }

    /// What is in the store besides models and locks.
    private List<String> leftovers() throws IOException {
        Path staging = root.resolve("models/.pull");
        if (!Files.exists(staging)) return List.of();
        try (Stream<Path> all = Files.walk(staging)) {
            return all.map(p -> staging.relativize(p).toString()).filter(p -> !p.isEmpty() && !p.endsWith("+lock")).sorted()
                    .toList();
        }
    }

    /// Writes `answer` to whoever connects, and hangs up.
    private static ServerSocket answering(String answer) throws IOException {
        ServerSocket socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        Thread.ofVirtual().start(() -> {
            while (true) {
                try (Socket connection = socket.accept()) {
                    connection.getInputStream().read(new byte[4096]);
                    connection.getOutputStream().write(answer.getBytes(StandardCharsets.ISO_8859_1));
                } catch (IOException e) {
                    return;
                }
            }
        });
        return socket;
    }

    /// A break may take the last of what was sent with it: `resumed` stands for a range that goes on after at least half of it.
    private void assertRanges(String... expected) {
        List<String> ranges = server.ranges().stream()
                .map(r -> r.matches("bytes=\\d{6,7}-") && Integer.parseInt(r.replaceAll("\\D", "")) >= 500_000 ? "resumed" : r)
                        .toList();
        assertEquals(List.of(expected), ranges, server.ranges() + "");
    }

    private UserError fails(String what) {
        return assertThrows(UserError.class, () -> pull(what));
    }

    @Test
    void aFileBehindAUrlIsStoredWithWhatIsKnownOfIt() throws Exception {
        server.file("/a/model-q8.gguf", FILE);
        Model model = pull(server.url("/a/model-q8.gguf"));
        assertPulled(model);
        assertEquals("model-q8", model.name());
        assertEquals(server.url("/a/model-q8.gguf"), model.source());
        assertEquals(List.of(new StoredFile("model-q8.gguf", FILE.length, FileServer.sha256(FILE))), model.files());
        assertTrue(Files.readString(root.resolve("models/model-q8/model.json")).contains(FileServer.sha256(FILE)));
        Progress.Receiving last = events.stream().filter(e -> e instanceof Progress.Receiving).map(e -> (Progress.Receiving) e)
                .toList().getLast();
        assertEquals(FILE.length, last.bytes());
        assertEquals(FILE.length, last.total());
    }

    @Test
    void aStoredModelIsNotAskedForAgain() throws Exception {
        server.file("/m.gguf", FILE);
        Model first = pull(server.url("/m.gguf"));
        assertEquals(first, pull(server.url("/m.gguf")));
        assertEquals(1, server.asked.size());
    }

    @Test
    void aStoredModelWithOtherBytesIsFetchedAgain() throws Exception {
        server.file("/m.gguf", FILE);
        Model model = pull(server.url("/m.gguf"));
        byte[] other = FILE.clone();
        other[5]++;
        Files.write(model.path(), other);
        assertPulled(pull(server.url("/m.gguf")));
    }

    @Test
    void redirectsAreFollowed() throws Exception {
        server.file("/real", FILE);
        server.at("/m.gguf", FileServer.redirect("/hop"));
        server.at("/hop", FileServer.redirect(server.url("/real?signature=secret")));
        assertPulled(pull(server.url("/m.gguf")));
    }

    @Test
    void redirectsInCirclesEnd() {
        server.at("/m.gguf", FileServer.redirect("/m.gguf"));
        assertTrue(fails(server.url("/m.gguf")).what().contains("circles"));
        assertEquals(11, server.asked.size());
    }

    @ParameterizedTest
    @ValueSource(strings = {"http://example.com/m.gguf", "file:///etc/passwd", "ftp://127.0.0.1/x", "http:///x", "::::"})
    void redirectsToUnsafePlacesAreNotFollowed(String to) {
        server.at("/m.gguf", FileServer.redirect(to));
        assertTrue(fails(server.url("/m.gguf")).what().contains("redirects to"));
    }

    @RepeatedTest(8)
    void aTransferThatBreaksAtAnyOffsetsGoesOnByRange(RepetitionInfo repetition) throws Exception {
        Random random = new Random(repetition.getCurrentRepetition());
        FileServer.Served served = server.file("/m.gguf", FILE);
        int cuts = 1 + random.nextInt(3);
        for (int i = 0; i < cuts; i++) served.fault(new Fault.Cut(random.nextInt(1_500_000)));
        assertPulled(pull(server.url("/m.gguf")));
        assertTrue(server.ranges().stream().skip(1).anyMatch(r -> r.startsWith("bytes=")) || server.asked.size() > 1);
        assertTrue(events.stream().anyMatch(e -> e instanceof Progress.Retrying));
    }

    @Test
    void aServerWithoutRangesIsAskedForTheWholeFileAgain() throws Exception {
        server.file("/m.gguf", FILE).withoutRanges().fault(new Fault.Cut(1_000_000));
        assertPulled(pull(server.url("/m.gguf")));
        assertRanges("", "resumed");
    }

    @Test
    void aBodyWithoutALengthIsTaken() throws Exception {
        server.file("/m.gguf", FILE).chunked();
        assertPulled(pull(server.url("/m.gguf")));
    }

    @Test
    void aBodyWithoutALengthThatBreaksIsNotTaken() throws Exception {
        try (ServerSocket socket = answering("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n5\r\nwo")) {
            UserError error = fails("http://127.0.0.1:" + socket.getLocalPort() + "/m.gguf");
            assertTrue(error.what().contains("4 times"), error.what());
            assertFalse(Files.exists(root.resolve("models/m")));
        }
    }

    @Test
    void withoutEntityTagAndChecksumTwoAttemptsAreNotJoined() throws Exception {
        server.file("/m.gguf", FILE).etag("").fault(new Fault.Cut(1_000_000));
        assertPulled(pull(server.url("/m.gguf")));
        assertRanges("", "");
    }

    @Test
    void aWeakEntityTagDoesNotJoinTwoAttempts() throws Exception {
        server.file("/m.gguf", FILE).etag("W/\"v1\"").fault(new Fault.Cut(1_000_000));
        assertPulled(pull(server.url("/m.gguf")));
        assertRanges("", "");
    }

    @Test
    void aFileThatChangedBetweenAttemptsIsFetchedWhole() throws Exception {
        FileServer.Served old = server.file("/m.gguf", FileServer.bytes(3_000_000, 2)).etag("\"v0\"");
        old.fault(new Fault.Cut(1_000_000));
        old.fault(new Fault.Custom(exchange -> {
            server.file("/m.gguf", FILE);
            server.file("/m.gguf", FILE).handle(exchange);
        }));
        assertPulled(pull(server.url("/m.gguf")));
        assertEquals("\"v0\"", server.asked.get(1).ifRange());
    }

    @Test
    void aServerThatSendsAnotherPartThanWasAskedForIsNotBelieved() throws Exception {
        server.file("/m.gguf", FILE).fault(new Fault.Cut(1_000_000)).fault(new Fault.Custom(exchange -> {
            exchange.getResponseHeaders().set("Content-Range", "bytes 0-2999999/3000000");
            exchange.getResponseHeaders().set("ETag", "\"v1\"");
            exchange.sendResponseHeaders(206, FILE.length);
            exchange.getResponseBody().write(FILE);
            exchange.close();
        }));
        assertPulled(pull(server.url("/m.gguf")));
    }

    @Test
    void aServerThatIgnoresIfRangeAndSendsTheRestOfAnotherFileIsNotBelieved() throws Exception {
        server.file("/m.gguf", FileServer.bytes(3_000_000, 3)).etag("\"v0\"").fault(new Fault.Cut(1_000_000))
                .fault(new Fault.Custom(exchange -> {
                    server.file("/m.gguf", FILE);
                    int from = Integer.parseInt(exchange.getRequestHeaders().getFirst("Range").replaceAll("\\D", ""));
                    exchange.getResponseHeaders().set("Content-Range", "bytes " + from + "-2999999/3000000");
                    exchange.getResponseHeaders().set("ETag", "\"v1\"");
                    exchange.sendResponseHeaders(206, FILE.length - from);
                    exchange.getResponseBody().write(FILE, from, FILE.length - from);
                    exchange.close();
                }));
        assertPulled(pull(server.url("/m.gguf")));
    }

    @Test
    void aLengthLargerThanTheFileEndsInAnErrorThatSaysSo() throws Exception {
        server.at("/m.gguf", exchange -> {
            exchange.sendResponseHeaders(200, 1000);
            exchange.getResponseBody().write(new byte[10]);
            exchange.close();
        });
        UserError error = fails(server.url("/m.gguf"));
        assertTrue(error.what().contains("4 times"), error.what());
        assertFalse(Files.exists(root.resolve("models/m")));
    }

    @Test
    void aLengthSmallerThanTheFileIsFoundOutByTheSizeThatIsKnown() {
        server.at("/m.gguf", exchange -> {
            exchange.sendResponseHeaders(200, 1000);
            exchange.getResponseBody().write(FILE, 0, 1000);
            exchange.close();
        });
        UserError error = assertThrows(UserError.class, () -> store(entry(FILE, server.url("/m.gguf"))).pull("m", events::add));
        assertTrue(error.what().contains("1000 bytes there, 3000000 were expected"), error.what());
    }

    @Test
    void aBodyThatNeverEndsIsCutOffAtTheSizeThatIsKnown() {
        server.at("/m.gguf", exchange -> {
            exchange.sendResponseHeaders(200, 0);
            while (true) exchange.getResponseBody().write(FILE);
        });
        UserError error = assertThrows(UserError.class, () -> store(entry(FILE, server.url("/m.gguf"))).pull("m", events::add));
        assertTrue(error.what().contains("goes on after the 3000000 bytes"), error.what());
    }

    @Test
    void corruptedBytesAreRemovedAndTheNextSourceIsAsked() throws Exception {
        server.file("/bad.gguf", FILE).fault(new Fault.Flip(2_999_999)).fault(new Fault.Flip(0));
        server.file("/good.gguf", FILE);
        Model model = store(entry(FILE, server.url("/bad.gguf"), server.url("/good.gguf"))).pull("m", events::add);
        assertPulled(model);
        assertEquals(server.url("/good.gguf"), model.source());
        assertEquals("MIT", model.licence());
        assertEquals(2, server.asked.size());
        assertTrue(events.stream().anyMatch(e -> e instanceof Progress.SourceFailed f && f.reason()
                .contains("is not the file that was meant")));
    }

    @Test
    void corruptedBytesWithNoOtherSourceLeaveNothing() throws Exception {
        FileServer.Served served = server.file("/m.gguf", FILE);
        served.fault(new Fault.Flip(7));
        UserError error = fails(server.url("/m.gguf") + "#sha256=" + FileServer.sha256(FILE));
        assertTrue(error.what().contains("sha256"), error.what());
        assertFalse(Files.exists(root.resolve("models/m")));
        assertEquals(0, Files.size(root.resolve("models/.pull/m/m.gguf.part")));
        assertPulled(pull(server.url("/m.gguf") + "#sha256=" + FileServer.sha256(FILE)));
    }

    @Test
    void joinedAttemptsThatDoNotMatchAreFetchedOnceMoreFromTheBeginning() throws Exception {
        server.file("/m.gguf", FILE).fault(new Fault.Custom(exchange -> {
            exchange.sendResponseHeaders(200, FILE.length);
            exchange.getResponseBody().write(new byte[1_000_000]);
            exchange.close();
        }));
        assertPulled(store(entry(FILE, server.url("/m.gguf"))).pull("m", events::add));
        assertRanges("", "resumed", "");
    }

    @Test
    void theBytesOfOneSourceAreGoneOnWithFromAnother() throws Exception {
        server.file("/a.gguf", FILE).fault(new Fault.Cut(1_000_000)).fault(new Fault.Status(403));
        server.file("/b.gguf", FILE);
        assertPulled(store(entry(FILE, server.url("/a.gguf"), server.url("/b.gguf"))).pull("m", events::add));
        assertRanges("", "resumed", "resumed");
    }

    @ParameterizedTest
    @ValueSource(ints = {401, 403, 404, 410, 451, 204, 501})
    void refusalsAreNotTriedAgain(int status) {
        server.at("/m.gguf", FileServer.text(status, "text/plain", ""));
        UserError error = fails(server.url("/m.gguf"));
        assertTrue(error.what().contains(Integer.toString(status)), error.what());
        assertEquals(1, server.asked.size());
    }

    @ParameterizedTest
    @ValueSource(ints = {408, 429, 500, 502, 503, 504})
    void passingFailuresAreTriedAgain(int status) throws Exception {
        server.file("/m.gguf", FILE).fault(new Fault.Status(status)).fault(new Fault.Status(status, "Retry-After", "0"));
        assertPulled(pull(server.url("/m.gguf")));
        assertEquals(3, server.asked.size());
    }

    @ParameterizedTest
    @ValueSource(ints = {429, 503})
    void failuresThatDoNotPassAreTriedSoManyTimesOnly(int status) {
        server.at("/m.gguf", FileServer.text(status, "text/plain", ""));
        UserError error = fails(server.url("/m.gguf"));
        assertTrue(error.what().contains("answered " + status + ", 4 times"), error.what());
        assertEquals(4, server.asked.size());
    }

    @Test
    void aServerThatWantsALongPauseIsNotWaitedFor() {
        server.at("/m.gguf", FileServer.text(429, "text/plain", "", "Retry-After", "86400"));
        UserError error = fails(server.url("/m.gguf"));
        assertTrue(error.what().contains("asks to wait 86400 seconds"), error.what());
        assertEquals(1, server.asked.size());
    }

    @Test
    void aServerThatHangsInTheMiddleIsAskedAgainForTheRest() throws Exception {
        server.file("/m.gguf", FILE).fault(new Fault.Hang(1_000_000));
        limits = IMPATIENT;
        assertPulled(pull(server.url("/m.gguf")));
        assertTrue(server.asked.get(1).range().matches("bytes=\\d{6,7}-"), server.ranges() + "");
    }

    @Test
    void aServerThatNeverAnswersEndsInAnError() throws Exception {
        limits = IMPATIENT;
        try (ServerSocket silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            UserError error = fails("http://127.0.0.1:" + silent.getLocalPort() + "/m.gguf");
            assertTrue(error.what().contains("no answer within"), error.what());
        }
    }

    @Test
    void aPortWhereNobodyListensIsGivenUpAtOnce() throws Exception {
        int port;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = socket.getLocalPort();
        }
        UserError error = fails("http://127.0.0.1:" + port + "/m.gguf");
        assertTrue(error.what().contains("connection refused"), error.what());
        assertFalse(events.stream().anyMatch(e -> e instanceof Progress.Retrying));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "\0\1\2\3", "HTTP/1.1 two hundred\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nx",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nx", "SSH-2.0-x\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZZ\r\n"})
    void whatIsNoHttpIsAnErrorAndNoCrash(String answer) throws Exception {
        try (ServerSocket socket = answering(answer)) {
            UserError error = fails("http://127.0.0.1:" + socket.getLocalPort() + "/m.gguf");
            assertTrue(error.where().startsWith("http://127.0.0.1"), error.getMessage());
            assertFalse(Files.exists(root.resolve("models/m")));
        }
    }

    @Test
    void aWebPageInPlaceOfAFileIsRefused() {
        server.at("/m.gguf", FileServer.text(200, "text/html; charset=utf-8", "<html>please log in</html>"));
        assertTrue(fails(server.url("/m.gguf")).what().contains("web page"));
    }

    @Test
    void aSignatureInARedirectIsNotShown() {
        server.at("/m.gguf", FileServer.redirect("/x?X-Signature=secret"));
        UserError error = fails(server.url("/m.gguf"));
        assertFalse(error.getMessage().contains("secret"), error.getMessage());
    }

    @Test
    void allReasonsAreInTheLastError() {
        server.at("/b.gguf", FileServer.text(503, "text/plain", ""));
        UserError error = assertThrows(UserError.class,
                () -> store(entry(FILE, server.url("/a.gguf"), server.url("/b.gguf"), "https://nowhere.invalid/c.gguf"))
                        .pull("m", events::add));
        assertTrue(error.what().contains("a.gguf: 404"), error.what());
        assertTrue(error.what().contains("b.gguf: answered 503"), error.what());
        assertTrue(error.what().contains("nowhere.invalid: unknown host"), error.what());
        assertEquals("m", error.where());
    }

    @Test
    void anInterruptedPullKeepsWhatItHas() throws Exception {
        CountDownLatch arrived = new CountDownLatch(1);
        server.file("/m.gguf", FILE).slowly(5).sent(n -> {
            if (n > 1_000_000) arrived.countDown();
        });
        List<Throwable> thrown = new ArrayList<>();
        Thread puller = Thread.ofPlatform().start(() -> {
            try {
                pull(server.url("/m.gguf"));
            } catch (Throwable t) {
                thrown.add(t);
            }
        });
        arrived.await();
        puller.interrupt();
        puller.join();
        assertEquals(InterruptedException.class, thrown.getFirst().getClass());
        assertFalse(Files.exists(root.resolve("models/m")));
        server.file("/m.gguf", FILE);
        assertPulled(pull(server.url("/m.gguf")));
        assertTrue(server.ranges().getLast().matches("bytes=\\d{6,}-"), server.ranges() + "");
    }

    @Test
    void twoPullsAtOnceFetchOnce() throws Exception {
        server.file("/m.gguf", FILE).slowly(2);
        List<Model> models = Collections.synchronizedList(new ArrayList<>());
        List<Throwable> thrown = Collections.synchronizedList(new ArrayList<>());
        List<Thread> pullers = new ArrayList<>();
        for (int i = 0; i < 4; i++)
            pullers.add(Thread.ofPlatform().start(() -> {
                try {
                    models.add(pull(server.url("/m.gguf")));
                } catch (Throwable t) {
                    thrown.add(t);
                }
            }));
        for (Thread puller : pullers) puller.join();
        assertEquals(List.of(), thrown);
        assertEquals(4, models.size());
        assertPulled(models.getFirst());
        assertEquals(1, server.asked.size());
        assertTrue(events.contains(new Progress.Waiting("m")));
    }

    @Test
    void aPartThatWasDamagedOnTheDiskIsBegunAnew() throws Exception {
        server.file("/m.gguf", FILE).fault(new Fault.Cut(1_500_000)).fault(new Fault.Status(404));
        fails(server.url("/m.gguf"));
        Path part = root.resolve("models/.pull/m/m.gguf.part");
        byte[] damaged = Files.readAllBytes(part);
        damaged[700_000]++;
        Files.write(part, damaged);
        assertPulled(pull(server.url("/m.gguf")));
        assertRanges("", "resumed", "");
    }

    @Test
    void aPartGoesOnInALaterPull() throws Exception {
        server.file("/m.gguf", FILE).fault(new Fault.Cut(1_500_000)).fault(new Fault.Status(404));
        fails(server.url("/m.gguf"));
        assertPulled(pull(server.url("/m.gguf")));
        assertEquals("\"v1\"", server.asked.getLast().ifRange());
        assertRanges("", "resumed", "resumed");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{", "[]", "null", "{\"identity\":3}", "{\"identity\":\"x\",\"bytes\":1e99}", "{\"bytes\":-1}"})
    void aRecordThatSaysNothingBeginsAnew(String record) throws Exception {
        server.file("/m.gguf", FILE).fault(new Fault.Cut(1_500_000)).fault(new Fault.Status(404));
        fails(server.url("/m.gguf"));
        Files.writeString(root.resolve("models/.pull/m/m.gguf.part.json"), record);
        assertPulled(pull(server.url("/m.gguf")));
        assertEquals("", server.ranges().getLast());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 1_499_999, 1_500_001, 3_000_000, 4_000_000})
    void aPartOfAnotherSizeThanWasRecordedIsNotTrusted(int size) throws Exception {
        server.file("/m.gguf", FILE).fault(new Fault.Cut(1_500_000)).fault(new Fault.Status(404));
        fails(server.url("/m.gguf"));
        Path part = root.resolve("models/.pull/m/m.gguf.part");
        Files.write(part, Arrays.copyOf(Files.readAllBytes(part), size));
        assertPulled(pull(server.url("/m.gguf")));
    }

    @Test
    void whatWasVerifiedBeforeAKillIsOnlyMoved() throws Exception {
        server.file("/m.gguf", FILE);
        Model model = pull(server.url("/m.gguf"));
        for (int step = 0; step < 3; step++) {
            Path staged = root.resolve("models/.pull/m");
            Files.move(root.resolve("models/m"), staged);
            if (step > 0) Files.move(staged.resolve("m.gguf"), staged.resolve("m.gguf.part"));
            if (step > 1) Files.writeString(staged.resolve("m.gguf.part.json"), "{}");
            assertEquals(model, pull(server.url("/m.gguf")));
            assertPulled(model);
        }
        assertEquals(1, server.asked.size());
    }

    @Test
    void aDamagedStagingFolderIsSortedOut() throws Exception {
        server.file("/m.gguf", FILE);
        Path staged = Files.createDirectories(root.resolve("models/.pull/m/sub"));
        Files.writeString(staged.resolve("junk"), "x");
        Files.writeString(root.resolve("models/.pull/m/model.json"), "{\"name\":\"m\"}");
        Files.createDirectories(root.resolve("models/.pull/m+01234567-0123-0123-0123-0123456789ab/tmp"));
        assertPulled(pull(server.url("/m.gguf")));
    }

    @Test
    void anotherModelOfTheSameNameIsNotOverwritten() throws Exception {
        server.file("/a/m.gguf", FILE);
        server.file("/b/m.gguf", FILE);
        pull(server.url("/a/m.gguf"));
        UserError error = fails(server.url("/b/m.gguf"));
        assertTrue(error.what().contains("/a/m.gguf"), error.what());
        assertEquals("other", store().pull(server.url("/b/m.gguf"), "other", events::add).name());
    }

    @Test
    void aHomeThatIsAFileIsAClearError() throws Exception {
        Files.writeString(root.resolve("file"), "");
        Store store = new Store(new Home(root.resolve("file/home")), new Catalogue(List.of()), Map.of(), QUICK);
        UserError error = assertThrows(UserError.class, () -> store.pull(server.url("/m.gguf"), events::add));
        assertTrue(error.what().contains("cannot be written"), error.what());
        assertEquals(0, server.asked.size());
    }

    @Test
    void aFileThatCannotFitIsNotBegun() throws Exception {
        server.at("/m.gguf", exchange -> {
            exchange.sendResponseHeaders(200, 1L << 59);
            exchange.getResponseBody().write(FILE);
            exchange.close();
        });
        UserError error = fails(server.url("/m.gguf"));
        assertTrue(error.what().startsWith("no space left: it needs"), error.what());
        assertEquals(1, server.asked.size());
    }

    @Test
    void anEmptyFileIsAFile() throws Exception {
        server.file("/m.gguf", new byte[0]).chunked();
        assertEquals(0, pull(server.url("/m.gguf")).size());
    }
}
