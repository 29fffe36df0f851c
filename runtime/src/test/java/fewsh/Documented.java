package fewsh;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// The rows of a table in a Markdown page that a test makes: behind a line `<!-- NAME -->` and the two lines of the table's head,
/// up to an empty line.
///
/// @param file relative to the project
public record Documented(String file, String name) {
    public List<String> rows() throws IOException {
        List<String> lines = Files.readAllLines(path());
        return lines.subList(first(lines), last(lines));
    }

    /// For `-Dgolden.update=true`; the difference is for review.
    public void write(List<String> rows) throws IOException {
        List<String> lines = new ArrayList<>(Files.readAllLines(path()));
        List<String> old = lines.subList(first(lines), last(lines));
        old.clear();
        old.addAll(rows);
        Files.writeString(path(), String.join("\n", lines) + "\n");
    }

    private Path path() {
        return Shared.project().resolve(file);
    }

    private int first(List<String> lines) {
        int mark = lines.indexOf("<!-- " + name + " -->");
        if (mark < 0) throw new AssertionError(file + " has no line <!-- " + name + " -->");
        return mark + 3;
    }

    private int last(List<String> lines) {
        int i = first(lines);
        while (i < lines.size() && !lines.get(i).isBlank()) i++;
        return i;
    }
}
