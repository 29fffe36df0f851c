package fewsh.models;

import fewsh.graph.Op;
import fewsh.graph.Value;
import fewsh.tensor.DType;
import fewsh.tensor.Shape;
import fewsh.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Causal attention of a layer over its cache: projections side by side, what they see, and the projection that follows.
///
/// Where heads are padded, the padding is in the projections: models with such heads are small.
record CachedAttention(Net g, int layer, Heads heads) {
    /// The projections side by side, queries first: `(batch, sequence, heads.all() · heads.wide())`.
    Value queryKeyValue(Value x, Linear... linears) {
        Matrices matrices = g.matrices();
        List<Linear> all = heads.padded() || heads.turnsAsStored() ? List.of(linears) : regrouped(linears);
        if (heads.padded() && !matrices.adapted(all)) return padded(x, all);
        if (!heads.padded() && matrices.alike(all)) return matrices.product(x, all);
        Value apart = g.graph().concat(-1, all.stream().map(l -> g.linear(x, l)).toArray(Value[]::new));
        return heads.padded() ? spread(apart) : apart;
    }

    /// The same with the numbers of each head of queries and keys in other places.
    private List<Linear> regrouped(Linear... linears) {
        int dim = heads.dim();
        int values = (heads.query() + heads.keyValue()) * dim;
        int[] places = heads.places(1);
        int[] from = new int[dim];
        for (int i = 0; i < dim; i++) from[places[i]] = i;
        List<Linear> all = new ArrayList<>();
        int first = 0;
        for (Linear linear : linears) {
            int before = first;
            all.add(linear.reordered(r -> before + r < values ? r / dim * dim + from[r % dim] : r));
            first += linear.rows();
        }
        return all;
    }

    /// As `queryKeyValue`, in float32 with zeros between the heads.
    private Value padded(Value x, List<Linear> linears) {
        Matrices matrices = g.matrices();
        linears.forEach(matrices::stored);
        int columns = linears.getFirst().columns();
        int rows = heads.all() * heads.wide();
        int[] places = heads.places(heads.all());
        float[] weights = new float[rows * columns];
        float[] biases = new float[rows];
        int first = 0;
        for (Linear linear : linears) {
            float[] narrow = matrices.ordered(linear);
            float[] bias = linear.bias() ? matrices.bias(linear) : new float[linear.rows()];
            for (int r = 0; r < linear.rows(); r++) {
                int to = places[first + r];
                System.arraycopy(narrow, r * columns, weights, to * columns, columns);
                biases[to] = bias[r];
            }
            first += linear.rows();
        }
        String name = Matrices.names(linears) + ".padded";
        Value y = g.graph().matMulTransposed(x, matrices.kept(name, Tensor.ofFloat32(weights, rows, columns)));
        return linears.stream().noneMatch(Linear::bias) ? y
                : g.add(y, g.graph().initializer(name + ".bias", Tensor.ofFloat32(biases, rows)));
    }

    /// Heads side by side, with zeros between them.
    private Value spread(Value x) {
        int[] places = heads.places(heads.all());
        long[] from = new long[heads.all() * heads.wide()];
        float[] mask = new float[from.length];
        for (int i = 0; i < places.length; i++) {
            from[places[i]] = i;
            mask[places[i]] = 1;
        }
        Value placed = g.graph().gather(x, g.graph().longs(from), -1);
        return g.mul(placed, g.constant("heads" + heads.all() + "x" + heads.dim(), () -> Tensor.ofFloat32(mask, mask.length)));
    }

    /// Queries, keys and values apart, each head of the first two normed over its numbers.
    List<Value> normHeads(Value qkv, Norm query, Norm key) {
        long kv = (long) heads.keyValue() * heads.wide();
        List<Value> apart = g.graph().split(qkv, -1, (long) heads.query() * heads.wide(), kv, kv);
        return List.of(normed(apart.get(0), heads.query(), query), normed(apart.get(1), heads.keyValue(), key), apart.get(2));
    }

    /// The mean square over a padded head is less by dim / wide, the padding being zero: the epsilon shrinks with it, and the
    /// weights make up for both.
    private Value normed(Value x, int count, Norm norm) {
        int wide = heads.wide();
        int[] places = heads.places(1);
        float[] weights = g.matrices().vector(norm, heads.dim());
        float[] placed = new float[wide];
        for (int i = 0; i < weights.length; i++)
            placed[places[i]] = (float) (weights[i] * Math.sqrt((double) heads.dim() / wide));
        Value weight = g.graph().initializer(norm.name() + ".weight", Tensor.ofFloat32(placed, wide));
        Value normed = g.graph().rmsNorm(g.graph().reshape(x, 0, 0, count, wide), weight, norm.epsilon() * heads.dim() / wide);
        return g.graph().reshape(normed, 0, 0, (long) count * wide);
    }

    /// What is seen in the cache and in what `qkv` adds to it: `(batch, sequence, heads.query() · heads.wide())`.
    Value attend(Value qkv) {
        return attend(List.of(qkv), null, 0, Value.ABSENT);
    }

    /// @param rope turns queries and keys by their positions
    Value attend(Value qkv, Rope rope) {
        return attend(List.of(qkv), rope, 0, Value.ABSENT);
    }

    /// @param bias added to the scores, `(1, heads, sequence, total)`
    Value attend(Value qkv, Value bias) {
        return attend(List.of(qkv), null, 0, bias);
    }

    /// @param qkv side by side as one, or queries, keys and values
    /// @param window how many positions each sees, its own among them; 0 for all before it
    Value attend(List<Value> qkv, Rope rope, int window) {
        return attend(qkv, rope, window, Value.ABSENT);
    }

    private Value attend(List<Value> qkv, Rope rope, int window, Value bias) {
        Shape cache = Shape.named("batch", heads.keyValue(), "capacity", heads.wide());
        Value key = g.input("past_key_values." + layer + ".key", DType.FLOAT32, cache);
        Value value = g.input("past_key_values." + layer + ".value", DType.FLOAT32, cache);
        Value seqlensK = g.input("seqlens_k", DType.INT32, Shape.named("batch"));
        Value totalSequenceLength = g.input("total_sequence_length", DType.INT32, Shape.of());
        List<Value> in = new ArrayList<>(qkv.size() == 3 ? qkv : List.of(qkv.getFirst(), Value.ABSENT, Value.ABSENT));
        in.addAll(List.of(key, value, seqlensK, totalSequenceLength));
        if (rope != null) in.addAll(g.rotaryTables().computeIfAbsent(rope, this::tables));
        if (rope != null && rope.longer() != null) in.add(g.positionIds());
        if (!bias.isAbsent()) {
            while (in.size() < 10) in.add(Value.ABSENT);
            in.add(bias);
        }
        Op op = new Op.GroupQueryAttention(heads.query(), heads.keyValue(), rope != null, false, window == 0 ? -1 : window,
                heads.scale());
        List<Value> out = g.graph().apply(op, in.toArray(Value[]::new));
        g.output("present." + layer + ".key", out.get(1));
        g.output("present." + layer + ".value", out.get(2));
        return out.getFirst();
    }

    /// cos and sin, `(rows, pairs of a head in the cache)`, or of the pairs that turn where these stay in their places.
    private List<Value> tables(Rope rope) {
        float[][] tables = rope.tables();
        int pairs = rope.inverseFrequencies().length;
        int wide = heads.padded() || !heads.turnsAsStored() ? heads.wide() / 2 : pairs;
        String name = g.rotaryTables().isEmpty() ? "rotary." : "rotary" + g.rotaryTables().size() + ".";
        List<Value> made = new ArrayList<>();
        for (int t = 0; t < 2; t++) {
            float[] table = new float[rope.rows() * wide];
            Arrays.fill(table, 1 - t);                                                      // padding does not turn
            for (int p = 0; p < rope.rows(); p++) System.arraycopy(tables[t], p * pairs, table, p * wide, pairs);
            made.add(g.matrices().kept(name + (t == 0 ? "cos" : "sin"), Tensor.ofFloat32(table, rope.rows(), wide)));
        }
        return made;
    }

    /// The projection of what `attend` gives.
    Value out(Value x, Linear linear) {
        if (!heads.padded()) return g.linear(x, linear);
        Matrices matrices = g.matrices();
        int[] places = heads.places(heads.query());
        if (matrices.adapted(List.of(linear))) {
            long[] narrow = Arrays.stream(places).asLongStream().toArray();
            return g.linear(g.graph().gather(x, g.graph().longs(narrow), -1), linear);
        }
        int wide = heads.query() * heads.wide();
        float[] narrow = matrices.ordered(linear);
        float[] padded = new float[linear.rows() * wide];
        for (int r = 0; r < linear.rows(); r++)
            for (int i = 0; i < places.length; i++) padded[r * wide + places[i]] = narrow[r * places.length + i];
        Value w = matrices.kept(linear.name() + ".padded", Tensor.ofFloat32(padded, linear.rows(), wide));
        return matrices.biased(g.graph().matMulTransposed(x, w), List.of(linear));
    }
}
