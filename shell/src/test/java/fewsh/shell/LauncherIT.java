package fewsh.shell;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fewsh.Shared;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The program as a person starts it: `./fewsh`, in a process of its own, in an environment in which nothing exists yet.
class LauncherIT {
    @TempDir Path scratch;
    private Path home;
    private Path temporary;
    private Path elsewhere;

    record Ended(int code, String out, String err) {}

    @BeforeEach
    void makeEmptyFolders() throws IOException {
        home = Files.createDirectory(scratch.resolve("home"));
        temporary = Files.createDirectory(scratch.resolve("tmp"));
        elsewhere = Files.createDirectory(scratch.resolve("else where"));
    }

    @Test
    void versionGoesToStdoutAndNothingToStderr() throws Exception {
        assertEquals(new Ended(0, "fewsh 0.1.0\n", ""), run(Shared.project().resolve("fewsh"), Map.of(), "--version"));
    }

    @Test
    void aStartLeavesNoFileBehind() throws Exception {
        run(Shared.project().resolve("fewsh"), Map.of("FEWSH_JAVA_OPTS", "-Djava.io.tmpdir=" + temporary), "--version");
        for (Path folder : List.of(home, temporary, elsewhere)) assertEquals(List.of(), filesIn(folder));
    }

    @Test
    void startsThroughASymbolicLinkFromAnyFolder() throws Exception {
        Path link = Files.createSymbolicLink(scratch.resolve("few-shot"), Shared.project().resolve("fewsh"));
        assertEquals(new Ended(0, "fewsh 0.1.0\n", ""), run(link, Map.of(), "--version"));
        Files.delete(link);
    }

    @Test
    void aCopyOfTheBuiltFolderRunsByItself() throws Exception {
        Path copy = elsewhere.resolve("fewsh");
        copyFolder(Shared.project().resolve("shell/target/dist"), copy);
        assertEquals(new Ended(0, "fewsh 0.1.0\n", ""), run(copy.resolve("fewsh"), Map.of(), "--version"));
    }

    @Test
    void aCacheThatWasCutShortIsPassedOverInSilence() throws Exception {
        Path copy = elsewhere.resolve("fewsh");
        copyFolder(Shared.project().resolve("shell/target/dist"), copy);
        Path cache = filesIn(copy).stream().filter(f -> f.toString().endsWith(".aot")).findFirst().orElseThrow();
        Files.write(cache, new byte[] {1, 2, 3});
        assertEquals(new Ended(0, "fewsh 0.1.0\n", ""), run(copy.resolve("fewsh"), Map.of(), "--version"));
    }

    @Test
    void theCacheIsUsed() throws Exception {
        Map<String, String> log = Map.of("FEWSH_JAVA_OPTS", "-Xlog:aot=info:stdout -Xlog:class+load:stdout");
        String out = run(Shared.project().resolve("fewsh"), log, "--version").out();
        assertTrue(out.lines().anyMatch(l -> l.contains("fewsh.shell.Main source: shared objects file")), out);
    }

    @Test
    void nativeLibrariesAreExtractedOnce() throws Exception {
        List<String> names = filesIn(Shared.project().resolve("shell/target/dist/natives")).stream()
                .map(f -> f.getFileName().toString()).toList();
        for (String library : List.of("onnxruntime", "onnxruntime4j_jni", "tokenizers"))
            assertTrue(names.contains(System.mapLibraryName(library)), library + " is not among " + names);
        assertTrue(names.stream().anyMatch(n -> n.startsWith("libjlinenative.")), names.toString());
    }

    @Test
    void argumentsAreReadAsUtf8WhateverTheLocaleSays() throws Exception {
        Ended ended = run(Shared.project().resolve("fewsh"),
                Map.of("LC_ALL", "C", "FEWSH_JAVA_OPTS", "-XshowSettings:properties"), "--version");
        assertTrue(ended.err().lines().anyMatch(l -> l.strip().equals("sun.jnu.encoding = UTF-8")), ended.err());
    }

    @Test
    void aFolderThatIsNoJdk25IsRefusedWithAWayOut() throws Exception {
        Ended ended = run(Shared.project().resolve("fewsh"), Map.of("FEWSH_JAVA_HOME", elsewhere.toString()), "--version");
        assertEquals(2, ended.code());
        assertEquals("", ended.out());
        assertEquals("error: FEWSH_JAVA_HOME: \"" + elsewhere + "\" is not a JDK 25\n"
                + "  fix: name the folder that has bin/java of a JDK 25, or unset it to have one looked for\n", ended.err());
    }

    private Ended run(Path program, Map<String, String> environment, String... arguments) throws Exception {
        Path out = scratch.resolve("out");
        Path err = scratch.resolve("err");
        ProcessBuilder builder = new ProcessBuilder(Stream.concat(Stream.of(program.toString()), Stream.of(arguments)).toList())
                .directory(elsewhere.toFile()).redirectOutput(out.toFile()).redirectError(err.toFile());
        builder.environment().putAll(Map.of("HOME", home.toString(), "FEWSH_HOME", home.resolve(".fewsh").toString(),
                "TMPDIR", temporary.toString()));
        builder.environment().putAll(environment);
        Process process = builder.start();
        process.getOutputStream().close();
        assertTrue(process.waitFor(60, TimeUnit.SECONDS), "still running after a minute");
        return new Ended(process.exitValue(), Files.readString(out, StandardCharsets.UTF_8), Files.readString(err));
    }

    private static List<Path> filesIn(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(f -> !f.equals(folder)).toList();
        }
    }

    private static void copyFolder(Path from, Path to) throws IOException {
        Files.createDirectories(to);
        for (Path file : filesIn(from))
            Files.copy(file, to.resolve(from.relativize(file)), StandardCopyOption.COPY_ATTRIBUTES);
    }
}
