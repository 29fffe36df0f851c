package fewsh.ask;

import fewsh.generate.FinishReason;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What came of an inquiry.
///
/// @param text all that the assistant said: of a vote, the first path that has the winning answer; of generated knowledge, the
///             answer that was surest
/// @param answer what was found in it; empty if nothing was
/// @param reason why it ended; `interrupted` if the inquiry was
/// @param samples all paths, by index; those that were cut short by an interrupt too
/// @param votes if there was a vote
/// @param statements generated knowledge, the answer without any first; empty if there was none
/// @param seed of the draws
public record Reply(String text, Optional<String> answer, FinishReason reason, List<Sample> samples, Optional<Votes> votes,
        List<Statement> statements, Usage usage, long seed) {
    public Reply {
        samples = List.copyOf(samples);
        statements = List.copyOf(statements);
    }

    /// As JSON has it, without what depends on the machine and on what was asked before.
    public Map<String, Object> fields() {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("text", text);
        fields.put("answer", answer.orElse(null));
        fields.put("finish_reason", reason.word());
        fields.put("prompt_tokens", usage.promptTokens());
        fields.put("completion_tokens", usage.completionTokens());
        fields.put("seed", seed);
        votes.ifPresent(v -> fields.putAll(v.fields()));
        if (statements.isEmpty()) return fields;
        List<Map<String, Object>> knowledge = new ArrayList<>();
        for (Statement statement : statements) {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("statement", statement.text());
            one.put("answer", statement.sample().answer().orElse(null));
            one.put("probability", statement.probability());
            knowledge.add(one);
        }
        fields.put("knowledge", knowledge);
        return fields;
    }
}
