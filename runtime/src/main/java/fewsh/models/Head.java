package fewsh.models;

import com.google.gson.JsonArray;
import com.google.gson.JsonPrimitive;
import fewsh.UserError;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/// What stands on an encoder of text, by the end of the class's name that `architectures` of its configuration gives.
enum Head {
    NONE("Model"),
    PRE_TRAINING("ForPreTraining"),
    MASKED_LM("ForMaskedLM"),
    NEXT_SENTENCE("ForNextSentencePrediction"),
    SEQUENCE_CLASSIFICATION("ForSequenceClassification"),
    TOKEN_CLASSIFICATION("ForTokenClassification"),
    QUESTION_ANSWERING("ForQuestionAnswering");

    private final String ending;

    Head(String ending) {
        this.ending = ending;
    }

    String ending() {
        return ending;
    }

    /// @param known those that the page implements; a configuration that names no class has none
    /// @throws UserError naming them, for any other
    static Head of(Settings s, List<Head> known) {
        if (!s.has("architectures")) return NONE;
        if (s.json().get("architectures") instanceof JsonArray list && list.size() == 1
                && list.get(0) instanceof JsonPrimitive p && p.isString())
            for (Head head : known) if (p.getAsString().endsWith(head.ending)) return head;
        throw new UserError(s.where(), "architectures " + s.json().get("architectures") + " is not supported",
                "supported: one class whose name ends in " + known.stream().map(h -> h.ending).collect(Collectors.joining(", ")));
    }

    /// All but those given.
    static List<Head> allBut(Head... others) {
        return Arrays.stream(values()).filter(h -> !List.of(others).contains(h)).toList();
    }
}
