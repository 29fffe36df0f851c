package fewsh.store;

import java.time.Duration;
import java.util.function.Consumer;
import java.util.function.LongFunction;

/// Tells how far a file is, ten times a second and at its end.
final class Meter {
    private static final long PERIOD = Duration.ofMillis(100).toNanos();

    private final Consumer<Progress> progress;
    private final LongFunction<Progress> event;
    private final long total;
    private long last;

    private Meter(Consumer<Progress> progress, long total, LongFunction<Progress> event) {
        this.progress = progress;
        this.total = total;
        this.event = event;
        this.last = System.nanoTime() - PERIOD;
    }

    static Meter receiving(String file, long from, long total, Consumer<Progress> progress) {
        long start = System.nanoTime();
        return new Meter(progress, total, bytes -> {
            double seconds = Math.max(1e-3, (System.nanoTime() - start) / 1e9);
            return new Progress.Receiving(file, bytes, total, (bytes - from) / seconds);
        });
    }

    static Meter verifying(String file, long total, Consumer<Progress> progress) {
        return new Meter(progress, total, bytes -> new Progress.Verifying(file, bytes, total));
    }

    void at(long bytes) {
        long now = System.nanoTime();
        if (now - last < PERIOD && bytes != total) return;
        last = now;
        progress.accept(event.apply(bytes));
    }
}
