package fewsh.jinja;

import fewsh.jinja.Node.Expr;
import fewsh.jinja.Node.Stmt;
import fewsh.jinja.Node.Target;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/// The names that one frame of a template holds, and where each comes from when the frame is entered.
///
/// jinja2 resolves names when it compiles, and it shows: a name that is set later in a template is not looked up among the
/// caller's variables before. Source: `jinja2/idtracking.py`.
final class Scope {
    /// Where a name's value is taken from on entry.
    enum Load {
        /// Given by whoever enters: a loop's item, a macro's argument.
        PARAMETER,
        /// Looked up among the caller's variables, or missing.
        RESOLVE,
        /// Copied from the frame around.
        ALIAS,
        /// Missing until it is set.
        UNDEFINED
    }

    final Scope parent;
    final Map<String, Load> loads;
    private final Set<String> stores;

    Scope(Scope parent) {
        this(parent, new LinkedHashMap<>(), new TreeSet<>());
    }

    private Scope(Scope parent, Map<String, Load> loads, Set<String> stores) {
        this.parent = parent;
        this.loads = loads;
        this.stores = stores;
    }

    boolean knows(String name) {
        return loads.containsKey(name) || parent != null && parent.knows(name);
    }

    Set<String> stores() {
        return stores;
    }

    void parameter(String name) {
        stores.add(name);
        loads.put(name, Load.PARAMETER);
    }

    private void store(String name) {
        stores.add(name);
        if (!loads.containsKey(name)) loads.put(name, parent != null && parent.knows(name) ? Load.ALIAS : Load.UNDEFINED);
    }

    void load(String name) {
        if (!knows(name)) loads.put(name, Load.RESOLVE);
    }

    void parameters(Target target) {
        switch (target) {
            case Node.NameTarget n -> parameter(n.name());
            case Node.AttributeTarget a -> load(a.namespace());
            case Node.TupleTarget t -> t.items().forEach(this::parameters);
        }
    }

    private void stores(Target target) {
        switch (target) {
            case Node.NameTarget n -> store(n.name());
            case Node.AttributeTarget a -> load(a.namespace());
            case Node.TupleTarget t -> t.items().forEach(this::stores);
        }
    }

    /// Takes in the names of statements, those in frames of their own excepted.
    void visit(List<? extends Stmt> body) {
        body.forEach(this::visit);
    }

    private void visit(Stmt statement) {
        switch (statement) {
            case Node.Data _, Node.Block _, Node.Autoescape _, Node.Break _, Node.Continue _, Node.Generation _ -> { }
            case Node.Print p -> visit(p.value());
            case Node.For f -> visit(f.iterable());
            case Node.If i -> visit(i);
            case Node.Macro m -> store(m.name());
            case Node.CallBlock c -> visit(c.call());
            case Node.FilterBlock f -> visit(f.filter());
            case Node.With w -> w.values().forEach(this::visit);
            case Node.Assign a -> {
                visit(a.value());
                stores(a.target());
            }
            case Node.AssignBlock a -> stores(a.target());
            case Node.OtherTemplate o -> {
                visit(o.template());
                o.names().forEach(this::store);
            }
        }
    }

    private void visit(Node.If statement) {
        visit(statement.test());
        Scope body = copy();
        body.visit(statement.body());
        Scope elifs = copy();
        elifs.visit(statement.elifs());
        Scope otherwise = copy();
        otherwise.visit(statement.otherwise());
        Set<String> stored = new TreeSet<>();
        for (Scope branch : List.of(body, elifs, otherwise)) stored.addAll(branch.stores);
        stored.removeAll(stores);
        for (Scope branch : List.of(body, elifs, otherwise)) {
            loads.putAll(branch.loads);
            stores.addAll(branch.stores);
        }
        for (String name : stored) loads.put(name, parent != null && parent.knows(name) ? Load.ALIAS : Load.RESOLVE);
    }

    private Scope copy() {
        return new Scope(parent, new LinkedHashMap<>(loads), new TreeSet<>(stores));
    }

    void visit(Expr expr) {
        switch (expr) {
            case null -> { }
            case Node.Name n -> load(n.name());
            default -> Children.of(expr).forEach(this::visit);
        }
    }
}
