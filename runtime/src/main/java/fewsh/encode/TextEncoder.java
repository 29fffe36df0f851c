package fewsh.encode;

import fewsh.UserError;
import fewsh.load.About;
import fewsh.load.ExportFolder;
import fewsh.load.Exported;
import fewsh.load.LoadOptions;
import fewsh.load.Loaded;
import fewsh.load.Opened;
import fewsh.models.Encoder;
import fewsh.models.Labels;
import fewsh.session.Session;
import fewsh.tensor.Dim;
import fewsh.tensor.Tensor;
import fewsh.tokenize.Encoding;
import fewsh.tokenize.Tokenizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// An encoder of text, loaded: vectors of texts, their classes, fillings of masks, as the model's head allows. Immutable and
/// shareable.
///
/// What a text gives does not depend on what it is batched with, beyond rounding.
public final class TextEncoder implements Loaded {
    /// Tokens of the longest answer.
    /// Source: `max_answer_len` of transformers' `QuestionAnsweringPipeline`.
    private static final int ANSWER = 15;

    private final AutoCloseable opened;
    private final About about;
    private final Network network;
    private final Passes passes;
    private final Reading reading;

    private TextEncoder(AutoCloseable opened, About about, Network network, Passes passes, Reading reading) {
        this.opened = opened;
        this.about = about;
        this.network = network;
        this.passes = passes;
        this.reading = reading;
    }

    /// Opens a Hugging Face or sentence-transformers folder, a `.gguf` file, or what others exported to ONNX.
    ///
    /// @throws UserError if it is no model, is damaged, is no encoder of text, does not fit into memory, or the device is not there
    public static TextEncoder open(Path path, LoadOptions options) {
        Path folder = Sentences.transformer(path);
        Optional<ExportFolder> export = ExportFolder.find(folder, options);
        if (export.isPresent()) return open(path, export.get(), options);
        Opened<Encoder, Reading> opened = Opened.open(folder, options, Encoder.class, (checkpoint, page) -> {
            if (page.vocabSize() == 0)
                throw new UserError(folder.toString(), "reads pictures, not texts", "it is for " + page.uses());
            return Reading.of(path, checkpoint.path(), checkpoint.settings(), page.contextLength(), checkpoint.isGguf()
                    ? Tokenizer.ofGguf(checkpoint.path().toString(), checkpoint.weights().metadata())
                    : Tokenizer.open(checkpoint.path()));
        });
        Network network = Network.of(opened.session("model"), opened.about().contextLength(), opened.about().vocabSize());
        return new TextEncoder(opened, opened.about(), network, Passes.of(network, opened, options), opened.read());
    }

    private static TextEncoder open(Path path, ExportFolder export, LoadOptions options) {
        Exported exported = Exported.open(export, options);
        try {
            Network network = Network.of(exported);
            return new TextEncoder(exported, exported.about(), network, Passes.of(network, options), Reading.of(path, export.folder(),
                    export.settings(), exported.about().contextLength(), Tokenizer.open(export.folder())));
        } catch (RuntimeException e) {
            exported.close();
            throw e;
        }
    }

    @Override
    public About about() {
        return about;
    }

    public Tokenizer tokenizer() {
        return reading.tokenizer();
    }

    /// How a text's vector is made of its tokens', for people: `mean, normalised`.
    public String pooling() {
        return reading.sentences().described();
    }

    /// Takes `input_ids` and, where the model has them, `attention_mask` and `token_type_ids`, int64 `(batch, sequence)`.
    @Override
    public Map<String, Tensor> forward(Map<String, Tensor> inputs) {
        return network.forward(inputs);
    }

    /// The vector of each text, in the order given: pooled and normalised as the model's `modules.json` says; without one the
    /// mean of its tokens' states. What of a text is beyond the longest that the model takes is left out.
    ///
    /// @throws UserError if the model does not give its hidden states
    public List<float[]> embed(List<String> texts) {
        String output = List.of("last_hidden_state", "token_embeddings", "hidden_states").stream().filter(o -> network.rank(o) == 3)
                .findFirst().orElseThrow(() -> cannot("embed texts"));
        Sentences sentences = reading.sentences();
        List<Encoding> encodings = texts.parallelStream().map(t -> reading.tokenizer().encode(sentences.prepared(t), Optional.empty(), false)
                .truncated(sentences.maxTokens())).toList();
        List<float[]> vectors = blank(texts.size());
        run(encodings, (i, row, made) -> {
            Tensor states = made.get(output);
            vectors.set(i, sentences.vector(Network.row(states, row, encodings.get(i).length()), (int) states.shape().size(2)));
        });
        return vectors;
    }

    /// One text to classify, or two that belong together.
    public record Input(String text, Optional<String> pair) {}

    /// The classes of a text, or of two that belong together, best first.
    public Classes classify(String text, Optional<String> pair) {
        return classify(List.of(new Input(text, pair))).getFirst();
    }

    /// In the order given: probabilities that add up to 1; each by itself for `multi_label_classification` or a single class; the
    /// numbers as they are for `regression`.
    ///
    /// @throws UserError if the model does not classify texts, or a text is longer than it takes
    /// Source: `TextClassificationPipeline` of transformers.
    public List<Classes> classify(List<Input> inputs) {
        if (network.rank("logits") != 2) throw cannot("classify texts");
        Labels labels = labels();
        List<Encoding> encodings = inputs.stream().map(i -> reading.fitting(i.text, i.pair, false)).toList();
        List<Classes> classes = blank(inputs.size());
        run(encodings, (i, row, made) -> {
            float[] scores = Network.row(made.get("logits"), row, 0);
            classes.set(i, Classes.of(labels.names(), scores, reading.settings()));
        });
        return classes;
    }

    /// What fills each mask of a text best, `k` ways a mask.
    ///
    /// @param text spells the mask as the model does, `[MASK]` or `<mask>`
    /// @throws UserError if there is none, or the model fills none
    public List<List<Filled>> fillMask(String text, int k) {
        String output = network.rank("prediction_logits") == 3 ? "prediction_logits" : "logits";
        if (network.rank(output) != 3 || !reading.isFor("MaskedLM") && !reading.isFor("PreTraining") || reading.mask().isEmpty())
            throw cannot("fill masks");
        if (k < 1) throw new UserError("", "k must be at least 1, was " + k, "");
        int mask = reading.mask().getAsInt();
        Encoding encoding = reading.fitting(text, Optional.empty(), true);
        int[] places = IntStream.range(0, encoding.length()).filter(i -> encoding.ids()[i] == mask).toArray();
        if (places.length == 0)
            throw new UserError("", "there is no mask in the text", "write " + reading.tokenizer().piece(mask) + " where a word is missing");
        List<List<Filled>> filled = new ArrayList<>();
        run(List.of(encoding), (_, row, made) -> {
            float[] logits = Network.row(made.get(output), row, encoding.length());
            int vocab = logits.length / encoding.length();
            for (int place : places) {
                float[] scores = Arrays.copyOfRange(logits, place * vocab, (place + 1) * vocab);
                Classes.softmax(scores);
                filled.add(IntStream.range(0, vocab).boxed().sorted(Comparator.comparing((Integer id) -> scores[id]).reversed())
                        .limit(k).map(id -> filled(encoding.ids(), place, id, scores[id], places.length == 1)).toList());
            }
        });
        return filled;
    }

    private Filled filled(int[] ids, int place, int id, float score, boolean alone) {
        int[] whole = ids.clone();
        whole[place] = id;
        Tokenizer t = reading.tokenizer();
        return new Filled(id, t.decode(new int[] {id}, false), t.has(id) ? t.piece(id) : "", t.decode(whole, alone), score);
    }

    /// The label of each token of a text, without the tokens put around it.
    ///
    /// @throws UserError if the model does not classify tokens, or the text is longer than it takes
    public List<Labelled> tokens(String text) {
        if (network.rank("logits") != 3 || !reading.isFor("TokenClassification")) throw cannot("classify tokens");
        Labels labels = labels();
        Encoding encoding = reading.fitting(text, Optional.empty(), false);
        List<Labelled> labelled = new ArrayList<>();
        run(List.of(encoding), (_, row, made) -> {
            float[] logits = Network.row(made.get("logits"), row, encoding.length());
            for (int i = 0; i < encoding.length(); i++) {
                if (encoding.texts()[i] < 0) continue;
                float[] scores = Arrays.copyOfRange(logits, i * labels.size(), (i + 1) * labels.size());
                Classes.softmax(scores);
                Classes.Class best = Classes.of(labels.names(), scores).best();
                int start = encoding.starts()[i];
                int end = encoding.ends()[i];
                labelled.add(new Labelled(best.label(), best.score(), start, end, text.substring(start, end)));
            }
        });
        return labelled;
    }

    /// The part of `context` that answers `question` best, of at most 15 tokens.
    ///
    /// @throws UserError if the model finds no answers, or both together are longer than it takes
    public Answer answer(String question, String context) {
        if (network.rank("start_logits") != 2) throw cannot("find answers");
        Encoding encoding = reading.fitting(question, Optional.of(context), false);
        List<Integer> places = IntStream.range(0, encoding.length()).filter(i -> encoding.texts()[i] == 1).boxed().toList();
        if (places.isEmpty()) throw new UserError("", "there is no context to find an answer in", "");
        List<Answer> best = new ArrayList<>();
        run(List.of(encoding), (_, row, made) -> {
            float[] starts = among(Network.row(made.get("start_logits"), row, encoding.length()), places);
            float[] ends = among(Network.row(made.get("end_logits"), row, encoding.length()), places);
            int from = 0;
            int to = 0;
            for (int s = 0; s < starts.length; s++)
                for (int e = s; e < Math.min(ends.length, s + ANSWER); e++)
                    if (starts[s] * ends[e] > starts[from] * ends[to]) {
                        from = s;
                        to = e;
                    }
            int start = encoding.starts()[places.get(from)];
            int end = encoding.ends()[places.get(to)];
            best.add(new Answer(context.substring(start, end), starts[from] * ends[to], start, end));
        });
        return best.getFirst();
    }

    private static float[] among(float[] logits, List<Integer> places) {
        float[] scores = new float[places.size()];
        for (int i = 0; i < scores.length; i++) scores[i] = logits[places.get(i)];
        Classes.softmax(scores);
        return scores;
    }

    private void run(List<Encoding> texts, Passes.Each each) {
        passes.run(texts, reading.pad(), reading.types(), each);
    }

    private static <T> List<T> blank(int size) {
        return new ArrayList<>(Collections.nCopies(size, null));
    }

    private Labels labels() {
        Labels labels = Labels.of(reading.settings());
        for (Session.Port port : network.outputs())
            if (port.name().equals("logits") && port.shape().dim(-1) instanceof Dim.Fixed(long size) && size != labels.size())
                throw new UserError(reading.settings().where(), "names " + labels.size() + " classes, the model has " + size, "fetch both again");
        return labels;
    }

    private UserError cannot(String what) {
        return new UserError(about.name(), "this model does not " + what, "it gives "
                + network.outputs().stream().map(Session.Port::name).collect(Collectors.joining(", ")));
    }

    @Override
    public void close() {
        passes.close();
        try {
            opened.close();
        } catch (Exception e) {
            throw e instanceof RuntimeException known ? known : new IllegalStateException(e);
        }
        reading.close();
    }
}
