package fewsh.store;

import com.google.gson.JsonObject;
import fewsh.UserError;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The models that have a name before they are pulled. Read from `catalogue.json`; every entry was fetched and hashed.
public record Catalogue(List<Entry> entries) {
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

    public Catalogue {
        entries = List.copyOf(entries);
    }

    /// The catalogue that comes with fewsh.
    public static Catalogue builtIn() {
        try (InputStream in = Catalogue.class.getResourceAsStream("catalogue.json")) {
            return read(new String(in.readAllBytes(), StandardCharsets.UTF_8), "catalogue.json");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Reads `{"models":[{"name","what","licence","files":[{"name","size","sha256"}],"sources":["hf:…"]}]}`.
    ///
    /// @param where the file's name, for errors
    public static Catalogue read(String json, String where) {
        try {
            List<Entry> entries = new ArrayList<>();
            for (JsonObject model : Json.objects(Json.object(json), "models")) {
                String name = Names.model(Json.text(model, "name"));
                if (entries.stream().anyMatch(e -> e.name.equalsIgnoreCase(name)))
                    throw new IllegalArgumentException("\"" + name + "\" is there twice");
                List<StoredFile> files = new ArrayList<>();
                for (JsonObject file : Json.objects(model, "files")) {
                    StoredFile one = Manifest.file(file);
                    if (one.sha256().isEmpty()) throw new IllegalArgumentException("\"" + one.name() + "\" has no sha256");
                    files.add(one);
                }
                List<Source> sources = new ArrayList<>();
                for (String source : Json.strings(model, "sources")) sources.add(Source.parse(source));
                entries.add(new Entry(name, Json.text(model, "what"), Json.text(model, "licence"), files, sources));
            }
            return new Catalogue(entries);
        } catch (IllegalArgumentException e) {
            throw new UserError(where, "not a catalogue: " + e.getMessage(), "", e);
        }
    }

    public Optional<Entry> find(String name) {
        return entries.stream().filter(e -> e.name.equals(name)).findFirst();
    }
}
