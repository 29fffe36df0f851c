package fewsh.store;

/// A file of a model and how to know it.
///
/// @param name relative to the model's folder, `/` between folders
/// @param size in bytes; −1 when unknown
/// @param sha256 64 lower-case hexadecimal digits; empty when unknown
public record StoredFile(String name, long size, String sha256) {
    public StoredFile {
        if (!sha256.isEmpty() && !sha256.matches("[0-9a-f]{64}"))
            throw new IllegalArgumentException("\"" + sha256 + "\" is not a sha256");
    }
}
