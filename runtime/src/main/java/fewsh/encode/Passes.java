package fewsh.encode;

import fewsh.UserError;
import fewsh.load.LoadOptions;
import fewsh.load.Opened;
import fewsh.session.Device;
import fewsh.session.Session;
import fewsh.tensor.Tensor;
import fewsh.tokenize.Encoding;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Supplier;

/// Runs texts through a network, in batches of about one length.
///
/// Few texts are run one batch after the other, each operator shared out among the threads. Many are run a batch a thread, by a
/// session whose operators stay on it: no thread waits for others at every operator. That session is opened when it is first
/// needed and holds the weights a second time.
final class Passes implements AutoCloseable {
    /// Tokens of one pass for each thread, padding included: more would not stay in the processor's caches.
    private static final int PASS = 256;
    /// Numbers that one pass gives at most, for heads that score a whole vocabulary at each position.
    private static final long NUMBERS = 1 << 22;
    /// Bytes of weights that may be held twice.
    private static final long TWICE = 1L << 29;

    private final Network network;
    private final int threads;
    /// Opens the session for one thread; null where batches are not run side by side.
    private final Supplier<Session> opener;
    private Session opened;

    private Passes(Network network, int threads, Supplier<Session> opener) {
        this.network = network;
        this.threads = threads;
        this.opener = opener;
    }

    static Passes of(Network network, LoadOptions options) {
        return new Passes(network, options.threads(), null);
    }

    static Passes of(Network network, Opened<?, ?> model, LoadOptions options) {
        boolean beside = options.threads() > 1 && options.device().provider() == Device.Provider.CPU
                && model.about().sizeBytes() <= TWICE;
        return new Passes(network, options.threads(), beside ? model::onOneThread : null);
    }

    /// Receives what one text gave; perhaps on several threads at once, each text once.
    interface Each {
        /// @param i which text
        /// @param row where it stands in its batch
        void made(int i, int row, Map<String, Tensor> made);
    }

    /// @param pad stands behind shorter texts
    /// @param types whether token types are the encodings'; else 0
    void run(List<Encoding> texts, int pad, boolean types, Each each) {
        long most = Math.max(1, NUMBERS / network.widest());
        List<Batch> batches = opener == null ? List.of() : Batch.byLength(texts, (int) Math.min(most, PASS));
        if (batches.size() >= 2 * threads) {
            Network one = network.by(single()::run);
            sideBySide(batches.stream().<Runnable>map(b -> () -> run(one, b, texts, pad, types, each)).toList());
        } else {
            for (Batch batch : Batch.byLength(texts, (int) Math.min(most, (long) PASS * threads)))
                run(network, batch, texts, pad, types, each);
        }
    }

    private static void run(Network network, Batch batch, List<Encoding> texts, int pad, boolean types, Each each) {
        Map<String, Tensor> made = network.feed(batch.inputs(texts, pad, types));
        for (int row = 0; row < batch.members().size(); row++) each.made(batch.members().get(row), row, made);
    }

    private void sideBySide(List<Runnable> runs) {
        try (ExecutorService workers = Executors.newFixedThreadPool(threads)) {
            List<Future<?>> under = new ArrayList<>();
            for (Runnable run : runs) under.add(workers.submit(run));
            try {
                for (Future<?> future : under) future.get();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new UserError("", "interrupted", "", e);
            } catch (ExecutionException e) {
                throw e.getCause() instanceof RuntimeException known ? known : new IllegalStateException(e.getCause());
            } finally {
                workers.shutdownNow();
            }
        }
    }

    private synchronized Session single() {
        if (opened == null) opened = opener.get();
        return opened;
    }

    @Override
    public synchronized void close() {
        if (opened != null) opened.close();
        opened = null;
    }
}
