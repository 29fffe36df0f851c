package fewsh.encode;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import fewsh.UserError;
import fewsh.load.LoadOptions;
import fewsh.models.Precision;
import fewsh.models.TinyEncoders;
import fewsh.tensor.Tensor;
import fewsh.tokenize.Encoding;
import fewsh.weights.Safetensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What an encoder of text does around its graph, on small models of our own; their numbers are checked by
/// `GoldenEncodersTest`.
class TextEncoderTest {
    @TempDir
    Path folder;

    private TextEncoder open(Precision precision) {
        return TextEncoder.open(folder.resolve("model"), LoadOptions.in(folder.resolve("home")).withPrecision(precision).withThreads(2));
    }

    private TextEncoder made(String type, String head) throws IOException {
        TinyEncoders.folder(folder.resolve("model"), type, head, 5);
        return open(Precision.FP32);
    }

    private void write(String name, String json) throws IOException {
        Path file = folder.resolve("model").resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, json.replace('\'', '"'));
    }

    private void configure(Consumer<JsonObject> change) throws IOException {
        Path file = folder.resolve("model/config.json");
        JsonObject config = JsonParser.parseString(Files.readString(file)).getAsJsonObject();
        change.accept(config);
        Files.writeString(file, config.toString());
    }

    private static Map<String, Tensor> inputs(TextEncoder encoder, Encoding e, boolean types) {
        Map<String, Tensor> inputs = new LinkedHashMap<>();
        inputs.put("input_ids", Tensor.ofInt64(IntStream.of(e.ids()).asLongStream().toArray(), 1, e.length()));
        if (types) inputs.put("token_type_ids", Tensor.ofInt64(IntStream.of(e.types()).asLongStream().toArray(), 1, e.length()));
        return inputs;
    }

    private static float[] output(TextEncoder encoder, String name, String text, Optional<String> pair, boolean types) {
        return encoder.forward(inputs(encoder, encoder.tokenizer().encode(text, pair, true), types)).get(name).toFloats();
    }

    private static List<String> texts(int count) {
        Random random = new Random(9);
        List<String> words = List.of("sun", "moon", "rain", "hear", "me", "speak", "the", "a", "good", "world", "你好");
        return IntStream.range(0, count).mapToObj(i -> String.join(" ", random.ints(random.nextInt(14), 0, words.size())
                .mapToObj(words::get).toList())).toList();
    }

    @ParameterizedTest
    @CsvSource({"bert, FP32", "bert, INT8", "distilbert, FP32", "distilbert, INT8", "roberta, FP32", "roberta, INT8"})
    void aTextsVectorIsItsOwnInAnyBatchAndOrder(String type, Precision precision) throws IOException {
        TinyEncoders.folder(folder.resolve("model"), type, "Model", 5);
        try (TextEncoder encoder = open(precision)) {
            List<String> texts = new ArrayList<>(texts(150));
            List<float[]> alone = texts.stream().map(t -> encoder.embed(List.of(t)).getFirst()).toList();
            List<Integer> order = new ArrayList<>(IntStream.range(0, texts.size()).boxed().toList());
            for (int count : new int[] {7, 150}) {              // one batch after the other; side by side
                Collections.shuffle(order, new Random(count));
                List<float[]> vectors = encoder.embed(order.subList(0, count).stream().map(texts::get).toList());
                // a number on the edge between two bytes may fall to either side
                float rounding = precision == Precision.FP32 ? 2e-6f : 2e-2f;
                for (int i = 0; i < count; i++) assertArrayEquals(alone.get(order.get(i)), vectors.get(i), rounding, texts.get(order.get(i)));
            }
            assertEquals(List.of(), encoder.embed(List.of()));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"bert", "distilbert", "roberta"})
    void eightBitsKeepTheDirection(String type) throws IOException {
        TinyEncoders.folder(folder.resolve("model"), type, "Model", 5);
        try (TextEncoder exact = open(Precision.FP32); TextEncoder rounded = open(Precision.INT8)) {
            List<float[]> a = exact.embed(texts(30));
            List<float[]> b = rounded.embed(texts(30));
            for (int i = 0; i < 30; i++) {
                double dot = 0, aa = 0, bb = 0;
                for (int c = 0; c < a.get(i).length; c++) {
                    dot += (double) a.get(i)[c] * b.get(i)[c];
                    aa += (double) a.get(i)[c] * a.get(i)[c];
                    bb += (double) b.get(i)[c] * b.get(i)[c];
                }
                assertTrue(dot / Math.sqrt(aa * bb) > 0.999, type + " " + dot / Math.sqrt(aa * bb));
            }
        }
    }

    @Test
    void vectorsArePooledAndTreatedAsTheModulesSay() throws IOException {
        String text = "hear me speak";
        float[] states;
        try (TextEncoder encoder = made("bert", "Model")) {
            states = output(encoder, "last_hidden_state", text, Optional.empty(), true);
            assertEquals("mean", encoder.pooling());
            assertArrayEquals(pooled(states, "mean"), encoder.embed(List.of(text)).getFirst(), 1e-6f);
        }
        write("modules.json", "[{'type':'sentence_transformers.models.Transformer','path':''},"
                + "{'type':'sentence_transformers.models.Pooling','path':'1_Pooling'},"
                + "{'type':'sentence_transformers.models.Normalize','path':'2_Normalize'}]");
        for (List<String> modes : List.of(List.of("cls"), List.of("max"), List.of("mean"), List.of("sqrt"), List.of("weighted"),
                List.of("last"), List.of("cls", "max", "mean", "last"))) {
            JsonObject pooling = new JsonObject();
            Map<String, String> keys = Map.of("cls", "cls_token", "max", "max_tokens", "mean", "mean_tokens", "sqrt",
                    "mean_sqrt_len_tokens", "weighted", "weightedmean_tokens", "last", "lasttoken");
            keys.forEach((mode, key) -> pooling.addProperty("pooling_mode_" + key, modes.contains(mode)));
            write("1_Pooling/config.json", pooling.toString());
            float[] expected = new float[modes.size() * TinyEncoders.WIDTH];
            for (int m = 0; m < modes.size(); m++)
                System.arraycopy(pooled(states, modes.get(m)), 0, expected, m * TinyEncoders.WIDTH, TinyEncoders.WIDTH);
            double length = 0;
            for (float v : expected) length += (double) v * v;
            for (int i = 0; i < expected.length; i++) expected[i] /= (float) Math.sqrt(length);
            try (TextEncoder encoder = open(Precision.FP32)) {
                assertArrayEquals(expected, encoder.embed(List.of(text)).getFirst(), 1e-6f, modes.toString());
            }
        }
    }

    /// By the definitions in sentence-transformers' documentation.
    private static float[] pooled(float[] states, String mode) {
        int width = TinyEncoders.WIDTH;
        int tokens = states.length / width;
        float[] vector = new float[width];
        for (int c = 0; c < width; c++) {
            double sum = 0, weighted = 0, most = Double.NEGATIVE_INFINITY;
            for (int t = 0; t < tokens; t++) {
                sum += states[t * width + c];
                weighted += states[t * width + c] * (t + 1.0);
                most = Math.max(most, states[t * width + c]);
            }
            vector[c] = (float) switch (mode) {
                case "cls" -> states[c];
                case "last" -> states[(tokens - 1) * width + c];
                case "max" -> most;
                case "mean" -> sum / tokens;
                case "sqrt" -> sum / Math.sqrt(tokens);
                default -> weighted / IntStream.rangeClosed(1, tokens).sum();
            };
        }
        return vector;
    }

    @Test
    void aDenseModuleIsALayerOfItsOwn() throws IOException {
        made("bert", "Model").close();
        float[] mean;
        try (TextEncoder encoder = open(Precision.FP32)) {
            mean = encoder.embed(List.of("good rain")).getFirst();
        }
        write("modules.json", "[{'type':'x.Transformer','path':''},{'type':'x.Dense','path':'2_Dense'}]");
        write("2_Dense/config.json", "{'in_features':32,'out_features':2,'bias':true,"
                + "'activation_function':'torch.nn.modules.activation.Tanh'}");
        float[] weight = new float[64];
        for (int i = 0; i < 64; i++) weight[i] = (i % 7 - 3) / 10f;
        Map<String, Tensor> dense = new LinkedHashMap<>();
        dense.put("linear.weight", Tensor.ofFloat32(weight, 2, 32));
        dense.put("linear.bias", Tensor.ofFloat32(new float[] {0.1f, -0.2f}, 2));
        Safetensors.write(folder.resolve("model/2_Dense/model.safetensors"), new LinkedHashMap<>(dense), Map.of());
        double[] sums = {0.1f, -0.2f};
        for (int i = 0; i < 64; i++) sums[i / 32] += weight[i] * mean[i % 32];
        try (TextEncoder encoder = open(Precision.FP32)) {
            assertArrayEquals(new float[] {(float) Math.tanh(sums[0]), (float) Math.tanh(sums[1])},
                    encoder.embed(List.of("good rain")).getFirst(), 1e-6f);
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "modules.json | [{'type':'x.Transformer','path':''},{'type':'x.CNN','path':'1'}] | CNN",
        "modules.json | [{'type':'x.Pooling','path':'../../..'}] | out of the folder",
        "modules.json | {} | list of modules",
        "modules.json | [{'type':'x.Pooling','path':'p'}] | pooling",
        "sentence_bert_config.json | {'max_seq_length':'many'} | max_seq_length",
        "config_sentence_transformers.json | {'default_prompt_name':3} | default_prompt_name"})
    void modulesThatAreNotUnderstoodAreRefusedByName(String file, String json, String named) throws IOException {
        made("bert", "Model").close();
        write(file, json);
        UserError e = assertThrows(UserError.class, () -> open(Precision.FP32).close());
        assertTrue((e.getMessage() + e.fix()).contains(named), e.getMessage());
    }

    @Test
    void whatIsBeyondTheLongestIsLeftOut() throws IOException {
        made("bert", "Model").close();
        write("sentence_bert_config.json", "{'max_seq_length':6,'do_lower_case':true}");
        try (TextEncoder encoder = open(Precision.FP32)) {
            int[] all = encoder.tokenizer().encode("hear me speak good rain", Optional.empty(), false).ids();
            assertTrue(all.length > 6);
            long[] ids = {all[0], all[1], all[2], all[3], all[4], all[all.length - 1]};
            float[] states = encoder.forward(Map.of("input_ids", Tensor.ofInt64(ids, 1, 6))).get("last_hidden_state").toFloats();
            assertArrayEquals(pooled(states, "mean"), encoder.embed(List.of(" Hear ME speak good rain ")).getFirst(), 1e-6f);
        }
    }

    @ParameterizedTest
    @CsvSource({"bert, ''", "bert, multi_label_classification", "bert, regression", "distilbert, ''", "roberta, single_label_classification"})
    void scoresFollowTheProblem(String type, String problem) throws IOException {
        made(type, "ForSequenceClassification").close();
        if (!problem.isEmpty()) configure(c -> c.addProperty("problem_type", problem));
        try (TextEncoder encoder = open(Precision.FP32)) {
            float[] logits = output(encoder, "logits", "good rain", Optional.empty(), false);
            double sum = 0;
            for (float l : logits) sum += Math.exp(l);
            Classes classes = encoder.classify("good rain", Optional.empty());
            List<String> names = List.of("bad", "fair", "good");
            assertEquals(3, classes.all().size());
            for (Classes.Class c : classes.all()) {
                float logit = logits[names.indexOf(c.label())];
                assertEquals(switch (problem) {
                    case "regression" -> logit;
                    case "multi_label_classification" -> 1 / (1 + Math.exp(-logit));
                    default -> Math.exp(logit) / sum;
                }, c.score(), 1e-6);
            }
            assertTrue(classes.best().score() >= classes.all().getLast().score());
        }
    }

    /// `BertTokenizer` says which text a token is of; the general classes do not.
    @ParameterizedTest
    @CsvSource({"BertTokenizer, true", "PreTrainedTokenizerFast, false"})
    void pairsHaveTheTypesThatTheTokenizersClassGives(String tokenizer, boolean types) throws IOException {
        made("bert", "ForSequenceClassification").close();
        write("tokenizer_config.json", "{'tokenizer_class':'" + tokenizer + "'}");
        configure(c -> c.addProperty("problem_type", "regression"));
        try (TextEncoder encoder = open(Precision.FP32)) {
            float[] logits = output(encoder, "logits", "good rain", Optional.of("the sun"), types);
            float[] others = output(encoder, "logits", "good rain", Optional.of("the sun"), !types);
            assertFalse(Math.abs(logits[0] - others[0]) < 1e-3);
            for (Classes.Class c : encoder.classify("good rain", Optional.of("the sun")).all())
                assertEquals(logits[List.of("bad", "fair", "good").indexOf(c.label())], c.score(), 1e-6f);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"bert", "distilbert", "roberta"})
    void eachMaskIsFilled(String type) throws IOException {
        try (TextEncoder encoder = made(type, "ForMaskedLM")) {
            String text = "hear [MASK] speak [MASK]";
            int[] ids = encoder.tokenizer().encode(text, Optional.empty(), true).ids();
            float[] logits = output(encoder, "logits", text, Optional.empty(), false);
            List<List<Filled>> filled = encoder.fillMask(text, 3);
            int[] places = IntStream.range(0, ids.length).filter(i -> ids[i] == 4).toArray();
            assertEquals(2, places.length);
            for (int m = 0; m < 2; m++) {
                int from = places[m] * TinyEncoders.VOCAB;
                int best = IntStream.range(0, TinyEncoders.VOCAB).reduce((a, b) -> logits[from + a] >= logits[from + b] ? a : b).getAsInt();
                double sum = IntStream.range(0, TinyEncoders.VOCAB).mapToDouble(i -> Math.exp(logits[from + i])).sum();
                assertEquals(3, filled.get(m).size());
                assertEquals(best, filled.get(m).getFirst().id());
                assertEquals(Math.exp(logits[from + best]) / sum, filled.get(m).getFirst().score(), 1e-5);
                assertEquals(encoder.tokenizer().piece(best), filled.get(m).getFirst().piece());
            }
            UserError none = assertThrows(UserError.class, () -> encoder.fillMask("hear me", 3));
            assertTrue(none.fix().contains("[MASK]"), none.fix());
            assertThrows(UserError.class, () -> encoder.classify("hear me", Optional.empty()));
            assertEquals(TinyEncoders.WIDTH, encoder.embed(List.of("hear me")).getFirst().length);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"bert", "distilbert", "roberta"})
    void tokensAreLabelledWhereTheyStand(String type) throws IOException {
        try (TextEncoder encoder = made(type, "ForTokenClassification")) {
            String text = "Hear 😀 me, 你好";
            float[] logits = output(encoder, "logits", text, Optional.empty(), false);
            List<Labelled> labelled = encoder.tokens(text);
            assertEquals(text.replaceAll("\\s", ""), String.join("", labelled.stream().map(Labelled::text).toList()));
            for (int i = 0; i < labelled.size(); i++) {
                int from = (i + 1) * TinyEncoders.LABELS;       // [CLS] comes before
                int best = IntStream.range(0, 3).reduce((a, b) -> logits[from + a] >= logits[from + b] ? a : b).getAsInt();
                assertEquals(List.of("bad", "fair", "good").get(best), labelled.get(i).label());
                assertEquals(text.substring(labelled.get(i).start(), labelled.get(i).end()), labelled.get(i).text());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"bert", "distilbert", "roberta"})
    void theBestSpanOfTheContextAnswers(String type) throws IOException {
        try (TextEncoder encoder = made(type, "ForQuestionAnswering")) {
            String context = "the sun 😀 and the moon, good rain";
            Encoding e = encoder.tokenizer().encode("hear me", Optional.of(context), true);
            var made = encoder.forward(inputs(encoder, e, type.equals("bert")));
            float[] starts = made.get("start_logits").toFloats();
            float[] ends = made.get("end_logits").toFloats();
            double best = Double.NEGATIVE_INFINITY;
            String expected = "";
            for (int s = 0; s < e.length(); s++)
                for (int t = s; t < Math.min(e.length(), s + 15); t++)
                    if (e.texts()[s] == 1 && e.texts()[t] == 1 && starts[s] + ends[t] > best) {
                        best = starts[s] + ends[t];
                        expected = context.substring(e.starts()[s], e.ends()[t]);
                    }
            Answer answer = encoder.answer("hear me", context);
            assertEquals(expected, answer.text());
            assertEquals(context.substring(answer.start(), answer.end()), answer.text());
            assertTrue(answer.score() > 0 && answer.score() <= 1);
        }
    }

    @Test
    void forwardFillsInWhatFollowsAndIsZeroAtPadding() throws IOException {
        try (TextEncoder encoder = made("bert", "Model")) {
            Tensor ids = Tensor.ofInt64(new long[] {2, 30, 31, 3, 2, 40, 3, 0}, 2, 4);
            Tensor mask = Tensor.ofInt64(new long[] {1, 1, 1, 1, 1, 1, 1, 0}, 2, 4);
            float[] states = encoder.forward(Map.of("input_ids", ids, "attention_mask", mask)).get("last_hidden_state").toFloats();
            float[] short2 = encoder.forward(Map.of("input_ids", Tensor.ofInt64(new long[] {2, 40, 3}, 1, 3))).get("last_hidden_state").toFloats();
            for (int i = 0; i < 3 * 32; i++) assertEquals(short2[i], states[4 * 32 + i], 2e-6f);
            for (int i = 7 * 32; i < 8 * 32; i++) assertEquals(0, states[i]);
            for (Map<String, Tensor> wrong : List.<Map<String, Tensor>>of(Map.of(), Map.of("input_ids", ids, "pixel_values", ids),
                    Map.of("input_ids", Tensor.ofInt64(new long[] {2, 300}, 1, 2)), Map.of("input_ids", Tensor.ofInt64(new long[] {-1}, 1, 1)),
                    Map.of("input_ids", Tensor.ofInt64(new long[65], 1, 65)), Map.of("input_ids", Tensor.ofInt64(new long[] {2}, 1)),
                    Map.of("input_ids", ids, "attention_mask", Tensor.ofInt64(new long[] {1}, 1, 1)),
                    Map.of("input_ids", Tensor.ofFloat32(new float[] {2}, 1, 1))))
                assertThrows(UserError.class, () -> encoder.forward(wrong), wrong.toString());
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "bert | position_embedding_type | \"relative_key\"", "bert | is_decoder | true", "bert | architectures | [\"BertForMultipleChoice\"]",
        "bert | hidden_act | \"mish\"", "bert | num_attention_heads | 5", "bert | pruned_heads | {\"0\":[1]}",
        "roberta | pad_token_id | 64", "roberta | architectures | [\"RobertaForCausalLM\"]", "distilbert | activation | \"swiglu\"",
        "distilbert | n_heads | 7", "bert | type_vocab_size | 3", "bert | max_position_embeddings | 32"})
    void settingsThatAreNotImplementedOrDoNotFitAreRefused(String type, String key, String value) throws IOException {
        made(type, "Model").close();
        configure(c -> c.add(key, JsonParser.parseString(value)));
        UserError e = assertThrows(UserError.class, () -> open(Precision.FP32).close());
        assertTrue(e.getMessage().contains(key) || e.getMessage().contains("config.json asks"), e.getMessage());
    }

    @Test
    void theTransformerMayHaveAFolderOfItsOwn() throws IOException {
        TinyEncoders.folder(folder.resolve("model/0_Transformer"), "bert", "Model", 5);
        write("modules.json", "[{'type':'sentence_transformers.models.Transformer','path':'0_Transformer'}]");
        try (TextEncoder encoder = open(Precision.FP32)) {
            assertEquals(TinyEncoders.WIDTH, encoder.embed(List.of("hear me")).getFirst().length);
        }
    }

    @Test
    void aTextSpellsNoSpecialToken() throws IOException {
        try (TextEncoder encoder = made("bert", "Model")) {
            int[] ids = encoder.tokenizer().encode("[SEP] rain", Optional.empty(), false).ids();
            assertEquals(1, IntStream.of(ids).filter(id -> id == 3).count());
        }
    }
}
