package fewsh.shell;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import fewsh.Shared;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The program's command lines held against what reference implementations say of the same models.
@Shared.Suite({"models/smollm2-135m-instruct-gguf", "models/tiny/gpt2", "conformance/jinja"})
class RealModelsTest {
    private static final double FLOAT32_LOGITS = 1e-4;
    private static final double LOGPROB = 1e-3;
    private static final String SMOLLM2 = Shared.path("models/smollm2-135m-instruct-gguf/SmolLM2-135M-Instruct.Q4_1.gguf")
            .toString();

    @TempDir Path home;

    private static JsonElement golden(String file) throws IOException {
        return JsonParser.parseString(Files.readString(Shared.path(file)));
    }

    private static JsonObject smollm2() throws IOException {
        return golden("models/smollm2-135m-instruct-gguf/golden.json").getAsJsonObject();
    }

    /// One line in, one out, for each case.
    private List<JsonObject> lines(JsonArray cases, Function<JsonObject, JsonElement> line, String... command) {
        Cli.Result result = Cli.in(home).piped(cases.asList().stream().map(c -> line.apply(c.getAsJsonObject()) + "\n")
                .collect(Collectors.joining()), command);
        assertEquals(0, result.code(), result.err());
        List<JsonObject> out = result.out().lines().map(l -> JsonParser.parseString(l).getAsJsonObject()).toList();
        assertEquals(cases.size(), out.size());
        return out;
    }

    @Test
    void askAnswersAsTheReferenceDoes() {
        assertEquals("The capital of France is Paris.\n", Cli.in(home).run("ask", "-m", SMOLLM2, "--precision", "fp32",
                "What is the capital of France?").out());
    }

    @Test
    void tokenizeGivesTheIdsOfLlamaCpp() throws IOException {
        JsonArray cases = smollm2().getAsJsonObject("tokenizer").getAsJsonArray("cases");
        for (String ids : List.of("ids", "ids_special")) {
            List<String> command = new ArrayList<>(List.of("tokenize", "--json", "-m", SMOLLM2));
            if (ids.equals("ids_special")) command.add("--special");
            List<JsonObject> out = lines(cases, c -> c.get("text"), command.toArray(String[]::new));
            for (int i = 0; i < out.size(); i++)
                assertEquals(cases.get(i).getAsJsonObject().get(ids), out.get(i).get("ids"), cases.get(i).toString());
        }
    }

    @Test
    void scoreGivesTheLoglikelihoodsOfTransformers() throws IOException {
        JsonArray cases = smollm2().getAsJsonArray("loglikelihood");
        List<JsonObject> out = lines(cases, c -> {
            JsonObject line = new JsonObject();
            line.add("context", c.get("context"));
            line.add("continuation", c.get("continuation"));
            return line;
        }, "score", "-m", SMOLLM2, "--precision", "fp32");
        for (int i = 0; i < out.size(); i++) {
            JsonObject expected = cases.get(i).getAsJsonObject();
            int n = out.get(i).getAsJsonArray("tokens").size();
            assertEquals(expected.get("sum").getAsDouble(), out.get(i).get("loglikelihood").getAsDouble(), n * LOGPROB);
            assertEquals(expected.get("greedy").getAsBoolean(), out.get(i).get("is_greedy").getAsBoolean());
        }
    }

    @Test
    void renderGivesTheModelsChatsAndWhatJinja2Gives() throws IOException {
        JsonArray chats = smollm2().getAsJsonArray("chat");
        List<JsonObject> out = lines(chats, c -> {
            JsonObject line = new JsonObject();
            line.add("messages", c.get("messages"));
            line.add("add_generation_prompt", c.get("add_generation_prompt"));
            line.addProperty("model", SMOLLM2);
            return line;
        }, "render", "--batch");
        for (int i = 0; i < out.size(); i++) assertEquals(chats.get(i).getAsJsonObject().get("text"), out.get(i).get("text"));

        JsonArray cases = golden("conformance/jinja/generated.json").getAsJsonArray();
        List<JsonObject> texts = lines(cases, c -> {
            JsonObject line = new JsonObject();
            line.add("template", c.get("template"));
            line.add("vars", c.get("context"));
            line.add("environment", c.get("environment"));
            if (c.has("options")) line.add("options", c.get("options"));
            line.addProperty("now", c.has("now") ? c.get("now").getAsString() : "2026-07-04T09:05:03");
            return line;
        }, "render", "--batch");
        for (int i = 0; i < texts.size(); i++) {
            JsonObject expected = cases.get(i).getAsJsonObject();
            if (expected.has("expected")) assertEquals(expected.get("expected"), texts.get(i).get("text"), expected.toString());
            else assertTrue(texts.get(i).has("error"), expected.toString());
        }
    }

    @Test
    void forwardGivesTheLogitsOfTransformers() throws IOException {
        JsonObject golden = golden("models/tiny/gpt2/golden.json").getAsJsonObject();
        JsonObject forward = golden.getAsJsonArray("forward").get(0).getAsJsonObject();
        JsonArray rows = new JsonArray();
        rows.add(forward.get("input_ids"));
        JsonObject inputs = new JsonObject();
        inputs.add("input_ids", rows);
        JsonArray cases = new JsonArray();
        cases.add(inputs);
        String model = Shared.path("models/tiny/gpt2").toString();
        JsonArray expected = forward.getAsJsonObject("logits").getAsJsonArray("data");
        JsonArray data = lines(cases, c -> c, "forward", model, "--batch").getFirst().getAsJsonObject("logits")
                .getAsJsonArray("data")
                .get(0).getAsJsonArray();
        int at = 0;
        for (JsonElement row : data)
            for (JsonElement logit : row.getAsJsonArray())
                assertEquals(expected.get(at++).getAsDouble(), logit.getAsDouble(), FLOAT32_LOGITS);
        assertEquals(expected.size(), at);

        JsonObject batch = golden.getAsJsonObject("batch");
        JsonObject padded = new JsonObject();
        for (String key : List.of("input_ids", "attention_mask", "position_ids")) padded.add(key, batch.get(key));
        cases.set(0, padded);
        JsonArray batched = lines(cases, c -> c, "forward", model, "--batch").getFirst().getAsJsonObject("logits")
                .getAsJsonArray("data");
        for (int r = 0; r < batched.size(); r++) {
            JsonArray last = batched.get(r).getAsJsonArray().asList().getLast().getAsJsonArray();
            JsonArray want = batch.getAsJsonArray("last_logits").get(r).getAsJsonArray();
            for (int v = 0; v < want.size(); v++) assertEquals(want.get(v).getAsDouble(), last.get(v).getAsDouble(),
                    FLOAT32_LOGITS);
        }
    }
}
