package fewsh.ask;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import fewsh.UserError;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.StringReader;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/// The lines of a batch while it runs: `NAME.part` beside the output, a first line that says of what, then a line a row. At the
/// end the lines alone are moved to where they belong.
///
/// A process that is killed leaves whole lines and perhaps a torn one, which the next run drops. A lock keeps a second run out.
final class Journal implements AutoCloseable {
    private final Path output;
    private final Path part;
    private final FileChannel channel;
    private long lines;
    private int failed;
    /// Where the first line begins.
    private long begin;

    private Journal(Path output, Path part, FileChannel channel) {
        this.output = output;
        this.part = part;
        this.channel = channel;
    }

    /// @param header what the lines are of; a run that was begun with another is not gone on with
    /// @throws UserError if the output is there already, another run writes it, or it was begun with another header
    static Journal open(Path output, JsonObject header) {
        refuse(output);
        Path part = output.resolveSibling(output.getFileName() + ".part");
        FileChannel channel = null;
        Journal journal = null;
        try {
            channel = FileChannel.open(part, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
            if (!locked(channel))
                throw new UserError(part.toString(), "another run is writing it", "wait for that one, or write to another file");
            journal = new Journal(output, part, channel);
            journal.resume(header);
            return journal;
        } catch (IOException e) {
            throw unwritable(part, e);
        } catch (RuntimeException e) {
            journal = null;
            throw e;
        } finally {
            if (journal == null && channel != null) close(part, channel);
        }
    }

    /// What is finished is not written over.
    private static void refuse(Path output) {
        if (Files.exists(output))
            throw new UserError(output.toString(), "is there already", "remove it, or write to another file");
    }

    private static boolean locked(FileChannel channel) throws IOException {
        try {
            return channel.tryLock() != null;
        } catch (OverlappingFileLockException e) {      // held by this very process
            return false;
        }
    }

    /// Reads what an earlier run wrote, and drops a torn end.
    private void resume(JsonObject header) throws IOException {
        long good = 0;
        boolean first = true;
        InputStream in = new BufferedInputStream(Channels.newInputStream(channel));
        for (byte[] line = line(in); line.length > 0 && line[line.length - 1] == '\n'; line = line(in)) {
            String text = new String(line, StandardCharsets.UTF_8);
            if (first) {
                check(text, header);
                begin = line.length;
            } else if (!isNext(text)) {
                if (in.read() < 0) break;                       // the machine went down before the line was on the disk
                throw new UserError(part + ":" + (lines + 2), "is not the line of row " + lines, "remove the file to begin anew");
            }
            if (!first) lines++;
            first = false;
            good += line.length;
        }
        channel.truncate(good).position(good);
        if (good > 0) return;
        write(header);
        begin = channel.position();
    }

    /// The next line with its end; without one if the file ends first.
    private static byte[] line(InputStream in) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int b; (b = in.read()) >= 0; ) {
            line.write(b);
            if (b == '\n') break;
        }
        return line.toByteArray();
    }

    private void check(String text, JsonObject header) {
        if (!(json(text) instanceof JsonObject found) || !found.has("fewsh_batch"))
            throw new UserError(part.toString(), "is not what a batch left", "move it away, or write to another file");
        header.asMap().forEach((key, value) -> {
            if (!value.equals(found.get(key)))
                throw new UserError(part.toString(), "was begun with a different " + key.replace('_', ' '),
                        "go on as it was begun, or remove it to begin anew");
        });
    }

    private boolean isNext(String text) {
        if (!(json(text) instanceof JsonObject line) || !(line.get("index") instanceof JsonPrimitive index)
                || !index.getAsString().equals(Long.toString(lines))) return false;
        if (line.has("error")) failed++;
        return true;
    }

    /// Null for what is no JSON.
    private static JsonElement json(String text) {
        try (JsonReader reader = new JsonReader(new StringReader(text))) {
            reader.setStrictness(Strictness.STRICT);
            return JsonParser.parseReader(reader);
        } catch (JsonParseException | IOException e) {
            return null;
        }
    }

    /// Rows that are done.
    int rows() {
        return Math.toIntExact(lines);
    }

    /// How many of them failed.
    int failed() {
        return failed;
    }

    /// Writes the next row's line.
    void append(JsonObject line) {
        try {
            write(line);
        } catch (IOException e) {
            throw unwritable(part, e);
        }
        lines++;
        if (line.has("error")) failed++;
    }

    private void write(JsonObject line) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap((Row.GSON.toJson(line) + "\n").getBytes(StandardCharsets.UTF_8));
        while (bytes.hasRemaining()) channel.write(bytes);
    }

    /// Moves the lines to where they belong; closes it.
    void finish() {
        Path whole = output.resolveSibling(output.getFileName() + ".part.done");
        try {
            try (FileChannel to = FileChannel.open(whole, StandardOpenOption.CREATE, StandardOpenOption.WRITE,
                    StandardOpenOption.TRUNCATE_EXISTING)) {
                long size = channel.size();
                for (long at = begin; at < size; ) at += channel.transferTo(at, size - at, to);
                to.force(true);
            }
            refuse(output);
            Files.move(whole, output, StandardCopyOption.ATOMIC_MOVE);
            close();
            Files.delete(part);
        } catch (IOException e) {
            throw unwritable(output, e);
        }
    }

    @Override
    public void close() {
        close(part, channel);
    }

    private static void close(Path part, FileChannel channel) {
        try {
            channel.close();
        } catch (IOException e) {
            throw unwritable(part, e);
        }
    }

    private static UserError unwritable(Path path, IOException e) {
        String reason = e instanceof java.nio.file.NoSuchFileException ? "no such folder"
                : e instanceof java.nio.file.AccessDeniedException ? "permission denied" : String.valueOf(e.getMessage());
        return new UserError(path.toString(), "cannot be written: " + reason, "what is done is kept: run it again to go on", e);
    }
}
