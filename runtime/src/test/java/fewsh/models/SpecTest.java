package fewsh.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import fewsh.UserError;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SpecTest {
    private static Scaled scaled(String path, double scale) {
        return new Scaled(Path.of(path), scale);
    }

    @Test
    void adaptersFollowTheModelEachWithAScale() {
        assertEquals(new Spec("m", List.of()), Spec.parse("m"));
        assertEquals(new Spec("m", List.of(scaled("a", 1))), Spec.parse("m+a"));
        assertEquals(new Spec("m.gguf", List.of(scaled("x/a", 0.7), scaled("b", -1), scaled("c", 1))), Spec.parse("m.gguf+x/a@0.7+b@-1+c"));
        assertEquals(new Spec("m", List.of(scaled("a", 0.5))), Spec.parse("m+a@.5"));
    }

    @Test
    void onlyANumberAtTheEndIsAScale() {
        assertEquals(new Spec("user@host", List.of(scaled("a@home", 1))), Spec.parse("user@host+a@home"));
        assertEquals(new Spec("m@2", List.of(scaled("v@1/a", 2))), Spec.parse("m@2+v@1/a@2"));
        assertEquals(new Spec("m", List.of(scaled("a@1.2.3", 1))), Spec.parse("m+a@1.2.3"));
    }

    @Test
    void aFileThatIsThereIsTakenByItsWholeName(@TempDir Path folder) throws IOException {
        Path model = Files.createDirectories(folder.resolve("c++"));
        Path adapter = Files.createDirectories(folder.resolve("a+b@3"));
        assertEquals(new Spec(model.toString(), List.of()), Spec.parse(model.toString()));
        assertEquals(new Spec(model.toString(), List.of(new Scaled(adapter, 1))), Spec.parse(model + "+" + adapter));
        assertEquals(new Spec(model.toString(), List.of(new Scaled(adapter, 0.5), scaled("z", 2))), Spec.parse(model + "+" + adapter + "@0.5+z@2"));
    }

    @Test
    void emptyPartsAreRefused() {
        for (String text : List.of("", "+a", "m+", "m++a", "m+a+"))
            assertThrows(UserError.class, () -> Spec.parse(text), text);
    }
}
