package fewsh.generate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import fewsh.Shared;
import fewsh.WebGpu;
import fewsh.export.Export;
import fewsh.models.Checkpoint;
import fewsh.models.Precision;
import fewsh.models.Scaled;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Every number of the golden files of LoRA adapters, in float32: PEFT's logits without, with and merged, and greedy answers.
@Shared.Suite({"models/tiny/gpt2", "models/tiny/gpt2-lora", "models/tiny/llama", "models/tiny/llama-lora",
        "models/tiny/llama-odd-heads", "models/tiny/qwen2", "models/tiny/gpt_neox", "models/tiny/gemma3_text"})
class AdapterGoldenTest {
    private static final float FLOAT32_LOGITS = 1e-4f;

    @TempDir
    static Path home;

    private static CausalLm open(Path model, Scaled... adapters) {
        return CausalLm.open(model, WebGpu.options(home).withPrecision(Precision.FP32).withThreads(2)
                .withAdapters(List.of(adapters)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"gpt2-lora", "llama-lora"})
    void adaptersGiveTheReferenceNumbers(String name) throws IOException {
        Path folder = Shared.path("models/tiny/" + name);
        JsonObject golden = JsonParser.parseString(Files.readString(folder.resolve("golden.json"))).getAsJsonObject();
        Path base = folder.resolve(golden.get("base").getAsString()).normalize();
        JsonObject forward = golden.getAsJsonArray("forward").get(0).getAsJsonObject();
        try (CausalLm lm = open(base, new Scaled(folder, 1)); KvCache cache = lm.cache()) {
            assertLogits(forward, "logits_with", lm);
            for (JsonElement c : golden.getAsJsonArray("greedy")) {
                int[] expected = ids(c.getAsJsonObject().get("new_ids"));
                List<Integer> ids = new ArrayList<>();
                try (Decoding d = lm.decode(cache, ids(c.getAsJsonObject().get("input_ids")),
                        SamplingConfig.GREEDY.withMaxTokens(expected.length), 1)) {
                    while (d.hasNext()) if (d.next() instanceof Step.Token token) ids.add(token.id());
                }
                for (int i = 0; i < expected.length; i++) assertEquals(expected[i], ids.get(i), "token " + i);
            }
            CausalLm without = lm.withAdapters(List.of()).orElseThrow();
            assertLogits(forward, "logits_without", without);
            assertLogits(forward, "logits_with", without.withAdapters(List.of(new Scaled(folder, 1))).orElseThrow());
        }
    }

    /// PEFT's adapters of every kind, in `src/test/resources/adapters`, beside the model and merged into it.
    @ParameterizedTest
    @ValueSource(strings = {"llama-rslora", "llama-dora", "gpt2-dora", "llama-patterns", "llama-regex", "llama-layers", "llama-exclude",
            "qwen2-saved-head", "qwen2-saved-embed", "gpt2-embed", "gpt2-bias-all", "gpt2-lora-bias", "llama-tokens", "qwen2-tokens",
            "odd-dora", "neox-dora", "gemma3-lora"})
    void everyKindOfAdapterGivesTheReferenceNumbers(String name) throws IOException {
        Path folder = Shared.project().resolve("runtime/src/test/resources/adapters").resolve(name);
        JsonObject golden = JsonParser.parseString(Files.readString(folder.resolve("golden.json"))).getAsJsonObject();
        Path base = Shared.path("models/tiny/" + golden.get("base").getAsString());
        try (CausalLm lm = open(base, new Scaled(folder, 1))) {
            assertLast(golden, "logits_with", lm);
        }
        try (CausalLm lm = open(base, new Scaled(folder, 0.7))) {
            assertLast(golden, "logits_scaled", lm);
        }
        Path merged = home.resolve("merged-" + name);
        try (Checkpoint checkpoint = Checkpoint.open(base)) {
            Export.write(checkpoint, List.of(new Scaled(folder, 1)), Export.Format.SAFETENSORS, Export.Numbers.FP32, merged);
        }
        try (CausalLm lm = open(merged)) {
            assertLast(golden, "logits_with", lm);
        }
    }

    private static void assertLast(JsonObject golden, String key, CausalLm lm) {
        float[][] logits = lm.forward(ids(golden.get("input_ids")));
        JsonArray data = golden.getAsJsonArray(key);
        for (int i = 0; i < data.size(); i++) assertEquals(data.get(i).getAsFloat(), logits[logits.length - 1][i], FLOAT32_LOGITS, key + " " + i);
    }

    private static void assertLogits(JsonObject forward, String key, CausalLm lm) {
        float[][] logits = lm.forward(ids(forward.get("input_ids")));
        JsonArray data = forward.getAsJsonObject(key).getAsJsonArray("data");
        int vocab = logits[0].length;
        float worst = 0;
        for (int i = 0; i < data.size(); i++) worst = Math.max(worst, Math.abs(data.get(i).getAsFloat() - logits[i / vocab][i % vocab]));
        assertTrue(worst <= FLOAT32_LOGITS, key + " differs by " + worst);
    }

    private static int[] ids(JsonElement array) {
        return StreamSupport.stream(array.getAsJsonArray().spliterator(), false).mapToInt(JsonElement::getAsInt).toArray();
    }
}
