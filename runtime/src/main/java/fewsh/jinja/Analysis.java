package fewsh.jinja;

import fewsh.jinja.Node.Expr;
import fewsh.jinja.Node.Stmt;
import fewsh.jinja.Node.Target;
import fewsh.jinja.TemplateError.Kind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// What jinja2 finds out when it compiles a template: the frames of its blocks, and mistakes that need no rendering to show.
///
/// Source: `jinja2/compiler.py`; walks in its order, so that the first of several mistakes is the same.
final class Analysis {
    /// Which special names a macro's body uses.
    record Specials(boolean caller, boolean kwargs, boolean varargs) {}

    private static final Set<String> NEED_CONTEXT = Set.of("map", "select", "reject", "selectattr", "rejectattr", "random");

    final Scope root = new Scope(null);
    final Map<String, Node.Block> blocks = new LinkedHashMap<>();
    private final Map<Stmt, Scope> bodies = new IdentityHashMap<>();
    private final Map<Stmt, Scope> tests = new IdentityHashMap<>();
    private final Map<Stmt, Scope> elses = new IdentityHashMap<>();
    private final Map<Stmt, Specials> specials = new IdentityHashMap<>();
    private final Set<Stmt> extended = java.util.Collections.newSetFromMap(new IdentityHashMap<>());
    private final Set<Stmt> constants = java.util.Collections.newSetFromMap(new IdentityHashMap<>());
    private final String source;
    private final Environment environment;
    private TemplateError pythonError;

    private record Deep(Object node, int depth) {}

    Analysis(List<Stmt> template, String source, Environment environment) {
        this.source = source;
        this.environment = environment;
        findBlocks(template);
        if (undeclared(template, "self").contains("self")) root.parameter("self");
        root.visit(template);
        check(template, new Place(root, true, false, false));
        for (Node.Block block : blocks.values()) {
            Scope scope = new Scope(null);
            for (String name : undeclared(block.body(), "self", "super")) scope.parameter(name);
            scope.visit(block.body());
            bodies.put(block, scope);
            check(block.body(), new Place(scope, false, false, false));
        }
        if (pythonError != null) throw pythonError;
    }

    /// The frame of a statement's body; of a loop, of one turn.
    Scope body(Stmt statement) {
        return bodies.get(statement);
    }

    Scope test(Stmt statement) {
        return tests.get(statement);
    }

    Scope otherwise(Stmt statement) {
        return elses.get(statement);
    }

    Specials specials(Stmt statement) {
        return specials.get(statement);
    }

    /// Whether a loop's body uses `loop`.
    boolean isExtended(Node.For loop) {
        return extended.contains(loop);
    }

    /// Whether jinja2 prints this when it compiles the template, where slices of what has none are undefined and no error.
    boolean isConstant(Node.Print print) {
        return constants.contains(print);
    }

    private static boolean hasSlice(Expr expr) {
        if (expr instanceof Node.Slice) return true;
        for (Expr child : Children.of(expr)) if (hasSlice(child)) return true;
        return false;
    }

    private static boolean isConstant(Expr expr) {
        if (expr instanceof Node.Name || expr instanceof Node.Call) return false;
        if (expr instanceof Node.Filter f && NEED_CONTEXT.contains(f.name())) return false;
        for (Expr child : Children.of(expr)) if (!isConstant(child)) return false;
        return true;
    }

    /// Collects the blocks, and refuses trees so deep that walking them would exhaust the stack. Not recursive itself.
    private void findBlocks(List<Stmt> template) {
        Deque<Deep> left = new ArrayDeque<>();
        for (Stmt statement : template.reversed()) left.push(new Deep(statement, 1));
        while (!left.isEmpty()) {
            Deep next = left.pop();
            if (next.depth > environment.limits().depth()) throw TemplateError.recursion();
            List<Object> below = new ArrayList<>();
            if (next.node instanceof Stmt statement) {
                if (statement instanceof Node.Block block && blocks.put(block.name(), block) != null)
                    throw fail(block, "block " + Python.quote(block.name()) + " defined twice");
                below.addAll(Children.expressions(statement));
                below.addAll(Children.statements(statement));
            } else if (next.node instanceof Expr expr) {
                below.addAll(Children.of(expr));
            }
            for (Object node : below.reversed()) left.push(new Deep(node, next.depth + 1));
        }
    }

    private TemplateError fail(Node node, String message) {
        return new TemplateError(Kind.ASSERTION, message).at(source, node.start(), node.end());
    }

    /// Python refuses these only when it compiles what jinja2 made of the template: after all other checks.
    private void pythonError(Node node, String message) {
        if (pythonError != null) return;
        pythonError = new TemplateError(Kind.PYTHON_SYNTAX, message).at(source, node.start(), node.end());
    }

    /// @param toplevel outside any block but `if`
    /// @param soft     directly inside an `if`, where unknown filters fail only when they are reached
    /// @param loop     inside a loop of the same function, so that `break` has something to break
    private record Place(Scope scope, boolean toplevel, boolean soft, boolean loop) {
        Place inner(Scope inner) {
            return new Place(inner, false, false, loop);
        }

        Place softly() {
            return new Place(scope, toplevel, true, loop);
        }
    }

    private void check(List<? extends Stmt> body, Place place) {
        for (Stmt statement : body) check(statement, place);
    }

    private void check(Stmt statement, Place place) {
        switch (statement) {
            case Node.Data _, Node.Block _ -> { }
            case Node.Print p -> {
                check(p.value(), place.soft);
                if (hasSlice(p.value()) && isConstant(p.value())) constants.add(p);
            }
            case Node.Break b -> {
                if (!place.loop) pythonError(b, "'break' outside loop");
            }
            case Node.Continue c -> {
                if (!place.loop) pythonError(c, "'continue' not properly in loop");
            }
            case Node.For f -> checkFor(f, place);
            case Node.If i -> {
                Place soft = place.softly();
                check(i.test(), true);
                check(i.body(), soft);
                for (Node.If elif : i.elifs()) {
                    check(elif.test(), true);
                    check(elif.body(), soft);
                }
                check(i.otherwise(), soft);
            }
            case Node.Macro m -> checkMacro(m, m.parameters(), m.body(), place);
            case Node.CallBlock c -> {
                checkMacro(c, c.parameters(), c.body(), place);
                check(c.call(), place.soft);
            }
            case Node.Generation g -> checkMacro(g, List.of(), g.body(), place);
            case Node.FilterBlock f -> {
                Scope scope = new Scope(place.scope);
                scope.visit(f.body());
                scope.visit(f.filter());
                bodies.put(f, scope);
                check(f.body(), place.inner(scope));
                check(f.filter(), false);
            }
            case Node.With w -> {
                Scope scope = new Scope(place.scope);
                w.targets().forEach(scope::parameters);
                scope.visit(w.body());
                bodies.put(w, scope);
                for (Expr value : w.values()) check(value, place.soft);
                check(w.body(), place.inner(scope));
            }
            case Node.Assign a -> check(a.value(), place.soft);
            case Node.AssignBlock a -> {
                Scope scope = new Scope(place.scope);
                scope.visit(a.body());
                scope.visit(a.filter());
                bodies.put(a, scope);
                check(a.body(), place.inner(scope));
                if (a.filter() != null) check(a.filter(), false);
            }
            case Node.Autoescape a -> {
                Scope scope = new Scope(place.scope);
                scope.visit(a.on());
                scope.visit(a.body());
                bodies.put(a, scope);
                check(a.on(), false);
                check(a.body(), place.inner(scope));
            }
            case Node.OtherTemplate o -> {
                if (o.tag().equals("extends") && !place.toplevel)
                    throw fail(o, "cannot use extend from a non top-level scope");
                check(o.template(), place.soft);
            }
        }
    }

    private void checkFor(Node.For f, Place place) {
        Scope body = new Scope(place.scope);
        Scope otherwise = new Scope(place.scope);
        boolean uses = f.recursive() || undeclared(f.body(), "loop").contains("loop") || hasScopedBlock(f);
        if (uses) {
            extended.add(f);
            body.parameter("loop");
        }
        body.parameters(f.target());
        body.visit(f.body());
        otherwise.visit(f.otherwise());
        bodies.put(f, body);
        elses.put(f, otherwise);
        if (f.test() != null) {
            Scope test = new Scope(place.scope);
            test.parameters(f.target());
            test.visit(f.test());
            tests.put(f, test);
            check(f.test(), false);
        }
        refuseLoopAsTarget(f);
        check(f.iterable(), place.soft);
        check(f.body(), new Place(body, false, false, true));
        check(f.otherwise(), new Place(otherwise, false, false, place.loop && !f.recursive()));
    }

    private static boolean hasScopedBlock(Stmt statement) {
        if (statement instanceof Node.Block block && block.scoped()) return true;
        for (Stmt inner : Children.statements(statement)) if (hasScopedBlock(inner)) return true;
        return false;
    }

    private void refuseLoopAsTarget(Stmt statement) {
        for (Target target : Children.targets(statement)) refuseLoop(target);
        for (Stmt inner : Children.statements(statement)) refuseLoopAsTarget(inner);
    }

    private void refuseLoop(Target target) {
        switch (target) {
            case Node.NameTarget n -> {
                if (n.name().equals("loop")) throw fail(n, "Can't assign to special loop variable in for-loop target");
            }
            case Node.TupleTarget t -> t.items().forEach(this::refuseLoop);
            case Node.AttributeTarget _ -> { }
        }
    }

    private void checkMacro(Stmt macro, List<Node.Parameter> parameters, List<Stmt> body, Place place) {
        Set<String> names = new HashSet<>();
        for (Node.Parameter parameter : parameters)
            if (!names.add(parameter.name()))
                pythonError(macro, "duplicate argument " + Python.quote(parameter.name()) + " in function definition");
        Set<String> used = undeclared(body, "caller", "kwargs", "varargs");
        Specials found = new Specials(used.contains("caller"), used.contains("kwargs") && !names.contains("kwargs"),
                used.contains("varargs") && !names.contains("varargs"));
        Scope scope = new Scope(place.scope);
        for (Node.Parameter parameter : parameters) {
            scope.parameter(parameter.name());
            if (parameter.name().equals("caller") && found.caller && parameter.byDefault() == null)
                throw fail(macro, "When defining macros or call blocks the special \"caller\" argument must be omitted or be "
                        + "given a default.");
        }
        if (found.caller) scope.parameter("caller");
        if (found.kwargs) scope.parameter("kwargs");
        if (found.varargs) scope.parameter("varargs");
        for (Node.Parameter parameter : parameters) scope.visit(parameter.byDefault());
        scope.visit(body);
        bodies.put(macro, scope);
        specials.put(macro, found);
        for (Node.Parameter parameter : parameters) if (parameter.byDefault() != null) check(parameter.byDefault(), false);
        check(body, new Place(scope, false, false, false));
    }

    /// Refuses filters and tests that do not exist.
    private void check(Expr expr, boolean soft) {
        boolean below = soft || expr instanceof Node.Conditional;
        if (!soft && expr instanceof Node.Filter f && !Filters.has(environment, f.name()))
            throw fail(f, "No filter named " + Python.quote(f.name()) + ".");
        if (!soft && expr instanceof Node.Test t && !Tests.has(t.name()))
            throw fail(t, "No test named " + Python.quote(t.name()) + ".");
        if (expr instanceof Node.Or(Node.Const left, _, _, _) && Python.truth(left.value())) return;
        if (expr instanceof Node.And(Node.Const left, _, _, _) && !Python.truth(left.value())) return;
        for (Expr child : Children.of(expr)) check(child, below);
    }

    /// Those of `names` that the statements read before they set them.
    private static Set<String> undeclared(List<? extends Stmt> body, String... names) {
        Set<String> wanted = new HashSet<>(List.of(names));
        Set<String> found = new HashSet<>();
        for (Stmt statement : body) undeclared(statement, wanted, found);
        return found;
    }

    private static void undeclared(Stmt statement, Set<String> wanted, Set<String> found) {
        switch (statement) {
            case Node.Block _ -> {
                return;
            }
            case Node.Macro m -> m.parameters().forEach(p -> wanted.remove(p.name()));
            case Node.CallBlock c -> {
                undeclared(c.call(), wanted, found);
                c.parameters().forEach(p -> wanted.remove(p.name()));
            }
            case Node.With w -> w.targets().forEach(t -> declare(t, wanted));
            case Node.FilterBlock f -> {
                for (Stmt inner : f.body()) undeclared(inner, wanted, found);
            }
            default -> Children.targets(statement).forEach(t -> declare(t, wanted));
        }
        if (statement instanceof Node.For f) {
            undeclared(f.iterable(), wanted, found);
            for (Stmt inner : Children.statements(f)) undeclared(inner, wanted, found);
            if (f.test() != null) undeclared(f.test(), wanted, found);
            return;
        }
        for (Expr expr : Children.expressions(statement)) undeclared(expr, wanted, found);
        for (Stmt inner : Children.statements(statement)) undeclared(inner, wanted, found);
    }

    private static void declare(Target target, Set<String> wanted) {
        switch (target) {
            case Node.NameTarget n -> wanted.remove(n.name());
            case Node.TupleTarget t -> t.items().forEach(item -> declare(item, wanted));
            case Node.AttributeTarget _ -> { }
        }
    }

    private static void undeclared(Expr expr, Set<String> wanted, Set<String> found) {
        if (expr instanceof Node.Name n && wanted.contains(n.name())) found.add(n.name());
        for (Expr child : Children.of(expr)) undeclared(child, wanted, found);
    }
}
