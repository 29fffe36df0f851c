package fewsh.shell;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Models of the store, on one that is referred to by its path.
class ModelsTest {
    @TempDir Path home;
    private Cli cli;
    private Path model;

    @BeforeEach
    void makeModel() {
        cli = Cli.in(home.resolve("home"));
        model = Cli.alphabet(home);
    }

    @Test
    void aPulledModelIsListedShownAndTheOneThatIsUsed() throws IOException {
        Files.createDirectories(home.resolve("home"));
        assertTrue(cli.run("models").err().startsWith("no model yet; these have a name: "));
        assertEquals("", cli.run("models", "--json").out());
        JsonObject pulled = JsonParser.parseString(cli.run("pull", model.toString(), "--json").out()).getAsJsonObject();
        assertEquals("alphabet", pulled.get("name").getAsString());
        assertTrue(cli.run("models").out().lines().skip(1).findFirst().orElseThrow().startsWith("alphabet  "));
        JsonObject listed = JsonParser.parseString(cli.run("models", "--json").out()).getAsJsonObject();
        assertEquals("alphabet", listed.get("name").getAsString());
        assertEquals("yz\n", cli.run("ask", "--raw", "x").out());
        assertEquals("alphabet", JsonParser.parseString(cli.run("ask", "--json", "--raw", "x").out()).getAsJsonObject()
                .get("model")
                .getAsString());
    }

    @Test
    void aRemovedModelIsForgottenAndItsOwnFilesStay() {
        cli.run("pull", model.toString());
        Cli.Result removed = cli.run("rm", "alphabet");
        assertEquals(0, removed.code());
        assertEquals("", removed.out());
        assertTrue(removed.err().startsWith("alphabet is gone"), removed.err());
        assertTrue(Files.exists(model.resolve("model.safetensors")));
        assertEquals(2, cli.run("rm", "alphabet").code());
    }

    @Test
    void ofSeveralModelsOneMustBeNamed() throws IOException {
        cli.run("pull", model.toString());
        cli.run("pull", fewsh.models.TinyModels.llama(home.resolve("other"), 1).toString());
        Cli.Result result = cli.run("ask", "--raw", "x");
        assertEquals(2, result.code());
        assertEquals("error: there are 2 models and none was named\n  fix: add -m MODEL or set FEWSH_MODEL: alphabet, other\n",
                result.err());
        assertEquals("yz\n", cli.run("ask", "-m", "alphabet", "--raw", "x").out());
    }

    @Test
    void aNameThatIsInNoCatalogueIsRefused() {
        Cli.Result result = cli.run("pull", "smolm2");
        assertEquals(2, result.code());
        assertTrue(result.err().contains("smollm2"), result.err());
        assertFalse(result.err().contains("Exception"), result.err());
    }

    @Test
    void theShellPullsAndLoadsTheFirstModel() {
        assertEquals("", cli.run("-c", "/pull " + model + "\n/set max_tokens 3\nhello\n/models").err()
                .replaceAll("alphabet · .*\n", ""));
        assertTrue(cli.run("-c", "/set max_tokens 3\nhello").out().startsWith("abc"));
    }
}
