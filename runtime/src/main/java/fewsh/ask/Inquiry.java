package fewsh.ask;

import fewsh.UserError;
import fewsh.generate.CausalLm;
import fewsh.generate.KvCache;
import fewsh.generate.SamplingConfig;
import fewsh.prompt.Composed;
import fewsh.prompt.Composition;
import fewsh.prompt.Cot;
import fewsh.prompt.Message;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Queue;

/// A composed prompt put to a model, as its composition says: events as they come, and in the end a [Reply].
///
/// - One answer: zero- and few-shot (Brown et al. 2020), few-shot chain of thought (Wei et al. 2022).
/// - Zero-shot chain of thought (Kojima et al. 2022): the assistant begins with the trigger and reasons; a second, greedy call
///   continues with the extraction phrase, and the first line it adds is where the answer is looked for.
/// - A vote (self-consistency, Wang et al. 2022): paths sampled from one prefill; the majority of their answers wins.
/// - Generated knowledge (Liu et al. 2022): statements sampled, an answer with each and one without; the surest wins.
///
/// Pull: `hasNext()` works until there is an event. Leave the loop to stop, or `interrupt()` from another thread: the reply
/// is then what there is. The cache stays open; what it holds of the prompt is not computed again. One thread but for
/// `interrupt()`.
public final class Inquiry implements Iterator<Inquiry.Event>, AutoCloseable {
    /// What happened.
    public sealed interface Event {
        /// A single answer goes on: to be shown as it comes. All of them together are the reply's text.
        record Text(String text) implements Event {}

        /// A path of a vote, or the single answer, came to its end.
        record Sampled(Sample sample) implements Event {}

        /// An answer was given with a statement, or the first time without.
        record Known(Statement statement) implements Event {}

        /// What is going on: `knowledge 3 of 5`.
        record Note(String text) implements Event {}
    }

    private final Run run;
    private final Technique technique;
    private final Queue<Event> ready = new ArrayDeque<>();

    private Inquiry(Run run, Technique technique) {
        this.run = run;
        this.technique = technique;
    }

    /// Nothing is computed yet but the prompt's ids.
    ///
    /// @throws UserError if the model's chat template refuses the prompt, or techniques exclude each other; the first `next()`
    ///                   throws it if the prompt is longer than the context length
    public static Inquiry of(CausalLm lm, KvCache cache, Composed composed, SamplingConfig config) {
        check(composed.composition());
        lm.check(composed.messages());
        Run run = new Run(lm, cache, composed, config);
        return new Inquiry(run, composed.composition().knowledge() == 0 ? new Paths(run) : new Knowledge(run));
    }

    /// Before a model is loaded or a prompt composed.
    ///
    /// @throws UserError if techniques exclude each other
    public static void check(Composition composition) {
        if (composition.knowledge() == 0) return;
        if (composition.vote().n() > 1)
            throw new UserError("knowledge", "cannot go with a vote: each statement has one answer", "turn one of them off");
        if (composition.cot().kind() == Cot.Kind.ZERO_SHOT)
            throw new UserError("knowledge", "cannot go with cot zero_shot: a statement is used in place of reasoning",
                    "turn one of them off");
    }

    @Override
    public boolean hasNext() {
        while (ready.isEmpty() && !technique.ended()) technique.advance(ready::add);
        return !ready.isEmpty();
    }

    @Override
    public Event next() {
        if (!hasNext()) throw new NoSuchElementException();
        return ready.remove();
    }

    /// Ends it within milliseconds, from any thread.
    public void interrupt() {
        run.interrupt();
    }

    /// What came of it; what was not pulled yet is run first.
    public Reply reply() {
        while (!technique.ended()) technique.advance(_ -> {});
        return technique.reply();
    }

    @Override
    public void close() {
        technique.close();
        run.end();
    }
}
