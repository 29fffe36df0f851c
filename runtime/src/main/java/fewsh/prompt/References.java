package fewsh.prompt;

import fewsh.UserError;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// What `${env:NAME}`, `${env:NAME:default}` and `${file:name}` stand for, where they are a whole value of the front matter.
///
/// A file is beside the prompt file or below: no absolute path, no `..`, no link that leads out. `.json` and `.yaml` are
/// parsed, and may hold references themselves. Source: section 2.11 of Prompty's specification.
final class References {
    private static final int DEEPEST = 8;

    private final Path folder;
    private final Map<String, String> environment;

    References(Path folder, Map<String, String> environment) {
        this.folder = folder;
        this.environment = environment;
    }

    /// @param where `file:line` of the value
    Object resolve(String where, Object value) {
        return resolve(where, value, 0);
    }

    private Object resolve(String where, Object value, int files) {
        return switch (value) {
            case Map<?, ?> map -> {
                Map<String, Object> copy = new LinkedHashMap<>();
                map.forEach((key, item) -> copy.put((String) key, resolve(where, item, files)));
                yield copy;
            }
            case List<?> items -> {
                List<Object> copy = new ArrayList<>();
                for (Object item : items) copy.add(resolve(where, item, files));
                yield copy;
            }
            case String text when text.startsWith("${") && text.endsWith("}") -> {
                String[] parts = text.substring(2, text.length() - 1).split(":", 2);
                if (parts.length < 2) yield text;
                yield switch (parts[0].toLowerCase(Locale.ROOT)) {
                    case "env" -> variable(where, parts[1]);
                    case "file" -> file(where, parts[1], files);
                    default -> text;
                };
            }
            case null, default -> value;
        };
    }

    /// `value` with texts that look like references written so that they come out as they are, by any reader of the format.
    static Object unresolved(Object value) {
        return switch (value) {
            case Map<?, ?> map -> {
                Map<String, Object> copy = new LinkedHashMap<>();
                map.forEach((key, item) -> copy.put((String) key, unresolved(item)));
                yield copy;
            }
            case List<?> items -> items.stream().map(References::unresolved).toList();
            case String text when text.startsWith("${") && text.endsWith("}") && text.contains(":") ->
                    "${env:FEWSH_VERBATIM:" + text + "}";
            case null, default -> value;
        };
    }

    private String variable(String where, String content) {
        String[] parts = content.split(":", 2);
        String value = environment.get(parts[0]);
        if (value != null) return value;
        if (parts.length > 1 && !parts[1].isEmpty()) return parts[1];
        throw new UserError(where, "the environment variable \"" + parts[0] + "\" is not set",
                "set it, or give a default: ${env:" + parts[0] + ":default}");
    }

    private Object file(String where, String name, int files) {
        if (files >= DEEPEST)
            throw new UserError(where, "\"" + name + "\" is one of files that refer to each other for ever", "");
        Path file = inside(where, folder, name);
        String text = FrontMatter.text(file);
        String lower = name.toLowerCase(Locale.ROOT);
        if (lower.endsWith(".json")) return resolve(where, Json.parse(file.toString(), text), files + 1);
        if (lower.endsWith(".yaml") || lower.endsWith(".yml"))
            return resolve(where, Yaml.value(file.toString(), text), files + 1);
        return text;
    }

    /// The file `name` in `folder` or below it.
    ///
    /// @throws UserError if it is elsewhere, also by `..` or a link, or there is none
    static Path inside(String where, Path folder, String name) {
        try {
            Path path = Path.of(name);
            Path root = folder.toAbsolutePath().normalize();
            boolean within = path.isAbsolute() ? path.normalize().equals(path) && path.startsWith(root)
                    : !path.normalize().startsWith("..") && !List.of(name.split("[/\\\\]")).contains("..");
            if (!within) throw outside(where, name);
            Path file = root.resolve(path);
            if (!Files.exists(file)) throw new UserError(where, "there is no file \"" + name + "\" beside the prompt file", "");
            if (!file.toRealPath().startsWith(root.toRealPath())) throw outside(where, name);
            return file;
        } catch (InvalidPathException e) {
            throw new UserError(where, "\"" + name.replace("\0", "\\0") + "\" cannot be the name of a file", "", e);
        } catch (IOException e) {
            throw new UserError(where, "\"" + name + "\" cannot be read: " + e.getMessage(), "", e);
        }
    }

    private static UserError outside(String where, String name) {
        return new UserError(where, "\"" + name + "\" is outside the prompt file's folder",
                "copy it beside the prompt file and name it by a relative path without ..");
    }
}
