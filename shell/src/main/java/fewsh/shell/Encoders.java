package fewsh.shell;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import fewsh.UserError;
import fewsh.encode.Attentions;
import fewsh.encode.Classes;
import fewsh.encode.Filled;
import fewsh.encode.ImageClassifier;
import fewsh.encode.TextEncoder;
import fewsh.load.Loaded;
import fewsh.script.AutoModel;
import fewsh.vision.Picture;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// `fewsh embed`, `classify` and `fill_mask`: what encoders say of texts and pictures.
final class Encoders {
    private static final int BAR = 24;
    /// Texts whose likeness to one another is shown at most.
    private static final int COMPARED = 40;

    private Encoders() {}

    static int embed(Workspace workspace, Options options) {
        Render render = workspace.render();
        boolean compare = options.has("cosine");
        if (compare && render.json()) throw new UserError("--cosine", "cannot go with --json", "leave one of them out");
        List<Texts> compared = new ArrayList<>();
        List<float[]> vectors = new ArrayList<>();
        try (TextEncoder encoder = (TextEncoder) workspace.open("embed", options, AutoModel.Kind.TEXT_ENCODER)) {
            Texts.each(workspace, options, "embed", Optional.empty(), texts -> {
                for (Texts text : texts)
                    if (text.pair().isPresent()) throw new UserError(text.where(), "unknown field \"pair\"", "a line is {\"text\"}");
                List<float[]> made = encoder.embed(texts.stream().map(Texts::text).toList());
                if (compare) {
                    compared.addAll(texts);
                    vectors.addAll(made);
                } else made.forEach(vector -> show(render, vector));
            });
        }
        if (compare) cosines(render, compared, vectors);
        return 0;
    }

    private static void show(Render render, float[] vector) {
        if (!render.json()) {
            StringBuilder line = new StringBuilder();
            for (float number : vector) line.append(line.isEmpty() ? "" : " ").append(number);
            render.line(line.toString());
            return;
        }
        JsonArray numbers = new JsonArray();
        for (float number : vector) numbers.add(number);
        JsonObject line = new JsonObject();
        line.add("embedding", numbers);
        render.line(line);
    }

    private static void cosines(Render render, List<Texts> texts, List<float[]> vectors) {
        if (texts.size() < 2 || texts.size() > COMPARED)
            throw new UserError("--cosine", "compares 2 to " + COMPARED + " texts, was given " + texts.size(), "give a text a line");
        List<String> head = new ArrayList<>(List.of(">#", "text"));
        for (int i = 1; i <= texts.size(); i++) head.add(">" + i);
        List<List<String>> rows = new ArrayList<>();
        for (int i = 0; i < texts.size(); i++) {
            List<String> row = new ArrayList<>(List.of(Integer.toString(i + 1), Render.cut(Render.visible(texts.get(i).text()), 40)));
            for (float[] other : vectors) row.add(String.format(Locale.ROOT, "%.2f", cosine(vectors.get(i), other)));
            rows.add(row);
        }
        render.table(head, rows);
    }

    static double cosine(float[] a, float[] b) {
        double ab = 0;
        double aa = 0;
        double bb = 0;
        for (int i = 0; i < a.length; i++) {
            ab += (double) a[i] * b[i];
            aa += (double) a[i] * a[i];
            bb += (double) b[i] * b[i];
        }
        return ab / Math.sqrt(aa * bb);
    }

    static int classify(Workspace workspace, Options options) {
        Optional<String> pair = options.has("pair") ? Optional.of(options.get("pair", "")) : Optional.empty();
        try (Loaded model = workspace.open("classify", options, AutoModel.Kind.TEXT_ENCODER, AutoModel.Kind.IMAGE_CLASSIFIER)) {
            if (model instanceof ImageClassifier classifier) pictures(workspace, options, classifier);
            else {
                if (options.has("attention")) throw new UserError("--attention", "is for models that read pictures", "leave it out");
                if (options.words().size() == 1 && Files.isRegularFile(workspace.file(options.text())))
                    throw new UserError(options.text(), "is a file, and " + model.about().name() + " reads texts",
                            "give its text on standard input, or a model that reads pictures");
                TextEncoder encoder = (TextEncoder) model;
                Texts.each(workspace, options, "classify", pair, texts -> encoder.classify(texts.stream()
                        .map(t -> new TextEncoder.Input(t.text(), t.pair())).toList()).forEach(c -> show(workspace.render(), c)));
            }
        }
        return 0;
    }

    private static void pictures(Workspace workspace, Options options, ImageClassifier classifier) {
        if (options.words().isEmpty()) throw new UserError("fewsh classify", "no picture", "fewsh classify -m MODEL cat.png");
        if (options.has("pair")) throw new UserError("--pair", "is for models that read text", "leave it out");
        for (String only : List.of("layer", "head"))
            if (options.has(only) && !options.has("attention"))
                throw new UserError("--" + only, "goes with --attention", "--attention OUT.png --" + only + " 0");
        if (options.has("attention") && !options.get("attention", "").toLowerCase(Locale.ROOT).endsWith(".png"))
            throw new UserError("--attention", "\"" + options.get("attention", "") + "\" does not end in .png", "name a .png file");
        if (options.has("attention") && options.words().size() > 1)
            throw new UserError("--attention", "draws one picture, was given " + options.words().size(), "give one");
        List<Path> files = options.words().stream().map(workspace::file).toList();
        if (options.has("attention")) {
            Picture picture = Picture.read(files.getFirst());
            Attentions attentions = classifier.attentions(picture);
            boolean one = options.has("layer") || options.has("head");
            int layer = options.whole("layer", attentions.layers().size() - 1, 0);
            Path out = workspace.file(options.get("attention", ""));
            (one ? attentions.head(layer, options.whole("head", 0, 0)) : attentions.rollout()).over(attentions.picture()).write(out);
            workspace.render().note((one ? "layer " + layer + ", head " + options.whole("head", 0, 0) : "attention rollout") + " is in "
                    + options.get("attention", ""));
        }
        List<Picture> pictures = files.stream().map(Picture::read).toList();
        for (int i = 0; i < files.size(); i++) {
            Path file = files.get(i);
            if (files.size() > 1 && !workspace.render().json()) workspace.render().line(workspace.render().paint(Style.DIM, file.toString()));
            show(workspace.render(), classifier.classify(pictures.get(i)));
        }
    }

    private static void show(Render render, Classes classes) {
        if (render.json()) {
            JsonObject line = new JsonObject();
            line.addProperty("label", classes.best().label());
            line.addProperty("score", classes.best().score());
            JsonObject scores = new JsonObject();
            classes.all().forEach(c -> scores.addProperty(c.label(), c.score()));
            line.add("scores", scores);
            render.line(line);
            return;
        }
        List<Classes.Class> shown = classes.all().subList(0, Math.min(10, classes.all().size()));
        int width = shown.stream().mapToInt(c -> Render.width(Render.visible(c.label()))).max().orElse(0);
        for (Classes.Class c : shown) scored(render, Render.visible(c.label()), width, c.score());
    }

    private static void scored(Render render, String name, int width, float score) {
        String bar = score >= 0 && score <= 1 ? "█".repeat(Math.round(BAR * score)) : "";
        render.line(name + " ".repeat(width + 2 - Render.width(name)) + String.format(Locale.ROOT, "%.4f", score)
                + (bar.isEmpty() ? "" : "  " + render.paint(Style.CYAN, bar)));
    }

    static int fillMask(Workspace workspace, Options options) {
        int k = options.whole("k", 5, 1);
        try (TextEncoder encoder = (TextEncoder) workspace.open("fill_mask", options, AutoModel.Kind.TEXT_ENCODER)) {
            Texts.each(workspace, options, "fill_mask", Optional.empty(), texts -> texts.forEach(text -> {
                try {
                    show(workspace.render(), encoder.fillMask(text.text(), k));
                } catch (UserError e) {
                    throw e.where().isEmpty() ? new UserError(text.where(), e.what(), e.fix(), e) : e;
                }
            }));
        }
        return 0;
    }

    /// Several masks of a text are several lists in `predictions`.
    private static void show(Render render, List<List<Filled>> masks) {
        if (render.json()) {
            JsonArray all = new JsonArray();
            for (List<Filled> mask : masks) {
                JsonArray predictions = new JsonArray();
                for (Filled filled : mask) {
                    JsonObject one = new JsonObject();
                    one.addProperty("token", filled.token());
                    one.addProperty("score", filled.score());
                    one.addProperty("id", filled.id());
                    one.addProperty("text", filled.text());
                    predictions.add(one);
                }
                all.add(predictions);
            }
            JsonObject line = new JsonObject();
            line.add("predictions", all.size() == 1 ? all.get(0) : all);
            render.line(line);
            return;
        }
        for (List<Filled> mask : masks) {
            int width = mask.stream().mapToInt(f -> Render.width(Render.visible(f.token()))).max().orElse(0);
            for (Filled filled : mask) scored(render, Render.visible(filled.token()), width, filled.score());
            if (masks.size() > 1) render.line("");
        }
    }
}
