package fewsh.shell;

import fewsh.load.Loaded;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/// Opens models on a thread of their own, since a load that was interrupted may take a while to notice: whoever waits for it
/// is told at once, and what still comes of it is closed.
///
/// One thread but for that. Close it before the program ends: it waits for a load that was left, a little.
final class Loading implements AutoCloseable {
    /// How long the end of the program waits: the runtime does not like to be left in the middle of a load.
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private CompletableFuture<Void> left = CompletableFuture.completedFuture(null);

    /// @throws InterruptedException if the calling thread is interrupted; there is no model then
    <M extends Loaded> M open(Supplier<M> open) throws InterruptedException {
        await(left);                                                          // there is memory for one
        CompletableFuture<M> opening = new CompletableFuture<>();
        Thread thread = Thread.ofPlatform().daemon().name("load").start(() -> {
            try {
                opening.complete(open.get());
            } catch (RuntimeException | Error e) {
                opening.completeExceptionally(e);
            }
        });
        try {
            return await(opening);
        } catch (InterruptedException e) {
            left = opening.handle((model, _) -> {
                if (model != null) model.close();
                return null;
            });
            thread.interrupt();                                               // ends what reads and writes files
            throw e;
        }
    }

    private static <T> T await(CompletableFuture<T> future) throws InterruptedException {
        try {
            return future.get();
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case RuntimeException known -> throw known;
                case Error known -> throw known;
                default -> throw new IllegalStateException(e.getCause());
            }
        }
    }

    @Override
    public void close() {
        try {
            left.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        } catch (InterruptedException | ExecutionException | TimeoutException _) {
            // the program's end frees what is not free yet
        }
    }
}
