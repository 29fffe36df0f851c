package fewsh.generate;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import com.google.gson.JsonArray;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import fewsh.UserError;
import fewsh.audio.Sound;
import fewsh.load.LoadOptions;
import fewsh.models.Precision;
import fewsh.models.TinyModels;
import fewsh.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Speech models that are damaged or merely wrong, questions they have no answer to, and transcripts that are cut short.
class HostileSpeechTest {
    @TempDir
    Path folder;

    private Transcriber open(Path model, Precision precision) {
        return Transcriber.open(model, LoadOptions.in(folder.resolve("home")).withPrecision(precision).withThreads(1));
    }

    private static Sound noise(double seconds) {
        Random random = new Random(1);
        float[] samples = new float[(int) (8000 * seconds)];
        for (int i = 0; i < samples.length; i++) samples[i] = 0.1f * (float) random.nextGaussian();
        return new Sound(samples, 8000);
    }

    private Path changed(String file, String key, String json) throws IOException {
        Path model = TinyModels.whisper(folder.resolve("changed"), 1);
        JsonObject config = JsonParser.parseString(Files.readString(model.resolve(file))).getAsJsonObject();
        config.add(key, JsonParser.parseString(json));
        Files.writeString(model.resolve(file), config.toString());
        return model;
    }

    private String refused(Path model) {
        UserError e = assertThrows(UserError.class, () -> open(model, Precision.FP32).close());
        assertTrue(e.where().startsWith(model.toString()), e.where());
        return e.what();
    }

    @Test
    void whatIsWrongIsNamed() throws IOException {
        assertTrue(refused(changed("preprocessor_config.json", "feature_size", "40")).contains("feature_size is 40"));
        assertTrue(refused(changed("preprocessor_config.json", "hop_length", "100")).contains("80 frames"));
        assertTrue(refused(changed("preprocessor_config.json", "feature_extractor_type", "\"Wav2Vec2FeatureExtractor\""))
                .contains("Wav2Vec2FeatureExtractor"));
        assertTrue(refused(changed("generation_config.json", "lang_to_id", "{\"<|en|>\":999}")).contains("lang_to_id"));
        assertTrue(refused(changed("generation_config.json", "forced_decoder_ids", "[[2,3]]")).contains("forced_decoder_ids"));
        assertTrue(refused(changed("generation_config.json", "no_speech_threshold", "0.6")).contains("no_speech_threshold"));
        assertTrue(refused(changed("generation_config.json", "num_beams", "5")).contains("num_beams"));
        assertTrue(refused(changed("config.json", "decoder_attention_heads", "5")).contains("decoder_attention_heads 5"));
        assertTrue(refused(changed("config.json", "activation_function", "\"quux\"")).contains("quux"));
        Path model = TinyModels.whisper(folder.resolve("changed"), 1);
        Files.delete(model.resolve("preprocessor_config.json"));
        assertEquals("no such file", refused(model));
    }

    @Test
    void aNewerFolderSaysHowItHearsInAnotherFile() throws IOException {
        Path model = TinyModels.whisper(folder.resolve("newer"), 1);
        String features = Files.readString(model.resolve("preprocessor_config.json"));
        float[] before;
        try (Transcriber t = open(model, Precision.FP32)) {
            before = t.inputs(noise(0.5)).get("input_features").toFloats();
        }
        Files.delete(model.resolve("preprocessor_config.json"));
        Files.writeString(model.resolve("processor_config.json"), "{\"feature_extractor\":" + features + "}");
        try (Transcriber t = open(model, Precision.FP32)) {
            assertArrayEquals(before, t.inputs(noise(0.5)).get("input_features").toFloats());
        }
    }

    @Test
    void questionsThatAModelCannotAnswerAreErrors() throws IOException {
        try (Transcriber t = open(TinyModels.whisper(folder.resolve("good"), 1), Precision.FP32)) {
            Sound sound = noise(0.3);
            TranscriptionConfig plain = TranscriptionConfig.DEFAULT;
            UserError unknown = assertThrows(UserError.class, () -> t.transcribe(sound, plain.withLanguage("xyzzy")));
            assertEquals("it knows: en", unknown.fix());
            assertEquals(Optional.of("en"), t.transcribe(sound, plain.withLanguage("English")).rest().language());
            assertEquals(Optional.of("en"), t.transcribe(sound, plain).rest().language());
            assertThrows(UserError.class, () -> t.transcribe(sound, plain.withTask(TranscriptionConfig.Task.TRANSLATE)).rest());
            Tensor features = t.inputs(sound).get("input_features");
            Tensor ids = Tensor.ofInt64(new long[] {256, 400}, 1, 2);
            assertThrows(UserError.class, () -> t.forward(Map.of("input_features", features)));
            assertThrows(UserError.class, () -> t.forward(Map.of("input_features", features, "decoder_input_ids", ids)));
            assertThrows(UserError.class, () -> t.forward(Map.of("input_features", ids, "decoder_input_ids", ids)));
        }
        try (Transcriber t = open(changed("generation_config.json", "no_timestamps_token_id", "null"), Precision.FP32)) {
            assertThrows(UserError.class, () -> t.transcribe(noise(0.3), TranscriptionConfig.DEFAULT.withTimestamps(true)));
        }
        try (Transcriber t = open(changed("generation_config.json", "is_multilingual", "false"), Precision.FP32)) {
            assertThrows(UserError.class, () -> t.transcribe(noise(0.3), TranscriptionConfig.DEFAULT.withLanguage("en")));
            assertEquals(Optional.empty(), t.transcribe(noise(0.3), TranscriptionConfig.DEFAULT).rest().language());
        }
    }

    @Test
    void withoutTimesWindowsStandSideBySide() throws IOException {
        try (Transcriber t = open(changed("generation_config.json", "no_timestamps_token_id", "null"), Precision.INT8)) {
            List<Segment> segments = t.transcribe(noise(2.5), TranscriptionConfig.DEFAULT).rest().segments();
            for (Segment s : segments) {
                assertTrue(s.start() == 0 || s.start() == 1 || s.start() == 2, s.toString());
                assertEquals(Math.min(2.5, s.start() + 1), s.end());
                assertFalse(s.ids().contains(7), "a suppressed token");
            }
        }
    }

    @Test
    @Timeout(60)
    void anInterruptedTranscriptIsShortAndSaysSo() throws IOException {
        try (Transcriber t = open(TinyModels.whisper(folder.resolve("good"), 1), Precision.FP32);
                Transcription transcription = t.transcribe(noise(120), TranscriptionConfig.DEFAULT)) {
            assertEquals(120, transcription.seconds());
            while (transcription.heardSeconds() < 1) transcription.next();
            transcription.interrupt();
            Transcript rest = transcription.rest();
            assertFalse(rest.complete());
            assertTrue(transcription.heardSeconds() < 10, "" + transcription.heardSeconds());
        }
    }

    /// Each mutation of any setting either still opens, and then transcribes, or is refused with a [UserError].
    @Test
    @Timeout(300)
    void mutatedSettingsTranscribeOrAreRefused() throws IOException {
        int runs = Integer.getInteger("fuzz.runs", 90);
        int refused = 0;
        for (int seed = 0; seed < runs; seed++) {
            Random random = new Random(seed);
            Path model = TinyModels.whisper(folder.resolve("bad"), 1);
            Path file = model.resolve(List.of("config.json", "generation_config.json", "preprocessor_config.json").get(seed % 3));
            JsonObject config = JsonParser.parseString(Files.readString(file)).getAsJsonObject();
            List<String> keys = new ArrayList<>(config.keySet());
            String key = keys.get(random.nextInt(keys.size()));
            switch (random.nextInt(8)) {
                case 0 -> config.remove(key);
                case 1 -> config.add(key, JsonNull.INSTANCE);
                case 2 -> config.addProperty(key, "");
                case 3 -> config.addProperty(key, -1);
                case 4 -> config.addProperty(key, Integer.MAX_VALUE);
                case 5 -> config.add(key, new JsonArray());
                case 6 -> config.addProperty(key, 1e-300);
                default -> config.addProperty(key, 1 << random.nextInt(25));
            }
            Files.writeString(file, config.toString());
            try (Transcriber t = open(model, Precision.FP32)) {
                t.transcribe(noise(0.5), TranscriptionConfig.DEFAULT).rest();
            } catch (UserError e) {
                refused++;
                assertFalse(e.what().isBlank(), "seed " + seed);
            } catch (RuntimeException | Error e) {
                fail("seed " + seed + " changed " + key + " of " + file.getFileName(), e);
            }
        }
        assertTrue(refused > runs / 4 && refused < runs, "refused " + refused + " of " + runs);
    }
}
