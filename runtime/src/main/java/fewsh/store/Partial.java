package fewsh.store;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.function.Consumer;

/// A file that is arriving: `NAME.part`, and `NAME.part.json` with what is needed to go on after a kill.
///
/// Every 8 MiB, and when it is closed, the bytes are forced to the disk and their number and sha256 are recorded. To go on, the
/// recorded bytes are hashed again: if they are not what was recorded, the file is begun anew. Bytes after the record are kept
/// only if the whole file's checksum is known, so that they are checked in the end.
final class Partial implements AutoCloseable {
    private static final int RECORD_EVERY = 8 << 20;

    private final Path path;
    private final Path record;
    private final Wanted wanted;
    private final String identity;
    private final RandomAccessFile file;
    private final MessageDigest digest = Disk.sha256();
    private long length;
    private long recorded = -1;
    private String etag = "";
    private long total;
    private boolean open = true;

    /// @param place where it comes from; tells two files apart when no checksum does
    static Partial open(Path folder, Wanted wanted, String place, Consumer<Progress> progress) throws InterruptedException {
        Path path = folder.resolve(wanted.name() + ".part");
        Disk.createDirectories(path.getParent());
        Partial partial;
        try {
            partial = new Partial(path, wanted, wanted.identity(place), new RandomAccessFile(path.toFile(), "rw"));
        } catch (IOException e) {
            throw Disk.unwritable(path, e);
        }
        try {
            partial.resume(progress);
        } catch (InterruptedException | RuntimeException e) {
            partial.abandon();
            throw e;
        }
        return partial;
    }

    private Partial(Path path, Wanted wanted, String identity, RandomAccessFile file) {
        this.path = path;
        this.record = path.resolveSibling(path.getFileName() + ".json");
        this.wanted = wanted;
        this.identity = identity;
        this.file = file;
        this.total = wanted.size();
    }

    /// Bytes that are here.
    long length() {
        return length;
    }

    /// Bytes of the whole file; −1 as long as nobody has said.
    long total() {
        return total;
    }

    /// The entity tag of the bytes that are here, if the server gave a strong one; empty otherwise.
    String etag() {
        return etag;
    }

    Path folder() {
        return path.getParent();
    }

    Wanted wanted() {
        return wanted;
    }

    /// What a server says the whole file is. The bytes that are here must be of it.
    void describe(String etag, long total) {
        this.etag = etag;
        if (wanted.size() < 0) this.total = total;
        record();
    }

    void write(byte[] bytes, int n) {
        try {
            file.write(bytes, 0, n);
        } catch (IOException e) {
            if (Disk.isFull(e)) discard();
            throw Disk.unwritable(path, e);
        }
        digest.update(bytes, 0, n);
        length += n;
        if (length - recorded >= RECORD_EVERY) record();
    }

    /// Throws away what is here.
    void restart() {
        try {
            file.setLength(0);
            file.seek(0);
        } catch (IOException e) {
            throw Disk.unwritable(path, e);
        }
        digest.reset();
        length = 0;
        etag = "";
        total = wanted.size();
        record();
    }

    /// Why the bytes that are here are not the file that is wanted; empty when they are, as far as anybody can tell.
    String problem() {
        if (total >= 0 && length != total) return "is " + length + " bytes, not " + total;
        if (!wanted.sha256().isEmpty() && !sha256().equals(wanted.sha256()))
            return "is not the file that was meant: sha256 " + sha256() + ", not " + wanted.sha256();
        if (!wanted.gitSha1().isEmpty() && !gitSha1().equals(wanted.gitSha1()))
            return "is not the file that was meant: git blob " + gitSha1() + ", not " + wanted.gitSha1();
        return "";
    }

    StoredFile stored() {
        return new StoredFile(wanted.name(), length, sha256());
    }

    /// Keeps what is here for the next attempt.
    @Override
    public void close() {
        if (!open) return;
        try {
            record();
        } finally {
            abandon();
        }
    }

    /// Closes the file and removes it.
    void discard() {
        abandon();
        Disk.deleteQuietly(record);
        Disk.deleteQuietly(path);
    }

    private void abandon() {
        open = false;
        try {
            file.close();
        } catch (IOException e) {
            throw Disk.unwritable(path, e);
        }
    }

    private String sha256() {
        return Disk.hex(clone(digest).digest());
    }

    private String gitSha1() {
        MessageDigest sha1 = Disk.digest("SHA-1");
        sha1.update(("blob " + length + "\0").getBytes(StandardCharsets.UTF_8));
        try {
            file.seek(0);
            byte[] buffer = new byte[1 << 16];
            for (int n; (n = file.read(buffer)) > 0; ) sha1.update(buffer, 0, n);
        } catch (IOException e) {
            throw Disk.unreadable(path, e);
        }
        return Disk.hex(sha1.digest());
    }

    private static MessageDigest clone(MessageDigest digest) {
        try {
            return (MessageDigest) digest.clone();
        } catch (CloneNotSupportedException e) {
            throw new IllegalStateException(e);
        }
    }

    private void record() {
        try {
            file.getFD().sync();
        } catch (IOException e) {
            if (Disk.isFull(e)) discard();
            throw Disk.unwritable(path, e);
        }
        JsonObject json = new JsonObject();
        json.addProperty("identity", identity);
        json.addProperty("etag", etag);
        json.addProperty("total", Long.toString(total));
        json.addProperty("bytes", length);
        json.addProperty("sha256", sha256());
        Disk.write(record, Json.write(json));
        recorded = length;
    }

    /// Goes on from an earlier attempt if what is here can be trusted, else from nothing.
    private void resume(Consumer<Progress> progress) throws InterruptedException {
        long there = length(file);
        JsonObject json = there == 0 ? new JsonObject() : readRecord();
        if (json.isEmpty() || !Json.text(json, "identity", "").equals(identity)) {
            restart();
            return;
        }
        try {
            long bytes = Json.bytes(json, "bytes");
            if (bytes > there || wanted.size() >= 0 && there > wanted.size()) throw new IllegalArgumentException("other size");
            hash(bytes, progress);
            if (!sha256().equals(Json.text(json, "sha256"))) throw new IllegalArgumentException("other bytes");
            if (wanted.hasChecksum()) hash(there, progress);
            else file.setLength(bytes);
            file.seek(length);
            etag = Json.text(json, "etag");
            if (wanted.size() < 0) total = Long.parseLong(Json.text(json, "total"));
            record();
        } catch (IllegalArgumentException e) { // a record that does not fit its file: neither is worth anything
            restart();
        } catch (IOException e) {
            throw Disk.unwritable(path, e);
        }
    }

    private JsonObject readRecord() {
        try {
            return Files.size(record) > 1 << 16 ? new JsonObject() : Json.object(Files.readString(record));
        } catch (NoSuchFileException e) {
            return new JsonObject();
        } catch (IllegalArgumentException | java.nio.charset.CharacterCodingException e) {
            return new JsonObject(); // damaged: as if there were none
        } catch (IOException e) {
            throw Disk.unreadable(record, e);
        }
    }

    /// Feeds the file's bytes up to `end` to the digest.
    private void hash(long end, Consumer<Progress> progress) throws InterruptedException {
        Meter meter = Meter.verifying(wanted.name(), end, progress);
        byte[] buffer = new byte[1 << 16];
        try {
            file.seek(length);
            while (length < end) {
                if (Thread.interrupted()) throw new InterruptedException();
                int n = file.read(buffer, 0, (int) Math.min(buffer.length, end - length));
                if (n < 0) throw new IllegalArgumentException("shorter than it was");
                digest.update(buffer, 0, n);
                length += n;
                meter.at(length);
            }
        } catch (IOException e) {
            throw Disk.unreadable(path, e);
        }
    }

    private long length(RandomAccessFile file) {
        try {
            return file.length();
        } catch (IOException e) {
            throw Disk.unreadable(path, e);
        }
    }
}
