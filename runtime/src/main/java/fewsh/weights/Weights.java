package fewsh.weights;

import fewsh.UserError;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// The tensors of a model, mapped read-only: of a `.gguf` file, a `.safetensors` file, or a folder of the latter.
///
/// Owns the mapping: closing it ends every [Weight] it gave out, while none of them is being read. Thread-safe.
public final class Weights implements AutoCloseable {
    /// More tensors than any model has; keeps what a hostile header can make us allocate within bounds.
    static final int MAX_TENSORS = 1 << 18;

    private final Arena arena;
    private final List<Path> files;
    private final SequencedMap<String, Object> metadata;
    private final SequencedMap<String, Weight> weights;
    private final List<String> names;

    private Weights(Arena arena, List<WeightFile> files, Path opened) {
        this.arena = arena;
        this.files = files.stream().map(WeightFile::path).toList();
        SequencedMap<String, Object> metadata = new LinkedHashMap<>();
        SequencedMap<String, Weight> weights = new LinkedHashMap<>();
        for (WeightFile file : files) {
            file.metadata().forEach(metadata::putIfAbsent);
            for (Weight weight : file.weights())
                if (weights.putIfAbsent(weight.name(), weight) != null)
                    throw new UserError(file.path().toString(), "tensor \"" + weight.name() + "\" is in another file of "
                            + opened + " too", WeightFile.DAMAGED);
        }
        this.metadata = Collections.unmodifiableSequencedMap(metadata);
        this.weights = Collections.unmodifiableSequencedMap(weights);
        this.names = List.copyOf(weights.sequencedKeySet());
    }

    /// Maps the weights at `path`: a `.gguf` file (any one of a split model opens all of them), a `.safetensors` file, or
    /// a folder with `model.safetensors` or with `model.safetensors.index.json` and the shards it names.
    ///
    /// @throws UserError if there is no such file, it is damaged, or holds what is not supported
    public static Weights open(Path path) {
        Arena arena = Arena.ofShared();
        try {
            return new Weights(arena, WeightFile.readAll(path, arena), path);
        } catch (IOException e) {
            arena.close();
            throw WeightFile.unreadable(path, e);
        } catch (RuntimeException | Error e) {
            arena.close();
            throw e;
        }
    }

    /// Names in the order of the files.
    public List<String> names() {
        return names;
    }

    public boolean contains(String name) {
        return weights.containsKey(name);
    }

    /// The weight called `name`.
    ///
    /// @throws UserError if there is none; it names the most similar ones
    public Weight get(String name) {
        Weight weight = weights.get(name);
        if (weight != null) return weight;
        List<String> near = nearMisses(name);
        String fix = near.isEmpty()
                ? "names here are like " + quoted(names.subList(0, Math.min(3, names.size())))
                : "did you mean " + quoted(near) + "?";
        throw new UserError(files.getFirst().toString() + (files.size() == 1 ? "" : " and " + (files.size() - 1) + " more"),
                "no tensor \"" + name + "\" (" + weights.size() + " found)", weights.isEmpty() ? "" : fix);
    }

    /// What the file says about the model, in its order.
    ///
    /// GGUF: numbers are `Long` or `Double` (a uint64 beyond `Long` is a `Double`; a float32 is widened exactly), the others
    /// `Boolean`, `String` and `List` of these; long lists are compact and decode an element when it is asked for.
    /// safetensors: the strings of `__metadata__`; of several shards, the first that has a key.
    public SequencedMap<String, Object> metadata() {
        return metadata;
    }

    /// The files that are mapped.
    public List<Path> files() {
        return files;
    }

    /// Bytes of all weights together.
    public long bytes() {
        return weights.values().stream().mapToLong(w -> w.data().byteSize()).sum();
    }

    /// Unmaps the files; no weight may be used any more.
    @Override
    public void close() {
        arena.close();
    }

    /// Names with another prefix or suffix first, then the few within an edit of a quarter of the length.
    private List<String> nearMisses(String name) {
        List<String> same = names.stream().filter(n -> n.endsWith("." + name) || name.endsWith("." + n)).limit(3).toList();
        if (!same.isEmpty()) return same;
        int limit = Math.max(1, name.length() / 4);
        record Near(String name, int distance) {}
        return names.stream()
                .filter(n -> Math.abs(n.length() - name.length()) <= limit)
                .map(n -> new Near(n, distance(n, name)))
                .filter(near -> near.distance <= limit)
                .sorted(Comparator.comparingInt(Near::distance))
                .limit(3).map(Near::name).toList();
    }

    /// Insertions, deletions and replacements from `a` to `b`.
    private static int distance(String a, String b) {
        int[] row = IntStream.rangeClosed(0, b.length()).toArray();
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(replaced, Math.min(row[j], row[j - 1]) + 1);
            }
        }
        return row[b.length()];
    }

    private static String quoted(List<String> names) {
        return names.stream().map(n -> '"' + n + '"').collect(Collectors.joining(", "));
    }
}
