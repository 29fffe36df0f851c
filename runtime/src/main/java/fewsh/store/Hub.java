package fewsh.store;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import fewsh.UserError;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// A Hugging Face hub, public or a mirror: what a repository holds, and where its files are.
///
/// Source: `model_info` and `get_hf_file_metadata` of huggingface_hub: `/api/models/{repo}/revision/{revision}?blobs=true` lists
/// files with sizes and checksums, `/{repo}/resolve/{revision}/{path}` is a file; `X-Linked-Etag` is a large file's sha256.
///
/// @param endpoint without a slash at its end
/// @param token empty when there is none
record Hub(Http http, String endpoint, String token) {
    private static final int LONGEST_LISTING = 64 << 20;

    /// What is to be fetched.
    ///
    /// @param licence as the repository's card says; empty when it does not
    record Plan(String licence, List<Item> items) {
        Plan {
            items = List.copyOf(items);
        }
    }

    /// A file, and where it is.
    record Item(Wanted wanted, URI uri) {}

    static Hub of(Map<String, String> environment, Http http) {
        String token = environment.getOrDefault("HF_TOKEN", "").strip();
        if (!token.matches("[\\x21-\\x7e]*")) throw new UserError("HF_TOKEN", "holds characters that no token has", "");
        return new Hub(http, Http.endpoint(environment), token);
    }

    /// The files of a catalogue's entry. Asks nobody.
    Plan plan(Source.Hub source, Catalogue.Entry entry) {
        List<Item> items = new ArrayList<>();
        for (StoredFile file : entry.files()) {
            String path = source.file().isEmpty() ? file.name() : source.file();
            items.add(new Item(Wanted.of(file), uri(source, source.revision(), path)));
        }
        return new Plan(entry.licence(), items);
    }

    /// The files that `source` stands for.
    Plan plan(Source.Hub source) throws SourceFailure, InterruptedException {
        URI uri = URI.create(endpoint + "/api/models/" + source.owner() + "/" + source.name() + "/revision/"
                + encoded(source.revision()) + "?blobs=true");
        Http.Document document = http.document(uri, token, LONGEST_LISTING);
        Http.Answer answer = document.answer();
        if (answer.status() == 404 && source.file().contains(".") && answer.header("X-Error-Code").isEmpty())
            return lone(source); // a mirror that has files but no listings
        if (answer.status() != 200) throw refusal(answer, source);
        try {
            return listed(source, Json.object(document.text()));
        } catch (IllegalArgumentException e) {
            throw new SourceFailure(Http.shown(uri) + ": not a listing of a hub: " + e.getMessage(), "check HF_ENDPOINT");
        }
    }

    private Plan listed(Source.Hub source, JsonObject listing) throws SourceFailure {
        Map<String, Wanted> files = new LinkedHashMap<>();
        for (JsonObject sibling : Json.objects(listing, "siblings")) {
            String path = Json.text(sibling, "rfilename");
            files.put(path, wanted(path, sibling));
        }
        String commit = Json.text(listing, "sha", "");
        String revision = commit.matches("[0-9a-f]{40}") ? commit : source.revision();
        List<Item> items = new ArrayList<>();
        for (String path : HubFiles.choose(files.keySet(), source.file())) {
            if (!Names.isMember(path) || items.stream().anyMatch(i -> i.wanted.name().equalsIgnoreCase(path)))
                throw new SourceFailure("\"" + Names.printable(path) + "\" in the repository cannot be a file here", "");
            items.add(new Item(files.get(path), uri(source, revision, path)));
        }
        return new Plan(licence(listing), items);
    }

    private static Wanted wanted(String path, JsonObject sibling) {
        long size = sibling.has("size") && !sibling.get("size").isJsonNull() ? Json.bytes(sibling, "size") : -1;
        String sha256 = sibling.get("lfs") instanceof JsonObject lfs ? Json.text(lfs, "sha256", Json.text(lfs, "oid", "")) : "";
        String blob = Json.text(sibling, "blobId", "");
        return new Wanted(path, size, sha256.matches("[0-9a-f]{64}") ? sha256 : "",
                sha256.isEmpty() && blob.matches("[0-9a-f]{40}") ? blob : "");
    }

    /// One file of a repository that cannot be listed.
    private Plan lone(Source.Hub source) throws SourceFailure, InterruptedException {
        URI uri = uri(source, source.revision(), source.file());
        try (Http.Answer answer = http.head(uri, token)) {
            if (answer.status() != 200 && answer.status() != 405 && answer.status() != 501) throw refusal(answer, source);
            String sha256 = etag(answer.headerOfAny("X-Linked-Etag").orElse(""));
            String size = answer.headerOfAny("X-Linked-Size").orElse("");
            String file = source.file().substring(source.file().lastIndexOf('/') + 1);
            Wanted wanted = new Wanted(file, size.matches("\\d{1,16}") ? Long.parseLong(size) : -1,
                    sha256.matches("[0-9a-f]{64}") ? sha256 : "", "");
            return new Plan("", List.of(new Item(wanted, uri)));
        } catch (IOException e) {
            throw new SourceFailure(Http.reason(e, uri), "");
        }
    }

    /// What a hub's refusal means for a person.
    SourceFailure refusal(Http.Answer answer, Source.Hub source) {
        String repository = source.owner() + "/" + source.name();
        String code = answer.header("X-Error-Code").orElse("");
        boolean known = !token.isEmpty();
        if (code.equals("GatedRepo") || answer.status() == 403)
            return new SourceFailure(repository + " is for those who accepted its terms",
                    "accept them at " + endpoint + "/" + repository
                            + (known ? "" : ", then set HF_TOKEN to a token of that account"));
        if (code.equals("RevisionNotFound"))
            return new SourceFailure(repository + " has no revision \"" + source.revision() + "\"", "");
        if (code.equals("EntryNotFound")) return new SourceFailure(repository + " has no file \"" + source.file() + "\"", "");
        if (answer.status() == 401 && known)
            return new SourceFailure("the hub does not take HF_TOKEN", "renew the token, or unset HF_TOKEN");
        if (answer.status() == 401 || answer.status() == 404)
            return new SourceFailure("no repository " + repository + " on the hub, or a private one",
                    "check the name" + (known ? "" : "; for a private or gated one set HF_TOKEN"));
        return Http.refusal(answer);
    }

    private URI uri(Source.Hub source, String revision, String path) {
        String file = Stream.of(path.split("/")).map(Hub::encoded).collect(Collectors.joining("/"));
        return URI.create(endpoint + "/" + source.owner() + "/" + source.name() + "/resolve/" + encoded(revision) + "/" + file);
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }

    static String etag(String header) {
        return header.replaceFirst("^W/", "").replace("\"", "").toLowerCase(Locale.ROOT);
    }

    private static String licence(JsonObject listing) {
        if (!(listing.get("cardData") instanceof JsonObject card)) return "";
        JsonElement licence = card.get("license");
        return licence instanceof JsonPrimitive text && text.isString() ? Names.printable(text.getAsString()) : "";
    }
}
