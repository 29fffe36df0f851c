package fewsh.prompt;

import fewsh.UserError;
import fewsh.jinja.Environment;
import fewsh.jinja.Template;
import fewsh.jinja.TemplateError;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The body of a `.prompty` file: Jinja or Mustache, then lines that begin a message. It is parsed once.
final class PromptyTemplate implements PromptTemplate {
    static final Environment JINJA = Environment.plain().withKeepTrailingNewline(true);
    private static final Pattern PART = Pattern.compile("(?md)^\\{# (role|context|instruction|style|system) #\\}");
    /// The variable that role lines are marked with. A template that prints braces as they are is marked when it is rendered.
    private static final String NONCE = "__nonce";
    private static final Pattern RAW = Pattern.compile("\\{%[-+]?\\s*raw");

    /// A parsed template: what it prints, given inputs and the number used once.
    private interface Parsed {
        String render(Map<String, Object> inputs, String nonce);
    }

    private final String where;
    private final int line;
    private final String text;
    private final String engine;
    private final boolean strict;
    private final Parsed parsed;

    /// @param line   of the file on which it begins
    /// @param format where the file says what `engine` is
    /// @param engine `jinja2` or `mustache`
    /// @param strict whether only the template's own role lines begin a message
    /// @throws UserError if the template cannot be parsed
    PromptyTemplate(String where, int line, String text, String format, String engine, boolean strict) {
        this.where = where;
        this.line = line;
        this.text = text;
        this.engine = engine;
        this.strict = strict;
        this.parsed = switch (engine) {
            case "jinja2" -> jinja();
            case "mustache" -> {
                Mustache mustache = Mustache.of(where, line, strict ? Roles.mark(text, HandlebarsJs.NONCE) : text);
                yield (inputs, nonce) -> mustache.render(inputs, Map.of(), nonce);
            }
            default -> throw new UserError(format, "unknown template format \"" + engine + "\"",
                    UserError.near(engine, List.of("jinja2", "mustache"), "formats are jinja2 and mustache"));
        };
    }

    private Parsed jinja() {
        boolean raw = RAW.matcher(text).find();
        Template template = jinja(strict && !raw ? Roles.mark(text, "{{" + NONCE + "}}") : text);
        if (strict && raw) return (inputs, nonce) -> jinja(Roles.mark(text, nonce)).render(inputs);
        return (inputs, nonce) -> {
            Map<String, Object> all = new LinkedHashMap<>(inputs);
            all.put(NONCE, nonce);
            return template.render(all);
        };
    }

    @Override
    public List<Message> render(List<Input> declared, Map<String, Object> inputs, Path folder) {
        Rich rich = new Rich();
        Map<String, Object> plain = new LinkedHashMap<>(inputs);
        for (Input input : declared) {
            Object value = inputs.get(input.name());
            if (value == null || !Input.RICH.contains(input.kind())) continue;
            Object content = input.kind().equals("thread") ? input.convert(where, value)
                    : Rich.part(where, folder, input.kind(), input.name(), value);
            plain.put(input.name(), rich.placeholder(input.name(), content));
        }
        String nonce = strict ? Rich.nonce(8) : "";
        return rich.messages(Roles.parse(where, rendered(plain, nonce), nonce));
    }

    String rendered(Map<String, Object> inputs, String nonce) {
        try {
            return parsed.render(inputs, nonce);
        } catch (TemplateError e) {
            throw failure(where, line, e);
        } catch (IllegalArgumentException e) {
            throw new UserError(where, "an input is nothing a template can hold: " + e.getMessage(), "", e);
        }
    }

    private Template jinja(String template) {
        try {
            return Template.parse(template, JINJA);
        } catch (TemplateError e) {
            throw failure(where, line, e);
        }
    }

    static UserError failure(String where, int firstLine, TemplateError e) {
        String place = e.line() == 0 ? where : where + ":" + (firstLine + e.line() - 1);
        String piece = e.piece().isEmpty() ? "" : " at \"" + e.piece() + "\"";
        String column = e.line() == 0 ? "" : " (column " + e.column() + ")";
        String fix = switch (e.kind()) {
            case LIMIT, RECURSION -> "the template does too much: make its loops smaller";
            case TYPE -> e.getMessage().contains("loader") ? "put the text into the file: nothing is included from elsewhere"
                    : "";
            default -> "";
        };
        return new UserError(place, "the template fails" + piece + ": " + e.getMessage() + column, fix, e);
    }

    /// Where each marked text begins and ends, in the system message that the file begins with.
    private Map<String, int[]> marked() {
        Map<String, int[]> found = new LinkedHashMap<>();
        int newline = text.indexOf('\n');
        if (newline < 0 || !Roles.isRole(text.substring(0, newline))) return found;
        int end = text.length();
        for (int at = newline + 1; at < text.length() && at > 0; at = text.indexOf('\n', at) + 1) {
            int next = text.indexOf('\n', at);
            if (Roles.isRole(text.substring(at, next < 0 ? text.length() : next))) {
                end = at;
                break;
            }
            if (next < 0) break;
        }
        Matcher m = PART.matcher(text).region(newline + 1, end);
        String open = null;
        int start = 0;
        while (m.find()) {
            if (open == null && !text.substring(newline + 1, m.start()).isBlank()) return Map.of();
            if (open != null) found.put(open, new int[] {start, m.start()});
            open = m.group(1);
            start = m.end();
        }
        if (open != null) found.put(open, new int[] {start, end});
        return found;
    }

    @Override
    public Map<String, String> parts() {
        Map<String, String> parts = new LinkedHashMap<>();
        marked().forEach((name, place) -> {
            String source = text.substring(place[0], place[1]);
            int end = source.length();
            while (end > 0 && source.charAt(end - 1) == '\n') end--;
            if (!name.equals("system")) parts.put(name, part(source.substring(0, end)).rendered(Map.of(), ""));
        });
        return parts;
    }

    @Override
    public PromptTemplate withoutParts() {
        Map<String, int[]> marked = marked();
        if (marked.isEmpty()) return this;
        int end = marked.values().stream().mapToInt(place -> place[1]).max().orElse(0);
        int[] system = marked.get("system");
        String head = system == null ? "" : text.substring(0, text.indexOf('\n') + 1) + text.substring(system[0], system[1]);
        return new PromptyTemplate(where, line, head + text.substring(end), where, engine, strict);
    }

    private PromptyTemplate part(String source) {
        return new PromptyTemplate(where, line, source, where, engine, false);
    }
}
