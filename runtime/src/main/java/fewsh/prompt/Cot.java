package fewsh.prompt;

/// Chain of thought: the model reasons, then answers.
///
/// Sources: few-shot, Wei et al. 2022; zero-shot, Kojima et al. 2022, in its two calls: reasoning, then answer extraction.
///
/// @param kind off; zero-shot, by the two phrases; few-shot, by examples that show their reasoning
/// @param trigger begins the reasoning, zero-shot
/// @param extract begins the answer, zero-shot: `Therefore, the answer is`
public record Cot(Kind kind, String trigger, String extract) {
    /// The words of a file and of `/cot` are these in lower case.
    public enum Kind { OFF, ZERO_SHOT, FEW_SHOT }

    public static final Cot OFF = new Cot(Kind.OFF, "Let's think step by step.", "Therefore, the answer is");

    public Cot with(Kind kind) {
        return new Cot(kind, trigger, extract);
    }
}
