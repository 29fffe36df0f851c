package fewsh.generate;

import fewsh.prompt.Format;
import fewsh.tokenize.TextStream;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.Queue;

/// One answer, or `n` sampled ones, as they come into being: prefill at the first `next()`, one token a row at later ones.
///
/// Stop by leaving the loop, or by `interrupt()` from another thread. Close it; the cache that it was given stays open and
/// then holds the prompt, and the answer too if there was one sample. One thread but for `interrupt()`.
public final class Decoding implements Iterator<Step>, AutoCloseable {
    /// One sample on its way.
    private static final class Row {
        final int sample;
        final Sampler sampler;
        final Optional<Constraint> constraint;
        final TextStream text;
        final StopText stop;
        final List<Integer> drawn = new ArrayList<>();
        boolean ended;

        Row(int sample, Sampler sampler, Optional<Constraint> constraint, TextStream text, StopText stop) {
            this.sample = sample;
            this.sampler = sampler;
            this.constraint = constraint;
            this.text = text;
            this.stop = stop;
        }
    }

    private final CausalLm lm;
    private final KvCache conversation;
    private final int[] prompt;
    private final SamplingConfig config;
    private final List<Row> rows = new ArrayList<>();
    private final Queue<Step> ready = new ArrayDeque<>();
    private final float[] logits;
    private KvCache cache;
    private volatile Pass pass;
    private volatile boolean interrupted;
    private boolean prefilled;
    private int reused;
    private long prefillNanos;
    private long decodeNanos;
    private int decoded;

    Decoding(CausalLm lm, KvCache conversation, int[] prompt, SamplingConfig config, int first, int n) {
        this.lm = lm;
        this.conversation = conversation;
        this.cache = conversation;
        this.prompt = prompt;
        this.config = config;
        this.logits = new float[lm.layout().vocabSize()];
        int left = Math.min(config.maxTokens(), lm.layout().nPositions() - prompt.length + 1);
        boolean free = config.format() instanceof Format.Free;
        for (int sample = first; sample < first + n; sample++)
            rows.add(new Row(sample, new Sampler(config, sample, logits.length, lm.spoken(prompt)),
                    free ? Optional.empty() : Optional.of(lm.constraint(config.format(), left)),
                    lm.tokenizer().stream(true), new StopText(free ? config.stop() : List.of())));
    }

    @Override
    public boolean hasNext() {
        return !ready.isEmpty() || rows.stream().anyMatch(r -> !r.ended);
    }

    @Override
    public Step next() {
        while (ready.isEmpty()) {
            if (!hasNext()) throw new NoSuchElementException();
            if (!prefilled) prefill();
            else step();
        }
        return ready.remove();
    }

    private void prefill() {
        long start = System.nanoTime();
        prefilled = true;
        // two positions at least: one alone takes another path through attention, whose rounding differs
        reused = conversation.reuse(prompt, prompt.length - 2);
        boolean done = config.maxTokens() == 0 || lm.feed(conversation, Arrays.copyOfRange(prompt, reused, prompt.length),
                1, this::running, (pass, i, at) -> {
                    pass.logits(i, logits);
                    for (Row row : rows) draw(row, pass, i);
                });
        running(null);
        prefillNanos = System.nanoTime() - start;
        if (!done || interrupted) endAll(FinishReason.INTERRUPTED);
        else if (config.maxTokens() == 0) endAll(FinishReason.LENGTH);
        else if (rows.size() > 1 && hasUnended()) cache = conversation.fanOut(rows.size(), prompt.length + Math.min(config.maxTokens(), 256));
    }

    private void step() {
        if (interrupted) {
            endAll(FinishReason.INTERRUPTED);
            return;
        }
        if (cache.length() == lm.layout().nPositions()) {
            endAll(FinishReason.LENGTH);
            return;
        }
        long start = System.nanoTime();
        if (lm.layout().shift(cache.length() + 1) != cache.shift()) refill();
        else decode();
        decodeNanos += System.nanoTime() - start;
        decoded++;
    }

    private void decode() {
        if (cache.reserve(cache.length() + 1) || pass == null) {
            if (pass != null) pass.close();
            pass = lm.pass(cache, 1, rows.size());
            for (int r = 0; r < rows.size(); r++) pass.want(r, r, 0);
            if (interrupted) pass.interrupt();
        }
        for (int r = 0; r < rows.size(); r++) pass.id(r, 0, rows.get(r).drawn.getLast());
        if (!pass.run()) {
            endAll(FinishReason.INTERRUPTED);
            return;
        }
        cache.append(rows.getFirst().drawn.getLast());
        for (int r = 0; r < rows.size(); r++) {
            if (rows.get(r).ended) continue;
            pass.logits(r, logits);
            draw(rows.get(r), pass, r);
        }
    }

    /// A step to a length at which all positions turn otherwise: what the cache holds is computed again.
    private void refill() {
        if (pass != null) pass.close();
        List<KvCache> refilled = new ArrayList<>();
        int length = cache.length() + 1;
        for (Row row : rows) {
            refilled.add(cache == conversation ? conversation : lm.cache());
            int[] ids = Arrays.copyOf(prompt, length);
            for (int i = prompt.length; i < length; i++)        // an answer that has ended repeats its last token
                ids[i] = row.drawn.get(Math.min(i - prompt.length, row.drawn.size() - 1));
            boolean done = lm.refill(refilled.getLast(), ids, this::running, (now, i, _) -> {
                now.logits(i, logits);
                if (!row.ended) draw(row, now, i);
            });
            if (!done) {
                endAll(FinishReason.INTERRUPTED);
                break;
            }
        }
        running(null);
        if (cache == conversation) return;
        KvCache old = cache;
        if (hasUnended()) cache = KvCache.together(refilled);
        if (cache != old) old.close();
        refilled.forEach(KvCache::close);
    }

    /// Draws the next token of `row` from `logits`, the `i`-th of the pass.
    private void draw(Row row, Pass pass, int i) {
        int id = row.constraint.map(c -> row.sampler.draw(logits, c::mask)).orElseGet(() -> row.sampler.draw(logits));
        row.drawn.add(id);
        boolean end = lm.tokenizer().endOfGeneration().contains(id);
        String text = end ? "" : row.constraint.map(c -> c.accept(id)).orElseGet(() -> row.stop.add(row.text.next(id)));
        ready.add(new Step.Token(row.sample, id, text, pass.logprob(i, id), alternatives(pass, i)));
        if (end || row.stop.stopped() || row.constraint.map(Constraint::ended).orElse(false)) end(row, FinishReason.STOP);
        else if (row.drawn.size() == config.maxTokens()) end(row, FinishReason.LENGTH);
    }

    private List<Candidate> alternatives(Pass pass, int i) {
        if (config.alternatives() == 0) return List.of();
        float[] logprobs = new float[logits.length];
        pass.logprobs(i, logprobs);
        return Sampler.likeliest(logprobs, config.alternatives()).mapToObj(id ->
                new Candidate(id, lm.tokenizer().piece(id), logprobs[id])).toList();
    }

    private void end(Row row, FinishReason reason) {
        row.ended = true;
        String rest = row.stop.stopped() ? "" : row.stop.add(row.text.finish());
        ready.add(new Step.Stop(row.sample, reason, rest + row.stop.finish()));
    }

    private void endAll(FinishReason reason) {
        for (Row row : rows) if (!row.ended) end(row, reason);
    }

    private boolean hasUnended() {
        return rows.stream().anyMatch(r -> !r.ended);
    }

    /// Notes the pass under way, which `interrupt()` ends.
    private void running(Pass pass) {
        this.pass = pass;
        if (interrupted && pass != null) pass.interrupt();
    }

    /// Ends the answer within milliseconds, from any thread: the next step of every sample is `Stop(INTERRUPTED)`.
    public void interrupt() {
        interrupted = true;
        Pass now = pass;
        if (now != null) now.interrupt();
    }

    public int promptTokens() {
        return prompt.length;
    }

    /// How many of the prompt's tokens the cache held already.
    public int reusedTokens() {
        return reused;
    }

    /// From the first `next()` to the first token.
    public Duration prefillTime() {
        return Duration.ofNanos(prefillNanos);
    }

    /// Of all tokens but the first of each sample.
    public Duration decodeTime() {
        return Duration.ofNanos(decodeNanos);
    }

    /// How many decoding passes there were; each gives every unfinished sample a token.
    public int decodeSteps() {
        return decoded;
    }

    @Override
    public void close() {
        if (pass != null) pass.close();
        pass = null;
        if (cache != conversation) cache.close();
    }
}
