package fewsh.models;

/// A matrix of a graph beside which the graph takes low-rank ones as inputs.
///
/// @param linear name of the matrix's module
/// @param rows features out
/// @param columns features in
/// @param gain whether each feature out has a factor too
public record LoraSlot(String linear, int rows, int columns, boolean gain) {
    /// Name of the input float32 `(rank, columns)`.
    public String a() {
        return linear + ".lora_A";
    }

    /// Name of the input float32 `(rows, rank)`.
    public String b() {
        return linear + ".lora_B";
    }

    /// Name of the input float32 `(rows)`, if there is one.
    public String gains() {
        return linear + ".lora_gain";
    }
}
