package fewsh.weights;

import java.util.Map;

/// Names of the ggml types that are not read, for messages. Source: `enum ggml_type` of ggml.h.
final class GgmlTypes {
    private static final Map<Long, String> NAMES = Map.ofEntries(
            Map.entry(9L, "Q8_1"), Map.entry(15L, "Q8_K"), Map.entry(16L, "IQ2_XXS"), Map.entry(17L, "IQ2_XS"),
            Map.entry(18L, "IQ3_XXS"), Map.entry(19L, "IQ1_S"), Map.entry(20L, "IQ4_NL"), Map.entry(21L, "IQ3_S"),
            Map.entry(22L, "IQ2_S"), Map.entry(23L, "IQ4_XS"), Map.entry(29L, "IQ1_M"), Map.entry(34L, "TQ1_0"),
            Map.entry(35L, "TQ2_0"), Map.entry(39L, "MXFP4"), Map.entry(40L, "NVFP4"), Map.entry(41L, "Q1_0"));

    private GgmlTypes() {}

    static String name(long number) {
        String name = NAMES.get(number);
        return name == null ? Long.toString(number) : name + " (" + number + ")";
    }
}
