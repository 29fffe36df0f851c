package fewsh.shell;

import fewsh.encode.TextEncoder;
import fewsh.prompt.Similarity;
import java.util.List;
import java.util.function.Function;

/// How near texts are by the vectors of an encoder. Keeps the vectors of the texts that it was last asked to index: those of a
/// prompt's examples are the same at every question. Owns the encoder: close it. One thread.
final class Likeness implements Similarity, AutoCloseable {
    private final String name;
    private final TextEncoder encoder;
    private List<String> texts = List.of();
    private List<float[]> vectors = List.of();

    Likeness(String name, TextEncoder encoder) {
        this.name = name;
        this.encoder = encoder;
    }

    String name() {
        return name;
    }

    @Override
    public Function<String, double[]> index(List<String> wanted) {
        if (!wanted.equals(texts)) {
            vectors = encoder.embed(wanted);
            texts = List.copyOf(wanted);
        }
        List<float[]> all = vectors;
        return query -> {
            float[] asked = encoder.embed(List.of(query)).getFirst();
            return all.stream().mapToDouble(v -> Encoders.cosine(asked, v)).toArray();
        };
    }

    @Override
    public void close() {
        encoder.close();
    }
}
