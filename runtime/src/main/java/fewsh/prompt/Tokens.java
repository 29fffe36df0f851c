package fewsh.prompt;

import java.util.List;

/// How many tokens a conversation is for the model at hand, written as that model wants it.
@FunctionalInterface
public interface Tokens {
    /// Without a model: every prompt is 0 tokens, so none is over a budget.
    Tokens NONE = _ -> 0;

    int count(List<Message> messages);
}
