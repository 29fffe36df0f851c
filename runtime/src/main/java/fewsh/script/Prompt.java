package fewsh.script;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import fewsh.UserError;
import fewsh.generate.CausalLm;
import fewsh.generate.SamplingConfig;
import fewsh.jinja.Environment;
import fewsh.jinja.Template;
import fewsh.jinja.TemplateError;
import fewsh.prompt.Block;
import fewsh.prompt.Body;
import fewsh.prompt.Composed;
import fewsh.prompt.Composition;
import fewsh.prompt.Message;
import fewsh.prompt.Pool;
import fewsh.prompt.PromptFile;
import fewsh.prompt.Tokens;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/// A prompt that a script composed: its parts, what it says, and the inputs it has so far. Immutable.
///
/// @param check what becomes of the inputs before they are used: a prompt file knows which there are
/// @param settings sampling controls that a prompt file sets
record Prompt(Composition composition, Body body, Pool pool, UnaryOperator<Map<String, Object>> check, JsonObject settings,
        Map<String, Object> inputs) {
    /// What a script can do with one: each with inputs on top of those it has.
    static List<Word> words(Models models) {
        return List.of(
                Word.of("with", "inputs", given -> given.prompt().with(given, 0)),
                Word.of("text", "inputs?", given -> new JsonPrimitive(models.text(given.prompt().with(given, 0)))),
                Word.of("messages", "inputs?", given -> given.prompt().with(given, 0).messages(models)),
                Word.of("run", "inputs?, options?", given -> models.run(given, given.prompt().with(given, 0), given.options(1))),
                Word.of("show", "inputs?", given -> models.show(given.prompt().with(given, 0))));
    }

    /// The first parameter of `compose`: parts as in the `fewsh:` block of a prompt file, and what the prompt says, as
    /// `prompt` (the user's one turn) or `messages`; or the name of a prompt file.
    static Prompt of(Given given, Jail jail) {
        return given.at(0) instanceof JsonObject parts ? of(given, parts, jail) : of(given.text(0), jail);
    }

    private static Prompt of(String name, Jail jail) {
        try {
            PromptFile file = PromptFile.read(jail.regular(name), Map.of());
            Composition composition = file.composition();
            return new Prompt(composition, file.body(), Pool.of(composition.shots()), file::check,
                    Data.json(file.options()).getAsJsonObject(), Map.of());
        } catch (UserError e) {
            throw jail.own(e);
        }
    }

    private static Prompt of(Given given, JsonObject parts, Jail jail) {
        JsonObject block = parts.deepCopy();
        JsonElement text = block.remove("prompt");
        JsonElement messages = block.remove("messages");
        if (text == null == (messages == null))
            throw given.error(text == null ? "what does the prompt say? it has neither \"prompt\" nor \"messages\""
                    : "has both \"prompt\" and \"messages\"", "compose({prompt: \"Review: {{ text }}\\nSentiment:\"})");
        if (block.get("shots") instanceof JsonObject shots && shots.get("file") instanceof JsonPrimitive file)
            jail.regular(file.getAsString());
        if (block.get("image") instanceof JsonPrimitive image) jail.regular(image.getAsString());
        try {
            Composition composition = Block.read("compose", Data.map(block), jail.root());
            List<Message> turns = text == null ? Data.messages(given, messages)
                    : List.of(new Message("user", Data.text(given, "prompt", text)));
            return new Prompt(composition, turns(turns), Pool.of(composition.shots()), all -> all, new JsonObject(), Map.of());
        } catch (UserError e) {
            throw jail.own(e);
        }
    }

    /// A text as the user's one turn, as it is.
    static Prompt of(String text) {
        Composition none = Composition.EMPTY;
        return new Prompt(none, _ -> List.of(new Message("user", text)), Pool.of(none.shots()), all -> all, new JsonObject(),
                Map.of());
    }

    /// Turns whose contents are Jinja templates; an input that is missing is an error.
    private static Body turns(List<Message> turns) {
        record Turn(Message message, Template template) {}
        List<Turn> parsed = new ArrayList<>();
        for (Message turn : turns) {
            try {
                parsed.add(new Turn(turn, Template.parse(turn.text(), Environment.lmEval())));
            } catch (TemplateError e) {
                throw refused(e);
            }
        }
        return inputs -> parsed.stream().map(turn -> {
            try {
                return turn.message().with("content", turn.template().render(inputs));
            } catch (TemplateError e) {
                throw refused(e);
            }
        }).toList();
    }

    private static UserError refused(TemplateError e) {
        String place = e.line() == 0 ? "" : " at line " + e.line() + ", column " + e.column();
        return new UserError("compose", "the template" + place + ": " + e.getMessage(),
                e.getMessage().contains("undefined") ? "give it as an input: prompt.run({name: value})" : "", e);
    }

    Prompt with(Given given, int parameter) {
        if (!given.has(parameter)) return this;
        if (!(given.at(parameter) instanceof JsonObject more)) throw given.wrong(parameter, "an object");
        Map<String, Object> all = new LinkedHashMap<>(inputs);
        all.putAll(Data.map(more));
        return new Prompt(composition, body, pool, check, settings, all);
    }

    Prompt with(Composition other) {
        return new Prompt(other, body, pool, check, settings, inputs);
    }

    /// The settings of the prompt's file over those in force, and a call's options over both.
    SamplingConfig sampling(SamplingConfig settings, Given given, Options options) {
        SamplingConfig own = new Options(given, this.settings).sampling(settings);
        return options.sampling(own).with(c -> c.format = composition.format());
    }

    /// As the model gets it, with the examples that leave room for an answer of half the context at most.
    Composed composed(CausalLm model, int maxTokens) {
        Tokens tokens = messages -> model.chatTemplate().isPresent() ? model.encode(messages, true).length
                : model.encode(Composed.text(messages)).length;
        int context = model.about().contextLength();
        return composition.compose(body, check.apply(inputs), tokens, pool, context - Math.min(maxTokens, context / 2));
    }

    private JsonArray messages(Models models) {
        JsonArray messages = new JsonArray();
        for (Message message : models.composed(this).messages()) messages.add(Data.json(message.fields()));
        return messages;
    }
}
