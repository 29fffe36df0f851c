package fewsh.jinja;

import fewsh.jinja.Node.Expr;
import fewsh.jinja.Node.Stmt;
import fewsh.jinja.Node.Target;
import java.util.ArrayList;
import java.util.List;

/// The nodes right below a node, in the order they are written.
final class Children {
    private Children() {}

    static List<Expr> of(Expr expr) {
        List<Expr> out = new ArrayList<>();
        switch (expr) {
            case Node.Const _, Node.Name _ -> { }
            case Node.TupleOf t -> out.addAll(t.items());
            case Node.ListOf l -> out.addAll(l.items());
            case Node.DictOf d -> {
                for (Node.Pair pair : d.items()) {
                    out.add(pair.key());
                    out.add(pair.value());
                }
            }
            case Node.Conditional c -> add(out, c.test(), c.then(), c.otherwise());
            case Node.And a -> add(out, a.left(), a.right());
            case Node.Or o -> add(out, o.left(), o.right());
            case Node.Not n -> out.add(n.operand());
            case Node.Sign s -> out.add(s.operand());
            case Node.Binary b -> add(out, b.left(), b.right());
            case Node.Concat c -> out.addAll(c.parts());
            case Node.Compare c -> {
                out.add(c.first());
                for (Node.Operand operand : c.operands()) out.add(operand.value());
            }
            case Node.Attribute a -> out.add(a.of());
            case Node.Item i -> add(out, i.of(), i.key());
            case Node.Slice s -> add(out, s.from(), s.to(), s.step());
            case Node.Call c -> {
                out.add(c.function());
                add(out, c.arguments());
            }
            case Node.Filter f -> {
                add(out, f.of());
                add(out, f.arguments());
            }
            case Node.Test t -> {
                out.add(t.of());
                add(out, t.arguments());
            }
        }
        return out;
    }

    private static void add(List<Expr> out, Expr... exprs) {
        for (Expr expr : exprs) if (expr != null) out.add(expr);
    }

    private static void add(List<Expr> out, Node.Arguments arguments) {
        out.addAll(arguments.positional());
        for (Node.Keyword keyword : arguments.named()) out.add(keyword.value());
        add(out, arguments.rest(), arguments.namedRest());
    }

    /// A statement's own expressions; those of the statements in it are not among them.
    static List<Expr> expressions(Stmt statement) {
        List<Expr> out = new ArrayList<>();
        switch (statement) {
            case Node.Data _, Node.Break _, Node.Continue _, Node.Block _, Node.Generation _ -> { }
            case Node.Print p -> out.add(p.value());
            case Node.For f -> add(out, f.iterable(), f.test());
            case Node.If i -> out.add(i.test());
            case Node.Macro m -> defaults(out, m.parameters());
            case Node.CallBlock c -> {
                out.add(c.call());
                defaults(out, c.parameters());
            }
            case Node.FilterBlock f -> out.add(f.filter());
            case Node.With w -> out.addAll(w.values());
            case Node.Assign a -> out.add(a.value());
            case Node.AssignBlock a -> add(out, a.filter());
            case Node.Autoescape a -> out.add(a.on());
            case Node.OtherTemplate o -> out.add(o.template());
        }
        return out;
    }

    private static void defaults(List<Expr> out, List<Node.Parameter> parameters) {
        for (Node.Parameter parameter : parameters) add(out, parameter.byDefault());
    }

    static List<Stmt> statements(Stmt statement) {
        List<Stmt> out = new ArrayList<>();
        switch (statement) {
            case Node.Data _, Node.Break _, Node.Continue _, Node.Print _, Node.Assign _, Node.OtherTemplate _ -> { }
            case Node.For f -> {
                out.addAll(f.body());
                out.addAll(f.otherwise());
            }
            case Node.If i -> {
                out.addAll(i.body());
                out.addAll(i.elifs());
                out.addAll(i.otherwise());
            }
            case Node.Macro m -> out.addAll(m.body());
            case Node.CallBlock c -> out.addAll(c.body());
            case Node.Generation g -> out.addAll(g.body());
            case Node.FilterBlock f -> out.addAll(f.body());
            case Node.With w -> out.addAll(w.body());
            case Node.AssignBlock a -> out.addAll(a.body());
            case Node.Block b -> out.addAll(b.body());
            case Node.Autoescape a -> out.addAll(a.body());
        }
        return out;
    }

    /// What a statement assigns to in the frame around it.
    static List<Target> targets(Stmt statement) {
        return switch (statement) {
            case Node.For f -> List.of(f.target());
            case Node.Assign a -> List.of(a.target());
            case Node.AssignBlock a -> List.of(a.target());
            case Node.Data _, Node.Print _, Node.If _, Node.Macro _, Node.CallBlock _, Node.Generation _, Node.FilterBlock _,
                 Node.With _, Node.Block _, Node.Autoescape _, Node.OtherTemplate _, Node.Break _, Node.Continue _ -> List.of();
        };
    }
}
