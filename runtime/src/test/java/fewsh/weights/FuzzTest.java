package fewsh.weights;

import static org.junit.jupiter.api.Assertions.assertTrue;

import fewsh.UserError;
import fewsh.tensor.DType;
import fewsh.tensor.Shape;
import fewsh.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SequencedMap;
import java.util.function.BiFunction;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Damaged files either open, and then everything in them can be decoded, or are a [UserError]; and they cost little memory.
///
/// `-Dfuzz.runs=1000000` runs longer; the number of a failing run is its seed.
@Timeout(3600)
class FuzzTest {
    private static final int RUNS = Integer.getInteger("fuzz.runs", 3000);
    /// What a run may allocate: the files are a few kilobytes, so this is only what does not depend on them.
    private static final long MOST_BYTES = 16 << 20;
    private static final long[] EXTREMES = {0, 1, -1, Long.MAX_VALUE, Long.MIN_VALUE, Integer.MAX_VALUE, Integer.MIN_VALUE,
            0xFFFF_FFFFL, 1L << 32, 1L << 40, 1L << 61, (1L << 61) + 1, (1L << 63) - 32, 31, 32, 33, 255, 256, 65536, 1 << 18};

    @TempDir
    Path folder;

    private int opened;
    private int refused;

    @BeforeEach
    void countAllocations() {
        assertTrue(threads().isThreadAllocatedMemoryEnabled());
    }

    @Test
    void damagedGgufFiles() throws IOException {
        Random random = new Random(1);
        GgufFile whole = new GgufFile().put("general.architecture", "llama").put("llama.block_count", 2).put("scale", 0.5f)
                .put("tokenizer.ggml.tokens", List.of("<s>", "a", "é", "the")).put("tokenizer.ggml.scores", List.of(0f, 1f, 2f))
                .put("lists", List.of(List.of(1L, 2L), List.of(3L))).put("flag", true);
        for (Encoding encoding : Encoding.values())
            if (encoding.ggml() >= 0)
                whole.tensor("blk.0." + encoding, encoding, floats(random, 2 * encoding.blockElements()),
                        2, encoding.blockElements());
        fuzz(folder.resolve("model.gguf"), folder.resolve("model.gguf"), whole.bytes(), FuzzTest::damaged);
    }

    @Test
    void damagedSafetensorsFiles() throws IOException {
        SequencedMap<String, Tensor> tensors = new LinkedHashMap<>();
        Random random = new Random(2);
        try (Arena arena = Arena.ofConfined()) {
            for (DType dtype : DType.values()) {
                Tensor tensor = Tensor.allocate(arena, dtype, 2, 3);
                byte[] bytes = new byte[(int) tensor.data().byteSize()];
                random.nextBytes(bytes);
                tensor.data().copyFrom(java.lang.foreign.MemorySegment.ofArray(bytes));
                tensors.put("h.0." + dtype, tensor);
            }
            tensors.put("scalar", new Tensor(DType.FLOAT32, Shape.of(), arena.allocate(4)));
            Safetensors.write(folder.resolve("model.safetensors"), tensors, Map.of("format", "pt"));
        }
        byte[] whole = Files.readAllBytes(folder.resolve("model.safetensors"));
        fuzz(folder, folder.resolve("model.safetensors"), whole,
                (bytes, r) -> r.nextBoolean() ? damaged(bytes, r) : damagedJson(bytes, r));
    }

    @Test
    void damagedIndexes() throws IOException {
        ShardIndexTest.shard(folder.resolve("model-1.safetensors"), "a", 1);
        ShardIndexTest.shard(folder.resolve("model-2.safetensors"), "b", 2);
        byte[] whole = ("{\"metadata\":{\"total_size\":8,\"x\":[1,null,true]},\"weight_map\":{\"b\":\"model-2.safetensors\","
                + "\"a\":\"model-1.safetensors\"}}").getBytes(StandardCharsets.UTF_8);
        fuzz(folder, folder.resolve("model.safetensors.index.json"), whole,
                (bytes, r) -> r.nextInt(4) == 0 ? damaged(bytes, r) : damagedJson(bytes, r));
    }

    private void fuzz(Path model, Path file, byte[] whole, BiFunction<byte[], Random, byte[]> damage) throws IOException {
        Files.write(file, whole);
        useAll(model, "whole");
        assertTrue(opened == 1, "the whole file opens");
        for (int run = 0; run < RUNS; run++) {
            Random random = new Random(run);
            byte[] bytes = whole;
            for (int i = random.nextInt(3); i >= 0; i--) bytes = damage.apply(bytes, random);
            Files.write(file, bytes);
            useAll(model, "run " + run);
        }
        assertTrue(opened > RUNS / 100 && refused > RUNS / 10, opened + " opened, " + refused + " refused of " + RUNS);
    }

    private void useAll(Path model, String run) {
        long before = threads().getCurrentThreadAllocatedBytes();
        try (Weights weights = Weights.open(model); Arena arena = Arena.ofConfined()) {
            opened++;
            weights.metadata().forEach((_, value) -> value.toString());
            for (String name : weights.names()) {
                Weight weight = weights.get(name);
                weight.floats();
                pack(weight, arena);
            }
        } catch (UserError e) {
            refused++;
        } catch (RuntimeException | Error e) {
            throw new AssertionError(run, e);
        }
        long allocated = threads().getCurrentThreadAllocatedBytes() - before;
        assertTrue(allocated < MOST_BYTES, run + " allocated " + allocated);
    }

    private static void pack(Weight weight, Arena arena) {
        if (weight.rows() > 1 << 16) return;
        try {
            Blocks.of(weight, 4, arena).dequantise();
            Blocks.of(weight, 8, arena);
        } catch (UserError e) {
            assertTrue(e.what().endsWith("which no matrix product takes"), e.what());
        }
    }

    private static com.sun.management.ThreadMXBean threads() {
        return (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    }

    /// `bytes` with some bits flipped, cut off, with a piece put elsewhere or left out, or with a number made extreme.
    private static byte[] damaged(byte[] bytes, Random random) {
        if (bytes.length < 16) return bytes;
        byte[] copy = bytes.clone();
        // The start of a file is where its counts are.
        int reach = random.nextBoolean() ? Math.min(bytes.length, 512) : bytes.length;
        int at = random.nextInt(reach);
        switch (random.nextInt(6)) {
            case 0 -> copy[at] ^= (byte) (1 << random.nextInt(8));
            case 1 -> copy[at] = (byte) random.nextInt(256);
            case 2 -> copy = Arrays.copyOf(bytes, random.nextInt(bytes.length));
            case 3 -> {
                int length = Math.min(random.nextInt(64), bytes.length - at);
                System.arraycopy(bytes, random.nextInt(bytes.length - length + 1), copy, at, length);
            }
            case 4 -> copy = spliced(bytes, at, Math.min(bytes.length, at + random.nextInt(16)), new byte[random.nextInt(16)]);
            default -> {
                long value = EXTREMES[random.nextInt(EXTREMES.length)] + random.nextInt(3) - 1;
                ByteBuffer buffer = ByteBuffer.wrap(copy).order(ByteOrder.LITTLE_ENDIAN);
                if (random.nextBoolean()) buffer.putLong(Math.min(at, copy.length - 8), value);
                else buffer.putInt(Math.min(at, copy.length - 4), (int) value);
            }
        }
        return copy;
    }

    /// `bytes` with a number, a word or a sign of the JSON in it replaced; the length before a header stays right.
    private static byte[] damagedJson(byte[] bytes, Random random) {
        int prefix = bytes.length > 9 && bytes[8] == '{' ? 8 : 0;
        if (bytes.length <= prefix + 2) return bytes;
        long length = ByteBuffer.wrap(Arrays.copyOf(bytes, 8)).order(ByteOrder.LITTLE_ENDIAN).getLong();
        int header = prefix == 0 ? bytes.length : Math.clamp(length, 1, bytes.length - prefix);
        int from = prefix + random.nextInt(header);
        int to = from;
        String with = switch (random.nextInt(5)) {
            case 0 -> {
                while (from < prefix + header - 1 && !Character.isDigit(bytes[from])) from++;
                to = from;
                while (to < prefix + header && Character.isDigit(bytes[to])) to++;
                yield Long.toUnsignedString(EXTREMES[random.nextInt(EXTREMES.length)]);
            }
            case 1 -> {
                to = Math.min(prefix + header, from + 1);
                yield String.valueOf("{}[]\",:-.e0 \\n".charAt(random.nextInt(14)));
            }
            case 2 -> List.of("null", "{}", "[]", "\"a\":", "[[[[", "{\"a\":", ",", "../", "\\u0000", "-0.5e9")
                    .get(random.nextInt(10));
            case 3 -> {
                to = Math.min(prefix + header, from + random.nextInt(30));
                yield "";
            }
            default -> {
                int start = prefix + random.nextInt(header);
                int piece = Math.min(random.nextInt(60), prefix + header - start);
                yield new String(bytes, start, piece, StandardCharsets.ISO_8859_1);
            }
        };
        byte[] changed = spliced(bytes, from, to, with.getBytes(StandardCharsets.ISO_8859_1));
        if (prefix == 8)
            ByteBuffer.wrap(changed).order(ByteOrder.LITTLE_ENDIAN).putLong(0, header + changed.length - bytes.length);
        return changed;
    }

    private static byte[] spliced(byte[] bytes, int from, int to, byte[] with) {
        return ByteBuffer.allocate(bytes.length - (to - from) + with.length)
                .put(bytes, 0, from).put(with).put(bytes, to, bytes.length - to).array();
    }

    private static float[] floats(Random random, int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) values[i] = (float) random.nextGaussian();
        return values;
    }
}
