package fewsh.prompt;

import fewsh.UserError;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/// A prompt file's YAML keys, and the text below them.
///
/// @param where    the file, for messages
/// @param present  whether the file has front matter at all
/// @param keys     empty when there is none
/// @param body     all below the closing line, as it stands
/// @param bodyLine the line of the file on which the body begins
record FrontMatter(String where, boolean present, Yaml.Document keys, String body, int bodyLine) {
    /// A prompt is text that a person writes; 1 MiB of it is more than any context holds.
    static final int LONGEST = 1 << 20;
    private static final Pattern FENCE = Pattern.compile("(?:---|\\+\\+\\+)\\s*");
    private static final Pattern DASHES = Pattern.compile("---\\s*");

    /// As Prompty has it: `---` or `+++` on the first line that is not blank opens, the next such line closes.
    static FrontMatter ofPrompty(String where, String text) {
        return split(where, text, FENCE, false);
    }

    /// As dotprompt has it: `---`, after blank lines and comments that begin with `#`.
    static FrontMatter ofDotprompt(String where, String text) {
        return split(where, text, DASHES, true);
    }

    private static FrontMatter split(String where, String text, Pattern fence, boolean comments) {
        int at = 0;
        int line = 1;
        int opened = 0;
        int start = 0;
        while (at < text.length()) {
            int end = text.indexOf('\n', at);
            int next = end < 0 ? text.length() : end + 1;
            String content = text.substring(at, end < 0 ? text.length() : end);
            boolean isFence = !content.isEmpty() && fence.matcher(opened > 0 ? content : content.stripLeading()).matches();
            if (opened > 0 && isFence)
                return new FrontMatter(where, true, Yaml.read(where, text.substring(start, at), opened), text.substring(next),
                        line + 1);
            if (opened == 0 && isFence) {
                opened = line;
                start = next;
            } else if (opened == 0 && !(content.isBlank() || comments && content.startsWith("#"))) {
                break;
            }
            at = next;
            line++;
        }
        if (opened > 0)
            throw new UserError(where + ":" + opened, "the front matter that begins here does not end",
                    "close it with a line of its own that is ---");
        return new FrontMatter(where, false, Yaml.read(where, "", 1), text, 1);
    }

    /// `file:line` of a key at the top, the file when the key has no place of its own.
    String at(String... path) {
        return keys.at(path);
    }

    /// What is wrong with keys at the top that look like known ones; they are ignored, as the formats want.
    List<String> nearMisses(List<String> known) {
        return keys.map().keySet().stream().filter(key -> !known.contains(key) && !key.contains("."))
                .map(key -> Map.entry(key, UserError.near(key, known.stream().filter(k -> !keys.map().containsKey(k)).toList(), "")))
                .filter(entry -> !entry.getValue().isEmpty())
                .map(entry -> at(entry.getKey()) + ": unknown key \"" + entry.getKey() + "\" is ignored; " + entry.getValue())
                .toList();
    }

    /// The text of a file that a person wrote.
    ///
    /// @throws UserError if it is missing, too long or not UTF-8
    static String text(Path file) {
        String where = file.toString();
        try {
            if (!Files.exists(file)) throw new UserError(where, "there is no such file", "");
            if (!Files.isRegularFile(file)) throw new UserError(where, "is not a file", "");
            if (Files.size(file) > LONGEST)
                throw new UserError(where, "is " + Files.size(file) + " bytes long, a prompt file may have " + LONGEST,
                        "data goes into an input: --set_file name=FILE");
            String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(Files.readAllBytes(file))).toString();
            return text.startsWith("\uFEFF") ? text.substring(1) : text;
        } catch (CharacterCodingException e) {
            throw new UserError(where, "is not UTF-8", "save it as UTF-8", e);
        } catch (IOException e) {
            throw new UserError(where, "cannot be read: " + e.getMessage(), "", e);
        }
    }

    /// `text` without blank lines before and after.
    static String withoutBlankLines(String text) {
        int start = 0;
        for (int i = 0; i < text.length() && Character.isWhitespace(text.charAt(i)); i++)
            if (text.charAt(i) == '\n') start = i + 1;
        int end = text.length();
        for (int i = end; i > start && Character.isWhitespace(text.charAt(i - 1)); i--)
            if (text.charAt(i - 1) == '\n') end = i - 1;
        String kept = text.substring(start, end);
        return kept.isBlank() ? "" : kept;
    }
}
