package fewsh.store;

import java.time.Duration;

/// What a pull is doing, for whoever draws it. Sent from the thread that pulls, at most about ten times a second.
public sealed interface Progress {
    /// Another pull holds the same name; this one goes on when that one has ended.
    record Waiting(String name) implements Progress {}

    /// A source is about to be asked.
    record Trying(Source source) implements Progress {}

    /// A source could not deliver; the next one follows.
    record SourceFailed(Source source, String reason) implements Progress {}

    /// Bytes are arriving.
    ///
    /// @param bytes of the file that are here, those of earlier attempts included
    /// @param total bytes of the file; −1 when unknown
    /// @param bytesPerSecond since this attempt began
    record Receiving(String file, long bytes, long total, double bytesPerSecond) implements Progress {}

    /// The connection failed; it is tried again after `delay`, from where it stopped if the server can.
    record Retrying(String file, String reason, Duration delay) implements Progress {}

    /// Bytes on the disk are being hashed.
    record Verifying(String file, long bytes, long total) implements Progress {}
}
