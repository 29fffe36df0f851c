package fewsh.prompt;

import fewsh.UserError;
import java.util.List;
import java.util.Map;

/// Worked examples, and which of them a prompt shows (Brown et al. 2020).
///
/// @param examples in the file's order; each a row of fields: the prompt's inputs, the answer, perhaps `reasoning`
/// @param k how many are shown; -1 is all
/// @param by how they are chosen; the item itself never is
/// @param seed of `random` and `balanced`; the choice depends on it and the item alone
/// @param label the field that holds an example's answer
/// @param input a Jinja template of an example's question; empty: the prompt's own last user turn, with the example's fields
/// @param output a Jinja template of an example's answer; empty: the label field, after its reasoning if the
///               prompt asks for that
/// @param budget most tokens that examples may take, of which those shown first are dropped; 0 is what the context length leaves
/// @param file where the examples came from, beside the prompt file; empty when they stand in it
public record Shots(List<Map<String, Object>> examples, int k, By by, long seed, String label, String input, String output,
        int budget, String file) {
    /// `first`: in the file's order; `random`: keyed by the item; `balanced`: random, and as many of each label as can be;
    /// `similar`: nearest to the item by a [Similarity], the nearest last.
    public enum By { FIRST, RANDOM, BALANCED, SIMILAR }

    public static final Shots NONE = new Shots(List.of(), -1, By.FIRST, 1234, "output", "", "", 0, "");

    public Shots {
        examples = List.copyOf(examples);
        if (k < -1) throw new UserError("", "k must be at least 0, or -1 for all, was " + k, "");
        if (budget < 0) throw new UserError("", "the budget of shots must be at least 0 tokens, was " + budget, "");
        if (label.isBlank()) throw new UserError("", "label must name the field that holds the answer", "");
    }

    /// The examples for an item, in the order they are shown. A batch makes a [Pool] once instead.
    ///
    /// @param item the prompt's inputs
    /// @throws UserError if there are fewer than k
    public List<Map<String, Object>> pick(Map<String, ?> item) {
        return Pool.of(this).pick(item);
    }
}
