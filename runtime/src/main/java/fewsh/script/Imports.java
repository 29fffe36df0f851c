package fewsh.script;

import fewsh.UserError;
import java.io.IOException;
import java.net.URI;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.AccessMode;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.util.Map;
import java.util.Set;
import org.graalvm.polyglot.io.FileSystem;

/// The file system as `import` sees it: the modules in the script's folder, to be read, and nothing else on the machine.
final class Imports implements FileSystem {
    private final Jail jail;

    Imports(Jail jail) {
        this.jail = jail;
    }

    @Override
    public Path parsePath(URI uri) {
        if (!"file".equals(uri.getScheme())) throw new UnsupportedOperationException("no module at " + uri.getScheme() + ":");
        return Path.of(uri);
    }

    @Override
    public Path parsePath(String path) {
        return Path.of(path);
    }

    private Path module(Path path) throws IOException {
        Path whole = toAbsolutePath(path);
        try {
            return jail.check(path.toString(), whole);
        } catch (UserError e) {
            throw new AccessDeniedException(path.toString(), null, e.what());
        }
    }

    @Override
    public void checkAccess(Path path, Set<? extends AccessMode> modes, LinkOption... options) throws IOException {
        if (!Set.of(AccessMode.READ).containsAll(modes)) throw new AccessDeniedException(path.toString());
        if (!Files.exists(module(path), LinkOption.NOFOLLOW_LINKS)) throw new NoSuchFileException(path.toString());
    }

    @Override
    public SeekableByteChannel newByteChannel(Path path, Set<? extends OpenOption> options, FileAttribute<?>... attributes)
            throws IOException {
        if (!Set.of(StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS).containsAll(options))
            throw new AccessDeniedException(path.toString());
        Path file = module(path);
        if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) throw new NoSuchFileException(path.toString());
        jail.count(path.toString(), Files.size(file));
        return Files.newByteChannel(file, Set.of(StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS));
    }

    @Override
    public Path toAbsolutePath(Path path) {
        return jail.root().resolve(path).normalize();
    }

    @Override
    public Path toRealPath(Path path, LinkOption... options) throws IOException {
        checkAccess(path, Set.of(AccessMode.READ));
        return module(path);
    }

    @Override
    public Map<String, Object> readAttributes(Path path, String attributes, LinkOption... options) throws IOException {
        return Files.readAttributes(module(path), attributes, LinkOption.NOFOLLOW_LINKS);
    }

    @Override
    public void setCurrentWorkingDirectory(Path folder) {
        if (!folder.equals(jail.root())) throw new SecurityException(folder.toString());
    }

    @Override
    public void createDirectory(Path folder, FileAttribute<?>... attributes) throws IOException {
        throw new AccessDeniedException(folder.toString());
    }

    @Override
    public void delete(Path path) throws IOException {
        throw new AccessDeniedException(path.toString());
    }

    @Override
    public DirectoryStream<Path> newDirectoryStream(Path folder, DirectoryStream.Filter<? super Path> filter) throws IOException {
        throw new AccessDeniedException(folder.toString());
    }
}
