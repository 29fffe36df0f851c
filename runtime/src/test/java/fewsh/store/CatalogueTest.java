package fewsh.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fewsh.Shared;
import fewsh.UserError;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CatalogueTest {
    @Test
    void everyEntryCanBePulledByName() {
        Catalogue catalogue = Catalogue.builtIn();
        assertTrue(catalogue.find("smollm2").isPresent());
        for (Catalogue.Entry entry : catalogue.entries()) {
            assertTrue(entry.size() > 0 && !entry.what().isEmpty() && !entry.licence().isEmpty() && !entry.sources().isEmpty(), entry.name());
            for (Source source : entry.sources()) assertTrue(!(source instanceof Source.Local), source.spec());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{}", "{\"models\":[{}]}", "{\"models\":[{\"name\":\"../x\"}]}",
        "{\"models\":[{\"name\":\"x\",\"what\":\"\",\"licence\":\"\",\"files\":[{\"name\":\"a\",\"size\":1,\"sha256\":\"\"}],\"sources\":[]}]}",
        "{\"models\":[{\"name\":\"x\",\"what\":\"\",\"licence\":\"\",\"files\":[],\"sources\":[\"hf:x\"]}]}",
        "{\"models\":[{\"name\":\"x\",\"what\":\"\",\"licence\":\"\",\"files\":[],\"sources\":[3]}]}"})
    void whatIsNoCatalogueIsAUserError(String json) {
        assertThrows(UserError.class, () -> Catalogue.read(json, "c.json"));
    }

    /// The catalogue's checksums against the files themselves.
    @Shared.Suite({"models/smollm2-135m-instruct-gguf/SmolLM2-135M-Instruct.Q4_1.gguf", "models/all-minilm-l6-v2"})
    static class AgainstTheFiles {
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
                if (!file.name().equals("model.safetensors")) assertEquals(FileServer.sha256(Files.readAllBytes(path)), file.sha256());
            }
        }

        @Test
        void aSharedModelIsReferredToAndResolves(@org.junit.jupiter.api.io.TempDir Path root) throws Exception {
            Store store = new Store(new Home(root), Catalogue.builtIn(), Map.of());
            Path folder = Shared.path("models/all-minilm-l6-v2").toAbsolutePath().normalize();
            assertThrows(UserError.class, () -> store.pull(folder.toString(), _ -> {}));
            Path file = Shared.path("models/smollm2-135m-instruct-gguf/SmolLM2-135M-Instruct.Q4_1.gguf").toAbsolutePath().normalize();
            assertEquals(Catalogue.builtIn().find("smollm2").orElseThrow().files().getFirst().sha256(),
                    store.pull(file.toString(), "local", _ -> {}).sha256());
            assertEquals(file, store.resolve("local").path());
        }
    }
}
