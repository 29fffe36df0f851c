package fewsh.generate;

import fewsh.UserError;
import fewsh.load.About;
import fewsh.load.ExportFolder;
import fewsh.load.Exported;
import fewsh.load.LoadOptions;
import fewsh.load.Loaded;
import fewsh.load.Opened;
import fewsh.models.Architectures;
import fewsh.models.Checkpoint;
import fewsh.models.EncoderDecoder;
import fewsh.models.Settings;
import fewsh.tensor.Tensor;
import fewsh.tokenize.Tokenizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/// An encoder–decoder model, loaded: it reads a source and answers, as translation and summarising do. Immutable and shareable;
/// what changes is in [SourceDecoding].
/// ```java
/// try (Seq2Seq model = Seq2Seq.open(Path.of("opus-mt-en-de"), LoadOptions.in(home))) {
///     String text = model.translate("Hear me speak.");
/// }
/// ```
public final class Seq2Seq implements Loaded {
    /// Sources that are read together.
    private static final int BATCH = 32;

    private final AutoCloseable owner;
    private final About about;
    private final EncoderDecoder.Layout layout;
    private final SourceGraphs graphs;
    private final Tokenizer tokenizer;
    private final GenerationConfig defaults;

    /// What is read of a checkpoint beside its graphs; the tokenizer while those are prepared.
    private record Parts(CompletableFuture<Tokenizer> tokenizer, GenerationConfig defaults) implements AutoCloseable {
        static Parts of(Checkpoint checkpoint) {
            return of(checkpoint.path(), checkpoint.settings());
        }

        static Parts of(Path folder, Settings settings) {
            GenerationConfig defaults = GenerationConfig.of(folder, settings);
            return new Parts(CompletableFuture.supplyAsync(() -> Tokenizer.open(folder)), defaults);
        }

        @Override
        public void close() {
            tokenizer.thenAccept(Tokenizer::close).exceptionally(_ -> null).join();
        }
    }

    private Seq2Seq(AutoCloseable owner, About about, EncoderDecoder.Layout layout, SourceGraphs graphs, Parts parts) {
        this.owner = owner;
        this.about = about;
        this.layout = layout;
        this.graphs = graphs;
        this.tokenizer = parts.tokenizer.join();
        this.defaults = parts.defaults;
    }

    /// Opens a Hugging Face folder, or a folder of what others exported of one to ONNX.
    ///
    /// @throws UserError if it is no such model, is damaged, has no page, does not fit into memory, asks for a way to decode that
    ///         is not implemented, or the device is not there; if an export has inputs that are not understood, naming each
    public static Seq2Seq open(Path path, LoadOptions options) {
        Optional<ExportFolder> export = ExportFolder.find(path, options);
        if (export.isPresent()) return open(export.get(), options);
        Opened<EncoderDecoder, Parts> opened = Opened.open(path, options, EncoderDecoder.class,
                (checkpoint, _) -> Parts.of(checkpoint));
        return made(opened, opened.read(), () -> {
            EncoderDecoder.Layout layout = opened.page().layout();
            return new Seq2Seq(opened, opened.about(), layout,
                    new OwnGraphs(layout, opened.session("encoder"), opened.session("decoder")), opened.read());
        });
    }

    private static Seq2Seq open(ExportFolder export, LoadOptions options) {
        Parts parts = Parts.of(export.folder(), export.settings());
        Exported exported;
        try {
            exported = Exported.open(export, options);
        } catch (RuntimeException e) {
            parts.close();
            throw e;
        }
        return made(exported, parts, () -> {
            ExportedGraphs graphs = new ExportedGraphs(exported);
            return new Seq2Seq(exported, exported.about().with(graphs.vocabSize(), 0), layout(export, graphs.vocabSize()),
                    graphs, parts);
        });
    }

    /// Sizes as the page of the architecture has them, or the configuration where there is none.
    private static EncoderDecoder.Layout layout(ExportFolder export, int vocabSize) {
        Settings s = export.settings();
        if (Architectures.knows(s) && Architectures.page(s) instanceof EncoderDecoder page) return page.layout();
        int positions = Math.max(1, export.contextLength());
        return new EncoderDecoder.Layout(s.size("vocab_size", vocabSize), vocabSize, positions,
                s.size("max_target_positions", positions), 0, 0, 0, 0, 0);
    }

    /// Closes what is open if the model cannot be made of it.
    private static Seq2Seq made(AutoCloseable owner, Parts parts, Supplier<Seq2Seq> model) {
        try {
            return model.get();
        } catch (RuntimeException e) {
            parts.close();
            close(owner);
            throw e instanceof CompletionException && e.getCause() instanceof UserError known ? known : e;
        }
    }

    /// What would be loaded, without loading it.
    public static About about(Path path, LoadOptions options) {
        return ExportFolder.find(path, options).map(e -> Exported.about(e, options))
                .orElseGet(() -> Opened.about(path, options, EncoderDecoder.class));
    }

    @Override
    public About about() {
        return about;
    }

    public Tokenizer tokenizer() {
        return tokenizer;
    }

    /// What the model's `generation_config.json` asks for.
    public GenerationConfig defaults() {
        return defaults;
    }

    /// The ids of a source, with the tokens that the model expects around it; special tokens in the text are ordinary text.
    public int[] encode(String text) {
        return tokenizer.encode(text, true, false);
    }

    /// Decodes an answer to each source.
    ///
    /// @throws UserError if a source is empty or longer than the model reads, or `config` does not fit the model
    public SourceDecoding decode(List<int[]> sources, GenerationConfig config) {
        GenerationConfig fitted = fitted(config);
        return new SourceDecoding(read(sources, fitted.numBeams()), tokenizer, fitted, layout.vocabSize(),
                new int[] {config.decoderStart()});
    }

    /// The best answers to each source, best first: as many as there are beams, or fewer.
    ///
    /// @throws UserError as [#decode]
    public List<List<Beam>> search(List<int[]> sources, GenerationConfig config) {
        if (config.numBeams() == 1) throw new UserError("num_beams", "a search needs at least 2", "");
        try (SourceDecoding answers = decode(sources, config)) {
            return answers.beams();
        }
    }

    /// The answer to a text, as the model's own settings decode it.
    public String translate(String text) {
        return translate(text, defaults);
    }

    public String translate(String text, GenerationConfig config) {
        return translate(List.of(text), config).getFirst();
    }

    /// The answers to texts, in their order; those of like length are read together.
    public List<String> translate(List<String> texts, GenerationConfig config) {
        List<int[]> sources = texts.stream().map(this::encode).toList();
        String[] answers = new String[texts.size()];
        int[] order = IntStream.range(0, answers.length).boxed().sorted(Comparator.comparing(i -> sources.get(i).length))
                .mapToInt(i -> i).toArray();
        for (int first = 0; first < order.length; first += BATCH) {
            int[] part = Arrays.copyOfRange(order, first, Math.min(order.length, first + BATCH));
            Map<Integer, StringBuilder> made = new HashMap<>();
            try (SourceDecoding steps = decode(Arrays.stream(part).mapToObj(sources::get).toList(), config)) {
                while (steps.hasNext()) {
                    Step step = steps.next();
                    String text = switch (step) {
                        case Step.Token token -> token.text();
                        case Step.Stop stop -> stop.text();
                    };
                    made.computeIfAbsent(step.sample(), _ -> new StringBuilder()).append(text);
                }
            }
            for (int i = 0; i < part.length; i++) answers[part[i]] = made.get(i).toString().strip();
        }
        return List.of(answers);
    }

    private GenerationConfig fitted(GenerationConfig config) {
        if (config.decoderStart() >= layout.vocabSize())
            throw new UserError("", "decoder_start_token_id " + config.decoderStart() + " is not in the vocabulary of "
                    + layout.vocabSize(), "");
        if (config.numBeams() > 1 && Math.max(2, 1 + config.eos().size()) * config.numBeams() > layout.vocabSize())
            throw new UserError("", "num_beams " + config.numBeams() + " is too many for a vocabulary of "
                    + layout.vocabSize(), "");
        return config.withMaxNewTokens(Math.min(config.maxNewTokens(), layout.targetPositions() - 1));
    }

    private DecoderRows read(List<int[]> sources, int each) {
        int length = sources.stream().mapToInt(s -> s.length).max().orElse(0);
        long[] ids = new long[sources.size() * length];
        long[] mask = new long[ids.length];
        for (int row = 0; row < sources.size(); row++) {
            if (sources.get(row).length == 0) throw new UserError("", "the text is empty", "");
            for (int i = 0; i < sources.get(row).length; i++) {
                ids[row * length + i] = sources.get(row)[i];
                mask[row * length + i] = 1;
            }
        }
        if (ids.length == 0) throw new UserError("", "there is no text", "");
        Map<String, Tensor> inputs = new LinkedHashMap<>();
        inputs.put("input_ids", Tensor.ofInt64(ids, sources.size(), length));
        inputs.put("attention_mask", Tensor.ofInt64(mask, sources.size(), length));
        check(ids, length, layout.sourcePositions(), layout.sourceVocabSize());
        return graphs.read(inputs, each);
    }

    private static void check(long[] ids, int length, int most, int vocabSize) {
        if (length > most)
            throw new UserError("", "the text is %,d tokens, the model takes %,d".formatted(length, most), "send it in parts");
        for (long id : ids)
            if (id < 0 || id >= vocabSize)
                throw new UserError("", "token id " + id + " is not in the vocabulary of " + vocabSize, "");
    }

    /// @param inputs `input_ids`, `attention_mask` and `decoder_input_ids`
    /// @return `logits` and `encoder_last_hidden_state`
    @Override
    public Map<String, Tensor> forward(Map<String, Tensor> inputs) {
        Map<String, Tensor> sources = new LinkedHashMap<>(inputs);
        Tensor answer = sources.remove("decoder_input_ids");
        if (answer == null)
            throw new UserError("", "\"decoder_input_ids\" is missing",
                    "begin it with decoder_start_token_id " + defaults.decoderStart());
        Rows source = Rows.of(sources);
        Rows target = Rows.of(Map.of("input_ids", answer));
        if (source.batch() != target.batch()) throw new UserError("", "input_ids and decoder_input_ids differ in rows", "");
        check(source.ids(), source.sequence(), layout.sourcePositions(), layout.sourceVocabSize());
        check(target.ids(), target.sequence(), layout.targetPositions(), layout.vocabSize());
        return graphs.forward(Map.of("input_ids", Tensor.ofInt64(source.ids(), source.batch(), source.sequence()),
                "attention_mask", Tensor.ofInt64(source.attention(), source.batch(), source.sequence())),
                Tensor.ofInt64(target.ids(), target.batch(), target.sequence()));
    }

    @Override
    public void close() {
        close(owner);
        tokenizer.close();
    }

    private static void close(AutoCloseable owner) {
        try {
            owner.close();
        } catch (Exception e) {
            throw e instanceof RuntimeException known ? known : new IllegalStateException(e);
        }
    }
}
