package fewsh.store;

import fewsh.UserError;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;

/// Files and folders of the store. A failure here is the machine's, not a source's: it ends a pull with a [UserError].
final class Disk {
    private Disk() {}

    static void createDirectories(Path folder) {
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw unwritable(folder, e);
        }
    }

    /// Writes the whole text or leaves what was there.
    static void write(Path file, String text) {
        Path fresh = file.resolveSibling(file.getFileName() + ".new");
        try {
            try (RandomAccessFile out = new RandomAccessFile(fresh.toFile(), "rw")) {
                out.setLength(0);
                out.write(text.getBytes(StandardCharsets.UTF_8));
                out.getFD().sync();
            }
            Files.move(fresh, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            deleteQuietly(fresh);
            throw unwritable(file, e);
        }
    }

    static void move(Path from, Path to) {
        try {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw unwritable(to, e);
        }
    }

    /// Removes a file, a link (not what it points to) or a folder with all that is in it. Nothing there is fine.
    ///
    /// @return the bytes that were freed
    static long delete(Path tree) {
        long[] freed = {0};
        try {
            if (!Files.exists(tree, LinkOption.NOFOLLOW_LINKS)) return 0;
            Files.walkFileTree(tree, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                    Files.deleteIfExists(file);
                    freed[0] += attributes.size();
                    return FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult postVisitDirectory(Path folder, IOException failure) throws IOException {
                    if (failure != null) throw failure;
                    Files.deleteIfExists(folder);
                    return FileVisitResult.CONTINUE;
                }
            });
        } catch (NoSuchFileException e) {
            return freed[0]; // another process was quicker: gone is what was asked for
        } catch (IOException e) {
            throw unwritable(tree, e);
        }
        return freed[0];
    }

    /// For what is being thrown away after a failure that is reported already.
    static void deleteQuietly(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            file.toFile().deleteOnExit();
        }
    }

    static void checkSpace(Path folder, long needed) {
        try {
            long free = Files.getFileStore(folder).getUsableSpace();
            if (needed > free) throw full(folder, "it needs " + bytes(needed) + ", " + bytes(free) + " are free", null);
        } catch (IOException e) {
            throw unreadable(folder, e);
        }
    }

    /// Called with the bytes hashed so far.
    interface Hashed {
        void at(long bytes) throws InterruptedException;
    }

    /// The sha256 of a file.
    static String sha256(Path file, Hashed hashed) throws InterruptedException {
        MessageDigest digest = sha256();
        try (InputStream in = Files.newInputStream(file)) {
            byte[] buffer = new byte[1 << 16];
            long done = 0;
            for (int n; (n = in.read(buffer)) >= 0; hashed.at(done += n)) digest.update(buffer, 0, n);
        } catch (IOException e) {
            throw unreadable(file, e);
        }
        return hex(digest.digest());
    }

    static MessageDigest sha256() {
        return digest("SHA-256");
    }

    static MessageDigest digest(String algorithm) {
        try {
            return MessageDigest.getInstance(algorithm);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }

    /// As people read it: `98.4 MB`.
    static String bytes(long n) {
        if (n < 1000) return n + " bytes";
        double value = n;
        int unit = 0;
        while (value >= 999.95 && unit < 4) {
            value /= 1000;
            unit++;
        }
        return String.format(Locale.ROOT, "%.1f %s", value, new String[] {"bytes", "kB", "MB", "GB", "TB"}[unit]);
    }

    static UserError unreadable(Path path, IOException e) {
        return new UserError(path.toString(), "cannot be read: " + reason(e), "", e);
    }

    /// Whether a write failed because there is no room for it.
    static boolean isFull(IOException e) {
        String message = e.getMessage() == null ? "" : e.getMessage();
        return message.matches("(?is).*(no space left|not enough space|quota exceeded|file too large).*");
    }

    static UserError unwritable(Path path, IOException e) {
        if (isFull(e)) return full(path, reason(e), e);
        return new UserError(path.toString(), "cannot be written: " + reason(e),
                "make it writable, or set FEWSH_HOME to a folder of yours", e);
    }

    private static UserError full(Path path, String what, IOException e) {
        return new UserError(path.toString(), "no space left: " + what,
                "free some space, or set FEWSH_HOME to a folder on another disk", e);
    }

    private static String reason(IOException e) {
        if (e instanceof AccessDeniedException) return "permission denied";
        if (e instanceof NoSuchFileException) return "no such file";
        if (e instanceof FileAlreadyExistsException) return "a file is in the place of a folder";
        if (e instanceof java.nio.file.FileSystemException f && f.getReason() != null) return f.getReason();
        return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    }
}
