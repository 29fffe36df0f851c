package fewsh.prompt;

import fewsh.UserError;
import fewsh.jinja.Environment;
import fewsh.jinja.Template;
import fewsh.jinja.TemplateError;
import fewsh.prompt.Composed.Part;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// One item's prompt being put together.
final class Assembly {
    private final Composition composition;
    private final Body body;
    private final Map<String, Object> inputs;
    private final Pool pool;
    private final Shots shots;
    private final List<Part> before = new ArrayList<>(); // system parts
    private final List<List<Part>> shown = new ArrayList<>(); // a question and its answer each
    private final List<Part> after = new ArrayList<>(); // the turns up to the question, and what follows it
    private final List<Map<String, Object>> examples = new ArrayList<>();

    Assembly(Composition composition, Body body, Map<String, Object> inputs, Pool pool) {
        this.composition = composition;
        this.body = body;
        this.inputs = inputs;
        this.pool = pool;
        this.shots = composition.shots();
        boolean same = pool.shots() == shots || pool.shots().equals(shots);
        if (!same) throw new IllegalArgumentException("the pool is of other shots");
        addSystem("role", composition.role());
        addSystem("context", composition.context());
        addSystem("instruction", composition.instruction());
        addSystem("style", composition.style());
        addBody();
        for (int i : pool.indices(inputs)) addShot(i);
    }

    /// The prompt with as many of the examples as fit, those that are shown last.
    Composed within(Tokens tokens, int room) {
        int budget = shots.budget();
        int dropped = 0;
        if (!shown.isEmpty() && (budget > 0 || room < Integer.MAX_VALUE)) {
            long bare = tokens.count(composed(shown.size()).messages());
            long most = budget > 0 ? Math.min(room, bare + budget) : room;
            int tooFew = -1; // dropping so many is too few
            dropped = shown.size();
            for (int tried = 0; tooFew + 1 < dropped; tried = (tooFew + dropped) / 2)
                if (tokens.count(composed(tried).messages()) <= most) dropped = tried;
                else tooFew = tried;
        }
        return composed(dropped);
    }

    private Composed composed(int dropped) {
        List<Part> parts = new ArrayList<>(before);
        shown.subList(dropped, shown.size()).forEach(parts::addAll);
        parts.addAll(after);
        return new Composed(composition, parts, examples.subList(dropped, examples.size()), dropped);
    }

    private void addSystem(String label, String text) {
        if (!text.isEmpty()) before.add(new Part(label, new Message("system", text)));
    }

    private void addBody() {
        List<Message> messages = body.render(inputs);
        int question = question(messages);
        boolean begun = question >= 0 && "assistant".equals(messages.getLast().role());
        boolean leads = true;
        for (int i = 0; i < messages.size(); i++) {
            Message message = messages.get(i);
            leads &= "system".equals(message.role());
            if (leads) before.add(new Part("system", message));
            else if (i == question) after.add(new Part("question", withImage(message)));
            else after.add(new Part(begun && i == messages.size() - 1 ? "answer" : "conversation", message));
        }
    }

    private static int question(List<Message> messages) {
        for (int i = messages.size() - 1; i >= 0; i--)
            if ("user".equals(messages.get(i).role())) return i;
        return -1;
    }

    /// The image in front of what is asked about it, as chat templates of models that see take it.
    private Message withImage(Message question) {
        if (composition.image().isEmpty()) return question;
        List<Object> content = new ArrayList<>();
        content.add(Map.of("type", "image", "path", composition.image()));
        if (question.fields().get("content") instanceof List<?> parts) content.addAll(parts);
        else content.add(Map.of("type", "text", "text", question.text()));
        return question.with("content", content);
    }

    private void addShot(int i) {
        Map<String, Object> fields = fields(i);
        Message asked = shots.input().isEmpty() ? asked(i, fields)
                : new Message("user", render(i, pool.input(), fields));
        Message answer = new Message("assistant", shots.output().isEmpty() ? answer(i) : render(i, pool.output(), fields));
        shown.add(List.of(new Part("shots", asked), new Part("shots", answer)));
        examples.add(pool.example(i));
    }

    /// An example's fields, and those inputs of the item that no example has: they are the prompt's own, such as the language
    /// to translate to.
    private Map<String, Object> fields(int i) {
        Map<String, Object> fields = new LinkedHashMap<>();
        inputs.forEach((name, value) -> {
            if (!pool.knows(name)) fields.put(name, value);
        });
        fields.putAll(pool.example(i));
        return fields;
    }

    /// An example's question in the prompt's own words.
    private Message asked(int i, Map<String, Object> fields) {
        boolean any = false;
        for (String name : inputs.keySet()) {
            if (!pool.has(name)) continue;
            if (!pool.example(i).containsKey(name)) throw pool.lacks(i, name, "which the prompt takes");
            any = true;
        }
        if (!any)
            throw new UserError(pool.where(i), "the example has none of the prompt's inputs"
                    + (inputs.isEmpty() ? "" : " (" + String.join(", ", inputs.keySet()) + ")"),
                    "name its fields as the inputs are, or give shots an \"input\" template");
        List<Message> messages = body.render(fields);
        int question = question(messages);
        if (question < 0)
            throw new UserError(pool.where(i), "the prompt has no user turn to show an example in",
                    "give it one, or give shots an \"input\" template");
        return messages.get(question);
    }

    /// The answer, after its reasoning if that is shown: `… The answer is 5.` (Wei et al. 2022).
    private String answer(int i) {
        String answer = text(pool.field(i, shots.label(), "which is its answer"));
        if (composition.cot().kind() != Cot.Kind.FEW_SHOT) return answer;
        String reasoning = text(pool.field(i, Pool.REASONING, "which few-shot chain of thought shows")).strip();
        String concludes = "The answer is " + (answer.endsWith(".") ? answer : answer + ".");
        return reasoning.endsWith(concludes) ? reasoning : Composed.join(reasoning, " ", concludes);
    }

    /// A field as text: a list or map as JSON.
    private static String text(Object value) {
        if (value instanceof String text) return text;
        return Template.parse("{{ value | tojson }}", Environment.chat()).render(Map.of("value", value));
    }

    private String render(int i, Template template, Map<String, Object> fields) {
        try {
            return template.render(fields);
        } catch (TemplateError e) {
            throw new UserError(pool.where(i), "cannot be shown: " + e.getMessage() + (e.piece().isEmpty() ? ""
                    : " at \"" + e.piece() + "\""), "the example has " + String.join(", ", pool.example(i).keySet()), e);
        }
    }
}
