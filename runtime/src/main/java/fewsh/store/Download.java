package fewsh.store;

import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// One file over HTTP, from the byte where an earlier attempt stopped.
///
/// Goes on by `Range`. When no checksum is known the bytes of two attempts are joined only if the server's strong entity tag says
/// that they are of the same file (`If-Range`); when one is known it decides in the end, and a file that was joined and does not
/// match is fetched once more from its beginning.
///
/// @param token for the host of `uri`; empty for none
/// @param refusal what an answer other than the file means
record Download(Http http, URI uri, String token, Function<Http.Answer, SourceFailure> refusal, Limits limits,
        Consumer<Progress> progress) {
    /// Less than this between two failures is no progress.
    private static final long STEP = 256 << 10;

    private static final Pattern CONTENT_RANGE = Pattern.compile("bytes (\\d{1,18})-(\\d{1,18})/(\\d{1,18}|\\*)");

    /// Fills `partial`. When this returns, it is the file that was wanted.
    void into(Partial partial) throws SourceFailure, InterruptedException {
        String file = partial.wanted().name();
        long best = partial.length();
        boolean joined = best > 0;
        int failures = 0;
        for (int mismatches = 0; ; mismatches++) {
            while (!isWhole(partial)) {
                try {
                    attempt(partial);
                    if (partial.length() < partial.total())
                        throw new IOException("ended after " + partial.length() + " of " + partial.total() + " bytes");
                    break;
                } catch (IOException e) {
                    if (Thread.interrupted()) throw new InterruptedException();
                    if (partial.length() >= best + STEP) {
                        best = partial.length();
                        failures = 0;
                    }
                    String reason = Http.reason(e, uri);
                    if (++failures >= limits.attempts())
                        throw new SourceFailure(reason + ", " + failures + " times",
                                "what has arrived is kept: pull again to go on");
                    Duration delay = http.delay(e, failures);
                    progress.accept(new Progress.Retrying(file, reason, delay));
                    Thread.sleep(delay);
                    joined = true;
                }
            }
            String problem = partial.problem();
            if (problem.isEmpty()) return;
            partial.restart();
            if (!joined || mismatches > 0) throw new SourceFailure(file + " " + problem, "");
            progress.accept(new Progress.Retrying(file, file + " " + problem, Duration.ZERO));
            joined = false;
        }
    }

    /// Whether there is nothing to ask for. An empty file is asked for, to learn whether it is there.
    private static boolean isWhole(Partial partial) {
        return partial.length() > 0 && partial.total() >= 0 && partial.length() >= partial.total();
    }

    private void attempt(Partial partial) throws IOException, SourceFailure, InterruptedException {
        Wanted wanted = partial.wanted();
        if (partial.length() > 0 && !wanted.hasChecksum() && partial.etag().isEmpty()) partial.restart();
        Map<String, String> headers = new LinkedHashMap<>();
        if (partial.length() > 0) {
            headers.put("Range", "bytes=" + partial.length() + "-");
            if (!wanted.hasChecksum()) headers.put("If-Range", partial.etag());
        }
        try (Http.Answer answer = http.get(uri, headers, token)) {
            checkIdentity(answer, wanted);
            long total = begin(answer, partial);
            if (wanted.size() >= 0 && total >= 0 && total != wanted.size())
                throw new SourceFailure(wanted.name() + " is " + total + " bytes there, " + wanted.size() + " were expected", "");
            partial.describe(strong(answer.header("ETag").orElse("")), total);
            if (total >= 0) Disk.checkSpace(partial.folder(), total - partial.length());
            copy(answer, partial);
        }
    }

    /// Where the body of `answer` goes on; restarts the partial if that is at the beginning.
    ///
    /// @return the bytes of the whole file; −1 if the server does not say
    private long begin(Http.Answer answer, Partial partial) throws IOException, SourceFailure {
        if (!answer.header("Content-Encoding").orElse("identity").equalsIgnoreCase("identity"))
            throw new SourceFailure(Http.shown(uri) + ": sent compressed, which was not asked for", "");
        switch (answer.status()) {
            case 200 -> {
                if (answer.header("Content-Type").orElse("").startsWith("text/html"))
                    throw new SourceFailure(Http.shown(answer.uri()) + ": is a web page, not a file",
                            "is a login page in the way?");
                if (partial.length() > 0) partial.restart();
                return answer.contentLength();
            }
            case 206 -> {
                Matcher range = CONTENT_RANGE.matcher(answer.header("Content-Range").orElse(""));
                String etag = strong(answer.header("ETag").orElse(""));
                boolean same = partial.wanted().hasChecksum() || etag.equals(partial.etag());
                if (!range.matches() || Long.parseLong(range.group(1)) != partial.length() || !same) {
                    partial.restart();
                    throw new IOException("another part of the file was sent than was asked for");
                }
                return range.group(3).equals("*") ? -1 : Long.parseLong(range.group(3));
            }
            case 416 -> {
                partial.restart();
                throw new IOException("the file has become shorter");
            }
            default -> throw refusal.apply(answer);
        }
    }

    private void copy(Http.Answer answer, Partial partial) throws IOException, SourceFailure, InterruptedException {
        Wanted wanted = partial.wanted();
        Meter meter = Meter.receiving(wanted.name(), partial.length(), partial.total(), progress);
        byte[] buffer = new byte[1 << 16];
        for (int n; (n = answer.body().read(buffer)) >= 0; ) {
            if (Thread.interrupted()) throw new InterruptedException();
            if (partial.total() >= 0 && partial.length() + n > partial.total()) {
                partial.restart();
                throw new SourceFailure(wanted.name() + " goes on after the " + partial.total() + " bytes it should have", "");
            }
            partial.write(buffer, n);
            meter.at(partial.length());
        }
    }

    /// A hub names a large file's sha256 before it sends it.
    private static void checkIdentity(Http.Answer answer, Wanted wanted) throws SourceFailure {
        String there = Hub.etag(answer.headerOfAny("X-Linked-Etag").orElse(""));
        if (there.matches("[0-9a-f]{64}") && !wanted.sha256().isEmpty() && !there.equals(wanted.sha256()))
            throw new SourceFailure(wanted.name() + " is another file there: sha256 " + there + ", not " + wanted.sha256(), "");
    }

    private static String strong(String etag) {
        return etag.startsWith("\"") && etag.endsWith("\"") && etag.length() > 2 ? etag : "";
    }
}
