package fewsh.store;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;

/// A web server on this machine that serves files as well or as badly as a test wants.
final class FileServer implements AutoCloseable {
    /// A request as it came.
    record Asked(String method, String path, String range, String ifRange, String authorization) {}

    /// A file, and what goes wrong when it is asked for. One fault a request, in order; then all is well.
    static final class Served implements HttpHandler {
        private final byte[] bytes;
        private final Deque<Fault> faults = new ArrayDeque<>();
        private String etag = "\"v1\"";
        private boolean ranges = true;
        private boolean chunked;
        private long pause;
        private LongConsumer sent = _ -> {};

        Served(byte[] bytes) {
            this.bytes = bytes;
        }

        Served etag(String value) {
            etag = value;
            return this;
        }

        Served withoutRanges() {
            ranges = false;
            return this;
        }

        /// No Content-Length.
        Served chunked() {
            chunked = true;
            return this;
        }

        Served fault(Fault fault) {
            faults.add(fault);
            return this;
        }

        /// Milliseconds between pieces of 64 kB.
        Served slowly(long milliseconds) {
            pause = milliseconds;
            return this;
        }

        /// Told after each piece how many bytes of the body went out.
        Served sent(LongConsumer listener) {
            sent = listener;
            return this;
        }

        @Override
        public void handle(HttpExchange exchange) throws IOException {
            Fault fault;
            synchronized (this) {
                fault = faults.isEmpty() ? new Fault.None() : faults.poll();
            }
            if (fault instanceof Fault.Status(int status, String header, String value)) {
                if (!header.isEmpty()) exchange.getResponseHeaders().set(header, value);
                exchange.sendResponseHeaders(status, -1);
                exchange.close();
                return;
            }
            if (fault instanceof Fault.Custom(HttpHandler handler)) {
                handler.handle(exchange);
                return;
            }
            if (!etag.isEmpty()) exchange.getResponseHeaders().set("ETag", etag);
            String range = exchange.getRequestHeaders().getFirst("Range");
            String ifRange = exchange.getRequestHeaders().getFirst("If-Range");
            int from = 0;
            if (ranges && range != null && (ifRange == null || ifRange.equals(etag))) {
                from = Integer.parseInt(range.replaceAll("bytes=(\\d+)-", "$1"));
                if (from >= bytes.length) {
                    exchange.getResponseHeaders().set("Content-Range", "bytes */" + bytes.length);
                    exchange.sendResponseHeaders(416, -1);
                    exchange.close();
                    return;
                }
                exchange.getResponseHeaders().set("Content-Range", "bytes " + from + "-" + (bytes.length - 1) + "/"
                        + bytes.length);
            }
            boolean partial = exchange.getResponseHeaders().containsKey("Content-Range");
            if (exchange.getRequestMethod().equals("HEAD")) {
                exchange.getResponseHeaders().set("Content-Length", Integer.toString(bytes.length));
                exchange.sendResponseHeaders(200, -1);
                exchange.close();
                return;
            }
            exchange.sendResponseHeaders(partial ? 206 : 200, chunked ? 0 : bytes.length - from);
            byte[] body = fault instanceof Fault.Flip(int at) ? flipped(at) : bytes;
            int end = fault instanceof Fault.Cut(int after) ? Math.min(bytes.length, from + after) : bytes.length;
            int hang = fault instanceof Fault.Hang(int after) ? from + after : Integer.MAX_VALUE;
            try (OutputStream out = exchange.getResponseBody()) {
                for (int at = from; at < end; ) {
                    int n = Math.min(Math.min(1 << 16, end - at), Math.max(1, hang - at));
                    out.write(body, at, n);
                    out.flush();
                    at += n;
                    sent.accept(at - from);
                    if (pause > 0) sleep(pause);
                    if (at >= hang) sleep(60_000);
                }
                if (end < bytes.length) exchange.close();
            }
        }

        private byte[] flipped(int at) {
            byte[] other = bytes.clone();
            other[at] ^= 0x10;
            return other;
        }

        private static void sleep(long milliseconds) throws IOException {
            try {
                Thread.sleep(milliseconds);
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
        }
    }

    sealed interface Fault {
        record None() implements Fault {}

        /// The connection breaks after so many bytes of the body.
        record Cut(int after) implements Fault {}

        /// Nothing more comes after so many bytes of the body.
        record Hang(int after) implements Fault {}

        /// One bit of the file is another.
        record Flip(int at) implements Fault {}

        record Status(int status, String header, String value) implements Fault {
            Status(int status) {
                this(status, "", "");
            }
        }

        record Custom(HttpHandler handler) implements Fault {}
    }

    final List<Asked> asked = Collections.synchronizedList(new ArrayList<>());
    final AtomicLong connections = new AtomicLong();
    private final HttpServer server;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final ConcurrentHashMap<String, HttpHandler> files = new ConcurrentHashMap<>();

    FileServer() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        serve(server);
    }

    /// @param server not started yet
    FileServer(HttpServer server) {
        this.server = server;
        serve(server);
    }

    private void serve(HttpServer server) {
        server.setExecutor(threads);
        server.createContext("/", exchange -> {
            var headers = exchange.getRequestHeaders();
            asked.add(new Asked(exchange.getRequestMethod(), exchange.getRequestURI().getRawPath(), headers.getFirst("Range"),
                    headers.getFirst("If-Range"), headers.getFirst("Authorization")));
            HttpHandler handler = files.get(exchange.getRequestURI().getRawPath());
            if (handler == null) {
                exchange.sendResponseHeaders(404, -1);
                exchange.close();
            } else {
                handler.handle(exchange);
            }
        });
        server.start();
    }

    FileServer at(String path, HttpHandler handler) {
        files.put(path, handler);
        return this;
    }

    Served file(String path, byte[] bytes) {
        Served served = new Served(bytes);
        at(path, served);
        return served;
    }

    static HttpHandler redirect(String to) {
        return exchange -> {
            exchange.getResponseHeaders().set("Location", to);
            exchange.sendResponseHeaders(302, -1);
            exchange.close();
        };
    }

    static HttpHandler text(int status, String type, String text, String... header) {
        return exchange -> {
            exchange.getResponseHeaders().set("Content-Type", type);
            if (header.length == 2) exchange.getResponseHeaders().set(header[0], header[1]);
            byte[] bytes = text.getBytes(java.nio.charset.StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
            if (bytes.length > 0) exchange.getResponseBody().write(bytes);
            exchange.close();
        };
    }

    int port() {
        return server.getAddress().getPort();
    }

    String url(String path) {
        return "http://127.0.0.1:" + port() + path;
    }

    /// The ranges that were asked for, "" where none was.
    List<String> ranges() {
        synchronized (asked) {
            return asked.stream().map(a -> a.range == null ? "" : a.range).toList();
        }
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }

    static byte[] bytes(int n, long seed) {
        byte[] bytes = new byte[n];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    static String sha256(byte[] bytes) {
        return Disk.hex(Disk.sha256().digest(bytes));
    }
}
