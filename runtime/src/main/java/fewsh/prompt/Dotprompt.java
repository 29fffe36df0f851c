package fewsh.prompt;

import fewsh.UserError;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;

/// `.prompt` files: google's dotprompt.
///
/// Source: google/dotprompt, its documentation and specification.
final class Dotprompt {
    private static final List<String> KEYS = List.of("name", "variant", "version", "description", "model", "tools", "toolDefs",
            "config", "input", "output", "raw", "ext", "fewsh");
    private static final List<String> METADATA = List.of("name", "variant", "version", "description", "model", "tools",
            "toolDefs", "config", "input", "output", "ext");
    private static final Pattern PARTIAL = Pattern.compile("[\\w-][\\w.-]*");

    private Dotprompt() {}

    static PromptFile read(Path file, String text) {
        FrontMatter front = FrontMatter.ofDotprompt(file.toString(), text);
        Map<String, Object> meta = metadata(front, Map.of());
        List<String> warnings = new ArrayList<>(front.nearMisses(KEYS));
        Map<?, ?> input = meta.get("input") instanceof Map<?, ?> map ? map : Map.of();
        Map<String, Object> schema = input.get("schema") instanceof Map<?, ?> map ? Yaml.texts(map) : Map.of();
        List<Input> inputs = inputs(front, schema, input.get("default"));
        String[] stem = Prompty.stem(file).split("\\.", 2);
        Object config = meta.get("config");
        if (config != null && !(config instanceof Map)) throw new UserError(front.at("config"), "\"config\" is not a map", "");
        Composition composition = Prompty.composition(front, Prompty.folder(file));
        if (meta.get("output") instanceof Map<?, ?> output && composition.format() instanceof Format.Free) {
            if (output.get("schema") instanceof Map<?, ?> wanted)
                composition = composition.with(c -> c.format = new Format.Json(Yaml.texts(wanted)));
            else if ("json".equals(output.get("format")))
                composition = composition.with(c -> c.format = new Format.Json(Map.of()));
        }
        DotpromptTemplate template = new DotpromptTemplate(front.where(), line(front), body(front), partials(file));
        return new PromptFile(file, meta.get("name") instanceof String name ? name : stem[0],
                meta.get("description") instanceof String text2 ? text2 : "", inputs,
                ModelOptions.read(front.at("config"), config instanceof Map<?, ?> map ? map : Map.of()), template, composition,
                "object".equals(schema.get("type")) ? tolerant(schema) : Map.of(), warnings);
    }

    /// The template: trimmed below front matter, else the file as it stands.
    static String body(FrontMatter front) {
        return front.present() ? front.body().strip() : front.body();
    }

    private static int line(FrontMatter front) {
        String body = body(front);
        return front.bodyLine() + (int) front.body().substring(0, front.body().indexOf(body)).chars().filter(c -> c == '\n')
                .count();
    }

    /// The keys of the format, schemas written out, and those of others that have a dot under `ext`.
    ///
    /// @param schemas that a schema may name
    static Map<String, Object> metadata(FrontMatter front, Map<String, ?> schemas) {
        Map<String, Object> meta = new LinkedHashMap<>();
        Map<String, Object> ext = new LinkedHashMap<>();
        front.keys().map().forEach((key, value) -> {
            int dot = key.lastIndexOf('.');
            if (METADATA.contains(key)) meta.put(key, value);
            else if (dot >= 0) space(ext, key.substring(0, dot)).put(key.substring(dot + 1), value);
        });
        if (!ext.isEmpty()) meta.put("ext", ext);
        for (String key : List.of("input", "output")) {
            if (!(meta.get(key) instanceof Map<?, ?> map) || map.get("schema") == null) continue;
            Map<String, Object> written = new LinkedHashMap<>(Yaml.texts(map));
            written.put("schema", new Picoschema(front.at(key, "schema"), schemas).schema(map.get("schema")));
            meta.put(key, written);
        }
        return meta;
    }

    @SuppressWarnings("unchecked") // made here
    private static Map<String, Object> space(Map<String, Object> ext, String name) {
        return (Map<String, Object>) ext.computeIfAbsent(name, _ -> new LinkedHashMap<String, Object>());
    }

    private static List<Input> inputs(FrontMatter front, Map<String, Object> schema, Object defaults) {
        if (defaults != null && !(defaults instanceof Map))
            throw new UserError(front.at("input", "default"), "\"default\" is not a map of inputs",
                    "write default: {name: value}");
        Map<?, ?> byDefault = defaults instanceof Map<?, ?> map ? map : Map.of();
        List<Input> inputs = new ArrayList<>();
        Map<?, ?> properties = schema.get("properties") instanceof Map<?, ?> map ? map : Map.of();
        List<?> required = schema.get("required") instanceof List<?> list ? list : List.of();
        properties.forEach((name, declared) -> {
            Map<?, ?> property = declared instanceof Map<?, ?> map ? map : Map.of();
            Object type = property.get("type") instanceof List<?> types && !types.isEmpty() ? types.getFirst()
                    : property.get("type");
            String kind = type == null ? "any" : switch (String.valueOf(type)) {
                case "number" -> "float";
                case "string", "integer", "boolean", "array", "object" -> (String) type;
                default -> "any";
            };
            Object fallback = byDefault.containsKey(name) ? byDefault.get(name) : property.get("default");
            List<Object> allowed = property.get("enum") instanceof List<?> values ? new ArrayList<>(values) : List.of();
            inputs.add(new Input((String) name, kind, property.get("description") instanceof String text ? text : "",
                    required.contains(name) && fallback == null, fallback, allowed, false));
        });
        byDefault.forEach((name, value) -> {
            if (!properties.containsKey(name))
                inputs.add(new Input((String) name, Input.kindOf(value), "", false, value, List.of(), false));
        });
        return inputs;
    }

    /// Fields of data that the prompt does not ask for are no mistake.
    private static Map<String, Object> tolerant(Map<String, Object> schema) {
        Map<String, Object> copy = new LinkedHashMap<>(schema);
        copy.remove("additionalProperties", false);
        return copy;
    }

    /// `{{> name}}` is the file `_name.prompt` beside this one, without its front matter.
    private static UnaryOperator<String> partials(Path file) {
        Path folder = Prompty.folder(file);
        return name -> {
            if (!PARTIAL.matcher(name).matches())
                throw new UserError(file.toString(), "\"" + name + "\" cannot be a partial",
                        "{{> name}} stands for the file _name.prompt beside this one");
            Path partial = folder.resolve("_" + name + ".prompt");
            if (!Files.exists(partial))
                throw new UserError(file.toString(), "there is no partial \"" + name + "\"",
                        "write it into " + partial.getFileName());
            try {
                if (!partial.toRealPath().getParent().equals(folder.toRealPath()))
                    throw new UserError(file.toString(), "the partial \"" + name + "\" is a link that leads out of the folder",
                            "");
            } catch (IOException e) {
                throw new UserError(partial.toString(), "cannot be read: " + e.getMessage(), "", e);
            }
            return body(FrontMatter.ofDotprompt(partial.toString(), FrontMatter.text(partial)));
        };
    }
}
