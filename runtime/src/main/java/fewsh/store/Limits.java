package fewsh.store;

import java.time.Duration;

/// How long a pull waits and how often it tries again.
///
/// @param connect for a connection to open
/// @param stall for the next byte to arrive (and for a package client to show a sign of life)
/// @param attempts failures in a row, without progress between them, before a source is given up
/// @param delay before the second attempt; doubled each time
/// @param longestDelay that a server may ask for
record Limits(Duration connect, Duration stall, int attempts, Duration delay, Duration longestDelay) {
    static final Limits USUAL =
            new Limits(Duration.ofSeconds(10), Duration.ofSeconds(60), 5, Duration.ofMillis(500), Duration.ofMinutes(2));

    /// Before the attempt after `failures` failures.
    Duration delay(int failures) {
        return delay.multipliedBy(1L << Math.min(failures - 1, 6));
    }
}
