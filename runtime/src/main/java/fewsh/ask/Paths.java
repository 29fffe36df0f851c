package fewsh.ask;

import fewsh.generate.FinishReason;
import fewsh.generate.SamplingConfig;
import fewsh.generate.Step;
import fewsh.prompt.Composition;
import fewsh.prompt.Cot;
import fewsh.prompt.Format;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/// One path, or several of which the majority wins; each of one call, or of two.
final class Paths implements Technique {
    /// Most tokens of the second call. Source: `max_length_direct` of Kojima et al.
    private static final int ANSWER_TOKENS = 32;

    private final Run run;
    private final Composition composition;
    private final boolean twoCalls;
    private final int n;
    private final EarlyStop early;
    private final SamplingConfig config;
    private final SamplingConfig answerConfig;
    private final int[] prompt;
    private final List<Sample> samples = new ArrayList<>();
    private final Tally tally;
    private final List<Path> wave = new ArrayList<>();
    /// Which path of the wave is asked for its answer; −1 while the paths are sampled.
    private int asked = -1;
    private boolean ended;

    Paths(Run run) {
        this.run = run;
        this.composition = run.composed().composition();
        this.tally = new Tally(composition.answer());
        this.twoCalls = composition.cot().kind() == Cot.Kind.ZERO_SHOT;
        this.n = composition.vote().n();
        this.early = EarlyStop.of(n, composition.vote().error());
        this.prompt = twoCalls ? run.ids(run.composed().begun(composition.cot().trigger())) : run.ids(run.composed());
        SamplingConfig given = run.config();
        if (n > 1 && given.temperature() == 0) given = given.withTemperature(composition.vote().temperature());
        // the answer is held to the format, and takes what room that needs; the reasoning before it is free
        boolean free = given.format() instanceof Format.Free;
        int most = free ? Math.min(ANSWER_TOKENS, given.maxTokens()) : given.maxTokens();
        this.answerConfig = given.withTemperature(0).withMaxTokens(most);
        // the second call needs room behind the first
        int room = run.lm().layout().nPositions() - prompt.length - 2 * ANSWER_TOKENS;
        if (twoCalls && room > 0) given = given.withMaxTokens(Math.min(given.maxTokens(), room));
        this.config = twoCalls ? given.with(c -> c.format = new Format.Free()) : given;
    }

    @Override
    public boolean ended() {
        return ended;
    }

    @Override
    public void advance(Consumer<Inquiry.Event> out) {
        if (asked >= 0) answer(out);
        else reason(out);
    }

    private void reason(Consumer<Inquiry.Event> out) {
        if (wave.isEmpty()) begin(out);
        Step step = run.next();
        Path path = wave.get(step.sample() - samples.size());
        tell(out, path.take(step));
        if (step instanceof Step.Stop && !twoCalls)
            out.accept(new Inquiry.Event.Sampled(path.end(composition.answer())));
        if (run.hasNext()) return;
        run.end();
        if (twoCalls) asked = 0;
        else endWave();
    }

    private void begin(Consumer<Inquiry.Event> out) {
        int first = samples.size();
        int size = composition.vote().early() ? early.wave(tally) : n - first;
        size = Math.min(size, run.rows(prompt, config));
        String begun = twoCalls ? composition.cot().trigger() : "";
        for (int i = 0; i < size; i++) wave.add(new Path(first + i, begun, run::piece));
        tell(out, begun);
        run.begin(run.cache(), prompt, config, first, size);
    }

    /// Asks the paths for their answers, one after the other.
    private void answer(Consumer<Inquiry.Event> out) {
        Path path = wave.get(asked);
        boolean over = run.interrupted();
        if (over) path.interrupt();
        else if (!run.decoding()) over = !ask(path, out);
        if (!over) {
            Step step = run.next();
            String added = path.take(step);
            Optional<String> kept = answerConfig.format() instanceof Format.Free ? path.lineEnd(added) : Optional.empty();
            tell(out, kept.orElse(added));
            over = kept.isPresent() || !run.hasNext();
        }
        if (!over) return;
        run.end();
        out.accept(new Inquiry.Event.Sampled(path.end(composition.answer())));
        asked++;
        if (asked == wave.size()) {
            asked = -1;
            endWave();
        }
    }

    /// Begins the second call of a path, unless there is no room for it: the answer is then looked for in the reasoning.
    private boolean ask(Path path, Consumer<Inquiry.Event> out) {
        String phrase = path.onItsLine(composition.cot().extract());
        int[] ids = run.ids(run.composed().begun(path.text() + phrase));
        if (ids.length > run.lm().layout().nPositions()) return false;
        path.ask(composition.cot().extract());
        tell(out, phrase);
        run.begin(run.cache(), ids, answerConfig, 0, 1);
        return true;
    }

    private void tell(Consumer<Inquiry.Event> out, String text) {
        if (n == 1 && !text.isEmpty()) out.accept(new Inquiry.Event.Text(text));
    }

    private void endWave() {
        for (Path path : wave) {
            Sample sample = path.end(composition.answer());
            samples.add(sample);
            if (sample.reason() != FinishReason.INTERRUPTED) tally.add(sample.answer());
        }
        wave.clear();
        ended = samples.size() == n || run.interrupted() || composition.vote().early() && early.settled(tally);
    }

    @Override
    public Reply reply() {
        Optional<String> answer = n == 1 ? samples.getFirst().answer() : tally.winner();
        Sample shown = samples.stream().filter(s -> answer.isPresent() && s.answer().equals(answer)).findFirst()
                .orElse(samples.getFirst());
        boolean cut = samples.stream().anyMatch(s -> s.reason() == FinishReason.INTERRUPTED);
        return new Reply(shown.text(), answer, cut ? FinishReason.INTERRUPTED : shown.reason(), samples,
                n == 1 ? Optional.empty() : Optional.of(votes(answer, cut)), List.of(), run.usage(), config.seed());
    }

    private Votes votes(Optional<String> answer, boolean cut) {
        boolean early = !cut && samples.size() < n;
        long drawn = samples.stream().mapToLong(s -> s.tokens().size()).sum();
        return new Votes(answer, tally.ordered(), tally.unparsable(), tally.samples(), n, early,
                early ? drawn * (n - samples.size()) / samples.size() : 0);
    }

    @Override
    public void close() {}
}
