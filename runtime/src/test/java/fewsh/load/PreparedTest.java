package fewsh.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fewsh.Shared;
import fewsh.generate.CausalLm;
import fewsh.models.Adaptation;
import fewsh.models.Checkpoint;
import fewsh.models.Precision;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PreparedTest {
    private static final Path GOLDEN = Path.of("src/test/resources/golden/prepared.txt");

    @TempDir
    Path home;

    /// Conversions are kept on people's machines under the number of their format: what changes the bytes must change the
    /// number, or an old conversion would go on being used. `-Dgolden.update=true` writes the file again once that is done.
    @Test
    void otherBytesNeedAnotherFormat() throws IOException {
        StringBuilder made = new StringBuilder("format " + Prepared.FORMAT + "\n");
        for (Precision precision : List.of(Precision.FP32, Precision.INT8, Precision.INT4))
            try (Checkpoint checkpoint = Checkpoint.open(Shared.project().resolve("build/warm-up.gguf"))) {
                LoadOptions options = LoadOptions.in(home).withPrecision(precision);
                Path folder = Prepared.of(Adaptation.none(checkpoint), precision, options).folder();
                for (String name : List.of("model.onnx", "model.onnx.data")) {
                    CRC32C crc = new CRC32C();
                    crc.update(Files.readAllBytes(folder.resolve(name)));
                    made.append(precision.word()).append(' ').append(name).append(' ')
                            .append(HexFormat.of().toHexDigits((int) crc.getValue())).append('\n');
                }
            }
        String known = Files.readString(GOLDEN);
        boolean raised = !known.startsWith("format " + Prepared.FORMAT + "\n");
        if (Boolean.getBoolean("golden.update") && raised) Files.writeString(GOLDEN, made);
        assertEquals(Files.readString(GOLDEN), made.toString());
    }

    @Test
    void whatAKilledProcessLeftHalfBuiltIsRemovedAfterAnHour() throws IOException {
        Path cache = home.resolve("cache/elsewhere");
        Path old = Files.createDirectories(cache.resolve("building-1"));
        Files.writeString(old.resolve("model.onnx.data"), "half");
        Files.setLastModifiedTime(old, FileTime.from(Instant.now().minus(Duration.ofHours(2))));
        Path recent = Files.createDirectories(cache.resolve("building-2"));
        CausalLm.open(Shared.project().resolve("build/warm-up.gguf"), LoadOptions.in(home).withPrecision(Precision.FP32)).close();
        assertFalse(Files.exists(old));
        assertTrue(Files.exists(recent));
    }
}
