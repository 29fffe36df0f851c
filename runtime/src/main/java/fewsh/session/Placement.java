package fewsh.session;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;

/// What ran where: how many nodes of which operator each provider took, as the runtime divided the graph; some it fuses later.
///
/// A node that a device's provider has no kernel for runs on the `cpu`, as ONNX Runtime has it.
///
/// @param nodes counts by operator by provider (`webgpu`, `cpu`, …); empty on the CPU, where all is, and before a session is open
public record Placement(SequencedMap<String, SequencedMap<String, Integer>> nodes) {
    public static final Placement NONE = new Placement(new TreeMap<>());

    public Placement {
        TreeMap<String, SequencedMap<String, Integer>> copy = new TreeMap<>(Collections.reverseOrder());    // the CPU last
        nodes.forEach((provider, operators) ->
                copy.put(provider, Collections.unmodifiableSequencedMap(new TreeMap<>(operators))));
        nodes = Collections.unmodifiableSequencedMap(copy);
    }

    static Placement of(List<Native.Placed> nodes) {
        SequencedMap<String, SequencedMap<String, Integer>> counts = new TreeMap<>();
        for (Native.Placed node : nodes)
            counts.computeIfAbsent(node.provider(), _ -> new TreeMap<>()).merge(node.operator(), 1, Integer::sum);
        return new Placement(counts);
    }

    /// How many nodes a provider took.
    public int of(String provider) {
        return nodes.getOrDefault(provider, new TreeMap<>()).values().stream().mapToInt(i -> i).sum();
    }

    /// Those of both.
    public Placement and(Placement other) {
        SequencedMap<String, SequencedMap<String, Integer>> sum = new TreeMap<>();
        for (Placement one : new Placement[] {this, other})
            one.nodes.forEach((provider, operators) -> operators.forEach((operator, n) ->
                    sum.computeIfAbsent(provider, _ -> new TreeMap<>()).merge(operator, n, Integer::sum)));
        return new Placement(sum);
    }

    /// `webgpu 38 nodes, cpu 1 (LogSoftmax)`: the operators of all but the first provider are named.
    @Override
    public String toString() {
        return nodes.keySet().stream().map(provider -> {
            int n = of(provider);
            boolean first = provider.equals(nodes.firstEntry().getKey());
            return provider + " " + n + (!first ? " (" + operators(nodes.get(provider)) + ")" : n == 1 ? " node" : " nodes");
        }).collect(Collectors.joining(", "));
    }

    private static String operators(Map<String, Integer> counts) {
        return counts.entrySet().stream().map(c -> c.getKey() + (c.getValue() == 1 ? "" : " ×" + c.getValue()))
                .collect(Collectors.joining(", "));
    }
}
