package fewsh.shell;

import java.util.Optional;
import java.util.function.Predicate;
import java.util.function.Supplier;

/// What a person types at one prompt, perhaps over several lines: `"""` opens and closes a block, `\` at a line's end
/// continues the line; the lines stay apart. A `/` in front makes it a command, unless a block begins with it.
///
/// @param text without the marks of blocks and continued lines
/// @param command whether it is one; `text` then begins with `/`
/// @param line of the script it begins at, from 1; 0 when typed
record Entry(String text, boolean command, int line) {
    private static final String BLOCK = "\"\"\"";

    /// Whether nothing more has to follow what was typed.
    static boolean isWhole(String typed) {
        boolean block = false;
        for (int i = typed.indexOf(BLOCK); i >= 0; i = typed.indexOf(BLOCK, i + BLOCK.length())) block = !block;
        return !block && !typed.endsWith("\\");
    }

    static Entry of(String typed) {
        return new Entry(text(typed), typed.stripLeading().startsWith("/"), 0);
    }

    /// What to type so that `text` is a prompt, as it is; empty if nothing would do.
    static Optional<String> typed(String text) {
        for (String typed : new String[] {text, BLOCK + "\n" + text + "\n" + BLOCK})
            if (isWhole(typed) && of(typed).equals(new Entry(text, false, 0))) return Optional.of(typed);
        return Optional.empty();
    }

    /// The next entry of a script; empty at its end. Blank lines between entries and a first line `#!…` are left out.
    ///
    /// @param lines gives null at the end
    /// @param whole whether nothing more has to follow
    static Optional<Entry> next(Lines lines, Predicate<String> whole) {
        StringBuilder typed = new StringBuilder();
        int start = 0;
        for (String line = lines.next(); line != null; line = lines.next()) {
            if (typed.isEmpty() && (line.isBlank() || lines.number() == 1 && line.startsWith("#!"))) continue;
            if (typed.isEmpty()) start = lines.number();
            typed.append(typed.isEmpty() ? "" : "\n").append(line);
            if (whole.test(typed.toString())) break;
        }
        if (typed.isEmpty()) return Optional.empty();
        Entry entry = of(typed.toString());
        return Optional.of(new Entry(entry.text, entry.command, start));
    }

    /// Lines of a script, counted.
    static final class Lines {
        private final Supplier<String> source;
        private int number;

        Lines(Supplier<String> source) {
            this.source = source;
        }

        String next() {
            String line = source.get();
            if (line != null) number++;
            return line;
        }

        int number() {
            return number;
        }
    }

    private static String text(String typed) {
        StringBuilder text = new StringBuilder();
        boolean block = false;
        int from = 0;
        for (int i = typed.indexOf(BLOCK); i >= 0; i = typed.indexOf(BLOCK, from)) {
            append(text, typed.substring(from, i), block);
            block = !block;
            from = i + BLOCK.length();
            if (block && from < typed.length() && typed.charAt(from) == '\n') from++;
        }
        append(text, typed.substring(from), block);
        return text.toString();
    }

    private static void append(StringBuilder text, String part, boolean block) {
        if (block) text.append(part.endsWith("\n") ? part.substring(0, part.length() - 1) : part);
        else text.append(part.replace("\\\n", "\n").replaceFirst("\\\\$", ""));
    }
}
