package fewsh.weights;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import fewsh.UserError;
import fewsh.tensor.DType;
import fewsh.tensor.Shape;
import fewsh.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsTest {
    private static final Path GOLDEN = Path.of("src/test/resources/golden/weights");

    @TempDir
    Path folder;

    @Test
    void readsWhatTheReferenceImplementationWrote() throws IOException {
        JsonObject expected = new Gson().fromJson(Files.readString(GOLDEN.resolve("mixed.json")), JsonObject.class);
        try (Weights weights = Weights.open(GOLDEN.resolve("mixed.safetensors"))) {
            assertEquals(expected.keySet(), new TreeMap<>(Map.copyOf(asMap(weights))).keySet());
            assertEquals(Map.of("format", "np"), weights.metadata());
            for (String name : weights.names()) {
                JsonObject tensor = expected.getAsJsonObject(name);
                assertEquals(Shape.of(longs(tensor.getAsJsonArray("shape"))), weights.get(name).shape());
                JsonArray values = tensor.getAsJsonArray("values");
                float[] floats = new float[values.size()];
                for (int i = 0; i < floats.length; i++) floats[i] = (float) values.get(i).getAsDouble();
                assertArrayEquals(floats, weights.get(name).floats(), name);
            }
        }
    }

    @Test
    void writesTheBytesOfTheReferenceImplementation() throws IOException {
        try (Weights weights = Weights.open(GOLDEN.resolve("mixed.safetensors"))) {
            SequencedMap<String, Tensor> tensors = new LinkedHashMap<>();
            new TreeMap<>(asMap(weights)).forEach((name, weight) -> tensors.put(name, weight.tensor()));
            Safetensors.write(folder.resolve("copy.safetensors"), tensors, Map.of("format", "np"));
        }
        assertEquals(-1, Files.mismatch(GOLDEN.resolve("mixed.safetensors"), folder.resolve("copy.safetensors")));
        assertEquals(List.of("copy.safetensors"), files());
    }

    @Test
    void overwritingLeavesOpenWeightsAsTheyWere() {
        Path path = folder.resolve("w.safetensors");
        write(path, 1);
        try (Weights old = Weights.open(path)) {
            write(path, 2);
            assertArrayEquals(new float[] {1}, old.get("w").floats());
        }
        try (Weights written = Weights.open(path)) {
            assertArrayEquals(new float[] {2}, written.get("w").floats());
        }
        assertEquals(List.of("w.safetensors"), files());
    }

    private static void write(Path path, float value) {
        SequencedMap<String, Tensor> tensors = new LinkedHashMap<>();
        tensors.put("w", Tensor.ofFloat32(new float[] {value}, 1));
        Safetensors.write(path, tensors, Map.of());
    }

    @Test
    void aWriteThatFailsLeavesNothing() {
        assertError("no such folder", () -> write(folder.resolve("none/w.safetensors"), 1));
        SequencedMap<String, Tensor> reserved = new LinkedHashMap<>();
        reserved.put("__metadata__", Tensor.ofFloat32(new float[1], 1));
        assertError("a tensor cannot be called", () -> Safetensors.write(folder.resolve("w.safetensors"), reserved, Map.of()));
        SequencedMap<String, Tensor> freed = new LinkedHashMap<>();
        try (Arena arena = Arena.ofConfined()) {
            freed.put("w", Tensor.allocate(arena, DType.FLOAT32, 1));
        }
        assertThrows(IllegalStateException.class, () -> Safetensors.write(folder.resolve("w.safetensors"), freed, Map.of()));
        assertEquals(List.of(), files());
    }

    @Test
    void weightsEndWithTheFile() {
        Weight weight;
        try (Weights weights = Weights.open(GOLDEN.resolve("mixed.safetensors"))) {
            weight = weights.get("a");
        }
        assertThrows(IllegalStateException.class, weight::floats);
    }

    @Test
    void refusesHeadersThatLie() {
        String f32 = "{\"w\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}";
        opens(f32 + "}", 8);
        opens(f32 + "}   ", 8);
        refused("byte 0: a header of 9223372036854775807 bytes, 1 are left", bytes(Long.MAX_VALUE, "{", 0));
        refused("byte 0: a header of 18446744073709551615 bytes", bytes(-1, "{}", 0));
        refused("byte 0: a header of 54 bytes", Arrays.copyOf(bytes(f32 + "}", 8), 40));
        refused("not a safetensors file: it is empty", new byte[0]);
        refused("not a safetensors file: it is a zip archive", "PK\3\4aaaaaaaa".getBytes(StandardCharsets.US_ASCII));
        refused("the tensors take 8 bytes, the file has 9", bytes(f32 + "}", 9));
        refused("tensor \"w\" has data_offsets [0, 8], which should begin at 0 and end within the 7 bytes", bytes(f32 + "}", 7));
        refused("tensor \"w\" occurs twice", bytes(f32 + "," + f32.substring(1) + "}", 8));
        refused("tensor \"v\" has data_offsets [4, 12]",
                bytes(f32 + ",\"v\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}", 12));
        refused("tensor \"v\" has data_offsets [12, 20]",
                bytes(f32 + ",\"v\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[12,20]}}", 20));
        refused("tensor \"w\" is F32 [3], which takes 12 bytes", bytes(f32.replace("[2]", "[3]") + "}", 8));
        refused("tensor \"w\" is F16 [2], which takes 4 bytes", bytes(f32.replace("F32", "F16") + "}", 8));
        refused("tensor \"w\" has dtype \"F8_E4M3\", which is not supported", bytes(f32.replace("F32", "F8_E4M3") + "}", 8));
        refused("has shape [4294967296, 4294967296], which is larger",
                bytes(f32.replace("[2]", "[4294967296,4294967296]") + "}", 8));
        refused("has shape [0, 4294967296, 4294967296], which is larger",
                bytes(f32.replace("[2]", "[0,4294967296,4294967296]").replace("[0,8]", "[0,0]") + "}", 0));
        refused("tensor \"w\" has data_offsets [8, 0]", bytes(f32.replace("[0,8]", "[8,0]") + "}", 8));
    }

    @Test
    void refusesHeadersThatAreNotTheirJson() {
        String f32 = "{\"w\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}";
        for (String header : List.of("{ ", "{}{}", "{\"w\":1}", "{\"w\":{}}", "{\"w\":null}", f32.replace("[2]", "[2.0]"),
                f32.replace("[2]", "[-2]"), f32.replace("[2]", "[\"2\"]"), f32.replace("[2]", "[99999999999999999999]"),
                f32.replace("[2]", "[9999999999999999999]"), f32.replace("[2]", "2"), f32.replace("\"F32\"", "1"),
                f32.replace("[0,8]", "[0,4,8]"), f32.replace("[0,8]", "[8]"), f32.replace("\"w\"", "w"),
                f32.replace("[2]", "[" + "1,".repeat(40) + "2]"), "{\"__metadata__\":{\"a\":1}}", "{\"__metadata__\":[]}",
                "{\"w\":{\"x\":" + "[".repeat(50_000)))
            refused("its JSON cannot be read: ", bytes(header, 8));
        byte[] notUtf8 = bytes(f32, 8);
        notUtf8[10] = (byte) 0xFF;
        refused("its JSON cannot be read: ", notUtf8);
    }

    @Test
    void everyTruncationIsAUserError() throws IOException {
        byte[] whole = Files.readAllBytes(GOLDEN.resolve("mixed.safetensors"));
        for (int length = 0; length < whole.length; length++) {
            byte[] part = Arrays.copyOf(whole, length);
            assertThrows(UserError.class, () -> open(part).close(), "cut to " + length);
        }
    }

    private static byte[] bytes(String header, int data) {
        return bytes(header.length(), header, data);
    }

    private static byte[] bytes(long length, String header, int data) {
        byte[] text = header.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(8 + text.length + data).order(ByteOrder.LITTLE_ENDIAN).putLong(length).put(text).array();
    }

    private void opens(String header, int data) {
        try (Weights weights = open(bytes(header, data))) {
            assertEquals(List.of("w"), weights.names());
        }
    }

    private void refused(String message, byte[] bytes) {
        assertEquals(folder.resolve("file.safetensors").toString(), assertError(message, () -> open(bytes).close()).where());
    }

    private Weights open(byte[] bytes) {
        try {
            return Weights.open(Files.write(folder.resolve("file.safetensors"), bytes));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static UserError assertError(String message, Executable executable) {
        UserError error = assertThrows(UserError.class, executable);
        assertTrue(error.what().contains(message), error.what());
        return error;
    }

    private static Map<String, Weight> asMap(Weights weights) {
        Map<String, Weight> map = new LinkedHashMap<>();
        weights.names().forEach(name -> map.put(name, weights.get(name)));
        return map;
    }

    private static long[] longs(JsonArray array) {
        return array.asList().stream().mapToLong(JsonElement::getAsLong).toArray();
    }

    private List<String> files() {
        try (Stream<Path> list = Files.list(folder)) {
            return list.map(p -> p.getFileName().toString()).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
