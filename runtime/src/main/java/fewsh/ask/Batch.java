package fewsh.ask;

import com.google.gson.JsonObject;
import fewsh.UserError;
import fewsh.generate.CausalLm;
import fewsh.generate.FinishReason;
import fewsh.generate.KvCache;
import fewsh.generate.SamplingConfig;
import fewsh.load.About;
import fewsh.prompt.Composed;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.function.Function;

/// A prompt put to a model for every row of a table: one JSON line a row, in order; each `next()` does a row.
///
/// A line is `{"index","inputs", …}` with the fields of [Reply#fields], or `{"index","inputs","error":{"message","where","fix"}}`
/// for a row that failed, after which the others go on. It is written beside the output until all rows are there. The same call
/// goes on where a run stopped, however that was; a file that is finished is not written over.
///
/// Rows run one after the other, and what a prompt shares with the one before it is not computed again. A row's answer depends
/// on the row alone: its seed is drawn from the batch's seed and its content, and the cache is steady
/// ([CausalLm#steadyCache]), so that neither the rows before it nor where a run was taken up can show.
///
/// One thread but for `interrupt()`.
public final class Batch implements Iterator<Batch.Progress>, AutoCloseable {
    /// How far a batch is.
    ///
    /// @param done rows that are written, those of earlier runs too
    /// @param failed how many of them failed
    /// @param tokensPerSecond that this run drew
    /// @param left the time the rest takes at this run's pace
    /// @param error why the last row failed, if it did
    public record Progress(int done, int total, int failed, double tokensPerSecond, Duration left, Optional<UserError> error) {}

    private final CausalLm lm;
    private final SamplingConfig config;
    private final Function<Map<String, Object>, Composed> prompt;
    private final List<Map<String, Object>> rows;
    private final Journal journal;
    private final KvCache cache;
    private final int begun;
    private final long start = System.nanoTime();
    private long tokens;
    private volatile Inquiry current;
    private volatile boolean interrupted;
    private boolean finished;

    private Batch(CausalLm lm, SamplingConfig config, Function<Map<String, Object>, Composed> prompt,
            List<Map<String, Object>> rows, Journal journal) {
        this.lm = lm;
        this.config = config;
        this.prompt = prompt;
        this.rows = rows;
        this.journal = journal;
        this.cache = lm.steadyCache();
        this.begun = journal.rows();
    }

    /// @param named what the prompt is, in words that change when it does: the text of its file
    /// @param prompt the prompt for a row; what it throws as a [UserError] is that row's error
    /// @param output `.jsonl`; must not be there yet
    /// @throws UserError if the output is there already, another run writes it, or what an earlier run left was begun with
    ///                   another prompt, other settings, another model or other rows
    public static Batch open(CausalLm lm, SamplingConfig config, String named, Function<Map<String, Object>, Composed> prompt,
            List<Map<String, Object>> rows, Path output) {
        About about = lm.about();
        JsonObject header = new JsonObject();
        header.addProperty("fewsh_batch", 1);
        header.addProperty("prompt", Row.sha256(named));
        header.addProperty("sampling", config.toString());
        header.addProperty("model", about.name() + ", " + about.sizeBytes() + " bytes, " + about.precision() + ", "
                + about.device());
        header.addProperty("number_of_rows", rows.size());
        header.addProperty("input", Row.sha256(rows));
        Batch batch = new Batch(lm, config, prompt, List.copyOf(rows), Journal.open(output, header));
        try {
            if (batch.begun == rows.size()) batch.finish();
        } catch (RuntimeException e) {
            batch.close();
            throw e;
        }
        return batch;
    }

    /// How far it is now: of a run that is taken up, what was done before.
    public Progress progress() {
        return progress(Optional.empty());
    }

    private Progress progress(Optional<UserError> error) {
        int done = Math.min(journal.rows(), rows.size());
        double seconds = (System.nanoTime() - start) / 1e9;
        int mine = done - begun;
        double left = mine == 0 ? 0 : seconds / mine * (rows.size() - done);
        return new Progress(done, rows.size(), journal.failed(), tokens / Math.max(seconds, 1e-9),
                Duration.ofNanos((long) (left * 1e9)), error);
    }

    /// Whether all rows are done and the output is in its place.
    public boolean isFinished() {
        return finished;
    }

    @Override
    public boolean hasNext() {
        return !finished && !interrupted;
    }

    /// Does a row. A row that is interrupted is not written.
    @Override
    public Progress next() {
        if (!hasNext()) throw new NoSuchElementException();
        int index = journal.rows();
        Map<String, Object> row = rows.get(index);
        JsonObject line = new JsonObject();
        line.addProperty("index", index);
        line.add("inputs", Row.GSON.toJsonTree(row));
        UserError error = null;
        try {
            Reply reply = ask(row);
            if (reply.reason() == FinishReason.INTERRUPTED) return progress();
            tokens += reply.usage().completionTokens();
            Row.GSON.toJsonTree(reply.fields()).getAsJsonObject().asMap().forEach(line::add);
        } catch (UserError e) {
            error = e;
            line.add("error", json(e));
        }
        journal.append(line);
        if (index + 1 == rows.size()) finish();
        return progress(Optional.ofNullable(error));
    }

    private Reply ask(Map<String, Object> row) {
        Composed composed = prompt.apply(row);
        try (Inquiry inquiry = Inquiry.of(lm, cache, composed, config.withSeed(Row.seed(config.seed(), row)))) {
            current = inquiry;
            if (interrupted) inquiry.interrupt();
            return inquiry.reply();
        } finally {
            current = null;
        }
    }

    private static JsonObject json(UserError e) {
        JsonObject error = new JsonObject();
        error.addProperty("message", e.what());
        error.addProperty("where", e.where());
        error.addProperty("fix", e.fix());
        return error;
    }

    private void finish() {
        journal.finish();
        finished = true;
    }

    /// Ends it within milliseconds, from any thread; what is done is kept.
    public void interrupt() {
        interrupted = true;
        Inquiry now = current;
        if (now != null) now.interrupt();
    }

    @Override
    public void close() {
        cache.close();
        journal.close();
    }
}
