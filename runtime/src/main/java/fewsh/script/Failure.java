package fewsh.script;

import fewsh.UserError;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.graalvm.polyglot.PolyglotException;
import org.graalvm.polyglot.SourceSection;

/// What went wrong in a script, as a person is told: place, message, and a caret under the offending piece of the line.
final class Failure {
    private static final int WIDEST = 160;
    private static final Pattern UNDEFINED = Pattern.compile("ReferenceError: (\\S+) is not defined.*");
    private static final Pattern SYNTAX = Pattern.compile("(SyntaxError: )(?:\\S+:\\d+:\\d+ )?(.*)");
    /// What people know from elsewhere, and what there is instead.
    private static final Map<String, String> ELSEWHERE = Map.of(
            "console", "print(value) shows a line",
            "require", "import {…} from \"./file.js\" in a script file",
            "fetch", "a script has no network: readText, readJsonl and readCsv read the files of its folder",
            "XMLHttpRequest", "a script has no network: readText, readJsonl and readCsv read the files of its folder",
            "process", "the arguments are in args; there is no environment",
            "setTimeout", "nothing waits in a script: calls answer when they are done",
            "setInterval", "nothing waits in a script: calls answer when they are done",
            "Java", "scripts have no Java");

    private Failure() {}

    /// @param e thrown by the script itself
    static UserError of(PolyglotException e, Guest guest, Entry entry) {
        Object thrown = guest.thrown(e.getGuestObject());
        if (thrown instanceof UserError known) return entry.isFile() ? placed(known, place(e)) : known;
        String message = thrown instanceof String said ? said : String.valueOf(e.getMessage()).lines().findFirst().orElse("");
        Matcher syntax = SYNTAX.matcher(message);
        if (syntax.matches()) message = syntax.group(1) + syntax.group(2);
        SourceSection place = place(e);
        String fix = fix(message, guest);
        if (place == null) return new UserError(entry.name(), message, fix, e);
        boolean own = entry.source() == null || place.getSource().equals(entry.source());
        String name = own ? entry.name() : place.getSource().getName().replaceFirst("^(\\./)+", "");
        int number = place.getStartLine() - (own ? entry.shift() : 0);
        List<String> lines = (own ? entry.text() : place.getSource().getCharacters().toString()).lines().toList();
        int column = place.getStartColumn();
        if (number > lines.size() && !lines.isEmpty()) {
            number = lines.size();
            column = lines.getLast().length() + 1;
        }
        String where = name + ":" + number + ":" + column;
        return new UserError(where, number < 1 || number > lines.size() ? message
                : message + "\n" + excerpt(lines.get(number - 1), column), fix, e);
    }

    /// An error of a word, with where the script says the word.
    private static UserError placed(UserError known, SourceSection place) {
        if (place == null) return known;
        String at = place.getSource().getName().replaceFirst("^(\\./)+", "") + ":" + place.getStartLine();
        return new UserError(known.where().isEmpty() ? at : at + ": " + known.where(), known.what(), known.fix(), known);
    }

    /// Where the script was: the topmost frame that is not the prelude's.
    private static SourceSection place(PolyglotException e) {
        SourceSection at = e.getSourceLocation();
        if (at != null && at.isAvailable() && !at.getSource().isInternal()) return at;
        for (PolyglotException.StackFrame frame : e.getPolyglotStackTrace()) {
            SourceSection section = frame.getSourceLocation();
            if (frame.isGuestFrame() && section != null && section.isAvailable()
                    && !section.getSource().isInternal()) return section;
        }
        return null;
    }

    private static String fix(String message, Guest guest) {
        Matcher undefined = UNDEFINED.matcher(message);
        if (!undefined.matches()) return "";
        String name = undefined.group(1);
        return ELSEWHERE.getOrDefault(name, UserError.near(name, guest.words().keySet(), ""));
    }

    /// The line and a caret under its `column`, from 1; as much as fits of a long line.
    static String excerpt(String line, int column) {
        int at = Math.min(Math.max(0, column - 1), line.length());
        int from = Math.max(0, Math.min(at - WIDEST / 2, line.length() - WIDEST));
        String shown = line.substring(from, Math.min(line.length(), from + WIDEST));
        StringBuilder space = new StringBuilder();
        line.substring(from, at).codePoints().forEach(c -> space.append(c == '\t' ? "\t" : " ".repeat(Width.of(c))));
        return "    " + shown + "\n    " + space + "^";
    }
}
