package fewsh.prompt;

import com.github.jknack.handlebars.Helper;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The body of a `.prompt` file: Handlebars, whose helpers `role`, `history`, `media` and `section` leave marks that the
/// messages are then made of.
///
/// The marks of a rendering carry a number used once, so that an input cannot make one; those that stand in the template as
/// text are given it before.
///
final class DotpromptTemplate implements PromptTemplate {
    private static final String MARK = "<<<dotprompt:";
    private static final Map<String, Helper<?>> HELPERS = Map.of(
            "role", (role, _) -> mark() + "role:" + HandlebarsJs.text(role) + ">>>",
            "history", (_, _) -> mark() + "history>>>",
            "section", (name, _) -> mark() + "section " + HandlebarsJs.text(name) + ">>>",
            "media", (_, options) -> {
                String type = HandlebarsJs.text(options.hash("contentType"));
                return mark() + "media:url " + HandlebarsJs.text(options.hash("url")) + (type.isEmpty() ? "" : " " + type)
                        + ">>>";
            },
            "json", (value, options) -> {
                int indent = options.hash("indent") instanceof Number n ? Math.clamp(n.intValue(), 0, 10) : 0;
                return Mustache.paid(Json.write(value, indent));
            },
            "ifEquals", (a, options) -> HandlebarsJs.block(options, HandlebarsJs.same(a, options.param(0, null))),
            "unlessEquals", (a, options) -> HandlebarsJs.block(options, !HandlebarsJs.same(a, options.param(0, null))));

    private final String where;
    private final Mustache parsed;

    /// @param line     of the file on which it begins
    /// @param partials a partial's text by its name
    /// @throws fewsh.UserError with its line if it cannot be parsed
    DotpromptTemplate(String where, int line, String text, UnaryOperator<String> partials) {
        this.where = where;
        this.parsed = Mustache.handlebars(where, line, marked(text), HELPERS, name -> {
            String partial = partials.apply(name);
            return partial == null ? null : marked(partial);
        });
    }

    private static String mark() {
        return MARK + Mustache.nonce();
    }

    private static String marked(String text) {
        return text.replace(MARK, MARK + HandlebarsJs.NONCE);
    }

    /// What `{{@name}}` and `{{history}}` stand for.
    record Surroundings(Map<String, Object> context, List<Map<String, Object>> history) {
        static final Surroundings NONE = new Surroundings(Map.of(), List.of());
    }

    /// A message as dotprompt has it.
    ///
    /// @param content parts: `{text}`, `{media: {url, contentType}}`, `{metadata: {purpose, pending}}`
    record Turn(String role, List<Object> content, Map<String, Object> metadata) {}

    @Override
    public List<Message> render(List<Input> declared, Map<String, Object> inputs, Path folder) {
        List<Message> messages = new ArrayList<>();
        for (Turn turn : turns(inputs, Surroundings.NONE)) {
            List<Object> parts = new ArrayList<>();
            for (Object part : turn.content) {
                Map<?, ?> map = (Map<?, ?>) part;
                if (map.get("text") instanceof String text) parts.add(Map.of("type", "text", "text", text));
                if (map.get("media") instanceof Map<?, ?> media) parts.add(media(folder, media));
            }
            boolean plain = parts.stream().allMatch(part -> "text".equals(((Map<?, ?>) part).get("type")));
            Object content = plain ? String.join("", parts.stream().map(p -> (String) ((Map<?, ?>) p).get("text")).toList())
                    : List.copyOf(parts);
            Map<String, Object> fields = new LinkedHashMap<>();
            fields.put("role", turn.role.equals("model") ? "assistant" : turn.role);
            fields.put("content", content);
            messages.add(new Message(fields));
        }
        return List.copyOf(messages);
    }

    private Map<String, Object> media(Path folder, Map<?, ?> media) {
        String kind = String.valueOf(media.get("contentType")).split("/")[0];
        if (!List.of("image", "audio", "video").contains(kind)) kind = media.get("contentType") == null ? "image" : "file";
        return Rich.part(where, folder, kind, "media", media.get("url"));
    }

    /// What the template prints, marks included.
    String rendered(Map<String, Object> inputs, Map<String, Object> context) {
        return parsed.render(inputs, context, "");
    }

    /// The messages in dotprompt's own form.
    List<Turn> turns(Map<String, Object> inputs, Surroundings surroundings) {
        String nonce = Rich.nonce(8) + ":";
        String rendered = parsed.render(inputs, surroundings.context, nonce);
        Pattern marks = Pattern.compile(Pattern.quote(MARK + nonce) + "(?:role:([a-z]+)((?: [^>]+)?)|(history))>>>");
        List<Turn> turns = new ArrayList<>();
        Open open = new Open("user", Map.of());
        int from = 0;
        Matcher m = marks.matcher(rendered);
        while (m.find()) {
            open.add(rendered.substring(from, m.start()));
            from = m.end();
            if (m.group(3) != null) {
                open.close(turns, nonce);
                for (Map<String, Object> message : surroundings.history) turns.add(past(message));
                open = new Open("model", Map.of());
            } else {
                boolean begun = !open.text.toString().isBlank();
                if (begun) open.close(turns, nonce);
                open = new Open(m.group(1), metadata(m.group(2), begun ? Map.of() : open.metadata));
            }
        }
        open.add(rendered.substring(from));
        open.close(turns, nonce);
        return withHistory(turns, surroundings.history);
    }

    /// A message that is being read.
    private record Open(String role, Map<String, Object> metadata, StringBuilder text) {
        Open(String role, Map<String, Object> metadata) {
            this(role, metadata, new StringBuilder());
        }

        /// White space between two marks says nothing.
        void add(String piece) {
            if (!piece.isBlank()) text.append(piece);
        }

        void close(List<Turn> turns, String nonce) {
            if (!text.isEmpty()) turns.add(new Turn(role, parts(text.toString(), nonce), metadata));
        }
    }

    private static Map<String, Object> metadata(String words, Map<String, Object> before) {
        Map<String, Object> metadata = new LinkedHashMap<>(before);
        for (String word : words.split(" ")) {
            int equals = word.indexOf('=');
            if (equals > 0) metadata.put(word.substring(0, equals), word.substring(equals + 1));
        }
        return metadata;
    }

    private static Turn past(Map<String, Object> message) {
        Map<String, Object> metadata = new LinkedHashMap<>();
        if (message.get("metadata") instanceof Map<?, ?> known) metadata.putAll(Yaml.texts(known));
        metadata.put("purpose", "history");
        return new Turn(String.valueOf(message.get("role")), List.copyOf((List<?>) message.get("content")), metadata);
    }

    /// Without the helper the history stands before a last message of the user's, else at the end.
    private static List<Turn> withHistory(List<Turn> turns, List<Map<String, Object>> history) {
        if (history.isEmpty() || turns.stream().anyMatch(turn -> "history".equals(turn.metadata.get("purpose")))) return turns;
        List<Turn> all = new ArrayList<>(turns);
        int at = !turns.isEmpty() && turns.getLast().role.equals("user") ? turns.size() - 1 : turns.size();
        for (Map<String, Object> message : history.reversed()) {
            Map<String, Object> metadata = message.get("metadata") instanceof Map<?, ?> known ? Yaml.texts(known) : Map.of();
            all.add(at, new Turn(String.valueOf(message.get("role")), List.copyOf((List<?>) message.get("content")), metadata));
        }
        return all;
    }

    private static List<Object> parts(String source, String nonce) {
        Pattern marks = Pattern.compile(Pattern.quote(MARK + nonce) + "(media:url|section)(.*?)>>>");
        List<Object> parts = new ArrayList<>();
        int from = 0;
        Matcher m = marks.matcher(source);
        while (m.find()) {
            text(parts, source.substring(from, m.start()));
            from = m.end();
            String[] words = m.group(2).strip().split(" ");
            Map<String, Object> inner = new LinkedHashMap<>();
            if (m.group(1).equals("section")) {
                inner.put("purpose", words[0]);
                inner.put("pending", true);
                parts.add(Map.of("metadata", inner));
            } else {
                inner.put("url", words[0]);
                if (words.length > 1) inner.put("contentType", words[1]);
                parts.add(Map.of("media", inner));
            }
        }
        text(parts, source.substring(from));
        return List.copyOf(parts);
    }

    private static void text(List<Object> parts, String text) {
        if (!text.isBlank()) parts.add(Map.of("text", text));
    }
}
