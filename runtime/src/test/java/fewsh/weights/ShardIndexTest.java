package fewsh.weights;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fewsh.UserError;
import fewsh.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ShardIndexTest {
    @TempDir
    Path temporary;

    private Path folder;

    @BeforeEach
    void twoShards() throws IOException {
        folder = Files.createDirectory(temporary.resolve("model"));
        shard(folder.resolve("model-1.safetensors"), "a", 1);
        shard(folder.resolve("model-2.safetensors"), "b", 2);
    }

    static void shard(Path path, String name, float value) {
        SequencedMap<String, Tensor> tensors = new LinkedHashMap<>();
        tensors.put(name, Tensor.ofFloat32(new float[] {value}, 1));
        Safetensors.write(path, tensors, Map.of("shard", name));
    }

    @Test
    void readsAllShards() throws IOException {
        index("{\"metadata\":{\"total_size\":8},\"weight_map\":{\"b\":\"model-2.safetensors\",\"a\":\"model-1.safetensors\"}}");
        try (Weights weights = Weights.open(folder)) {
            assertEquals(List.of("a", "b"), weights.names());
            assertArrayEquals(new float[] {2}, weights.get("b").floats());
            assertEquals(List.of(folder.resolve("model-1.safetensors"), folder.resolve("model-2.safetensors")), weights.files());
            assertEquals(Map.of("shard", "a"), weights.metadata());
            assertEquals(8, weights.bytes());
        }
    }

    @Test
    void aSingleFileGoesBeforeAnIndex() throws IOException {
        index("{");
        shard(folder.resolve("model.safetensors"), "c", 3);
        try (Weights weights = Weights.open(folder)) {
            assertEquals(List.of("c"), weights.names());
        }
    }

    @Test
    void refusesShardsOutsideTheFolder() throws IOException {
        shard(temporary.resolve("outside.safetensors"), "a", 1);
        Files.createSymbolicLink(folder.resolve("link.safetensors"), temporary.resolve("outside.safetensors"));
        Files.createDirectory(folder.resolve("sub"));
        shard(folder.resolve("sub/model.safetensors"), "a", 1);
        for (String shard : List.of("../outside.safetensors", temporary.resolve("outside.safetensors").toString(),
                "link.safetensors", "sub/model.safetensors", "sub\\\\model.safetensors", "a\\u0000.safetensors", "",
                "config.json", "..")) {
            index("{\"weight_map\":{\"a\":\"" + shard + "\"}}");
            refused("is not the name of a .safetensors file in this folder");
        }
    }

    @Test
    void followsTheLinksOfAHubCache() throws IOException {
        Path blobs = Files.createDirectories(temporary.resolve("models--x/blobs"));
        folder = Files.createDirectories(temporary.resolve("models--x/snapshots/0123"));
        shard(blobs.resolve("abcd"), "a", 5);
        Files.createSymbolicLink(folder.resolve("model-1.safetensors"), Path.of("../../blobs/abcd"));
        index("{\"weight_map\":{\"a\":\"model-1.safetensors\"}}");
        try (Weights weights = Weights.open(folder)) {
            assertArrayEquals(new float[] {5}, weights.get("a").floats());
        }
    }

    @Test
    void refusesAnIndexThatTheShardsDoNotBearOut() throws IOException {
        index("{\"weight_map\":{\"a\":\"model-3.safetensors\"}}");
        refused("shard \"model-3.safetensors\" is missing");
        index("{\"weight_map\":{\"a\":\"model-2.safetensors\"}}");
        refused("tensor \"a\" is not in \"model-2.safetensors\"");
        index("{\"weight_map\":{\"a\":\"model-1.safetensors\",\"a\":\"model-1.safetensors\"}}");
        refused("tensor \"a\" occurs twice");
        shard(folder.resolve("model-3.safetensors"), "a", 1);
        index("{\"weight_map\":{\"a\":\"model-1.safetensors\",\"a2\":\"model-3.safetensors\"}}");
        refused("tensor \"a2\" is not in \"model-3.safetensors\"");
    }

    @Test
    void refusesATensorThatTwoShardsHave() throws IOException {
        SequencedMap<String, Tensor> both = new LinkedHashMap<>();
        both.put("a", Tensor.ofFloat32(new float[1], 1));
        both.put("b", Tensor.ofFloat32(new float[1], 1));
        Safetensors.write(folder.resolve("model-2.safetensors"), both, Map.of());
        index("{\"weight_map\":{\"a\":\"model-1.safetensors\",\"b\":\"model-2.safetensors\"}}");
        UserError error = assertThrows(UserError.class, () -> Weights.open(folder));
        assertTrue(error.what().contains("tensor \"a\" is in another file"), error.what());
    }

    @Test
    void refusesWhatIsNotAnIndex() throws IOException {
        for (String json : List.of("", "{}", "[]", "{\"weight_map\":{}}", "{\"weight_map\":[]}", "{\"weight_map\":{\"a\":1}}",
                "{\"weight_map\":{\"a\":null}}", "{\"weight_map\":{\"a\"", "{\"x\":" + "[".repeat(100_000))) {
            index(json);
            UserError error = assertThrows(UserError.class, () -> Weights.open(folder), json);
            assertTrue(error.what().matches("its JSON cannot be read: .*|\"weight_map\" is missing or empty"), error.what());
        }
    }

    private void index(String json) throws IOException {
        Files.writeString(folder.resolve("model.safetensors.index.json"), json);
    }

    private void refused(String message) {
        UserError error = assertThrows(UserError.class, () -> Weights.open(folder));
        assertTrue(error.what().contains(message), error.what());
        assertEquals(folder.resolve("model.safetensors.index.json").toString(), error.where());
    }
}
