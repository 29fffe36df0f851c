package fewsh.shell;

import fewsh.UserError;
import fewsh.generate.CausalLm;
import fewsh.generate.KvCache;
import fewsh.generate.SamplingConfig;
import fewsh.load.LoadOptions;
import fewsh.models.Precision;
import fewsh.prompt.Row;
import fewsh.prompt.Rows;
import fewsh.script.Limits;
import fewsh.script.Sandbox;
import fewsh.script.Stage;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/// `fewsh run FILE`, `/run FILE` and `/js CODE`: by the file's name a prompt, JavaScript, or the shell's lines.
///
/// The workspace is the stage that JavaScript plays on: it shows on the shell's screen and speaks to the current model.
final class Scripts implements Stage, AutoCloseable {
    private static final List<String> KINDS = List.of(".prompty", ".prompt", ".js", ".fewsh");

    private final Workspace workspace;
    private final Sandbox sandbox;
    private final Options options;

    /// @param options of the command line: settings, and how to load models
    Scripts(Workspace workspace, Options options) {
        this.workspace = workspace;
        this.options = options;
        this.sandbox = new Sandbox(this, workspace.file(".").toAbsolutePath().normalize(), limits(options));
    }

    /// `--cpu_time` and `--statements`.
    private static Limits limits(Options options) {
        Limits limits = Limits.DEFAULT;
        if (options.has("cpu_time")) limits = limits.withTime(Duration.ofSeconds(options.whole("cpu_time", 60, 1)));
        if (options.has("statements")) limits = limits.withStatements(1_000_000L * options.whole("statements", 1000, 1));
        return limits;
    }

    /// `fewsh run FILE`.
    static int run(Workspace workspace, Options options) throws IOException {
        String name = name("fewsh run", options);
        if (Prompts.isPrompt(name)) return Prompts.run(workspace, options);
        if (options.has("encoder")) throw new UserError("--encoder", "is for prompt files, not for " + name, "leave it out");
        if (name.endsWith(".fewsh")) return Main.lines(options, workspace, name);
        if (!name.endsWith(".js")) throw unknown("fewsh run", name);
        workspace.begin(options, false);
        Interruption.of(workspace).reached();
        try (Scripts scripts = new Scripts(workspace, options)) {
            return scripts.file(name, options);
        }
    }

    /// `/run FILE`.
    static int slashRun(Workspace workspace, Options options) {
        String name = name("/run", options);
        if (Prompts.isPrompt(name)) return Prompts.slash(workspace, options);
        if (!name.endsWith(".js")) throw unknown("/run", name);
        return workspace.scripts().file(name, options);
    }

    /// `/js CODE`.
    static int js(Workspace workspace, Options options) {
        if (options.text().isBlank()) throw new UserError("/js", "needs CODE", "/js 1 + 1");
        return workspace.scripts().entry(options.text());
    }

    private static String name(String where, Options options) {
        return options.expect(where, "FILE", 1, Integer.MAX_VALUE).words().getFirst();
    }

    private static UserError unknown(String where, String name) {
        return new UserError(where, "\"" + name + "\" is neither a prompt nor a script", "the names of those end in "
                + String.join(", ", KINDS));
    }

    /// @param file whose words are the script's args, behind its name; `--input` names the rows it has
    private int file(String name, Options file) {
        List<Row> rows = file.has("input") ? Rows.read(workspace.file(file.get("input", ""))) : null;
        return interruptible(() -> {
            sandbox.run(workspace.file(name), file.words().subList(1, file.words().size()), rows);
            return "";
        });
    }

    private int entry(String code) {
        return interruptible(() -> sandbox.evaluate(code));
    }

    /// Whether more lines have to follow what was typed behind `/js`.
    boolean isIncomplete(String code) {
        try {
            return sandbox.isIncomplete(code);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private interface Work {
        String run() throws InterruptedException;
    }

    private int interruptible(Work work) {
        Render render = workspace.render();
        workspace.running(sandbox::interrupt);
        try {
            String value = work.run();
            render.endLine();
            if (!value.isEmpty()) render.line(Render.visible(value));
            return 0;
        } catch (InterruptedException _) {
            render.endLine();
            render.note("interrupted");
            return 130;
        } finally {
            render.clearProgress();
            workspace.running(null);
        }
    }

    // ---- the stage

    @Override
    public void line(String text) {
        workspace.render().endLine();
        workspace.render().line(Render.visible(text));
    }

    @Override
    public void text(String piece) {
        workspace.render().text(piece);
    }

    @Override
    public void progress(String line) {
        if (line.isEmpty()) workspace.render().clearProgress();
        else workspace.render().progress(line);
    }

    @Override
    public int columns() {
        return workspace.render().columns();
    }

    @Override
    public boolean unicode() {
        return true;
    }

    @Override
    public CausalLm model() {
        return workspace.model();
    }

    @Override
    public KvCache cache() {
        return workspace.scoreCache();
    }

    @Override
    public SamplingConfig sampling() {
        return workspace.sampling(Map.of(), fewsh.prompt.Composition.EMPTY);
    }

    @Override
    public LoadOptions loadOptions() {
        return workspace.loadOptions(options, Precision.AUTO);
    }

    @Override
    public CausalLm load(String model, LoadOptions how) {
        workspace.load(model, how);
        return workspace.model();
    }

    @Override
    public void close() {
        sandbox.close();
    }
}
