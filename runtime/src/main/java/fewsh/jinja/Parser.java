package fewsh.jinja;

import fewsh.jinja.Node.Arguments;
import fewsh.jinja.Node.Expr;
import fewsh.jinja.Node.Stmt;
import fewsh.jinja.Node.Target;
import fewsh.jinja.TemplateError.Kind;
import fewsh.jinja.Token.Type;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/// Tokens to nodes, by recursive descent, with jinja2's grammar and its messages.
///
/// Source: `jinja2/parser.py`; the order of the methods is its order.
final class Parser {
    private final Environment environment;
    private final String source;
    private final Lexer lexer;
    private final Deque<Token> pushed = new ArrayDeque<>();
    private final Deque<String> tags = new ArrayDeque<>();
    private final Deque<List<String>> endTags = new ArrayDeque<>();
    private Token current;
    private int lastEnd;
    private int nesting;

    Parser(String source, Environment environment) {
        this.source = source;
        this.environment = environment;
        this.lexer = new Lexer(source, environment);
        this.current = lexer.next();
    }

    List<Stmt> parse() {
        return subparse(null);
    }

    // Tokens

    private Token advance() {
        Token old = current;
        lastEnd = old.end();
        if (!pushed.isEmpty()) current = pushed.poll();
        else if (!old.is(Type.EOF)) current = lexer.next();
        if (current.is(Type.EOF)) current = new Token(Type.EOF, "", null, old.start(), old.end());
        return old;
    }

    private Token look() {
        if (pushed.isEmpty()) pushed.add(lexer.next());
        return pushed.peek();
    }

    private boolean skip(Type type) {
        if (!current.is(type)) return false;
        advance();
        return true;
    }

    private boolean skipName(String name) {
        if (!current.isName(name)) return false;
        advance();
        return true;
    }

    private Token expect(Type type) {
        if (!current.is(type)) throw unexpected(type.description());
        return advance();
    }

    private void expectName(String name) {
        if (!current.isName(name)) throw unexpected(name);
        advance();
    }

    private TemplateError unexpected(String expected) {
        return current.is(Type.EOF) ? fail("unexpected end of template, expected " + Python.quote(expected) + ".", current)
                : fail("expected token " + Python.quote(expected) + ", got " + Python.quote(current.description()), current);
    }

    private TemplateError fail(String message, Token at) {
        return fail(Kind.SYNTAX, message, at.start(), at.end());
    }

    private TemplateError fail(Kind kind, String message, int start, int end) {
        return new TemplateError(kind, message).at(source, start, end);
    }

    private void enter() {
        if (++nesting > environment.limits().nesting())
            throw TemplateError.recursion().at(source, current.start(), current.end());
    }

    private void link(int length) {
        if (length > environment.limits().chain()) throw TemplateError.recursion().at(source, current.start(), current.end());
    }

    // Statements

    private TemplateError endOfTemplate(List<String> wanted) {
        endTags.push(wanted);
        return unknownTag(null);
    }

    private TemplateError unknownTag(String name) {
        StringBuilder message = new StringBuilder(name == null ? "Unexpected end of template."
                : "Encountered unknown tag " + Python.quote(name) + ".");
        if (!endTags.isEmpty()) {
            String looking = endTags.peek().stream().map(Python::quote).collect(Collectors.joining(" or "));
            boolean nested = name != null && endTags.stream().anyMatch(wanted -> wanted.contains(name));
            message.append(nested
                    ? " You probably made a nesting mistake. Jinja is expecting this tag, but currently looking for "
                    : " Jinja was looking for the following tags: ").append(looking).append('.');
        }
        if (!tags.isEmpty())
            message.append(" The innermost block that needs to be closed is ").append(Python.quote(tags.peek())).append('.');
        return fail(message.toString(), current);
    }

    private List<Stmt> subparse(List<String> ends) {
        if (ends != null) endTags.push(ends);
        List<Stmt> body = new ArrayList<>();
        while (!current.is(Type.EOF)) {
            switch (current.type()) {
                case DATA -> {
                    body.add(new Node.Data(current.text(), current.start(), current.end()));
                    advance();
                }
                case VARIABLE_BEGIN -> {
                    int start = advance().start();
                    Expr value = parseTuple();
                    expect(Type.VARIABLE_END);
                    body.add(new Node.Print(value, start, lastEnd));
                }
                case BLOCK_BEGIN -> {
                    advance();
                    if (ends != null && current.is(Type.NAME) && ends.contains(current.text())) {
                        endTags.pop();
                        return body;
                    }
                    enter();
                    Stmt statement = parseStatement();
                    nesting--;
                    if (statement != null) body.add(statement);
                    expect(Type.BLOCK_END);
                }
                default -> throw fail("internal parsing error", current);
            }
        }
        if (ends != null) endTags.pop();
        return body;
    }

    private Stmt parseStatement() {
        if (!current.is(Type.NAME)) throw fail("tag name expected", current);
        Token tag = current;
        tags.push(tag.text());
        Stmt statement = switch (tag.text()) {
            case "for" -> parseFor();
            case "if" -> parseIf();
            case "block" -> parseBlock();
            case "extends", "include" -> parseOther();
            case "import" -> parseImport();
            case "from" -> parseFrom();
            case "print" -> parsePrint();
            case "macro" -> parseMacro();
            case "set" -> parseSet();
            case "with" -> parseWith();
            case "autoescape" -> parseAutoescape();
            case "call" -> parseCallBlock();
            case "filter" -> parseFilterBlock();
            default -> parseExtension(tag);
        };
        tags.pop();
        return statement;
    }

    private Stmt parseExtension(Token tag) {
        if (environment.chatTags()) {
            switch (tag.text()) {
                case "break" -> {
                    advance();
                    return new Node.Break(tag.start(), tag.end());
                }
                case "continue" -> {
                    advance();
                    return new Node.Continue(tag.start(), tag.end());
                }
                case "generation" -> {
                    advance();
                    return new Node.Generation(parseBody("endgeneration"), tag.start(), lastEnd);
                }
                default -> { }
            }
        }
        tags.pop();
        throw unknownTag(tag.text());
    }

    /// A block's statements, up to one of the tags that end it, which becomes the current token.
    private List<Stmt> parseStatements(String... ends) {
        skip(Type.COLON);
        expect(Type.BLOCK_END);
        List<String> wanted = List.of(ends);
        List<Stmt> body = subparse(wanted);
        if (current.is(Type.EOF)) throw endOfTemplate(wanted);
        return body;
    }

    private List<Stmt> parseBody(String end) {
        List<Stmt> body = parseStatements(end);
        advance();
        return body;
    }

    private Stmt parseSet() {
        int start = advance().start();
        Target target = parseTarget(true);
        if (skip(Type.ASSIGN)) {
            Expr value = parseTuple();
            return new Node.Assign(target, value, start, lastEnd);
        }
        Node.Filter filter = current.is(Type.PIPE) ? (Node.Filter) parseFilters(null) : null;
        int end = lastEnd;
        return new Node.AssignBlock(target, filter, parseBody("endset"), start, end);
    }

    private Stmt parseFor() {
        int start = advance().start();
        Target target = parseTarget(false);
        expectName("in");
        Expr iterable = parseTuple(false, false, false, false);
        Expr test = skipName("if") ? parseExpression() : null;
        boolean recursive = skipName("recursive");
        int end = lastEnd;
        List<Stmt> body = parseStatements("endfor", "else");
        List<Stmt> otherwise = advance().isName("endfor") ? List.of() : parseBody("endfor");
        return new Node.For(target, iterable, test, recursive, body, otherwise, start, end);
    }

    private Stmt parseIf() {
        int start = advance().start();
        Expr test = parseTuple(false, false, false, false);
        List<Stmt> body = parseStatements("elif", "else", "endif");
        List<Node.If> elifs = new ArrayList<>();
        List<Stmt> otherwise = List.of();
        while (true) {
            Token tag = advance();
            if (tag.isName("elif")) {
                Expr elifTest = parseTuple(false, false, false, false);
                List<Stmt> elifBody = parseStatements("elif", "else", "endif");
                elifs.add(new Node.If(elifTest, elifBody, List.of(), List.of(), tag.start(), elifTest.end()));
                continue;
            }
            if (tag.isName("else")) otherwise = parseBody("endif");
            return new Node.If(test, body, elifs, otherwise, start, test.end());
        }
    }

    private Stmt parseWith() {
        int start = advance().start();
        List<Target> targets = new ArrayList<>();
        List<Expr> values = new ArrayList<>();
        while (!current.is(Type.BLOCK_END)) {
            if (!targets.isEmpty()) expect(Type.COMMA);
            targets.add(parseTarget(false));
            expect(Type.ASSIGN);
            values.add(parseExpression());
        }
        int end = lastEnd;
        return new Node.With(targets, values, parseBody("endwith"), start, end);
    }

    private Stmt parseAutoescape() {
        int start = advance().start();
        Expr on = parseExpression();
        return new Node.Autoescape(on, parseBody("endautoescape"), start, on.end());
    }

    private Stmt parseBlock() {
        int start = advance().start();
        String name = expect(Type.NAME).text();
        boolean scoped = skipName("scoped");
        boolean required = skipName("required");
        int end = lastEnd;
        if (current.is(Type.SUB))
            throw fail("Block names in Jinja have to be valid Python identifiers and may not contain hyphens, use an underscore"
                    + " instead.", current);
        List<Stmt> body = parseBody("endblock");
        for (Stmt statement : body)
            if (required && !(statement instanceof Node.Data data && data.text().codePoints().allMatch(CodePoints::isSpace)))
                throw fail("Required blocks can only contain comments or whitespace", current);
        skipName(name);
        return new Node.Block(name, scoped, required, body, start, end);
    }

    private Stmt parseOther() {
        Token tag = advance();
        Expr template = parseExpression();
        if (tag.text().equals("include")) {
            if (current.isName("ignore") && look().isName("missing")) {
                advance();
                advance();
            }
            skipContext();
        }
        return new Node.OtherTemplate(tag.text(), template, List.of(), tag.start(), lastEnd);
    }

    private boolean skipContext() {
        if (!(current.isName("with") || current.isName("without")) || !look().isName("context")) return false;
        advance();
        advance();
        return true;
    }

    private Stmt parseImport() {
        int start = advance().start();
        Expr template = parseExpression();
        expectName("as");
        String name = parseName();
        skipContext();
        return new Node.OtherTemplate("import", template, List.of(name), start, lastEnd);
    }

    private Stmt parseFrom() {
        int start = advance().start();
        Expr template = parseExpression();
        expectName("import");
        List<String> names = new ArrayList<>();
        while (true) {
            if (!names.isEmpty()) expect(Type.COMMA);
            if (!current.is(Type.NAME)) expect(Type.NAME);
            if (skipContext()) break;
            Token token = current;
            String name = parseName();
            if (name.startsWith("_"))
                throw fail(Kind.ASSERTION, "names starting with an underline can not be imported", token.start(), token.end());
            names.add(skipName("as") ? parseName() : name);
            if (skipContext() || !current.is(Type.COMMA)) break;
        }
        return new Node.OtherTemplate("from", template, names, start, lastEnd);
    }

    private List<Node.Parameter> parseSignature() {
        List<Node.Parameter> parameters = new ArrayList<>();
        boolean defaults = false;
        expect(Type.LPAREN);
        while (!current.is(Type.RPAREN)) {
            if (!parameters.isEmpty()) expect(Type.COMMA);
            String name = parseName();
            Expr byDefault = null;
            if (skip(Type.ASSIGN)) {
                byDefault = parseExpression();
                defaults = true;
            } else if (defaults) {
                throw fail("non-default argument follows default argument", current);
            }
            parameters.add(new Node.Parameter(name, byDefault));
        }
        expect(Type.RPAREN);
        return parameters;
    }

    private Stmt parseCallBlock() {
        int start = advance().start();
        List<Node.Parameter> parameters = current.is(Type.LPAREN) ? parseSignature() : List.of();
        Expr call = parseExpression();
        if (!(call instanceof Node.Call node)) throw fail(Kind.SYNTAX, "expected call", start, call.end());
        return new Node.CallBlock(parameters, node, parseBody("endcall"), start, call.end());
    }

    private Stmt parseFilterBlock() {
        int start = advance().start();
        Expr filter = parseFilters(null, true);
        return new Node.FilterBlock((Node.Filter) filter, parseBody("endfilter"), start, filter.end());
    }

    private Stmt parseMacro() {
        int start = advance().start();
        String name = parseName();
        List<Node.Parameter> parameters = parseSignature();
        int end = lastEnd;
        return new Node.Macro(name, parameters, parseBody("endmacro"), start, end);
    }

    /// `{% print a, b %}` writes both: as a block that prints each.
    private Stmt parsePrint() {
        int start = advance().start();
        List<Expr> values = new ArrayList<>();
        while (!current.is(Type.BLOCK_END)) {
            if (!values.isEmpty()) expect(Type.COMMA);
            values.add(parseExpression());
        }
        if (values.isEmpty()) return null;
        Expr value = values.size() == 1 ? values.getFirst() : new Node.Concat(values, start, lastEnd);
        return new Node.Print(value, start, lastEnd);
    }

    private String parseName() {
        Token token = expect(Type.NAME);
        if (Set.of("true", "false", "none", "True", "False", "None").contains(token.text()))
            throw fail("can't assign to 'name'", token);
        return token.text();
    }

    private Target parseTarget(boolean withNamespace) {
        Expr expr = parseTuple(true, true, false, withNamespace);
        Target target = target(expr);
        if (target == null) {
            String kind = switch (expr) {
                case Node.Const _ -> "const";
                case Node.TupleOf _ -> "tuple";
                case Node.ListOf _ -> "list";
                case Node.DictOf _ -> "dict";
                default -> "expr";
            };
            throw fail(Kind.SYNTAX, "can't assign to '" + kind + "'", expr.start(), expr.end());
        }
        return target;
    }

    private static Target target(Expr expr) {
        return switch (expr) {
            case Node.Name n -> new Node.NameTarget(n.name(), n.start(), n.end());
            case Node.Attribute(Node.Name n, String name, int start, int end) ->
                    new Node.AttributeTarget(n.name(), name, start, end);
            case Node.TupleOf t -> {
                List<Target> items = new ArrayList<>();
                for (Expr item : t.items()) {
                    Target target = target(item);
                    if (target == null) yield null;
                    items.add(target);
                }
                yield new Node.TupleTarget(items, t.start(), t.end());
            }
            default -> null;
        };
    }

    // Expressions

    private Expr parseExpression() {
        return parseExpression(true);
    }

    private Expr parseExpression(boolean withConditional) {
        enter();
        Expr expr = withConditional ? parseConditional() : parseOr();
        nesting--;
        return expr;
    }

    private Expr parseConditional() {
        int start = current.start();
        Expr expr = parseOr();
        for (int n = 1; skipName("if"); n++) {
            link(n);
            Expr test = parseOr();
            Expr otherwise = null;
            if (skipName("else")) {
                enter();
                otherwise = parseConditional();
                nesting--;
            }
            expr = new Node.Conditional(test, expr, otherwise, start, lastEnd);
        }
        return expr;
    }

    private Expr parseOr() {
        int start = current.start();
        Expr left = parseAnd();
        for (int n = 1; skipName("or"); n++) {
            link(n);
            left = new Node.Or(left, parseAnd(), start, lastEnd);
        }
        return left;
    }

    private Expr parseAnd() {
        int start = current.start();
        Expr left = parseNot();
        for (int n = 1; skipName("and"); n++) {
            link(n);
            left = new Node.And(left, parseNot(), start, lastEnd);
        }
        return left;
    }

    private Expr parseNot() {
        if (!current.isName("not")) return parseCompare();
        int start = advance().start();
        enter();
        Expr operand = parseNot();
        nesting--;
        return new Node.Not(operand, start, lastEnd);
    }

    private Expr parseCompare() {
        int start = current.start();
        Expr first = parseSum();
        List<Node.Operand> operands = new ArrayList<>();
        while (true) {
            String operator = switch (current.type()) {
                case EQ, NE, LT, LTEQ, GT, GTEQ -> current.type().description();
                default -> current.isName("in") ? "in" : current.isName("not") && look().isName("in") ? "not in" : null;
            };
            if (operator == null) break;
            advance();
            if (operator.equals("not in")) advance();
            operands.add(new Node.Operand(operator, parseSum()));
        }
        return operands.isEmpty() ? first : new Node.Compare(first, operands, start, lastEnd);
    }

    private Expr parseSum() {
        int start = current.start();
        Expr left = parseConcat();
        for (int n = 1; current.is(Type.ADD) || current.is(Type.SUB); n++) {
            link(n);
            String operator = advance().type().description();
            left = new Node.Binary(operator, left, parseConcat(), start, lastEnd);
        }
        return left;
    }

    private Expr parseConcat() {
        int start = current.start();
        List<Expr> parts = new ArrayList<>();
        parts.add(parseProduct());
        while (skip(Type.TILDE)) parts.add(parseProduct());
        return parts.size() == 1 ? parts.getFirst() : new Node.Concat(parts, start, lastEnd);
    }

    private Expr parseProduct() {
        int start = current.start();
        Expr left = parsePower();
        for (int n = 1; current.is(Type.MUL) || current.is(Type.DIV) || current.is(Type.FLOORDIV) || current.is(Type.MOD); n++) {
            link(n);
            String operator = advance().type().description();
            left = new Node.Binary(operator, left, parsePower(), start, lastEnd);
        }
        return left;
    }

    private Expr parsePower() {
        int start = current.start();
        Expr left = parseUnary(true);
        for (int n = 1; skip(Type.POW); n++) {
            link(n);
            left = new Node.Binary("**", left, parseUnary(true), start, lastEnd);
        }
        return left;
    }

    private Expr parseUnary(boolean withFilter) {
        int start = current.start();
        Expr expr;
        if (current.is(Type.SUB) || current.is(Type.ADD)) {
            String operator = advance().type().description();
            enter();
            expr = new Node.Sign(operator, parseUnary(false), start, lastEnd);
            nesting--;
        } else {
            expr = parsePrimary(false);
        }
        expr = parsePostfix(expr);
        return withFilter ? parseFilterExpression(expr) : expr;
    }

    private Expr parsePrimary(boolean withNamespace) {
        Token token = current;
        switch (token.type()) {
            case NAME -> {
                advance();
                switch (token.text()) {
                    case "true", "True" -> {
                        return new Node.Const(Value.TRUE, token.start(), token.end());
                    }
                    case "false", "False" -> {
                        return new Node.Const(Value.FALSE, token.start(), token.end());
                    }
                    case "none", "None" -> {
                        return new Node.Const(Value.NONE, token.start(), token.end());
                    }
                    default -> { }
                }
                Expr name = new Node.Name(token.text(), token.start(), token.end());
                if (!withNamespace || !skip(Type.DOT)) return name;
                return new Node.Attribute(name, expect(Type.NAME).text(), token.start(), lastEnd);
            }
            case STRING -> {
                StringBuilder text = new StringBuilder();
                while (current.is(Type.STRING)) text.append(advance().text());
                return new Node.Const(Value.of(text.toString()), token.start(), lastEnd);
            }
            case INTEGER, FLOAT -> {
                advance();
                return new Node.Const(token.value(), token.start(), token.end());
            }
            case LPAREN -> {
                advance();
                Expr tuple = parseTuple(false, true, true, false);
                expect(Type.RPAREN);
                return tuple;
            }
            case LBRACKET -> {
                return parseList();
            }
            case LBRACE -> {
                return parseDict();
            }
            default -> throw fail("unexpected " + Python.quote(token.description()), token);
        }
    }

    private Expr parseTuple() {
        return parseTuple(false, true, false, false);
    }

    /// Expressions with commas between them, or one expression.
    ///
    /// @param simple        names and literals only, as in a target
    /// @param explicit      in parentheses, where it may be empty
    /// @param withNamespace a name may have an attribute, as in `set ns.a`
    private Expr parseTuple(boolean simple, boolean withConditional, boolean explicit, boolean withNamespace) {
        int start = current.start();
        List<Expr> items = new ArrayList<>();
        boolean tuple = false;
        if (simple) enter();
        while (true) {
            if (!items.isEmpty()) expect(Type.COMMA);
            if (current.is(Type.VARIABLE_END) || current.is(Type.BLOCK_END) || current.is(Type.RPAREN)) break;
            items.add(simple ? parsePrimary(withNamespace) : parseExpression(withConditional));
            if (!current.is(Type.COMMA)) break;
            tuple = true;
        }
        if (simple) nesting--;
        if (!tuple) {
            if (!items.isEmpty()) return items.getFirst();
            if (!explicit) throw fail("Expected an expression, got " + Python.quote(current.description()), current);
        }
        return new Node.TupleOf(items, start, lastEnd);
    }

    private Expr parseList() {
        int start = expect(Type.LBRACKET).start();
        List<Expr> items = new ArrayList<>();
        while (!current.is(Type.RBRACKET)) {
            if (!items.isEmpty()) expect(Type.COMMA);
            if (current.is(Type.RBRACKET)) break;
            items.add(parseExpression());
        }
        expect(Type.RBRACKET);
        return new Node.ListOf(items, start, lastEnd);
    }

    private Expr parseDict() {
        int start = expect(Type.LBRACE).start();
        List<Node.Pair> items = new ArrayList<>();
        while (!current.is(Type.RBRACE)) {
            if (!items.isEmpty()) expect(Type.COMMA);
            if (current.is(Type.RBRACE)) break;
            Expr key = parseExpression();
            expect(Type.COLON);
            items.add(new Node.Pair(key, parseExpression()));
        }
        expect(Type.RBRACE);
        return new Node.DictOf(items, start, lastEnd);
    }

    private Expr parsePostfix(Expr first) {
        Expr expr = first;
        for (int n = 1; ; n++) {
            link(n);
            if (current.is(Type.DOT) || current.is(Type.LBRACKET)) expr = parseSubscript(expr);
            else if (current.is(Type.LPAREN)) expr = parseCall(expr);
            else return expr;
        }
    }

    private Expr parseFilterExpression(Expr first) {
        Expr expr = first;
        for (int n = 1; ; n++) {
            link(n);
            if (current.is(Type.PIPE)) expr = parseFilters(expr);
            else if (current.isName("is")) expr = parseTest(expr);
            else if (current.is(Type.LPAREN)) expr = parseCall(expr);
            else return expr;
        }
    }

    private Expr parseSubscript(Expr of) {
        if (skip(Type.DOT)) {
            Token name = advance();
            if (name.is(Type.NAME)) return new Node.Attribute(of, name.text(), of.start(), name.end());
            if (!name.is(Type.INTEGER)) throw fail("expected name or number", name);
            return new Node.Item(of, new Node.Const(name.value(), name.start(), name.end()), of.start(), name.end());
        }
        int start = expect(Type.LBRACKET).start();
        List<Expr> keys = new ArrayList<>();
        while (!current.is(Type.RBRACKET)) {
            if (!keys.isEmpty()) expect(Type.COMMA);
            keys.add(parseSubscribed());
        }
        expect(Type.RBRACKET);
        Expr key = keys.size() == 1 ? keys.getFirst() : new Node.TupleOf(keys, start, lastEnd);
        if (keys.size() != 1 && keys.stream().anyMatch(k -> k instanceof Node.Slice))
            throw fail(Kind.PYTHON_SYNTAX, "invalid syntax", start, lastEnd);
        return new Node.Item(of, key, of.start(), lastEnd);
    }

    private Expr parseSubscribed() {
        int start = current.start();
        Expr from = null;
        if (!current.is(Type.COLON)) {
            from = parseExpression();
            if (!current.is(Type.COLON)) return from;
        }
        advance();
        Expr to = endsSlice() ? null : parseExpression();
        Expr step = null;
        if (skip(Type.COLON) && !endsSlice()) step = parseExpression();
        return new Node.Slice(from, to, step, start, lastEnd);
    }

    private boolean endsSlice() {
        return current.is(Type.COLON) || current.is(Type.RBRACKET) || current.is(Type.COMMA);
    }

    private Arguments parseArguments() {
        Token open = expect(Type.LPAREN);
        List<Expr> positional = new ArrayList<>();
        List<Node.Keyword> named = new ArrayList<>();
        Expr rest = null;
        Expr namedRest = null;
        boolean comma = false;
        TemplateError invalid = fail("invalid syntax for function call expression", open);
        while (!current.is(Type.RPAREN)) {
            if (comma) {
                expect(Type.COMMA);
                if (current.is(Type.RPAREN)) break;
            }
            if (current.is(Type.MUL)) {
                if (rest != null || namedRest != null) throw invalid;
                advance();
                rest = parseExpression();
            } else if (current.is(Type.POW)) {
                if (namedRest != null) throw invalid;
                advance();
                namedRest = parseExpression();
            } else if (current.is(Type.NAME) && look().is(Type.ASSIGN)) {
                if (namedRest != null) throw invalid;
                String name = advance().text();
                advance();
                named.add(new Node.Keyword(name, parseExpression()));
            } else {
                if (rest != null || namedRest != null || !named.isEmpty()) throw invalid;
                positional.add(parseExpression());
            }
            comma = true;
        }
        expect(Type.RPAREN);
        return new Arguments(positional, named, rest, namedRest);
    }

    private Expr parseCall(Expr function) {
        Arguments arguments = parseArguments();
        Set<String> names = new HashSet<>();
        for (Node.Keyword keyword : arguments.named())
            if (!names.add(keyword.name()))
                throw fail(Kind.PYTHON_SYNTAX, "keyword argument repeated: " + keyword.name(), function.start(), lastEnd);
        return new Node.Call(function, arguments, function.start(), lastEnd);
    }

    private Expr parseFilters(Expr of) {
        return parseFilters(of, false);
    }

    /// One filter or several in a row.
    ///
    /// @param inline whether the first comes without a bar, as in a filter block
    private Expr parseFilters(Expr of, boolean inline) {
        Expr expr = of;
        int start = of == null ? current.start() : of.start();
        for (int n = 1; inline && n == 1 || current.is(Type.PIPE); n++) {
            link(n);
            if (!inline || n > 1) advance();
            String name = dottedName();
            Arguments arguments = current.is(Type.LPAREN) ? parseArguments() : Arguments.NONE;
            expr = new Node.Filter(expr, name, arguments, start, lastEnd);
        }
        return expr;
    }

    private String dottedName() {
        StringBuilder name = new StringBuilder(expect(Type.NAME).text());
        while (skip(Type.DOT)) name.append('.').append(expect(Type.NAME).text());
        return name.toString();
    }

    private Expr parseTest(Expr of) {
        advance();
        boolean negated = skipName("not");
        String name = dottedName();
        Arguments arguments = Arguments.NONE;
        if (current.is(Type.LPAREN)) {
            arguments = parseArguments();
        } else if (startsArgument()) {
            if (current.isName("is")) throw fail("You cannot chain multiple tests with is", current);
            enter();
            Expr argument = parsePostfix(parsePrimary(false));
            nesting--;
            arguments = new Arguments(List.of(argument), List.of(), null, null);
        }
        Expr test = new Node.Test(of, name, arguments, of.start(), lastEnd);
        return negated ? new Node.Not(test, of.start(), lastEnd) : test;
    }

    private boolean startsArgument() {
        return switch (current.type()) {
            case NAME -> !current.isName("else") && !current.isName("or") && !current.isName("and");
            case STRING, INTEGER, FLOAT, LBRACKET, LBRACE -> true;
            default -> false;
        };
    }
}
