package fewsh.jinja;

import fewsh.jinja.Node.Expr;
import fewsh.jinja.Node.Stmt;
import fewsh.jinja.Node.Target;
import fewsh.jinja.TemplateError.Kind;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;

/// Renders a template once: statements write, expressions give values.
final class Evaluator {
    /// How a block ended: at its end, or by `break` or `continue`.
    private enum Flow { ON, BREAK, CONTINUE }

    private final Template template;
    private final Analysis analysis;
    private final Run run;
    private final StringBuilder out = new StringBuilder();
    private final List<Rendered.Span> generations = new ArrayList<>();
    private final Value.Self self;

    Evaluator(Template template, Run run) {
        this.template = template;
        this.analysis = template.analysis();
        this.run = run;
        this.self = new Value.Self(new HashMap<>());
    }

    Rendered render(List<Stmt> body, Map<String, Value> variables) {
        Map<String, Value> given = Globals.of(run.environment);
        given.putAll(variables);
        Frame frame = new Frame(analysis.root, new Frame.Context(given, new HashMap<>()), true);
        for (Node.Block block : analysis.blocks.values())
            self.blocks().put(block.name(), new Value.Function("BlockReference", "<BlockReference>", (_, args) -> {
                args.only(block.name(), 0, 0);
                StringBuilder text = new StringBuilder();
                block(block, frame.context, text);
                return text(text);
            }));
        if (frame.get("self") == null) frame.put("self", self);
        execute(body, frame.enter(), out);
        return new Rendered(out.toString(), generations);
    }

    // Statements

    private Flow execute(List<? extends Stmt> body, Frame frame, StringBuilder sink) {
        for (Stmt statement : body) {
            Flow flow = execute(statement, frame, sink);
            if (flow != Flow.ON) return flow;
        }
        return Flow.ON;
    }

    private Flow execute(Stmt statement, Frame frame, StringBuilder sink) {
        run.work(1);
        run.enter();
        try {
            Flow flow = statement(statement, frame, sink);
            run.leave();
            return flow;
        } catch (TemplateError e) {
            throw e.at(template.source(), statement.start(), statement.end());
        }
    }

    private Flow statement(Stmt statement, Frame frame, StringBuilder sink) {
        switch (statement) {
            case Node.Data data -> write(data.text(), sink);
            case Node.Print print -> write(shown(evaluate(print.value(), frame)), sink);
            case Node.If i -> {
                if (truth(i.test(), frame)) return execute(i.body(), frame, sink);
                for (Node.If elif : i.elifs()) if (truth(elif.test(), frame)) return execute(elif.body(), frame, sink);
                return execute(i.otherwise(), frame, sink);
            }
            case Node.For f -> {
                Value iterable = evaluate(f.iterable(), frame);
                if (f.recursive()) write(Python.str(recurse(f, frame, iterable, 0)), sink);
                else return loop(f, iterable, frame, sink, 0, null);
            }
            case Node.Break _ -> {
                return Flow.BREAK;
            }
            case Node.Continue _ -> {
                return Flow.CONTINUE;
            }
            case Node.Assign a -> {
                refuseOthersThanNamespaces(a.target(), frame);
                assign(a.target(), evaluate(a.value(), frame), frame);
            }
            case Node.AssignBlock a -> {
                Frame inner = new Frame(analysis.body(a), frame).enter();
                StringBuilder text = new StringBuilder();
                Flow flow = execute(a.body(), inner, text);
                if (flow != Flow.ON) return flow;
                Value value = a.filter() == null ? text(text) : filter(a.filter(), inner, text(text));
                assign(a.target(), value, frame);
            }
            case Node.FilterBlock f -> {
                Frame inner = new Frame(analysis.body(f), frame).enter();
                StringBuilder text = new StringBuilder();
                Flow flow = execute(f.body(), inner, text);
                if (flow != Flow.ON) return flow;
                write(shown(filter(f.filter(), inner, text(text))), sink);
            }
            case Node.With w -> {
                Frame inner = new Frame(analysis.body(w), frame).enter();
                for (int i = 0; i < w.targets().size(); i++) assign(w.targets().get(i), evaluate(w.values().get(i), frame), inner);
                return execute(w.body(), inner, sink);
            }
            case Node.Macro m -> frame.assign(m.name(), macro(m, m.name(), m.parameters(), m.body(), frame));
            case Node.CallBlock c -> {
                Value caller = macro(c, null, c.parameters(), c.body(), frame);
                write(shown(call(c.call(), frame, caller)), sink);
            }
            case Node.Generation g -> {
                Frame inner = new Frame(analysis.body(g), frame).enter();
                StringBuilder text = new StringBuilder();
                execute(g.body(), inner, text);
                run.text(out.length());
                int start = out.codePointCount(0, out.length());
                generations.add(new Rendered.Span(start, start + text.codePointCount(0, text.length())));
                write(text.toString(), sink);
            }
            case Node.Block b -> {
                if (b.required()) throw new TemplateError(Kind.RUNTIME, "Required block " + Python.quote(b.name()) + " not found");
                block(b, b.scoped() ? frame.derived() : frame.context, sink);
            }
            case Node.Autoescape a -> {
                Frame inner = new Frame(analysis.body(a), frame).enter();
                boolean before = run.autoescape;
                run.autoescape = truth(a.on(), inner);
                try {
                    return execute(a.body(), inner, sink);
                } finally {
                    run.autoescape = before;
                }
            }
            case Node.OtherTemplate o -> {
                evaluate(o.template(), frame);
                throw TemplateError.type("no loader for this environment specified");
            }
        }
        return Flow.ON;
    }

    private void write(String text, StringBuilder sink) {
        if (sink == out) run.output(text.length());
        run.text(text.length());
        sink.append(text);
    }

    private String shown(Value value) {
        return run.autoescape ? Html.escape(value) : Python.str(run, value);
    }

    /// A block's text as a value.
    private Value text(StringBuilder text) {
        run.text(text.length());
        return new Value.Str(text.toString(), run.autoescape);
    }

    private void block(Node.Block block, Frame.Context context, StringBuilder sink) {
        Frame frame = new Frame(analysis.body(block), context, false);
        frame.put("self", self);
        frame.put("super", run.undefined("there is no parent block called " + Python.quote(block.name()) + ".", null, Value.of("super")));
        run.enter();
        execute(block.body(), frame.enter(), sink);
        run.leave();
    }

    private Value recurse(Node.For f, Frame frame, Value iterable, long depth) {
        StringBuilder text = new StringBuilder();
        Value.Function.Body recursion = (_, args) -> recurse(f, frame, args.at(0), Python.index(args.at(1)));
        run.enter();
        loop(f, iterable, frame, text, (int) depth, recursion);
        run.leave();
        return text(text);
    }

    private Flow loop(Node.For f, Value iterable, Frame outer, StringBuilder sink, int depth, Value.Function.Body recursion) {
        Frame frame = new Frame(analysis.body(f), outer);
        Value source = iterable;
        Iterator<Value> items = Python.iterate(run, iterable);
        if (f.test() != null) {
            items = tested(f, items, new Frame(analysis.test(f), outer));
            source = new Value.Stream("generator", items);
        }
        Value.Loop loop = analysis.isExtended(f) ? new Value.Loop(source, items, depth, recursion) : null;
        boolean completed = false;
        while (loop != null ? loop.hasNext() : items.hasNext()) {
            assign(f.target(), loop != null ? loop.next() : items.next(), frame);
            if (loop != null) frame.put("loop", loop);
            Flow flow = execute(f.body(), frame.enter(), sink);
            if (flow == Flow.BREAK) break;
            completed |= flow == Flow.ON;
        }
        frame.leave();
        if (completed || f.otherwise().isEmpty()) return Flow.ON;
        return execute(f.otherwise(), new Frame(analysis.otherwise(f), outer).enter(), sink);
    }

    private Iterator<Value> tested(Node.For f, Iterator<Value> items, Frame frame) {
        frame.enter();
        return new Iterator<>() {
            private Value next;

            @Override
            public boolean hasNext() {
                while (next == null && items.hasNext()) {
                    Value item = items.next();
                    assign(f.target(), item, frame);
                    if (truth(f.test(), frame)) next = item;
                }
                return next != null;
            }

            @Override
            public Value next() {
                if (!hasNext()) throw new NoSuchElementException();
                Value item = next;
                next = null;
                return item;
            }
        };
    }

    private void refuseOthersThanNamespaces(Target target, Frame frame) {
        switch (target) {
            case Node.NameTarget _ -> { }
            case Node.TupleTarget t -> {
                for (Target item : t.items()) refuseOthersThanNamespaces(item, frame);
            }
            case Node.AttributeTarget a -> {
                if (!(frame.get(a.namespace()) instanceof Value.Namespace))
                    throw new TemplateError(Kind.RUNTIME, "cannot assign attribute on non-namespace object");
            }
        }
    }

    private void assign(Target target, Value value, Frame frame) {
        switch (target) {
            case Node.NameTarget n -> frame.assign(n.name(), value);
            case Node.AttributeTarget a -> {
                if (!(frame.get(a.namespace()) instanceof Value.Namespace namespace))
                    throw TemplateError.type("object does not support item assignment");
                run.work(1);
                namespace.attributes.put(Value.of(a.attribute()), value);
            }
            case Node.TupleTarget t -> {
                if (!Python.isIterable(value))
                    throw TemplateError.type("cannot unpack non-iterable " + Python.typeName(value) + " object");
                int wanted = t.items().size();
                List<Value> items = new ArrayList<>();
                Iterator<Value> all = Python.iterate(run, value);
                while (all.hasNext() && items.size() <= wanted) items.add(all.next());
                if (items.size() < wanted)
                    throw TemplateError.value("not enough values to unpack (expected " + wanted + ", got " + items.size() + ")");
                if (items.size() > wanted) throw TemplateError.value("too many values to unpack (expected " + wanted + ")");
                for (int i = 0; i < wanted; i++) assign(t.items().get(i), items.get(i), frame);
            }
        }
    }

    // Macros

    private Value macro(Stmt node, String name, List<Node.Parameter> parameters, List<Stmt> body, Frame frame) {
        Analysis.Specials specials = analysis.specials(node);
        List<Value> names = new ArrayList<>();
        for (Node.Parameter parameter : parameters) names.add(Value.of(parameter.name()));
        return new Value.Macro(name, new Value.Tuple(names), specials.kwargs(), specials.varargs(), specials.caller(),
                (_, args) -> invoke(node, name, parameters, body, frame, args));
    }

    private Value invoke(Stmt node, String name, List<Node.Parameter> parameters, List<Stmt> body, Frame outer, Args args) {
        Analysis.Specials specials = analysis.specials(node);
        Frame frame = new Frame(analysis.body(node), outer);
        Map<String, Value> named = new LinkedHashMap<>(args.named());
        boolean explicitCaller = parameters.stream().anyMatch(p -> p.name().equals("caller"));
        boolean foundCaller = args.count() >= parameters.size() && explicitCaller;
        Value[] given = new Value[parameters.size()];
        for (int i = 0; i < given.length; i++) {
            given[i] = i < args.count() ? args.at(i) : named.remove(parameters.get(i).name());
            if (i >= args.count() && parameters.get(i).name().equals("caller")) foundCaller = true;
        }
        String shown = name == null ? "None" : Python.quote(name);
        if (specials.caller() && !foundCaller) {
            Value caller = named.remove("caller");
            boolean none = caller == null || caller instanceof Value.None;
            frame.put("caller", none ? run.undefined("No caller defined", null, Value.of("caller")) : caller);
        }
        if (specials.kwargs()) {
            frame.put("kwargs", Methods.make(run, new Args(List.of(), named)));
        } else if (!named.isEmpty()) {
            if (named.containsKey("caller"))
                throw TemplateError.type("macro " + shown + " was invoked with two values for the special caller argument. This is most "
                        + "likely a bug.");
            throw TemplateError.type("macro " + shown + " takes no keyword argument " + Python.quote(named.keySet().iterator().next()));
        }
        if (specials.varargs()) {
            frame.put("varargs", new Value.Tuple(args.count() > given.length ? args.without(given.length).positional() : List.of()));
        } else if (args.count() > given.length) {
            throw TemplateError.type("macro " + shown + " takes not more than " + given.length + " argument(s)");
        }
        for (int i = 0; i < given.length; i++) frame.put(parameters.get(i).name(), given[i]);
        frame.enter();
        run.enter();
        for (int i = 0; i < given.length; i++) {
            Node.Parameter parameter = parameters.get(i);
            if (given[i] != null) continue;
            frame.put(parameter.name(), parameter.byDefault() != null ? evaluate(parameter.byDefault(), frame)
                    : run.undefined("parameter " + Python.quote(parameter.name()) + " was not provided", null, Value.of(parameter.name())));
        }
        StringBuilder text = new StringBuilder();
        execute(body, frame, text);
        run.leave();
        return text(text);
    }

    // Expressions

    private boolean truth(Expr expr, Frame frame) {
        Value value = evaluate(expr, frame);
        try {
            return Python.truth(value);
        } catch (TemplateError e) {
            throw e.at(template.source(), expr.start(), expr.end());
        }
    }

    private Value evaluate(Expr expr, Frame frame) {
        run.work(1);
        run.enter();
        try {
            Value value = value(expr, frame);
            run.leave();
            return value;
        } catch (TemplateError e) {
            throw e.at(template.source(), expr.start(), expr.end());
        }
    }

    private Value value(Expr expr, Frame frame) {
        return switch (expr) {
            case Node.Const c -> c.value();
            case Node.Name n -> {
                Value value = frame.get(n.name());
                yield value != null ? value : run.undefined(n.name());
            }
            case Node.TupleOf t -> new Value.Tuple(values(t.items(), frame));
            case Node.ListOf l -> new Value.Array(values(l.items(), frame));
            case Node.DictOf d -> {
                Value.Dict dict = new Value.Dict();
                for (Node.Pair pair : d.items()) dict.put(evaluate(pair.key(), frame), evaluate(pair.value(), frame));
                yield dict;
            }
            case Node.Conditional c -> {
                if (truth(c.test(), frame)) yield evaluate(c.then(), frame);
                if (c.otherwise() != null) yield evaluate(c.otherwise(), frame);
                String hint = "the inline if-expression on line " + template.line(c.start())
                        + " evaluated to false and no else section was defined.";
                yield new Value.Undefined(hint, null, Value.NONE, Kind.UNDEFINED, false);
            }
            case Node.And a -> {
                Value left = evaluate(a.left(), frame);
                yield Python.truth(left) ? evaluate(a.right(), frame) : left;
            }
            case Node.Or o -> {
                Value left = evaluate(o.left(), frame);
                yield Python.truth(left) ? left : evaluate(o.right(), frame);
            }
            case Node.Not n -> Value.of(!Python.truth(evaluate(n.operand(), frame)));
            case Node.Sign s -> Operators.sign(s.operator(), evaluate(s.operand(), frame));
            case Node.Binary b -> Operators.binary(run, b.operator(), evaluate(b.left(), frame), evaluate(b.right(), frame));
            case Node.Concat c -> concat(c, frame);
            case Node.Compare c -> {
                Value left = evaluate(c.first(), frame);
                boolean holds = true;
                for (int i = 0; i < c.operands().size() && holds; i++) {
                    Value right = evaluate(c.operands().get(i).value(), frame);
                    holds = Operators.compare(run, c.operands().get(i).operator(), left, right);
                    left = right;
                }
                yield Value.of(holds);
            }
            case Node.Attribute a -> Attributes.attribute(run, evaluate(a.of(), frame), a.name());
            case Node.Item i -> {
                Value of = evaluate(i.of(), frame);
                if (i.key() instanceof Node.Slice s) yield Operators.slice(run, of, slice(s, frame));
                yield Attributes.item(run, of, evaluate(i.key(), frame));
            }
            case Node.Slice s -> slice(s, frame);
            case Node.Call c -> call(c, frame, null);
            case Node.Filter f -> filter(f, frame, null);
            case Node.Test t -> {
                Value of = evaluate(t.of(), frame);
                Args args = arguments(t.arguments(), frame, null);
                if (!Tests.has(t.name())) throw new TemplateError(Kind.RUNTIME, "No test named " + Python.quote(t.name()) + " found.");
                yield Value.of(Tests.apply(run, t.name(), of, args));
            }
        };
    }

    private List<Value> values(List<Expr> exprs, Frame frame) {
        List<Value> values = new ArrayList<>(exprs.size());
        for (Expr expr : exprs) values.add(evaluate(expr, frame));
        return values;
    }

    private Value concat(Node.Concat concat, Frame frame) {
        StringBuilder text = new StringBuilder();
        List<Value> parts = values(concat.parts(), frame);
        boolean safe = run.autoescape && parts.stream().anyMatch(p -> p instanceof Value.Str s && s.safe());
        for (Value part : parts) {
            String shown = safe ? Html.escape(part) : Python.str(part);
            run.text(shown.length());
            text.append(shown);
        }
        return new Value.Str(text.toString(), safe);
    }

    private Value.Slice slice(Node.Slice slice, Frame frame) {
        return new Value.Slice(slice.from() == null ? Value.NONE : evaluate(slice.from(), frame),
                slice.to() == null ? Value.NONE : evaluate(slice.to(), frame),
                slice.step() == null ? Value.NONE : evaluate(slice.step(), frame));
    }

    /// @param block the text that a filter block's innermost filter takes; null elsewhere
    private Value filter(Node.Filter filter, Frame frame, Value block) {
        Value of = filter.of() == null ? block
                : filter.of() instanceof Node.Filter inner && block != null ? filter(inner, frame, block) : evaluate(filter.of(), frame);
        Args args = arguments(filter.arguments(), frame, null);
        if (!Filters.has(run.environment, filter.name()))
            throw new TemplateError(Kind.RUNTIME, "No filter named " + Python.quote(filter.name()) + " found.");
        return Filters.apply(run, filter.name(), of, args);
    }

    /// @param caller the macro that a call block hands over; null elsewhere
    private Value call(Node.Call call, Frame frame, Value caller) {
        Value function = evaluate(call.function(), frame);
        return Operators.call(run, function, arguments(call.arguments(), frame, caller));
    }

    private Args arguments(Node.Arguments arguments, Frame frame, Value caller) {
        if (arguments == Node.Arguments.NONE && caller == null) return Args.NONE;
        List<Value> positional = values(arguments.positional(), frame);
        Map<String, Value> named = new LinkedHashMap<>();
        for (Node.Keyword keyword : arguments.named()) named.put(keyword.name(), evaluate(keyword.value(), frame));
        if (caller != null) named.put("caller", caller);
        if (arguments.rest() != null) {
            Value rest = evaluate(arguments.rest(), frame);
            if (!Python.isIterable(rest))
                throw TemplateError.type("argument after * must be an iterable, not " + Python.typeName(rest));
            positional.addAll(Python.list(run, rest));
        }
        if (arguments.namedRest() != null) {
            if (!(evaluate(arguments.namedRest(), frame) instanceof Value.Dict rest))
                throw TemplateError.type("argument after ** must be a mapping");
            for (Map.Entry<Value, Value> entry : rest.entries()) {
                if (!(entry.getKey() instanceof Value.Str key)) throw TemplateError.type("keywords must be strings");
                if (named.put(key.text(), entry.getValue()) != null)
                    throw TemplateError.type("got multiple values for keyword argument " + Python.quote(key.text()));
            }
        }
        return new Args(positional, named);
    }
}
