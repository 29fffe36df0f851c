package fewsh.prompt;

import fewsh.UserError;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Inputs that are no text: conversations, images, sound, files. A template prints a placeholder, a text used once, whose
/// place in the messages they take afterwards.
final class Rich {
    private static final SecureRandom RANDOM = new SecureRandom();

    private final Map<String, Object> values = new LinkedHashMap<>();

    /// Digits that nobody can guess.
    static String nonce(int bytes) {
        byte[] random = new byte[bytes];
        RANDOM.nextBytes(random);
        return HexFormat.of().formatHex(random);
    }

    /// @param value a list of messages for a thread, else a content part
    String placeholder(String name, Object value) {
        String placeholder = "__PROMPTY_THREAD_" + nonce(4) + "_" + name + "__";
        put(placeholder, value);
        return placeholder;
    }

    void put(String placeholder, Object value) {
        values.put(placeholder, value);
    }

    /// The messages of `turns`, with what their placeholders stand for.
    List<Message> messages(List<Roles.Turn> turns) {
        List<Message> messages = new ArrayList<>();
        Pattern placeholders = Pattern.compile(values.isEmpty() ? "(?!)" : String.join("|", values.keySet().stream()
                .map(Pattern::quote).toList()));
        for (Roles.Turn turn : turns) {
            List<Object> parts = new ArrayList<>();
            String text = turn.text();
            int from = 0;
            boolean split = false;
            Matcher m = placeholders.matcher(text);
            while (m.find()) {
                Object value = values.get(m.group());
                split = true;
                text(parts, text.substring(from, m.start()));
                from = m.end();
                if (value instanceof Collection<?> thread) {
                    if (!parts.isEmpty()) messages.add(message(turn, parts));
                    parts = new ArrayList<>();
                    for (Object message : thread) messages.add(Message.received(Yaml.texts((Map<?, ?>) message)));
                } else {
                    parts.add(value);
                }
            }
            if (split) text(parts, text.substring(from));
            if (!split) messages.add(message(turn, List.of(part(text))));
            else if (!parts.isEmpty()) messages.add(message(turn, parts));
        }
        return List.copyOf(messages);
    }

    private static void text(List<Object> parts, String text) {
        if (!text.isBlank()) parts.add(part(text.strip()));
    }

    private static Map<String, Object> part(String text) {
        return Map.of("type", "text", "text", text);
    }

    private static Message message(Roles.Turn turn, List<Object> parts) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("role", turn.fields().get("role"));
        boolean text = parts.size() == 1 && parts.getFirst() instanceof Map<?, ?> only && "text".equals(only.get("type"));
        fields.put("content", text ? ((Map<?, ?>) parts.getFirst()).get("text") : List.copyOf(parts));
        turn.fields().forEach(fields::putIfAbsent);
        return new Message(fields);
    }

    /// An image, a sound or a file as chat templates have it: `{type: image, path: …}`, with `url` for data that stands in the
    /// text itself.
    ///
    /// @param value the name of a file beside the prompt file, or a `data:` address
    /// @throws UserError if there is no such file there, or it is an address on the net
    static Map<String, Object> part(String where, Path folder, String kind, String name, Object value) {
        if (!(value instanceof String text))
            throw new UserError(where, "input \"" + name + "\" is no name of a file", "name a file beside the prompt file");
        if (text.startsWith("data:")) return ordered(kind, "url", text);
        if (text.matches("(?i)[a-z][a-z0-9+.-]+://.*"))
            throw new UserError(where, "input \"" + name + "\" is \"" + text + "\", and fewsh opens no connection for a prompt",
                    "download it and name the file");
        return ordered(kind, "path", References.inside(where + ": input \"" + name + "\"", folder, text).toString());
    }

    private static Map<String, Object> ordered(String kind, String key, String value) {
        Map<String, Object> part = new LinkedHashMap<>();
        part.put("type", kind);
        part.put(key, value);
        return part;
    }
}
