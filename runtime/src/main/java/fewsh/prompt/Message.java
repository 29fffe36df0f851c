package fewsh.prompt;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// One turn of a conversation, as a chat template sees it.
///
/// @param fields `role`, `content` (a text, or a list of parts such as `{type: text, text: …}`), and whatever else templates
///               read: `tool_calls`, `name`, `tool_call_id`, `reasoning_content`. In the order given; values may be null
public record Message(Map<String, Object> fields) {
    public Message {
        fields = Collections.unmodifiableMap(new LinkedHashMap<>(fields));
    }

    public Message(String role, String content) {
        this(fields(role, content));
    }

    private static Map<String, Object> fields(String role, String content) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("role", role);
        fields.put("content", content);
        return fields;
    }

    /// A message as other programs send it, without its null fields: many templates fail on those or print "None", and
    /// transformers drops them too.
    public static Message received(Map<String, ?> fields) {
        Map<String, Object> kept = new LinkedHashMap<>(fields);
        kept.values().removeIf(value -> value == null);
        return new Message(kept);
    }

    /// Null if it has none that is a text.
    public String role() {
        return fields.get("role") instanceof String role ? role : null;
    }

    /// The text of the content: of several parts, those of their texts joined; empty if there is none.
    public String text() {
        Object content = fields.get("content");
        if (content instanceof String text) return text;
        StringBuilder out = new StringBuilder();
        if (content instanceof Iterable<?> parts)
            for (Object part : parts)
                if (part instanceof Map<?, ?> map && map.get("text") instanceof String text) out.append(text);
        return out.toString();
    }

    /// The parts of the content that are no text, in order: `{type: image, path: …}`.
    public List<Map<?, ?>> attachments() {
        List<Map<?, ?>> found = new ArrayList<>();
        if (fields.get("content") instanceof Iterable<?> parts)
            for (Object part : parts)
                if (part instanceof Map<?, ?> map && map.get("type") instanceof String type && !type.equals("text")) found.add(map);
        return found;
    }

    /// The same message with another value in one field.
    public Message with(String field, Object value) {
        Map<String, Object> changed = new LinkedHashMap<>(fields);
        changed.put(field, value);
        return new Message(changed);
    }
}
