package fewsh.ask;

import fewsh.generate.CausalLm;
import fewsh.generate.Decoding;
import fewsh.generate.KvCache;
import fewsh.generate.SamplingConfig;
import fewsh.generate.Step;
import fewsh.prompt.Composed;
import fewsh.prompt.Format;
import fewsh.prompt.Message;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// A composed prompt at a model: its ids, one decoding at a time, what they took, and the way to stop them.
final class Run {
    /// Most bytes of keys and values for paths that are decoded side by side.
    private static final long SIDE_BY_SIDE = 1 << 30;
    private static final int MOST_ROWS = 32;

    private final CausalLm lm;
    private final KvCache cache;
    private final Composed composed;
    private final SamplingConfig config;
    private volatile Decoding current;
    private volatile boolean interrupted;
    /// Whether the prompt of the current decoding is another than the one before.
    private boolean another;
    private int promptTokens;
    private int reusedTokens;
    private int completionTokens;
    private Duration prefill = Duration.ZERO;
    private Duration decode = Duration.ZERO;

    Run(CausalLm lm, KvCache cache, Composed composed, SamplingConfig config) {
        this.lm = lm;
        this.cache = cache;
        this.composed = composed;
        Set<String> stop = new LinkedHashSet<>(config.stop());
        stop.addAll(composed.composition().stop());
        Format format = composed.composition().format();
        this.config = config.with(c -> {
            c.stop = List.copyOf(stop);
            if (!(format instanceof Format.Free)) c.format = format;
        });
    }

    CausalLm lm() {
        return lm;
    }

    KvCache cache() {
        return cache;
    }

    Composed composed() {
        return composed;
    }

    /// The settings given, with the composition's stop texts and format.
    SamplingConfig config() {
        return config;
    }

    /// The prompt, up to where the assistant begins, or goes on with what it has begun.
    int[] ids(Composed prompt) {
        if (lm.chatTemplate().isEmpty()) return lm.encode(prompt.text());
        List<Message> messages = prompt.messages();
        boolean begun = !messages.isEmpty() && "assistant".equals(messages.getLast().role());
        if (!begun) return lm.encode(messages, true);
        return lm.tokenizer().encode(lm.chatTemplate().get().renderContinuing(messages, Map.of()), false, true);
    }

    /// What stands between a text and its answer.
    static String gap(String text) {
        return text.isEmpty() || Character.isWhitespace(text.charAt(text.length() - 1)) ? "" : " ";
    }

    /// A token as the vocabulary has it; empty for an id that a padded vocabulary only makes room for.
    String piece(int id) {
        return lm.tokenizer().has(id) ? lm.tokenizer().piece(id) : "";
    }

    /// How many paths may be decoded side by side.
    int rows(int[] prompt, SamplingConfig config) {
        long positions = Math.min(lm.layout().nPositions(), (long) prompt.length + config.maxTokens());
        return Math.clamp(SIDE_BY_SIDE / (lm.layout().cacheBytes() * Math.max(1, positions)), 2, MOST_ROWS);
    }

    /// Begins a decoding, which [#end] ends.
    Decoding begin(KvCache cache, int[] prompt, SamplingConfig config, int first, int n) {
        Decoding decoding = lm.decode(cache, prompt, config, first, n);
        current = decoding;
        another = first == 0;
        if (interrupted) decoding.interrupt();
        return decoding;
    }

    Step next() {
        Step step = current.next();
        if (step instanceof Step.Token) completionTokens++;
        return step;
    }

    boolean decoding() {
        return current != null;
    }

    boolean hasNext() {
        return current.hasNext();
    }

    void end() {
        if (current == null) return;
        if (another) promptTokens += current.promptTokens();
        if (another) reusedTokens += current.reusedTokens();
        prefill = prefill.plus(current.prefillTime());
        decode = decode.plus(current.decodeTime());
        Decoding ended = current;
        current = null;
        ended.close();
    }

    /// Feeds a prompt without drawing an answer, so that what follows it can be scored.
    void prefill(int[] prompt) {
        begin(cache, prompt, SamplingConfig.GREEDY.withMaxTokens(1), 0, 1).forEachRemaining(_ -> {});
        end();
    }

    void interrupt() {
        interrupted = true;
        Decoding now = current;
        if (now != null) now.interrupt();
    }

    boolean interrupted() {
        return interrupted;
    }

    Usage usage() {
        return new Usage(promptTokens, reusedTokens, completionTokens, prefill, decode);
    }
}
