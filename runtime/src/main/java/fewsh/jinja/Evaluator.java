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
    // Null unless they are asked for.
    private List<Piece> pieces;
    private int inPieces;
    private boolean lenientSlices;

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

    List<Piece> pieces(List<Stmt> body, Map<String, Value> variables) {
        pieces = new ArrayList<>();
        render(body, variables);
        return List.copyOf(pieces);
    }

    // Statements

    private Flow execute(List<? extends Stmt> body, Frame frame, StringBuilder sink) {
        for (Stmt statement : body) {
            run.work(1);
            run.enter();
            try {
                Flow flow = execute(statement, frame, sink);
                run.leave();
                if (pieces != null && sink == out) piece(statement);
                if (flow != Flow.ON) return flow;
            } catch (TemplateError e) {
                throw e.at(template.source(), statement.start(), statement.end());
            }
        }
        return Flow.ON;
    }

    // Every case is a call, here and in `value`, so that the frames of a deep recursion stay small.
    private Flow execute(Stmt statement, Frame frame, StringBuilder sink) {
        return switch (statement) {
            case Node.Data data -> write(data.text(), sink);
            case Node.Print print -> print(print, frame, sink);
            case Node.If i -> choose(i, frame, sink);
            case Node.For f -> loop(f, frame, sink);
            case Node.Break _ -> Flow.BREAK;
            case Node.Continue _ -> Flow.CONTINUE;
            case Node.Assign a -> assign(a, frame);
            case Node.AssignBlock a -> assignBlock(a, frame);
            case Node.FilterBlock f -> filterBlock(f, frame, sink);
            case Node.With w -> with(w, frame, sink);
            case Node.Macro m -> define(m, frame);
            case Node.CallBlock c -> callBlock(c, frame, sink);
            case Node.Generation g -> generation(g, frame, sink);
            case Node.Block b -> block(b, frame, sink);
            case Node.Autoescape a -> autoescape(a, frame, sink);
            case Node.OtherTemplate o -> otherTemplate(o, frame);
        };
    }

    /// What a statement wrote that is in no piece yet: of a block, its statements have done so already.
    private void piece(Stmt statement) {
        if (out.length() == inPieces && !(statement instanceof Node.Print)) return;
        String name = statement instanceof Node.Print print ? variable(print.value()) : null;
        pieces.add(new Piece(out.substring(inPieces), statement instanceof Node.Data, name));
        inPieces = out.length();
    }

    private static String variable(Expr e) {
        return switch (e) {
            case Node.Name name -> name.name();
            case Node.Attribute attribute -> variable(attribute.of());
            case Node.Item item -> variable(item.of());
            default -> null;
        };
    }

    private Flow print(Node.Print print, Frame frame, StringBuilder sink) {
        return write(analysis.isConstant(print) ? constant(print, frame) : shown(evaluate(print.value(), frame)), sink);
    }

    private Flow choose(Node.If i, Frame frame, StringBuilder sink) {
        if (truth(i.test(), frame)) return execute(i.body(), frame, sink);
        for (Node.If elif : i.elifs()) if (truth(elif.test(), frame)) return execute(elif.body(), frame, sink);
        return execute(i.otherwise(), frame, sink);
    }

    private Flow loop(Node.For f, Frame frame, StringBuilder sink) {
        Value iterable = evaluate(f.iterable(), frame);
        if (f.recursive()) return write(Python.str(recurse(f, frame, iterable, 0)), sink);
        return loop(f, iterable, frame, sink, 0, null);
    }

    private Flow assign(Node.Assign a, Frame frame) {
        refuseOthersThanNamespaces(a.target(), frame);
        assign(a.target(), evaluate(a.value(), frame), frame);
        return Flow.ON;
    }

    private Flow assignBlock(Node.AssignBlock a, Frame frame) {
        Frame inner = new Frame(analysis.body(a), frame).enter();
        StringBuilder text = new StringBuilder();
        Flow flow = execute(a.body(), inner, text);
        if (flow != Flow.ON) return flow;
        assign(a.target(), a.filter() == null ? text(text) : filter(a.filter(), inner, text(text)), frame);
        return Flow.ON;
    }

    private Flow filterBlock(Node.FilterBlock f, Frame frame, StringBuilder sink) {
        Frame inner = new Frame(analysis.body(f), frame).enter();
        StringBuilder text = new StringBuilder();
        Flow flow = execute(f.body(), inner, text);
        return flow != Flow.ON ? flow : write(shown(filter(f.filter(), inner, text(text))), sink);
    }

    private Flow with(Node.With w, Frame frame, StringBuilder sink) {
        Frame inner = new Frame(analysis.body(w), frame).enter();
        for (int i = 0; i < w.targets().size(); i++) assign(w.targets().get(i), evaluate(w.values().get(i), frame), inner);
        return execute(w.body(), inner, sink);
    }

    private Flow define(Node.Macro m, Frame frame) {
        frame.assign(m.name(), macro(m, m.name(), m.parameters(), m.body(), frame));
        return Flow.ON;
    }

    private Flow callBlock(Node.CallBlock c, Frame frame, StringBuilder sink) {
        return write(shown(call(c.call(), frame, macro(c, null, c.parameters(), c.body(), frame))), sink);
    }

    /// Its place is counted from the start of what the template has written so far, as transformers does even where the text
    /// goes into a variable first.
    private Flow generation(Node.Generation g, Frame frame, StringBuilder sink) {
        String text = Python.str(invoke(g, null, List.of(), g.body(), frame, run.autoescape, Args.NONE));
        run.text(out.length());
        int start = out.codePointCount(0, out.length());
        generations.add(new Rendered.Span(start, start + CodePoints.length(text)));
        return write(text, sink);
    }

    private Flow block(Node.Block b, Frame frame, StringBuilder sink) {
        if (b.required()) throw new TemplateError(Kind.RUNTIME, "Required block " + Python.quote(b.name()) + " not found");
        block(b, b.scoped() ? frame.derived() : frame.context, sink);
        return Flow.ON;
    }

    private Flow autoescape(Node.Autoescape a, Frame frame, StringBuilder sink) {
        Frame inner = new Frame(analysis.body(a), frame).enter();
        boolean before = run.autoescape;
        run.autoescape = truth(a.on(), inner);
        try {
            return execute(a.body(), inner, sink);
        } finally {
            run.autoescape = before;
        }
    }

    private Flow otherTemplate(Node.OtherTemplate o, Frame frame) {
        evaluate(o.template(), frame);
        throw TemplateError.type("no loader for this environment specified");
    }

    /// Like jinja2's compiler: as a constant first, and if that fails like anything else, for the error.
    private String constant(Node.Print print, Frame frame) {
        int depth = run.depth();
        lenientSlices = true;
        try {
            return shown(evaluate(print.value(), frame));
        } catch (TemplateError e) {
            if (e.kind() == Kind.LIMIT || e.kind() == Kind.RECURSION) throw e;
            run.depth(depth);
        } finally {
            lenientSlices = false;
        }
        return shown(evaluate(print.value(), frame));
    }

    private Flow write(String text, StringBuilder sink) {
        if (sink == out) run.output(text.length());
        run.text(text.length());
        sink.append(text);
        return Flow.ON;
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
        String noParent = "there is no parent block called " + Python.quote(block.name()) + ".";
        frame.put("super", run.undefined(noParent, null, Value.of("super")));
        boolean before = run.autoescape;
        run.autoescape = false; // compiled on its own, whatever is around it
        try {
            run.enter();
            execute(block.body(), frame.enter(), sink);
            run.leave();
        } finally {
            run.autoescape = before;
        }
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
        boolean escape = run.autoescape;
        List<Value> names = new ArrayList<>();
        for (Node.Parameter parameter : parameters) names.add(Value.of(parameter.name()));
        return new Value.Macro(name, new Value.Tuple(names), specials.kwargs(), specials.varargs(), specials.caller(),
                (_, args) -> invoke(node, name, parameters, body, frame, escape, args));
    }

    /// @param escape whether output is escaped where the macro is written, which may be elsewhere than it is called
    private Value invoke(Stmt node, String name, List<Node.Parameter> parameters, List<Stmt> body, Frame outer, boolean escape,
                         Args args) {
        boolean before = run.autoescape;
        Frame frame = new Frame(analysis.body(node), outer);
        boolean[] missing = bind(analysis.specials(node), name, parameters, frame, args);
        frame.enter();
        run.enter();
        for (int i = 0; i < missing.length; i++)
            if (missing[i]) frame.put(parameters.get(i).name(), byDefault(parameters.get(i), frame));
        StringBuilder text = new StringBuilder();
        run.autoescape = escape;
        try {
            execute(body, frame, text);
        } finally {
            run.autoescape = before;
        }
        run.leave();
        return text(text);
    }

    private Value byDefault(Node.Parameter parameter, Frame frame) {
        if (parameter.byDefault() != null) return evaluate(parameter.byDefault(), frame);
        String hint = "parameter " + Python.quote(parameter.name()) + " was not provided";
        return run.undefined(hint, null, Value.of(parameter.name()));
    }

    /// Puts a macro's arguments into its frame.
    ///
    /// @return which parameters got none
    private boolean[] bind(Analysis.Specials specials, String name, List<Node.Parameter> parameters, Frame frame, Args args) {
        Map<String, Value> named = new LinkedHashMap<>(args.named());
        boolean explicitCaller = parameters.stream().anyMatch(p -> p.name().equals("caller"));
        boolean foundCaller = args.count() >= parameters.size() && explicitCaller;
        boolean[] missing = new boolean[parameters.size()];
        for (int i = 0; i < missing.length; i++) {
            String parameter = parameters.get(i).name();
            Value given = i < args.count() ? args.at(i) : named.remove(parameter);
            foundCaller |= i >= args.count() && parameter.equals("caller");
            missing[i] = given == null;
            frame.put(parameter, given);
        }
        String shown = name == null ? "None" : Python.quote(name);
        if (specials.caller() && !foundCaller) {
            Value caller = named.remove("caller");
            boolean none = caller == null || caller instanceof Value.None;
            frame.put("caller", none ? run.undefined("No caller defined", null, Value.of("caller")) : caller);
        }
        if (specials.kwargs()) {
            frame.put("kwargs", Methods.make(run, new Args(List.of(), named)));
        } else if (named.containsKey("caller")) {
            throw TemplateError.type("macro " + shown + " was invoked with two values for the special caller argument. This is "
                    + "most likely a bug.");
        } else if (!named.isEmpty()) {
            throw TemplateError.type("macro " + shown + " takes no keyword argument "
                    + Python.quote(named.keySet().iterator().next()));
        }
        if (specials.varargs())
            frame.put("varargs", new Value.Tuple(args.without(Math.min(args.count(), missing.length)).positional()));
        else if (args.count() > missing.length)
            throw TemplateError.type("macro " + shown + " takes not more than " + missing.length + " argument(s)");
        return missing;
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
            case Node.Name n -> name(n, frame);
            case Node.TupleOf t -> new Value.Tuple(values(t.items(), frame));
            case Node.ListOf l -> new Value.Array(values(l.items(), frame));
            case Node.DictOf d -> dict(d, frame);
            case Node.Conditional c -> conditional(c, frame);
            case Node.And a -> and(a, frame);
            case Node.Or o -> or(o, frame);
            case Node.Not n -> Value.of(!Python.truth(evaluate(n.operand(), frame)));
            case Node.Sign s -> Operators.sign(s.operator(), evaluate(s.operand(), frame));
            case Node.Binary b -> Operators.binary(run, b.operator(), evaluate(b.left(), frame), evaluate(b.right(), frame));
            case Node.Concat c -> concat(c, frame);
            case Node.Compare c -> compare(c, frame);
            case Node.Attribute a -> Attributes.attribute(run, evaluate(a.of(), frame), a.name());
            case Node.Item i -> item(i, frame);
            case Node.Slice s -> slice(s, frame);
            case Node.Call c -> call(c, frame, null);
            case Node.Filter f -> filter(f, frame, null);
            case Node.Test t -> test(t, frame);
        };
    }

    private Value name(Node.Name n, Frame frame) {
        Value value = frame.get(n.name());
        return value != null ? value : run.undefined(n.name());
    }

    private Value dict(Node.DictOf d, Frame frame) {
        Value.Dict dict = new Value.Dict();
        for (Node.Pair pair : d.items()) dict.put(evaluate(pair.key(), frame), evaluate(pair.value(), frame));
        return dict;
    }

    private Value conditional(Node.Conditional c, Frame frame) {
        if (truth(c.test(), frame)) return evaluate(c.then(), frame);
        if (c.otherwise() != null) return evaluate(c.otherwise(), frame);
        String hint = "the inline if-expression on line " + template.line(c.start())
                + " evaluated to false and no else section was defined.";
        return new Value.Undefined(hint, null, Value.NONE, Kind.UNDEFINED, false);
    }

    private Value and(Node.And a, Frame frame) {
        Value left = evaluate(a.left(), frame);
        return Python.truth(left) ? evaluate(a.right(), frame) : left;
    }

    private Value or(Node.Or o, Frame frame) {
        Value left = evaluate(o.left(), frame);
        return Python.truth(left) ? left : evaluate(o.right(), frame);
    }

    private Value compare(Node.Compare c, Frame frame) {
        Value left = evaluate(c.first(), frame);
        boolean holds = true;
        for (int i = 0; i < c.operands().size() && holds; i++) {
            Value right = evaluate(c.operands().get(i).value(), frame);
            holds = Operators.compare(run, c.operands().get(i).operator(), left, right);
            left = right;
        }
        return Value.of(holds);
    }

    private Value item(Node.Item i, Frame frame) {
        Value of = evaluate(i.of(), frame);
        if (i.key() instanceof Node.Slice s && !lenientSlices) return Operators.slice(run, of, slice(s, frame));
        return Attributes.item(run, of, evaluate(i.key(), frame));
    }

    private Value test(Node.Test t, Frame frame) {
        Value of = evaluate(t.of(), frame);
        Args args = arguments(t.arguments(), frame, null);
        if (!Tests.has(t.name())) throw new TemplateError(Kind.RUNTIME, "No test named " + Python.quote(t.name()) + " found.");
        return Value.of(Tests.apply(run, t.name(), of, args));
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
        Value of = block;
        if (filter.of() instanceof Node.Filter inner && block != null) of = filter(inner, frame, block);
        else if (filter.of() != null) of = evaluate(filter.of(), frame);
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
