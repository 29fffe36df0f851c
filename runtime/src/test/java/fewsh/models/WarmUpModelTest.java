package fewsh.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import fewsh.Shared;
import fewsh.generate.CausalLm;
import fewsh.generate.Score;
import fewsh.load.LoadOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The model that the build starts the program with, so that what a model needs is in the AOT cache.
class WarmUpModelTest {
    private static final Path FILE = Shared.project().resolve("build/warm-up.gguf");

    /// `-Dgolden.update=true` writes it again.
    @Test
    void isTheOneThatTheTestsMake() throws IOException {
        if (Boolean.getBoolean("golden.update")) Files.write(FILE, TinyModels.gguf());
        assertArrayEquals(TinyModels.gguf(), Files.readAllBytes(FILE));
    }

    @Test
    void opensAtEachPrecisionAndScoresAlike(@TempDir Path home) {
        double[] sums = new double[3];
        for (Precision precision : new Precision[] {Precision.FP32, Precision.INT8, Precision.INT4})
            try (CausalLm lm = CausalLm.open(FILE, LoadOptions.in(home).withPrecision(precision)); var cache = lm.cache()) {
                Score score = lm.score(cache, "abc", "def");
                sums[precision.ordinal() - 1] = score.loglikelihood() / score.tokens().size();
            }
        assertEquals(sums[0], sums[1], 0.1);
        assertEquals(sums[0], sums[2], 0.1);
    }
}
