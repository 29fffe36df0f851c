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

    /// For pages that write text, which have none of these.
    ///
    /// @throws UserError if the configuration names a class that has one
    static void none(Settings s) {
        if (!(s.json().get("architectures") instanceof JsonArray classes)) return;
        for (Head head : allBut(NONE))
            if (classes.asList().stream().anyMatch(e -> e instanceof JsonPrimitive p && p.getAsString().endsWith(head.ending)))
                throw new UserError(s.where(), "architectures " + classes + " is not supported", "give the model that writes text");
    }

    /// All but those given.
    static List<Head> allBut(Head... others) {
        return Arrays.stream(values()).filter(h -> !List.of(others).contains(h)).toList();
    }
}
