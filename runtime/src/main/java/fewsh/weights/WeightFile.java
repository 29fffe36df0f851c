package fewsh.weights;

import fewsh.UserError;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.SequencedMap;

/// One mapped file: what it says about itself, and its tensors in its order.
record WeightFile(Path path, SequencedMap<String, Object> metadata, List<Weight> weights) {
    static final String DAMAGED = "the file is damaged or was not downloaded whole: fetch it again";
    private static final String KINDS = "give a .gguf file, a .safetensors file, or a folder with model.safetensors or "
            + "model.safetensors.index.json";

    /// The file, or the files of the folder, at `path`.
    static List<WeightFile> readAll(Path path, Arena arena) throws IOException {
        if (Files.isDirectory(path)) {
            Path single = path.resolve("model.safetensors");
            Path index = path.resolve("model.safetensors.index.json");
            if (Files.exists(single)) return List.of(read(single, arena));
            if (Files.exists(index)) return ShardIndex.read(index, arena);
            throw new UserError(path.toString(), "no weights in this folder", KINDS);
        }
        WeightFile file = read(path, arena);
        return Gguf.isSplit(file) ? Gguf.readSplit(file, arena) : List.of(file);
    }

    /// The file at `path`, told by its first bytes.
    static WeightFile read(Path path, Arena arena) throws IOException {
        if (!Files.exists(path)) throw new UserError(path.toString(), "no such file", KINDS);
        if (!Files.isRegularFile(path)) throw new UserError(path.toString(), "not a file", KINDS);
        MemorySegment file;
        try (FileChannel channel = FileChannel.open(path)) {
            file = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
        }
        String name = path.getFileName().toString();
        if (startsWith(file, "GGUF")) return Gguf.read(path, file);
        if (name.endsWith(".gguf"))
            throw damaged(path, "not a GGUF file: " + looksLike(file));
        if (name.endsWith(".safetensors")) return Safetensors.read(path, file);
        throw new UserError(path.toString(), "not a weight file: " + looksLike(file), KINDS);
    }

    static UserError damaged(Path path, String what) {
        return new UserError(path.toString(), what, DAMAGED);
    }

    static UserError unreadable(Path path, IOException e) {
        String what = e instanceof NoSuchFileException gone ? "no such file \"" + gone.getFile() + '"' : "cannot be read: " + e;
        return new UserError(path.toString(), what, "", e);
    }

    /// What a file that is none of ours seems to be.
    static String looksLike(MemorySegment file) {
        if (file.byteSize() == 0) return "it is empty";
        if (startsWith(file, "version https://git-lfs")) return "it is a Git LFS pointer, not the file itself";
        if (startsWith(file, "PK")) return "it is a zip archive (a PyTorch checkpoint?)";
        if (startsWith(file, "<")) return "it is a web page or XML";
        if (startsWith(file, "ggml") || startsWith(file, "lmgg") || startsWith(file, "tjgg"))
            return "it is in a GGML format older than GGUF";
        byte[] start = file.asSlice(0, Math.min(8, file.byteSize())).toArray(ValueLayout.JAVA_BYTE);
        return "it starts with " + HexFormat.ofDelimiter(" ").formatHex(start);
    }

    private static boolean startsWith(MemorySegment file, String magic) {
        byte[] bytes = magic.getBytes(StandardCharsets.US_ASCII);
        if (file.byteSize() < bytes.length) return false;
        return file.asSlice(0, bytes.length).mismatch(MemorySegment.ofArray(bytes)) == -1;
    }
}
