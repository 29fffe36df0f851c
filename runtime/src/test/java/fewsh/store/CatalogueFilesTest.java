package fewsh.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import fewsh.Shared;
import fewsh.UserError;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The catalogue's checksums against the files themselves.
@Shared.Suite({"models/smollm2-135m-instruct-gguf/SmolLM2-135M-Instruct.Q4_1.gguf", "models/all-minilm-l6-v2"})
class CatalogueFilesTest {
    @Test
    void smollm2IsTheFileThatItsGoldenOutputsAreOf() throws Exception {
        StoredFile file = Catalogue.builtIn().find("smollm2").orElseThrow().files().getFirst();
        Path path = Shared.path("models/smollm2-135m-instruct-gguf").resolve(file.name());
        assertEquals(Files.size(path), file.size());
        assertEquals(FileServer.sha256(Files.readAllBytes(path)), file.sha256());
    }

    @Test
    void allMinilmIsTheFolderThatItsGoldenOutputsAreOf() throws Exception {
        for (StoredFile file : Catalogue.builtIn().find("all-minilm-l6-v2").orElseThrow().files()) {
            Path path = Shared.path("models/all-minilm-l6-v2").resolve(file.name());
            if (!file.name().equals("model.safetensors")) assertEquals(FileServer.sha256(Files.readAllBytes(path)),
                    file.sha256());
        }
    }

    @Test
    void aSharedModelIsReferredToAndResolves(@TempDir Path root) throws Exception {
        Store store = new Store(new Home(root), Catalogue.builtIn(), Map.of());
        Path folder = Shared.path("models/all-minilm-l6-v2").toAbsolutePath().normalize();
        assertThrows(UserError.class, () -> store.pull(folder.toString(), _ -> {}));
        Path file = Shared.path("models/smollm2-135m-instruct-gguf/SmolLM2-135M-Instruct.Q4_1.gguf").toAbsolutePath().normalize();
        assertEquals(Catalogue.builtIn().find("smollm2").orElseThrow().files().getFirst().sha256(),
                store.pull(file.toString(), "local", _ -> {}).sha256());
        assertEquals(file, store.resolve("local").path());
    }
}
