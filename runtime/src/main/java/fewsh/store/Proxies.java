package fewsh.store;

import fewsh.UserError;
import java.io.IOException;
import java.net.Authenticator;
import java.net.InetSocketAddress;
import java.net.PasswordAuthentication;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.net.http.HttpClient;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, in either case, as curl reads them. This machine itself is never
/// reached through a proxy.
///
/// @param without hosts, domains with or without a leading dot, `host:port`, or `*`
record Proxies(Optional<Server> https, Optional<Server> http, List<String> without) {
    /// @param user empty when the proxy asks for none
    record Server(String host, int port, String user, String password) {}

    static Proxies of(Map<String, String> environment) {
        List<String> without = Stream.of(value(environment, "NO_PROXY").split("[,\\s]+")).filter(s -> !s.isEmpty()).toList();
        return new Proxies(server(environment, "HTTPS_PROXY"), server(environment, "HTTP_PROXY"), without);
    }

    /// The proxy for `uri`, if it has one.
    Optional<Server> server(URI uri) {
        String host = uri.getHost();
        if (host == null || Http.isLoopback(host)) return Optional.empty();
        boolean secure = uri.getScheme().equalsIgnoreCase("https");
        int port = uri.getPort() >= 0 ? uri.getPort() : secure ? 443 : 80;
        for (String entry : without)
            if (covers(entry.toLowerCase(Locale.ROOT), host.toLowerCase(Locale.ROOT), port)) return Optional.empty();
        return secure ? https : http;
    }

    void configure(HttpClient.Builder builder) {
        builder.proxy(new ProxySelector() {
            @Override
            public List<Proxy> select(URI uri) {
                return List.of(server(uri)
                        .map(s -> new Proxy(Proxy.Type.HTTP, new InetSocketAddress(s.host, s.port)))
                        .orElse(Proxy.NO_PROXY));
            }

            @Override
            public void connectFailed(URI uri, SocketAddress address, IOException failure) {
                // the request itself fails with the same reason
            }
        });
        if (Stream.of(https, http).flatMap(Optional::stream).allMatch(s -> s.user.isEmpty())) return;
        // The JDK does not send a password to a proxy for https unless this is set before its HTTP client is first used.
        if (System.getProperty("jdk.http.auth.tunneling.disabledSchemes") == null)
            System.setProperty("jdk.http.auth.tunneling.disabledSchemes", "");
        builder.authenticator(new Authenticator() {
            @Override
            protected PasswordAuthentication getPasswordAuthentication() {
                if (getRequestorType() != RequestorType.PROXY) return null;
                return Stream.of(https, http)
                        .flatMap(Optional::stream)
                        .filter(s -> !s.user.isEmpty() && s.host.equalsIgnoreCase(getRequestingHost())
                                && s.port == getRequestingPort())
                        .findFirst()
                        .map(s -> new PasswordAuthentication(s.user, s.password.toCharArray()))
                        .orElse(null);
            }
        });
    }

    private static boolean covers(String entry, String host, int port) {
        if (entry.equals("*")) return true;
        String name = entry;
        int colon = entry.lastIndexOf(':');
        if (colon > 0 && entry.indexOf(':') == colon) {
            if (!entry.substring(colon + 1).equals(Integer.toString(port))) return false;
            name = entry.substring(0, colon);
        }
        String domain = name.replaceAll("^\\*?\\.", "");
        return host.equals(domain) || host.endsWith("." + domain);
    }

    private static Optional<Server> server(Map<String, String> environment, String variable) {
        String text = value(environment, variable);
        if (text.isEmpty()) text = value(environment, "ALL_PROXY");
        if (text.isEmpty()) return Optional.empty();
        UserError wrong = new UserError(variable, "not the address of an HTTP proxy", "write http://[user:password@]host:port");
        try {
            URI uri = URI.create(text.contains("://") ? text : "http://" + text);
            if (!uri.getScheme().equalsIgnoreCase("http") || uri.getHost() == null) throw wrong;
            String[] user = (uri.getRawUserInfo() == null ? "" : uri.getRawUserInfo()).split(":", 2);
            return Optional.of(new Server(uri.getHost(), uri.getPort() < 0 ? 80 : uri.getPort(),
                    decoded(user[0]), user.length < 2 ? "" : decoded(user[1])));
        } catch (IllegalArgumentException e) {
            throw wrong; // without the cause: it quotes the password
        }
    }

    private static String decoded(String text) {
        return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
    }

    private static String value(Map<String, String> environment, String name) {
        String value = environment.getOrDefault(name, "");
        return (value.isBlank() ? environment.getOrDefault(name.toLowerCase(Locale.ROOT), "") : value).strip();
    }
}
