package fewsh.generate;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import fewsh.Shared;
import fewsh.WebGpu;
import fewsh.load.LoadOptions;
import fewsh.models.Precision;
import fewsh.prompt.Message;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Every number of the golden files of causal models, in float32: the reference implementations' logits, log-probabilities,
/// greedy continuations and log-likelihoods.
@Shared.Suite({"models/smollm2-135m-instruct-gguf", "models/stories260K-gguf", "models/tiny/gpt2", "models/tiny/gpt2-hub-names",
        "models/tiny/openai-gpt", "models/tiny/gpt_neox", "models/tiny/llama", "models/tiny/llama-odd-heads",
        "models/tiny/llama-bfloat16-sharded", "models/tiny/mistral", "models/tiny/qwen2", "models/tiny/qwen3",
        "models/tiny/gemma3_text", "models/tiny/phi3"})
class GoldenModelsTest {
    /// Of one logit of the tiny models; their README's own tolerance.
    private static final float FLOAT32_LOGITS = 1e-4f;
    /// Of one log-probability of the real models.
    private static final float LOGPROB = 2e-3f;
    /// Of a sum of log-probabilities, relative.
    private static final double LOGLIKELIHOOD = 1e-3;
    /// A narrower gap between best and second logit is a near tie.
    private static final double MARGIN = 0.05;

    @TempDir
    static Path home;

    private static LoadOptions options() {
        return WebGpu.options(home).withPrecision(Precision.FP32).withThreads(2);
    }

    private static CausalLm open(Path model) {
        return CausalLm.open(model, options());
    }

    private static JsonObject golden(Path folder) throws IOException {
        return JsonParser.parseString(Files.readString(folder.resolve("golden.json"))).getAsJsonObject();
    }

    @ParameterizedTest
    @ValueSource(strings = {"smollm2-135m-instruct-gguf/SmolLM2-135M-Instruct.Q4_1.gguf", "stories260K-gguf/tinyllm.gguf"})
    void realModelsGiveTheReferenceNumbers(String file) throws IOException {
        Path model = Shared.path("models/" + file);
        JsonObject golden = golden(model.getParent());
        try (CausalLm lm = open(model); KvCache cache = lm.cache()) {
            for (JsonObject c : objects(golden.get("forward"))) {
                int[] ids = ids(c.get("ids"));
                JsonArray logprobs = c.getAsJsonArray("prompt_logprobs");
                Score score = lm.score(cache, new int[] {ids[0]}, Arrays.copyOfRange(ids, 1, ids.length));
                for (int i = 1; i < ids.length; i++)
                    assertEquals(logprobs.get(i).getAsFloat(), score.tokens().get(i - 1).logprob(), LOGPROB, c.get("name") + " token " + i);
                try (Decoding d = lm.decode(cache, ids, SamplingConfig.GREEDY.withMaxTokens(1).withAlternatives(20), 1)) {
                    List<Candidate> top = ((Step.Token) d.next()).top();
                    JsonArray expected = c.getAsJsonArray("top");
                    for (int i = 0; i < expected.size(); i++)
                        assertEquals(expected.get(i).getAsJsonArray().get(1).getAsFloat(), top.get(i).logprob(), LOGPROB,
                                c.get("name") + " rank " + i);
                }
            }
            for (JsonObject c : objects(golden.get("greedy"))) {
                assertGreedy(lm, cache, c, "ids");
                int[] prompt = c.get("special").getAsBoolean() ? lm.tokenizer().encode(c.get("prompt").getAsString(), false, true)
                        : lm.encode(c.get("prompt").getAsString());
                assertArrayEquals(ids(c.get("ids")), prompt, c.get("name").getAsString());
            }
            for (JsonObject c : objects(golden.get("loglikelihood"))) {
                int[] whole = ids(c.get("ids"));
                int split = ids(c.get("context_ids")).length;
                Score score = lm.score(cache, Arrays.copyOf(whole, split),
                        Arrays.copyOfRange(whole, split, whole.length));
                double sum = c.get("sum").getAsDouble();
                assertEquals(sum, score.loglikelihood(), LOGLIKELIHOOD * Math.abs(sum) + 1e-4, c.get("continuation").getAsString());
                assertEquals(c.get("greedy").getAsBoolean(), score.isGreedy(), c.get("continuation").getAsString());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"gpt2", "gpt2-hub-names", "openai-gpt", "gpt_neox", "llama", "llama-odd-heads", "llama-bfloat16-sharded",
            "mistral", "qwen2", "qwen3", "gemma3_text", "phi3"})
    void tinyModelsGiveTheReferenceNumbers(String folder) throws IOException {
        Path model = Shared.path("models/tiny/" + folder);
        JsonObject golden = golden(model);
        try (CausalLm lm = open(model); KvCache cache = lm.cache()) {
            for (JsonObject c : objects(golden.get("forward"))) {
                int[] ids = ids(c.get("input_ids"));
                float[][] logits = lm.forward(ids);
                if (c.has("logits")) {
                    JsonArray data = c.getAsJsonObject("logits").getAsJsonArray("data");
                    int vocab = logits[0].length;
                    for (int i = 0; i < data.size(); i++)
                        assertEquals(data.get(i).getAsFloat(), logits[i / vocab][i % vocab], FLOAT32_LOGITS, c.get("name") + " " + i);
                }
                if (c.has("last_logits")) {
                    JsonArray data = c.getAsJsonArray("last_logits");
                    for (int i = 0; i < data.size(); i++)
                        assertEquals(data.get(i).getAsFloat(), logits[ids.length - 1][i], FLOAT32_LOGITS, c.get("name") + " " + i);
                }
                if (c.has("logprobs")) {
                    JsonArray data = c.getAsJsonArray("logprobs");
                    Score score = lm.score(cache, new int[] {ids[0]}, Arrays.copyOfRange(ids, 1, ids.length));
                    for (int i = 1; i < ids.length; i++)             // the first token has none
                        assertEquals(data.get(i).getAsFloat(), score.tokens().get(i - 1).logprob(), FLOAT32_LOGITS, c.get("name") + " " + i);
                }
            }
            JsonObject batch = golden.getAsJsonObject("batch");
            for (int row = 0; row < batch.getAsJsonArray("input_ids").size(); row++) {
                int[] ids = ids(batch.getAsJsonArray("input_ids").get(row));
                int padding = (int) batch.getAsJsonArray("attention_mask").get(row).getAsJsonArray().asList().stream()
                        .filter(e -> e.getAsInt() == 0).count();
                float[][] logits = lm.forward(Arrays.copyOfRange(ids, padding, ids.length));
                JsonArray data = batch.getAsJsonArray("last_logits").get(row).getAsJsonArray();
                for (int i = 0; i < data.size(); i++)
                    assertEquals(data.get(i).getAsFloat(), logits[logits.length - 1][i], FLOAT32_LOGITS, "row " + row + " " + i);
            }
            for (JsonObject c : golden.getAsJsonObject("tokenizer").has("chat")
                    ? objects(golden.getAsJsonObject("tokenizer").get("chat")) : List.<JsonObject>of()) {
                if (!c.has("ids") || c.has("tools") || c.has("template_kwargs")) continue;
                List<Message> messages = objects(c.get("messages")).stream()
                        .map(m -> new Message(m.get("role").getAsString(), m.get("content").getAsString())).toList();
                assertArrayEquals(ids(c.get("ids")), lm.encode(messages, c.get("add_generation_prompt").getAsBoolean()), c.toString());
            }
            for (JsonObject c : objects(golden.get("loglikelihood"))) {
                Score score = lm.score(cache, c.get("context").getAsString(), c.get("continuation").getAsString());
                JsonArray logprobs = c.getAsJsonArray("logprobs");
                assertEquals(logprobs.size(), score.tokens().size(), c.get("continuation").getAsString());
                for (int i = 0; i < logprobs.size(); i++)
                    assertEquals(logprobs.get(i).getAsFloat(), score.tokens().get(i).logprob(), FLOAT32_LOGITS);
            }
            for (JsonObject c : objects(golden.get("greedy"))) assertGreedy(lm, cache, c, "input_ids");
        }
    }

    /// Equal ids up to the first near tie, from where another answer would be right as well.
    private static void assertGreedy(CausalLm lm, KvCache cache, JsonObject c, String prompt) {
        int[] expected = ids(c.get("new_ids"));
        List<Integer> ids = new ArrayList<>();
        try (Decoding d = lm.decode(cache, ids(c.get(prompt)), SamplingConfig.GREEDY.withMaxTokens(expected.length), 1)) {
            while (d.hasNext()) if (d.next() instanceof Step.Token token) ids.add(token.id());
        }
        for (int i = 0; i < expected.length; i++) {
            if (c.getAsJsonArray("margins").get(i).getAsDouble() < MARGIN && (i >= ids.size() || ids.get(i) != expected[i])) return;
            assertTrue(i < ids.size(), "ended after " + ids);
            assertEquals(expected[i], ids.get(i), "token " + i + " after " + c.get("prompt"));
        }
    }

    private static List<JsonObject> objects(JsonElement array) {
        return StreamSupport.stream(array.getAsJsonArray().spliterator(), false).map(JsonElement::getAsJsonObject).toList();
    }

    private static int[] ids(JsonElement array) {
        return StreamSupport.stream(array.getAsJsonArray().spliterator(), false).mapToInt(JsonElement::getAsInt).toArray();
    }
}
