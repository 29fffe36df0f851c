package fewsh.shell;

import fewsh.UserError;
import fewsh.encode.TextEncoder;
import fewsh.generate.CausalLm;
import fewsh.generate.KvCache;
import fewsh.generate.SamplingConfig;
import fewsh.load.About;
import fewsh.load.LoadOptions;
import fewsh.load.Loaded;
import fewsh.models.Precision;
import fewsh.models.Scaled;
import fewsh.models.Spec;
import fewsh.prompt.Composed;
import fewsh.prompt.Composition;
import fewsh.prompt.Message;
import fewsh.prompt.Similarity;
import fewsh.prompt.Tokens;
import fewsh.script.AutoModel;
import fewsh.session.Device;
import fewsh.store.Home;
import fewsh.store.Model;
import fewsh.store.Store;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.BiFunction;
import java.util.stream.Collectors;

/// What one session of the shell holds: the current model and its cache, settings, the conversation, the last answer.
///
/// One thread, `interrupt` apart. Owns the model and the cache: close it.
final class Workspace implements AutoCloseable {
    private final Map<String, String> environment;
    private final Path directory;
    private final BufferedReader in;
    private final boolean terminalIn;
    private final Render render;

    private CausalLm model;
    private KvCache cache;
    private KvCache scores;
    private Model source;
    private LoadOptions opened;
    private Likeness likeness;
    private Duration loadTime = Duration.ZERO;
    private final Map<Setting, List<String>> settings = new EnumMap<>(Setting.class);
    private final Tree tree = new Tree();
    private final Loading loading = new Loading();
    private Options program;
    private Options begun = Options.of();
    private boolean typing;
    private boolean showTime;
    private boolean quit;
    private Runnable running;
    private Editor editor;
    private Scripts scripts;

    /// @param directory relative file names start here
    /// @param in standard input
    /// @param terminalIn whether a person types there
    Workspace(Map<String, String> environment, Path directory, BufferedReader in, boolean terminalIn, Render render) {
        this.environment = Map.copyOf(environment);
        this.directory = directory;
        this.in = in;
        this.terminalIn = terminalIn;
        this.render = render;
    }

    Render render() {
        return render;
    }

    BufferedReader in() {
        return in;
    }

    boolean terminalIn() {
        return terminalIn;
    }

    Map<String, String> environment() {
        return environment;
    }

    Home home() {
        return Home.of(environment);
    }

    Store store() {
        return Store.open(environment);
    }

    /// A file that a person named.
    Path file(String name) {
        try {
            boolean ofUser = name.equals("~") || name.startsWith("~/");
            return ofUser ? Path.of(System.getProperty("user.home"), name.substring(1)) : directory.resolve(name);
        } catch (InvalidPathException e) {
            throw new UserError("", "\"" + name + "\" is not a path: " + e.getReason(), "", e);
        }
    }

    /// The text of a file that a person named.
    String read(String name) {
        Path file = file(name);
        try {
            return Files.readString(file);
        } catch (java.nio.file.NoSuchFileException e) {
            throw new UserError(name, "no such file", "", e);
        } catch (java.nio.charset.CharacterCodingException e) {
            throw new UserError(name, "not UTF-8 text", "", e);
        } catch (IOException e) {
            throw new UserError(name, "cannot be read: " + e.getMessage(), "", e);
        }
    }

    // ---- the model

    /// How to open a model: `--precision`, `--device`, `--threads`.
    LoadOptions loadOptions(Options options, Precision otherwise) {
        String precision = options.get("precision", otherwise.name());
        Precision chosen = java.util.Arrays.stream(Precision.values()).filter(p -> p.name().equalsIgnoreCase(precision))
                .findFirst()
                .orElseThrow(() -> new UserError("--precision", "unknown precision \"" + precision + "\"",
                        "precisions are auto, fp32, int8, int4"));
        int threads = options.whole("threads", java.lang.Runtime.getRuntime().availableProcessors(), 1);
        return new LoadOptions(chosen, Device.parse(options.get("device", "cpu")), threads, home().root());
    }

    /// The model that `-m` or `FEWSH_MODEL` names, or else the only one in the store.
    ///
    /// @throws UserError that says what to type when there is none
    String modelName(Options options) {
        return modelName(options, AutoModel.Kind.CAUSAL_LM);
    }

    private String modelName(Options options, AutoModel.Kind... kinds) {
        String named = options.get("model", environment.getOrDefault("FEWSH_MODEL", ""));
        if (!named.isBlank()) return named;
        List<Model> stored = store().list().models().stream().filter(model -> isOf(model, kinds)).toList();
        if (stored.size() == 1) return stored.getFirst().name();
        if (stored.isEmpty())
            throw new UserError("", "no model yet", (typing ? "type /pull smollm2" : "type fewsh pull smollm2")
                    + " to fetch a small one");
        throw new UserError("", "there are " + stored.size() + " models and none was named", (typing ? "type /load MODEL"
                : "add -m MODEL or set FEWSH_MODEL") + ": " + String.join(", ", stored.stream().map(Model::name).toList()));
    }

    /// A model that cannot be read is left for the command that is asked to use it.
    private boolean isOf(Model model, AutoModel.Kind... kinds) {
        try {
            return List.of(kinds).contains(AutoModel.kind(model.path(), LoadOptions.in(home().root())));
        } catch (UserError _) {
            return true;
        }
    }

    /// The session starts, with the program's options; its model is loaded when it is first needed.
    ///
    /// @param typing whether a person types the lines
    void begin(Options program, boolean typing) {
        this.program = program;
        this.begun = program;
        this.typing = typing;
        showTime = typing;
        settings.putAll(Setting.given(program));
        Setting.apply(SamplingConfig.GREEDY, settings);
    }

    /// The entry of a model that a person named: in the store, or a folder or file.
    Model find(String name) {
        return store().resolve(name.startsWith("~/") ? file(name).toString() : name);
    }

    /// A model and its adapters, as a person named them; adapters are folders.
    Spec spec(String named) {
        Spec spec = Spec.parse(named);
        return new Spec(spec.model(), spec.adapters().stream().map(a -> new Scaled(file(a.adapter().toString()), a.scale())).toList());
    }

    /// Opens a model of any family, for one command; its owner closes it.
    Loaded open(String named, LoadOptions options) {
        Spec spec = spec(named);
        return AutoModel.open(find(spec.model()).path(), options.withAdapters(spec.adapters()));
    }

    /// The model that a command's options name, or else the only one in the store that it can use.
    ///
    /// @param command for the error
    /// @param kinds what it can use
    Loaded open(String command, Options options, AutoModel.Kind... kinds) {
        LoadOptions how = loadOptions(options, Precision.AUTO);
        String named = modelName(options, kinds);
        AutoModel.Kind kind = AutoModel.kind(find(spec(named).model()).path(), how);
        if (!List.of(kinds).contains(kind))
            throw new UserError(named, "is no model for " + command, "it is for " + kind.commands());
        return open(named, how);
    }

    /// Loads a model, in place of the one there was; if only its adapters are others, and there is room for them, it stays.
    void load(String named, LoadOptions given) {
        install(named, given, CausalLm::open);
    }

    /// The same; an encoder of texts stands beside the model that there is.
    ///
    /// @return false for an encoder
    boolean loadAny(String named, LoadOptions given) {
        return install(named, given, AutoModel::open);
    }

    private boolean install(String named, LoadOptions given, BiFunction<Path, LoadOptions, ? extends Loaded> open) {
        Spec spec = spec(named);
        Model found = find(spec.model());
        LoadOptions options = given.withAdapters(spec.adapters());
        long start = System.nanoTime();
        if (!swap(found, options)) {
            Loaded loaded;
            try {
                loaded = loading.open(() -> open.apply(found.path(), options));
            } catch (InterruptedException e) {
                throw new UserError(found.name(), "the load was interrupted", "", e);
            }
            switch (loaded) {
                case CausalLm lm -> {
                    unload();
                    model = lm;
                    source = found;
                    opened = options;
                    cache = model.cache();
                }
                case TextEncoder encoder -> {
                    beside(named, encoder);
                    return false;
                }
                default -> {
                    loaded.close();
                    throw new UserError(named, "is a " + loaded.about().architecture() + " model, which continues no text",
                            "fewsh --help lists what such models are for");
                }
            }
        }
        loadTime = Duration.ofNanos(System.nanoTime() - start);
        return true;
    }

    /// Loads an encoder beside the current model: examples are then chosen by what they mean.
    void loadEncoder(String named, LoadOptions options) {
        Loaded loaded = open(named, options);
        if (!(loaded instanceof TextEncoder encoder)) {
            loaded.close();
            throw new UserError(named, "is no encoder of text", "name one, such as all-minilm-l6-v2");
        }
        beside(named, encoder);
    }

    private void beside(String named, TextEncoder encoder) {
        if (likeness != null) likeness.close();
        likeness = new Likeness(named, encoder);
    }

    /// What was loaded beside the current model; empty if nothing was.
    String encoderName() {
        return likeness == null ? "" : likeness.name();
    }

    /// How near examples are to a question: by their words, or by the encoder that is loaded.
    Similarity similarity() {
        return likeness == null ? Similarity.WORDS : likeness;
    }

    /// Puts other adapters in place of those of the current model.
    ///
    /// @return false if another model is wanted, or it has to be opened again for them
    private boolean swap(Model wanted, LoadOptions options) {
        boolean same = model != null && wanted.equals(source) && options.withAdapters(List.of()).equals(opened.withAdapters(List.of()));
        Optional<CausalLm> swapped = same && !model.adapters().isEmpty() ? model.withAdapters(options.adapters()) : Optional.empty();
        swapped.ifPresent(lm -> {
            model = lm;
            opened = options;
        });
        return swapped.isPresent();
    }

    void unload() {
        program = null;
        tree.forget();
        if (cache != null) cache.close();
        if (scores != null) scores.close();
        scores = null;
        if (model != null) model.close();
        cache = null;
        model = null;
        source = null;
    }

    /// The current model; the one to begin with is loaded now.
    ///
    /// @throws UserError if none is loaded
    CausalLm model() {
        if (model == null && program != null) {
            Options start = program;
            load(modelName(start), loadOptions(start, Precision.AUTO));
            if (start.has("verbose")) Ask.verbose(render, model.about(), sampling(Map.of(), Composition.EMPTY));
        }
        return loaded().orElseThrow(() -> new UserError("", "no model is loaded", store().list().models().isEmpty()
                ? "type /pull smollm2 to fetch a small one" : "type /load MODEL; /models lists them"));
    }

    Optional<CausalLm> loaded() {
        return Optional.ofNullable(model);
    }

    /// The store's entry of the current model.
    Optional<Model> source() {
        return Optional.ofNullable(source);
    }

    /// What answers call the model: its name in the store, or its file's or folder's.
    String modelName() {
        return source == null ? "" : source.name() + opened.adapters().stream().map(Workspace::adapter).collect(Collectors.joining());
    }

    private static String adapter(Scaled adapter) {
        return "+" + adapter.adapter().getFileName() + (adapter.scale() == 1 ? "" : "@" + Render.number(adapter.scale()));
    }

    /// What the prompt calls it: shorter.
    String modelLabel() {
        String name = modelName().replaceFirst("(?i)\\.(gguf|onnx)$", "");
        return name.codePointCount(0, name.length()) <= 32 ? name : name.substring(0, name.offsetByCodePoints(0, 31)) + "…";
    }

    KvCache cache() {
        model();
        return cache;
    }

    /// The cache whose content the branches of the conversation share: of the model that is loaded, if it sees whole
    /// conversations.
    Optional<KvCache> sharedCache() {
        return loaded().filter(m -> m.chatTemplate().isPresent()).map(_ -> cache);
    }

    /// For scores: apart from the conversation's, which they leave as it is.
    KvCache scoreCache() {
        if (scores == null) scores = model().cache();
        return scores;
    }

    /// How many tokens a conversation is for the current model.
    Tokens tokens() {
        CausalLm lm = model();
        return messages -> lm.chatTemplate().isPresent() ? lm.encode(messages, true).length
                : lm.encode(Composed.text(messages)).length;
    }

    /// Most tokens that a prompt may be so that an answer fits behind it: half the context at least.
    int room(SamplingConfig config) {
        int context = model().about().contextLength();
        return context - Math.min(config.maxTokens(), context / 2);
    }

    Duration loadTime() {
        return loadTime;
    }

    // ---- settings and conversation

    Map<Setting, List<String>> settings() {
        return settings;
    }

    /// The model's defaults with the session's settings and `more` on top, held to the format of `composition`; a seed is drawn if
    /// one is needed and none given.
    SamplingConfig sampling(Map<Setting, List<String>> more, Composition composition) {
        Map<Setting, List<String>> all = new EnumMap<>(Setting.class);
        all.putAll(settings);
        all.putAll(more);
        SamplingConfig config = Setting.apply(model().defaults(), all).with(c -> c.format = composition.format());
        boolean samples = config.temperature() > 0 || composition.vote().n() > 1 || composition.knowledge() > 0;
        boolean draws = samples && !all.containsKey(Setting.SEED);
        return draws ? config.withSeed(ThreadLocalRandom.current().nextLong(1L << 31)) : config;
    }

    /// The branches of the conversation. What follows here is of the current one.
    Tree tree() {
        return tree;
    }

    /// Empty when there is none.
    String system() {
        return tree.current().system();
    }

    void system(String text) {
        tree.current().system(text);
    }

    /// The parts of the prompts that are typed.
    Composition composition() {
        return tree.current().composition();
    }

    void composition(Composition composition) {
        tree.current().composition(composition);
    }

    /// User and assistant by turns; the system message apart.
    List<Message> messages() {
        return tree.current().messages();
    }

    Optional<Answer> last() {
        return tree.current().last();
    }

    void last(Answer answer) {
        tree.current().last(answer);
    }

    boolean showTime() {
        return showTime;
    }

    void showTime(boolean show) {
        showTime = show;
    }

    boolean quits() {
        return quit;
    }

    void quit() {
        quit = true;
    }

    /// Whether nothing more has to follow what was typed: no block is open, no line continues, and the code of `/js` is whole.
    boolean isWhole(String typed) {
        return Entry.isWhole(typed) && !(typed.startsWith("/js ") && scripts().isIncomplete(typed.substring("/js ".length())));
    }

    /// Where `/js` keeps its variables, made when it is first needed.
    Scripts scripts() {
        if (scripts == null) scripts = new Scripts(this, begun);
        return scripts;
    }

    /// Where a person can edit a text; empty in a script.
    Optional<Editor> editor() {
        return Optional.ofNullable(editor);
    }

    void editor(Editor editor) {
        this.editor = editor;
    }

    // ---- interruption

    /// Says that `stop` is what Ctrl-C does now; null when nothing is under way. A Ctrl-C that came just before is not lost.
    synchronized void running(Runnable stop) {
        running = stop;
        if (stop != null && Thread.interrupted()) stop.run();
    }

    /// Stops what is under way, from any thread.
    ///
    /// @return false if there is nothing
    synchronized boolean interrupt() {
        if (running == null) return false;
        running.run();
        return true;
    }

    /// Stops the answer under way, or else whatever `loop` does.
    synchronized void interrupt(Thread loop) {
        if (!interrupt()) loop.interrupt();
    }

    /// The next line of standard input, null at its end.
    String readLine() {
        try {
            return in.readLine();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        if (scripts != null) scripts.close();
        unload();
        if (likeness != null) likeness.close();
        loading.close();
    }

    /// `135M · int8 · context 8,192 · cpu`.
    static String line(About about) {
        return String.join(" · ", Render.parameters(about.parameters()), about.precision().name().toLowerCase(Locale.ROOT),
                "context " + Render.count(about.contextLength()), about.device().toString());
    }
}
