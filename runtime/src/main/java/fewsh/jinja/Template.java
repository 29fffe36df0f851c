package fewsh.jinja;

import fewsh.jinja.Node.Stmt;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A parsed template. Immutable; may be rendered often and by several threads.
public final class Template {
    private static final int DEEPEST_VARIABLE = 200;

    private final String source;
    private final Environment environment;
    private final List<Stmt> body;
    private final Analysis analysis;

    private Template(String source, Environment environment, List<Stmt> body, Analysis analysis) {
        this.source = source;
        this.environment = environment;
        this.body = body;
        this.analysis = analysis;
    }

    /// @throws TemplateError if it cannot be parsed, or names filters or tests that do not exist
    public static Template parse(String source, Environment environment) {
        String normalised = Lexer.normalise(source, environment);
        try {
            List<Stmt> body = new Parser(normalised, environment).parse();
            return new Template(normalised, environment, body, new Analysis(body, normalised, environment));
        } catch (StackOverflowError e) { // the limits leave room on usual stacks; a caller may run on a small one
            throw TemplateError.recursion();
        }
    }

    /// Renders with variables of null, Boolean, Integer, Long, BigInteger, Double, String, Collection and Map.
    ///
    /// @throws TemplateError            what Python would have raised, or a limit reached
    /// @throws IllegalArgumentException if a variable is of another type
    public String render(Map<String, ?> variables) {
        return renderWithSpans(variables).text();
    }

    /// Renders, and says where `{% generation %}` blocks lie in the text.
    ///
    /// @throws TemplateError as [#render]
    public Rendered renderWithSpans(Map<String, ?> variables) {
        Map<String, Value> values = values(variables);
        try {
            return new Evaluator(this, new Run(environment)).render(body, values);
        } catch (StackOverflowError e) {
            throw TemplateError.recursion();
        }
    }

    /// Renders, and says of each stretch whether the template or a variable wrote it.
    ///
    /// @throws TemplateError as [#render]
    public List<Piece> renderInPieces(Map<String, ?> variables) {
        Map<String, Value> values = values(variables);
        try {
            return new Evaluator(this, new Run(environment)).pieces(body, values);
        } catch (StackOverflowError e) {
            throw TemplateError.recursion();
        }
    }

    private static Map<String, Value> values(Map<String, ?> variables) {
        Map<String, Value> values = new LinkedHashMap<>();
        variables.forEach((name, value) -> values.put(name, value(value, 0)));
        return values;
    }

    private static Value value(Object object, int depth) {
        if (depth > DEEPEST_VARIABLE) throw new IllegalArgumentException("variables are nested too deep");
        return switch (object) {
            case null -> Value.NONE;
            case Boolean b -> Value.of(b);
            case Integer i -> Value.of(i.longValue());
            case Long l -> Value.of(l);
            case BigInteger i -> new Value.Int(i);
            case Float f -> new Value.Float(f);
            case Double d -> new Value.Float(d);
            case BigDecimal d -> new Value.Float(d.doubleValue());
            case CharSequence s -> Value.of(s.toString());
            case Collection<?> items -> {
                List<Value> values = new ArrayList<>(items.size());
                for (Object item : items) values.add(value(item, depth + 1));
                yield new Value.Array(values);
            }
            case Map<?, ?> map -> {
                Value.Dict dict = new Value.Dict();
                map.forEach((key, item) -> dict.put(value(key, depth + 1), value(item, depth + 1)));
                yield dict;
            }
            default -> throw new IllegalArgumentException("a template cannot hold a " + object.getClass().getName());
        };
    }

    String source() {
        return source;
    }

    List<Stmt> body() {
        return body;
    }

    Analysis analysis() {
        return analysis;
    }

    int line(int offset) {
        return 1 + (int) source.substring(0, offset).chars().filter(c -> c == '\n').count();
    }
}
