package fewsh.shell;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// What Linux says about memory; elsewhere unknown.
final class Memory {
    private Memory() {}

    /// The most memory that this process held at any time, in bytes; −1 when unknown.
    static long peak() {
        return line(Path.of("/proc/self/status"), "VmHWM");
    }

    /// The value of `name: 123 kB`, in bytes; −1 when there is none.
    static long line(Path file, String name) {
        if (!Files.isReadable(file)) return -1;
        try {
            for (String line : Files.readAllLines(file))
                if (line.startsWith(name + ":")) return 1024 * Long.parseLong(line.replaceAll("\\D+", ""));
            return -1;
        } catch (IOException _) {
            return -1;                                                        // a kernel that hides it: unknown, as elsewhere
        }
    }
}
