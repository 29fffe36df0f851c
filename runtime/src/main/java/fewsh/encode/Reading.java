package fewsh.encode;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import fewsh.UserError;
import fewsh.models.Settings;
import fewsh.tokenize.Encoding;
import fewsh.tokenize.Tokenizer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/// How a model reads texts: what its files say beside the graph.
///
/// @param settings of its `config.json`
/// @param types whether the tokenizer's token types are for the model
/// @param mask the token that stands for a token to be found
record Reading(Tokenizer tokenizer, Settings settings, Sentences sentences, boolean types, OptionalInt mask, int contextLength)
        implements AutoCloseable {
    /// @param path what was opened
    /// @param folder where the model's own files are, perhaps inside it
    /// @param tokenizer is closed if this fails
    static Reading of(Path path, Path folder, Settings settings, int contextLength, Tokenizer tokenizer) {
        try {
            Settings config = Settings.ifThere(folder.resolve("tokenizer_config.json"));
            return new Reading(tokenizer, settings, Sentences.of(path, contextLength), types(config), mask(config, tokenizer),
                    contextLength);
        } catch (RuntimeException e) {
            tokenizer.close();
            throw e;
        }
    }

    /// Source: `model_input_names` of transformers' tokenizers, of which the general classes have ids and a mask only.
    private static boolean types(Settings config) {
        if (config.json().get("model_input_names") instanceof JsonArray names) return names.contains(new JsonPrimitive("token_type_ids"));
        return !List.of("PreTrainedTokenizerFast", "TokenizersBackend").contains(config.text("tokenizer_class", ""));
    }

    private static OptionalInt mask(Settings config, Tokenizer tokenizer) {
        String named = config.json().get("mask_token") instanceof JsonObject o ? new Settings(config.where(), o).text("content", "")
                : config.text("mask_token", "");
        for (String piece : List.of(named, "[MASK]", "<mask>"))
            if (tokenizer.id(piece).isPresent()) return tokenizer.id(piece);
        return OptionalInt.empty();
    }

    /// Whether the model's class says that it is made for this; true where no class is named.
    boolean isFor(String task) {
        return !(settings.json().get("architectures") instanceof JsonArray classes) || classes.isEmpty()
                || classes.toString().contains("For" + task);
    }

    int pad() {
        return tokenizer.pad().orElse(0);
    }

    /// @throws UserError if the model takes no text of this length
    Encoding fitting(String text, Optional<String> pair, boolean parseSpecial) {
        Encoding encoding = tokenizer.encode(text, pair, parseSpecial);
        if (contextLength > 0 && encoding.length() > contextLength)
            throw new UserError("", "the text is " + encoding.length() + " tokens, the model takes " + contextLength, "shorten it");
        return encoding;
    }

    @Override
    public void close() {
        tokenizer.close();
    }
}
