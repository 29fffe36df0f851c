package fewsh.generate;

import fewsh.tokenize.TextStream;
import fewsh.tokenize.Tokenizer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Queue;

/// The answers to a batch of sources, as they come into being; the steps of source `i` are those of sample `i`.
///
/// With one beam a step of every unfinished answer comes at a time. A search of several beams knows its answers only when it
/// ends: they then come whole, the best of each source.
///
/// Stop by leaving the loop, or by `interrupt()` from another thread. Close it. One thread but for `interrupt()`.
public final class SourceDecoding implements Iterator<Step>, AutoCloseable {
    /// An answer on its way, with one beam.
    private static final class Row {
        final int sample;
        final Sampler sampler;
        final TextStream text;
        int[] ids;
        int length;
        boolean ended;

        Row(int sample, Sampler sampler, TextStream text, int[] prompt) {
            this.sample = sample;
            this.sampler = sampler;
            this.text = text;
            this.ids = Arrays.copyOf(prompt, prompt.length + 32);
            this.length = prompt.length;
        }
    }

    private final DecoderRows decoder;
    private final Tokenizer tokenizer;
    private final GenerationConfig config;
    private final TokenRules rules;
    private final int[] prompt;
    private final int sources;
    private final int vocabSize;
    private final List<Row> rows = new ArrayList<>();
    private final List<BeamSearch> searches = new ArrayList<>();
    private final Queue<Step> ready = new ArrayDeque<>();
    private final float[] logits;
    private boolean begun;
    private volatile boolean interrupted;

    /// @param decoder over `config.numBeams()` rows a source; closed with this
    /// @param prompt what the decoder is given first
    SourceDecoding(DecoderRows decoder, Tokenizer tokenizer, GenerationConfig config, int vocabSize, int[] prompt) {
        this.decoder = decoder;
        this.tokenizer = tokenizer;
        this.config = config;
        this.rules = new TokenRules(config);
        this.prompt = prompt;
        this.sources = decoder.rows() / config.numBeams();
        this.vocabSize = vocabSize;
        this.logits = new float[vocabSize];
        SamplingConfig sampling = config.sampling().with(c -> c.repetitionPenalty = 1);
        for (int i = 0; i < sources; i++)
            if (config.numBeams() > 1) searches.add(new BeamSearch(config, prompt));
            else rows.add(new Row(i, new Sampler(sampling, i, vocabSize, prompt), tokenizer.stream(true), prompt));
    }

    @Override
    public boolean hasNext() {
        return !ready.isEmpty() || rows.stream().anyMatch(r -> !r.ended) || !searches.isEmpty() && !begun;
    }

    @Override
    public Step next() {
        while (ready.isEmpty()) {
            if (!hasNext()) throw new NoSuchElementException();
            if (searches.isEmpty()) step();
            else search();
        }
        return ready.remove();
    }

    private void step() {
        int width = begun ? 1 : prompt.length;
        int[] ids = new int[rows.size() * width];
        for (int r = 0; r < rows.size(); r++) {
            Row row = rows.get(r);
            System.arraycopy(row.ids, row.length - width, ids, r * width, width);
        }
        begun = true;
        if (interrupted || !decoder.feed(ids)) {
            for (Row row : rows) if (!row.ended) end(row, FinishReason.INTERRUPTED);
            return;
        }
        for (int r = 0; r < rows.size(); r++) {
            Row row = rows.get(r);
            if (row.length == row.ids.length) row.ids = Arrays.copyOf(row.ids, 2 * row.length);
            if (row.ended) row.ids[row.length++] = config.eos().isEmpty() ? 0 : config.eos().getFirst();
            else draw(row, r);
        }
    }

    private void draw(Row row, int r) {
        decoder.logits(r, logits);
        rules.apply(row.ids, row.length, prompt.length, logits);
        int id = row.sampler.draw(logits);
        decoder.logprobs(r, logits);
        row.ids[row.length++] = id;
        boolean end = config.eos().contains(id);
        ready.add(new Step.Token(row.sample, id, end ? "" : row.text.next(id), logits[id], List.of()));
        if (end) end(row, FinishReason.STOP);
        else if (row.length - prompt.length == config.maxNewTokens()) end(row, FinishReason.LENGTH);
    }

    private void end(Row row, FinishReason reason) {
        row.ended = true;
        ready.add(new Step.Stop(row.sample, reason, row.text.finish()));
    }

    private void search() {
        List<List<Beam>> found = beams();
        for (int i = 0; i < found.size(); i++) {
            TextStream text = tokenizer.stream(true);
            if (found.get(i).isEmpty()) {
                ready.add(new Step.Stop(i, interrupted ? FinishReason.INTERRUPTED : FinishReason.LENGTH, ""));
                continue;
            }
            Beam best = found.get(i).getFirst();
            boolean ended = false;
            for (int id : best.ids()) {
                ended = config.eos().contains(id);
                // of a whole answer only its own probability is known, not that of each token
                ready.add(new Step.Token(i, id, ended ? "" : text.next(id), Double.NaN, List.of()));
            }
            ready.add(new Step.Stop(i, ended ? FinishReason.STOP : FinishReason.LENGTH, text.finish()));
        }
    }

    /// Searches to the end.
    ///
    /// @return for each source what was found, best first; nothing if it was interrupted
    List<List<Beam>> beams() {
        int beams = config.numBeams();
        int[] ids = new int[sources * beams * prompt.length];
        for (int i = 0; i < ids.length; i++) ids[i] = prompt[i % prompt.length];
        float[][] logprobs = new float[beams][vocabSize];
        begun = true;
        while (!interrupted && decoder.feed(ids)) {
            int[] from = new int[sources * beams];
            ids = new int[sources * beams];
            for (int i = 0; i < sources; i++) {
                BeamSearch search = searches.get(i);
                if (!search.done()) {
                    for (int b = 0; b < beams; b++) {
                        BeamSearch.Running text = search.running().get(b);
                        decoder.logprobs(i * beams + text.slot(), logprobs[b]);
                        rules.apply(text.ids(), text.ids().length, prompt.length, logprobs[b]);
                    }
                    int[] slots = search.step(logprobs);
                    for (int slot = 0; slot < beams; slot++) from[i * beams + slot] = i * beams + slots[slot];
                } else {
                    for (int slot = 0; slot < beams; slot++) from[i * beams + slot] = i * beams + slot;
                }
                for (BeamSearch.Running text : search.running())
                    ids[i * beams + text.slot()] = text.ids()[text.ids().length - 1];
            }
            if (searches.stream().allMatch(BeamSearch::done)) break;
            decoder.reorder(from);
        }
        return searches.stream().map(s -> interrupted ? List.<Beam>of() : s.best()).toList();
    }

    /// Ends the answers within milliseconds, from any thread: the next step of each is `Stop(INTERRUPTED)`.
    public void interrupt() {
        interrupted = true;
        decoder.interrupt();
    }

    @Override
    public void close() {
        decoder.close();
    }
}
