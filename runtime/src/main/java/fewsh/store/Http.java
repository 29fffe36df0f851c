package fewsh.store;

import fewsh.UserError;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.channels.UnresolvedAddressException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import javax.net.ssl.SSLException;

/// GET and HEAD, through the proxies and certificates that the environment names.
///
/// Redirects are followed here: never from `https` to `http`, never from elsewhere to this machine, and a token goes to the
/// server it was meant for only. Used by one thread.
final class Http implements AutoCloseable {
    private static final int MOST_REDIRECTS = 10;
    private static final String USER_AGENT = "fewsh";

    private final HttpClient client;
    private final Limits limits;
    private final Set<String> reached = new HashSet<>();

    Http(Map<String, String> environment, Limits limits) {
        this.limits = limits;
        HttpClient.Builder builder = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .followRedirects(HttpClient.Redirect.NEVER)
                .connectTimeout(limits.connect());
        Proxies.of(environment).configure(builder);
        Certificates.of(environment).ifPresent(builder::sslContext);
        this.client = builder.build();
    }

    @Override
    public void close() {
        client.shutdownNow();
    }

    /// Whether `uri` may be asked: `https`, or `http` on this machine.
    static boolean isAllowed(URI uri) {
        if (uri.getHost() == null || uri.getScheme() == null) return false;
        return uri.getScheme().equalsIgnoreCase("https") || uri.getScheme().equalsIgnoreCase("http") && isLoopback(uri.getHost());
    }

    /// By name or number only: nothing is looked up.
    static boolean isLoopback(String host) {
        if (host.equalsIgnoreCase("localhost")) return true;
        String bare = host.startsWith("[") && host.endsWith("]") ? host.substring(1, host.length() - 1) : host;
        if (!bare.matches("127(\\.\\d{1,3}){3}|[0-9a-fA-F:]*:[0-9a-fA-F:.]*")) return false;
        try {
            return InetAddress.ofLiteral(bare).isLoopbackAddress();
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    /// Without what may be a secret: a signature in the query, a password.
    static String shown(URI uri) {
        return uri.getScheme() + "://" + uri.getHost() + (uri.getPort() < 0 ? "" : ":" + uri.getPort()) + uri.getRawPath();
    }

    /// An answer, its body still on the wire. Close it.
    ///
    /// @param hops the answers on the way here that redirected, and this one
    record Answer(int status, URI uri, List<HttpResponse<InputStream>> hops, Body body) implements AutoCloseable {
        Optional<String> header(String name) {
            return hops.getLast().headers().firstValue(name);
        }

        /// From the first answer on the way that has it.
        Optional<String> headerOfAny(String name) {
            return hops.stream().flatMap(hop -> hop.headers().firstValue(name).stream()).findFirst();
        }

        long contentLength() {
            return header("Content-Length").filter(n -> n.matches("\\d{1,18}")).map(Long::parseLong).orElse(-1L);
        }

        @Override
        public void close() throws IOException {
            body.close();
        }
    }

    /// The failure of one attempt, that another attempt may not meet.
    static final class Transient extends IOException {
        private static final long serialVersionUID = 1;

        private final Duration after;

        Transient(String reason, Duration after, Throwable cause) {
            super(reason, cause);
            this.after = after;
        }

        /// What the server asks to wait; zero if it does not say.
        Duration after() {
            return after;
        }
    }

    /// @param headers names and values
    /// @param token for the host of `uri` only; empty for none
    /// @throws Transient if trying again may help
    /// @throws SourceFailure if it will not
    Answer get(URI uri, Map<String, String> headers, String token) throws Transient, SourceFailure, InterruptedException {
        return send("GET", uri, headers, token);
    }

    Answer head(URI uri, String token) throws Transient, SourceFailure, InterruptedException {
        return send("HEAD", uri, Map.of(), token);
    }

    /// An answer and the whole of its body.
    record Document(Answer answer, String text) {}

    /// A document of at most `limit` bytes, asked for as often as the limits allow.
    Document document(URI uri, String token, int limit) throws SourceFailure, InterruptedException {
        for (int failures = 1; ; failures++) {
            try (Answer answer = get(uri, Map.of(), token)) {
                byte[] body = answer.body().readNBytes(limit + 1);
                if (body.length > limit) throw new SourceFailure(shown(uri) + ": longer than " + Disk.bytes(limit), "");
                return new Document(answer, new String(body, StandardCharsets.UTF_8));
            } catch (IOException e) {
                if (Thread.interrupted()) throw new InterruptedException();
                if (failures >= limits.attempts()) throw new SourceFailure(reason(e, uri), "");
                Thread.sleep(delay(e, failures));
            }
        }
    }

    /// What to wait after `failures` failures in a row.
    Duration delay(IOException failure, int failures) throws SourceFailure {
        Duration asked = failure instanceof Transient t ? t.after() : Duration.ZERO;
        if (asked.compareTo(limits.longestDelay()) > 0)
            throw new SourceFailure(failure.getMessage() + " and asks to wait " + asked.toSeconds() + " seconds",
                    "try again later");
        Duration own = limits.delay(failures);
        return asked.compareTo(own) > 0 ? asked : own;
    }

    /// What an answer other than the file means.
    static SourceFailure refusal(Answer answer) {
        String where = shown(answer.uri());
        return switch (answer.status()) {
            case 401 -> new SourceFailure(where + ": 401, it wants to know who asks", "");
            case 403 -> new SourceFailure(where + ": 403, not allowed", "");
            case 404 -> new SourceFailure(where + ": 404, not there", "");
            default -> new SourceFailure(where + ": answered " + answer.status(), "");
        };
    }

    static String reason(IOException e, URI uri) {
        if (e instanceof Transient) return e.getMessage();
        String message = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
        return shown(uri) + ": connection lost (" + message + ")";
    }

    private Answer send(String method, URI first, Map<String, String> headers, String token)
            throws Transient, SourceFailure, InterruptedException {
        List<HttpResponse<InputStream>> hops = new ArrayList<>();
        URI uri = first;
        while (true) {
            HttpRequest.Builder request = HttpRequest.newBuilder(uri)
                    .method(method, HttpRequest.BodyPublishers.noBody())
                    .timeout(limits.stall())
                    .header("User-Agent", USER_AGENT)
                    .header("Accept-Encoding", "identity");
            headers.forEach(request::header);
            if (!token.isEmpty() && isSameServer(first, uri)) request.header("Authorization", "Bearer " + token);
            HttpResponse<InputStream> response = exchange(request.build(), uri);
            reached.add(host(uri));
            hops.add(response);
            Body body = new Body(response.body(), limits.stall());
            int status = response.statusCode();
            if (status >= 300 && status < 400 && response.headers().firstValue("Location").isPresent()) {
                body.drop();
                uri = redirected(uri, response.headers().firstValue("Location").get());
                if (hops.size() > MOST_REDIRECTS) throw new SourceFailure(shown(first) + ": redirects in circles", "");
            } else if (status == 408 || status == 425 || status == 429 || status >= 500 && status != 501 && status != 505) {
                body.drop();
                throw new Transient(shown(uri) + ": answered " + status, retryAfter(response), null);
            } else {
                return new Answer(status, uri, hops, body);
            }
        }
    }

    private HttpResponse<InputStream> exchange(HttpRequest request, URI uri) throws Transient, SourceFailure,
            InterruptedException {
        try {
            return client.send(request, HttpResponse.BodyHandlers.ofInputStream());
        } catch (HttpConnectTimeoutException e) {
            throw unreached(uri, "no connection within " + limits.connect().toSeconds() + " seconds",
                    "check the network, or set HTTPS_PROXY if this machine needs a proxy", e);
        } catch (HttpTimeoutException e) {
            throw new Transient(shown(uri) + ": no answer within " + limits.stall().toSeconds() + " seconds", Duration.ZERO, e);
        } catch (ConnectException e) {
            if (isUnresolved(e))
                throw unreached(uri, "unknown host", "check the network, or set HTTPS_PROXY if this machine needs a proxy", e);
            throw unreached(uri, "connection refused", "check the network and HTTPS_PROXY", e);
        } catch (SSLException e) {
            throw unreached(uri, "no secure connection (" + e.getMessage() + ")",
                    "if a company's proxy re-signs connections, set SSL_CERT_FILE to its certificates", e);
        } catch (IOException e) {
            String message = String.valueOf(e.getMessage());
            if (message.contains("Tunnel failed") || message.contains("roxy") || message.contains("authentication attempts"))
                throw new SourceFailure(uri.getHost() + ": the proxy refuses (" + message + ")",
                        "set HTTPS_PROXY to http://user:password@host:port");
            throw new Transient(reason(e, uri), Duration.ZERO, e);
        } catch (IllegalArgumentException e) { // the client's own answer to headers that are no numbers
            throw new SourceFailure(shown(uri) + ": answers something that is not HTTP", "");
        }
    }

    /// A host that was never reached will not be reached in a second either; one that was, may.
    private Transient unreached(URI uri, String reason, String fix, IOException e) throws SourceFailure {
        if (!reached.contains(host(uri))) throw new SourceFailure(uri.getHost() + ": " + reason, fix);
        return new Transient(uri.getHost() + ": " + reason, Duration.ZERO, e);
    }

    private static boolean isUnresolved(Throwable e) {
        for (Throwable t = e; t != null; t = t.getCause()) if (t instanceof UnresolvedAddressException) return true;
        return false;
    }

    private URI redirected(URI from, String location) throws SourceFailure {
        URI to;
        try {
            to = from.resolve(location);
        } catch (IllegalArgumentException e) {
            throw new SourceFailure(shown(from) + ": redirects to something that is no URL", "");
        }
        boolean inward = isAllowed(to) && isLoopback(to.getHost()) && !isLoopback(from.getHost());
        boolean opened = from.getScheme().equalsIgnoreCase("https") && "http".equalsIgnoreCase(to.getScheme());
        if (!isAllowed(to) || inward || opened)
            throw new SourceFailure(shown(from) + ": redirects to \"" + Names.printable(to.getScheme() + "://" + to.getHost())
                    + "\", which is not followed", "");
        return to;
    }

    private static boolean isSameServer(URI a, URI b) {
        return a.getScheme().equalsIgnoreCase(b.getScheme()) && a.getHost().equalsIgnoreCase(b.getHost())
                && a.getPort() == b.getPort();
    }

    private static String host(URI uri) {
        return (uri.getHost() + ":" + uri.getPort()).toLowerCase(Locale.ROOT);
    }

    private static Duration retryAfter(HttpResponse<?> response) {
        return response.headers().firstValue("Retry-After")
                .filter(value -> value.matches("\\d{1,8}"))
                .map(value -> Duration.ofSeconds(Long.parseLong(value)))
                .orElse(Duration.ZERO);
    }

    /// The address of a hub, `HF_ENDPOINT` or the public one.
    static String endpoint(Map<String, String> environment) {
        String named = environment.getOrDefault("HF_ENDPOINT", "").strip();
        if (named.isEmpty()) return Source.HUB;
        try {
            URI uri = URI.create(named);
            if (isAllowed(uri) && uri.getRawQuery() == null && uri.getRawUserInfo() == null) return named.replaceAll("/+$", "");
        } catch (IllegalArgumentException e) {
            // said below
        }
        throw new UserError("HF_ENDPOINT", "\"" + Names.printable(named) + "\" is not the address of a hub",
                "write https://host, or http:// on this machine only");
    }
}
