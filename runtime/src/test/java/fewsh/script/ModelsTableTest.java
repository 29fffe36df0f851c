package fewsh.script;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import fewsh.Documented;
import fewsh.Shared;
import fewsh.encode.TextEncoder;
import fewsh.generate.CausalLm;
import fewsh.generate.Decoding;
import fewsh.generate.KvCache;
import fewsh.generate.SamplingConfig;
import fewsh.generate.Seq2Seq;
import fewsh.generate.SourceDecoding;
import fewsh.generate.Step;
import fewsh.generate.Transcriber;
import fewsh.generate.TranscriptionConfig;
import fewsh.load.LoadOptions;
import fewsh.load.Loaded;
import fewsh.models.Precision;
import fewsh.models.Scaled;
import fewsh.prompt.Message;
import fewsh.script.Golden.Expected;
import fewsh.script.Golden.Greedy;
import fewsh.script.Golden.Pass;
import fewsh.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Every golden of every model, opened as a person would, against the table in `docs/models.md`; `-Dgolden.update=true` writes it
/// again.
@Shared.Suite({"models/tiny", "models/onnx", "models/smollm2-135m-instruct-gguf", "models/stories260K-gguf",
        "models/all-minilm-l6-v2"})
class ModelsTableTest {
    private static final Documented TABLE = new Documented("docs/models.md", "made by ModelsTableTest");
    /// Of one number of float32; the tolerance of the golden files themselves.
    private static final double FLOAT32 = 1e-4;
    /// A narrower gap between best and second logit is a near tie.
    private static final double MARGIN = 1e-3;
    /// Of float16 on the CPU, which rounds at other places in other releases of the runtime.
    private static final double FLOAT16 = 0.05;
    /// With more parameters token by token takes long, and `GoldenModelsTest` does it.
    private static final long LARGE = 20_000_000;
    /// What is written for a largest difference: the first of these that it is not above.
    private static final double[] BOUNDS = {1e-5, 2e-5, 5e-5, 1e-4, 1e-3, 2e-3, 1e-2, 0.05, 0.1, 0.5, 1, 10};
    /// Points by which the agreement of 8 bits may be off on another processor.
    private static final int POINTS = 10;
    /// A difference that any processor may have, whatever this table says: its kernels add in another order.
    private static final double ELSEWHERE = 2e-5;
    private static final SortedMap<String, String> MADE = new TreeMap<>();

    @TempDir
    static Path home;

    /// A row. What is rounded differs between processors, and is held to its tolerance only.
    ///
    /// @param type `model_type`
    /// @param opens as what
    /// @param difference a bound of the largest one
    /// @param choices greedy tokens, labels, tokens in place of masks, nearest sentences: how many are the reference's
    /// @param int8 percent of choices that are the same in 8 bits; -1 for an export, whose numbers are as they are
    record Row(String model, String type, String opens, double difference, String choices, int int8) {
        static Row parse(String line) {
            String[] cells = line.split("\\s*\\|\\s*");
            double difference = Double.parseDouble(cells[4].replace("≤ ", ""));
            int int8 = cells[6].equals("–") ? -1 : Integer.parseInt(cells[6].replace(" %", ""));
            return new Row(cells[1].replace("`", ""), cells[2], cells[3], difference, cells[5], int8);
        }

        String line() {
            String bound = difference < 1e-3 ? String.format(Locale.ROOT, "%.0e", difference).replace("e-0", "e-")
                    : String.valueOf(difference).replaceFirst("\\.0$", "");
            return "| `" + model + "` | " + type + " | " + opens + " | ≤ " + bound + " | " + choices + " | "
                    + (int8 < 0 ? "–" : int8 + " %") + " |";
        }
    }

    static Stream<String> goldens() throws IOException {
        List<String> names = new ArrayList<>();
        for (Path folder : folders()) for (Golden golden : Golden.of(folder)) names.add(name(golden.model()));
        return names.stream();
    }

    private static List<Path> folders() throws IOException {
        List<Path> folders = new ArrayList<>();
        for (String parent : List.of("models", "models/tiny", "models/onnx"))
            try (Stream<Path> all = Files.list(Shared.path(parent))) {
                all.filter(folder -> Files.exists(folder.resolve("golden.json"))).sorted().forEach(folders::add);
            }
        return folders;
    }

    private static String name(Path model) {
        return Shared.path("models").relativize(model).toString();
    }

    private static Golden golden(String name) throws IOException {
        for (Path folder : folders())
            for (Golden golden : Golden.of(folder)) if (name(golden.model()).equals(name)) return golden;
        throw new AssertionError(name);
    }

    @AfterAll
    static void write() throws IOException {
        if (!Boolean.getBoolean("golden.update")) return;
        for (String line : TABLE.rows()) MADE.putIfAbsent(Row.parse(line).model(), line);       // what this machine cannot run
        MADE.keySet().retainAll(goldens().toList());
        TABLE.write(List.copyOf(MADE.values()));
    }

    @Test
    void everyGoldenHasARow() throws IOException {
        if (Boolean.getBoolean("golden.update")) return;
        assertEquals(goldens().sorted().toList(), TABLE.rows().stream().map(line -> Row.parse(line).model()).toList());
    }

    @ParameterizedTest
    @MethodSource("goldens")
    void theTableIsTrue(String name) throws IOException {
        Golden golden = golden(name);
        assumeTrue(runs(golden), "this machine cannot run " + name + "; its row stays as it is");
        Row made = golden.json().has("sentences") ? sentences(golden) : row(golden);
        MADE.put(name, made.line());
        if (Boolean.getBoolean("golden.update")) return;
        Row row = TABLE.rows().stream().map(Row::parse).filter(r -> r.model().equals(name)).findAny()
                .orElseThrow(() -> new AssertionError("docs/models.md has no row for " + name + ": -Dgolden.update=true makes it"));
        assertEquals(row.type() + " " + row.opens(), made.type() + " " + made.opens());
        if (golden.rounding() > FLOAT32) return;
        assertTrue(made.difference() <= Math.max(2 * row.difference(), ELSEWHERE), made.line());
        assertEquals(row.choices(), made.choices());
        if (Precision.hasByteProducts()) assertEquals(row.int8(), made.int8(), POINTS);
    }

    /// Whether this machine has what the golden is of: weights in the store, and for signed 8-bit products a processor that does
    /// not saturate.
    private static boolean runs(Golden golden) {
        if (golden.json().has("sentences")) return Files.exists(Shared.model("all-minilm-l6-v2"));
        return !golden.model().endsWith("model_quantized.onnx") || Precision.hasByteProducts();
    }

    private static Loaded open(Golden golden, Precision precision) {
        LoadOptions options = LoadOptions.in(home).withPrecision(precision).withThreads(2);
        return golden.base().isPresent()
                ? AutoModel.open(golden.base().get(), options.withAdapters(List.of(new Scaled(golden.model(), 1))))
                : AutoModel.open(golden.model(), options);
    }

    private static Row row(Golden golden) {
        boolean export = golden.model().startsWith(Shared.path("models/onnx"));
        boolean rounded = golden.rounding() > FLOAT32;
        double tolerance = rounded ? Math.max(FLOAT16, golden.tolerance() + 2 * golden.rounding()) : golden.tolerance();
        try (Loaded model = open(golden, export ? Precision.AUTO : Precision.FP32)) {
            List<Pass> passes = golden.passes(model);
            List<Map<String, Tensor>> outputs = passes.stream().map(p -> model.forward(p.inputs())).toList();
            double worst = 0;
            int same = 0;
            int all = 0;
            for (int i = 0; i < passes.size(); i++) {
                for (Expected expected : passes.get(i).expected()) {
                    float[] numbers = expected.of(outputs.get(i).get(expected.output()));
                    worst = Math.max(worst, difference(expected.numbers(), numbers));
                    if (!scores(outputs.get(i)).equals(expected.output())) continue;
                    int width = (int) outputs.get(i).get(expected.output()).shape().size(-1);
                    int[] wanted = choices(expected.numbers(), width);
                    int[] chosen = choices(numbers, width);
                    all += wanted.length;
                    same += equal(wanted, chosen);
                }
            }
            worst = Math.max(worst, logprobs(golden, outputs));
            assertTrue(worst <= tolerance, golden.model() + " differs by " + worst);
            if (!golden.greedy().isEmpty()) all = same = 0;
            for (int i = 0; i < golden.greedy().size(); i++) {
                Greedy greedy = golden.greedy().get(i);
                List<Integer> answer = model.about().parameters() > LARGE
                        ? behind(outputs.get(passes.size() - golden.greedy().size() + i).get("logits"), greedy.newIds().length)
                        : answer(golden, model, greedy);
                all += greedy.newIds().length;
                same += tokens(golden, greedy, answer, rounded ? tolerance : MARGIN);
            }
            int int8 = export ? -1 : agreement(golden, passes, outputs);
            return new Row(name(golden.model()), model.about().architecture(), model.getClass().getSimpleName(), bound(worst),
                    same + " of " + all, int8);
        }
    }

    private static double bound(double difference) {
        for (double bound : BOUNDS) if (difference <= bound) return bound;
        throw new AssertionError(difference);
    }

    private static double difference(float[] expected, float[] made) {
        assertEquals(expected.length, made.length);
        double worst = 0;
        for (int i = 0; i < expected.length; i++) worst = Math.max(worst, Math.abs((double) expected[i] - made[i]));
        return worst;
    }

    /// The output that a choice is made by.
    private static String scores(Map<String, Tensor> outputs) {
        return outputs.containsKey("prediction_logits") ? "prediction_logits" : "logits";
    }

    /// The best of each `width` numbers.
    private static int[] choices(float[] numbers, int width) {
        return IntStream.range(0, numbers.length / width).map(row -> IntStream.range(0, width)
                .reduce(0, (best, i) -> numbers[row * width + i] > numbers[row * width + best] ? i : best)).toArray();
    }

    private static int equal(int[] a, int[] b) {
        return (int) IntStream.range(0, a.length).filter(i -> a[i] == b[i]).count();
    }

    /// The largest difference of a log-probability, for the goldens that give these.
    private static double logprobs(Golden golden, List<Map<String, Tensor>> outputs) {
        double worst = 0;
        List<JsonObject> cases = golden.objects("forward").stream().filter(c -> c.has("prompt_logprobs")).toList();
        for (int c = 0; c < cases.size(); c++) {
            Tensor tensor = outputs.get(c).get("logits");
            float[] logits = tensor.toFloats();
            int width = (int) tensor.shape().size(-1);
            int[] ids = Golden.ids(cases.get(c).get("ids"));
            float[] given = Golden.floats(cases.get(c).get("prompt_logprobs"));
            for (int i = 1; i < ids.length; i++)
                worst = Math.max(worst, Math.abs(given[i] - logprob(logits, (i - 1) * width, width, ids[i])));
            for (var top : cases.get(c).getAsJsonArray("top"))
                worst = Math.max(worst, Math.abs(top.getAsJsonArray().get(1).getAsDouble()
                        - logprob(logits, (ids.length - 1) * width, width, top.getAsJsonArray().get(0).getAsInt())));
        }
        return worst;
    }

    private static double logprob(float[] logits, int from, int width, int id) {
        double most = IntStream.range(from, from + width).mapToDouble(i -> logits[i]).max().orElseThrow();
        double sum = IntStream.range(from, from + width).mapToDouble(i -> Math.exp(logits[i] - most)).sum();
        return logits[from + id] - most - Math.log(sum);
    }

    /// How many tokens are the reference's. They may differ only behind a near tie, where another answer would be right as well.
    private static int tokens(Golden golden, Greedy greedy, List<Integer> ids, double margin) {
        for (int i = 0; i < greedy.newIds().length; i++)
            if (i >= ids.size() || ids.get(i) != greedy.newIds()[i]) {
                assertTrue(greedy.margins()[i] < margin, golden.model() + ": " + ids + ", token " + i + " of " + greedy.given());
                return i;
            }
        return greedy.newIds().length;
    }

    /// The choices behind each prefix of the answer, in one pass over prompt and answer: the same tokens as one by one.
    private static List<Integer> behind(Tensor logits, int answer) {
        int width = (int) logits.shape().size(-1);
        int positions = (int) logits.shape().size(1);
        return Arrays.stream(choices(logits.toFloats(), width)).boxed().toList().subList(positions - answer - 1, positions - 1);
    }

    private static List<Integer> answer(Golden golden, Loaded model, Greedy greedy) {
        int n = greedy.newIds().length;
        return switch (model) {
            case CausalLm lm -> {
                try (KvCache cache = lm.cache();
                        Decoding d = lm.decode(cache, prompt(golden, lm, greedy), SamplingConfig.GREEDY.withMaxTokens(n), 1)) {
                    yield tokens(d);
                }
            }
            case Seq2Seq seq -> {
                try (SourceDecoding d = seq.decode(List.of(Golden.ids(greedy.given().get("input_ids"))),
                        seq.defaults().withNumBeams(1).withMaxNewTokens(n))) {
                    yield tokens(d);
                }
            }
            case Transcriber transcriber -> {
                try (var d = transcriber.transcribe(golden.folder().resolve(greedy.given().get("file").getAsString()),
                        TranscriptionConfig.DEFAULT.withLanguage("en"))) {
                    yield d.rest().segments().getFirst().ids();
                }
            }
            default -> throw new AssertionError(model.getClass() + " answers nothing");
        };
    }

    private static List<Integer> tokens(Iterator<Step> steps) {
        List<Integer> ids = new ArrayList<>();
        while (steps.hasNext()) if (steps.next() instanceof Step.Token token) ids.add(token.id());
        return ids;
    }

    /// The ids that are given, or of the conversation about a picture that they were made of.
    private static int[] prompt(Golden golden, CausalLm lm, Greedy greedy) {
        JsonObject c = greedy.given();
        if (!golden.json().has("processor")) return Golden.ids(c.get(c.has("ids") ? "ids" : "input_ids"));
        JsonObject processor = golden.json().getAsJsonObject("processor");
        JsonArray content = processor.getAsJsonArray("messages").get(0).getAsJsonObject().getAsJsonArray("content");
        return lm.encode(List.of(new Message("User", "").with("content", List.of(
                Map.of("type", "image", "path", golden.folder().resolve(processor.get("file").getAsString()).toString()),
                Map.of("type", "text", "text", content.get(1).getAsJsonObject().get("text").getAsString())))), true);
    }

    /// Percent of the choices of all passes, but padded ones, that are the same in 8 bits.
    private static int agreement(Golden golden, List<Pass> passes, List<Map<String, Tensor>> exact) {
        int same = 0;
        int all = 0;
        try (Loaded model = open(golden, Precision.INT8)) {
            for (int i = 0; i < passes.size(); i++) {
                Tensor scores = exact.get(i).get(scores(exact.get(i)));
                if (scores.shape().size(0) > 1) continue;
                int width = (int) scores.shape().size(-1);
                int[] wanted = choices(scores.toFloats(), width);
                all += wanted.length;
                same += equal(wanted, choices(model.forward(passes.get(i).inputs()).get(scores(exact.get(i))).toFloats(), width));
            }
        }
        return Math.round(100f * same / all);
    }

    /// A model of sentences chooses the sentence that is nearest to each.
    private static Row sentences(Golden golden) {
        Path model = Shared.model("all-minilm-l6-v2");
        LoadOptions options = LoadOptions.in(home).withThreads(2);
        List<JsonObject> sentences = golden.objects("sentences");
        List<String> texts = sentences.stream().map(c -> c.get("text").getAsString()).toList();
        double worst = 0;
        int[] wanted = IntStream.range(0, texts.size())
                .map(i -> nearest(Golden.floats(golden.json().getAsJsonArray("cosine").get(i)), i)).toArray();
        try (TextEncoder exact = (TextEncoder) AutoModel.open(model, options.withPrecision(Precision.FP32));
                TextEncoder rounded = (TextEncoder) AutoModel.open(model, options.withPrecision(Precision.INT8))) {
            List<float[]> vectors = exact.embed(texts);
            for (int i = 0; i < texts.size(); i++)
                if (sentences.get(i).has("embedding"))
                    worst = Math.max(worst, difference(Golden.floats(sentences.get(i).get("embedding")), vectors.get(i)));
            assertTrue(worst <= golden.tolerance(), golden.model() + " differs by " + worst);
            int same = equal(wanted, nearest(vectors));
            int int8 = Math.round(100f * equal(nearest(vectors), nearest(rounded.embed(texts))) / texts.size());
            return new Row(name(golden.model()), exact.about().architecture(), "TextEncoder", bound(worst),
                    same + " of " + texts.size(), int8);
        }
    }

    private static int[] nearest(List<float[]> vectors) {
        return IntStream.range(0, vectors.size()).map(i -> {
            float[] cosines = new float[vectors.size()];
            for (int k = 0; k < cosines.length; k++)
                for (int j = 0; j < vectors.get(i).length; j++) cosines[k] += vectors.get(i)[j] * vectors.get(k)[j];
            return nearest(cosines, i);
        }).toArray();
    }

    private static int nearest(float[] cosines, int self) {
        cosines[self] = Float.NEGATIVE_INFINITY;
        return choices(cosines, cosines.length)[0];
    }
}
