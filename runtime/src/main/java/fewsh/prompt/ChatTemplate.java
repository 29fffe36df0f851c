package fewsh.prompt;

import fewsh.UserError;
import fewsh.jinja.Environment;
import fewsh.jinja.Rendered;
import fewsh.jinja.Template;
import fewsh.jinja.TemplateError;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongFunction;
import java.util.function.Supplier;
import java.util.regex.Pattern;

/// How a model wants a conversation written: its jinja templates and the special tokens they print.
///
/// A model may have several: `tool_use` is taken when there are tools, `default` otherwise. The text holds the special tokens
/// already, so it is encoded with special tokens parsed and without adding any. Immutable; threads may share it.
///
/// Source: `render_jinja_template` and `get_chat_template` of transformers 5.23.
public final class ChatTemplate {
    private static final String TAG = "CONTINUE_FINAL_MESSAGE_TAG ";
    private static final List<String> REASONING = List.of("reasoning_content", "thinking", "reasoning");
    // What Python's strip drops.
    private static final String SPACE = "[\\t-\\r\\x1c-\\x1f\\x85\\p{Z}]+";
    private static final Pattern TRAILING_SPACE = Pattern.compile(SPACE + "\\z");
    private static final Pattern SPACE_AROUND = Pattern.compile("\\A" + SPACE + "|" + SPACE + "\\z");

    /// @param where names the file, for messages
    private record Named(String where, String text, Template template) {}

    private final Map<String, Named> templates;
    private final Map<String, String> specialTokens;

    private ChatTemplate(Map<String, Named> templates, Map<String, String> specialTokens) {
        this.templates = templates;
        this.specialTokens = specialTokens;
    }

    /// @param where         the file or model the template is from, for messages
    /// @param template      its text
    /// @param specialTokens `bos_token`, `eos_token` and so on, as the template names them
    /// @throws UserError if the template cannot be parsed
    public static ChatTemplate of(String where, String template, Map<String, String> specialTokens) {
        return of(Map.of("default", new Source(where, template)), specialTokens, LocalDateTime::now);
    }

    /// As above, with a clock for templates that print the date.
    public static ChatTemplate of(String where, String template, Map<String, String> specialTokens,
                                  Supplier<LocalDateTime> clock) {
        return of(Map.of("default", new Source(where, template)), specialTokens, clock);
    }

    /// @param where names the file, for messages
    record Source(String where, String text) {}

    static ChatTemplate of(Map<String, Source> sources, Map<String, String> specialTokens, Supplier<LocalDateTime> clock) {
        Map<String, Named> templates = new LinkedHashMap<>();
        sources.forEach((name, source) -> {
            try {
                Template template = Template.parse(source.text, Environment.chat().withClock(clock));
                templates.put(name, new Named(source.where, source.text, template));
            } catch (TemplateError e) {
                throw failure(source.where, e);
            }
        });
        return new ChatTemplate(templates, new LinkedHashMap<>(specialTokens));
    }

    /// The templates and special tokens of a model folder: `chat_template.jinja` and `additional_chat_templates/`, else
    /// `chat_template` in `tokenizer_config.json` or `chat_template.json`. Empty for a model that has none.
    ///
    /// @throws UserError if a file is there but cannot be read
    public static Optional<ChatTemplate> find(Path folder) {
        return new ModelFolder(folder).chatTemplate();
    }

    /// The templates and special tokens of a GGUF file: `tokenizer.chat_template`, `tokenizer.chat_template.tool_use` and so
    /// on. Empty for a model that has none.
    ///
    /// @param where    the file, for messages
    /// @param metadata the file's keys and values
    /// @param token    a token's text by its id, null for an id that is none
    public static Optional<ChatTemplate> ofGguf(String where, Map<String, ?> metadata, LongFunction<String> token) {
        String prefix = "tokenizer.chat_template";
        Map<String, Source> sources = new LinkedHashMap<>();
        metadata.forEach((key, value) -> {
            if (!key.startsWith(prefix) || !(value instanceof String text)) return;
            String name = key.equals(prefix) ? "default" : key.substring(prefix.length());
            if (name.startsWith(".") && name.length() > 1) name = name.substring(1);
            else if (!name.equals("default")) return;
            sources.put(name, new Source(where + " (" + key + ")", text));
        });
        if (sources.isEmpty()) return Optional.empty();
        Map<String, String> tokens = new LinkedHashMap<>();
        Map<String, String> ids = Map.of("bos", "bos_token", "eos", "eos_token", "unknown", "unk_token", "separator", "sep_token",
                "padding", "pad_token", "cls", "cls_token", "mask", "mask_token");
        ids.forEach((id, name) -> {
            Object value = metadata.get("tokenizer.ggml." + id + "_token_id");
            String text = value instanceof Number n ? token.apply(n.longValue()) : null;
            if (text != null) tokens.put(name, text);
        });
        return Optional.of(of(sources, tokens, LocalDateTime::now));
    }

    /// `default`, `tool_use` and so on.
    public List<String> names() {
        return List.copyOf(templates.keySet());
    }

    public Map<String, String> specialTokens() {
        return java.util.Collections.unmodifiableMap(specialTokens);
    }

    /// The text of the template that these variables select, as the model's files hold it.
    public String text(Map<String, ?> extra) {
        return select(extra).text;
    }

    /// The conversation as text.
    ///
    /// @param addGenerationPrompt whether to open the assistant's turn
    /// @param extra               `tools`, `documents`, `enable_thinking` and other variables; they win over special tokens
    /// @throws UserError if the template refuses the messages or fails, with its line
    public String render(List<Message> messages, boolean addGenerationPrompt, Map<String, ?> extra) {
        return renderWithSpans(messages, addGenerationPrompt, extra).text();
    }

    /// The same, with where the assistant's own words are, if the template marks them.
    public Rendered renderWithSpans(List<Message> messages, boolean addGenerationPrompt, Map<String, ?> extra) {
        List<Map<String, Object>> all = new ArrayList<>();
        for (Message message : messages) all.add(aliased(message.fields()));
        return render(select(extra), all, addGenerationPrompt, extra);
    }

    /// The conversation up to the end of its last message, for the model to go on from there.
    ///
    /// @throws UserError also if the last message has no text, or the template does not print it as it is
    public String renderContinuing(List<Message> messages, Map<String, ?> extra) {
        Named named = select(extra);
        if (messages.isEmpty()) throw new UserError(named.where, "there is no message to continue", "add one");
        if (!named.text.contains("content"))
            throw new UserError(named.where, "continue_final_message: the template reads no \"content\"", "leave it out");
        List<Map<String, Object>> all = new ArrayList<>();
        for (Message message : messages) all.add(aliased(message.fields()));
        String last = tag(named, all.getLast());
        String text = render(named, all, false, extra).text();
        int at = text.lastIndexOf(TAG.strip());
        if (at < 0 || !text.contains(SPACE_AROUND.matcher(last).replaceAll("")))
            throw new UserError(named.where, "continue_final_message is set but the final message does not appear in the text",
                    "the template rewrites or drops it; end with another message, or continue none");
        String kept = text.substring(0, at);
        return text.startsWith(TAG, at) ? kept : TRAILING_SPACE.matcher(kept).replaceFirst("");
    }

    /// Marks the end of a message's text; gives the text.
    private static String tag(Named named, Map<String, Object> message) {
        Object content = message.get("content");
        if (content instanceof String text) {
            message.put("content", text + TAG);
            return text;
        }
        if (content instanceof List<?> parts) {
            List<Object> tagged = new ArrayList<>(parts);
            for (int i = tagged.size() - 1; i >= 0; i--) {
                if (!(tagged.get(i) instanceof Map<?, ?> part) || !(part.get("text") instanceof String text)) continue;
                Map<Object, Object> marked = new LinkedHashMap<>(part);
                marked.put("text", text + TAG);
                tagged.set(i, marked);
                message.put("content", tagged);
                return text;
            }
        }
        throw new UserError(named.where, "continue_final_message is set but the final message has no text",
                "give it a \"content\"");
    }

    /// Reasoning under every name that templates read it by.
    private static Map<String, Object> aliased(Map<String, Object> message) {
        Map<String, Object> out = new LinkedHashMap<>(message);
        for (String name : REASONING) {
            Object reasoning = message.get(name);
            if (reasoning == null) continue;
            out.putIfAbsent("thinking", reasoning);
            out.put("reasoning_content", reasoning);
            break;
        }
        return out;
    }

    private Named select(Map<String, ?> extra) {
        Named named = extra.get("tools") != null ? templates.get("tool_use") : null;
        if (named == null) named = templates.get("default");
        if (named == null && templates.size() == 1) named = templates.values().iterator().next();
        if (named == null)
            throw new UserError(templates.values().iterator().next().where, "several chat templates and none is \"default\": "
                    + templates.keySet(), "name one of them \"default\"");
        return named;
    }

    private Rendered render(Named named, List<Map<String, Object>> messages, boolean addGenerationPrompt, Map<String, ?> extra) {
        Map<String, Object> variables = new LinkedHashMap<>(specialTokens);
        variables.put("tools", null);
        variables.put("documents", null);
        variables.putAll(extra);
        variables.put("messages", messages);
        variables.put("add_generation_prompt", addGenerationPrompt);
        try {
            return named.template.renderWithSpans(variables);
        } catch (TemplateError e) {
            throw failure(named.where, e);
        } catch (IllegalArgumentException e) {
            throw new UserError(named.where, e.getMessage(), "variables are texts, numbers, lists and maps", e);
        }
    }

    private static UserError failure(String where, TemplateError e) {
        String place = e.line() == 0 ? where : where + ":" + e.line();
        if (e.kind() == TemplateError.Kind.TEMPLATE)
            return new UserError(place, "the chat template refuses these messages: \"" + e.getMessage() + "\"",
                    "send the roles and fields it asks for", e);
        String piece = e.piece().isEmpty() ? "" : " at \"" + e.piece() + "\"";
        return new UserError(place, "the chat template fails: " + e.getMessage() + " (" + e.kind().pythonName() + piece + ")",
                "correct the template, or send what it reads", e);
    }
}
