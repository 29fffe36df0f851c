package fewsh.script;

import fewsh.UserError;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;

/// The one folder whose files a script may use, by relative names, without links and without what is hidden.
///
/// One thread. What was read and written is counted against a limit, until [#begin].
final class Jail {
    private final Path root;
    private final long limit;
    private long used;

    /// @param folder the script's; must exist
    Jail(Path folder, long limit) {
        try {
            this.root = folder.toRealPath();
        } catch (IOException e) {
            throw new UserError(folder.toString(), "is no folder: " + e.getMessage(), "", e);
        }
        this.limit = limit;
    }

    Path root() {
        return root;
    }

    /// An error of somebody who knows the file by its whole path: named as the script named it.
    UserError own(UserError e) {
        String prefix = root + root.getFileSystem().getSeparator();
        return new UserError(e.where().replace(prefix, ""), e.what().replace(prefix, ""), e.fix().replace(prefix, ""), e);
    }

    /// Counts from zero.
    void begin() {
        used = 0;
    }

    /// The path of `name`, which need not exist.
    ///
    /// @throws UserError if it is absolute, leads out, is hidden, or a link is on the way
    Path inside(String name) {
        Path path;
        try {
            path = Path.of(name);
        } catch (InvalidPathException e) {
            throw refused(name, "is not a path");
        }
        if (name.isEmpty()) throw refused(name, "is not a path");
        if (path.isAbsolute() || name.startsWith("~")) throw refused(name, "is outside the script's folder");
        return check(name, root.resolve(path).normalize());
    }

    /// The path of a file or folder that is there.
    Path existing(String name) {
        Path path = inside(name);
        if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS))
            throw new UserError(name, "no such file or folder", "names are relative to the script's folder");
        return path;
    }

    /// `path` itself, absolute, if it lies inside.
    Path check(String name, Path path) {
        Path whole = path.normalize();
        if (!whole.startsWith(root)) throw refused(name, "is outside the script's folder");
        Path at = root;
        for (Path part : root.relativize(whole)) {
            at = at.resolve(part);
            if (part.toString().startsWith(".")) throw refused(name, "is hidden");
            if (Files.isSymbolicLink(at)) throw refused(name, "is a link, which may lead out of the script's folder");
        }
        return whole;
    }

    private static UserError refused(String name, String why) {
        return new UserError("", "\"" + name + "\" " + why, "a script uses files of its own folder only, by relative names");
    }

    /// The text of a file inside, as UTF-8.
    String read(String name) {
        Path file = regular(name);
        try (InputStream in = Files.newInputStream(file, LinkOption.NOFOLLOW_LINKS)) {
            byte[] bytes = in.readNBytes((int) Math.min(Integer.MAX_VALUE - 8, limit - used + 1));
            count(name, bytes.length);
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException e) {
            throw new UserError(name, "not UTF-8 text", "", e);
        } catch (IOException e) {
            throw new UserError(name, "cannot be read: " + e.getMessage(), "", e);
        }
    }

    /// A file that is there, may be read, and is not too long.
    Path regular(String name) {
        Path file = inside(name);
        try {
            if (!Files.readAttributes(file, "isRegularFile", LinkOption.NOFOLLOW_LINKS).get("isRegularFile").equals(true))
                throw new UserError(name, "is no file", "");
            if (Files.size(file) > limit - used) throw tooMuch(name);
        } catch (NoSuchFileException e) {
            throw new UserError(name, "no such file", "names are relative to the script's folder", e);
        } catch (IOException e) {
            throw new UserError(name, "cannot be read: " + e.getMessage(), "", e);
        }
        return file;
    }

    /// Writes a file inside, whole or not at all, in place of one that was there.
    ///
    /// @param endings one of which `name` must have: so a script can overwrite data, never a program
    void write(String name, List<String> endings, String text) {
        Path file = inside(name);
        if (endings.stream().noneMatch(name::endsWith))
            throw new UserError(name, "must end in " + String.join(" or ", endings), "");
        if (Files.exists(file, LinkOption.NOFOLLOW_LINKS) && !Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS))
            throw new UserError(name, "is there already, and no file", "");
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        count(name, bytes.length);
        try {
            if (!Files.isDirectory(file.getParent())) throw new UserError(name, "its folder is not there", "make it first");
            Path part = Files.createTempFile(file.getParent(), ".fewsh-", ".part");
            try {
                Files.write(part, bytes, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS);
                Files.move(part, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
            } finally {
                Files.deleteIfExists(part);
            }
        } catch (IOException e) {
            throw new UserError(name, "cannot be written: " + e.getMessage(), "", e);
        }
    }

    /// @throws UserError if `bytes` more are too many
    void count(String name, long bytes) {
        if (bytes > limit - used) throw tooMuch(name);
        used += bytes;
    }

    private UserError tooMuch(String name) {
        return new UserError(name, "a script may read and write %,d MiB in all, and this is more".formatted(limit >> 20), "");
    }
}
