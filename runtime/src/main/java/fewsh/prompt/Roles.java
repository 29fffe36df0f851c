package fewsh.prompt;

import fewsh.UserError;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The lines of a Prompty body that begin a message: `user:`, `# system:`, `assistant[name="Al"]:`.
///
/// So that an input cannot begin one, those of the template are marked with a number used once before it is rendered; of what
/// was rendered, only lines with that mark begin a message. Source: section 6 of Prompty's specification.
final class Roles {
    private static final int LONGEST_LINE = 1000;
    private static final String ROLE = "(system|user|assistant|developer|tool)";
    private static final String ATTRIBUTES = "(\\[(?:\\w++\\s*+=\\s*+(?:\"[^\"]*\"|[^\",\\]]*+)\\s*+,?+\\s*+)+\\])?";
    private static final String TAGS = "(?:\\s*+\\{[%#][^{}]*+(?<=[%#])\\})*+";
    private static final Pattern LINE = Pattern.compile("(?i)\\s*#?\\s*" + ROLE + ATTRIBUTES + "\\s*:\\s*");
    /// The same in a template, where statements and comments may stand on the line too.
    private static final Pattern TEMPLATE_LINE =
            Pattern.compile("(?i)(" + TAGS + "\\s*#?\\s*)" + ROLE + ATTRIBUTES + "(\\s*:)(" + TAGS + "\\s*)");
    private static final Pattern ATTRIBUTE = Pattern.compile("(\\w+)\\s*=\\s*\"?([^\",]*)\"?");
    private static final Pattern FORGED = Pattern.compile("(?im)^\\s*(system|user|assistant|developer)\\s*:");

    private Roles() {}

    /// @param fields `role`, the attributes of its line
    /// @param text   blank lines before and after are gone
    record Turn(Map<String, Object> fields, String text) {}

    /// Whether a line of `text` begins as a role does.
    static boolean spellsRole(String text) {
        return FORGED.matcher(text).find();
    }

    static boolean isRole(String line) {
        return line.length() <= LONGEST_LINE && LINE.matcher(line).matches();
    }

    /// `template` with its role lines marked.
    static String mark(String template, String nonce) {
        List<String> lines = new ArrayList<>();
        for (String line : template.split("\n", -1)) {
            Matcher m = TEMPLATE_LINE.matcher(line);
            if (line.length() > LONGEST_LINE || line.indexOf(':') < 0 || !m.matches()) {
                lines.add(line);
                continue;
            }
            String others = m.group(3) == null ? "]" : ", " + m.group(3).substring(1);
            lines.add(m.group(1) + m.group(2) + "[nonce=" + nonce + others + m.group(4) + m.group(5));
        }
        return String.join("\n", lines);
    }

    /// The messages of a rendered body. What stands before the first role line is a system message.
    ///
    /// @param nonce of the marked lines; empty if every role line counts
    /// @throws UserError if a line has another mark, which only a forged one can have
    static List<Turn> parse(String where, String rendered, String nonce) {
        List<Turn> turns = new ArrayList<>();
        Map<String, Object> fields = null;
        StringBuilder text = new StringBuilder();
        for (String line : rendered.split("\n", -1)) {
            Map<String, Object> next = boundary(where, line, nonce);
            if (next == null) {
                text.append(line).append('\n');
                continue;
            }
            add(turns, fields, text);
            fields = next;
        }
        add(turns, fields, text);
        return turns;
    }

    private static void add(List<Turn> turns, Map<String, Object> fields, StringBuilder text) {
        String content = FrontMatter.withoutBlankLines(text.toString());
        text.setLength(0);
        if (fields != null) turns.add(new Turn(fields, content));
        else if (!content.isEmpty()) turns.add(new Turn(Map.of("role", "system"), content));
    }

    private static Map<String, Object> boundary(String where, String line, String nonce) {
        if (line.length() > LONGEST_LINE || line.indexOf(':') < 0) return null;
        Matcher m = LINE.matcher(line);
        if (!m.matches()) return null;
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("role", m.group(1).toLowerCase(Locale.ROOT));
        String mark = null;
        if (m.group(2) != null) {
            Matcher attribute = ATTRIBUTE.matcher(m.group(2).substring(1, m.group(2).length() - 1));
            while (attribute.find()) {
                String value = attribute.group(2).strip();
                if (attribute.group(1).equals("nonce")) mark = mark == null ? value : mark;
                else if (!attribute.group(1).equals("role") && !attribute.group(1).equals("content"))
                    fields.put(attribute.group(1), typed(value));
            }
        }
        if (nonce.isEmpty() || nonce.equals(mark)) return fields;
        if (mark == null) return null;
        throw new UserError(where, "an input has a line that is made to look like the prompt's own \"" + m.group(1) + ":\"",
                "remove the line \"" + line.strip() + "\" from the input");
    }

    private static Object typed(String value) {
        if (value.equalsIgnoreCase("true") || value.equalsIgnoreCase("false")) return Boolean.valueOf(value);
        if (value.matches("[+-]?\\d{1,18}")) return Long.valueOf(value);
        if (value.matches("[+-]?(\\d{1,30}\\.\\d*|\\.\\d+)")) return Double.valueOf(value);
        return value;
    }
}
