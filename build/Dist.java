/// Lays out the program that `fewsh` starts, in `shell/target/dist`: the launcher, `lib/` with `fewsh.jar` and what it
/// needs, `natives/` with the native libraries of this platform, and the AOT cache of a warmed-up run.
///
/// Run by `build/dist` in Maven's `package` phase with PROJECT JAR CLASSPATH START, where JAR is the shell's jar, CLASSPATH
/// its runtime class path and START when the build began (ISO 8601). Files that are as they were stay untouched and others
/// are replaced by a rename, since an older `fewsh` may be running from them. Last comes the file `built`, dated START:
/// a source newer than that makes the launcher build again.

/// A jar that holds native libraries, by how its name starts, and the folder in it that has this platform's.
record Natives(String jar, String folder) {}

List<Natives> natives() {
    boolean mac = System.getProperty("os.name").startsWith("Mac");
    boolean arm = System.getProperty("os.arch").equals("aarch64");
    return List.of(
            new Natives("onnxruntime", "ai/onnxruntime/native/" + (mac ? "osx-" : "linux-") + (arm ? "aarch64" : "x64")),
            new Natives("tokenizers-", "native/lib/" + (mac ? "osx-" : "linux-") + (arm ? "aarch64" : "x86_64") + "/cpu"),
            new Natives("jline-", "org/jline/nativ/" + (mac ? "Mac/" : "Linux/") + (arm ? "arm64" : "x86_64")));
}

void main(String[] args) throws Exception {
    Path project = Path.of(args[0]);
    Path dist = project.resolve("shell/target/dist");
    Instant start = Instant.parse(args[3]);

    Map<String, Path> files = new TreeMap<>();
    files.put("fewsh", project.resolve("fewsh"));
    files.put("build/jdk25.sh", project.resolve("build/jdk25.sh"));
    files.put("lib/fewsh.jar", Path.of(args[1]));
    for (String entry : args[2].split(File.pathSeparator))
        if (entry.endsWith(".jar")) files.put("lib/" + Path.of(entry).getFileName(), Path.of(entry));
    boolean changed = false;
    for (var file : files.entrySet())
        changed |= copy(file.getValue(), dist.resolve(file.getKey()));
    changed |= keepOnly(dist.resolve("lib"), files.keySet());
    if (changed) extractNatives(dist);
    if (changed) removeCaches(dist);
    warmUp(dist, project.resolve("build/warm-up.gguf"));

    Path built = dist.resolve("built");
    if (!Files.exists(built)) Files.createFile(built);
    Files.setLastModifiedTime(built, FileTime.from(start));
}

/// Makes `to` the same as `from`, its time included; false when it was already.
boolean copy(Path from, Path to) throws IOException {
    if (Files.exists(to) && Files.size(to) == Files.size(from)
            && Files.getLastModifiedTime(to).equals(Files.getLastModifiedTime(from))) return false;
    Files.createDirectories(to.getParent());
    Path part = to.resolveSibling(to.getFileName() + ".part");
    Files.copy(from, part, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.COPY_ATTRIBUTES);
    Files.move(part, to, StandardCopyOption.ATOMIC_MOVE);
    return true;
}

boolean keepOnly(Path lib, Set<String> names) throws IOException {
    boolean removed = false;
    for (Path file : list(lib))
        if (!names.contains("lib/" + file.getFileName())) removed |= Files.deleteIfExists(file);
    return removed;
}

void extractNatives(Path dist) throws IOException {
    Path folder = Files.createDirectories(dist.resolve("natives"));
    Set<Path> wanted = new HashSet<>();
    for (Natives natives : natives()) {
        Path jar = list(dist.resolve("lib")).stream().filter(j -> j.getFileName().toString().startsWith(natives.jar()))
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("no jar " + natives.jar() + "* on the class path"));
        try (FileSystem inside = FileSystems.newFileSystem(jar)) {
            Path from = inside.getPath(natives.folder());
            if (!Files.isDirectory(from))
                throw new IllegalStateException(jar.getFileName() + " has no native libraries for this platform: no " + from);
            for (Path library : list(from)) {
                if (Files.isDirectory(library)) continue; // debug symbols on macOS
                Path to = folder.resolve(library.getFileName().toString());
                copy(library, to);
                wanted.add(to);
            }
        }
    }
    for (Path file : list(folder))
        if (!wanted.contains(file)) Files.delete(file);
}

void removeCaches(Path dist) throws IOException {
    for (Path file : list(dist))
        if (file.toString().contains(".aot")) Files.delete(file);
}

/// Has the launcher record the AOT cache for the JDK it finds, unless it is there.
void warmUp(Path dist, Path model) throws IOException, InterruptedException {
    Path home = Files.createTempDirectory("fewsh-warm-up");
    Path log = dist.resolveSibling("warm-up.log");
    ProcessBuilder launcher = new ProcessBuilder(dist.resolve("fewsh").toString(), model.toAbsolutePath().toString())
            .redirectErrorStream(true).redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null"))).redirectOutput(log.toFile());
    launcher.environment().put("FEWSH_WARM_UP", "1");
    launcher.environment().put("FEWSH_HOME", home.toString());
    launcher.environment().remove("FEWSH_JAVA_OPTS");
    int code = launcher.start().waitFor();
    try (Stream<Path> made = Files.walk(home)) {
        for (Path path : made.sorted(Comparator.reverseOrder()).toList()) Files.delete(path);
    }
    if (code != 0) throw new IllegalStateException("the warm-up run ended with exit code " + code + ": see " + log);
    for (Path file : list(dist)) {
        String name = file.toString();
        if (name.endsWith(".aot.new"))
            Files.move(file, Path.of(name.substring(0, name.length() - ".new".length())), StandardCopyOption.ATOMIC_MOVE);
    }
}

List<Path> list(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
        return files.sorted().toList();
    }
}
