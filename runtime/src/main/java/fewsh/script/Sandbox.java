package fewsh.script;

import fewsh.UserError;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.graalvm.polyglot.Engine;
import org.graalvm.polyglot.PolyglotException;
import org.graalvm.polyglot.Value;
import org.graalvm.polyglot.proxy.ProxyExecutable;

/// Runs JavaScript that may do nothing but speak the vocabulary: `scripts/fewsh.d.ts` lists it.
///
/// A script runs on a thread of its own, while the calling thread looks after its limits. Whatever it does ends in a value or
/// in one of these: [UserError] for its own errors and for a limit, InterruptedException for Ctrl-C. One thread at a time, but
/// for `interrupt`. The first call takes most of a second; what takes it is made then and not before.
///
/// One runaway cannot be stopped in this JVM: a recursion that catches its own overflow lives where the stack is too short for
/// the engine to throw. It is left behind on its thread, with an error that says so, and the next script has a new engine.
public final class Sandbox implements AutoCloseable {
    private static final int STACK = 16 << 20;
    private static final long TICK_MILLIS = 5;
    private static final Duration GRACE = Duration.ofSeconds(2);
    private static final long BETWEEN_COLLECTIONS = TimeUnit.MILLISECONDS.toNanos(250);

    /// Why a script is stopped.
    private enum Stop { INTERRUPTED, TIME, MEMORY }

    private interface Work {
        String run(Guest guest);
    }

    private final Stage stage;
    private final Path folder;
    private final Limits limits;
    private Engine engine;
    private Guest typed;
    private volatile AtomicReference<Stop> running;

    /// @param folder whose files the entries of [#evaluate] may use
    public Sandbox(Stage stage, Path folder, Limits limits) {
        this.stage = stage;
        this.folder = folder;
        this.limits = limits;
    }

    /// Evaluates what was typed at the shell; what it declares stays for later entries.
    ///
    /// @return its value as a line shows it: a text as it is; empty for `undefined`
    /// @throws UserError that shows the place, as `js:1:5`
    /// @throws InterruptedException if it was interrupted; its variables are still there
    public String evaluate(String entry) throws InterruptedException {
        if (typed == null) typed = guest(folder);
        return supervise(typed, List.of(), null, guest -> {
            Entry parsed = new Entry("js", entry, null, 0, false);
            try {
                parsed = Entry.typed(guest.context(), entry);
                Value value = guest.context().eval(parsed.source());
                return shown(guest, parsed.awaits() ? awaited(value) : value);
            } catch (PolyglotException e) {
                throw failure(e, guest, parsed);
            }
        });
    }

    /// Whether `entry` is the beginning of something, so that another line may complete it.
    public boolean isIncomplete(String entry) throws InterruptedException {
        if (typed == null) typed = guest(folder);
        String incomplete = supervise(typed, List.of(), null,
                guest -> Boolean.toString(Entry.isIncomplete(guest.context(), entry)));
        return incomplete.equals("true");
    }

    /// Runs a file as an ES module, in a world of its own, with its folder's files in reach and `args` as its arguments.
    ///
    /// @throws UserError that shows the place, as `sweep.js:3:7`
    /// @throws InterruptedException if it was interrupted
    public void run(Path file, List<String> args) throws InterruptedException {
        run(file, args, null);
    }

    /// The same with rows as its `input`, which may come from anywhere; null for none.
    public void run(Path file, List<String> args, List<? extends Map<String, Object>> input) throws InterruptedException {
        Path whole = file.toAbsolutePath().normalize();
        Jail jail = new Jail(whole.getParent(), limits.files());
        String text = jail.read(whole.getFileName().toString());
        Entry entry = Entry.module(whole.getFileName().toString(), text);
        supervise(guest(whole.getParent()), args, input, guest -> {
            try {
                guest.context().eval(entry.source());
                return "";
            } catch (PolyglotException e) {
                throw failure(e, guest, entry);
            }
        });
    }

    private Guest guest(Path folder) {
        if (engine == null) engine = Guest.engine();
        return new Guest(engine, stage, new Jail(folder, limits.files()), limits);
    }

    private static Value awaited(Value promise) {
        AtomicReference<Value> settled = new AtomicReference<>();
        promise.invokeMember("then", (ProxyExecutable) a -> {
            settled.set(a[0]);
            return null;
        });
        return settled.get();
    }

    private static String shown(Guest guest, Value value) {
        return value == null || value.isNull() && value.toString().equals("undefined") ? "" : guest.shown(value);
    }

    /// Runs `work` on a thread of its own and watches over it.
    private String supervise(Guest guest, List<String> args, List<? extends Map<String, Object>> input,
            Work work) throws InterruptedException {
        AtomicReference<Stop> stop = new AtomicReference<>();
        AtomicReference<Object> outcome = new AtomicReference<>();
        CountDownLatch done = new CountDownLatch(1);
        guest.vocabulary().models().begin();
        running = stop;
        long allowed = Math.min(guest.heldBefore() + limits.memory(), Runtime.getRuntime().maxMemory() / 10 * 9);
        Thread.ofPlatform().daemon().name("script").stackSize(STACK).start(() -> {
            try {
                guest.begin(args, input);
                outcome.set(work.run(guest));
            } catch (Throwable e) {                                           // whatever it is, the caller concludes from it
                outcome.set(e);
            } finally {
                guest.vocabulary().close();
                done.countDown();
            }
        });
        boolean ended = watch(guest, done, stop, allowed);
        running = null;
        Object result = outcome.get();
        boolean lost = !ended || stop.get() == Stop.MEMORY || isExhausted(result);
        String gone = lost && guest == typed ? "; the variables of /js are gone" : "";
        if (lost && guest == typed) typed = null;
        else if (guest != typed && ended && !lost) guest.close();
        if (!ended) {
            engine = null;                                                    // its locks may be held for ever
            throw new UserError("", "the script cannot be stopped: it keeps a core busy until the program is left" + gone,
                    "does it catch an error that it makes again and again?");
        }
        if (lost) Thread.ofPlatform().daemon().start(guest::close);           // which takes until it notices
        return conclude(stop.get(), result, gone);
    }

    /// @return false if the script could not be made to end
    private boolean watch(Guest guest, CountDownLatch done, AtomicReference<Stop> stop, long allowed) {
        Models models = guest.vocabulary().models();
        long collected = System.nanoTime() - BETWEEN_COLLECTIONS;
        while (true) {
            try {
                if (done.await(TICK_MILLIS, TimeUnit.MILLISECONDS)) return true;
            } catch (InterruptedException _) {
                stop.compareAndSet(null, Stop.INTERRUPTED);
            }
            if (models.clock().used().compareTo(limits.time()) > 0) stop.compareAndSet(null, Stop.TIME);
            if (Guest.held() > allowed && System.nanoTime() - collected > BETWEEN_COLLECTIONS) {
                System.gc();                                                  // what is left then is held
                collected = System.nanoTime();
                if (Guest.held() > allowed) stop.compareAndSet(null, Stop.MEMORY);
            }
            if (stop.get() == null) continue;
            models.interrupt();
            try {
                guest.context().interrupt(GRACE);
            } catch (TimeoutException _) {
                if (!models.clock().isPaused()) return false;                 // a model's pass is waited for
            }
        }
    }

    private static boolean isExhausted(Object result) {
        return result instanceof OutOfMemoryError
                || result instanceof PolyglotException e && (e.isResourceExhausted() || e.isCancelled());
    }

    private String conclude(Stop stop, Object result, String gone) throws InterruptedException {
        switch (stop) {
            case INTERRUPTED -> throw new InterruptedException("the script was interrupted" + gone);
            case TIME -> throw new UserError("", "the script ran for more than " + limits.time().toMillis() / 1000.0
                    + " s of processor time" + gone, "if it is no endless loop, --cpu_time allows more");
            case MEMORY -> throw memory(gone, null);
            case null -> {
                // it ended by itself
            }
        }
        return switch (result) {
            case String value -> value;
            case OutOfMemoryError e -> throw memory(gone, e);
            case PolyglotException e when e.isCancelled() -> throw new UserError("", String.format(Locale.ROOT,
                    "the script ran more than %,d statements", limits.statements()) + gone,
                    "if it is no endless loop, --statements allows more", e);
            case PolyglotException e when e.isResourceExhausted() -> throw memory(gone, e);
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            default -> throw new IllegalStateException("no outcome: " + result);
        };
    }

    private UserError memory(String gone, Throwable cause) {
        return new UserError("", String.format(Locale.ROOT, "the script holds more than %,d MiB", limits.memory() >> 20) + gone,
                "keep less at a time", cause);
    }

    private static RuntimeException failure(PolyglotException e, Guest guest, Entry entry) {
        if (e.isInterrupted() || e.isCancelled() || e.isResourceExhausted()) return e;
        if (e.isHostException()) return e.asHostException() instanceof RuntimeException host ? host : e;
        return e.isInternalError() ? e : Failure.of(e, guest, entry);
    }

    /// Stops what runs, from any thread: `evaluate` or `run` then throws InterruptedException.
    ///
    /// @return false if nothing runs
    public boolean interrupt() {
        AtomicReference<Stop> now = running;
        if (now == null) return false;
        now.compareAndSet(null, Stop.INTERRUPTED);
        return true;
    }

    @Override
    public void close() {
        if (typed != null) typed.close();
        typed = null;
        if (engine != null) engine.close(true);
        engine = null;
    }
}
