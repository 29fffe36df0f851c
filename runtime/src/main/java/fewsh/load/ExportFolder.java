package fewsh.load;

import fewsh.UserError;
import fewsh.models.Architectures;
import fewsh.models.Precision;
import fewsh.models.Settings;
import fewsh.session.Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The graphs that someone else made of a model: what an ONNX file or folder holds, told from its files.
///
/// Folders of optimum (`model.onnx`, `encoder_model.onnx`, `decoder_model_merged.onnx`, …), of transformers.js (`onnx/` with a
/// suffix that says how the weights are held), of onnxruntime-genai (`genai_config.json`), and single files.
///
/// @param folder where config, tokenizer and so on are
/// @param graphs the files by what they are: `model`; or `encoder`, `decoder`, `decoder_with_past`, `decoder_merged`, …
/// @param settings of `config.json`; empty ones if there is none
/// @param genai of `genai_config.json`, if there is one
public record ExportFolder(Path folder, SequencedMap<String, Path> graphs, Settings settings, Optional<Genai> genai) {
    /// How the weights are held in a file whose name ends so, the preferred of each precision first. `_fp16` is float32 but
    /// for rounding; signed bytes need a processor that multiplies them without saturating.
    private static final SequencedMap<String, Precision> SUFFIXES = new LinkedHashMap<>();

    static {
        for (String s : List.of("", "_O3", "_O2", "_O1", "_optimized", "_fp16", "_O4")) SUFFIXES.put(s, Precision.FP32);
        for (String s : List.of("_qint8_avx512_vnni", "_qint8_avx512", "_quantized", "_int8", "_uint8", "_quint8_avx2"))
            SUFFIXES.put(s, Precision.INT8);
        for (String s : List.of("_q4", "_q4f16", "_bnb4")) SUFFIXES.put(s, Precision.INT4);
    }

    /// Files of float32 weights below this are small: see [Precision#of].
    private static final long SMALL = 80_000_000;

    /// One `.onnx` file: which graph, in which variant.
    private record Named(String graph, String suffix, Path path) {
        static Named of(Path path) {
            String name = path.getFileName().toString();
            String base = name.substring(0, name.length() - ".onnx".length());
            String suffix = SUFFIXES.keySet().stream().filter(s -> !s.isEmpty() && base.endsWith(s)).findFirst().orElse("");
            return new Named(graph(base.substring(0, base.length() - suffix.length())), suffix, path);
        }

        private static String graph(String base) {
            if (base.contains("decoder")) return base.contains("merged") ? "decoder_merged"
                    : base.contains("with_past") ? "decoder_with_past" : "decoder";
            if (base.contains("vision")) return "vision";
            if (base.contains("embed_tokens")) return "embed_tokens";
            return base.contains("encoder") ? "encoder" : base;
        }
    }

    /// What is at `path`, if it is for the runtime as it stands: an `.onnx` file; or a folder with such files and either no
    /// weights that one of our pages builds from, or nothing but them.
    ///
    /// @throws UserError if no file is of the precision that is asked for, or a configuration is damaged
    public static Optional<ExportFolder> find(Path path, LoadOptions options) {
        if (isOnnx(path) && Files.isRegularFile(path)) {
            Path folder = path.toAbsolutePath().getParent();
            Path above = folder.getParent();
            if (above != null && folder.endsWith("onnx") && !described(folder) && described(above)) folder = above;
            return Optional.of(of(folder, new TreeMap<>(Map.of("model", path))));
        }
        if (!Files.isDirectory(path)) return Optional.empty();
        Path inside = path.resolve("onnx");
        List<Path> files = onnx(path);
        Path folder = path;
        if (files.isEmpty() && Files.isDirectory(inside)) files = onnx(inside);
        else if (path.endsWith("onnx") && !described(path) && path.toAbsolutePath().getParent() != null
                && described(path.toAbsolutePath().getParent())) folder = path.toAbsolutePath().getParent();
        if (files.isEmpty() || hasOwnPage(path)) return Optional.empty();
        Optional<Genai> genai = Genai.find(folder);
        if (genai.isPresent()) return Optional.of(of(folder, genai.get().graphs()));
        return Optional.of(of(folder, chosen(path, files, options)));
    }

    private static ExportFolder of(Path folder, SequencedMap<String, Path> graphs) {
        Path config = folder.resolve("config.json");
        Settings settings = Settings.ifThere(config);
        return new ExportFolder(folder, graphs, settings, Genai.find(folder));
    }

    private static boolean described(Path folder) {
        return Files.exists(folder.resolve("config.json")) || Files.exists(folder.resolve("genai_config.json"));
    }

    /// Whether there are weights in other files, of an architecture that has a page.
    private static boolean hasOwnPage(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            List<String> names = files.map(f -> f.getFileName().toString().toLowerCase()).toList();
            if (names.stream().anyMatch(n -> n.endsWith(".gguf"))) return true;
            return names.stream().anyMatch(n -> n.endsWith(".safetensors") || n.endsWith(".safetensors.index.json"))
                    && names.contains("config.json") && Architectures.knows(Settings.read(folder.resolve("config.json"), ""));
        } catch (IOException e) {
            throw unreadable(folder, e);
        }
    }

    private static boolean isOnnx(Path path) {
        return path.toString().toLowerCase().endsWith(".onnx");
    }

    private static List<Path> onnx(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(f -> isOnnx(f) && Files.isRegularFile(f)).sorted().toList();
        } catch (IOException e) {
            throw unreadable(folder, e);
        }
    }

    private static UserError unreadable(Path folder, IOException e) {
        return new UserError(folder.toString(), "cannot be read: " + e.getMessage(), "", e);
    }

    /// Of each graph the file that serves best at the precision that is asked for.
    private static SequencedMap<String, Path> chosen(Path folder, List<Path> files, LoadOptions options) {
        Map<String, List<Named>> graphs = files.stream().map(Named::of).collect(Collectors.groupingBy(Named::graph, TreeMap::new,
                Collectors.toList()));
        List<Precision> wanted = options.precision() == Precision.AUTO ? order(files, options.device())
                : List.of(options.precision());
        SequencedMap<String, Path> chosen = new TreeMap<>();
        graphs.forEach((graph, variants) -> chosen.put(graph, best(folder, variants, wanted, options.device()).path));
        // a merged decoder does what the other two do
        if (chosen.containsKey("decoder_merged")) chosen.keySet().removeAll(List.of("decoder", "decoder_with_past"));
        // without an encoder, what continues a cache can also begin one
        if (!chosen.containsKey("encoder") && chosen.containsKey("decoder_with_past")) chosen.remove("decoder");
        return chosen.size() == 1 ? new TreeMap<>(Map.of("model", chosen.firstEntry().getValue())) : chosen;
    }

    private static Named best(Path folder, List<Named> variants, List<Precision> wanted, Device device) {
        // one file alone holds what it holds; what that is shows when it is opened
        if (variants.size() == 1 && variants.getFirst().suffix.isEmpty()) return variants.getFirst();
        for (Precision precision : wanted)
            for (String suffix : suffixes(precision, device))
                for (Named named : variants) if (named.suffix.equals(suffix)) return named;
        throw new UserError(folder.toString(), "holds no " + wanted.getFirst().word() + " file of \"" + variants.getFirst().graph
                + "\"", "there are "
                + variants.stream().map(n -> n.path.getFileName() + " (" + SUFFIXES.get(n.suffix).word() + ")")
                .collect(Collectors.joining(", ")) + ": choose with --precision");
    }

    private static List<String> suffixes(Precision precision, Device device) {
        List<String> suffixes = new ArrayList<>();
        SUFFIXES.forEach((suffix, p) -> {
            if (p == precision) suffixes.add(suffix);
        });
        if (precision == Precision.INT8 && !Precision.hasByteProducts()) {
            List<String> unsigned = List.of("_uint8", "_quint8_avx2");
            suffixes.removeAll(unsigned);
            suffixes.addAll(0, unsigned);
        }
        if (device.provider() != Device.Provider.CPU && suffixes.remove("_q4f16")) suffixes.addFirst("_q4f16");
        return suffixes;
    }

    /// What `auto` tries, in turn: 8 bits for a model of some size on the CPU, else float32; graphics processors have no
    /// kernels for the 8-bit operators that exporters use.
    private static List<Precision> order(List<Path> files, Device device) {
        if (device.provider() != Device.Provider.CPU) return List.of(Precision.FP32, Precision.INT4, Precision.INT8);
        long float32 = 0;
        for (Path file : files) if (Named.of(file).suffix.isEmpty()) float32 = Math.max(float32, size(file));
        return float32 > 0 && float32 < SMALL ? List.of(Precision.FP32, Precision.INT8, Precision.INT4)
                : List.of(Precision.INT8, Precision.INT4, Precision.FP32);
    }

    /// Of a model and the data beside it.
    private static long size(Path file) {
        try (Stream<Path> all = Files.list(file.toAbsolutePath().getParent())) {
            String name = file.getFileName().toString();
            long bytes = 0;
            for (Path path : all.filter(p -> p.getFileName().toString().startsWith(name)).toList()) bytes += Files.size(path);
            return bytes;
        } catch (IOException e) {
            throw unreadable(file, e);
        }
    }

    /// The architecture, under the name that its configuration gives it; empty if nothing does.
    public String architecture() {
        return settings.text("model_type", genai.map(g -> g.model().text("type", "")).orElse(""));
    }

    /// Most positions of one sequence; 0 if nothing says so.
    public int contextLength() {
        if (genai.isPresent()) return genai.get().model().size("context_length", 0);
        for (String key : List.of("max_position_embeddings", "n_positions", "n_ctx", "max_sequence_length", "max_seq_len",
                "seq_length", "max_target_positions"))
            if (settings.has(key)) return settings.size(key);
        return settings.has("text_config") 
                ? new ExportFolder(folder, graphs, settings.object("text_config"), genai).contextLength() : 0;
    }
}
