package fewsh.store;

import fewsh.UserError;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Stream;

/// The models of this machine by name. Any number of processes may use one store; a model is there whole or not at all.
///
/// Immutable; only `pull` opens connections. Every failure that a user can mend is a [UserError].
public final class Store {
    /// Stands before the name of an execution provider's plugin.
    private static final String PROVIDER = "provider:";

    private final Home home;
    private final Catalogue catalogue;
    private final Map<String, String> environment;
    private final Limits limits;

    /// @param environment see [#pull]
    public Store(Home home, Catalogue catalogue, Map<String, String> environment) {
        this(home, catalogue, environment, Limits.USUAL);
    }

    Store(Home home, Catalogue catalogue, Map<String, String> environment, Limits limits) {
        this.home = home;
        this.catalogue = catalogue;
        this.environment = Map.copyOf(environment);
        this.limits = limits;
    }

    /// The store of the home that `environment` names, with the catalogue that comes with fewsh.
    public static Store open(Map<String, String> environment) {
        return new Store(Home.of(environment), Catalogue.builtIn(), environment);
    }

    public Home home() {
        return home;
    }

    public Catalogue catalogue() {
        return catalogue;
    }

    /// What is in the store.
    ///
    /// @param models by name
    /// @param damaged one for each folder that cannot be read as a model
    public record Listing(List<Model> models, List<UserError> damaged) {
        public Listing {
            models = List.copyOf(models);
            damaged = List.copyOf(damaged);
        }
    }

    public Listing list() {
        List<Model> models = new ArrayList<>();
        List<UserError> damaged = new ArrayList<>();
        for (String name : names()) {
            try {
                models.add(read(name));
            } catch (UserError e) {
                damaged.add(e);
            }
        }
        return new Listing(models, damaged);
    }

    /// What `model` stands for: a name in the store, the source a stored model came from, else a path: a folder, a `.gguf` or an
    /// `.onnx` file. A name goes before a path of the same name; `./name` is the path.
    public Model resolve(String model) {
        if (Names.isModel(model) && isStored(model)) return read(model);
        if (model.startsWith(PROVIDER)) throw new UserError("", "\"" + Names.printable(model) + "\" is no model",
                "a provider is what models run on: --device " + Names.printable(model.substring(PROVIDER.length())));
        if (model.startsWith("hf:") || model.startsWith("pip:") || model.startsWith("https://")) return bySource(model);
        Path path;
        try {
            path = Path.of(model);
        } catch (InvalidPathException e) {
            throw new UserError("", "\"" + Names.printable(model) + "\" is neither a model nor a path: " + e.getReason(), "", e);
        }
        if (model.isEmpty() || !Files.exists(path)) throw unknown(model);
        if (!Files.isDirectory(path) && !model.matches("(?i).+\\.(gguf|onnx)"))
            throw new UserError(model, "is no model", "a model is a folder, a .gguf or an .onnx file");
        String name = path.toAbsolutePath().normalize().getFileName() + "";
        return stored(path).orElseGet(() -> new Model(name, path, "", "", "", List.of()));
    }

    /// Fetches a model and stores it, or finds that it is stored and whole.
    ///
    /// An interrupted or killed pull goes on where it stopped. Of the environment, `HF_ENDPOINT`, `HF_TOKEN`, `HTTPS_PROXY`,
    /// `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY` and `SSL_CERT_FILE` are followed; pip gets all of it.
    ///
    /// @param what a name of the catalogue or a source as in [Source#parse]; a path is referred to, not copied; `provider:NAME`
    ///             is the plugin of an execution provider, for this system
    /// @throws InterruptedException if the thread is interrupted
    public Model pull(String what, Consumer<Progress> progress) throws InterruptedException {
        if (what.startsWith(PROVIDER)) return provider(what.substring(PROVIDER.length()), progress);
        return new Pull(home.models(), environment, limits, progress).run(request(what, ""));
    }

    /// As above, stored under `name`.
    public Model pull(String what, String name, Consumer<Progress> progress) throws InterruptedException {
        return new Pull(home.models(), environment, limits, progress).run(request(what, Names.model(name)));
    }

    private Model provider(String name, Consumer<Progress> progress) throws InterruptedException {
        Catalogue.Entry entry = catalogue.provider(name, Catalogue.platform());
        Model plugin = new Pull(home.providers(), environment, limits, progress)
                .run(new Pull.Request(name, Optional.of(entry), entry.sources(), PROVIDER + name));
        return new Model(PROVIDER + name, home.providers().resolve(name), plugin.source(), plugin.licence(), plugin.date(),
                plugin.files());
    }

    /// Removes a model, what is cached of it, and what a broken pull left of it; or the plugin `provider:NAME`. A model that is
    /// referred to is forgotten; its own files stay.
    ///
    /// @return the bytes that were freed
    public long remove(String name) {
        if (name.startsWith(PROVIDER)) return remove(home.providers(), name.substring(PROVIDER.length()), () -> new UserError("",
                "no \"" + Names.printable(name) + "\" here", "fewsh doctor lists what there is"));
        return remove(home.models(), name, () -> unknown(name)) + Disk.delete(home.cache().resolve(name));
    }

    private static long remove(Path shelf, String name, Supplier<UserError> unknown) {
        Names.model(name);
        Path folder = shelf.resolve(name);
        Staging staging = new Staging(shelf, name);
        boolean stored = Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS) || Files.isSymbolicLink(folder);
        if (!stored && !Files.isDirectory(staging.folder())) throw unknown.get();
        Optional<Lock> lock = Lock.tryTake(shelf, name);
        if (lock.isEmpty()) throw new UserError(name, "is being pulled", "wait for the pull to end, or stop it");
        try (Lock _ = lock.get()) {
            long freed = 0;
            if (stored) {
                Path doomed = staging.doomed();
                Disk.move(folder, doomed);
                freed += Disk.delete(doomed);
            }
            freed += Disk.delete(staging.folder());
            staging.tidy();
            return freed;
        }
    }

    private Pull.Request request(String what, String as) {
        Optional<Catalogue.Entry> entry = catalogue.find(what);
        if (entry.isPresent()) return new Pull.Request(as.isEmpty() ? what : as, entry, entry.get().sources());
        Source source = Source.parse(what);
        if (source instanceof Source.Local(var path) && (what.isBlank() || !Files.exists(path))) {
            List<String> known = catalogue.entries().stream().map(Catalogue.Entry::name).toList();
            List<String> near = Names.near(what, known);
            String fix = "did you mean \"" + String.join("\", \"", near) + "\"?";
            if (near.isEmpty()) fix = "the catalogue has " + String.join(", ", known) + "; others: fewsh pull hf:owner/name";
            if (what.matches("[\\w.-]+/[\\w.-]+(:\\S+)?"))
                fix = "for a repository of the hub: fewsh pull hf:" + Names.printable(what);
            throw new UserError("", "\"" + Names.printable(what) + "\" is neither in the catalogue nor a file or folder", fix);
        }
        Source whole = source instanceof Source.Local(var path) ? new Source.Local(path.toAbsolutePath().normalize()) : source;
        return new Pull.Request(as.isEmpty() ? source.modelName() : as, Optional.empty(), List.of(whole));
    }

    private boolean isStored(String name) {
        return Files.isDirectory(home.models().resolve(name));
    }

    private List<String> names() {
        if (!Files.isDirectory(home.models())) return List.of();
        try (Stream<Path> all = Files.list(home.models())) {
            return all.filter(Files::isDirectory).map(p -> p.getFileName().toString()).filter(Names::isModel).sorted().toList();
        } catch (IOException e) {
            throw Disk.unreadable(home.models(), e);
        }
    }

    /// A model of the store. A folder that a user put there without a manifest is one too, of which nothing is known.
    private Model read(String name) {
        Path folder = home.models().resolve(name);
        Path file = folder.resolve(Manifest.FILE);
        if (!Files.isRegularFile(file)) return new Model(name, Model.weights(folder, listed(folder)), "", "", "", List.of());
        Manifest manifest = Manifest.read(file);
        if (!manifest.path().isEmpty() && !Files.exists(Path.of(manifest.path())))
            throw new UserError(name, "\"" + manifest.path() + "\" is no longer there", "put it back, or fewsh rm " + name);
        for (StoredFile one : manifest.path().isEmpty() ? manifest.files() : List.<StoredFile>of())
            if (!Staging.isOf(folder.resolve(one.name()), one.size()))
                throw new UserError(folder.resolve(one.name()).toString(), "missing or not " + one.size() + " bytes",
                        "fewsh pull " + (catalogue.find(name).isPresent() ? name : manifest.source()) + " fetches it again");
        Model model = manifest.model(folder);
        return new Model(name, model.path(), model.source(), model.licence(), model.date(), model.files());
    }

    private static List<StoredFile> listed(Path folder) {
        try (Stream<Path> all = Files.list(folder)) {
            return all.map(p -> new StoredFile(p.getFileName().toString(), -1, "")).toList();
        } catch (IOException e) {
            throw Disk.unreadable(folder, e);
        }
    }

    /// The model whose folder or file in the store `path` is.
    private Optional<Model> stored(Path path) {
        Path absolute = path.toAbsolutePath().normalize();
        if (!absolute.startsWith(home.models()) || absolute.equals(home.models())) return Optional.empty();
        String name = home.models().relativize(absolute).getName(0).toString();
        if (!Names.isModel(name)) return Optional.empty();
        Model model = read(name);
        boolean whole = absolute.equals(home.models().resolve(name)) || absolute.equals(model.path());
        return whole ? Optional.of(model) : Optional.empty();
    }

    private Model bySource(String text) {
        Source source = Source.parse(text);
        Optional<Model> stored = list().models().stream().filter(m -> m.source().equals(source.spec())).findFirst();
        if (stored.isPresent()) return stored.get();
        throw new UserError("", "\"" + Names.printable(text) + "\" is not in the store",
                "fewsh pull " + Names.printable(source.spec()));
    }

    private UserError unknown(String name) {
        String what = "no model \"" + Names.printable(name) + "\"";
        Optional<Catalogue.Entry> entry = catalogue.find(name);
        if (entry.isPresent())
            return new UserError("", what, "fewsh pull " + name + " fetches it (" + Disk.bytes(entry.get().size()) + ", "
                    + entry.get().licence() + ")");
        List<String> stored = names();
        List<String> near = Names.near(name, stored);
        if (!near.isEmpty()) return new UserError("", what, "did you mean \"" + String.join("\", \"", near) + "\"?");
        List<String> known = Names.near(name, catalogue.entries().stream().map(Catalogue.Entry::name).toList());
        if (!known.isEmpty())
            return new UserError("", what, "did you mean \"" + known.getFirst() + "\"? fewsh pull " + known.getFirst());
        return new UserError("", what, stored.isEmpty()
                ? "name a folder, a .gguf or an .onnx file, or fetch a model: fewsh pull smollm2"
                : "stored are " + String.join(", ", stored.subList(0, Math.min(8, stored.size())))
                        + "; or name a folder, a .gguf or an .onnx file");
    }
}
