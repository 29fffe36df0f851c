package fewsh.shell;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import fewsh.UserError;
import fewsh.ask.Reply;
import fewsh.ask.Sample;
import fewsh.generate.CausalLm;
import fewsh.generate.FinishReason;
import fewsh.generate.SamplingConfig;
import fewsh.generate.Step;
import fewsh.prompt.Body;
import fewsh.prompt.Composed;
import fewsh.prompt.Composition;
import fewsh.prompt.Cot;
import fewsh.prompt.Message;
import fewsh.prompt.Pool;
import fewsh.prompt.PromptFile;
import fewsh.prompt.Shots;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The conversation of the shell: prompts in, answers streamed, turns taken back, kept in files.
///
/// A model with a chat template sees the whole conversation; one without sees each prompt as it is, alone.
final class Chat {
    /// Alternatives kept for `/probs`.
    static final int ALTERNATIVES = 5;

    private Chat() {}

    /// A prompt was typed.
    static int say(Workspace workspace, String text) {
        List<Message> messages = new ArrayList<>(workspace.messages());
        messages.add(new Message("user", text));
        return answer(workspace, messages);
    }

    /// A prompt takes the place of the last, if there is one, and of what came after it.
    static int sayInstead(Workspace workspace, String text) {
        List<Message> messages = new ArrayList<>(workspace.messages());
        while (!messages.isEmpty() && !messages.removeLast().role().equals("user"));
        messages.add(new Message("user", text));
        return answer(workspace, messages);
    }

    /// Has `messages`, the last of which is the user's, answered; they become the conversation once there is an answer.
    private static int answer(Workspace workspace, List<Message> messages) {
        Composition composition = workspace.composition();
        SamplingConfig config = workspace.sampling(Map.of(), composition).withAlternatives(ALTERNATIVES);
        Composed composed = compose(workspace, messages, config);
        Answering answering = Answering.of(workspace, workspace.cache(), composed, config, false);
        Reply reply = answering.reply();
        workspace.last(new Answer(0, reply.text(), reply.reason(), shown(reply)));
        workspace.messages().clear();
        workspace.messages().addAll(messages);
        workspace.messages().add(new Message("assistant", reply.text()));
        workspace.tree().current().answered(workspace.cache());
        if (workspace.showTime()) workspace.render().note(status(workspace, answering, config));
        return reply.reason() == FinishReason.INTERRUPTED ? 130 : 0;
    }

    /// The tokens of the text that was shown: of a vote, those of the path that won.
    private static List<Step.Token> shown(Reply reply) {
        return reply.samples().stream().filter(sample -> sample.text().equals(reply.text())).findFirst().map(Sample::tokens)
                .orElse(List.of());
    }

    /// The prompt that the last of `messages`, which is the user's, makes after the others, with the parts in force.
    private static Composed compose(Workspace workspace, List<Message> messages, SamplingConfig config) {
        Composition composition = workspace.composition();
        boolean chat = workspace.model().chatTemplate().isPresent();
        List<Message> before = chat ? conversation(workspace, messages.subList(0, messages.size() - 1)) : List.of();
        Question question = workspace.tree().current().question();
        Body body = inputs -> {
            List<Message> all = new ArrayList<>(before);
            all.add(question.turn(inputs));
            return all;
        };
        return composition.compose(body, Map.of(question.input(), messages.getLast().text()), workspace.tokens(),
                Pool.of(composition.shots(), workspace.similarity()), workspace.room(config));
    }

    private static List<Message> conversation(Workspace workspace, List<Message> messages) {
        List<Message> all = new ArrayList<>();
        if (!workspace.system().isEmpty()) all.add(new Message("system", workspace.system()));
        all.addAll(messages);
        return all;
    }

    /// `28 tokens · 187 tok/s · context 65/8192 · 0.21 s to first token`.
    private static String status(Workspace workspace, Answering answering, SamplingConfig config) {
        Reply reply = answering.reply();
        int n = reply.usage().completionTokens();
        int first = Math.max(1, reply.samples().size());                      // drawn by prefills
        List<String> parts = new ArrayList<>();
        parts.add(n + (n == 1 ? " token" : " tokens"));
        if (n > first) parts.add(Render.rate(n - first, reply.usage().decode()) + " tok/s");
        parts.add("context " + workspace.cache().length() + "/" + workspace.model().about().contextLength());
        if (reply.votes().isEmpty() && reply.statements().isEmpty()) parts.add(Render.time(answering.first()) + " to first token");
        if (config.temperature() > 0 || reply.votes().isPresent() || !reply.statements().isEmpty()) parts.add("seed " + reply.seed());
        switch (reply.reason()) {
            case STOP -> {}
            case LENGTH -> parts.add(n >= config.maxTokens() ? "stopped at max_tokens" : "stopped at the context's end");
            case INTERRUPTED -> parts.add("interrupted");
        }
        return String.join(" · ", parts);
    }

    /// `/retry`: another answer to the last prompt.
    static int retry(Workspace workspace, Options options) {
        options.expect("/retry", "nothing", 0, 0);
        List<Message> messages = new ArrayList<>(workspace.messages());
        while (!messages.isEmpty() && !messages.getLast().role().equals("user")) messages.removeLast();
        if (messages.isEmpty()) throw new UserError("/retry", "there is no prompt yet", "type one");
        return answer(workspace, messages);
    }

    /// `/undo [N]`: takes back the last N prompts with their answers.
    static int undo(Workspace workspace, Options options) {
        options.expect("/undo", "[N]", 0, 1);
        int n = options.words().isEmpty() ? 1 : Options.whole("/undo", options.text(), 1);
        List<Message> messages = workspace.messages();
        int taken = 0;
        while (taken < n && !messages.isEmpty())
            if (messages.removeLast().role().equals("user")) taken++;
        if (taken == 0) throw new UserError("/undo", "there is nothing to take back", "");
        workspace.last(null);
        workspace.render().note("took back " + taken + (taken == 1 ? " prompt" : " prompts") + ", " + turns(messages));
        return 0;
    }

    private static String turns(List<Message> messages) {
        long left = messages.stream().filter(m -> m.role().equals("user")).count();
        return left == 0 ? "the conversation is empty" : left + " left";
    }

    /// `/clear`: begins a new conversation; the system message and the prompt's parts stay, unless it is `/clear all`.
    static int clear(Workspace workspace, Options options) {
        options.expect("/clear", "[all]", 0, 1);
        if (!options.words().isEmpty() && !options.text().equals("all"))
            throw new UserError("/clear", "does not take \"" + options.text() + "\"", "/clear, or /clear all for the parts too");
        workspace.tree().current().replace(List.of());
        if (!options.words().isEmpty()) {
            workspace.system("");
            workspace.composition(Composition.EMPTY);
            workspace.tree().current().question(Question.PLAIN);
        }
        workspace.render().note(options.words().isEmpty() ? "the conversation is empty" : "conversation and prompt are empty");
        return 0;
    }

    /// `/system [TEXT]`.
    static int system(Workspace workspace, Options options) {
        Render render = workspace.render();
        String text = options.text();
        if (text.isEmpty()) {
            if (workspace.system().isEmpty()) render.note("there is no system message");
            else render.line(Render.visible(workspace.system()));
            return 0;
        }
        workspace.system(text.equals("off") ? "" : text);
        boolean ignored = workspace.loaded().isPresent() && workspace.model().chatTemplate().isEmpty();
        render.note(text.equals("off") ? "there is no system message"
                : ignored ? "system message set; this model has no chat template and will not see it" : "system message set");
        return 0;
    }

    /// `/show [TEXT]`: the prompt that TEXT would be, or the last one was: as the model gets it, its parts with their tokens, and
    /// what it costs.
    static int show(Workspace workspace, Options options) {
        Render render = workspace.render();
        CausalLm model = workspace.model();
        List<Message> messages = new ArrayList<>(workspace.messages());
        if (!options.text().isEmpty()) messages.add(new Message("user", options.text()));
        else while (!messages.isEmpty() && !messages.getLast().role().equals("user")) messages.removeLast();
        if (messages.isEmpty()) {
            if (workspace.composition().equals(Composition.EMPTY) && workspace.system().isEmpty())
                throw new UserError("/show", "there is no prompt yet", "type one, or /show TEXT");
            messages.add(new Message("user", "…"));
        }
        SamplingConfig config = workspace.sampling(Map.of(), workspace.composition());
        Composed composed = compose(workspace, messages, config);
        render.text(Prompts.text(model.chatTemplate(), composed));
        render.endLine();
        Cot cot = composed.composition().cot();
        if (cot.kind() == Cot.Kind.ZERO_SHOT)
            render.note("then the reasoning, and behind it \"" + Render.visible(cot.extract()) + "\" with the answer");
        int[] ids = Ask.ids(model, composed);
        costs(workspace, composed, ids, config);
        if (model.chatTemplate().isEmpty())
            render.note("this model has no chat template: it sees the parts and the prompt as text, and no conversation");
        return 0;
    }

    private static void costs(Workspace workspace, Composed composed, int[] ids, SamplingConfig config) {
        Render render = workspace.render();
        CausalLm model = workspace.model();
        Map<String, Integer> tokens = new LinkedHashMap<>();
        for (Composed.Part part : composed.parts())
            tokens.merge(part.label(), model.tokenizer().encode(part.message().text(), false, false).length, Integer::sum);
        int parts = tokens.values().stream().mapToInt(n -> n).sum();
        if (ids.length > parts) tokens.put("template", ids.length - parts);
        int width = tokens.keySet().stream().mapToInt(String::length).max().orElse(0);
        tokens.forEach((label, n) -> render.note(label + " ".repeat(width + 2 - label.length()) + "%,6d".formatted(n)
                + (label.equals("shots") ? "  " + composed.shown().size() + " shown" + (composed.dropped() == 0 ? ""
                : ", " + composed.dropped() + " left out to stay within the budget") : "")));
        int shared = Math.min(workspace.cache().common(ids), ids.length - 1);
        Composition c = composed.composition();
        int answers = Math.max(1, c.vote().n()) * (c.knowledge() + 1);
        render.note("%,d tokens of %,d: %,d computed already, %,d to compute".formatted(ids.length, model.about().contextLength(),
                shared, ids.length - shared) + (answers == 1 ? "" : "; " + answers + " answers from one prompt")
                + "; up to %,d tokens to draw".formatted((long) answers * config.maxTokens()));
    }

    /// `/save FILE`: the conversation, or as `.prompty` the composed prompt.
    static int save(Workspace workspace, Options options) {
        String name = options.expect("/save", "FILE", 1, 1).text();
        if (name.endsWith(".jsonl")) return saveConversation(workspace, name);
        if (name.endsWith(".prompty")) return savePrompt(workspace, name);
        throw new UserError("/save", "\"" + name + "\" ends neither in .jsonl nor in .prompty",
                "/save conversation.jsonl keeps what was said, /save prompt.prompty the composed prompt");
    }

    /// A prompt file that `fewsh run` gives the same messages for as the last prompt here.
    private static int savePrompt(Workspace workspace, String name) {
        List<Message> messages = new ArrayList<>(workspace.messages());
        while (!messages.isEmpty() && !messages.getLast().role().equals("user")) messages.removeLast();
        Question question = workspace.tree().current().question();
        if (!messages.isEmpty()) messages.add(question.turn(Map.of(question.input(), messages.removeLast().text())));
        Map<String, Object> settings = new LinkedHashMap<>();
        workspace.settings().forEach((setting, values) -> settings.put(setting.key(), setting.stored(values)));
        Path file = workspace.file(name);
        String stem = file.getFileName().toString().replaceFirst("\\.prompty$", "");
        Composition composition = asPairs(workspace.composition(), question);
        String image = beside(composition.image(), file);
        write(name, file, PromptFile.write(composition.with(c -> c.image = image), conversation(workspace, messages),
                settings, stem, ""));
        workspace.render().note("the prompt is in " + name + "; fewsh run " + name + " --set input=… asks it");
        return 0;
    }

    /// A picture as a prompt file names it: by its path from there.
    private static String beside(String image, Path file) {
        if (image.isEmpty()) return image;
        Path folder = file.toAbsolutePath().normalize().getParent();
        Path picture = Path.of(image).toAbsolutePath().normalize();
        if (picture.startsWith(folder)) return folder.relativize(picture).toString();
        throw new UserError("/save", "the image " + image + " is not beside " + file.getFileName() + " or below",
                "copy it there and name the copy with /image, or take it away with /image off");
    }

    /// The examples as they are shown, so that a question that is nothing but the input shows them so.
    private static Composition asPairs(Composition composition, Question question) {
        Shots shots = composition.shots();
        if (question == Question.PLAIN || shots.examples().isEmpty() || !shots.input().isEmpty()) return composition;
        List<Map<String, Object>> pairs = new ArrayList<>();
        for (Map<String, Object> example : shots.examples()) {
            Map<String, Object> pair = new LinkedHashMap<>(example);
            pair.put("input", question.turn(example).text());
            pairs.add(pair);
        }
        return composition.with(c -> c.shots = new Shots(pairs, shots.k(), shots.by(), shots.seed(), shots.label(), "{{ input }}",
                shots.output(), shots.budget(), ""));
    }

    /// Whole or not at all.
    private static void write(String name, Path file, String text) {
        Path beside = file.resolveSibling("." + file.getFileName() + ".part");
        try {
            Files.writeString(beside, text);
            Files.move(beside, file, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            beside.toFile().delete();                                         // of a full disk, say; what was there is whole
            throw new UserError(name, "cannot be written: " + e.getMessage(), "", e);
        }
    }

    /// The conversation as one line `{"messages":[{"role","content"}]}`, as OpenAI and mlx-lm train on.
    private static int saveConversation(Workspace workspace, String name) {
        JsonArray all = new JsonArray();
        for (Message message : conversation(workspace, workspace.messages())) {
            JsonObject one = new JsonObject();
            one.addProperty("role", message.role());
            one.addProperty("content", message.text());
            all.add(one);
        }
        if (all.isEmpty()) throw new UserError("/save", "the conversation is empty", "type a prompt");
        JsonObject line = new JsonObject();
        line.add("messages", all);
        write(name, workspace.file(name), line + "\n");
        workspace.render().note(all.size() + (all.size() == 1 ? " message" : " messages") + " in " + name);
        return 0;
    }

    /// `/open FILE`: goes on with what `/save` wrote, a conversation or a prompt.
    static int open(Workspace workspace, Options options) {
        String name = options.expect("/open", "FILE", 1, 1).text();
        return Prompts.isPrompt(name) ? openPrompt(workspace, name) : openConversation(workspace, name);
    }

    /// The parts of a prompt file; its turns, up to the question, are the conversation, and its settings are set.
    private static int openPrompt(Workspace workspace, String name) {
        PromptFile file = PromptFile.read(workspace.file(name), workspace.environment());
        List<Message> turns = new ArrayList<>(file.turns().render(Map.of()));
        if (!turns.isEmpty() && "user".equals(turns.getLast().role())) turns.removeLast();
        boolean hasSystem = !turns.isEmpty() && "system".equals(turns.getFirst().role());
        workspace.system(hasSystem ? turns.removeFirst().text() : "");
        workspace.tree().current().replace(turns);
        workspace.composition(file.parts());
        Question question = Question.of(file);
        workspace.tree().current().question(question);
        workspace.settings().putAll(Setting.stored(file.options()));
        workspace.render().note(file.name() + (file.description().isEmpty() ? "" : " · " + file.description().replaceFirst("\\.$", ""))
                + "; /show shows it, what you type is its " + question.input());
        return 0;
    }

    /// Of several lines, the last.
    private static int openConversation(Workspace workspace, String name) {
        List<String> lines = workspace.read(name).lines().toList();
        int number = lines.size();
        while (number > 0 && lines.get(number - 1).isBlank()) number--;
        if (number == 0) throw new UserError(name, "holds no conversation", "a line is {\"messages\":[…]}");
        String where = name + ":" + number;
        if (!(JsonLines.object(lines.get(number - 1), where).get("messages") instanceof JsonArray array))
            throw new UserError(where, "\"messages\" is missing or not a list", "a line is {\"messages\":[…]}");
        List<Message> messages = new ArrayList<>();
        for (JsonElement element : array) {
            if (!(element instanceof JsonObject message)) throw new UserError(where, "a message is not an object", "");
            messages.add(new Message(JsonLines.text(message, "role", where), JsonLines.text(message, "content", where)));
        }
        boolean hasSystem = !messages.isEmpty() && messages.getFirst().role().equals("system");
        workspace.system(hasSystem ? messages.removeFirst().text() : "");
        workspace.tree().current().replace(messages);
        workspace.render().note(array.size() + (array.size() == 1 ? " message" : " messages") + " from " + name);
        return 0;
    }
}
