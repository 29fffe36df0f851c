package fewsh.load;

import fewsh.UserError;
import fewsh.models.Settings;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.TreeMap;

/// What `genai_config.json` says, which onnxruntime-genai's model builder writes beside its graph.
///
/// Source: src/config.h of microsoft/onnxruntime-genai.
///
/// @param model its part `model`: `type`, `context_length`, `eos_token_id`, `decoder`, …
/// @param search its part `search`: how answers are sampled unless a caller says otherwise
public record Genai(Path folder, Settings model, Settings search) {
    static Optional<Genai> find(Path folder) {
        Path file = folder.resolve("genai_config.json");
        if (!Files.exists(file)) return Optional.empty();
        Settings all = Settings.read(file, "");
        return Optional.of(new Genai(folder, all.object("model"), all.object("search")));
    }

    /// The files that it names, the decoder of a model without an encoder as `model`.
    SequencedMap<String, Path> graphs() {
        SequencedMap<String, Path> graphs = new TreeMap<>();
        for (String part : List.of("encoder", "decoder", "vision", "embedding", "speech"))
            if (model.has(part)) {
                if (model.object(part).has("pipeline"))
                    throw new UserError(model.object(part).where(), "a pipeline of several graphs is not supported",
                            "export the model as one graph");
                graphs.put(part, file(model.object(part)));
            }
        if (graphs.size() == 1 && graphs.containsKey("decoder")) graphs.put("model", graphs.remove("decoder"));
        return graphs;
    }

    private Path file(Settings part) {
        String name = part.text("filename", "model.onnx");
        try {
            Path file = folder.resolve(name).normalize();
            if (!Path.of(name).isAbsolute() && file.startsWith(folder.normalize())) return file;
        } catch (InvalidPathException e) {
            throw new UserError(part.where(), "filename \"" + name + "\" is no file's name", "", e);
        }
        throw new UserError(part.where(), "filename \"" + name + "\" is outside the folder", "put the graph beside it");
    }

    /// The name that a graph's port has by this file; `%d` stands for a layer's number.
    ///
    /// @param key such as `past_key_names`
    public String port(String direction, String key, String otherwise) {
        return model.object("decoder").object(direction).text(key, otherwise);
    }
}
