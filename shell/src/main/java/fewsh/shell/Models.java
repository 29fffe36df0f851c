package fewsh.shell;

import com.google.gson.JsonArray;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import fewsh.UserError;
import fewsh.generate.CausalLm;
import fewsh.load.About;
import fewsh.load.LoadOptions;
import fewsh.models.Precision;
import fewsh.models.Scaled;
import fewsh.models.Spec;
import fewsh.script.AutoModel;
import fewsh.store.Catalogue;
import fewsh.store.Model;
import fewsh.store.Progress;
import fewsh.store.Source;
import fewsh.store.Store;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// Models on this machine: `pull`, `models`, `info`, `rm`, and in the shell `/load` and `/unload`.
final class Models {
    private static final int BAR = 24;

    private Models() {}

    static int list(Workspace workspace, Options options) {
        options.expect("models", "nothing", 0, 0);
        Render render = workspace.render();
        Store.Listing listing = workspace.store().list();
        List<Model> models = listing.models();
        listing.damaged().forEach(damaged -> render.note(damaged.getMessage()
                + (damaged.fix().isEmpty() ? "" : ": " + damaged.fix())));
        if (render.json()) {
            for (Model model : models) {
                JsonObject line = new JsonObject();
                line.addProperty("name", model.name());
                line.addProperty("size_bytes", model.size());
                line.addProperty("source", model.source());
                line.addProperty("licence", model.licence());
                line.addProperty("path", model.path().toString());
                render.line(line);
            }
            return 0;
        }
        if (models.isEmpty()) {
            render.note("no model yet; these have a name: " + String.join(", ", Catalogue.builtIn().entries().stream()
                    .map(Catalogue.Entry::name).toList()));
            return 0;
        }
        render.table(List.of("name", ">size", "licence", "source"), models.stream()
                .map(m -> List.of((m.name().equals(workspace.modelName()) ? "› " : "") + m.name(), Render.bytes(m.size()),
                        m.licence(), m.source())).toList());
        return 0;
    }

    static int pull(Workspace workspace, Options options) {
        options.expect("pull", "NAME", 1, 1);
        Render render = workspace.render();
        long start = System.nanoTime();
        Model model;
        try {
            model = workspace.store().pull(options.text(), progress -> draw(render, progress));
        } catch (InterruptedException _) {
            render.clearProgress();
            render.note("interrupted; the next pull goes on from here");
            return 130;
        }
        render.clearProgress();
        if (render.json()) {
            JsonObject line = new JsonObject();
            line.addProperty("name", model.name());
            line.addProperty("size_bytes", model.size());
            line.addProperty("sha256", model.sha256());
            line.addProperty("path", model.path().toString());
            render.line(line);
        } else {
            render.line(model.name() + " is here: " + Render.bytes(model.size()) + " in "
                    + Render.time(Duration.ofNanos(System.nanoTime() - start)));
        }
        return 0;
    }

    /// `/pull NAME`: and loads it, if there is no other.
    static int pullAndLoad(Workspace workspace, Options options) {
        pull(workspace, options);
        if (workspace.loaded().isEmpty() && !options.text().startsWith("provider:")) {
            List<Model> models = workspace.store().list().models();
            if (models.size() == 1) load(workspace, Options.of(models.getFirst().name()));
        }
        return 0;
    }

    private static void draw(Render render, Progress progress) {
        switch (progress) {
            case Progress.Waiting(String name) -> render.progress("another pull of " + name + " is under way: waiting for it");
            case Progress.Trying(var source) -> render.progress("asking " + place(source));
            case Progress.SourceFailed(var source, String reason) -> render.note(place(source) + ": " + reason);
            case Progress.Receiving(String file, long bytes, long total, double rate) ->
                render.progress(receiving(file, bytes, total, rate));
            case Progress.Retrying(String file, String reason, Duration delay) ->
                render.note(file + ": " + reason + "; again in " + Render.time(delay));
            case Progress.Verifying(String file, long bytes, long total) ->
                render.progress("checking " + file + "  " + bar(bytes, total));
        }
    }

    /// A source in short: a revision's name is long.
    private static String place(Source source) {
        return source.spec().replaceFirst("@[0-9a-f]{40}$", "");
    }

    /// `model.gguf  ████████░░░░  45 %  44.1 MB of 98.4 MB  12.3 MB/s  4 s left`.
    static String receiving(String file, long bytes, long total, double rate) {
        String speed = rate > 0 ? "  " + Render.bytes((long) rate) + "/s" : "";
        if (total <= 0) return file + "  " + Render.bytes(bytes) + speed;
        long left = rate > 0 ? (long) Math.ceil((total - bytes) / rate) : -1;
        return file + "  " + bar(bytes, total) + "  " + Render.bytes(bytes) + " of " + Render.bytes(total) + speed
                + (left < 0 ? "" : left < 60 ? "  " + left + " s left" : "  " + left / 60 + " min " + left % 60 + " s left");
    }

    private static String bar(long part, long whole) {
        double share = whole <= 0 ? 0 : Math.min(1, (double) part / whole);
        int full = (int) Math.round(BAR * share);
        return "█".repeat(full) + "░".repeat(BAR - full) + String.format(Locale.ROOT, " %3d %%", (int) (100 * share));
    }

    static int remove(Workspace workspace, Options options) {
        options.expect("rm", "NAME", 1, 1);
        String name = options.text();
        if (name.equals(workspace.modelName())) workspace.unload();
        long freed = workspace.store().remove(name);
        if (workspace.render().json()) {
            JsonObject line = new JsonObject();
            line.addProperty("name", name);
            line.addProperty("freed_bytes", freed);
            workspace.render().line(line);
        } else workspace.render().note(name + " is gone, " + Render.bytes(freed) + " freed");
        return 0;
    }

    static int info(Workspace workspace, Options options) {
        options.expect("fewsh info", "MODEL", 0, 1);
        String name = options.words().isEmpty() ? workspace.modelName(options) : options.text();
        Spec spec = workspace.spec(name);
        Model model = workspace.find(spec.model());
        LoadOptions how = workspace.loadOptions(options, Precision.AUTO);
        show(workspace.render(), model, AutoModel.about(model.path(), how), AutoModel.kind(model.path(), how), spec.adapters());
        return 0;
    }

    /// `/info [MODEL]`: of the current model.
    static int slashInfo(Workspace workspace, Options options) {
        options.expect("/info", "nothing", 0, 0);
        About about = workspace.model().about();
        show(workspace.render(), workspace.source().orElseThrow(), about, AutoModel.Kind.CAUSAL_LM, workspace.model().adapters());
        return 0;
    }

    private static void show(Render render, Model source, About about, AutoModel.Kind kind, List<Scaled> adapters) {
        String licence = about.licence().isEmpty() ? source.licence() : about.licence();
        String precision = about.precision().name().toLowerCase(Locale.ROOT);
        if (render.json()) {
            JsonObject line = new JsonObject();
            line.addProperty("name", source.name());
            line.addProperty("architecture", about.architecture());
            line.addProperty("commands", kind.commands());
            if (!adapters.isEmpty()) {
                JsonArray acting = new JsonArray();
                for (Scaled adapter : adapters) acting.add(adapter.adapter() + "@" + adapter.scale());
                line.add("adapters", acting);
            }
            line.addProperty("parameters", about.parameters());
            line.addProperty("precision", precision);
            addDevice(line, about);
            line.addProperty("context_length", about.contextLength());
            line.addProperty("vocab_size", about.vocabSize());
            line.addProperty("chat_template", about.chatTemplate());
            line.add("licence", licence.isEmpty() ? JsonNull.INSTANCE : new JsonPrimitive(licence));
            JsonArray files = new JsonArray();
            about.files().forEach(file -> files.add(file.toString()));
            line.add("files", files);
            line.add("sha256", source.sha256().isEmpty() ? JsonNull.INSTANCE : new JsonPrimitive(source.sha256()));
            line.addProperty("size_bytes", about.sizeBytes());
            JsonObject memory = new JsonObject();
            memory.addProperty("predicted", about.predictedBytes());
            line.add("memory_bytes", memory);
            render.line(line);
            return;
        }
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("name", source.name()));
        if (!about.architecture().isEmpty()) rows.add(List.of("architecture", about.architecture()));
        rows.add(List.of("for", kind.commands()));
        for (Scaled adapter : adapters) rows.add(List.of("adapter", adapter.adapter() + " at " + Render.number(adapter.scale())));
        rows.add(List.of("parameters", Render.parameters(about.parameters()) + " (" + Render.count(about.parameters()) + ")"));
        rows.add(List.of("precision", precision));
        rows.add(List.of("device", about.device().toString()));
        if (!about.placement().nodes().isEmpty()) rows.add(List.of("nodes", about.placement().toString()));
        if (about.contextLength() > 0) rows.add(List.of("context length", Render.count(about.contextLength())));
        if (about.vocabSize() > 0) rows.add(List.of("vocabulary", Render.count(about.vocabSize())));
        if (kind == AutoModel.Kind.CAUSAL_LM) rows.add(List.of("chat template", about.chatTemplate() ? "yes" : "no"));
        rows.add(List.of("licence", licence.isEmpty() ? "not stated" : licence));
        rows.add(List.of("size", Render.bytes(about.sizeBytes())));
        rows.add(List.of("memory", Render.bytes(about.predictedBytes()) + " predicted"));
        about.files().forEach(file -> rows.add(List.of("file", file.toString())));
        if (!source.sha256().isEmpty()) rows.add(List.of("sha256", source.sha256()));
        int width = rows.stream().mapToInt(row -> row.getFirst().length()).max().orElse(0);
        for (List<String> row : rows)
            render.line(render.paint(Style.DIM, row.getFirst() + " ".repeat(width - row.getFirst().length())) + "  "
                    + Render.visible(row.getLast()));
    }

    /// Where a model runs: `"device"`, and for an open one off the CPU `"nodes"`, how many each provider took.
    static void addDevice(JsonObject line, About about) {
        line.addProperty("device", about.device().toString());
        if (about.placement().nodes().isEmpty()) return;
        JsonObject nodes = new JsonObject();
        about.placement().nodes().keySet().forEach(provider -> nodes.addProperty(provider, about.placement().of(provider)));
        line.add("nodes", nodes);
    }

    /// `/load MODEL`.
    static int load(Workspace workspace, Options options) {
        options.expect("/load", "MODEL", 1, 1);
        if (!workspace.loadAny(options.text(), workspace.loadOptions(options, Precision.AUTO)))
            workspace.render().note(options.text() + " is loaded beside the model: by=similar chooses examples by it");
        else workspace.render().banner(workspace.modelLabel(), modelLine(workspace));
        return 0;
    }

    /// `135M · int8 · context 8,192 · cpu · loaded in 0.31 s`.
    static String modelLine(Workspace workspace) {
        return Workspace.line(workspace.model().about()) + " · loaded in "
                + Render.time(workspace.loadTime());
    }

    /// `/unload`.
    static int unload(Workspace workspace, Options options) {
        options.expect("/unload", "nothing", 0, 0);
        if (workspace.loaded().isEmpty()) throw new UserError("/unload", "no model is loaded", "");
        String name = workspace.modelName();
        workspace.unload();
        workspace.render().note(name + " is unloaded");
        return 0;
    }
}
