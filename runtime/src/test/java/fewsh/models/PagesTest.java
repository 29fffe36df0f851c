package fewsh.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import fewsh.Documented;
import fewsh.Shared;
import fewsh.UserError;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// The table of pages in `docs/models.md`; `-Dgolden.update=true` writes it again.
class PagesTest {
    private static final Documented TABLE = new Documented("docs/models.md", "made by PagesTest");
    private static final int LONGEST_PAGE = 250;
    /// Enough of a configuration for any page.
    private static final String CONFIG = """
            {"vocab_size": 64, "hidden_size": 32, "num_attention_heads": 4, "num_key_value_heads": 4, "num_hidden_layers": 1,
             "intermediate_size": 64,
             "max_position_embeddings": 64, "n_embd": 32, "n_head": 4, "n_layer": 1, "n_positions": 64, "d_model": 32, "d_kv": 8,
             "d_ff": 64, "num_heads": 4, "num_layers": 1, "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 4,
             "decoder_attention_heads": 4, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64, "head_dim": 8}""";

    private static JsonObject config(String type) {
        JsonObject config = JsonParser.parseString(CONFIG).getAsJsonObject();
        config.addProperty("model_type", type);
        if (type.equals("idefics3")) {
            config.add("text_config", config("llama"));
            config.add("vision_config", JsonParser.parseString("{\"image_size\": 32, \"patch_size\": 8}"));
            config.getAsJsonObject("text_config").addProperty("pad_token_id", 0);
        }
        return config;
    }

    private static String row(Architectures.Row row) {
        Page page = Architectures.page(new Settings(row.modelType(), config(row.modelType())));
        String name = page.getClass().getSimpleName();
        String link = "[" + name + "](../runtime/src/main/java/fewsh/models/" + name + ".java)";
        return "| " + String.join(" | ", row.modelType(), link,
                String.valueOf((lines(name) + 9) / 10 * 10), family(page), heads(page, row.modelType()),
                row.gguf() == null ? "–" : row.gguf().architecture(), page.uses()) + " |";
    }

    private static int lines(String name) {
        Path page = Shared.project().resolve("runtime/src/main/java/fewsh/models/" + name + ".java");
        try (Stream<String> lines = Files.lines(page)) {
            return (int) lines.count();
        } catch (IOException e) {
            throw new AssertionError(page.toString(), e);
        }
    }

    private static String family(Page page) {
        return switch (page) {
            case ImageText _ -> "image and text";
            case Causal _ -> "causal";
            case Encoder _ -> "encoder";
            case Whisper _ -> "speech";
            case EncoderDecoder _ -> "encoder–decoder";
        };
    }

    /// The ends of the classes' names that an encoder can be of; every other page has one head, which gives the next token.
    private static String heads(Page page, String type) {
        if (!(page instanceof Encoder)) return "next token";
        return Stream.concat(Arrays.stream(Head.values()).map(Head::ending), Stream.of("ForImageClassification"))
                .filter(ending -> accepts(type, ending))
                .map(ending -> ending.equals("Model") ? "none" : ending.replaceFirst("For", ""))
                .collect(Collectors.joining(", "));
    }

    private static boolean accepts(String type, String ending) {
        JsonObject config = config(type);
        JsonArray classes = new JsonArray();
        classes.add("Some" + ending);
        config.add("architectures", classes);
        try {
            Architectures.page(new Settings(type, config));
            return true;
        } catch (UserError e) {
            assertTrue(e.what().startsWith("architectures "), e.what());
            return false;
        }
    }

    @Test
    void theTableOfPagesIsTrue() throws IOException {
        List<String> rows = Architectures.PAGES.stream().map(PagesTest::row).toList();
        if (Boolean.getBoolean("golden.update")) TABLE.write(rows);
        assertEquals(String.join("\n", rows), String.join("\n", TABLE.rows()));
    }

    @Test
    void noPageIsLongerThanAPersonReads() {
        List<String> longer = new ArrayList<>();
        for (Architectures.Row row : Architectures.PAGES) {
            String page = Architectures.page(new Settings(row.modelType(), config(row.modelType()))).getClass().getSimpleName();
            if (lines(page) > LONGEST_PAGE) longer.add(page);
        }
        assertEquals(List.of(), longer);
    }
}
