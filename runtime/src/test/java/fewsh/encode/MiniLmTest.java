package fewsh.encode;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import fewsh.Shared;
import fewsh.WebGpu;
import fewsh.models.Precision;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A published model of sentences gives the golden vectors, in float32 and, nearly, in 8 bits.
@Shared.Suite(value = "models/all-minilm-l6-v2", models = "all-minilm-l6-v2")
class MiniLmTest {
    /// The reference's own float32 differs from float64 by 1.6e-7.
    private static final float VECTOR = 1e-5f;

    @TempDir
    static Path home;

    private static TextEncoder open(Precision precision) {
        return TextEncoder.open(Shared.model("all-minilm-l6-v2"), WebGpu.options(home).withPrecision(precision));
    }

    private static List<JsonObject> sentences() throws IOException {
        JsonObject golden = JsonParser.parseString(Files.readString(Shared.path("models/all-minilm-l6-v2/golden.json"))).getAsJsonObject();
        return StreamSupport.stream(golden.getAsJsonArray("sentences").spliterator(), false).map(JsonElement::getAsJsonObject).toList();
    }

    private static float[] floats(JsonArray array) {
        float[] values = new float[array.size()];
        for (int i = 0; i < values.length; i++) values[i] = array.get(i).getAsFloat();
        return values;
    }

    private static double cosine(float[] a, float[] b) {
        double dot = 0;
        for (int i = 0; i < a.length; i++) dot += (double) a[i] * b[i];
        return dot;
    }

    @Test
    void vectorsEqualTheGoldenOnesInAnyOrderAndAlone() throws IOException {
        List<JsonObject> sentences = sentences();
        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < sentences.size(); i++) order.add(i);
        Collections.shuffle(order, new Random(3));
        try (TextEncoder encoder = open(Precision.FP32)) {
            assertEquals("mean, normalised", encoder.pooling());
            List<float[]> vectors = encoder.embed(order.stream().map(i -> sentences.get(i).get("text").getAsString()).toList());
            for (int i = 0; i < order.size(); i++) {
                JsonObject c = sentences.get(order.get(i));
                float[] vector = vectors.get(i);
                if (c.has("embedding")) assertArrayEquals(floats(c.getAsJsonArray("embedding")), vector, VECTOR);
                assertArrayEquals(floats(c.getAsJsonArray("first_8")), Arrays.copyOf(vector, 8), VECTOR);
                assertArrayEquals(vector, encoder.embed(List.of(c.get("text").getAsString())).getFirst(), 1e-6f);
            }
        }
    }

    @Test
    void eightBitsLoseAtMostAHundredthOfTheCosine() throws IOException {
        List<String> texts = sentences().stream().map(c -> c.get("text").getAsString()).toList();
        try (TextEncoder encoder = open(Precision.FP32); TextEncoder rounded = open(Precision.INT8)) {
            List<float[]> exact = encoder.embed(texts);
            List<float[]> near = rounded.embed(texts);
            for (int i = 0; i < texts.size(); i++) {
                double cosine = cosine(exact.get(i), near.get(i));
                assertTrue(cosine >= 0.99, texts.get(i) + ": " + cosine);
                assertTrue(cosine(near.get(i), rounded.embed(List.of(texts.get(i))).getFirst()) > 1 - 1e-5, texts.get(i));
            }
        }
    }
}
