package fewsh.tokenize;

import ai.djl.huggingface.tokenizers.jni.CharSpan;
import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import fewsh.UserError;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/// One tokenizer inside the native library, made from the text of a `tokenizer.json`.
///
/// The library's native functions are called directly: its `HuggingFaceTokenizer` asks Amazon's metadata service and the
/// graphics driver about the machine when it starts, and may download a CUDA build of itself. Neither truncates nor pads,
/// whatever the file says. Any number of threads may encode and decode; [#close] waits for them.
final class Model implements AutoCloseable {
    private static TokenizersLibrary loaded;

    private final TokenizersLibrary library = library();
    private final ReadWriteLock lock = new ReentrantReadWriteLock();
    private long handle;

    /// @throws RuntimeException with the library's words, where it refuses the text
    Model(String json) {
        handle = library.createTokenizerFromString(json);
        library.disableTruncation(handle);
        library.disablePadding(handle);
    }

    /// @param text well-formed UTF-16
    int[] encode(String text, boolean addSpecial) {
        lock.readLock().lock();
        try {
            long encoding = library.encode(open(), text, addSpecial);
            try {
                return narrow(library.getTokenIds(encoding));
            } finally {
                library.deleteEncoding(encoding);
            }
        } finally {
            lock.readLock().unlock();
        }
    }

    /// @param text well-formed UTF-16
    /// @param pair a second text, or null
    Encoding encode(String text, String pair) {
        lock.readLock().lock();
        try {
            long encoding = pair == null ? library.encode(open(), text, true) : library.encodeDual(open(), text, pair, true);
            try {
                int[] texts = narrow(library.getSequenceIds(encoding));
                int[] starts = new int[texts.length];
                int[] ends = new int[texts.length];
                CharSpan[] spans = library.getTokenCharSpans(encoding);
                for (int i = 0; i < texts.length; i++) {
                    if (texts[i] < 0 || spans[i] == null) continue;
                    String of = texts[i] == 0 ? text : pair;
                    starts[i] = of.offsetByCodePoints(0, spans[i].getStart());
                    ends[i] = of.offsetByCodePoints(starts[i], spans[i].getEnd() - spans[i].getStart());
                }
                return new Encoding(narrow(library.getTokenIds(encoding)), narrow(library.getTypeIds(encoding)), texts, starts, ends);
            } finally {
                library.deleteEncoding(encoding);
            }
        } finally {
            lock.readLock().unlock();
        }
    }

    private static int[] narrow(long[] wide) {
        int[] narrow = new int[wide.length];
        for (int i = 0; i < wide.length; i++) narrow[i] = (int) wide[i];
        return narrow;
    }

    /// @param ids those the tokenizer does not know are passed over
    String decode(int[] ids, boolean skipSpecial) {
        long[] wide = new long[ids.length];
        for (int i = 0; i < ids.length; i++) wide[i] = ids[i];
        lock.readLock().lock();
        try {
            return library.decode(open(), wide, skipSpecial);
        } finally {
            lock.readLock().unlock();
        }
    }

    @Override
    public void close() {
        lock.writeLock().lock();
        try {
            if (handle != 0) library.deleteTokenizer(handle);
            handle = 0;
        } finally {
            lock.writeLock().unlock();
        }
    }

    private long open() {
        if (handle == 0) throw new IllegalStateException("tokenizer is closed");
        return handle;
    }

    /// The library with its native half loaded, once: from the file or folder that the system property `RUST_LIBRARY_PATH`
    /// names (the library's own convention), else from the jar by way of a temporary folder that is gone afterwards.
    private static synchronized TokenizersLibrary library() {
        if (loaded != null) return loaded;
        String named = System.getProperty("RUST_LIBRARY_PATH", "");
        try {
            Path path = Path.of(named).toAbsolutePath();
            if (named.isEmpty()) loadFromJar();
            else if (Files.isDirectory(path)) for (String name : files()) System.load(path.resolve(name).toString());
            else System.load(path.toString());
        } catch (IOException | UnsatisfiedLinkError e) {
            throw new UserError(named, "the tokenizers library cannot be loaded: " + e.getMessage(),
                    "it has native code for Linux and Windows on x86_64, Linux and macOS on aarch64", e);
        }
        loaded = TokenizersLibrary.LIB;
        return loaded;
    }

    private static void loadFromJar() throws IOException {
        Path folder = Files.createTempDirectory("fewsh-tokenizers");
        for (String name : files()) {
            Path file = folder.resolve(name);
            String inside = "/native/lib/" + platform() + "/cpu/" + name;
            try (InputStream in = TokenizersLibrary.class.getResourceAsStream(inside)) {
                if (in == null) throw new IOException("the tokenizers library has no " + inside);
                Files.copy(in, file);
            }
            System.load(file.toString());
        }
        for (String name : files())
            if (windows()) folder.resolve(name).toFile().deleteOnExit();
            else Files.delete(folder.resolve(name));
        if (windows()) folder.toFile().deleteOnExit();
        else Files.delete(folder);
    }

    private static List<String> files() {
        String own = System.mapLibraryName("tokenizers");
        return windows() ? List.of("libwinpthread-1.dll", "libgcc_s_seh-1.dll", "libstdc++-6.dll", own) : List.of(own);
    }

    private static boolean windows() {
        return System.getProperty("os.name").startsWith("Windows");
    }

    private static String platform() {
        String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String arch = System.getProperty("os.arch");
        return (os.startsWith("windows") ? "win" : os.startsWith("mac") ? "osx" : "linux") + '-'
                + (arch.equals("amd64") ? "x86_64" : arch);
    }
}
