package fewsh.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// `textwrap.wrap` of one paragraph, tabs and white space left as they are.
///
/// Source: CPython's `textwrap.py`.
record Wrap(Run run, int width, boolean breakLongWords, boolean breakOnHyphens) {
    // Words, dashes between words, hyphenated words cut after their hyphens, and the white space between them.
    private static final String SPACE = "[\\t\\n\\u000b\\f\\r ]";
    private static final String NO_SPACE = "[^\\t\\n\\u000b\\f\\r ]";
    private static final String WORD = "[\\w!\"'&.,?]";
    private static final String LETTER = "[^\\d\\W]";
    private static final Pattern CHUNK = Pattern.compile("(" + SPACE + "+|(?<=" + WORD + ")-{2,}(?=\\w)|" + NO_SPACE + "+?(?:"
            + "-(?:(?<=" + LETTER + "{2}-)|(?<=" + LETTER + "-" + LETTER + "-))(?=" + LETTER + "-?" + LETTER + ")"
            + "|(?=" + SPACE + "|\\z)|(?<=" + WORD + ")(?=-{2,}\\w)))", Pattern.UNICODE_CHARACTER_CLASS);
    private static final Pattern SIMPLE = Pattern.compile(SPACE + "+|" + NO_SPACE + "+");

    List<String> lines(String text) {
        if (width <= 0) throw TemplateError.value("invalid width " + width + " (must be > 0)");
        List<String> chunks = new ArrayList<>();
        Matcher matcher = (breakOnHyphens ? CHUNK : SIMPLE).matcher(new Regex.Counted(run, text));
        while (matcher.find()) if (!matcher.group().isEmpty()) chunks.add(matcher.group());
        List<String> left = new ArrayList<>(chunks.reversed());
        List<String> lines = new ArrayList<>();
        while (!left.isEmpty()) {
            List<String> line = new ArrayList<>();
            int length = 0;
            if (!lines.isEmpty() && isBlank(left.getLast())) left.removeLast();
            while (!left.isEmpty() && length + CodePoints.length(left.getLast()) <= width) {
                length += CodePoints.length(left.getLast());
                line.add(left.removeLast());
            }
            if (!left.isEmpty() && CodePoints.length(left.getLast()) > width) longWord(left, line, length);
            if (!line.isEmpty() && isBlank(line.getLast())) line.removeLast();
            if (!line.isEmpty()) lines.add(String.join("", line));
        }
        return lines;
    }

    private static boolean isBlank(String chunk) {
        return Strings.strip(chunk, null, true, true).isEmpty();
    }

    private void longWord(List<String> left, List<String> line, int length) {
        int space = width - length;
        if (breakLongWords) {
            String chunk = left.removeLast();
            int end = space;
            if (breakOnHyphens && CodePoints.length(chunk) > space) {
                String head = CodePoints.sub(chunk, 0, space);
                int hyphen = head.lastIndexOf('-');
                if (hyphen > 0 && head.substring(0, hyphen).chars().anyMatch(c -> c != '-'))
                    end = CodePoints.length(head.substring(0, hyphen + 1));
            }
            line.add(CodePoints.sub(chunk, 0, end));
            left.add(CodePoints.sub(chunk, end, CodePoints.length(chunk)));
        } else if (line.isEmpty()) {
            line.add(left.removeLast());
        }
    }
}
