package fewsh.encode;

import fewsh.tensor.DType;
import fewsh.tensor.Tensor;
import fewsh.tokenize.Encoding;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/// Texts of about the same length that are run together, each padded at its end to the longest.
///
/// @param members which texts, by their number among all
record Batch(List<Integer> members) {
    /// Batches of at most `tokens` tokens, padding included, but of one text at least: the longest texts first.
    static List<Batch> byLength(List<Encoding> texts, int tokens) {
        List<Integer> order = IntStream.range(0, texts.size()).boxed()
                .sorted(Comparator.comparing((Integer i) -> texts.get(i).length()).reversed()).toList();
        List<Batch> batches = new ArrayList<>();
        for (int from = 0; from < order.size(); ) {
            int longest = Math.max(1, texts.get(order.get(from)).length());
            int to = Math.min(order.size(), from + Math.max(1, tokens / longest));
            batches.add(new Batch(order.subList(from, to)));
            from = to;
        }
        return batches;
    }

    /// `input_ids`, `attention_mask` and `token_type_ids` int64 `(batch, sequence)`.
    ///
    /// @param pad stands behind shorter texts
    /// @param types whether token types are the encodings'; else 0
    Map<String, Tensor> inputs(List<Encoding> texts, int pad, boolean types) {
        int sequence = Math.max(1, members.stream().mapToInt(i -> texts.get(i).length()).max().orElse(1));
        Tensor ids = tensor(sequence);
        Tensor mask = tensor(sequence);
        Tensor kinds = tensor(sequence);
        for (int row = 0; row < members.size(); row++) {
            Encoding text = texts.get(members.get(row));
            for (int at = 0; at < sequence; at++) {
                long i = (long) row * sequence + at;
                boolean inside = at < text.length();
                ids.data().setAtIndex(ValueLayout.JAVA_LONG, i, inside ? text.ids()[at] : pad);
                mask.data().setAtIndex(ValueLayout.JAVA_LONG, i, inside ? 1 : 0);
                kinds.data().setAtIndex(ValueLayout.JAVA_LONG, i, inside && types ? text.types()[at] : 0);
            }
        }
        Map<String, Tensor> inputs = new LinkedHashMap<>();
        inputs.put("input_ids", ids);
        inputs.put("attention_mask", mask);
        inputs.put("token_type_ids", kinds);
        return inputs;
    }

    private Tensor tensor(int sequence) {
        return Tensor.allocate(Arena.ofAuto(), DType.INT64, members.size(), sequence);
    }
}
