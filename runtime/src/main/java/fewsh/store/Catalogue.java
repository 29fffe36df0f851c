package fewsh.store;

import com.google.gson.JsonObject;
import fewsh.UserError;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SequencedMap;

/// The models that have a name before they are pulled, and the plugins of execution providers. Read from `catalogue.json`; every
/// entry was fetched and hashed.
public record Catalogue(List<Entry> entries, List<Provider> providers) {
    /// A model, what it is, and where it comes from.
    ///
    /// @param what one line for people
    /// @param licence an SPDX identifier
    /// @param files with sizes and checksums
    /// @param sources in the order in which they are asked
    public record Entry(String name, String what, String licence, List<StoredFile> files, List<Source> sources) {
        public Entry {
            files = List.copyOf(files);
            sources = List.copyOf(sources);
        }

        /// Bytes of all files.
        public long size() {
            return files.stream().mapToLong(StoredFile::size).sum();
        }
    }

    /// The plugin of an execution provider, whose package has other files on each platform.
    ///
    /// @param platforms files by `system-processor`, as in `linux-x86_64`
    public record Provider(String name, String what, String licence, SequencedMap<String, List<StoredFile>> platforms,
            List<Source> sources) {
        public Provider {
            platforms = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(platforms));
            sources = List.copyOf(sources);
        }
    }

    public Catalogue {
        entries = List.copyOf(entries);
        providers = List.copyOf(providers);
    }

    Catalogue(List<Entry> entries) {
        this(entries, List.of());
    }

    /// The catalogue that comes with fewsh.
    public static Catalogue builtIn() {
        try (InputStream in = Catalogue.class.getResourceAsStream("catalogue.json")) {
            return read(new String(in.readAllBytes(), StandardCharsets.UTF_8), "catalogue.json");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Reads `{"models":[{"name","what","licence","files":[{"name","size","sha256"}],"sources":["hf:…"]}],"providers":[…]}`; a
    /// provider has `"platforms":{"linux-x86_64":[…]}` for `files`.
    ///
    /// @param where the file's name, for errors
    public static Catalogue read(String json, String where) {
        try {
            JsonObject all = Json.object(json);
            List<Entry> entries = new ArrayList<>();
            for (JsonObject model : Json.objects(all, "models")) {
                String name = Names.model(Json.text(model, "name"));
                if (entries.stream().anyMatch(e -> e.name.equalsIgnoreCase(name)))
                    throw new IllegalArgumentException("\"" + name + "\" is there twice");
                entries.add(new Entry(name, Json.text(model, "what"), Json.text(model, "licence"), files(model, "files"),
                        sources(model)));
            }
            List<Provider> providers = new ArrayList<>();
            for (JsonObject one : all.has("providers") ? Json.objects(all, "providers") : List.<JsonObject>of()) {
                if (!(one.get("platforms") instanceof JsonObject byPlatform)) throw new IllegalArgumentException("no platforms");
                SequencedMap<String, List<StoredFile>> platforms = new LinkedHashMap<>();
                for (String platform : byPlatform.keySet()) platforms.put(platform, files(byPlatform, platform));
                providers.add(new Provider(Names.model(Json.text(one, "name")), Json.text(one, "what"), Json.text(one, "licence"),
                        platforms, sources(one)));
            }
            return new Catalogue(entries, providers);
        } catch (IllegalArgumentException e) {
            throw new UserError(where, "not a catalogue: " + e.getMessage(), "", e);
        }
    }

    private static List<StoredFile> files(JsonObject json, String key) {
        List<StoredFile> files = new ArrayList<>();
        for (JsonObject file : Json.objects(json, key)) {
            StoredFile one = Manifest.file(file);
            if (one.sha256().isEmpty()) throw new IllegalArgumentException("\"" + one.name() + "\" has no sha256");
            files.add(one);
        }
        return files;
    }

    private static List<Source> sources(JsonObject json) {
        return Json.strings(json, "sources").stream().map(Source::parse).toList();
    }

    /// The plugin of a provider for a platform.
    ///
    /// @throws UserError if there is none
    Entry provider(String name, String platform) {
        Provider provider = providers.stream().filter(p -> p.name.equals(name)).findFirst().orElseThrow(() -> new UserError("",
                "no plugin for a provider \"" + Names.printable(name) + "\"",
                "there are " + String.join(", ", providers.stream().map(Provider::name).toList())));
        List<StoredFile> files = provider.platforms.get(platform);
        if (files == null) throw new UserError("provider:" + name, "there is no plugin for " + platform,
                "there are plugins for " + String.join(", ", provider.platforms.keySet()));
        return new Entry(name, provider.what, provider.licence, files, provider.sources);
    }

    /// This machine, as in `linux-x86_64`.
    static String platform() {
        String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String arch = System.getProperty("os.arch");
        String system = os.startsWith("mac") ? "macos" : os.startsWith("windows") ? "windows" : os;
        return system + "-" + (arch.equals("amd64") ? "x86_64" : arch);
    }

    public Optional<Entry> find(String name) {
        return entries.stream().filter(e -> e.name.equals(name)).findFirst();
    }
}
