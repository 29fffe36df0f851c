package fewsh.generate;

import fewsh.UserError;
import fewsh.audio.Frames;
import fewsh.audio.MelFeatures;
import fewsh.audio.Sound;
import fewsh.tensor.Tensor;
import fewsh.tokenize.Tokenizer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.Queue;

/// A transcript as it comes into being, segment by segment: a window of the sound is heard whenever there is none left.
///
/// Where the model says times, the next window begins where the last whole segment of the one before ended, and the features of
/// the whole sound are on one scale. Where it knows no times, windows stand side by side and each is one segment.
///
/// Stop by leaving the loop, or by `interrupt()` from another thread. Close it. One thread but for `interrupt()`.
/// Source: `WhisperGenerationMixin.generate` of Hugging Face's transformers, greedy and without thresholds.
public final class Transcription implements Iterator<Segment>, AutoCloseable {
    /// Seconds of a frame, as times are spelled; those of every published model.
    private static final double FRAME = 0.01;

    private final SourceGraphs graphs;
    private final SpeechTokens tokens;
    private final MelFeatures features;
    private final Tokenizer tokenizer;
    private final Sound sound;
    private final TranscriptionConfig config;
    private final int vocabSize;
    private final int positions;
    /// Empty for a model that knows none.
    private final Optional<Timestamps> times;
    private final boolean timed;
    /// Of the whole sound, for a model that knows times.
    private final Optional<Frames> frames;
    private final Queue<Segment> ready = new ArrayDeque<>();
    private Optional<String> language;
    /// Where the next window begins: a frame, or a sample for a model without times.
    private int next;
    private int maxLength;
    private volatile DecoderRows running;
    private volatile boolean interrupted;

    /// @param vocabSize the logits of a position
    /// @param positions most tokens of the decoder
    Transcription(SourceGraphs graphs, SpeechTokens tokens, MelFeatures features, Tokenizer tokenizer, Sound sound,
            TranscriptionConfig config, int vocabSize, int positions) {
        this.graphs = graphs;
        this.tokens = tokens;
        this.features = features;
        this.tokenizer = tokenizer;
        this.sound = sound;
        this.config = config;
        this.vocabSize = vocabSize;
        this.positions = positions;
        language = tokens.language(config);
        maxLength = tokens.maxLength();
        times = tokens.times(vocabSize);
        if (config.timestamps() && times.isEmpty())
            throw new UserError("timestamps", "this model does not say times", "leave it out");
        boolean wanted = config.timestamps() || tokens.timestamps() || sound.samples().length > features.windowSamples();
        timed = wanted && times.isPresent();
        frames = times.map(_ -> features.whole(sound));
        if (!needsLanguage()) prompt();
    }

    private boolean needsLanguage() {
        return language.isEmpty() && !tokens.languages().isEmpty();
    }

    /// @throws UserError if it leaves no room for an answer
    private int[] prompt() {
        int[] prompt = tokens.prompt(config, language, timed);
        if (prompt.length >= positions)
            throw new UserError(tokens.where(), "the prompt of " + prompt.length + " tokens leaves no room in the "
                    + positions + " of max_target_positions", "");
        return prompt;
    }

    /// The code of the language; empty before the model has heard it, and for a model that knows but one.
    public Optional<String> language() {
        return language.map(SpeechTokens::code);
    }

    /// Seconds of the sound that were heard.
    public double heardSeconds() {
        return Math.min(sound.seconds(), (double) next * (frames.isPresent() ? features.hop() : 1) / sound.samplingRate());
    }

    /// Seconds of the sound in all.
    public double seconds() {
        return sound.seconds();
    }

    @Override
    public boolean hasNext() {
        while (ready.isEmpty() && !interrupted && next < frames.map(Frames::count).orElse(sound.samples().length))
            frames.ifPresentOrElse(this::timedWindow, this::plainWindow);
        return !ready.isEmpty();
    }

    @Override
    public Segment next() {
        if (!hasNext()) throw new NoSuchElementException();
        return ready.remove();
    }

    /// All that is left.
    public Transcript rest() {
        List<Segment> segments = new ArrayList<>();
        while (hasNext()) segments.add(next());
        return new Transcript(language(), segments, !interrupted);
    }

    private void plainWindow() {
        hear(features.window(sound, next)).ifPresent(said -> {
            double start = (double) next / sound.samplingRate();
            next = Math.min(sound.samples().length, next + features.windowSamples());
            add(start, (double) next / sound.samplingRate(), said);
        });
    }

    private void timedWindow(Frames whole) {
        int given = Math.min(features.windowFrames(), whole.count() - next);
        hear(whole.slice(next, given, features.windowFrames())).ifPresent(said -> {
            Timestamps.Cut cut = times.orElseThrow().cut(said, given / 2);
            for (Timestamps.Spoken part : cut.parts())
                add((next + 2 * part.start()) * FRAME, (next + 2 * part.end()) * FRAME, part.ids());
            next += cut.advance().isPresent() ? Math.max(1, 2 * cut.advance().getAsInt()) : given;
        });
    }

    private void add(double start, double end, List<Integer> ids) {
        if (ids.isEmpty()) return;
        int time = times.map(Timestamps::begin).orElse(Integer.MAX_VALUE);
        int[] words = ids.stream().mapToInt(id -> id).filter(id -> id < time).toArray();
        ready.add(new Segment(start, end, tokenizer.decode(words, true), ids));
    }

    /// What the model says of a window, without the end; empty after an interruption.
    private Optional<List<Integer>> hear(Tensor input) {
        try (DecoderRows rows = graphs.read(Map.of("input_features", input), 1)) {
            running = rows;
            if (interrupted) return Optional.empty();
            float[] scores = new float[vocabSize];
            int start = tokens.rules().decoderStart();
            boolean begun = needsLanguage();
            if (begun) {
                if (!rows.feed(new int[] {start})) return Optional.empty();
                rows.logits(0, scores);
                language = tokens.languages().entrySet().stream()
                        .reduce((a, b) -> scores[b.getValue()] > scores[a.getValue()] ? b : a).map(Map.Entry::getKey);
            }
            int[] prompt = prompt();
            if (!rows.feed(begun ? Arrays.copyOfRange(prompt, 1, prompt.length) : prompt)) return Optional.empty();
            return say(rows, prompt, scores);
        } finally {
            running = null;
        }
    }

    private Optional<List<Integer>> say(DecoderRows rows, int[] prompt, float[] scores) {
        int most = mostTokens(prompt.length);
        TokenRules rules = new TokenRules(tokens.rules().withMaxNewTokens(most));
        int[] ids = Arrays.copyOf(prompt, prompt.length + most);
        List<Integer> said = new ArrayList<>();
        while (true) {
            rows.logits(0, scores);
            rules.apply(ids, prompt.length + said.size(), prompt.length, scores);
            if (timed) times.orElseThrow().apply(said, scores);
            int id = Sampler.argmax(scores);
            if (tokens.rules().eos().contains(id)) break;
            ids[prompt.length + said.size()] = id;
            said.add(id);
            if (said.size() == most) break;
            if (!rows.feed(new int[] {id})) return Optional.empty();
        }
        return Optional.of(said);
    }

    /// Most tokens behind the prompt. In the reference the prompt is added to `max_length`, and stays added for later windows.
    private int mostTokens(int prompt) {
        int room = positions - prompt;
        if (tokens.maxNewTokens() > 0) return Math.min(room, tokens.maxNewTokens());
        if (maxLength == 0) return room;
        maxLength = Math.min(maxLength + Math.min(positions / 2 - 1, prompt), positions);
        return Math.max(1, maxLength - prompt);
    }

    /// Ends the transcript at the next token, from any thread; a window that is being read by the encoder is read to its end.
    public void interrupt() {
        interrupted = true;
        DecoderRows now = running;
        if (now != null) now.interrupt();
    }

    @Override
    public void close() {
        interrupted = true;
    }
}
