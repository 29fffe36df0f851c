package fewsh.store;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;

/// A model that is on this machine, and what is known about it.
///
/// @param name in the store; a file's or folder's own name when it is not in the store
/// @param path what to open: a folder, or the one `.gguf` or `.onnx` file that is the whole model
/// @param source as in [Source#spec()]; empty when unknown
/// @param licence as its publisher states it; empty when unknown
/// @param date when it was stored, ISO 8601; empty when unknown
/// @param files relative to the model's folder; empty for a path that is not in the store
public record Model(String name, Path path, String source, String licence, String date, List<StoredFile> files) {
    public Model {
        files = List.copyOf(files);
    }

    /// Bytes of all files.
    public long size() {
        return files.stream().mapToLong(StoredFile::size).sum();
    }

    /// The checksum of a model of one file; of several, that of what `sha256sum` prints for them in the order of their names.
    /// Empty when a file's is unknown.
    public String sha256() {
        if (files.isEmpty() || files.stream().anyMatch(f -> f.sha256().isEmpty())) return "";
        if (files.size() == 1) return files.getFirst().sha256();
        String list = files.stream()
                .sorted(Comparator.comparing(StoredFile::name))
                .map(f -> f.sha256() + "  " + f.name() + "\n")
                .collect(Collectors.joining());
        return Disk.hex(Disk.sha256().digest(list.getBytes(StandardCharsets.UTF_8)));
    }

    /// What to open of `files` in `folder`: a lone GGUF or ONNX file that no `config.json` explains, the folder otherwise.
    static Path weights(Path folder, List<StoredFile> files) {
        if (files.stream().anyMatch(f -> f.name().endsWith("config.json"))) return folder;
        List<String> whole = files.stream()
                .map(StoredFile::name)
                .filter(n -> n.matches("(?i).*\\.(gguf|onnx)") && !n.matches(".*-(?!00001)\\d{5}-of-\\d{5}\\.gguf"))
                .toList();
        return whole.size() == 1 ? folder.resolve(whole.getFirst()) : folder;
    }
}
