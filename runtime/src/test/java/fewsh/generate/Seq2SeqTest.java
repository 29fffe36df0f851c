package fewsh.generate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fewsh.UserError;
import fewsh.load.LoadOptions;
import fewsh.models.Precision;
import fewsh.models.TinyModels;
import fewsh.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.ValueSource;

class Seq2SeqTest {
    private static final List<String> TYPES = TinyModels.SOURCED;
    private static final int VOCAB = TinyModels.VOCAB;
    private static final List<String> TEXTS = List.of("Hear me speak.", "O", "What say you to that, and to this?");

    @TempDir
    static Path home;

    private static Seq2Seq open(String type) throws IOException {
        return open(TinyModels.sourced(home.resolve(type), type, 5), Precision.FP32);
    }

    private static Seq2Seq open(Path folder, Precision precision) {
        return Seq2Seq.open(folder, LoadOptions.in(home).withPrecision(precision).withThreads(1));
    }

    private static GenerationConfig greedy(Seq2Seq model) {
        return model.defaults().withMaxNewTokens(40);
    }

    private static Tensor row(int[] ids) {
        return Tensor.ofInt64(Arrays.stream(ids).asLongStream().toArray(), 1, ids.length);
    }

    private static List<List<Integer>> ids(Seq2Seq model, List<String> texts, GenerationConfig config) {
        List<List<Integer>> ids = new ArrayList<>();
        texts.forEach(_ -> ids.add(new ArrayList<>()));
        try (SourceDecoding answers = model.decode(texts.stream().map(model::encode).toList(), config)) {
            while (answers.hasNext()) if (answers.next() instanceof Step.Token token) ids.get(token.sample()).add(token.id());
        }
        return ids;
    }

    @ParameterizedTest
    @FieldSource("TYPES")
    void tokensOfTheCacheAreThoseOfOnePassOverAll(String type) throws IOException {
        try (Seq2Seq model = open(type)) {
            int[] source = model.encode(TEXTS.getFirst());
            List<Integer> answer = ids(model, TEXTS.subList(0, 1), greedy(model)).getFirst();
            long[] given = new long[answer.size()];
            given[0] = model.defaults().decoderStart();
            for (int i = 1; i < given.length; i++) given[i] = answer.get(i - 1);
            float[] logits = model.forward(Map.of("input_ids", row(source),
                    "decoder_input_ids", Tensor.ofInt64(given, 1, given.length))).get("logits").toFloats();
            for (int i = 0; i < given.length; i++)
                assertEquals(answer.get(i), Sampler.argmax(Arrays.copyOfRange(logits, i * VOCAB, (i + 1) * VOCAB)), "token " + i);
        }
    }

    @ParameterizedTest
    @FieldSource("TYPES")
    void aBatchAnswersAsEachOfItsSourcesAlone(String type) throws IOException {
        try (Seq2Seq model = open(type)) {
            for (int beams : new int[] {1, 3}) {
                GenerationConfig config = greedy(model).withNumBeams(beams).withMaxNewTokens(12);
                List<List<Integer>> together = ids(model, TEXTS, config);
                for (int i = 0; i < TEXTS.size(); i++)
                    assertEquals(ids(model, TEXTS.subList(i, i + 1), config).getFirst(), together.get(i), TEXTS.get(i));
                assertEquals(together, ids(model, TEXTS, config));
            }
        }
    }

    /// Every text of two tokens and its probability, from whole passes; the best that a search of as many beams as there are
    /// tokens finds is the best there is.
    @ParameterizedTest
    @FieldSource("TYPES")
    void aWideSearchFindsTheBestOfAllAnswers(String type) throws IOException {
        try (Seq2Seq model = open(type)) {
            int[] source = model.encode("ab");
            int vocab = VOCAB;
            int eos = model.defaults().eos().getFirst();
            long[] rows = IntStream.range(0, vocab).asLongStream().flatMap(id ->
                    LongStream.of(model.defaults().decoderStart(), id)).toArray();
            long[] sources = IntStream.range(0, vocab).flatMap(_ -> Arrays.stream(source)).asLongStream().toArray();
            float[] logits = model.forward(Map.of("input_ids", Tensor.ofInt64(sources, vocab, source.length),
                    "decoder_input_ids", Tensor.ofInt64(rows, vocab, 2))).get("logits").toFloats();
            double best = Double.NEGATIVE_INFINITY;
            for (int first = 0; first < vocab; first++) {
                double one = logprob(logits, first * 2, first, vocab);
                if (first == eos) best = Math.max(best, one);
                for (int second = 0; second < vocab && first != eos; second++)
                    best = Math.max(best, (one + logprob(logits, first * 2 + 1, second, vocab)) / 2);
            }
            GenerationConfig config = model.defaults().withMaxNewTokens(2).withNumBeams(64)
                    .withEarlyStopping(GenerationConfig.EarlyStopping.NEVER);
            assertEquals(best, model.search(List.of(source), config).getFirst().getFirst().score(), 1e-4);
        }
    }

    private static double logprob(float[] logits, int position, int id, int vocab) {
        double sum = 0;
        for (int i = 0; i < vocab; i++) sum += Math.exp(logits[position * vocab + i]);
        return logits[position * vocab + id] - Math.log(sum);
    }

    @Test
    void drawsDependOnTheSeedAlone() throws IOException {
        try (Seq2Seq model = open("marian")) {
            GenerationConfig config = greedy(model).withSampling(SamplingConfig.GREEDY.withTemperature(1.5).withSeed(3));
            assertEquals(ids(model, TEXTS, config), ids(model, TEXTS, config));
            assertFalse(ids(model, TEXTS, config).equals(ids(model, TEXTS, config.withSampling(config.sampling().withSeed(4)))));
        }
    }

    @Test
    void textsAreAnsweredInTheirOrder() throws IOException {
        try (Seq2Seq model = open("bart")) {
            GenerationConfig config = greedy(model).withMaxNewTokens(6);
            assertEquals(TEXTS.stream().map(t -> model.translate(t, config)).toList(), model.translate(TEXTS, config));
        }
    }

    @ParameterizedTest
    @FieldSource("TYPES")
    void eightBitsSayMostlyTheSame(String type) throws IOException {
        Path folder = TinyModels.sourced(home.resolve(type), type, 5);
        try (Seq2Seq exact = open(folder, Precision.FP32); Seq2Seq rounded = open(folder, Precision.INT8)) {
            int[] source = exact.encode(TEXTS.getFirst());
            Map<String, Tensor> in = Map.of("input_ids", row(source),
                    "decoder_input_ids", Tensor.ofInt64(new long[] {258, 65, 66, 67, 68, 69}, 1, 6));
            float[] a = exact.forward(in).get("logits").toFloats();
            float[] b = rounded.forward(in).get("logits").toFloats();
            double dot = 0;
            double aa = 0;
            double bb = 0;
            for (int i = 0; i < a.length; i++) {
                dot += a[i] * b[i];
                aa += a[i] * a[i];
                bb += b[i] * b[i];
            }
            assertTrue(dot / Math.sqrt(aa * bb) > 0.99, "cosine " + dot / Math.sqrt(aa * bb));
        }
    }

    @Test
    void aSearchThatIsInterruptedEnds() throws IOException {
        try (Seq2Seq model = open("t5"); SourceDecoding answers = model.decode(List.of(model.encode("ab")), greedy(model))) {
            answers.next();
            answers.interrupt();
            List<Step> rest = new ArrayList<>();
            answers.forEachRemaining(rest::add);
            assertEquals(FinishReason.INTERRUPTED, ((Step.Stop) rest.getLast()).reason());
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "{\"num_beams\":2,\"do_sample\":true}", "{\"num_beam_groups\":2}", "{\"stop_strings\":[\"a\"]}", "{\"sequence_bias\":[]}",
        "{\"eos_token_id\":\"a\"}", "{\"bad_words_ids\":[[]]}", "{\"bad_words_ids\":7}", "{\"early_stopping\":\"maybe\"}",
        "{\"encoder_no_repeat_ngram_size\":3}", "{\"num_beams\":1000}", "{\"length_penalty\":\"long\"}", "{\"min_length\":-2}"})
    void whatCannotBeDoneIsRefusedByName(String generation) throws IOException {
        Path folder = TinyModels.sourced(home.resolve("refused"), "bart", 5);
        Files.writeString(folder.resolve("generation_config.json"), generation);
        UserError e = assertThrows(UserError.class, () -> open(folder, Precision.FP32).close());
        String key = generation.replaceFirst(".*[{,]\"([a-z_]+)\":.*", "$1");
        assertTrue(e.getMessage().contains(key), e.getMessage());
    }

    @Test
    void sourcesAndSettingsThatDoNotFitAreRefused() throws IOException {
        try (Seq2Seq model = open("bart")) {
            GenerationConfig config = greedy(model);
            assertThrows(UserError.class, () -> model.decode(List.of(new int[65]), config));
            assertThrows(UserError.class, () -> model.decode(List.of(new int[0]), config));
            assertThrows(UserError.class, () -> model.decode(List.of(), config));
            assertThrows(UserError.class, () -> model.decode(List.of(new int[] {TinyModels.VOCAB}), config));
            assertThrows(UserError.class, () -> model.search(List.of(new int[] {1}), config));
            assertThrows(UserError.class, () -> model.forward(Map.of("input_ids", Tensor.ofInt64(new long[] {1}, 1, 1))));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"normalize_before", "activation_function", "d_model"})
    void configurationsThatAPageDoesNotImplementAreRefused(String key) throws IOException {
        Path folder = TinyModels.sourced(home.resolve("config"), "marian", 5);
        String config = Files.readString(folder.resolve("config.json"));
        String value = key.equals("normalize_before") ? "true" : key.equals("d_model") ? "33" : "\"mish\"";
        Files.writeString(folder.resolve("config.json"), config.replaceFirst("\\{", "{\"" + key + "\":" + value + ",")
                .replace(",\"d_model\":32", key.equals("d_model") ? "" : ",\"d_model\":32"));
        assertTrue(assertThrows(UserError.class, () -> open(folder, Precision.FP32).close()).getMessage().contains(key));
    }

    @Test
    void answersAreNotLongerThanAskedFor() throws IOException {
        try (Seq2Seq model = open("t5")) {
            List<List<Integer>> answers = ids(model, TEXTS, greedy(model).withMaxNewTokens(7));
            assertEquals(List.of(7, 7, 7), answers.stream().map(List::size).toList());
        }
    }
}
