package fewsh.prompt;

import fewsh.UserError;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.snakeyaml.engine.v2.api.Dump;
import org.snakeyaml.engine.v2.api.DumpSettings;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.common.FlowStyle;
import org.snakeyaml.engine.v2.common.ScalarStyle;
import org.snakeyaml.engine.v2.constructor.StandardConstructor;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.Tag;
import org.snakeyaml.engine.v2.representer.StandardRepresenter;
import org.snakeyaml.engine.v2.schema.CoreSchema;

/// YAML 1.2 that people write, as maps, lists, texts, numbers, booleans and null; hostile documents end in an error.
final class Yaml {
    private static final int DEEPEST = 64;
    private static final int MOST_VALUES = 100_000;
    private static final String PLAIN = "a document may hold texts, numbers, true, false, null, lists and maps";

    private Yaml() {}

    /// @param where the file
    /// @param lines of the keys, by their path
    record Document(String where, Map<String, Object> map, Map<List<String>, Integer> lines) {
        /// `file:line` of the key at `path`, or of the nearest key above it.
        String at(String... path) {
            for (int n = path.length; n > 0; n--) {
                Integer line = lines.get(List.of(path).subList(0, n));
                if (line != null) return where + ":" + line;
            }
            return where;
        }
    }

    /// @param lineBefore how many lines of the file stand above `text`
    /// @throws UserError with line and column if it is no YAML, or more than a prompt file needs, or not a map
    static Document read(String where, String text, int lineBefore) {
        LoadSettings settings = settings(where);
        Map<List<String>, Integer> lines = new HashMap<>();
        try {
            Optional<Node> root = new Compose(settings).composeString(text);
            if (root.isEmpty()) return new Document(where, Map.of(), lines);
            int[] left = {MOST_VALUES};
            lines(root.get(), List.of(), lineBefore, lines, left);
            Object value = plain(where, new StandardConstructor(settings).constructSingleDocument(root), 0,
                    new int[] {MOST_VALUES});
            if (value == null) return new Document(where, Map.of(), lines);
            if (value instanceof Map<?, ?> map) return new Document(where, texts(map), lines);
            throw new UserError(where + ":" + (lineBefore + 1), "the front matter is not a map of keys",
                    "each line has the form key: value");
        } catch (YamlEngineException e) {
            throw error(where, lineBefore, e);
        } catch (StackOverflowError e) {
            throw tooMuch(where);
        } catch (NumberFormatException | IndexOutOfBoundsException e) {
            throw new UserError(where, "invalid YAML: " + e.getMessage(), PLAIN, e);
        }
    }

    /// Any YAML value, such as a file that a prompt file refers to.
    static Object value(String where, String text) {
        try {
            LoadSettings settings = settings(where);
            Optional<Node> root = new Compose(settings).composeString(text);
            if (root.isEmpty()) return null;
            return plain(where, new StandardConstructor(settings).constructSingleDocument(root), 0, new int[] {MOST_VALUES});
        } catch (YamlEngineException e) {
            throw error(where, 0, e);
        } catch (StackOverflowError e) {
            throw tooMuch(where);
        } catch (NumberFormatException | IndexOutOfBoundsException e) {
            throw new UserError(where, "invalid YAML: " + e.getMessage(), PLAIN, e);
        }
    }

    static String write(Map<String, Object> map) {
        DumpSettings settings = DumpSettings.builder().setDefaultFlowStyle(FlowStyle.BLOCK).setSchema(new CoreSchema())
                .setUseUnicodeEncoding(true).setMultiLineFlow(false).setWidth(120).setIndent(2).setIndicatorIndent(2)
                .setIndentWithIndicator(true).setSplitLines(false).build();
        return new Dump(settings, new Representer(settings)).dumpToString(map);
    }

    /// Texts of several lines as blocks where a block holds them without doubt, else in quotes.
    private static final class Representer extends StandardRepresenter {
        private static final Pattern UNSAFE = Pattern.compile("[\\p{Cntrl}\\x85\\u2028\\u2029\\uFEFF&&[^\\n]]");

        Representer(DumpSettings settings) {
            super(settings);
        }

        @Override
        protected Node representScalar(Tag tag, String value, ScalarStyle style) {
            boolean block = !UNSAFE.matcher(value).find() && !value.contains(" \n") && value.strip().equals(value)
                    && !value.startsWith("#");
            return super.representScalar(tag, value, style == ScalarStyle.LITERAL && !block ? ScalarStyle.DOUBLE_QUOTED : style);
        }
    }

    private static LoadSettings settings(String where) {
        return LoadSettings.builder().setLabel(where).setSchema(new CoreSchema()).setAllowDuplicateKeys(false)
                .setAllowRecursiveKeys(false).setMaxAliasesForCollections(32).setCodePointLimit(FrontMatter.LONGEST).build();
    }

    private static void lines(Node node, List<String> path, int before, Map<List<String>, Integer> lines, int[] left) {
        if (path.size() > 4 || !(node instanceof MappingNode map)) return;
        for (NodeTuple tuple : map.getValue()) {
            if (--left[0] < 0 || !(tuple.getKeyNode() instanceof ScalarNode key)) return;
            List<String> inner = new ArrayList<>(path);
            inner.add(key.getValue());
            key.getStartMark().ifPresent(mark -> lines.putIfAbsent(List.copyOf(inner), before + mark.getLine() + 1));
            lines(tuple.getValueNode(), inner, before, lines, left);
        }
    }

    /// A copy in plain types, which ends where aliases repeat or contain each other beyond reason.
    private static Object plain(String where, Object value, int depth, int[] left) {
        if (depth > DEEPEST || --left[0] < 0) throw tooMuch(where);
        return switch (value) {
            case null -> null;
            case Boolean _, Number _, String _ -> value;
            case List<?> items -> {
                List<Object> copy = new ArrayList<>();
                for (Object item : items) copy.add(plain(where, item, depth + 1, left));
                yield Collections.unmodifiableList(copy);
            }
            case Map<?, ?> map -> {
                Map<String, Object> copy = new LinkedHashMap<>();
                map.forEach((key, item) -> {
                    if (!(key == null || key instanceof String || key instanceof Number || key instanceof Boolean))
                        throw new UserError(where, "a key is neither a text nor a number", PLAIN);
                    copy.put(String.valueOf(key), plain(where, item, depth + 1, left));
                });
                yield Collections.unmodifiableMap(copy);
            }
            default -> throw new UserError(where, "a value is a " + value.getClass().getSimpleName(), PLAIN);
        };
    }

    static Map<String, Object> texts(Map<?, ?> map) {
        Map<String, Object> copy = new LinkedHashMap<>();
        map.forEach((key, value) -> copy.put(String.valueOf(key), value));
        return Collections.unmodifiableMap(copy);
    }

    private static UserError tooMuch(String where) {
        return new UserError(where, "the YAML is nested deeper than " + DEEPEST + " or has more than " + MOST_VALUES + " values",
                "write aliases out, put data into a file of its own");
    }

    private static UserError error(String where, int lineBefore, YamlEngineException e) {
        if (!(e instanceof MarkedYamlEngineException marked))
            return new UserError(where, "invalid YAML in the front matter: " + firstLine(e.getMessage()), "", e);
        Mark mark = marked.getProblemMark().or(marked::getContextMark).orElse(null);
        String place = mark == null ? where : where + ":" + (lineBefore + mark.getLine() + 1);
        String column = mark == null ? "" : " (column " + (mark.getColumn() + 1) + ")";
        String problem = marked.getProblem() == null ? firstLine(e.getMessage()) : firstLine(marked.getProblem());
        return new UserError(place, "invalid YAML in the front matter: " + problem + column,
                "a text with : # { [ or quotes in it is written in \"…\"", e);
    }

    private static String firstLine(String message) {
        String text = String.valueOf(message);
        int newline = text.indexOf('\n');
        return newline < 0 ? text : text.substring(0, newline);
    }
}
