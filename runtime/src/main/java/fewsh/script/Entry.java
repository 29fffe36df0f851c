package fewsh.script;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.graalvm.polyglot.Context;
import org.graalvm.polyglot.PolyglotException;
import org.graalvm.polyglot.Source;

/// What is evaluated, and how it was dressed for that.
///
/// @param name of the place it came from, for messages
/// @param text as a person wrote it
/// @param source what runs: the text, perhaps between two lines
/// @param shift lines of `source` before the text begins
/// @param awaits whether its value is the promise of the text's value
record Entry(String name, String text, Source source, int shift, boolean awaits) {
    private static final Pattern DECLARATION = Pattern.compile("\\s*(const|let)(?=\\s)");

    /// A file, as an ES module: it may `import` and `await`.
    static Entry module(String name, String text) {
        return new Entry(name, text, source(name, text, "application/javascript+module"), 0, false);
    }

    /// Whether it is a file's text, whose lines are worth naming.
    boolean isFile() {
        return name.endsWith(".js");
    }

    /// What was typed at the shell. A `{` may begin an object, an `await` needs no function around it, and the first
    /// declaration may be given again.
    ///
    /// @throws PolyglotException for a syntax error, of the text as it is
    static Entry typed(Context context, String text) {
        Matcher declaration = DECLARATION.matcher(text);
        String code = declaration.lookingAt() ? new StringBuilder(text).replace(declaration.start(1), declaration.end(1),
                declaration.group(1).equals("const") ? "  var" : "var").toString() : text;
        if (text.strip().startsWith("{")) {
            Entry object = script(text, "(\n" + text + "\n)", 1, false);
            if (object.parses(context)) return object;
        }
        Entry plain = script(text, code, 0, false);
        boolean awaits = text.contains("await");
        if ((!awaits || awaitsInsideOnly(context, text)) && plain.parses(context)) return plain;
        if (awaits) {
            context.parse(module("js", text).source());                       // says what is wrong, if more than the await is
            for (String[] around : new String[][] {{"(async () => (\n", "\n))()"}, {"(async () => {\n", "\n})()"}}) {
                Entry entry = script(text, around[0] + text + around[1], 1, true);
                if (entry.parses(context)) return entry;
            }
        }
        context.parse(plain.source());                                        // throws
        return plain;
    }

    /// Whether every `await` is in a function of its own: outside of one a script takes it for a name, a static block refuses it.
    private static boolean awaitsInsideOnly(Context context, String text) {
        return script(text, "class Block { static {\n" + text + "\n} }", 1, false).parses(context);
    }

    /// Whether `text` is the beginning of something.
    static boolean isIncomplete(Context context, String text) {
        try {
            typed(context, text);
            return false;
        } catch (PolyglotException e) {
            if (!e.isSyntaxError()) throw e;
            return e.isIncompleteSource() || isOpen(context, text, "`") || isOpen(context, text, "*/");
        }
    }

    /// Whether `end` is all that is missing, or lets `text` go on.
    private static boolean isOpen(Context context, String text, String end) {
        if (!text.contains(end.equals("`") ? end : "/*")) return false;
        try {
            context.parse(module("js", text + end).source());
            return true;
        } catch (PolyglotException e) {
            if (!e.isSyntaxError()) throw e;
            return e.isIncompleteSource();
        }
    }

    private static Entry script(String text, String code, int shift, boolean awaits) {
        return new Entry("js", text, source("js", code, "application/javascript"), shift, awaits);
    }

    private static Source source(String name, String code, String type) {
        return Source.newBuilder("js", code, name).mimeType(type).buildLiteral();
    }

    private boolean parses(Context context) {
        try {
            context.parse(source);
            return true;
        } catch (PolyglotException e) {
            if (e.isSyntaxError()) return false;
            throw e;
        }
    }
}
