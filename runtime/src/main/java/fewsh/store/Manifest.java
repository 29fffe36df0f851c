package fewsh.store;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import fewsh.UserError;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// The `model.json` beside a stored model: what it is, where it came from and how to know its files.
///
/// @param path of the model when it is referred to and not stored here; empty otherwise
/// @param date when it was stored, ISO 8601
record Manifest(String name, String source, String licence, String date, String path, List<StoredFile> files) {
    static final String FILE = "model.json";

    private static final int LONGEST = 16 << 20;

    Manifest {
        files = List.copyOf(files);
    }

    /// @throws UserError if the file is no manifest
    static Manifest read(Path file) {
        try {
            if (Files.size(file) > LONGEST) throw new IllegalArgumentException("too long");
            JsonObject json = Json.object(new String(Files.readAllBytes(file), StandardCharsets.UTF_8));
            List<StoredFile> files = new ArrayList<>();
            for (JsonObject one : Json.objects(json, "files")) files.add(file(one));
            return new Manifest(Json.text(json, "name"), Json.text(json, "source"), Json.text(json, "licence"),
                    Json.text(json, "date"), Json.text(json, "path", ""), files);
        } catch (IllegalArgumentException e) {
            throw new UserError(file.toString(), "damaged: " + e.getMessage(), "remove the model and pull it again", e);
        } catch (IOException e) {
            throw Disk.unreadable(file, e);
        }
    }

    static StoredFile file(JsonObject json) {
        String name = Json.text(json, "name");
        if (!Names.isMember(name)) throw new IllegalArgumentException("\"" + Names.printable(name) + "\" is no file name");
        return new StoredFile(name, Json.bytes(json, "size"), Json.text(json, "sha256"));
    }

    String json() {
        JsonObject json = new JsonObject();
        json.addProperty("name", name);
        json.addProperty("source", source);
        json.addProperty("licence", licence);
        json.addProperty("date", date);
        if (!path.isEmpty()) json.addProperty("path", path);
        JsonArray all = new JsonArray();
        for (StoredFile file : files) {
            JsonObject one = new JsonObject();
            one.addProperty("name", file.name());
            one.addProperty("size", file.size());
            one.addProperty("sha256", file.sha256());
            all.add(one);
        }
        json.add("files", all);
        return Json.write(json);
    }

    /// The model in `folder` that this describes.
    Model model(Path folder) {
        Path where = path.isEmpty() ? Model.weights(folder, files) : Path.of(path);
        return new Model(name, where, source, licence, date, files);
    }
}
