package fewsh.load;

import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import fewsh.UserError;
import fewsh.graph.Lowering;
import fewsh.models.Adaptation;
import fewsh.models.Checkpoint;
import fewsh.models.LoraSlot;
import fewsh.models.Net;
import fewsh.models.Precision;
import fewsh.onnx.DataFile;
import fewsh.onnx.OnnxFile;
import fewsh.session.Device;
import fewsh.session.Session;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

/// Models as the runtime takes them fastest, kept in `cache/` of the home folder: built once, checked at every use.
///
/// A folder's name is the SHA-256 of what it was made from: the content of the model's files, the precision, the device, the
/// processor, our format's and the runtime's version. It holds a `.onnx` file a graph, such as `model.onnx`, the weights of all in
/// `model.onnx.data`, and `manifest.json` with the size and CRC-32C of each; one that does not agree is thrown away and built
/// again.
///
/// @param folder where it is
/// @param sound whether its bytes are those that were written: known a little later, since they are read while the runtime
///              loads them too; what was loaded is not to be used before
record Prepared(Path folder, CompletableFuture<Boolean> sound) {
    /// To be raised whenever a graph or the layout of a weight changes; `PreparedTest` notices.
    static final int FORMAT = 8;
    private static final String DATA = "model.onnx.data";

    Path model(String graph) {
        return folder.resolve(graph + ".onnx");
    }

    /// The prepared model, which is made now if it is not there yet.
    static Prepared of(Adaptation adapted, Precision precision, LoadOptions options) {
        Checkpoint checkpoint = adapted.checkpoint();
        Path cache = options.home().resolve("cache");
        try {
            Path folder = cache.resolve(owner(checkpoint.path(), options.home())).resolve(key(adapted, precision, options, cache));
            if (!complete(folder)) build(folder, adapted, precision, options.device().provider());
            return new Prepared(folder, CompletableFuture.supplyAsync(() -> sound(folder)));
        } catch (IOException | UncheckedIOException e) {
            throw new UserError(cache.toString(), "the converted model cannot be kept there: " + e.getMessage(),
                    "make room there, or set FEWSH_HOME to a folder that can be written", e);
        }
    }

    /// The folder of a model in the store has the model's name, so that removing the one removes the other.
    private static String owner(Path model, Path home) {
        Path models = home.resolve("models").toAbsolutePath().normalize();
        Path path = model.toAbsolutePath().normalize();
        return path.startsWith(models) && !path.equals(models) ? models.relativize(path).getName(0).toString() : "elsewhere";
    }

    private static void build(Path folder, Adaptation adapted, Precision precision, Device.Provider provider) throws IOException {
        Checkpoint checkpoint = adapted.checkpoint();
        Files.createDirectories(folder.getParent());
        sweep(folder.getParent());
        Path temporary = Files.createTempDirectory(folder.getParent(), "building-");
        try {
            List<String> files = new ArrayList<>(List.of(DATA));
            try (DataFile data = new DataFile(temporary.resolve(DATA))) {
                for (var graph : adapted.page().graphs().entrySet()) {
                    files.add(graph.getKey() + ".onnx");
                    Path file = temporary.resolve(graph.getKey() + ".onnx");
                    if (provider.fusedProducts())
                        OnnxFile.write(Net.build(graph.getValue(), checkpoint, precision, data::keep, adapted.slots(),
                                provider == Device.Provider.CPU), file, data);
                    else lower(graph.getValue(), adapted, precision, file, data);
                }
            }
            JsonObject manifest = new JsonObject();
            manifest.addProperty("model", checkpoint.path().toAbsolutePath().normalize().toString());
            manifest.addProperty("precision", precision.word());
            for (String name : files) {
                manifest.addProperty(name + ".size", Files.size(temporary.resolve(name)));
                manifest.addProperty(name + ".crc32c", crc32c(temporary.resolve(name)));
            }
            Files.writeString(temporary.resolve("manifest.json"), manifest.toString());
            delete(folder);
            try {
                Files.move(temporary, folder, StandardCopyOption.ATOMIC_MOVE);
            } catch (FileSystemException e) {
                // another process was quicker
                if (!complete(folder)) throw e;
            }
        } finally {
            delete(temporary);
        }
    }

    /// Builds for a provider without fused products; what only the graph before that needed does not get into `data`.
    private static void lower(Consumer<Net> build, Adaptation adapted, Precision precision, Path file, DataFile data)
            throws IOException {
        Checkpoint checkpoint = adapted.checkpoint();
        Path scratch = file.resolveSibling("scratch");
        try (DataFile before = new DataFile(scratch)) {
            OnnxFile.write(Lowering.plainProducts(
                    Net.build(build, checkpoint, precision, before::keep, adapted.slots(), false), data::keep), file, data);
        } finally {
            Files.deleteIfExists(scratch);
        }
    }

    /// Removes what a process that was killed left half-built; one that still builds touches its folder within the hour.
    private static void sweep(Path cache) throws IOException {
        Instant hourAgo = Instant.now().minus(Duration.ofHours(1));
        try (Stream<Path> left = Files.list(cache)) {
            for (Path path : left.filter(p -> p.getFileName().toString().startsWith("building-")).toList())
                if (Files.getLastModifiedTime(path).toInstant().isBefore(hourAgo)) delete(path);
        }
    }

    /// Throws the folder away, to be made again.
    void discard() {
        try {
            delete(folder);
        } catch (IOException e) {
            throw new UserError(folder.toString(), "the converted model is damaged and cannot be removed: " + e.getMessage(),
                    "remove the folder", e);
        }
    }

    /// Whether all files are there, of the sizes that the manifest gives.
    private static boolean complete(Path folder) throws IOException {
        JsonObject manifest = manifest(folder);
        for (String name : files(manifest)) {
            Path file = folder.resolve(name);
            if (!Files.exists(file) || !given(manifest, name + ".size", Files.size(file))) return false;
        }
        return manifest.has(DATA + ".size");
    }

    private static boolean sound(Path folder) {
        try {
            JsonObject manifest = manifest(folder);
            for (String name : files(manifest)) if (!given(manifest, name + ".crc32c", crc32c(folder.resolve(name)))) return false;
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    private static List<String> files(JsonObject manifest) {
        return manifest.keySet().stream().filter(k -> k.endsWith(".size")).map(k -> k.substring(0, k.length() - 5)).toList();
    }

    private static boolean given(JsonObject manifest, String key, long value) {
        return manifest.get(key) instanceof JsonPrimitive p && p.isNumber() && p.getAsString().equals(Long.toString(value));
    }

    /// Empty when there is none, or none that we wrote.
    private static JsonObject manifest(Path folder) throws IOException {
        Path file = folder.resolve("manifest.json");
        if (!Files.exists(file)) return new JsonObject();
        try {
            return JsonParser.parseString(Files.readString(file)) instanceof JsonObject object ? object : new JsonObject();
        } catch (JsonParseException | CharacterCodingException e) {
            return new JsonObject();
        }
    }

    private static long crc32c(Path file) throws IOException {
        CRC32C crc = new CRC32C();
        ByteBuffer buffer = ByteBuffer.allocateDirect(1 << 20);
        try (FileChannel channel = FileChannel.open(file)) {
            while (channel.read(buffer) >= 0) {
                crc.update(buffer.flip());
                buffer.clear();
            }
        }
        return crc.getValue();
    }

    private static String key(Adaptation adapted, Precision precision, LoadOptions options, Path cache) throws IOException {
        Checkpoint checkpoint = adapted.checkpoint();
        MessageDigest sha = sha256();
        List<Path> files = new ArrayList<>(checkpoint.weights().files());
        if (!checkpoint.isGguf()) files.add(checkpoint.path().resolve("config.json"));
        for (Path folder : adapted.replacingFolders())
            files.addAll(List.of(folder.resolve("adapter_config.json"), folder.resolve("adapter_model.safetensors")));
        for (Path file : files) sha.update(content(file, cache));
        String made = "%d %s %s %s %s %s".formatted(FORMAT, precision, options.device().provider(), Session.version(),
                System.getProperty("os.arch"), processor());
        sha.update(made.getBytes(StandardCharsets.UTF_8));
        // the graph has their low-rank matrices as inputs: of these only the places matter, of what they replace all
        String slots = adapted.slots().stream().map(LoraSlot::toString).sorted().collect(Collectors.joining("\n"));
        String scales = adapted.replacing().stream().map(s -> " " + s.scale()).collect(Collectors.joining());
        sha.update((slots + scales).getBytes(StandardCharsets.UTF_8));
        return HexFormat.of().formatHex(sha.digest(), 0, 16);
    }

    /// The runtime packs weights as the processor likes them.
    private static String processor() throws IOException {
        Path cpuinfo = Path.of("/proc/cpuinfo");
        if (!Files.exists(cpuinfo)) return "";
        try (Stream<String> lines = Files.lines(cpuinfo)) {
            return lines.filter(l -> l.startsWith("flags") || l.startsWith("Features")).findFirst().orElse("");
        }
    }

    /// The SHA-256 of a file's bytes; remembered under its place, size and times, which no change leaves as they were.
    private static byte[] content(Path file, Path cache) throws IOException {
        Path real = file.toRealPath();
        StringBuilder identity = new StringBuilder(real.toString());
        String attributes = real.getFileSystem().supportedFileAttributeViews().contains("unix")
                ? "unix:dev,ino,size,lastModifiedTime,ctime" : "size,lastModifiedTime,creationTime";
        Files.readAttributes(real, attributes).entrySet().stream().sorted(java.util.Map.Entry.comparingByKey())
                .forEach(a -> identity.append('\n').append(a));
        MessageDigest sha = sha256();
        String name = HexFormat.of().formatHex(sha.digest(identity.toString().getBytes(StandardCharsets.UTF_8)));
        Path known = cache.resolve("sha256").resolve(name);
        if (Files.exists(known) && Files.size(known) == sha.getDigestLength()) return Files.readAllBytes(known);
        byte[] buffer = new byte[1 << 20];
        try (InputStream in = Files.newInputStream(real)) {
            for (int n; (n = in.read(buffer)) >= 0; ) sha.update(buffer, 0, n);
        }
        byte[] digest = sha.digest();
        Files.createDirectories(known.getParent());
        Path temporary = Files.createTempFile(known.getParent(), "new-", "");
        Files.write(temporary, digest);
        Files.move(temporary, known, StandardCopyOption.REPLACE_EXISTING);
        return digest;
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void delete(Path folder) throws IOException {
        if (!Files.exists(folder)) return;
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) Files.delete(file);
        }
    }
}
