package fewsh.jinja;

/// A piece of a template: literal text, a tag's bracket, or a word inside a tag.
///
/// @param text   as the parser needs it: newlines normalised, strings unescaped
/// @param value  of a number or string, null otherwise
/// @param start  offset of its first character in the normalised source, `end` after its last
record Token(Type type, String text, Value value, int start, int end) {
    enum Type {
        DATA("template data / text"), BLOCK_BEGIN("begin of statement block"), BLOCK_END("end of statement block"),
        VARIABLE_BEGIN("begin of print statement"), VARIABLE_END("end of print statement"), EOF("end of template"),
        NAME("name"), STRING("string"), INTEGER("integer"), FLOAT("float"),
        ADD("+"), SUB("-"), DIV("/"), FLOORDIV("//"), MUL("*"), MOD("%"), POW("**"), TILDE("~"), LBRACKET("["), RBRACKET("]"),
        LPAREN("("), RPAREN(")"), LBRACE("{"), RBRACE("}"), EQ("=="), NE("!="), GT(">"), GTEQ(">="), LT("<"), LTEQ("<="),
        ASSIGN("="), DOT("."), COLON(":"), PIPE("|"), COMMA(","), SEMICOLON(";");

        private final String description;

        Type(String description) {
            this.description = description;
        }

        String description() {
            return description;
        }
    }

    boolean is(Type wanted) {
        return type == wanted;
    }

    boolean isName(String name) {
        return type == Type.NAME && text.equals(name);
    }

    String description() {
        return type == Type.NAME ? text : type.description();
    }
}
