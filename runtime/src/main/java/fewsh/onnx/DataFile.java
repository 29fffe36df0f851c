package fewsh.onnx;

import fewsh.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Map;

/// The data file of a model that is being written: large tensors go there one by one, so that they need not all be in memory.
///
/// Owns the mapping of what it gave back: close it when the model is written. One thread.
public final class DataFile implements AutoCloseable {
    private static final long ALIGNMENT = 4096;

    private final Path path;
    private final FileChannel channel;
    private final Arena arena = Arena.ofShared();
    private final Map<Long, Long> offsets = new HashMap<>();
    private long end;

    /// Starts an empty file at `path`.
    public DataFile(Path path) throws IOException {
        this.path = path;
        this.channel = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE,
                StandardOpenOption.TRUNCATE_EXISTING);
    }

    /// Writes a tensor.
    ///
    /// @return the same numbers, read from the file when they are looked at; the tensor given may be freed
    /// @throws UncheckedIOException if the file cannot take it
    public Tensor keep(Tensor tensor) {
        MemorySegment bytes = tensor.data();
        if (bytes.byteSize() == 0 || offset(tensor) >= 0) return tensor;
        long offset = (end + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        try {
            for (long done = 0; done < bytes.byteSize(); ) {
                ByteBuffer chunk = bytes.asSlice(done, Math.min(1 << 26, bytes.byteSize() - done)).asByteBuffer();
                while (chunk.hasRemaining()) done += channel.write(chunk, offset + done);
            }
            end = offset + bytes.byteSize();
            MemorySegment mapped = channel.map(FileChannel.MapMode.READ_ONLY, offset, bytes.byteSize(), arena);
            offsets.put(mapped.address(), offset);
            return new Tensor(tensor.dtype(), tensor.shape(), mapped);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Where a tensor that `keep` gave back begins; −1 for any other.
    long offset(Tensor tensor) {
        return offsets.getOrDefault(tensor.data().address(), -1L);
    }

    Path path() {
        return path;
    }

    @Override
    public void close() throws IOException {
        arena.close();
        channel.close();
    }
}
