package fewsh.store;

/// A file that a download should become, as far as that is known before.
///
/// @param size in bytes; −1 when unknown
/// @param sha256 of its bytes; empty when unknown
/// @param gitSha1 git's name for it (SHA-1 of `blob <size>\0` and its bytes), as a hub gives for small files; empty when unknown
record Wanted(String name, long size, String sha256, String gitSha1) {
    static Wanted of(StoredFile file) {
        return new Wanted(file.name(), file.size(), file.sha256(), "");
    }

    /// What makes two downloads the same file: its checksum, else the place it comes from.
    String identity(String place) {
        return !sha256.isEmpty() ? "sha256:" + sha256 : !gitSha1.isEmpty() ? "git:" + gitSha1 : place;
    }

    boolean hasChecksum() {
        return !sha256.isEmpty() || !gitSha1.isEmpty();
    }
}
