package fewsh.jinja;

/// A template that cannot be parsed or rendered: what Python's jinja2 would have raised, and where in the template.
///
/// `getMessage()` is Python's message alone. Line and column count from 1; the column counts code points. Errors of filters
/// that run late (`map`, `select`) are placed where their result is used, since that is where they happen.
public final class TemplateError extends RuntimeException {
    private static final long serialVersionUID = 1;
    private static final int LONGEST_PIECE = 60;

    /// The class of the exception, by the name it has in Python.
    public enum Kind {
        TEMPLATE("TemplateError"), SYNTAX("TemplateSyntaxError"), ASSERTION("TemplateAssertionError"),
        RUNTIME("TemplateRuntimeError"), UNDEFINED("UndefinedError"), SECURITY("SecurityError"),
        FILTER_ARGUMENT("FilterArgumentError"), PYTHON_SYNTAX("SyntaxError"), TYPE("TypeError"), VALUE("ValueError"),
        KEY("KeyError"), INDEX("IndexError"), ATTRIBUTE("AttributeError"), ZERO_DIVISION("ZeroDivisionError"),
        OVERFLOW("OverflowError"), ASSERT("AssertionError"), PYTHON_RUNTIME("RuntimeError"), RECURSION("RecursionError"),
        LOOKUP("LookupError"), REGEX("error"),
        /// More steps or more text than [Limits] allow; Python has no such limits.
        LIMIT("TemplateLimitError");

        private final String pythonName;

        Kind(String pythonName) {
            this.pythonName = pythonName;
        }

        public String pythonName() {
            return pythonName;
        }
    }

    private final Kind kind;
    private int line;
    private int column;
    private String piece = "";

    TemplateError(Kind kind, String message) {
        super(message);
        this.kind = kind;
    }

    public Kind kind() {
        return kind;
    }

    /// The line of the innermost expression or statement that failed, 0 if it has no place in the template.
    public int line() {
        return line;
    }

    public int column() {
        return column;
    }

    /// The text of that expression or statement, its first line, shortened.
    public String piece() {
        return piece;
    }

    /// As `UndefinedError: 'x' is undefined (line 3, column 8: "x.y")`.
    @Override
    public String toString() {
        String shown = piece.isEmpty() ? "" : ": \"" + piece + "\"";
        String place = line == 0 ? "" : " (line " + line + ", column " + column + shown + ")";
        return kind.pythonName() + ": " + getMessage() + place;
    }

    /// Remembers the place, unless an inner expression has claimed the error already.
    TemplateError at(String source, int start, int end) {
        if (line > 0) return this;
        int lineStart = source.lastIndexOf('\n', Math.max(0, start - 1)) + 1;
        if (start == 0) lineStart = 0;
        line = 1 + (int) source.substring(0, start).chars().filter(c -> c == '\n').count();
        column = 1 + source.codePointCount(lineStart, start);
        String text = source.substring(start, Math.max(start, end));
        int newline = text.indexOf('\n');
        if (newline >= 0) text = text.substring(0, newline) + " …";
        if (text.codePointCount(0, text.length()) > LONGEST_PIECE)
            text = text.substring(0, text.offsetByCodePoints(0, LONGEST_PIECE)) + " …";
        piece = text;
        return this;
    }

    static TemplateError type(String message) {
        return new TemplateError(Kind.TYPE, message);
    }

    static TemplateError value(String message) {
        return new TemplateError(Kind.VALUE, message);
    }

    /// AttributeError, as a filter gives it that calls a method its argument does not have.
    static TemplateError lacks(Value value, String method) {
        return new TemplateError(Kind.ATTRIBUTE, "'" + Python.typeName(value) + "' object has no attribute '" + method + "'");
    }

    static TemplateError limit(String message) {
        return new TemplateError(Kind.LIMIT, message);
    }

    static TemplateError recursion() {
        return new TemplateError(Kind.RECURSION, "maximum recursion depth exceeded");
    }
}
