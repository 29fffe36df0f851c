package fewsh.prompt;

import fewsh.UserError;
import fewsh.jinja.Environment;
import fewsh.jinja.Piece;
import fewsh.jinja.Template;
import fewsh.jinja.TemplateError;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// `.prompty` files: Prompty's second version, and the keys of the first that are still about.
///
/// Source: the specification 0.1.0-draft of microsoft/prompty, and its vectors where the two differ.
final class Prompty {
    private static final List<String> KEYS = List.of("name", "displayName", "description", "metadata", "model", "inputs",
            "outputs", "tools", "template", "fewsh", "authors", "tags", "version", "sample", "base", "kind", "$schema");

    /// How messages on the block begin: `unknown key "a" in fewsh.shots` or `fewsh.shots.k must be …`.
    private static final Pattern BLOCK_KEY = Pattern.compile("(?:unknown key \"([^\"]+)\" in )?(fewsh(?:\\.\\w+)*)");

    private Prompty() {}

    static PromptFile read(Path file, String text, Map<String, String> environment) {
        FrontMatter front = FrontMatter.ofPrompty(file.toString(), text);
        Map<String, Object> agent = agent(front, folder(file), environment);
        List<String> warnings = new ArrayList<>(front.nearMisses(KEYS));
        List<Input> inputs = new ArrayList<>();
        for (Map<String, Object> property : properties(agent, "inputs"))
            inputs.add(Input.of(front.at("inputs", (String) property.get("name")), property, warnings));
        Map<String, Object> options = agent.get("model") instanceof Map<?, ?> model && model.get("options") instanceof Map<?, ?> o
                ? ModelOptions.read(front.at("model", "options"), o) : Map.of();
        PromptTemplate template = template(front, (String) agent.get("instructions"), agent);
        Composition composition = composition(front, folder(file));
        List<Map<String, Object>> outputs = properties(agent, "outputs");
        if (!outputs.isEmpty() && composition.format() instanceof Format.Free)
            composition = composition.with(c -> c.format = new Format.Json(schema(outputs)));
        String name = agent.get("name") instanceof String named ? named : stem(file);
        String description = agent.get("description") instanceof String described ? described : "";
        return new PromptFile(file, name, description, inputs, options, template, composition, Map.of(), warnings);
    }

    static Path folder(Path file) {
        return file.toAbsolutePath().getParent();
    }

    static String stem(Path file) {
        String name = file.getFileName().toString();
        int dot = name.lastIndexOf('.');
        return dot > 0 ? name.substring(0, dot) : name;
    }

    static Composition composition(FrontMatter front, Path folder) {
        Object block = front.keys().map().get("fewsh");
        if (block == null) return Composition.EMPTY;
        if (!(block instanceof Map<?, ?> map))
            throw new UserError(front.at("fewsh"), "\"fewsh\" is not a map of keys",
                    "write fewsh: and the keys below it, indented");
        String where = front.at("fewsh");
        try {
            return Block.read(where, Yaml.texts(map), folder);
        } catch (UserError e) {
            Matcher key = BLOCK_KEY.matcher(e.what());
            if (!e.where().equals(where) || !key.lookingAt()) throw e;
            List<String> path = new ArrayList<>(List.of(key.group(2).split("\\.")));
            if (key.group(1) != null) path.add(key.group(1));
            throw new UserError(front.at(path.toArray(String[]::new)), e.what(), e.fix(), e.getCause());
        }
    }

    @SuppressWarnings("unchecked") // agent() has made them so
    private static List<Map<String, Object>> properties(Map<String, Object> agent, String key) {
        return (List<Map<String, Object>>) agent.getOrDefault(key, List.of());
    }

    /// The front matter with references resolved, short forms written out and older keys under their present names.
    static Map<String, Object> agent(FrontMatter front, Path folder, Map<String, String> environment) {
        Map<String, Object> agent = new LinkedHashMap<>();
        agent.put("kind", "prompt");
        References references = new References(folder, environment);
        front.keys().map().forEach((key, value) -> {
            if (!key.equals("fewsh")) agent.put(key, references.resolve(front.at(key), value)); // ours holds texts as they are
        });
        agent.put("kind", "prompt");
        metadata(agent);
        model(agent, front);
        inputs(agent, front);
        if (agent.containsKey("outputs"))
            agent.put("outputs", Input.properties(front.at("outputs"), "outputs", agent.get("outputs")));
        tools(agent, front);
        agent.put("template", engine(front, agent.get("template")));
        agent.put("instructions", front.present() ? front.body().strip() : front.body());
        return agent;
    }

    private static void metadata(Map<String, Object> agent) {
        Map<String, Object> metadata = new LinkedHashMap<>();
        if (agent.get("metadata") instanceof Map<?, ?> map) metadata.putAll(Yaml.texts(map));
        for (String key : List.of("authors", "tags", "version"))
            if (agent.containsKey(key)) metadata.putIfAbsent(key, agent.get(key));
        if (!metadata.isEmpty()) agent.put("metadata", metadata);
    }

    private static void model(Map<String, Object> agent, FrontMatter front) {
        Object declared = agent.get("model");
        if (declared == null) return;
        if (declared instanceof String id) {
            agent.put("model", Map.of("id", id));
            return;
        }
        if (!(declared instanceof Map<?, ?> map))
            throw new UserError(front.at("model"), "\"model\" is neither a name nor a map", "write model: name");
        Map<String, Object> model = new LinkedHashMap<>(Yaml.texts(map));
        if (model.containsKey("api")) model.putIfAbsent("apiType", model.remove("api"));
        if (model.get("configuration") instanceof Map<?, ?> old) {
            Map<String, Object> connection = new LinkedHashMap<>(Yaml.texts(old));
            for (String key : List.of("azure_deployment", "name"))
                if (connection.get(key) instanceof String id) model.putIfAbsent("id", id);
            if (connection.remove("type") instanceof String type)
                model.putIfAbsent("provider", type.replace("azure_openai", "azure"));
            if (connection.containsKey("azure_endpoint")) connection.putIfAbsent("endpoint", connection.remove("azure_endpoint"));
            if (connection.containsKey("api_key")) connection.putIfAbsent("apiKey", connection.remove("api_key"));
            model.putIfAbsent("connection", connection);
        }
        if (model.get("parameters") instanceof Map<?, ?> old) {
            model.putIfAbsent("options", old);
            if (old.get("tools") != null) agent.putIfAbsent("tools", old.get("tools"));
        }
        Object options = model.get("options");
        if (options != null && !(options instanceof Map))
            throw new UserError(front.at("model", "options"), "\"options\" is not a map", "write options: {temperature: 0.7}");
        agent.put("model", model);
    }

    /// The first version keeps the values of a trial run under `sample`; they stand in for what is not given, as they did there.
    private static void inputs(Map<String, Object> agent, FrontMatter front) {
        List<Map<String, Object>> inputs = Input.properties(front.at("inputs"), "inputs", agent.get("inputs"));
        if (agent.get("sample") instanceof Map<?, ?> sample) {
            sample.forEach((name, value) -> {
                Map<String, Object> known = inputs.stream().filter(p -> p.get("name").equals(name)).findFirst().orElse(null);
                if (known != null) known.putIfAbsent("default", value);
                else inputs.addAll(Input.properties(front.at("sample"), "sample",
                        Map.of(name, Map.of("kind", Input.kindOf(value), "default", value == null ? "" : value))));
            });
        }
        Set<String> names = new HashSet<>();
        for (Map<String, Object> input : inputs)
            if (!names.add((String) input.get("name")))
                throw new UserError(front.at("inputs"), "input \"" + input.get("name") + "\" is declared twice", "");
        if (!inputs.isEmpty() || agent.containsKey("inputs")) agent.put("inputs", inputs);
    }

    private static void tools(Map<String, Object> agent, FrontMatter front) {
        Object declared = agent.get("tools");
        if (declared == null) return;
        List<Map<String, Object>> tools = new ArrayList<>();
        for (Map<String, Object> tool : Input.properties(front.at("tools"), "tools", declared)) {
            if (tool.get("parameters") instanceof Object parameters
                    && !(parameters instanceof Map<?, ?> map && map.containsKey("type")))
                tool.put("parameters", Input.properties(front.at("tools"), "parameters", parameters));
            tools.add(tool);
        }
        agent.put("tools", tools);
    }

    private static Map<String, Object> engine(FrontMatter front, Object declared) {
        Map<String, Object> template = new LinkedHashMap<>();
        if (declared != null && !(declared instanceof Map))
            throw new UserError(front.at("template"), "invalid template format \"" + declared + "\"",
                    "write template: {format: {kind: jinja2}}");
        if (declared instanceof Map<?, ?> map) template.putAll(Yaml.texts(map));
        if (template.containsKey("type")) template.putIfAbsent("format", template.remove("type"));
        for (String key : List.of("format", "parser")) {
            Object value = template.get(key);
            if (value == null) template.put(key, Map.of("kind", key.equals("format") ? "jinja2" : "prompty"));
            else if (value instanceof String kind) template.put(key, Map.of("kind", kind));
            else if (!(value instanceof Map<?, ?> map && map.get("kind") instanceof String))
                throw new UserError(front.at("template", key), "\"" + key + "\" of the template has no kind",
                        "write " + key + ": {kind: " + (key.equals("format") ? "jinja2" : "prompty") + "}");
        }
        return template;
    }

    private static PromptTemplate template(FrontMatter front, String body, Map<String, Object> agent) {
        Map<?, ?> template = (Map<?, ?>) agent.get("template");
        Map<?, ?> format = (Map<?, ?>) template.get("format");
        String parser = (String) ((Map<?, ?>) template.get("parser")).get("kind");
        if (!parser.equals("prompty"))
            throw new UserError(front.at("template", "parser"), "unknown parser \"" + parser + "\"",
                    "the one there is is prompty");
        String engine = (String) format.get("kind");
        boolean strict = !Boolean.FALSE.equals(format.get("strict"));
        int skipped = front.present() ? (int) front.body().substring(0, front.body().indexOf(body)).chars()
                .filter(c -> c == '\n').count() : 0;
        return new PromptyTemplate(front.where(), front.bodyLine() + skipped, body, front.at("template", "format"), engine,
                strict);
    }

    /// Outputs as a JSON schema, in the strict form: every property is there, those not required may be null.
    static Map<String, Object> schema(List<Map<String, Object>> properties) {
        Map<String, Object> all = new LinkedHashMap<>();
        for (Map<String, Object> property : properties) {
            Map<String, Object> schema = property(property);
            if (!Boolean.TRUE.equals(property.get("required")) && schema.get("type") instanceof String type) {
                schema.put("type", List.of(type, "null"));
                if (schema.get("enum") instanceof List<?> values) {
                    List<Object> nullable = new ArrayList<>(values);
                    nullable.add(null);
                    schema.put("enum", nullable);
                }
            }
            all.put((String) property.get("name"), schema);
        }
        Map<String, Object> schema = new LinkedHashMap<>();
        schema.put("type", "object");
        schema.put("properties", all);
        schema.put("required", List.copyOf(all.keySet()));
        schema.put("additionalProperties", false);
        return schema;
    }

    private static Map<String, Object> property(Map<?, ?> property) {
        Map<String, Object> schema = new LinkedHashMap<>();
        String kind = String.valueOf(property.get("kind"));
        String type = switch (kind) {
            case "float", "number" -> "number";
            case "integer", "boolean", "array", "object" -> kind;
            default -> "string";
        };
        if (type.equals("object") && property.get("properties") != null)
            schema.putAll(schema(Input.properties("", "properties", property.get("properties"))));
        else schema.put("type", type);
        if (type.equals("array") && property.get("items") instanceof Map<?, ?> items) schema.put("items", property(items));
        if (property.get("description") instanceof String text) schema.put("description", text);
        if (property.get("enumValues") instanceof List<?> values) schema.put("enum", values);
        return schema;
    }

    /// A Jinja template rendered in pieces, each known to be the template's own or an input's.
    ///
    /// @param strict the inputs that may not spell a role line
    /// @throws UserError if one does
    static List<Piece> segments(String where, String template, Map<String, Object> inputs, Set<String> strict) {
        try {
            List<Piece> pieces = Template.parse(template, PromptyTemplate.JINJA).renderInPieces(inputs);
            for (Piece piece : pieces)
                if (piece.name() != null && strict.contains(piece.name()) && Roles.spellsRole(piece.text()))
                    throw new UserError(where, "input \"" + piece.name()
                            + "\" has a line that begins a role, and is declared strict", "");
            return pieces;
        } catch (TemplateError e) {
            throw PromptyTemplate.failure(where, 1, e);
        }
    }
}
