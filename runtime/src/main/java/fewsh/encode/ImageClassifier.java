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
import fewsh.models.Settings;
import fewsh.models.Vit;
import fewsh.session.Session;
import fewsh.tensor.DType;
import fewsh.tensor.Dim;
import fewsh.tensor.Shape;
import fewsh.tensor.Tensor;
import fewsh.vision.Picture;
import fewsh.vision.Preprocessor;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/// A model that reads pictures, loaded: their classes, and what it looked at. Immutable and shareable.
public final class ImageClassifier implements Loaded {
    private static final String PIXELS = "pixel_values";
    /// Pictures of one pass: more would not stay in the processor's caches.
    private static final int BATCH = 4;

    private final AutoCloseable opened;
    private final Session model;
    private final UnaryOperator<Map<String, Tensor>> run;
    private final Supplier<About> about;
    private final Settings settings;
    private final Preprocessor preprocessor;

    private ImageClassifier(AutoCloseable opened, Session model, UnaryOperator<Map<String, Tensor>> run, Supplier<About> about,
            Settings settings, Preprocessor preprocessor) {
        this.opened = opened;
        this.model = model;
        this.run = run;
        this.about = about;
        this.settings = settings;
        this.preprocessor = preprocessor;
    }

    /// What is read of a checkpoint beside its graph.
    private record Reading(Settings settings, Preprocessor preprocessor) {}

    /// Opens a Hugging Face folder, or what others exported to ONNX, with the `preprocessor_config.json` beside it.
    ///
    /// @throws UserError if it is no model, is damaged, reads no pictures, does not fit into memory, or the device is not there
    public static ImageClassifier open(Path path, LoadOptions options) {
        Optional<ExportFolder> export = ExportFolder.find(path, options);
        if (export.isPresent()) return open(export.get(), options);
        Opened<Encoder, Reading> opened = Opened.open(path, options, Encoder.class, (checkpoint, page) -> {
            if (page.vocabSize() != 0)
                throw new UserError(path.toString(), "reads texts, not pictures", "it is for " + page.uses());
            return new Reading(checkpoint.settings(), Preprocessor.read(checkpoint.path()));
        });
        Session model = opened.session("model");
        return new ImageClassifier(opened, model, model::run, opened::about, opened.read().settings(), opened.read().preprocessor());
    }

    private static ImageClassifier open(ExportFolder export, LoadOptions options) {
        Preprocessor preprocessor = Preprocessor.read(export.folder());
        Exported exported = Exported.open(export, options);
        try {
            List<Session.Port> inputs = exported.session("model").inputs();
            if (inputs.size() != 1 || !inputs.getFirst().name().equals(PIXELS) || inputs.getFirst().shape().rank() != 4)
                throw new UserError(export.folder().toString(), "inputs " + inputs.stream().map(p -> p.name() + p.shape()).toList()
                        + " are not understood", "a model for pictures takes " + PIXELS + " (batch, channels, height, width)");
            return new ImageClassifier(exported, exported.session("model"), exported::forward, exported::about, export.settings(),
                    preprocessor);
        } catch (RuntimeException e) {
            exported.close();
            throw e;
        }
    }

    @Override
    public About about() {
        return about.get();
    }

    /// Of a picture: `pixel_values` float32 `(1, 3, height, width)`.
    @Override
    public Map<String, Tensor> inputs(Path file) {
        return Map.of(PIXELS, preprocessor.pixelValues(List.of(Picture.read(file))));
    }

    /// The input is `pixel_values` float32 `(batch, channels, height, width)`.
    @Override
    public Map<String, Tensor> forward(Map<String, Tensor> inputs) {
        for (String name : inputs.keySet())
            if (!name.equals(PIXELS)) throw new UserError("", "unknown input \"" + name + "\"", "the input is " + PIXELS);
        if (!inputs.containsKey(PIXELS)) throw new UserError("", "\"" + PIXELS + "\" is missing", "give a picture");
        return run.apply(Map.of(PIXELS, fitting(inputs.get(PIXELS))));
    }

    /// In native memory, which the runtime takes.
    private Tensor fitting(Tensor pixels) {
        Shape takes = model.inputs().getFirst().shape();
        boolean fits = pixels.dtype() == DType.FLOAT32 && pixels.shape().rank() == 4 && pixels.shape().count() > 0;
        for (int i = 1; fits && i < 4; i++)
            fits = !(takes.dim(i) instanceof Dim.Fixed) || takes.dim(i).equals(pixels.shape().dim(i));
        if (!fits)
            throw new UserError("", PIXELS + " is " + pixels.dtype().toString().toLowerCase() + pixels.shape() + ", the model takes "
                    + "float32" + takes, "preprocessor_config.json and config.json are not of one model, or the numbers not its pictures");
        if (pixels.data().isNative()) return pixels;
        Tensor copy = Tensor.allocate(Arena.ofAuto(), pixels.dtype(), pixels.shape().sizes());
        copy.data().copyFrom(pixels.data());
        return copy;
    }

    /// The classes of a picture, best first.
    public Classes classify(Picture picture) {
        return classify(List.of(picture)).getFirst();
    }

    /// In the order given: probabilities that add up to 1; each by itself for `multi_label_classification` or a single class; the
    /// numbers as they are for `regression`.
    ///
    /// @throws UserError if the model does not classify
    /// Source: `ImageClassificationPipeline` of transformers.
    public List<Classes> classify(List<Picture> pictures) {
        List<Classes> classes = new ArrayList<>();
        for (int from = 0; from < pictures.size(); from += BATCH) {
            List<Picture> some = pictures.subList(from, Math.min(from + BATCH, pictures.size()));
            Map<String, Tensor> made = forward(Map.of(PIXELS, preprocessor.pixelValues(some)));
            Tensor logits = made.get("logits");
            if (logits == null || logits.shape().rank() != 2)
                throw new UserError(about().name(), "gives no classes", "it gives " + String.join(", ", made.keySet()));
            classes.addAll(classes(logits));
        }
        return classes;
    }

    private List<Classes> classes(Tensor logits) {
        int count = (int) logits.shape().size(1);
        List<String> labels = Labels.of(settings).names();
        if (labels.size() != count)
            throw new UserError(settings.where(), "id2label has " + labels.size() + " labels, the model gives " + count, "fetch it again");
        float[] all = logits.toFloats();
        List<Classes> classes = new ArrayList<>();
        for (int from = 0; from < all.length; from += count)
            classes.add(Classes.of(labels, Arrays.copyOfRange(all, from, from + count), settings));
        return classes;
    }

    /// What the model looks at in a picture.
    ///
    /// @throws UserError for an export, whose graph keeps it to itself
    public Attentions attentions(Picture picture) {
        if (!(opened instanceof Opened<?, ?> ours && ours.page() instanceof Vit vit))
            throw new UserError(about().name(), "is an export, which does not show what it looks at", "give the model's own weights");
        Tensor pixels = fitting(preprocessor.pixelValues(List.of(picture)));
        List<Tensor> layers = List.copyOf(ours.session("attentions").run(Map.of(PIXELS, pixels)).sequencedValues());
        return new Attentions(layers, vit.config().rows(), vit.config().columns(), preprocessor.seen(picture));
    }

    @Override
    public void close() {
        try {
            opened.close();
        } catch (Exception e) {
            throw e instanceof RuntimeException known ? known : new IllegalStateException(e);
        }
    }
}
