package fewsh.models;

import fewsh.UserError;
import fewsh.tensor.Shape;
import fewsh.tensor.Tensor;
import fewsh.weights.Encoding;
import fewsh.weights.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.SequencedSet;
import java.util.Set;

/// A checkpoint with adapters: what they replace is replaced in the checkpoint, their low-rank matrices go beside those of the
/// graph, into inputs of it, or are merged.
///
/// @param checkpoint shares the mapping of the one that was given
/// @param slots where the graph takes low-rank matrices; none when merged
/// @param inputs what these are, in memory that the garbage collector owns
/// @param replacing the adapters of which something is in the checkpoint
public record Adaptation(
        Checkpoint checkpoint, Page page, SequencedSet<LoraSlot> slots, Map<String, Tensor> inputs, List<Scaled> replacing) {
    /// Nothing beside a checkpoint.
    public static Adaptation none(Checkpoint checkpoint) {
        return new Adaptation(checkpoint, Architectures.page(checkpoint), new LinkedHashSet<>(), Map.of(), List.of());
    }

    /// Reads the adapters.
    ///
    /// @throws UserError if one is none, is damaged, is of another model, or two replace the same weight
    public static Adaptation of(Checkpoint checkpoint, List<Scaled> adapters) {
        return of(checkpoint, adapters, false);
    }

    /// A checkpoint whose weights are those that adapters make of it, changed ones in float32 in memory.
    public static Checkpoint merged(Checkpoint checkpoint, List<Scaled> adapters) {
        return of(checkpoint, adapters, true).checkpoint;
    }

    private static Adaptation of(Checkpoint checkpoint, List<Scaled> adapters, boolean merge) {
        if (adapters.isEmpty()) return none(checkpoint);
        List<Adapter> open = new ArrayList<>();
        try {
            for (Scaled scaled : adapters) open.add(Adapter.open(scaled.adapter()));
            Checkpoint untied = untied(checkpoint, open);
            Page page = Architectures.page(untied);
            Work work = new Work(untied, Modules.of(page, untied), new HashMap<>(), new LinkedHashMap<>(), new LinkedHashSet<>());
            for (int i = 0; i < open.size(); i++) work.replace(open.get(i), adapters.get(i));
            Checkpoint replaced = untied.with(work.others, untied.settings());
            work = new Work(replaced, work.modules, new HashMap<>(), work.parts, work.replacing);
            for (int i = 0; i < open.size(); i++) work.collect(open.get(i), adapters.get(i));
            Map<String, Tensor> inputs = new LinkedHashMap<>();
            SequencedSet<LoraSlot> slots = work.beside(merge, inputs);
            return new Adaptation(replaced.with(work.others, replaced.settings()), page, slots, inputs, List.copyOf(work.replacing));
        } finally {
            open.forEach(Adapter::close);
        }
    }

    /// Gives the head of a model a matrix of its own, where it has the embedding's and an adapter changes one of them.
    private static Checkpoint untied(Checkpoint checkpoint, List<Adapter> adapters) {
        Page page = Architectures.page(checkpoint);
        Modules modules = Modules.of(page, checkpoint);
        for (var embedding : modules.embeddings().entrySet()) {
            String name = embedding.getKey();
            if (!modules.linears().containsKey(name) || adapters.stream().noneMatch(a -> touches(a, name))) continue;
            if (!(page instanceof Causal))
                throw new UserError(checkpoint.path().toString(), "an adapter changes \"" + name
                        + "\", which is embedding and head in one", "merge the adapter with PEFT");
            var json = checkpoint.settings().json().deepCopy();
            json.addProperty("tie_word_embeddings", false);
            Weight shared = checkpoint.weight(name + ".weight", embedding.getValue().sizes());
            return checkpoint.with(Map.of("lm_head.weight", shared), new Settings(checkpoint.settings().where(), json));
        }
        return checkpoint;
    }

    private static boolean touches(Adapter adapter, String embedding) {
        Set<String> both = Set.of(embedding, "lm_head");
        List<String> modules = new ArrayList<>(adapter.linears().keySet());
        modules.addAll(adapter.embeddings().keySet());
        modules.addAll(adapter.tokens().keySet());
        adapter.saved().keySet().forEach(tensor -> modules.add(tensor.replaceFirst("\\.(weight|bias)$", "")));
        return modules.stream().anyMatch(m -> Modules.find(both, m).isPresent());
    }

    /// Adapters on their way beside or into one checkpoint.
    ///
    /// @param others weights that are replaced, by published name
    /// @param parts low-rank matrices by the page's name of their module, in the adapters' order
    private record Work(Checkpoint checkpoint, Modules modules, Map<String, Weight> others,
            SequencedMap<String, List<LowRank.Part>> parts, SequencedSet<Scaled> replacing) {

        /// Whole tensors, rows of tokens and embeddings.
        void replace(Adapter adapter, Scaled scaled) {
            adapter.saved().forEach((name, weight) -> {
                String tensor = Modules.find(modules.tensors().keySet(), name).orElseThrow(() -> foreign(adapter, name));
                Shape shape = modules.tensors().get(tensor);
                if (!weight.shape().equals(shape)) throw other(adapter, name, weight.shape(), shape);
                put(tensor, stored(tensor, weight), adapter, scaled);
            });
            missing(adapter);
            adapter.tokens().forEach((module, rows) -> tokens(adapter, scaled, module, rows));
            adapter.embeddings().forEach((module, pair) -> embedding(adapter, scaled, module, pair));
        }

        private void missing(Adapter adapter) {
            for (String tensor : modules.tensors().keySet()) {
                String module = tensor.replaceFirst("\\.[^.]*$", "");
                if (adapter.config().saves(module) && adapter.saved().keySet().stream().noneMatch(
                        s -> Modules.find(Set.of(tensor), s).isPresent()))
                    throw adapter.damaged(tensor, "is missing, which is in modules_to_save");
            }
        }

        private void put(String tensor, Weight weight, Adapter adapter, Scaled scaled) {
            replacing.add(scaled);
            if (others.putIfAbsent(tensor, weight) != null)
                throw adapter.damaged(tensor, "is replaced by another adapter too");
        }

        /// In memory, and in the checkpoint's own layout.
        private Weight stored(String tensor, Weight weight) {
            float[] values = weight.floats();
            if (!checkpoint.isGguf()) return weight(tensor, weight.shape(), values);
            if (modules.plusOne().contains(tensor)) for (int i = 0; i < values.length; i++) values[i] += 1;
            String module = tensor.replaceFirst("\\.[^.]*$", "");
            Linear linear = modules.linears().get(module);
            if (linear == null || modules.embeddings().containsKey(module)) return weight(tensor, weight.shape(), values);
            if (weight.shape().rank() == 2 && linear.conv1d()) {
                float[] published = values;
                values = new float[published.length];
                for (int r = 0; r < linear.rows(); r++)
                    for (int c = 0; c < linear.columns(); c++) values[r * linear.columns() + c] = published[c * linear.rows() + r];
            }
            return matrices().restored(linear, values);
        }

        private static Weight weight(String name, Shape shape, float[] values) {
            MemorySegment data = Arena.ofAuto().allocateFrom(ValueLayout.JAVA_FLOAT, values);
            return new Weight(name, Encoding.F32, shape, data);
        }

        private void tokens(Adapter adapter, Scaled scaled, String module, Weight rows) {
            String name = embeddingName(adapter, module);
            Shape shape = modules.embeddings().get(name);
            var given = adapter.config().tokens();
            List<Integer> indices = given.entrySet().stream().filter(e -> e.getKey().isEmpty() || module.equals(e.getKey())
                    || module.endsWith("." + e.getKey())).findFirst().map(Map.Entry::getValue)
                    .orElseThrow(() -> adapter.damaged(module, "has rows of tokens, trainable_token_indices does not say which"));
            if (!rows.shape().equals(Shape.of(indices.size(), shape.size(1))))
                throw other(adapter, module, rows.shape(), Shape.of(indices.size(), shape.size(1)));
            float[] values = rows.floats();
            int width = (int) shape.size(1);
            for (String tensor : checkpoint.has("lm_head.weight") && tied(name) ? List.of(name, "lm_head") : List.of(name)) {
                float[] all = checkpoint.weight(tensor + ".weight", shape.sizes()).floats();
                for (int i = 0; i < indices.size(); i++) {
                    if (indices.get(i) >= shape.size(0))
                        throw adapter.damaged(module, "replaces token " + indices.get(i) + ", there are " + shape.size(0));
                    System.arraycopy(values, i * width, all, indices.get(i) * width, width);
                }
                put(tensor + ".weight", weight(tensor + ".weight", shape, all), adapter, scaled);
            }
        }

        /// Whether the head had the embedding's matrix before it got one of its own, which is the same memory still.
        private boolean tied(String embedding) {
            long[] shape = modules.embeddings().get(embedding).sizes();
            return modules.linears().containsKey("lm_head") && checkpoint.weight("lm_head.weight", shape).data()
                    .equals(checkpoint.weight(embedding + ".weight", shape).data());
        }

        private void embedding(Adapter adapter, Scaled scaled, String module, Adapter.Pair pair) {
            String name = embeddingName(adapter, module);
            if (adapter.config().tying() && tied(name))
                throw new UserError(adapter.config().where(), "ensure_weight_tying is not supported for the embedding \"" + module + "\"",
                        "merge the adapter with PEFT");
            Shape shape = modules.embeddings().get(name);
            int vocab = (int) shape.size(0);
            int width = (int) shape.size(1);
            if (pair.a().shape().size(1) != vocab || pair.b().shape().size(0) != width)
                throw other(adapter, module, Shape.of(pair.a().shape().size(1), pair.b().shape().size(0)), shape);
            float[] a = pair.a().floats();
            float[] b = pair.b().floats();
            float scale = (float) (scaled.scale() * adapter.config().scaling(module));
            Weight before = others.getOrDefault(name + ".weight", checkpoint.weight(name + ".weight", shape.sizes()));
            float[] all = before.floats();
            int r = a.length / vocab;
            for (int v = 0; v < vocab; v++)
                for (int w = 0; w < width; w++) {
                    float sum = 0;
                    for (int i = 0; i < r; i++) sum += a[i * vocab + v] * b[w * r + i];
                    all[v * width + w] += scale * sum;
                }
            replacing.add(scaled);
            others.put(name + ".weight", weight(name + ".weight", shape, all));
        }

        private String embeddingName(Adapter adapter, String module) {
            return Modules.find(modules.embeddings().keySet(), module).orElseThrow(() -> foreign(adapter, module));
        }

        /// Low-rank matrices, once what they go beside is known.
        void collect(Adapter adapter, Scaled scaled) {
            adapter.linears().forEach((module, pair) -> {
                String name = Modules.find(modules.linears().keySet(), module).orElseThrow(() -> foreign(adapter, module));
                Linear l = modules.linears().get(name);
                Shape given = Shape.of(pair.b().shape().size(0), pair.a().shape().size(1));
                if (!given.equals(Shape.of(l.rows(), l.columns()))) throw other(adapter, module, given, Shape.of(l.rows(), l.columns()));
                if (pair.magnitude() != null && pair.magnitude().shape().count() != l.rows())
                    throw other(adapter, module, pair.magnitude().shape(), Shape.of(l.rows()));
                float scale = (float) (scaled.scale() * adapter.config().scaling(module));
                parts.computeIfAbsent(name, _ -> new ArrayList<>()).add(new LowRank.Part(pair.a().floats(), pair.b().floats(),
                        pair.magnitude() == null ? null : pair.magnitude().floats(), scale));
                if (pair.bias() != null) bias(adapter, scaled, l, pair, scale);
            });
            for (String module : modules.layers(adapter.linears().keySet()).keySet())
                if (adapter.config().targets() != null && adapter.config().targets(module) && !adapter.linears().containsKey(module))
                    throw adapter.damaged(module, "has no lora_A and lora_B, but is one of target_modules");
        }

        private void bias(Adapter adapter, Scaled scaled, Linear l, Adapter.Pair pair, float scale) {
            if (!l.bias() || pair.magnitude() != null)
                throw new UserError(adapter.config().where(), "lora_bias is not supported for \"" + l.name() + "\"",
                        "merge the adapter with PEFT");
            float[] all = new Matrices(null, checkpoint.with(others, checkpoint.settings()), Precision.FP32, t -> t, Set.of()).published(l, true);
            float[] b = pair.bias().floats();
            if (b.length != all.length) throw other(adapter, l.name(), pair.bias().shape(), Shape.of(all.length));
            for (int i = 0; i < b.length; i++) all[i] += scale * b[i];
            replacing.add(scaled);
            others.put(l.name() + ".bias", matrices().restored(l, all));
        }

        /// @return the slots, whose contents are put into `inputs`; none if they are merged
        SequencedSet<LoraSlot> beside(boolean merge, Map<String, Tensor> inputs) {
            SequencedSet<LoraSlot> slots = new LinkedHashSet<>();
            parts.forEach((name, all) -> {
                Linear l = modules.linears().get(name);
                boolean gain = all.stream().anyMatch(p -> p.magnitude() != null);
                float[] w = merge || gain ? matrices().published(l, false) : null;
                LowRank low = LowRank.of(l, all, w);
                if (merge) others.put(name + ".weight", matrices().restored(l, low.merged(l, w)));
                else {
                    LoraSlot slot = new LoraSlot(name, l.rows(), l.columns(), gain);
                    slots.add(slot);
                    low.bind(slot, inputs);
                }
            });
            return slots;
        }

        private Matrices matrices() {
            return new Matrices(null, checkpoint, Precision.FP32, t -> t, Set.of());
        }

        private UserError foreign(Adapter adapter, String name) {
            return new UserError(adapter.folder().toString(), "adapts \"" + name + "\", which " + checkpoint.path() + " has not",
                    "it is an adapter of another model: give that one");
        }

        private UserError other(Adapter adapter, String name, Shape given, Shape base) {
            return new UserError(adapter.folder().toString(), name + " is for " + given + ", in " + checkpoint.path() + " it is " + base,
                    "it is an adapter of another model: give that one");
        }
    }

    /// The same graph with other adapters, if it has the slots that these need and nothing of theirs is in the checkpoint.
    ///
    /// @return the inputs for all slots of this; null if another graph is needed
    public Map<String, Tensor> inputs(Adaptation other) {
        if (!other.replacing.equals(replacing)) return null;
        Map<String, Tensor> all = new LinkedHashMap<>();
        for (LoraSlot slot : slots) LowRank.none(slot).bind(slot, all);
        for (LoraSlot slot : other.slots)
            if (!slots.contains(slot)
                    && !slots.contains(new LoraSlot(slot.linear(), slot.rows(), slot.columns(), true))) return null;
        all.putAll(other.inputs);
        return all;
    }

    /// Folders of the adapters of which something is in the checkpoint.
    public List<Path> replacingFolders() {
        return replacing.stream().map(Scaled::adapter).toList();
    }
}
