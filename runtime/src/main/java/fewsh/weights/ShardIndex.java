package fewsh.weights;

import com.google.gson.stream.JsonReader;
import fewsh.UserError;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/// `model.safetensors.index.json`: which shard, a file beside it, holds which tensor.
///
/// Source: the format that transformers' `save_pretrained` writes.
final class ShardIndex {
    private static final long MAX_BYTES = 100_000_000;
    private static final String SUFFIX = ".safetensors";

    private ShardIndex() {}

    /// The shards, each with all its tensors; those the index promises are there.
    static List<WeightFile> read(Path index, Arena arena) throws IOException {
        if (!Files.isRegularFile(index)) throw WeightFile.damaged(index, "not a file");
        if (Files.size(index) > MAX_BYTES)
            throw WeightFile.damaged(index, "larger than the " + MAX_BYTES + " bytes of an index");
        Map<String, String> shardOf = new LinkedHashMap<>();
        Safetensors.readJson(index, Files.readAllBytes(index), json -> readIndex(index, json, shardOf));
        if (shardOf.isEmpty()) throw WeightFile.damaged(index, "\"weight_map\" is missing or empty");

        List<WeightFile> files = new ArrayList<>();
        for (String shard : new TreeSet<>(shardOf.values())) {
            WeightFile file = WeightFile.read(locate(index, shard), arena);
            Set<String> found = file.weights().stream().map(Weight::name).collect(Collectors.toSet());
            for (Map.Entry<String, String> entry : shardOf.entrySet())
                if (entry.getValue().equals(shard) && !found.contains(entry.getKey()))
                    throw WeightFile.damaged(index, "tensor \"" + entry.getKey() + "\" is not in \"" + shard + '"');
            files.add(file);
        }
        return files;
    }

    private static void readIndex(Path index, JsonReader json, Map<String, String> shardOf) throws IOException {
        json.beginObject();
        while (json.hasNext()) {
            if (!json.nextName().equals("weight_map")) {
                json.skipValue();
                continue;
            }
            json.beginObject();
            while (json.hasNext()) {
                String name = json.nextName();
                if (shardOf.putIfAbsent(name, Safetensors.string(json)) != null)
                    throw WeightFile.damaged(index, "tensor \"" + name + "\" occurs twice");
                if (shardOf.size() > Weights.MAX_TENSORS)
                    throw WeightFile.damaged(index, "more than " + Weights.MAX_TENSORS + " tensors");
            }
            json.endObject();
        }
        json.endObject();
    }

    /// The file of a shard, which is in the index's folder: an index must not make us read anything else.
    private static Path locate(Path index, String shard) throws IOException {
        UserError outside = new UserError(index.toString(),
                "shard \"" + shard + "\" is not the name of a .safetensors file in this folder",
                "put the shards beside the index, and name them in \"weight_map\" without a path");
        if (!shard.endsWith(SUFFIX) || shard.contains("/") || shard.contains("\\")) throw outside;
        Path folder = index.toAbsolutePath().getParent();
        Path file;
        try {
            file = folder.resolve(shard);
        } catch (InvalidPathException e) {
            throw outside;
        }
        if (!Files.exists(file))
            throw new UserError(index.toString(), "shard \"" + shard + "\" is missing", "fetch it, or the whole model again");
        Path home = folder.toRealPath();
        Path real = file.toRealPath();
        if (!real.startsWith(home) && !real.startsWith(blobs(home))) throw outside;
        return index.resolveSibling(shard);
    }

    /// Where the links of a folder in the Hugging Face cache lead: `models--x/snapshots/revision` → `models--x/blobs`; the
    /// folder itself when it is not such a one.
    private static Path blobs(Path home) {
        Path snapshots = home.getParent();
        if (snapshots == null || snapshots.getParent() == null || !snapshots.endsWith("snapshots")) return home;
        return snapshots.resolveSibling("blobs");
    }
}
