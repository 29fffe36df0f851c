package fewsh.generate;

/// Why an answer ended: `stop` at an end-of-text token or a stop sequence, `length` at max_tokens or the context's end,
/// `interrupted` by the caller.
public enum FinishReason {
    STOP,
    LENGTH,
    INTERRUPTED;

    /// As JSON has it.
    public String word() {
        return name().toLowerCase();
    }
}
