package fewsh.script;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.time.Duration;

/// The processor's time that a script's own thread takes, model calls apart. Read by another thread.
final class Clock {
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
    private volatile long thread;
    private volatile long begun;
    private volatile long paused;
    private volatile boolean inPause;

    /// Not counted while open.
    interface Pause extends AutoCloseable {
        @Override
        void close();
    }

    /// The calling thread is the script's, and its time counts from now on.
    void begin() {
        thread = Thread.currentThread().threadId();
        paused = 0;
        inPause = false;
        begun = THREADS.getCurrentThreadCpuTime();
    }

    Pause pause() {
        long start = THREADS.getCurrentThreadCpuTime();
        inPause = true;
        return () -> {
            paused += THREADS.getCurrentThreadCpuTime() - start;
            inPause = false;
        };
    }

    /// Whether a model is at work.
    boolean isPaused() {
        return inPause;
    }

    /// Zero in a pause, and before the beginning.
    Duration used() {
        if (inPause || thread == 0) return Duration.ZERO;
        long now = THREADS.getThreadCpuTime(thread);
        return now < 0 ? Duration.ZERO : Duration.ofNanos(Math.max(0, now - begun - paused));
    }
}
