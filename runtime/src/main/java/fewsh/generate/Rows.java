package fewsh.generate;

import fewsh.UserError;
import fewsh.tensor.DType;
import fewsh.tensor.Tensor;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/// Rows of ids of which some are padding, as `input_ids` and `attention_mask` give them.
///
/// @param ids row by row
/// @param attention 1 where an id counts; in each row these are in one piece
record Rows(int batch, int sequence, long[] ids, long[] attention) {
    /// @throws UserError if `input_ids` are missing, another input is unknown or has another shape, or a mask has gaps
    static Rows of(Map<String, Tensor> inputs) {
        for (String name : inputs.keySet())
            if (!List.of("input_ids", "attention_mask", "position_ids").contains(name))
                throw new UserError("", "unknown input \"" + name + "\"", "inputs are input_ids, attention_mask, position_ids");
        Tensor ids = inputs.get("input_ids");
        if (ids == null || ids.shape().rank() != 2 || ids.shape().count() == 0)
            throw new UserError("", "\"input_ids\" is missing or not a list of lists", "{\"input_ids\":[[1, 2, 3]]}");
        long[] ones = new long[(int) ids.shape().count()];
        Arrays.fill(ones, 1);
        long[] attention = inputs.containsKey("attention_mask") ? longs(inputs, "attention_mask", ids) : ones;
        Rows rows = new Rows((int) ids.shape().size(0), (int) ids.shape().size(1), longs(inputs, "input_ids", ids), attention);
        for (int r = 0; r < rows.batch; r++) rows.check(r);
        if (inputs.containsKey("position_ids")) rows.checkPositions(longs(inputs, "position_ids", ids));
        return rows;
    }

    private static long[] longs(Map<String, Tensor> inputs, String name, Tensor like) {
        Tensor tensor = inputs.get(name);
        if (!tensor.shape().equals(like.shape())) throw new UserError("", name + " and input_ids differ in shape", "");
        if (tensor.dtype() != DType.INT64) throw new UserError("", "\"" + name + "\" must be whole numbers", "");
        return tensor.data().toArray(ValueLayout.JAVA_LONG_UNALIGNED);
    }

    private void check(int row) {
        String mask = Arrays.toString(Arrays.copyOfRange(attention, row * sequence, (row + 1) * sequence)).replaceAll("[^-\\d]", "");
        if (!mask.matches("0*1+0*")) throw new UserError("", "attention_mask must be 0 and 1, the 1 in one piece", "");
    }

    private void checkPositions(long[] positions) {
        for (int r = 0; r < batch; r++)
            for (int i = first(r), next = 0; i < end(r); i++)
                if (positions[r * sequence + i] != next++)
                    throw new UserError("", "position_ids must count from 0 where attention_mask is 1", "leave them out");
    }

    /// Where the ids of a row begin.
    int first(int row) {
        int i = 0;
        while (attention[row * sequence + i] == 0) i++;
        return i;
    }

    private int end(int row) {
        int i = sequence;
        while (attention[row * sequence + i - 1] == 0) i--;
        return i;
    }

    /// The ids of a row that count.
    int[] ids(int row) {
        return Arrays.stream(ids, row * sequence + first(row), row * sequence + end(row)).mapToInt(Math::toIntExact).toArray();
    }
}
