package fewsh.generate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import com.google.gson.JsonArray;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import fewsh.UserError;
import fewsh.load.LoadOptions;
import fewsh.models.Precision;
import fewsh.models.TinyModels;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Model folders that are damaged, hostile or merely wrong, and the conversions that are kept of good ones.
class HostileModelTest {
    @TempDir
    Path folder;

    private LoadOptions options(Precision precision) {
        return LoadOptions.in(folder.resolve("home")).withPrecision(precision).withThreads(1);
    }

    private static String answer(CausalLm lm, String prompt) {
        StringBuilder text = new StringBuilder();
        try (KvCache cache = lm.cache(); Decoding d = lm.decode(cache, lm.encode(prompt), SamplingConfig.GREEDY.withMaxTokens(4), 1)) {
            while (d.hasNext()) if (d.next() instanceof Step.Token token) text.append(token.text());
        }
        return text.toString();
    }

    private UserError refused(Path model) {
        return assertThrows(UserError.class, () -> CausalLm.open(model, options(Precision.FP32)).close());
    }

    private Path changed(String key, Object value) throws IOException {
        Path model = TinyModels.llama(folder.resolve("changed"), 1);
        JsonObject config = JsonParser.parseString(Files.readString(model.resolve("config.json"))).getAsJsonObject();
        switch (value) {
            case null -> config.remove(key);
            case Number n -> config.addProperty(key, n);
            case Boolean b -> config.addProperty(key, b);
            default -> config.addProperty(key, value.toString());
        }
        Files.writeString(model.resolve("config.json"), config.toString());
        return model;
    }

    @Test
    void whatIsWrongIsNamed() throws IOException {
        String config = folder.resolve("changed").resolve("config.json").toString();
        UserError mamba = refused(changed("model_type", "mamba"));
        assertEquals(config, mamba.where());
        assertEquals("model_type \"mamba\" is not supported", mamba.what());
        assertTrue(mamba.fix().startsWith("supported: ") && mamba.fix().contains("gpt2, gpt_neox, "), mamba.fix());
        assertEquals("\"hidden_size\" is missing", refused(changed("hidden_size", null)).what());
        assertEquals("\"num_hidden_layers\" must be a whole number from 1 to 16777216, was -3",
                refused(changed("num_hidden_layers", -3)).what());
        assertEquals("hidden_act \"quux\" is not supported", refused(changed("hidden_act", "quux")).what());
        assertTrue(refused(changed("vocab_size", 261)).what()
                .startsWith("model.embed_tokens.weight is [260, 48], config.json asks for [261, 48]"));
        assertTrue(refused(changed("num_hidden_layers", 3)).what().startsWith("no tensor \"model.layers.2.input_layernorm.weight\""));
        assertTrue(refused(changed("head_dim", 7)).what().contains("head_dim must be even"));
        assertEquals("no such file", refused(folder.resolve("nowhere.gguf")).what());
        assertTrue(refused(Files.createDirectories(folder.resolve("empty"))).where().endsWith("config.json"));
    }

    /// Each mutation of any file of a folder either still opens, and then answers, or is refused with a [UserError].
    @Test
    void mutatedFoldersAnswerOrAreRefused() throws IOException {
        Path good = TinyModels.llama(folder.resolve("good"), 3);
        Path bad = Files.createDirectories(folder.resolve("bad"));
        List<Path> files;
        try (Stream<Path> all = Files.list(good)) {
            files = all.sorted().toList();
        }
        int runs = Integer.getInteger("fuzz.runs", 1200);
        int refused = 0;
        for (int seed = 0; seed < runs; seed++) {
            Random random = new Random(seed);
            for (Path file : files) Files.copy(file, bad.resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
            Path target = bad.resolve(files.get(random.nextInt(files.size())).getFileName());
            Files.write(target, mutated(Files.readAllBytes(target), target.toString().endsWith(".json"), random));
            try (CausalLm lm = CausalLm.open(bad, options(Precision.FP32))) {
                answer(lm, "to be");
            } catch (UserError e) {
                refused++;
                assertTrue(!e.what().isBlank(), "seed " + seed);
            } catch (RuntimeException | Error e) {
                fail("seed " + seed + " changed " + target.getFileName(), e);
            }
        }
        assertTrue(refused > runs / 4 && refused < runs, "refused " + refused + " of " + runs);
    }

    private static byte[] mutated(byte[] bytes, boolean json, Random random) {
        if (json && random.nextInt(3) > 0) {
            JsonObject object = JsonParser.parseString(new String(bytes, StandardCharsets.UTF_8)).getAsJsonObject();
            List<String> keys = new ArrayList<>(object.keySet());
            String key = keys.get(random.nextInt(keys.size()));
            switch (random.nextInt(9)) {
                case 0 -> object.remove(key);
                case 1 -> object.add(key, JsonNull.INSTANCE);
                case 2 -> object.addProperty(key, "");
                case 3 -> object.addProperty(key, -1);
                case 4 -> object.addProperty(key, Integer.MAX_VALUE);
                case 5 -> object.addProperty(key, BigInteger.TEN.pow(40));
                case 6 -> object.add(key, new JsonArray());
                case 7 -> object.add(key, new JsonPrimitive(1e-300));
                default -> object.addProperty(key, 1 << random.nextInt(25));
            }
            return object.toString().getBytes(StandardCharsets.UTF_8);
        }
        switch (random.nextInt(3)) {
            case 0 -> {
                return java.util.Arrays.copyOf(bytes, random.nextInt(bytes.length));
            }
            case 1 -> bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
            default -> {
                int at = random.nextInt(bytes.length);
                for (int i = at; i < Math.min(bytes.length, at + 8); i++) bytes[i] = (byte) random.nextInt();
            }
        }
        return bytes;
    }

    private List<Path> kept() throws IOException {
        try (Stream<Path> files = Files.find(folder.resolve("home/cache"), 4, (f, _) -> f.endsWith("model.onnx.data"))) {
            return files.toList();
        }
    }

    @Test
    void aConversionIsKeptAndADamagedOneMadeAgain() throws IOException {
        Path model = TinyModels.alphabet(folder.resolve("alphabet"));
        try (CausalLm lm = CausalLm.open(model, options(Precision.INT8))) {
            assertEquals("bcde", answer(lm, "a"));
        }
        Path data = kept().getFirst();
        byte[] sound = Files.readAllBytes(data);
        Object inode = Files.getAttribute(data, "unix:ino");
        CausalLm.open(model, options(Precision.INT8)).close();
        assertEquals(inode, Files.getAttribute(data, "unix:ino"), "made again without need");

        Random random = new Random(5);
        for (int i = 0; i < 8; i++) {
            byte[] damaged = sound.clone();
            damaged[random.nextInt(damaged.length)] ^= 4;
            Files.write(data, i % 2 == 0 ? damaged : java.util.Arrays.copyOf(sound, random.nextInt(sound.length)));
            if (i == 6) Files.writeString(data.resolveSibling("manifest.json"), "{");
            if (i == 7) Files.delete(data.resolveSibling("model.onnx"));
            try (CausalLm lm = CausalLm.open(model, options(Precision.INT8))) {
                assertEquals("bcde", answer(lm, "a"));
            }
            assertTrue(java.util.Arrays.equals(sound, Files.readAllBytes(data)));
        }
        assertEquals(1, kept().size());
    }

    @Test
    void aConversionIsNotUsedForAnotherContentOfTheSameSizeAndTime() throws IOException {
        Path model = TinyModels.llama(folder.resolve("one"), 1);
        Path other = TinyModels.llama(folder.resolve("other"), 2);
        String first;
        try (CausalLm lm = CausalLm.open(model, options(Precision.FP32))) {
            first = answer(lm, "to be or not");
        }
        String second;
        try (CausalLm lm = CausalLm.open(other, options(Precision.FP32))) {
            second = answer(lm, "to be or not");
        }
        var time = Files.getLastModifiedTime(model.resolve("model.safetensors"));
        Files.write(model.resolve("model.safetensors"), Files.readAllBytes(other.resolve("model.safetensors")));
        Files.setLastModifiedTime(model.resolve("model.safetensors"), time);
        try (CausalLm lm = CausalLm.open(model, options(Precision.FP32))) {
            assertEquals(second, answer(lm, "to be or not"));
        }
        assertTrue(!first.equals(second));
    }

    @Test
    void aFolderWithOneGgufFileIsThatModel() throws IOException {
        Path one = Files.createDirectories(folder.resolve("gguf"));
        Files.write(one.resolve("a.gguf"), TinyModels.gguf());
        try (CausalLm lm = CausalLm.open(one, options(Precision.FP32))) {
            assertEquals("llama", lm.about().architecture());
            assertTrue(lm.chatTemplate().isPresent());
        }
        Files.write(one.resolve("b.gguf"), TinyModels.gguf());
        assertEquals("holds 2 .gguf files", refused(one).what());
    }

    @Test
    void aHomeThatCannotBeWrittenIsAnError() throws IOException {
        Path model = TinyModels.llama(folder.resolve("model"), 1);
        Path file = Files.writeString(folder.resolve("file"), "");
        UserError e = assertThrows(UserError.class, () -> CausalLm.open(model, LoadOptions.in(file).withThreads(1)).close());
        assertEquals("make room there, or set FEWSH_HOME to a folder that can be written", e.fix());
    }
}
