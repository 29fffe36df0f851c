package fewsh.store;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/// One process and thread at a time fetches or removes a model. The operating system drops the lock of a process that dies.
/// The lock's file stays: deleting it would let two processes hold different files of the same name.
final class Lock implements AutoCloseable {
    /// The locks of this process. Asked before a file is opened: POSIX drops a process's lock when it closes the file anywhere.
    private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

    private final Path file;
    private final FileChannel channel;

    private Lock(Path file, FileChannel channel) {
        this.file = file;
        this.channel = channel;
    }

    /// @param waiting called once if the lock is held by another
    static Lock take(Path shelf, String name, Runnable waiting) throws InterruptedException {
        boolean told = false;
        while (true) {
            Optional<Lock> lock = tryTake(shelf, name);
            if (lock.isPresent()) return lock.get();
            if (!told) waiting.run();
            told = true;
            Thread.sleep(100);
        }
    }

    /// Empty when another holds it.
    static Optional<Lock> tryTake(Path shelf, String name) {
        Path file = Home.staging(shelf).resolve(name + "+lock");
        Disk.createDirectories(Home.staging(shelf));
        if (!HELD.add(file)) return Optional.empty();
        FileChannel channel = null;
        boolean taken = false;
        try {
            channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            taken = channel.tryLock() != null;
            if (!taken) channel.close();
            return taken ? Optional.of(new Lock(file, channel)) : Optional.empty();
        } catch (IOException e) {
            throw Disk.unwritable(file, e);
        } finally {
            if (!taken) HELD.remove(file);
        }
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            HELD.remove(file);
        }
    }
}
