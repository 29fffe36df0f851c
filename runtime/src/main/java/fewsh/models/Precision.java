package fewsh.models;

import fewsh.UserError;
import fewsh.weights.Encoding;
import fewsh.weights.Weight;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// How a model's matrices are held and multiplied; norms, biases and positions are float32 in each.
///
/// `int4` and `int8` keep the file's own scales where the operator can hold them and round the activations to 8 bits, block
/// by block. docs/precision.md says what each costs in perplexity.
public enum Precision {
    /// What serves the file best: see [#of].
    AUTO,
    FP32,
    INT8,
    INT4;

    /// Below this many parameters float32 is as fast and nothing is gained by rounding.
    private static final long SMALL = 20_000_000;

    /// @throws UserError for a word that is none
    public static Precision parse(String word) {
        for (Precision p : values()) if (p.word().equals(word)) return p;
        throw new UserError("--precision", "unknown precision \"" + word + "\"", "precisions are "
                + Arrays.stream(values()).map(Precision::word).collect(Collectors.joining(", ")));
    }

    public String word() {
        return name().toLowerCase();
    }

    /// This, or for `auto` the fastest that loses at most 1 % in perplexity against float32: 4 bits for a file most of whose
    /// parameters are in 4-bit blocks, 8 bits for one in other blocks or in 16 or 32 bits, float32 for a small model. Where
    /// the processor multiplies bytes in one instruction, 8 bits are faster than 4-bit blocks with minima, whose offsets
    /// take operators of their own. docs/precision.md has the figures.
    public Precision of(Checkpoint checkpoint) {
        if (this != AUTO) return this;
        if (checkpoint.parameters() < SMALL) return FP32;
        Map<Precision, Long> sizes = new TreeMap<>();
        for (Weight weight : checkpoint.matrices()) sizes.merge(fastest(weight.encoding()), weight.shape().count(), Long::sum);
        return sizes.entrySet().stream().max(Map.Entry.comparingByValue()).map(Map.Entry::getKey).orElse(FP32);
    }

    private static Precision fastest(Encoding encoding) {
        return switch (encoding) {
            case Q4_0 -> INT4;
            case Q4_1, Q4_K -> Vnni.HERE ? INT8 : INT4;
            case F64, F32, F16, BF16, I64, I32, I16, I8, U8, BOOL, Q5_0, Q5_1, Q8_0, Q2_K, Q3_K, Q5_K, Q6_K -> INT8;
        };
    }

    /// Whether the processor multiplies bytes in one instruction; without, products of signed bytes may saturate.
    public static boolean hasByteProducts() {
        return Vnni.HERE;
    }

    /// Whether the processor has the byte products of AVX-512 VNNI or AVX-VNNI; unknown ones count as having none.
    private static final class Vnni {
        static final boolean HERE = flags().matches("(?s).*\\bavx(512)?_vnni\\b.*");

        private static String flags() {
            try (Stream<String> lines = Files.lines(Path.of("/proc/cpuinfo"))) {
                return lines.filter(l -> l.startsWith("flags")).findFirst().orElse("");
            } catch (IOException | UncheckedIOException e) {
                return "";                                  // not Linux
            }
        }
    }

    /// The bits that a matrix is held in here; 32 for float32. Under `int4` a matrix that the file keeps in more than 4 bits
    /// by its own choice, such as an 8-bit embedding, stays at 8.
    int bits(Weight weight) {
        return switch (this) {
            case AUTO -> throw new IllegalStateException("auto must be decided first");
            case FP32 -> 32;
            case INT8 -> 8;
            case INT4 -> switch (weight.encoding()) {
                case Q5_0, Q5_1, Q8_0, Q5_K, Q6_K -> 8;
                case F64, F32, F16, BF16, I64, I32, I16, I8, U8, BOOL, Q4_0, Q4_1, Q2_K, Q3_K, Q4_K -> 4;
            };
        };
    }
}
