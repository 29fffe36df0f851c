package fewsh.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonParser;
import fewsh.UserError;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Frequencies against those of `ROPE_INIT_FUNCTIONS` in Hugging Face's transformers 5.23, for heads of 16 and 256 positions.
class RopeTest {
    private static Settings settings(String json) {
        return new Settings("config.json", JsonParser.parseString("{" + json.replace('\'', '"') + "}").getAsJsonObject());
    }

    private static Rope rope(String json) {
        return Rope.of(settings(json), 16, 256);
    }

    private static final String YARN = "'rope_type': 'yarn', 'factor': 4.0, 'original_max_position_embeddings': 64";
    private static final String LONGROPE = "'factor': 4, 'short_factor': [1.0, 1.25, 1.5, 1.75, 2.0, 2.25, 2.5, 2.75],"
            + " 'long_factor': [2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 5.5]";

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '"', textBlock = """
            'rope_type': 'linear', 'factor': 2.5, 'rope_theta': 5000.0 \
            | 0.4 0.13793954 0.047568284 0.016403867 0.0056568542 0.0019507594 0.0006727171 0.0002319857 | 1
            'rope_type': 'dynamic', 'factor': 2.0, 'rope_theta': 10000.0 \
            | 1 0.31622776 0.1 0.03162278 0.01 0.0031622779 0.001 0.0003162278 | 1
            'rope_type': 'llama3', 'factor': 8.0, 'low_freq_factor': 1.0, 'high_freq_factor': 4.0, \
            'original_max_position_embeddings': 64, 'rope_theta': 500000.0 \
            | 1 0.07940301 0.004700754 0.00091158313 0.00017677668 3.4281024e-05 6.6478697e-06 1.2891732e-06 | 1
            'rope_type': 'yarn', 'factor': 4.0, 'original_max_position_embeddings': 64, 'rope_theta': 10000.0 \
            | 1 0.23717082 0.049999997 0.007905695 0.0025 0.00079056947 0.00025 7.905695e-05 | 1.138629436111989
            'rope_type': 'yarn', 'factor': 4.0, 'original_max_position_embeddings': 64, 'rope_theta': 10000.0, 'mscale': 0.7, \
            'mscale_all_dim': 1.3, 'beta_fast': 16, 'beta_slow': 2 \
            | 1 0.19764236 0.025 0.007905695 0.0025 0.00079056947 0.00025 7.905695e-05 | 0.9295234923939468
            'rope_type': 'yarn', 'factor': 4.0, 'original_max_position_embeddings': 64, 'rope_theta': 10000.0, \
            'attention_factor': 1.3, 'truncate': false \
            | 1 0.19858353 0.02559525 0.007905695 0.0025 0.00079056947 0.00025 7.905695e-05 | 1.3
            """)
    void frequenciesAreTheReferences(String parameters, String frequencies, float factor) {
        float[] expected = floats(frequencies);
        for (String dialect : new String[] {"'rope_parameters': {" + parameters + "}",
                // transformers 4 has the base apart
                "'rope_theta': " + parameters.replaceFirst(".*'rope_theta': ([0-9.]+).*", "$1") + ", 'rope_scaling': {"
                        + parameters.replaceFirst(", 'rope_theta': [0-9.]+", "") + "}"}) {
            Rope rope = rope(dialect);
            assertClose(expected, rope.inverseFrequencies());
            assertEquals(factor, rope.factor(), 1e-6f);
            assertNull(rope.longer());
        }
    }

    @Test
    void longropeHasFrequenciesOfLongerSequences() {
        for (String settings : new String[] {
            "'rope_parameters': {'rope_type': 'longrope', 'original_max_position_embeddings': 64, " + LONGROPE + "}",
            "'original_max_position_embeddings': 64, 'rope_scaling': {'type': 'su', " + LONGROPE + "}",
            "'original_max_position_embeddings': 64, 'rope_scaling': {'type': 'longrope', " + LONGROPE.substring(13) + "}"}) {
            Rope rope = rope(settings);
            assertClose(floats("1 0.25298223 0.06666667 0.018070158 0.005 0.0014054568 0.0004 0.00011499191"), rope.inverseFrequencies());
            assertClose(floats("0.5 0.12649111 0.033333335 0.009035079 0.0025 0.0007027284 0.0002 5.7495956e-05"), rope.longer());
            assertEquals(1.1547005383792517f, rope.factor(), 1e-6f);
            assertEquals(64, rope.shortPositions());
            float[] cos = rope.tables()[0];
            assertEquals(320 * 8, cos.length);
            assertEquals(Math.cos(3 * 0.25298223) * 1.1547005, cos[3 * 8 + 1], 1e-6);
            assertEquals(Math.cos(3 * 0.12649111) * 1.1547005, cos[(64 + 3) * 8 + 1], 1e-6);
        }
    }

    @Test
    void theContextsOwnLengthStandsInForTheOriginalOne() {
        assertClose(rope("'rope_scaling': {" + YARN.replace("64", "256") + "}").inverseFrequencies(),
                rope("'rope_scaling': {'rope_type': 'yarn', 'factor': 4}").inverseFrequencies());
    }

    @Test
    void whatIsWrongIsRefused() {
        for (String wrong : new String[] {"'rope_scaling': {'rope_type': 'mrope'}", "'rope_scaling': {'rope_type': 'linear'}",
            "'rope_scaling': {'rope_type': 'linear', 'factor': 0}", "'rope_theta': 1", "'partial_rotary_factor': 0.5",
            "'rope_parameters': {'partial_rotary_factor': 0.5}", "'rope_scaling': {'rope_type': 'longrope', 'short_factor': [1]}",
            "'rope_scaling': {'type': 'longrope', 'original_max_position_embeddings': 0.5, " + LONGROPE + "}",
            "'rope_scaling': {'type': 'longrope', 'original_max_position_embeddings': -1, " + LONGROPE + "}"})
            assertTrue(assertThrows(UserError.class, () -> rope(wrong), wrong).where().startsWith("config.json"), wrong);
    }

    private static float[] floats(String numbers) {
        String[] each = numbers.split(" ");
        float[] floats = new float[each.length];
        for (int i = 0; i < floats.length; i++) floats[i] = Float.parseFloat(each[i]);
        return floats;
    }

    private static void assertClose(float[] expected, float[] actual) {
        assertEquals(expected.length, actual.length);
        for (int i = 0; i < expected.length; i++) assertEquals(1, actual[i] / expected[i], 1e-6f);
    }
}
