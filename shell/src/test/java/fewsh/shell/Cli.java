package fewsh.shell;

import fewsh.models.TinyModels;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The program in this JVM: streams that a test can see, a home of its own.
///
/// @param home the folder of both FEWSH_HOME and relative file names
record Cli(Path home, Map<String, String> more) {
    record Result(int code, String out, String err) {}

    static Cli in(Path home) {
        return new Cli(home, Map.of());
    }

    /// A model that knows the alphabet, in `folder`.
    static Path alphabet(Path folder) {
        try {
            return TinyModels.alphabet(folder.resolve("alphabet"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Cli with(String variable, String value) {
        Map<String, String> all = new HashMap<>(more);
        all.put(variable, value);
        return new Cli(home, all);
    }

    Map<String, String> environment() {
        Map<String, String> environment = new HashMap<>(more);
        environment.put("FEWSH_HOME", home.toString());
        return environment;
    }

    /// At a terminal, where nothing is piped in.
    Result run(String... args) {
        return run("", true, args);
    }

    Result piped(String in, String... args) {
        return run(in, false, args);
    }

    private Result run(String in, boolean terminalIn, String... args) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int code = new Main(environment(), home, new ByteArrayInputStream(in.getBytes(StandardCharsets.UTF_8)), terminalIn,
                new Render.Sink(out, false, false, () -> 80), new Render.Sink(err, false, false, () -> 80)).run(List.of(args));
        return new Result(code, out.toString(), err.toString());
    }
}
