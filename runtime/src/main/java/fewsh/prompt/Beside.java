package fewsh.prompt;

import fewsh.UserError;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/// Files that a prompt file may name: those in its own folder and below, by a relative path.
final class Beside {
    private Beside() {}

    /// @param where the prompt file, for messages
    /// @param key   what names the file
    /// @throws UserError if the path is absolute, climbs out by `..` or through a link, or is no readable file
    static void check(String where, String key, Path folder, String name) {
        try {
            Path relative = Path.of(name);
            boolean climbs = relative.isAbsolute() || relative.getRoot() != null || name.contains("\\") || name.startsWith("~");
            for (Path step : relative) climbs |= step.toString().equals("..");
            if (climbs) throw outside(where, key, name);
            Path real = folder.resolve(relative).toRealPath();
            if (!real.startsWith(folder.toRealPath())) throw outside(where, key, name);
            if (!Files.isRegularFile(real)) throw new UserError(where, key + ": \"" + name + "\" is not a file", "");
        } catch (InvalidPathException e) {
            throw new UserError(where, key + ": \"" + name + "\" is not a path: " + e.getReason(), "", e);
        } catch (NoSuchFileException e) {
            throw new UserError(where, key + ": there is no file \"" + name + "\" beside it", "", e);
        } catch (IOException e) {
            throw new UserError(where, key + ": \"" + name + "\" cannot be read: " + e.getMessage(), "", e);
        }
    }

    private static UserError outside(String where, String key, String name) {
        return new UserError(where, key + ": \"" + name + "\" is outside the prompt's folder",
                "name a file beside it or below, without \"..\"");
    }
}
