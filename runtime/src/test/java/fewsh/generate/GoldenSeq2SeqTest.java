package fewsh.generate;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import fewsh.Shared;
import fewsh.WebGpu;
import fewsh.generate.GenerationConfig.EarlyStopping;
import fewsh.models.Precision;
import fewsh.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Every number of the golden files of encoder–decoder models, in float32: the reference implementation's encoder states, logits,
/// greedy answers and beam searches.
@Shared.Suite({"models/tiny/t5", "models/tiny/t5-untied", "models/tiny/bart", "models/tiny/marian"})
class GoldenSeq2SeqTest {
    /// Of one number; their README's own tolerance.
    private static final float TOLERANCE = 1e-4f;
    /// A narrower gap between best and second logit is a near tie.
    private static final double MARGIN = 1e-3;

    @TempDir
    static Path home;

    private static Seq2Seq open(String folder, Precision precision) {
        return Seq2Seq.open(Shared.path("models/tiny/" + folder), WebGpu.options(home).withPrecision(precision).withThreads(2));
    }

    private static JsonObject golden(String folder) throws IOException {
        return JsonParser.parseString(Files.readString(Shared.path("models/tiny/" + folder + "/golden.json"))).getAsJsonObject();
    }

    @ParameterizedTest
    @ValueSource(strings = {"t5", "t5-untied", "bart", "marian"})
    void encoderStatesAndLogitsAreTheReferences(String folder) throws IOException {
        JsonObject golden = golden(folder);
        try (Seq2Seq model = open(folder, Precision.FP32)) {
            for (JsonObject c : objects(golden.get("forward"))) {
                Map<String, Tensor> out = model.forward(Map.of("input_ids", row(c.get("input_ids")),
                        "decoder_input_ids", row(c.get("decoder_input_ids"))));
                for (String name : List.of("encoder_last_hidden_state", "logits"))
                    assertClose(floats(c.getAsJsonObject(name).get("data")), out.get(name).toFloats(), name);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"t5", "t5-untied", "bart", "marian"})
    void aPaddedBatchHasTheReferencesLogits(String folder) throws IOException {
        JsonObject batch = golden(folder).getAsJsonObject("batch");
        try (Seq2Seq model = open(folder, Precision.FP32)) {
            Map<String, Tensor> in = new LinkedHashMap<>();
            for (String name : List.of("input_ids", "attention_mask", "decoder_input_ids")) in.put(name, rows(batch.get(name)));
            Tensor logits = model.forward(in).get("logits");
            int rows = (int) logits.shape().size(0);
            int positions = (int) logits.shape().size(1);
            int vocab = (int) logits.shape().size(2);
            for (int row = 0; row < rows; row++) {
                int last = (row * positions + positions - 1) * vocab;
                assertClose(floats(batch.getAsJsonArray("last_logits").get(row)),
                        Arrays.copyOfRange(logits.toFloats(), last, last + vocab), "row " + row);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"t5", "t5-untied", "bart", "marian"})
    void greedyAnswersAreTheReferences(String folder) throws IOException {
        JsonObject golden = golden(folder);
        try (Seq2Seq model = open(folder, Precision.FP32)) {
            for (JsonObject c : objects(golden.get("greedy"))) {
                int[] expected = ids(c.get("new_ids"));
                List<Integer> ids = new ArrayList<>();
                try (SourceDecoding answers = model.decode(List.of(ids(c.get("input_ids"))),
                        model.defaults().withNumBeams(1).withMaxNewTokens(expected.length))) {
                    while (answers.hasNext()) if (answers.next() instanceof Step.Token token) ids.add(token.id());
                }
                JsonArray margins = c.getAsJsonArray("margins");
                for (int i = 0; i < expected.length; i++) {
                    if (expected[i] == ids.get(i)) continue;
                    assertTrue(margins.get(i).getAsDouble() < MARGIN, c.get("text") + " token " + i);
                    break;
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"t5", "t5-untied", "bart", "marian"})
    void beamSearchesFindTheReferencesAnswersAndScores(String folder) throws IOException {
        JsonObject golden = golden(folder);
        try (Seq2Seq model = open(folder, Precision.FP32)) {
            for (JsonObject c : objects(golden.get("beam"))) {
                GenerationConfig config = model.defaults().withNumBeams(c.get("num_beams").getAsInt())
                        .withLengthPenalty(c.get("length_penalty").getAsDouble())
                        .withMaxNewTokens(c.get("max_new_tokens").getAsInt()).withEarlyStopping(early(c.get("early_stopping")));
                List<Beam> found = model.search(List.of(ids(c.get("input_ids"))), config).getFirst();
                for (int i = 0; i < c.getAsJsonArray("sequences").size(); i++) {
                    int[] expected = ids(c.getAsJsonArray("sequences").get(i));
                    int[] ids = found.get(i).ids().stream().mapToInt(id -> id).toArray();
                    assertArrayEquals(Arrays.copyOf(expected, ids.length), ids, c.get("input_ids").toString());
                    assertEquals(c.getAsJsonArray("scores").get(i).getAsDouble(), found.get(i).score(), TOLERANCE);
                }
            }
        }
    }

    private static EarlyStopping early(JsonElement value) {
        if (value instanceof JsonPrimitive p && p.isString()) return EarlyStopping.NEVER;
        return value.getAsBoolean() ? EarlyStopping.TRUE : EarlyStopping.FALSE;
    }

    private static void assertClose(float[] expected, float[] actual, String what) {
        assertEquals(expected.length, actual.length, what);
        for (int i = 0; i < expected.length; i++) assertEquals(expected[i], actual[i], TOLERANCE, what + " " + i);
    }

    private static List<JsonObject> objects(JsonElement list) {
        return StreamSupport.stream(list.getAsJsonArray().spliterator(), false).map(JsonElement::getAsJsonObject).toList();
    }

    private static int[] ids(JsonElement list) {
        return StreamSupport.stream(list.getAsJsonArray().spliterator(), false).mapToInt(JsonElement::getAsInt).toArray();
    }

    private static float[] floats(JsonElement list) {
        JsonArray array = list.getAsJsonArray();
        float[] values = new float[array.size()];
        for (int i = 0; i < values.length; i++) values[i] = array.get(i).getAsFloat();
        return values;
    }

    private static Tensor row(JsonElement list) {
        int[] ids = ids(list);
        return Tensor.ofInt64(Arrays.stream(ids).asLongStream().toArray(), 1, ids.length);
    }

    static Tensor rows(JsonElement lists) {
        JsonArray all = lists.getAsJsonArray();
        long[] values = StreamSupport.stream(all.spliterator(), false).flatMapToInt(l -> Arrays.stream(ids(l))).asLongStream()
                .toArray();
        return Tensor.ofInt64(values, all.size(), values.length / all.size());
    }
}
