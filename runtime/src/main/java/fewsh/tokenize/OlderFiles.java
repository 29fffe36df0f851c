package fewsh.tokenize;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import fewsh.UserError;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// A `tokenizer.json` made of the files that were there before it: `vocab.json` with `merges.txt`, or `vocab.txt`.
final class OlderFiles {
    private OlderFiles() {}

    /// @throws UserError where the folder has neither
    static String json(Path folder) {
        JsonObject config = HuggingFace.object(folder.resolve("tokenizer_config.json"));
        if (Files.exists(folder.resolve("vocab.json")) && Files.exists(folder.resolve("merges.txt")))
            return bpe(folder, config);
        if (Files.exists(folder.resolve("vocab.txt"))) return wordPiece(folder.resolve("vocab.txt"), config);
        throw new UserError(folder.toString(), "no tokenizer.json, no vocab.json with merges.txt and no vocab.txt in it", "");
    }

    private static String bpe(Path folder, JsonObject config) {
        Path file = folder.resolve("vocab.json");
        Map<String, Long> vocab = new LinkedHashMap<>();
        for (var entry : HuggingFace.object(file).entrySet()) {
            if (!entry.getValue().isJsonPrimitive() || !entry.getValue().getAsJsonPrimitive().isNumber())
                throw new UserError(file.toString(), "\"" + entry.getKey() + "\" has no id", "");
            vocab.put(entry.getKey(), entry.getValue().getAsLong());
        }
        boolean words = vocab.keySet().stream().anyMatch(piece -> piece.endsWith("</w>"));
        boolean around = vocab.containsKey("<s>") && vocab.containsKey("</s>");
        Set<String> special = specials(config, vocab.keySet(),
                List.of("<|endoftext|>", "<s>", "</s>", "<pad>", "<unk>", "<mask>"));
        Json json = open(special, vocab);
        if (words)
            json.raw("\"normalizer\":{\"type\":\"BertNormalizer\",\"clean_text\":true,\"handle_chinese_chars\":true,")
                    .raw("\"strip_accents\":null,\"lowercase\":true},\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"},")
                    .raw("\"post_processor\":null,\"decoder\":{\"type\":\"BPEDecoder\",\"suffix\":\"</w>\"},");
        else
            json.raw("\"normalizer\":null,\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false,")
                    .raw("\"trim_offsets\":true,\"use_regex\":true},\"decoder\":{\"type\":\"ByteLevel\",")
                    .raw("\"add_prefix_space\":true,\"trim_offsets\":true,\"use_regex\":true},\"post_processor\":")
                    .raw(around ? "{\"type\":\"RobertaProcessing\",\"sep\":[\"</s>\"," + vocab.get("</s>") + "],\"cls\":[\"<s>\","
                            + vocab.get("<s>") + "],\"trim_offsets\":true,\"add_prefix_space\":false}," : "null,");
        json.raw("\"model\":{\"type\":\"BPE\",\"end_of_word_suffix\":").raw(words ? "\"</w>\"" : "null")
                .raw(",\"unk_token\":").raw(words && vocab.containsKey("<unk>") ? "\"<unk>\"" : "null").raw(",");
        vocab(json, vocab).raw(",\"merges\":[");
        String comma = "";
        for (String line : HuggingFace.text(folder.resolve("merges.txt")).split("\n")) {
            String merge = line.endsWith("\r") ? line.substring(0, line.length() - 1) : line;
            if (merge.isEmpty() || merge.startsWith("#version")) continue;
            json.raw(comma).string(merge);
            comma = ",";
        }
        return json.raw("]}}").toString();
    }

    private static String wordPiece(Path file, JsonObject config) {
        Map<String, Long> vocab = new LinkedHashMap<>();
        for (String line : HuggingFace.text(file).split("\n")) {
            String piece = line.endsWith("\r") ? line.substring(0, line.length() - 1) : line;
            if (vocab.put(piece, (long) vocab.size()) != null)
                throw new UserError(file + ":" + (vocab.size() + 1), "token \"" + piece + "\" is there twice", "");
        }
        for (String needed : List.of("[UNK]", "[CLS]", "[SEP]"))
            if (!vocab.containsKey(needed)) throw new UserError(file.toString(), "no token \"" + needed + "\"", "");
        boolean lower = !(config.get("do_lower_case") instanceof JsonElement flag) || !flag.isJsonPrimitive()
                || flag.getAsBoolean();
        Set<String> special = specials(config, vocab.keySet(), List.of("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"));
        Json json = open(special, vocab)
                .raw("\"normalizer\":{\"type\":\"BertNormalizer\",\"clean_text\":true,\"handle_chinese_chars\":true,")
                .raw("\"strip_accents\":null,\"lowercase\":" + lower + "},\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"},")
                .raw("\"post_processor\":{\"type\":\"BertProcessing\",\"sep\":[\"[SEP]\"," + vocab.get("[SEP]"))
                .raw("],\"cls\":[\"[CLS]\"," + vocab.get("[CLS]") + "]},\"decoder\":{\"type\":\"WordPiece\",\"prefix\":\"##\",")
                .raw("\"cleanup\":true},\"model\":{\"type\":\"WordPiece\",\"unk_token\":\"[UNK]\",")
                .raw("\"continuing_subword_prefix\":\"##\",\"max_input_chars_per_word\":100,");
        return vocab(json, vocab).raw("}}").toString();
    }

    private static Set<String> specials(JsonObject config, Set<String> vocab, List<String> usual) {
        Set<String> special = new LinkedHashSet<>(usual);
        for (var entry : config.entrySet()) {
            JsonElement token = entry.getValue() instanceof JsonObject object ? object.get("content") : entry.getValue();
            if (entry.getKey().endsWith("_token") && token != null && token.isJsonPrimitive()
                    && token.getAsJsonPrimitive().isString())
                special.add(token.getAsString());
        }
        special.retainAll(vocab);
        return special;
    }

    private static Json open(Set<String> special, Map<String, Long> vocab) {
        Json json = new Json(vocab.size() * 40)
                .raw("{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,\"added_tokens\":[");
        List<String> tokens = new ArrayList<>(special);
        tokens.sort((a, b) -> Long.compare(vocab.get(a), vocab.get(b)));
        String comma = "";
        for (String token : tokens) {
            json.raw(comma).raw("{\"id\":").number(vocab.get(token)).raw(",\"content\":").string(token)
                    .raw(",\"single_word\":false,\"lstrip\":").raw(token.equals("<mask>") ? "true" : "false")
                    .raw(",\"rstrip\":false,\"normalized\":false,\"special\":true}");
            comma = ",";
        }
        return json.raw("],");
    }

    private static Json vocab(Json json, Map<String, Long> vocab) {
        json.raw("\"vocab\":{");
        String comma = "";
        for (var entry : vocab.entrySet()) {
            json.raw(comma).string(entry.getKey()).raw(":").number(entry.getValue());
            comma = ",";
        }
        return json.raw("}");
    }
}
