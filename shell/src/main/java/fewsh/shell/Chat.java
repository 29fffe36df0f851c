package fewsh.shell;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import fewsh.UserError;
import fewsh.generate.CausalLm;
import fewsh.generate.Decoding;
import fewsh.generate.FinishReason;
import fewsh.generate.SamplingConfig;
import fewsh.prompt.ChatTemplate;
import fewsh.prompt.Message;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
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
        Render render = workspace.render();
        CausalLm model = workspace.model();
        SamplingConfig config = workspace.sampling(Map.of()).withAlternatives(ALTERNATIVES);
        int[] prompt = ids(workspace, messages);
        long start = System.nanoTime();
        long[] first = new long[1];
        try (Decoding decoding = model.decode(workspace.cache(), prompt, config, 1)) {
            workspace.running(decoding);
            Answer answer = Answers.draw(decoding, 1, text -> {
                if (first[0] == 0) first[0] = System.nanoTime();
                if (!render.json()) render.text(text);
            }, _ -> {}).getFirst();
            workspace.running(null);
            render.endLine();
            workspace.last(answer);
            workspace.messages().clear();
            workspace.messages().addAll(messages);
            workspace.messages().add(new Message("assistant", answer.text()));
            workspace.tree().current().answered(workspace.cache());
            if (render.json()) render.line(Ask.json(answer, workspace, config, decoding));
            if (workspace.showTime())
                render.note(status(workspace, answer, decoding, config, Duration.ofNanos(Math.max(0, first[0] - start))));
            return answer.reason() == FinishReason.INTERRUPTED ? 130 : 0;
        } finally {
            workspace.running(null);
        }
    }

    private static int[] ids(Workspace workspace, List<Message> messages) {
        CausalLm model = workspace.model();
        return model.chatTemplate().isPresent() ? model.encode(conversation(workspace, messages), true)
                : model.encode(messages.getLast().text());
    }

    private static List<Message> conversation(Workspace workspace, List<Message> messages) {
        List<Message> all = new ArrayList<>();
        if (!workspace.system().isEmpty()) all.add(new Message("system", workspace.system()));
        all.addAll(messages);
        return all;
    }

    /// `28 tokens · 187 tok/s · context 65/8192 · 0.21 s to first token`.
    private static String status(Workspace workspace, Answer answer, Decoding decoding, SamplingConfig config,
            Duration first) {
        int n = answer.tokens().size();
        List<String> parts = new ArrayList<>();
        parts.add(n + (n == 1 ? " token" : " tokens"));
        if (n > 1) parts.add(Render.rate(n - 1, decoding.decodeTime()) + " tok/s");
        parts.add("context " + workspace.cache().length() + "/" + workspace.model().about().contextLength());
        parts.add(Render.time(first) + " to first token");
        if (config.temperature() > 0) parts.add("seed " + config.seed());
        switch (answer.reason()) {
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

    /// `/clear`: begins a new conversation; the system message stays.
    static int clear(Workspace workspace, Options options) {
        options.expect("/clear", "nothing", 0, 0);
        workspace.tree().current().replace(List.of());
        workspace.render().note("the conversation is empty");
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

    /// `/show`: what the model would see, up to where it goes on.
    static int show(Workspace workspace, Options options) {
        options.expect("/show", "nothing", 0, 0);
        Render render = workspace.render();
        ChatTemplate template = workspace.model().chatTemplate().orElse(null);
        List<Message> messages = conversation(workspace, workspace.messages());
        if (template == null) {
            messages.forEach(m -> render.line(render.paint(Style.DIM, m.role() + ": ") + Render.visible(m.text())));
            render.note("this model has no chat template: it sees each prompt as it is, alone");
            return 0;
        }
        if (messages.isEmpty()) throw new UserError("/show", "the conversation is empty", "type a prompt");
        boolean users = messages.getLast().role().equals("user");
        String text = template.render(messages, users, Map.of());
        render.text(text);
        render.endLine();
        int n = workspace.model().encode(messages, users).length;
        render.note(n + " tokens · context " + n + "/" + workspace.model().about().contextLength());
        return 0;
    }

    /// `/save FILE.jsonl`: the conversation as one line `{"messages":[{"role","content"}]}`, as OpenAI and mlx-lm train on.
    static int save(Workspace workspace, Options options) throws IOException {
        String name = options.expect("/save", "FILE.jsonl", 1, 1).text();
        if (!name.endsWith(".jsonl")) throw new UserError("/save", "\"" + name + "\" does not end in .jsonl",
                "/save conversation.jsonl");
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
        Path file = workspace.file(name);
        try {
            Files.writeString(file, line + "\n");
        } catch (IOException e) {
            throw new UserError(name, "cannot be written: " + e.getMessage(), "", e);
        }
        workspace.render().note(all.size() + (all.size() == 1 ? " message" : " messages") + " in " + name);
        return 0;
    }

    /// `/open FILE.jsonl`: goes on with the conversation that `/save` wrote; of several lines, the last.
    static int open(Workspace workspace, Options options) {
        String name = options.expect("/open", "FILE.jsonl", 1, 1).text();
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
