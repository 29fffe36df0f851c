package fewsh.store;

import fewsh.UserError;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// The folder in which a model or plugin is put together, `.pull/NAME` of the shelf where it will be: `models` or `providers`.
/// Used under its [Lock].
///
/// Files arrive as `*.part`. When all are verified `model.json` is written: from then on the model only has to be moved, and a
/// pull that was killed before that is done by the next one.
final class Staging {
    private final Path shelf;
    private final String name;
    private final Path folder;

    Staging(Path shelf, String name) {
        this.shelf = shelf;
        this.name = name;
        this.folder = Home.staging(shelf).resolve(name);
    }

    Path folder() {
        return folder;
    }

    Partial partial(Wanted wanted, String place, Consumer<Progress> progress) throws InterruptedException {
        return Partial.open(folder, wanted, place, progress);
    }

    /// A folder of this model for another program to write to, on the disk where the model will be; remove it.
    Path scratch() {
        Path scratch = doomed();
        Disk.createDirectories(scratch);
        return scratch;
    }

    /// A new path, which the next pull removes if it is there.
    Path doomed() {
        return Home.staging(shelf).resolve(name + "+" + UUID.randomUUID());
    }

    /// Removes what a killed pull left of such folders. (No model's name holds a `+`.)
    void tidy() {
        if (!Files.isDirectory(Home.staging(shelf))) return;
        Pattern mine = Pattern.compile(Pattern.quote(name) + "\\+[0-9a-f-]{36}");
        try (Stream<Path> all = Files.list(Home.staging(shelf))) {
            for (Path path : all.filter(p -> mine.matcher(p.getFileName().toString()).matches()).toList()) Disk.delete(path);
        } catch (IOException e) {
            throw Disk.unreadable(Home.staging(shelf), e);
        }
    }

    /// Finishes what an earlier pull had verified and was killed before moving.
    void recover() {
        Path file = folder.resolve(Manifest.FILE);
        if (!Files.isRegularFile(file)) return;
        try {
            move(Manifest.read(file));
        } catch (UserError e) { // written whole or not at all, so this is damage: what can be trusted is found out file by file
            Disk.delete(file);
        }
    }

    /// Makes the files that have arrived, all verified, the model.
    Model commit(Manifest manifest) {
        Disk.createDirectories(folder);
        Disk.write(folder.resolve(Manifest.FILE), manifest.json());
        move(manifest);
        return manifest.model(shelf.resolve(name));
    }

    /// Each step can be repeated.
    private void move(Manifest manifest) {
        if (!manifest.name().equals(name)) throw new UserError(folder.toString(), "holds another model", "");
        Set<Path> keep = new HashSet<>(Set.of(folder.resolve(Manifest.FILE)));
        for (StoredFile file : manifest.path().isEmpty() ? manifest.files() : List.<StoredFile>of()) {
            Path whole = folder.resolve(file.name());
            Path part = folder.resolve(file.name() + ".part");
            if (Files.isRegularFile(part, LinkOption.NOFOLLOW_LINKS)) Disk.move(part, whole);
            if (!isOf(whole, file.size())) throw new UserError(whole.toString(), "is not there", "");
            for (Path p = whole; !p.equals(folder); p = p.getParent()) keep.add(p);
        }
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path path : all.filter(p -> !p.equals(folder) && !keep.contains(p)).toList()) Disk.delete(path);
        } catch (IOException e) {
            throw Disk.unreadable(folder, e);
        }
        Path place = shelf.resolve(name);
        Path old = doomed();
        if (Files.exists(place, LinkOption.NOFOLLOW_LINKS)) Disk.move(place, old);
        Disk.move(folder, place);
        Disk.delete(old);
    }

    static boolean isOf(Path file, long size) {
        try {
            return Files.isRegularFile(file) && Files.size(file) == size;
        } catch (IOException e) {
            throw Disk.unreadable(file, e);
        }
    }
}
