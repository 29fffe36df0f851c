package fewsh.export;

import fewsh.UserError;
import fewsh.models.Adaptation;
import fewsh.models.Checkpoint;
import fewsh.models.Precision;
import fewsh.models.Scaled;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Writes a model for other programs.
public final class Export {
    /// What opens the folder: onnxruntime, onnxruntime-genai, or whatever reads Hugging Face's folders.
    public enum Format {
        ONNX, GENAI, SAFETENSORS;

        /// @throws UserError for a word that is none
        public static Format parse(String word) {
            return Export.parse(values(), "--format", word);
        }
    }

    /// How the numbers are held: `int8` and `int4` the matrices only, in blocks of 32.
    public enum Numbers {
        FP32, FP16, BF16, INT8, INT4;

        /// @throws UserError for a word that is none
        public static Numbers parse(String word) {
            return Export.parse(values(), "--precision", word);
        }

        Precision precision() {
            return switch (this) {
                case FP32, FP16, BF16 -> Precision.FP32;
                case INT8 -> Precision.INT8;
                case INT4 -> Precision.INT4;
            };
        }
    }

    private Export() {}

    private static <E extends Enum<E>> E parse(E[] values, String option, String word) {
        for (E value : values) if (value.name().equalsIgnoreCase(word)) return value;
        throw new UserError(option, "unknown word \"" + word + "\"",
                "give one of " + Arrays.stream(values).map(v -> v.name().toLowerCase()).collect(Collectors.joining(", ")));
    }

    /// Writes the folder `out`, which is there whole or not at all.
    ///
    /// @param adapters merged into the weights
    /// @return the files, in `out`
    /// @throws UserError if `out` is there and not empty, cannot be written, or the model has no such form
    public static List<Path> write(Checkpoint checkpoint, List<Scaled> adapters, Format format, Numbers numbers, Path out) {
        Path target = out.toAbsolutePath().normalize();
        if (Files.exists(target) && !empty(target))
            throw new UserError(out.toString(), "is there already", "name a folder that is not there, or remove it");
        boolean whole = format == Format.SAFETENSORS;
        if (whole ? numbers == Numbers.INT8 || numbers == Numbers.INT4 : numbers == Numbers.BF16)
            throw new UserError("--precision", numbers.name().toLowerCase() + " is not for " + format.name().toLowerCase(),
                    "give one of " + (whole ? "fp32, fp16, bf16" : "fp32, fp16, int8, int4"));
        Checkpoint merged = Adaptation.merged(checkpoint, adapters);
        try {
            Files.createDirectories(target.getParent());
            Path temporary = Files.createDirectory(target.resolveSibling(".fewsh-convert-" + UUID.randomUUID()));
            Thread interrupted = new Thread(() -> deleteQuietly(temporary));       // a process that is told to end leaves nothing
            Runtime.getRuntime().addShutdownHook(interrupted);
            try {
                switch (format) {
                    case ONNX -> Graphs.write(merged, numbers, temporary);
                    case GENAI -> Genai.write(merged, numbers, temporary);
                    case SAFETENSORS -> Folder.write(merged, numbers, temporary);
                }
                Sidecars.write(merged, numbers, temporary);
                move(temporary, target);
            } finally {
                delete(temporary);
                unhook(interrupted);
            }
            try (Stream<Path> files = Files.list(target)) {
                return files.map(f -> out.resolve(f.getFileName())).sorted().toList();
            }
        } catch (IOException | UncheckedIOException e) {
            throw new UserError(out.toString(), "cannot be written: " + e.getMessage(), "make room there, or name another place", e);
        }
    }

    private static void unhook(Thread hook) {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException _) {
            // the process ends already, and the hook with it
        }
    }

    private static void deleteQuietly(Path folder) {
        try {
            delete(folder);
        } catch (IOException | UncheckedIOException _) {
            // the process ends: nobody is left to be told
        }
    }

    private static boolean empty(Path folder) {
        if (!Files.isDirectory(folder)) return false;
        try (Stream<Path> files = Files.list(folder)) {
            return files.findAny().isEmpty();
        } catch (IOException e) {
            throw new UserError(folder.toString(), "cannot be read: " + e.getMessage(), "", e);
        }
    }

    private static void move(Path from, Path to) throws IOException {
        Files.deleteIfExists(to);                           // empty, or else this fails
        try {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
        } catch (FileSystemException e) {
            throw new IOException("could not move " + from + " there: " + e.getMessage(), e);
        }
    }

    private static void delete(Path folder) throws IOException {
        if (!Files.exists(folder)) return;
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) Files.delete(file);
        }
    }
}
