package fewsh.models;

import com.google.gson.JsonObject;
import fewsh.UserError;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/// Which page builds which `model_type` (of `config.json`) or `general.architecture` (of GGUF): the table.
public final class Architectures {
    /// How a GGUF file of an architecture is read.
    ///
    /// @param architecture what it calls the architecture
    /// @param config settings under the keys of `config.json`, from metadata and which tensors there are
    record OfGguf(
            String architecture, BiFunction<Map<String, Object>, Predicate<String>, JsonObject> config, List<Gguf.Rename> names) {}

    /// One row of the table.
    ///
    /// @param gguf null for an architecture without GGUF files
    record Row(String modelType, Function<Settings, Page> open, OfGguf gguf) {}

    static final List<Row> PAGES = List.of(
            new Row("bart", s -> new Bart(Bart.Config.of(s)), null),
            new Row("bert", s -> new Bert(Bert.Config.of(s)), null),
            new Row("camembert", s -> new Roberta(Roberta.Config.of(s)), null),
            new Row("distilbert", s -> new DistilBert(DistilBert.Config.of(s)), null),
            new Row("gemma3_text", s -> new Gemma3(Gemma3.Config.of(s)), new OfGguf("gemma3", Gemma3::config, Gemma3.GGUF_NAMES)),
            new Row("gpt2", s -> new Gpt2(Gpt2.Config.of(s)), new OfGguf("gpt2", Gpt2::config, Gpt2.GGUF_NAMES)),
            new Row("gpt_neox", s -> new GptNeoX(GptNeoX.Config.of(s)), new OfGguf("gptneox", GptNeoX::config, GptNeoX.GGUF_NAMES)),
            new Row("idefics3", s -> new Idefics3(Idefics3.Config.of(s)), null),
            new Row("llama", s -> new Llama(Llama.Config.of(s)), new OfGguf("llama", Llama::config, Llama.GGUF_NAMES)),
            new Row("marian", s -> new Marian(Marian.Config.of(s)), null),
            new Row("mistral", s -> new Mistral(Mistral.Config.of(s)), null),
            new Row("openai-gpt", s -> new Gpt1(Gpt1.Config.of(s)), null),
            new Row("phi3", s -> new Phi3(Phi3.Config.of(s)), new OfGguf("phi3", Phi3::config, Phi3.GGUF_NAMES)),
            new Row("qwen2", s -> new Qwen2(Qwen2.Config.of(s)), new OfGguf("qwen2", Qwen2::config, Qwen2.GGUF_NAMES)),
            new Row("qwen3", s -> new Qwen3(Qwen3.Config.of(s)), new OfGguf("qwen3", Qwen3::config, Qwen3.GGUF_NAMES)),
            new Row("roberta", s -> new Roberta(Roberta.Config.of(s)), null),
            new Row("t5", s -> new T5(T5.Config.of(s)), null),
            new Row("vit", s -> new Vit(Vit.Config.of(s)), null),
            new Row("whisper", s -> new Whisper(Whisper.Config.of(s)), null),
            new Row("xlm-roberta", s -> new Roberta(Roberta.Config.of(s)), null));

    private Architectures() {}

    /// The page of a checkpoint, configured.
    ///
    /// @throws UserError naming a setting that the page does not implement
    public static Page page(Checkpoint checkpoint) {
        Settings s = checkpoint.settings();
        for (String changed : List.of("pruned_heads", "quantization_config"))
            if (!s.object(changed).json().isEmpty())
                throw new UserError(s.where(), changed + " " + s.json().get(changed) + " is not supported",
                        "save the model without it");
        Page page = page(s);
        if (!(page instanceof Encoder)) Head.none(s);
        return page;
    }

    /// The page of settings alone, for what it says of the model; its graphs need a checkpoint.
    public static Page page(Settings settings) {
        return row(settings).open().apply(settings);
    }

    /// Whether there is a page for these settings.
    public static boolean knows(Settings settings) {
        return PAGES.stream().anyMatch(row -> row.modelType().equals(settings.text("model_type", "")));
    }

    /// @throws UserError naming the architectures that have a page
    static Row row(Settings settings) {
        return row(settings.where(), "model_type", settings.text("model_type", ""), Row::modelType);
    }

    /// The row of a GGUF file's `general.architecture`.
    ///
    /// @throws UserError naming the architectures that are read from such files
    static Row ofGguf(String where, String architecture) {
        return row(where, "general.architecture", architecture, row -> row.gguf() == null ? null : row.gguf().architecture());
    }

    private static Row row(String where, String key, String type, Function<Row, String> name) {
        for (Row row : PAGES) if (type.equals(name.apply(row))) return row;
        throw new UserError(where, key + " \"" + type + "\" is not supported", "supported: "
                + PAGES.stream().map(name).filter(Objects::nonNull).sorted().collect(Collectors.joining(", ")));
    }
}
