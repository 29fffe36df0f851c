package fewsh.models;

import fewsh.graph.GraphBuilder;
import fewsh.graph.Op;
import fewsh.graph.Value;
import java.util.List;

/// Layers' nonlinearities, by their words in published settings.
final class Activations {
    static final List<String> WORDS =
            List.of("silu", "swish", "gelu", "gelu_new", "gelu_pytorch_tanh", "gelu_fast", "quick_gelu", "relu", "relu2", "tanh",
                    "sigmoid");

    private Activations() {}

    /// @param word one of `WORDS`
    static Value of(String word, GraphBuilder g, Value x) {
        return switch (word) {
            case "silu", "swish" -> g.silu(x);
            case "gelu" -> g.gelu(x);
            case "gelu_new", "gelu_pytorch_tanh", "gelu_fast" -> g.geluTanh(x);
            case "quick_gelu" -> g.apply(new Op.QuickGelu(1.702f), x).getFirst();
            case "relu" -> g.relu(x);
            case "relu2" -> {
                Value positive = g.relu(x);
                yield g.mul(positive, positive);
            }
            case "tanh" -> g.tanh(x);
            case "sigmoid" -> g.sigmoid(x);
            default -> throw new IllegalArgumentException(word);
        };
    }
}
