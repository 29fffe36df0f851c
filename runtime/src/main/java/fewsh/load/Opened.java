package fewsh.load;

import fewsh.UserError;
import fewsh.models.Adaptation;
import fewsh.models.Architectures;
import fewsh.models.Checkpoint;
import fewsh.models.Page;
import fewsh.models.Precision;
import fewsh.models.Scaled;
import fewsh.session.Placement;
import fewsh.session.Session;
import fewsh.tensor.Tensor;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiFunction;

/// A checkpoint whose graphs the runtime has: what every loaded model is made of.
///
/// Owns the sessions: close it. Safe to share between threads.
///
/// @param <P> the family of the page
/// @param <R> what its user reads of the checkpoint: tokenizer, defaults, …
public final class Opened<P extends Page, R> implements AutoCloseable {
    private final P page;
    private final About about;
    private final R read;
    private final Prepared prepared;
    private final LoadOptions options;
    private final Path path;
    /// What the graphs have slots for.
    private final Adaptation slots;
    private final Map<String, Tensor> inputs;
    private final Map<String, Session> sessions;

    private Opened(P page, About about, R read, Prepared prepared, LoadOptions options, Path path, Adaptation slots,
            Map<String, Tensor> inputs, Map<String, Session> sessions) {
        this.page = page;
        this.about = about;
        this.read = read;
        this.prepared = prepared;
        this.options = options;
        this.path = path;
        this.slots = slots;
        this.inputs = inputs;
        this.sessions = sessions;
    }

    /// Opens a Hugging Face folder or a `.gguf` file, and a session of its page's first graph.
    ///
    /// @param family the pages that the caller can use
    /// @param read what the caller wants of the checkpoint, which is closed when this returns. It is called before the graphs are
    ///             prepared, so what takes time may go on beside that; if it is `AutoCloseable` it is closed if they fail
    /// @throws UserError if it is no model, is damaged, has no page or one of another family, does not fit into memory, or the
    ///         device is not there
    public static <P extends Page, R> Opened<P, R> open(Path path, LoadOptions options, Class<P> family,
            BiFunction<Checkpoint, P, R> read) {
        CompletableFuture.runAsync(Session::version);       // the runtime starts while the files are read
        Opened<P, R> opened;
        try (Checkpoint plain = Checkpoint.open(path)) {
            page(plain, family);
            Adaptation adapted = Adaptation.of(plain, options.adapters());
            Checkpoint checkpoint = adapted.checkpoint();
            P page = family.cast(adapted.page());
            Precision precision = options.precision().of(checkpoint);
            Footprint footprint = Footprint.of(checkpoint, page, precision);
            footprint.check(path, precision);
            About about = About.of(checkpoint, page, precision, options.device(), footprint);
            R more = read.apply(checkpoint, page);
            try {
                opened = new Opened<>(page, about, more, Prepared.of(adapted, precision, options), options, path,
                        adapted, adapted.inputs(), new LinkedHashMap<>());
            } catch (RuntimeException e) {
                close(more);
                throw e;
            }
        }
        // the checkpoint's pages are given back before a session takes its own
        try {
            opened.session(page(opened));
        } catch (UserError e) {
            if (opened.prepared.sound().join()) {
                close(opened.read);
                throw e;
            }
        }
        if (opened.prepared.sound().join()) return opened;
        opened.close();
        close(opened.read);
        opened.prepared.discard();
        return open(path, options, family, read);
    }

    private static String page(Opened<?, ?> opened) {
        return opened.page.graphs().firstEntry().getKey();
    }

    private static <P extends Page> P page(Checkpoint checkpoint, Class<P> family) {
        Page page = Architectures.page(checkpoint);
        if (family.isInstance(page)) return family.cast(page);
        throw new UserError(checkpoint.path().toString(), "is a " + checkpoint.settings().text("model_type", "")
                + " model, which cannot do this", "it is for " + page.uses());
    }

    private static void close(Object read) {
        if (!(read instanceof AutoCloseable closeable)) return;
        try {
            closeable.close();
        } catch (Exception e) {
            throw e instanceof RuntimeException known ? known : new IllegalStateException(e);
        }
    }

    /// What would be loaded, without loading it.
    public static <P extends Page> About about(Path path, LoadOptions options, Class<P> family) {
        try (Checkpoint checkpoint = Checkpoint.open(path)) {
            P page = page(checkpoint, family);
            Precision precision = options.precision().of(checkpoint);
            return About.of(checkpoint, page, precision, options.device(), Footprint.of(checkpoint, page, precision));
        }
    }

    public P page() {
        return page;
    }

    public synchronized About about() {
        return about.withPlacement(sessions.values().stream().map(Session::placement).reduce(Placement.NONE, Placement::and));
    }

    public R read() {
        return read;
    }

    /// The session of a graph of the page; opened when it is first asked for.
    public Session session(String graph) {
        synchronized (sessions) {
            return sessions.computeIfAbsent(graph, g -> open(g, options.threads())).with(inputs);
        }
    }

    /// A session of the first graph, of its own, whose operators use one thread: for callers who run it on several at once, which
    /// wastes less than sharing out each operator. It holds the weights a second time. The caller closes it.
    public Session onOneThread() {
        return open(page(this), 1).with(inputs);
    }

    private Session open(String graph, int threads) {
        return Session.open(prepared.model(graph), Session.Options.of(options.device(), threads)
                .withPlugins(options.home().resolve("providers")));
    }

    /// The adapters that act.
    public List<Scaled> adapters() {
        return options.adapters();
    }

    /// The same sessions with other adapters, which share them: closing either closes both.
    ///
    /// @return empty if the graphs have no place for these adapters, so that the model has to be opened with them
    /// @throws UserError if one is none, is damaged, or is of another model
    public Optional<Opened<P, R>> with(List<Scaled> adapters) {
        try (Checkpoint plain = Checkpoint.open(path)) {
            Map<String, Tensor> others = slots.inputs(Adaptation.of(plain, adapters));
            return Optional.ofNullable(others).map(o -> new Opened<>(page, about, read, prepared, options.withAdapters(adapters), path,
                    slots, o, sessions));
        }
    }

    @Override
    public void close() {
        synchronized (sessions) {
            sessions.values().forEach(Session::close);
            sessions.clear();
        }
    }
}
