package fewsh.models;

import fewsh.graph.GraphBuilder;
import fewsh.graph.Value;
import fewsh.tensor.DType;
import fewsh.tensor.Shape;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SequencedMap;

/// What a page takes from its checkpoint, by the page's names: found by building its graphs without any numbers.
///
/// @param linears matrices of products, by module
/// @param embeddings matrices whose rows are looked up, by module
/// @param tensors every weight, such as `ln_f.bias`, with the shape that published checkpoints give it
/// @param plusOne weights that published checkpoints keep less 1 and GGUF files whole
record Modules(SequencedMap<String, Linear> linears, SequencedMap<String, Shape> embeddings, SequencedMap<String, Shape> tensors,
        Set<String> plusOne) {
    static Modules of(Page page, Checkpoint checkpoint) {
        Modules modules = new Modules(new LinkedHashMap<>(), new LinkedHashMap<>(), new LinkedHashMap<>(), new HashSet<>());
        page.graphs().values().forEach(graph -> Net.list(graph, checkpoint, g -> modules.new Listing(g, checkpoint)));
        return modules;
    }

    /// The page's name for what the reference implementation calls `name`: they may differ in their first part, which names the
    /// model's class. Of several that fit, the one that differs least.
    static Optional<String> find(Set<String> names, String name) {
        if (names.contains(name)) return Optional.of(name);
        return names.stream().filter(n -> added(n, name).isPresent() || added(name, n).isPresent())
                .max((a, b) -> Math.min(a.length(), name.length()) - Math.min(b.length(), name.length()));
    }

    /// What stands before `name` in `longer`: one or two words, as classes of models are called.
    private static Optional<String> added(String name, String longer) {
        if (!longer.endsWith("." + name)) return Optional.empty();
        String added = longer.substring(0, longer.length() - name.length());
        return added.matches("(?:[a-z_]+\\.){1,2}") ? Optional.of(added) : Optional.empty();
    }

    /// Writes down what it is asked for, in place of reading it.
    private final class Listing extends Matrices {
        private final GraphBuilder g;
        private final SequencedMap<String, Value> values = new LinkedHashMap<>();

        Listing(GraphBuilder g, Checkpoint checkpoint) {
            super(g, checkpoint, Precision.FP32, t -> t, Set.of());
            this.g = g;
        }

        private Value value(String name, long... shape) {
            return values.computeIfAbsent(name, n -> g.input("of/" + n, DType.FLOAT32, Shape.of(shape)));
        }

        private void note(Linear l) {
            linears.put(l.name(), l.published());
            tensors.put(l.name() + ".weight", l.conv1d() ? Shape.of(l.columns(), l.rows()) : Shape.of(l.rows(), l.columns()));
            if (l.bias()) tensors.put(l.name() + ".bias", Shape.of(l.rows()));
        }

        @Override
        Value matrix(String name, long... shape) {
            tensors.put(name, Shape.of(shape));
            return value(name, shape);
        }

        @Override
        float[] vector(Norm norm, int size) {
            tensors.put(norm.name() + ".weight", Shape.of(size));
            if (norm.plusOne()) plusOne.add(norm.name() + ".weight");
            return new float[size];
        }

        @Override
        Value rows(String name, int vocab, int width, Value ids) {
            embeddings.put(name, Shape.of(vocab, width));
            return g.gather(matrix(name + ".weight", vocab, width), ids, 0);
        }

        @Override
        Value product(Value x, List<Linear> all) {
            all.forEach(this::note);
            long rows = all.stream().mapToLong(Linear::rows).sum();
            return g.matMulTransposed(x, value(names(all) + "/product", rows, all.getFirst().columns()));
        }

        @Override
        float[] ordered(Linear l) {
            note(l);
            return new float[l.rows() * l.columns()];
        }

        @Override
        float[] bias(Linear l) {
            return new float[l.rows()];
        }
    }

    /// Modules of the page's layers, by the names that the reference implementation gives them, if `known` is how it calls some of
    /// them.
    SequencedMap<String, Linear> layers(Set<String> known) {
        List<String> drop = new ArrayList<>(List.of("", ""));
        known.forEach(k -> find(linears.keySet(), k).ifPresent(name -> {
            added(name, k).ifPresent(p -> drop.set(0, p));
            added(k, name).ifPresent(p -> drop.set(1, p));
        }));
        SequencedMap<String, Linear> layers = new LinkedHashMap<>();
        linears.forEach((name, linear) -> {
            if (name.matches(".*\\.\\d+\\..*"))
                layers.put(drop.getFirst() + (name.startsWith(drop.getLast()) ? name.substring(drop.getLast().length()) : name), linear);
        });
        return layers;
    }
}
