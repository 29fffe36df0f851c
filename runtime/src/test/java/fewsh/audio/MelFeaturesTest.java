package fewsh.audio;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import fewsh.UserError;
import fewsh.models.Settings;
import fewsh.tensor.Shape;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Features against the reference implementation's, the transform against its definition.
class MelFeaturesTest {
    /// The reference computes in float32; the golden models allow 1e-3.
    private static final float FEATURES = 1e-3f;

    static JsonObject reference() {
        try (Reader reader = new InputStreamReader(MelFeaturesTest.class.getResourceAsStream("/golden/audio/audio.json"))) {
            return JsonParser.parseReader(reader).getAsJsonObject();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    static float[] data(JsonObject of) {
        JsonArray array = of.getAsJsonArray("data");
        float[] data = new float[array.size()];
        for (int i = 0; i < data.length; i++) data[i] = array.get(i).getAsFloat();
        return data;
    }

    /// `wave` of make_audio.py.
    static float[] wave(int n, double rate) {
        float[] wave = new float[n];
        for (int i = 0; i < n; i++) {
            double t = i / rate;
            wave[i] = (float) (0.4 * Math.sin(2 * Math.PI * 220 * t) + 0.3 * Math.sin(2 * Math.PI * (500 + 400 * t) * t)
                    + 0.1 * Math.cos(2 * Math.PI * 3100 * t));
        }
        return wave;
    }

    private static Stream<JsonElement> windows() {
        return reference().getAsJsonArray("window").asList().stream();
    }

    private static Stream<JsonElement> wholes() {
        return reference().getAsJsonArray("whole").asList().stream();
    }

    private static MelFeatures of(JsonObject config) {
        return MelFeatures.of(new Settings("preprocessor_config.json", config));
    }

    private static MelFeatures of(String config) {
        return of(JsonParser.parseString(config).getAsJsonObject());
    }

    @ParameterizedTest
    @MethodSource("windows")
    void aWindowIsPaddedOrCutAndComputedAsTheReferenceDoes(JsonElement given) {
        JsonObject expected = given.getAsJsonObject();
        MelFeatures features = of(expected.getAsJsonObject("config"));
        Sound sound = new Sound(wave(expected.get("samples").getAsInt(), features.samplingRate()), features.samplingRate());
        JsonArray shape = expected.getAsJsonArray("shape");
        assertEquals(Shape.of(1, shape.get(0).getAsInt(), shape.get(1).getAsInt()), features.window(sound).shape());
        assertArrayEquals(data(expected), features.window(sound).toFloats(), FEATURES);
    }

    @ParameterizedTest
    @MethodSource("wholes")
    void aWholeSoundIsComputedAsTheReferenceDoes(JsonElement given) {
        JsonObject expected = given.getAsJsonObject();
        MelFeatures features = of(expected.getAsJsonObject("config"));
        Frames frames = features.whole(new Sound(wave(expected.get("samples").getAsInt(), features.samplingRate()),
                features.samplingRate()));
        assertEquals(expected.getAsJsonArray("shape").get(1).getAsInt(), frames.count());
        assertArrayEquals(data(expected), frames.data(), FEATURES);
        int rest = frames.count() - 3;
        float[] slice = frames.slice(3, rest, rest + 2).toFloats();
        for (int bin = 0; bin < frames.bins(); bin++)
            for (int t = 0; t < rest + 2; t++)
                assertEquals(t < rest ? frames.data()[bin * frames.count() + 3 + t] : 0, slice[bin * (rest + 2) + t]);
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 5, 8, 97, 200, 201, 400, 512})
    void theTransformIsTheDefinition(int n) {
        Random random = new Random(n);
        double[] a = random.doubles(n, -1, 1).toArray();
        double[] b = random.doubles(n, -1, 1).toArray();
        double[] re = a.clone();
        double[] im = b.clone();
        new Fourier(n).transform(re, im);
        for (int k = 0; k < n; k++) {
            double x = 0;
            double y = 0;
            for (int j = 0; j < n; j++) {
                double angle = -2 * Math.PI * ((long) j * k % n) / n;
                x += a[j] * Math.cos(angle) - b[j] * Math.sin(angle);
                y += a[j] * Math.sin(angle) + b[j] * Math.cos(angle);
            }
            assertEquals(x, re[k], 1e-10);
            assertEquals(y, im[k], 1e-10);
        }
    }

    @Test
    void ditherIsNoiseThatIsAlwaysTheSame() {
        Sound silence = new Sound(new float[16000], 16000);
        float[] plain = of("{\"chunk_length\":1}").window(silence).toFloats();
        float[] noisy = of("{\"chunk_length\":1,\"dither\":0.01}").window(silence).toFloats();
        for (float x : plain) assertEquals(-1.5f, x, 1e-6f);
        assertTrue(noisy[5000] > -1, "" + noisy[5000]);
        assertArrayEquals(noisy, of("{\"chunk_length\":1,\"dither\":0.01}").window(silence).toFloats());
    }

    @Test
    void whatIsNotImplementedIsRefusedByName() {
        refused("{\"feature_extractor_type\":\"SeamlessM4TFeatureExtractor\"}", "SeamlessM4TFeatureExtractor");
        refused("{\"padding_side\":\"left\"}", "padding_side");
        refused("{\"hop_length\":1,\"chunk_length\":1000}", "hop_length 1");
        refused("{\"n_fft\":16000000}", "n_fft 16000000");
        refused("{\"chunk_length\":16777216}", "chunk_length");
        refused("{\"n_fft\":1}", "n_fft 1");
        refused("{\"chunk_length\":1,\"sampling_rate\":100}", "n_fft 400");
        refused("{\"chunk_length\":0}", "chunk_length");
        refused("{\"dither\":\"x\"}", "dither");
    }

    private static void refused(String config, String named) {
        UserError e = assertThrows(UserError.class, () -> of(config));
        assertTrue(e.what().contains(named), e.what());
    }
}
