package fewsh.prompt;

import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import fewsh.UserError;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/// What a model folder says about its chat format.
///
/// @param folder holds `tokenizer_config.json` and its like; any of them may be missing
record ModelFolder(Path folder) {
    private static final long LONGEST_TEMPLATE = 4 << 20;
    private static final Gson GSON = new Gson();

    Optional<ChatTemplate> chatTemplate() {
        Map<String, JsonElement> config = object("tokenizer_config.json");
        Map<String, ChatTemplate.Source> sources = files();
        if (sources.isEmpty()) sources = templates("tokenizer_config.json", config);
        if (sources.isEmpty()) sources = templates("chat_template.json", object("chat_template.json"));
        if (sources.isEmpty()) return Optional.empty();
        Map<String, String> tokens = new LinkedHashMap<>();
        addTokens(tokens, object("special_tokens_map.json"));
        addTokens(tokens, config);
        if (config.get("extra_special_tokens") instanceof JsonObject extra) addTokens(tokens, extra.asMap());
        return Optional.of(ChatTemplate.of(sources, tokens, LocalDateTime::now));
    }

    private Map<String, ChatTemplate.Source> files() {
        Map<String, ChatTemplate.Source> sources = new LinkedHashMap<>();
        Path single = folder.resolve("chat_template.jinja");
        if (Files.isRegularFile(single)) sources.put("default", new ChatTemplate.Source(single.toString(), text(single)));
        Path more = folder.resolve("additional_chat_templates");
        if (!Files.isDirectory(more)) return sources;
        try (Stream<Path> files = Files.list(more)) {
            Map<String, Path> named = new TreeMap<>();
            files.filter(Files::isRegularFile).forEach(file -> named.put(file.getFileName().toString(), file));
            named.forEach((name, file) -> {
                if (!name.endsWith(".jinja")) return;
                sources.put(name.substring(0, name.length() - ".jinja".length()),
                        new ChatTemplate.Source(file.toString(), text(file)));
            });
        } catch (IOException e) {
            throw unreadable(more, e);
        }
        return sources;
    }

    /// `chat_template`: a text, or a list of `{name, template}`.
    private Map<String, ChatTemplate.Source> templates(String file, Map<String, JsonElement> config) {
        String where = folder.resolve(file).toString();
        JsonElement value = config.get("chat_template");
        Map<String, ChatTemplate.Source> sources = new LinkedHashMap<>();
        if (value == null || value.isJsonNull()) return sources;
        if (string(value) != null) {
            sources.put("default", new ChatTemplate.Source(where + " (chat_template)", string(value)));
        } else if (value instanceof JsonArray list) {
            for (JsonElement element : list) {
                String name = element instanceof JsonObject o ? string(o.get("name")) : null;
                String template = element instanceof JsonObject o ? string(o.get("template")) : null;
                if (name == null || template == null)
                    throw new UserError(where, "an entry of \"chat_template\" lacks \"name\" or \"template\"",
                            "give both, as texts");
                sources.put(name, new ChatTemplate.Source(where + " (chat_template " + name + ")", template));
            }
        } else {
            throw new UserError(where, "\"chat_template\" is neither a text nor a list", "give the template as a text");
        }
        return sources;
    }

    /// Every `…_token` that is a text or `{content: text}`.
    private static void addTokens(Map<String, String> tokens, Map<String, JsonElement> config) {
        config.forEach((name, value) -> {
            String token = value instanceof JsonObject o ? string(o.get("content")) : string(value);
            if (name.endsWith("_token") && token != null) tokens.put(name, token);
        });
    }

    private static String string(JsonElement value) {
        return value != null && value.isJsonPrimitive() && value.getAsJsonPrimitive().isString() ? value.getAsString() : null;
    }

    /// The wanted keys of a JSON file, empty if there is no such file; the rest, which may be long, is skipped.
    private Map<String, JsonElement> object(String name) {
        Path file = folder.resolve(name);
        Map<String, JsonElement> found = new LinkedHashMap<>();
        if (!Files.isRegularFile(file)) return found;
        try (JsonReader reader = new JsonReader(Files.newBufferedReader(file, StandardCharsets.UTF_8))) {
            reader.setStrictness(Strictness.STRICT);
            if (reader.peek() != JsonToken.BEGIN_OBJECT) throw new UserError(file.toString(), "is not a JSON object", "");
            reader.beginObject();
            while (reader.hasNext()) {
                String key = reader.nextName();
                boolean wanted = key.endsWith("_token") || List.of("chat_template", "extra_special_tokens").contains(key);
                if (wanted) found.put(key, GSON.fromJson(reader, JsonElement.class));
                else reader.skipValue();
            }
            reader.endObject();
        } catch (IOException | JsonParseException | IllegalStateException e) {
            throw unreadable(file, e);
        }
        return found;
    }

    private static String text(Path file) {
        try {
            if (Files.size(file) > LONGEST_TEMPLATE)
                throw new UserError(file.toString(), "a chat template of " + Files.size(file) + " bytes is too long",
                        "at most " + LONGEST_TEMPLATE);
            return Files.readString(file);
        } catch (CharacterCodingException e) {
            throw new UserError(file.toString(), "is not UTF-8", "save it as UTF-8", e);
        } catch (IOException e) {
            throw unreadable(file, e);
        }
    }

    private static UserError unreadable(Path file, Exception e) {
        return new UserError(file.toString(), "cannot be read: " + e.getMessage(),
                "restore the file from the model's repository", e);
    }
}
