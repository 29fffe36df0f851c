package fewsh.script;

import fewsh.UserError;
import fewsh.generate.CausalLm;
import fewsh.generate.KvCache;
import fewsh.generate.SamplingConfig;
import fewsh.load.LoadOptions;
import fewsh.models.Precision;
import fewsh.models.TinyModels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// A stage that keeps what it is shown (of long lines the beginning: what it holds counts as the script's), with
final class Notebook implements Stage, AutoCloseable {
    final List<String> lines = new ArrayList<>();
    final List<String> progress = new ArrayList<>();
    private final Path home;
    private CausalLm model;
    private KvCache cache;

    Notebook(Path home) {
        this.home = home;
    }

    @Override
    public synchronized void line(String text) {
        lines.add(text.substring(0, Math.min(text.length(), 10_000)));
    }

    @Override
    public synchronized void text(String piece) {
        lines.add("… " + piece);
    }

    @Override
    public synchronized void progress(String line) {
        progress.add(line);
    }

    @Override
    public int columns() {
        return 80;
    }

    @Override
    public boolean unicode() {
        return true;
    }

    @Override
    public CausalLm model() {
        if (model == null) throw new UserError("", "no model is loaded", "load(\"alphabet\")");
        return model;
    }

    @Override
    public KvCache cache() {
        return cache;
    }

    @Override
    public SamplingConfig sampling() {
        return SamplingConfig.GREEDY.withMaxTokens(64);
    }

    @Override
    public LoadOptions loadOptions() {
        return LoadOptions.in(home).withPrecision(Precision.FP32).withThreads(1);
    }

    @Override
    public CausalLm load(String name, LoadOptions options) {
        Path folder = home.resolve("models").resolve(name);
        try {
            if (!Files.exists(folder))
                switch (name) {
                    case "alphabet" -> TinyModels.alphabet(folder);
                    case "endless" -> TinyModels.endless(folder);
                    case "random" -> TinyModels.llama(folder, 1);
                    default -> throw new UserError("", "\"" + name + "\" is no model", "models are alphabet, endless, random");
                }
        } catch (IOException e) {
            throw new UserError(name, "cannot be written: " + e.getMessage(), "", e);
        }
        CausalLm loaded = CausalLm.open(folder, options);
        close();
        model = loaded;
        cache = model.cache();
        return model;
    }

    @Override
    public void close() {
        if (cache != null) cache.close();
        if (model != null) model.close();
        cache = null;
        model = null;
    }
}
