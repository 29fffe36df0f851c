package fewsh.shell;

import java.util.List;

/// Runs the common command lines once, in one process: the build records the AOT cache of this run, so that what they load
/// and link is ready at every later start.
final class WarmUp {
    /// Command lines that need neither a model of the user's nor a terminal.
    private static final List<List<String>> COMMON = List.of(List.of("--version"), List.of("--help"));

    private WarmUp() {}

    public static void main(String[] args) {
        for (List<String> line : COMMON) Main.run(line.toArray(String[]::new));
    }
}
