package fewsh.jinja;

import java.util.List;

/// A parsed template: statements, the expressions in them, the targets they assign to.
///
/// `start` and `end` are offsets in the normalised source, for error messages.
sealed interface Node {
    int start();

    int end();

    sealed interface Expr extends Node {}

    record Const(Value value, int start, int end) implements Expr {}

    record Name(String name, int start, int end) implements Expr {}

    record TupleOf(List<Expr> items, int start, int end) implements Expr {}

    record ListOf(List<Expr> items, int start, int end) implements Expr {}

    record DictOf(List<Pair> items, int start, int end) implements Expr {}

    record Pair(Expr key, Expr value) {}

    /// @param otherwise null if there is no `else`
    record Conditional(Expr test, Expr then, Expr otherwise, int start, int end) implements Expr {}

    record And(Expr left, Expr right, int start, int end) implements Expr {}

    record Or(Expr left, Expr right, int start, int end) implements Expr {}

    record Not(Expr operand, int start, int end) implements Expr {}

    /// @param operator `+` or `-`
    record Sign(String operator, Expr operand, int start, int end) implements Expr {}

    record Binary(String operator, Expr left, Expr right, int start, int end) implements Expr {}

    record Concat(List<Expr> parts, int start, int end) implements Expr {}

    record Compare(Expr first, List<Operand> operands, int start, int end) implements Expr {}

    /// @param operator `==`, `<`, `in`, `not in` …
    record Operand(String operator, Expr value) {}

    record Attribute(Expr of, String name, int start, int end) implements Expr {}

    record Item(Expr of, Expr key, int start, int end) implements Expr {}

    /// Only as the key of an `Item`; parts may be null.
    record Slice(Expr from, Expr to, Expr step, int start, int end) implements Expr {}

    record Call(Expr function, Arguments arguments, int start, int end) implements Expr {}

    /// @param of null in a filter block, where it is the block's text
    record Filter(Expr of, String name, Arguments arguments, int start, int end) implements Expr {}

    record Test(Expr of, String name, Arguments arguments, int start, int end) implements Expr {}

    /// @param rest      what stands after `*`, null if nothing does
    /// @param namedRest what stands after `**`, null if nothing does
    record Arguments(List<Expr> positional, List<Keyword> named, Expr rest, Expr namedRest) {
        static final Arguments NONE = new Arguments(List.of(), List.of(), null, null);
    }

    record Keyword(String name, Expr value) {}

    sealed interface Target extends Node {}

    record NameTarget(String name, int start, int end) implements Target {}

    record AttributeTarget(String namespace, String attribute, int start, int end) implements Target {}

    record TupleTarget(List<Target> items, int start, int end) implements Target {}

    sealed interface Stmt extends Node {}

    record Data(String text, int start, int end) implements Stmt {}

    record Print(Expr value, int start, int end) implements Stmt {}

    /// @param test null if every item counts
    record For(Target target, Expr iterable, Expr test, boolean recursive, List<Stmt> body, List<Stmt> otherwise, int start,
               int end) implements Stmt {}

    record If(Expr test, List<Stmt> body, List<If> elifs, List<Stmt> otherwise, int start, int end) implements Stmt {}

    record Parameter(String name, Expr byDefault) {}

    record Macro(String name, List<Parameter> parameters, List<Stmt> body, int start, int end) implements Stmt {}

    record CallBlock(List<Parameter> parameters, Call call, List<Stmt> body, int start, int end) implements Stmt {}

    /// transformers' `{% generation %}`: what the assistant says.
    record Generation(List<Stmt> body, int start, int end) implements Stmt {}

    record FilterBlock(Filter filter, List<Stmt> body, int start, int end) implements Stmt {}

    record With(List<Target> targets, List<Expr> values, List<Stmt> body, int start, int end) implements Stmt {}

    record Assign(Target target, Expr value, int start, int end) implements Stmt {}

    /// @param filter null if the block's text is assigned as it is
    record AssignBlock(Target target, Filter filter, List<Stmt> body, int start, int end) implements Stmt {}

    record Block(String name, boolean scoped, boolean required, List<Stmt> body, int start, int end) implements Stmt {}

    record Autoescape(Expr on, List<Stmt> body, int start, int end) implements Stmt {}

    /// `include`, `extends`, `import`, `from`: parsed, but there is no loader to get another template from.
    ///
    /// @param names what an import would define
    record OtherTemplate(String tag, Expr template, List<String> names, int start, int end) implements Stmt {}

    record Break(int start, int end) implements Stmt {}

    record Continue(int start, int end) implements Stmt {}
}
