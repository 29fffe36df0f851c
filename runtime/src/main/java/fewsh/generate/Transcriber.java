package fewsh.generate;

import fewsh.UserError;
import fewsh.audio.MelFeatures;
import fewsh.audio.Sound;
import fewsh.load.About;
import fewsh.load.LoadOptions;
import fewsh.load.Loaded;
import fewsh.load.Opened;
import fewsh.models.Checkpoint;
import fewsh.models.Settings;
import fewsh.models.Whisper;
import fewsh.tensor.DType;
import fewsh.tensor.Shape;
import fewsh.tensor.Tensor;
import fewsh.tokenize.Tokenizer;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/// A speech model, loaded: it writes down what is said. Immutable and shareable; what changes is in [Transcription].
/// ```java
/// try (Transcriber model = Transcriber.open(Path.of("whisper-tiny"), LoadOptions.in(home))) {
///     String text = model.transcribe(Path.of("short.wav")).text();
/// }
/// ```
public final class Transcriber implements Loaded {
    private static final Set<String> INPUTS = Set.of("input_features", "decoder_input_ids");

    private final Opened<Whisper, Parts> opened;
    private final Whisper page;
    private final SourceGraphs graphs;
    private final Tokenizer tokenizer;

    /// What is read of a checkpoint beside its graphs; the tokenizer while those are prepared.
    private record Parts(CompletableFuture<Tokenizer> tokenizer, MelFeatures features, SpeechTokens tokens)
            implements AutoCloseable {
        static Parts of(Checkpoint checkpoint, Whisper page) {
            Path path = checkpoint.path();
            MelFeatures features = features(path, page);
            SpeechTokens tokens = SpeechTokens.of(checkpoint, page.vocabSize());
            return new Parts(CompletableFuture.supplyAsync(() -> Tokenizer.open(path)), features, tokens);
        }

        /// Of `preprocessor_config.json`, or of `processor_config.json`, which newer folders have instead.
        private static MelFeatures features(Path folder, Whisper page) {
            Path old = folder.resolve("preprocessor_config.json");
            Path file = Files.exists(old) ? old : folder.resolve("processor_config.json");
            Settings read = Settings.read(Files.exists(file) ? file : old, "a speech model says there how it hears");
            MelFeatures features = MelFeatures.of(file.equals(old) ? read : read.object("feature_extractor"));
            if (features.bins() != page.config().melBins())
                throw new UserError(file.toString(), "feature_size is " + features.bins() + ", config.json has num_mel_bins "
                        + page.config().melBins(), "the files are not of one model: fetch both again");
            if (features.windowFrames() != page.frames())
                throw new UserError(file.toString(), "a window has " + features.windowFrames() + " frames, config.json takes "
                        + page.frames() + " (2 × max_source_positions)", "the files are not of one model: fetch both again");
            return features;
        }

        @Override
        public void close() {
            tokenizer.thenAccept(Tokenizer::close).exceptionally(_ -> null).join();
        }
    }

    private Transcriber(Opened<Whisper, Parts> opened, Tokenizer tokenizer) {
        this.opened = opened;
        this.page = opened.page();
        this.graphs = new OwnGraphs(page.layout(), opened.session("encoder"), opened.session("decoder"));
        this.tokenizer = tokenizer;
    }

    /// Opens a Hugging Face folder.
    ///
    /// @throws UserError if it is no such model, is damaged, does not fit into memory, asks for a way to hear or to decode that
    ///         is not implemented, or the device is not there
    public static Transcriber open(Path path, LoadOptions options) {
        Opened<Whisper, Parts> opened = Opened.open(path, options, Whisper.class, Parts::of);
        try {
            return new Transcriber(opened, opened.read().tokenizer().join());
        } catch (CompletionException e) {
            opened.close();
            throw e.getCause() instanceof UserError known ? known : e;
        } catch (RuntimeException e) {
            opened.close();
            opened.read().close();
            throw e;
        }
    }

    /// What would be loaded, without loading it.
    public static About about(Path path, LoadOptions options) {
        return Opened.about(path, options, Whisper.class);
    }

    @Override
    public About about() {
        return opened.about();
    }

    public Tokenizer tokenizer() {
        return tokenizer;
    }

    /// What is said in a recording, as the model's own settings have it.
    ///
    /// @throws UserError if the recording cannot be read
    public Transcript transcribe(Path file) {
        try (Transcription segments = transcribe(file, TranscriptionConfig.DEFAULT)) {
            return segments.rest();
        }
    }

    /// The same, segment by segment.
    ///
    /// @throws UserError if the recording cannot be read, or `config` asks for what the model does not know
    public Transcription transcribe(Path file, TranscriptionConfig config) {
        return transcribe(Sound.read(file, opened.read().features().samplingRate()), config);
    }

    /// @param sound at the model's sampling rate
    Transcription transcribe(Sound sound, TranscriptionConfig config) {
        Parts parts = opened.read();
        return new Transcription(graphs, parts.tokens(), parts.features(), tokenizer, sound, config, page.vocabSize(),
                page.layout().targetPositions());
    }

    /// The `input_features` of the first window of a recording.
    @Override
    public Map<String, Tensor> inputs(Path file) {
        return inputs(Sound.read(file, opened.read().features().samplingRate()));
    }

    /// @param sound at the model's sampling rate
    Map<String, Tensor> inputs(Sound sound) {
        return Map.of("input_features", opened.read().features().window(sound));
    }

    /// @param inputs `input_features` float32 `(batch, num_mel_bins, 2 · max_source_positions)` and `decoder_input_ids` int64
    ///               `(batch, sequence)`
    /// @return `logits` and `encoder_last_hidden_state`
    @Override
    public Map<String, Tensor> forward(Map<String, Tensor> inputs) {
        for (String name : inputs.keySet())
            if (!INPUTS.contains(name)) throw new UserError(name, "is no input of this model", "it takes " + INPUTS);
        for (String name : INPUTS)
            if (!inputs.containsKey(name)) throw new UserError(name, "is missing", "a speech model takes " + INPUTS);
        Tensor features = inputs.get("input_features");
        Tensor ids = inputs.get("decoder_input_ids");
        if (features.dtype() != DType.FLOAT32 || features.shape().rank() != 3 || features.shape().size(0) < 1
                || features.shape().size(1) != page.config().melBins() || features.shape().size(2) != page.frames())
            throw new UserError("input_features", "must be float32 [batch, " + page.config().melBins() + ", " + page.frames()
                    + "], was " + features.dtype() + " " + features.shape(), "");
        long most = page.layout().targetPositions();
        if (ids.dtype() != DType.INT64 || ids.shape().rank() != 2 || ids.shape().size(0) != features.shape().size(0)
                || ids.shape().size(1) < 1 || ids.shape().size(1) > most)
            throw new UserError("decoder_input_ids", "must be int64 [" + features.shape().size(0) + ", 1 to " + most + "], was "
                    + ids.dtype() + " " + ids.shape(), "");
        for (long i = 0; i < ids.shape().count(); i++) {
            long id = ids.data().getAtIndex(ValueLayout.JAVA_LONG_UNALIGNED, i);
            if (id < 0 || id >= page.vocabSize())
                throw new UserError("decoder_input_ids",
                        "token id " + id + " is not in the vocabulary of " + page.vocabSize(), "");
        }
        return graphs.forward(Map.of("input_features", features), ids);
    }

    @Override
    public void close() {
        opened.close();
        tokenizer.close();
    }
}
