package fewsh.generate;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import fewsh.audio.Sound;
import fewsh.load.LoadOptions;
import fewsh.models.Precision;
import fewsh.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// What transformers' `generate` says with small models of random weights, times and all: `golden/whisper`.
///
/// `-Dwhisper.variants=FOLDER` names a folder with more that `make_whisper.py` made.
class TranscriberTest {
    private static final float FLOAT32_LOGITS = 1e-4f;

    @TempDir
    static Path home;

    private static Stream<Path> folders() throws IOException {
        Path root = Path.of(System.getProperty("whisper.variants", "src/test/resources/golden/whisper"));
        try (Stream<Path> folders = Files.list(root)) {
            return folders.filter(Files::isDirectory).sorted().toList().stream();
        }
    }

    private static Transcriber open(Path folder) {
        return Transcriber.open(folder, LoadOptions.in(home).withPrecision(Precision.FP32).withThreads(1));
    }

    private static JsonObject golden(Path folder) throws IOException {
        return JsonParser.parseString(Files.readString(folder.resolve("golden.json"))).getAsJsonObject();
    }

    /// `wave` of make_whisper.py.
    private static Sound wave(double seconds, int rate) {
        float[] wave = new float[(int) (seconds * rate)];
        for (int i = 0; i < wave.length; i++) {
            double t = (double) i / rate;
            double x = 0.4 * Math.sin(2 * Math.PI * 220 * t) + 0.3 * Math.sin(2 * Math.PI * (500 + 400 * t) * t)
                    + 0.1 * Math.cos(2 * Math.PI * 3100 * t);
            wave[i] = (float) (x * (0.6 + 0.4 * Math.sin(2 * Math.PI * 1.7 * t)));
        }
        return new Sound(wave, rate);
    }

    private static float[] floats(JsonElement array) {
        JsonArray values = array.getAsJsonArray();
        float[] floats = new float[values.size()];
        for (int i = 0; i < floats.length; i++) floats[i] = values.get(i).getAsFloat();
        return floats;
    }

    @ParameterizedTest
    @MethodSource("folders")
    void aBatchGivesTheReferencesNumbers(Path folder) throws IOException {
        JsonObject golden = golden(folder);
        JsonObject c = golden.getAsJsonObject("forward");
        try (Transcriber model = open(folder)) {
            List<Tensor> windows = new ArrayList<>();
            for (float seconds : floats(c.get("seconds")))
                windows.add(model.inputs(wave(seconds, golden.get("sampling_rate").getAsInt())).get("input_features"));
            int bins = (int) windows.getFirst().shape().size(1);
            int frames = (int) windows.getFirst().shape().size(2);
            float[] both = new float[2 * bins * frames];
            for (int i = 0; i < 2; i++) System.arraycopy(windows.get(i).toFloats(), 0, both, i * bins * frames, bins * frames);
            long[] ids = c.getAsJsonArray("decoder_input_ids").asList().stream()
                    .flatMap(row -> row.getAsJsonArray().asList().stream()).mapToLong(JsonElement::getAsLong).toArray();
            Map<String, Tensor> out = model.forward(Map.of("input_features", Tensor.ofFloat32(both, 2, bins, frames),
                    "decoder_input_ids", Tensor.ofInt64(ids, 2, ids.length / 2)));
            float[] states = out.get("encoder_last_hidden_state").toFloats();
            assertArrayEquals(floats(c.get("encoder_last_hidden_state")), states, FLOAT32_LOGITS);
            assertArrayEquals(floats(c.get("logits")), out.get("logits").toFloats(), FLOAT32_LOGITS);
        }
    }

    @ParameterizedTest
    @MethodSource("folders")
    void soundsAreTranscribedToTheReferencesSegments(Path folder) throws IOException {
        JsonObject golden = golden(folder);
        try (Transcriber model = open(folder)) {
            for (JsonElement each : golden.getAsJsonArray("generate")) {
                JsonObject c = each.getAsJsonObject();
                TranscriptionConfig config = TranscriptionConfig.DEFAULT.withTimestamps(c.get("timestamps").getAsBoolean());
                if (c.has("language")) config = config.withLanguage(c.get("language").getAsString());
                if (c.has("task"))
                    config = config.withTask(TranscriptionConfig.Task.valueOf(c.get("task").getAsString().toUpperCase()));
                Sound sound = wave(c.get("seconds").getAsDouble(), golden.get("sampling_rate").getAsInt());
                String what = folder.getFileName() + " " + config + " " + sound.seconds() + " s";
                try (Transcription transcription = model.transcribe(sound, config)) {
                    List<Segment> segments = transcription.rest().segments();
                    JsonArray expected = c.getAsJsonArray("segments");
                    for (int i = 0; i < Math.min(segments.size(), expected.size()); i++) {
                        JsonObject s = expected.get(i).getAsJsonObject();
                        String ids = segments.get(i).ids().toString().replace(" ", "");
                        assertEquals(s.get("ids").toString(), ids, what + " segment " + i);
                        if (!config.timestamps()) continue;
                        assertEquals(s.get("start").getAsDouble(), segments.get(i).start(), 1e-6, what + " segment " + i);
                        assertEquals(s.get("end").getAsDouble(), segments.get(i).end(), 1e-6, what + " segment " + i);
                    }
                    assertEquals(expected.size(), segments.size(), what);
                }
            }
        }
    }
}
