package fewsh.prompt;

import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Collection;
import java.util.Map;
import java.util.TreeMap;

/// Random numbers that depend on a seed, an item and a counter alone, the same on every machine.
final class Draw {
    private static final long GOLDEN = 0x9e3779b97f4a7c15L;

    private Draw() {}

    /// The number drawn at a counter, none depending on how many others are drawn: SplitMix64 (Steele, Lea & Flood 2014).
    static long draw(long key, long counter) {
        long z = key + GOLDEN * (counter + 1);
        z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
        z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
        return z ^ (z >>> 31);
    }

    /// The first 8 bytes of SHA-256 over the seed and the inputs in the order of their names.
    static long key(long seed, Map<String, ?> item) {
        StringBuilder text = new StringBuilder().append(seed);
        new TreeMap<>(item).forEach((name, value) -> text.append('\n').append(sized(name)).append(sized(canonical(value))));
        try {
            byte[] bytes = text.toString().getBytes(StandardCharsets.UTF_8);
            return ByteBuffer.wrap(MessageDigest.getInstance("SHA-256").digest(bytes)).getLong();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every JVM has it
        }
    }

    private static String sized(String text) {
        return text.length() + ":" + text;
    }

    /// A value as text, the same for equal values: `5`, `5.0` and `"5"` agree, so that a CSV file agrees with JSON.
    static String canonical(Object value) {
        return switch (value) {
            case null -> "null";
            case Double d when !Double.isFinite(d) -> d.toString();
            case Double d -> plain(BigDecimal.valueOf(d));
            case Float f -> canonical(Double.valueOf(f.toString()));
            case Number n -> plain(new BigDecimal(n.toString()));
            case Map<?, ?> map -> {
                Map<String, String> sorted = new TreeMap<>();
                map.forEach((name, of) -> sorted.put(String.valueOf(name), canonical(of)));
                StringBuilder out = new StringBuilder("{");
                sorted.forEach((name, of) -> out.append(sized(name)).append(sized(of)));
                yield out.append('}').toString();
            }
            case Collection<?> list -> {
                StringBuilder out = new StringBuilder("[");
                for (Object of : list) out.append(sized(canonical(of)));
                yield out.append(']').toString();
            }
            default -> value.toString();
        };
    }

    private static String plain(BigDecimal number) {
        BigDecimal stripped = number.stripTrailingZeros();
        return Math.abs(stripped.scale()) < 400 ? stripped.toPlainString() : stripped.toString();
    }
}
