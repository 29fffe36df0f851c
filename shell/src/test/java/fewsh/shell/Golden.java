package fewsh.shell;

import static org.junit.jupiter.api.Assertions.assertEquals;

import fewsh.Shared;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// Texts that were looked at once and must stay: `-Dgolden.update=true` writes them anew, for review in the diff.
final class Golden {
    private static final String RULER = "-".repeat(60);

    private Golden() {}

    /// @param file relative to the project
    static void check(String file, String got) throws IOException {
        Path path = Shared.project().resolve(file);
        if (Boolean.getBoolean("golden.update")) {
            Files.createDirectories(path.getParent());
            Files.writeString(path, got);
        }
        String expected = Files.exists(path) ? Files.readString(path) : "";
        assertEquals(expected, got, () -> file + " differs; if the change is meant, run with -Dgolden.update=true\n" + RULER
                + "\n" + got
                + "\n" + RULER + "\n");
    }
}
