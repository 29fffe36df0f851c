package fewsh.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import fewsh.UserError;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConfigurationTest {
    @TempDir
    Path folder;

    private static Settings settings(String json) {
        return new Settings("config.json", JsonParser.parseString(json).getAsJsonObject());
    }

    /// Expected as `from_dict` of transformers 5.23 reads them.
    @Test
    void aSettingCountsUnderEachOfItsNames() {
        assertEquals(4, Gpt2.Config.of(settings("{\"num_attention_heads\": 4}")).nHead());
        assertEquals(3, Gpt1.Config.of(settings("{\"num_hidden_layers\": 3}")).nLayer());
        assertEquals(3, Bart.Config.of(settings("{\"num_hidden_layers\": 3}")).encoderLayers());
        assertEquals(8, T5.Config.of(settings("{\"head_dim\": 8}")).dKv());
        assertEquals(2, DistilBert.Config.of(settings("{\"num_attention_heads\": 2, \"architectures\": [\"DistilBertModel\"]}")).nHead());
        assertEquals(5, Gpt2.Config.of(settings("{\"n_layer\": 5, \"num_hidden_layers\": 6}")).nLayer());
    }

    /// As `Phi3Config` of transformers 5.23 makes it of these.
    @Test
    void phi3IsOf4096PositionsBeforeTheyWereStretched() {
        Rope rope = Phi3.Config.of(settings("""
                {"vocab_size": 10, "hidden_size": 32, "num_attention_heads": 4, "intermediate_size": 8, "num_hidden_layers": 1,
                 "max_position_embeddings": 8192, "rope_scaling": {"type": "longrope", "short_factor": [1, 1, 1, 1],
                 "long_factor": [2, 2, 2, 2]}}""")).rope();
        assertEquals(4096, rope.shortPositions());
    }

    @Test
    void whatChangesTheModelIsRefusedByName() throws IOException {
        TinyModels.gpt2(folder, 1);
        JsonObject config = JsonParser.parseString(Files.readString(folder.resolve("config.json"))).getAsJsonObject();
        refused(config, "pruned_heads", "{\"0\": [1]}");
        refused(config, "quantization_config", "{\"quant_method\": \"fp8\"}");
        refused(config, "architectures", "[\"GPT2ForSequenceClassification\"]");
        config.add("pruned_heads", new JsonObject());
        config.add("architectures", new JsonArray());
        Files.writeString(folder.resolve("config.json"), config.toString());
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            assertTrue(Architectures.page(checkpoint) instanceof Gpt2);
        }
    }

    private void refused(JsonObject config, String key, String value) throws IOException {
        JsonObject changed = config.deepCopy();
        changed.add(key, JsonParser.parseString(value));
        Files.writeString(folder.resolve("config.json"), changed.toString());
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            UserError e = assertThrows(UserError.class, () -> Architectures.page(checkpoint));
            assertTrue(e.what().contains(key), e.what());
        }
    }

    @Test
    void anEncoderDecoderWithoutAnEncoderIsRefused() {
        for (String type : new String[] {"t5", "bart", "marian", "whisper"}) {
            Settings s = settings("{\"model_type\": \"" + type + "\", \"is_encoder_decoder\": false}");
            UserError e = assertThrows(UserError.class, () -> Architectures.page(s));
            assertTrue(e.what().contains("is_encoder_decoder"), e.what());
        }
    }
}
