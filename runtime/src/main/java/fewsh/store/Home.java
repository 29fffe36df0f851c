package fewsh.store;

import fewsh.UserError;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Map;

/// The folder where fewsh keeps its files. A name for places only: nothing is created until something is written there.
///
/// @param root absolute
public record Home(Path root) {
    public Home {
        root = root.toAbsolutePath().normalize();
    }

    /// The folder that `FEWSH_HOME` names, `.fewsh` in the user's own folder when it names none.
    ///
    /// @param env the environment; `HOME` in it goes before the JVM's `user.home`
    public static Home of(Map<String, String> env) {
        String named = env.getOrDefault("FEWSH_HOME", "");
        String user = env.getOrDefault("HOME", "");
        if (user.isBlank()) user = System.getProperty("user.home");
        try {
            if (named.isBlank()) return new Home(Path.of(user, ".fewsh"));
            return new Home(named.equals("~") || named.startsWith("~/") ? Path.of(user, named.substring(1)) : Path.of(named));
        } catch (InvalidPathException e) {
            throw new UserError("FEWSH_HOME", "\"" + named + "\" is not a path: " + e.getReason(), "set it to a folder", e);
        }
    }

    /// A folder a model, each with a `model.json`.
    public Path models() {
        return root.resolve("models");
    }

    /// What can be made again; what is derived from a model in the store is in a folder of the model's name.
    public Path cache() {
        return root.resolve("cache");
    }

    /// Plugin libraries of execution providers, a folder each with a `model.json`.
    public Path providers() {
        return root.resolve("providers");
    }

    /// The lines typed in the shell.
    public Path history() {
        return root.resolve("history");
    }

    /// The user's settings.
    public Path config() {
        return root.resolve("config.yaml");
    }

    /// Evaluation and training runs.
    public Path runs() {
        return root.resolve("runs");
    }

    /// Where a model or plugin is while it is being fetched: inside its shelf, so that moving it there is one rename.
    static Path staging(Path shelf) {
        return shelf.resolve(".pull");
    }
}
