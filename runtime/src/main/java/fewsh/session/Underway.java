package fewsh.session;

import fewsh.session.Session.Bound;
import java.util.HashSet;
import java.util.Set;

/// Runs on a device with a driver of its own. When the JVM shuts down those under way are interrupted and waited for, and no
/// other begins: a driver's threads that still work while the process takes its libraries apart end it by a signal.
final class Underway {
    /// What the device has begun is not given up: a step of SmolLM2 on a driver that computes on the CPU takes up to 40 seconds.
    private static final long PATIENCE_MILLIS = 60_000;

    private static final Set<Bound> RUNS = new HashSet<>();
    private static boolean hooked;
    private static boolean over;

    private Underway() {}

    static void begin(Bound run) {
        synchronized (RUNS) {
            if (!hooked) java.lang.Runtime.getRuntime().addShutdownHook(new Thread(Underway::endAll));
            hooked = true;
            while (over) await(Long.MAX_VALUE);             // the process is about to be gone
            RUNS.add(run);
        }
    }

    static void end(Bound run) {
        synchronized (RUNS) {
            RUNS.remove(run);
            RUNS.notifyAll();
        }
    }

    private static void endAll() {
        long until = System.currentTimeMillis() + PATIENCE_MILLIS;
        synchronized (RUNS) {
            over = true;
            RUNS.forEach(Bound::interrupt);
            for (long left; !RUNS.isEmpty() && (left = until - System.currentTimeMillis()) > 0; ) await(left);
        }
    }

    /// Waits for a change, whatever interrupts the thread.
    private static void await(long millis) {
        try {
            RUNS.wait(millis);
        } catch (InterruptedException _) {
            Thread.interrupted();
        }
    }
}
