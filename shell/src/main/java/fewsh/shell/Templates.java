package fewsh.shell;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import fewsh.UserError;
import fewsh.jinja.Environment;
import fewsh.jinja.Template;
import fewsh.jinja.TemplateError;
import fewsh.prompt.ChatTemplate;
import fewsh.prompt.Message;
import fewsh.tokenize.Tokenizer;
import fewsh.weights.Weights;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/// `fewsh render`: what a template makes of its variables, for seeing, and for holding against Python's jinja2.
final class Templates {
    private static final List<String> ENVIRONMENTS = List.of("plain", "chat", "lm_eval");

    private final Workspace workspace;
    private final Map<String, ChatTemplate> chatTemplates = new HashMap<>();

    private Templates(Workspace workspace) {
        this.workspace = workspace;
    }

    static int run(Workspace workspace, Options options) {
        if (!options.words().isEmpty()) {
            if (options.has("template") || options.has("batch"))
                throw new UserError("fewsh render", "takes a prompt file, --template FILE or --batch", "leave the others out");
            return Prompts.render(workspace, options);
        }
        if (options.has("template") == options.has("batch"))
            throw new UserError("fewsh render", "takes a prompt file, --template FILE or --batch",
                    "fewsh render prompt.prompty, or fewsh render --template t.jinja --vars v.json");
        Templates templates = new Templates(workspace);
        if (options.has("batch")) templates.batch();
        else templates.one(options);
        return 0;
    }

    private void one(Options options) {
        String file = options.get("template", "");
        String vars = options.get("vars", "");
        JsonObject variables = vars.isEmpty() ? new JsonObject() : JsonLines.object(workspace.read(vars), vars);
        Environment environment = environment(options.get("environment", "plain"), "--environment");
        try {
            String text = Template.parse(workspace.read(file), environment).render(map(variables));
            if (workspace.render().json()) workspace.render().line(line("text", text));
            else workspace.render().text(text);
        } catch (TemplateError e) {
            throw new UserError(e.line() == 0 ? file : file + ":" + e.line(), e.kind().pythonName() + ": " + e.getMessage(),
                    e.piece().isEmpty() ? "" : "it is about: " + e.piece(), e);
        }
    }

    /// A line in, a line out, whatever the line says: an error of one is no reason to leave out the others.
    private void batch() {
        int number = 0;
        for (String line = workspace.readLine(); line != null; line = workspace.readLine()) {
            number++;
            if (line.isBlank()) continue;
            JsonObject result;
            try {
                result = line("text", rendered(JsonLines.object(line, "stdin:" + number), "stdin:" + number));
            } catch (TemplateError e) {
                result = line("error", e.toString());
            } catch (UserError e) {
                result = line("error", e.getMessage());
            }
            workspace.render().line(result);
        }
    }

    private String rendered(JsonObject line, String where) {
        return line.has("messages") ? chat(line, where) : plain(line, where);
    }

    private static String plain(JsonObject line, String where) {
        known(line, List.of("template", "vars", "environment", "options", "now"), where);
        Environment environment = environment(line.has("environment") ? JsonLines.text(line, "environment", where) : "plain",
                where);
        if (line.get("options") instanceof JsonObject options)
            for (var option : options.entrySet()) environment = with(environment, option.getKey(), option.getValue(), where);
        else if (line.has("options") && !line.get("options").isJsonNull())
            throw new UserError(where, "\"options\" is not an object", "");
        if (line.has("now")) environment = environment.withClock(clock(line, where)::get);
        JsonElement vars = line.has("vars") ? line.get("vars") : new JsonObject();
        if (!(vars instanceof JsonObject variables)) throw new UserError(where, "\"vars\" is not an object", "");
        return Template.parse(JsonLines.text(line, "template", where), environment).render(map(variables));
    }

    private static Supplier<LocalDateTime> clock(JsonObject line, String where) {
        String text = JsonLines.text(line, "now", where);
        try {
            LocalDateTime now = text.matches(".*(Z|[+-]\\d\\d:?\\d\\d)") && text.contains("T") ? OffsetDateTime.parse(text)
                    .toLocalDateTime()
                    : LocalDateTime.parse(text.replace(' ', 'T'));
            return () -> now;
        } catch (DateTimeParseException e) {
            throw new UserError(where, "\"now\" is no time: \"" + text + "\"", "as in 2026-07-04T09:05:03", e);
        }
    }

    private String chat(JsonObject line, String where) {
        known(line, List.of("messages", "model", "add_generation_prompt", "tools"), where);
        String name = JsonLines.text(line, "model", where);
        ChatTemplate template = chatTemplates.computeIfAbsent(name, this::chatTemplate);
        Map<String, Object> extra = new HashMap<>();
        if (line.has("tools") && !line.get("tools").isJsonNull()) extra.put("tools", value(line.get("tools")));
        return template.render(messages(line, where), flag(line, "add_generation_prompt", where), extra);
    }

    private static List<Message> messages(JsonObject line, String where) {
        if (!(line.get("messages") instanceof JsonArray array)) throw new UserError(where, "\"messages\" is not a list", "");
        List<Message> messages = new ArrayList<>();
        for (JsonElement element : array) {
            if (!(element instanceof JsonObject message)) throw new UserError(where, "a message is not an object", "");
            messages.add(Message.received(map(message)));
        }
        return messages;
    }

    private static boolean flag(JsonObject line, String key, String where) {
        JsonElement value = line.get(key);
        if (value == null || value.isJsonNull()) return false;
        if (value instanceof JsonPrimitive flag && flag.isBoolean()) return flag.getAsBoolean();
        throw new UserError(where, "\"" + key + "\" is not true or false", "");
    }

    /// The chat template of a model that need not be loaded.
    private ChatTemplate chatTemplate(String name) {
        return find(workspace, name).orElseThrow(() -> new UserError(name, "has no chat template", "name a chat model"));
    }

    /// The chat template of a model that need not be loaded, if it has one.
    static Optional<ChatTemplate> find(Workspace workspace, String name) {
        Path model = workspace.store().resolve(name).path();
        if (Files.isDirectory(model)) return ChatTemplate.find(model);
        try (Weights weights = Weights.open(model)) {
            List<?> tokens = weights.metadata().get("tokenizer.ggml.tokens") instanceof List<?> list ? list : List.of();
            return ChatTemplate.ofGguf(model.toString(), weights.metadata(),
                    id -> id >= 0 && id < tokens.size() ? tokens.get((int) id).toString() : null);
        }
    }

    /// The tokenizer of a model that need not be loaded; whoever asks closes it.
    static Tokenizer tokenizer(Workspace workspace, String name) {
        Path model = workspace.store().resolve(name).path();
        if (Files.isDirectory(model)) return Tokenizer.open(model);
        try (Weights weights = Weights.open(model)) {
            return Tokenizer.ofGguf(model.toString(), weights.metadata());
        }
    }

    private static Environment environment(String name, String where) {
        return switch (name) {
            case "plain" -> Environment.plain();
            case "chat" -> Environment.chat();
            case "lm_eval" -> Environment.lmEval();
            default -> throw new UserError(where, "unknown environment \"" + name + "\"",
                    UserError.near(name, ENVIRONMENTS, "environments are " + String.join(", ", ENVIRONMENTS)));
        };
    }

    private static Environment with(Environment environment, String option, JsonElement value, String where) {
        if (!(value instanceof JsonPrimitive flag && flag.isBoolean()))
            throw new UserError(where, "option \"" + option + "\" is not true or false", "");
        boolean on = flag.getAsBoolean();
        return switch (option) {
            case "trim_blocks" -> environment.withTrimBlocks(on);
            case "lstrip_blocks" -> environment.withLstripBlocks(on);
            case "keep_trailing_newline" -> environment.withKeepTrailingNewline(on);
            default -> throw new UserError(where, "unknown option \"" + option + "\"",
                    "options are trim_blocks, lstrip_blocks, keep_trailing_newline");
        };
    }

    private static void known(JsonObject line, List<String> keys, String where) {
        for (String key : line.keySet())
            if (!keys.contains(key))
                throw new UserError(where, "unknown field \"" + key + "\"",
                        UserError.near(key, keys, "fields are " + String.join(", ", keys)));
    }

    private static JsonObject line(String key, String text) {
        JsonObject line = new JsonObject();
        line.addProperty(key, text);
        return line;
    }

    static Map<String, Object> map(JsonObject object) {
        Map<String, Object> map = new LinkedHashMap<>();
        object.entrySet().forEach(e -> map.put(e.getKey(), value(e.getValue())));
        return map;
    }

    /// As Python reads JSON: a number is a float if its spelling has a point or an exponent, a whole number else.
    static Object value(JsonElement element) {
        return switch (element) {
            case JsonObject object -> map(object);
            case JsonArray array -> {
                List<Object> list = new ArrayList<>();
                array.forEach(item -> list.add(value(item)));
                yield list;
            }
            case JsonPrimitive p when p.isBoolean() -> p.getAsBoolean();
            case JsonPrimitive p when p.isNumber() -> p.getAsString().matches("-?\\d+") ? (Object) new BigInteger(p.getAsString())
                    : (Object) Double.valueOf(p.getAsString());
            case JsonPrimitive p -> p.getAsString();
            case JsonNull _ -> null;
            default -> throw new IllegalStateException(element.getClass().getName());
        };
    }
}
