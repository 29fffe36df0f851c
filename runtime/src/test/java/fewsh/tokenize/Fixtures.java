package fewsh.tokenize;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;

/// The small tokenizers that `make_tokenizers.py` trains, one of each model, and the same as GGUF key-values.
final class Fixtures {
    static final List<String> NAMES = List.of("byte_level", "sentence_piece", "word_piece", "unigram", "end_of_word");
    static final List<String> GGUF = List.of("byte_level", "sentence_piece", "word_piece");

    private Fixtures() {}

    static Path folder(String name) {
        return Path.of("src/test/resources/tokenize").resolve(name);
    }

    static JsonObject json(String name) {
        return JsonParser.parseString(text(folder(name).resolve("tokenizer.json"))).getAsJsonObject();
    }

    static List<JsonObject> golden(String name) {
        JsonArray cases = JsonParser.parseString(text(folder(name).resolve("golden.json"))).getAsJsonArray();
        return StreamSupport.stream(cases.spliterator(), false).map(JsonElement::getAsJsonObject).toList();
    }

    static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static int[] ids(JsonObject from, String key) {
        return StreamSupport.stream(from.getAsJsonArray(key).spliterator(), false).mapToInt(JsonElement::getAsInt).toArray();
    }

    /// The key-values that llama.cpp's converter would write for this tokenizer.
    static Map<String, Object> gguf(String name) {
        JsonObject json = json(name);
        JsonObject model = json.getAsJsonObject("model");
        Map<Integer, String> pieces = new HashMap<>();
        model.getAsJsonObject("vocab").entrySet().forEach(each -> pieces.put(each.getValue().getAsInt(), each.getKey()));
        Map<Integer, Long> types = new HashMap<>();
        for (JsonElement each : json.getAsJsonArray("added_tokens")) {
            JsonObject token = each.getAsJsonObject();
            pieces.put(token.get("id").getAsInt(), token.get("content").getAsString());
            types.put(token.get("id").getAsInt(), token.get("special").getAsBoolean() ? 3L : 4L);
        }
        List<Object> tokens = new ArrayList<>();
        List<Object> kinds = new ArrayList<>();
        for (int id = 0; id < pieces.size(); id++) {
            tokens.add(pieces.get(id));
            kinds.add(types.getOrDefault(id, 1L));
        }
        Map<String, Object> gguf = new HashMap<>(Map.of("tokenizer.ggml.tokens", tokens, "tokenizer.ggml.token_type", kinds));
        switch (name) {
            case "byte_level" -> {
                gguf.put("tokenizer.ggml.model", "gpt2");
                gguf.put("tokenizer.ggml.pre", "gpt-2");
                gguf.put("tokenizer.ggml.merges", merges(model).stream().map(pair -> (Object) String.join(" ", pair)).toList());
                gguf.put("tokenizer.ggml.bos_token_id", (long) tokens.indexOf("<|begin|>"));
                gguf.put("tokenizer.ggml.eos_token_id", (long) tokens.indexOf("<|end|>"));
                gguf.put("tokenizer.ggml.add_bos_token", true);
            }
            case "sentence_piece" -> {
                gguf.put("tokenizer.ggml.model", "llama");
                Map<String, Double> scores = new HashMap<>();
                for (List<String> pair : merges(model)) scores.putIfAbsent(String.join("", pair), -1.0 - scores.size());
                gguf.put("tokenizer.ggml.scores",
                        tokens.stream().map(piece -> (Object) scores.getOrDefault(piece, 0.0)).toList());
            }
            case "word_piece" -> {
                gguf.put("tokenizer.ggml.model", "bert");
                tokens.replaceAll(token -> ggufWordPiece((String) token));
                gguf.put("tokenizer.ggml.bos_token_id", 2L);
                gguf.put("tokenizer.ggml.seperator_token_id", 3L);
                gguf.put("tokenizer.ggml.unknown_token_id", 1L);
            }
            default -> throw new IllegalArgumentException(name);
        }
        return gguf;
    }

    private static String ggufWordPiece(String token) {
        if (token.startsWith("[") && token.endsWith("]")) return token;
        return token.startsWith("##") ? token.substring(2) : "▁" + token;
    }

    private static List<List<String>> merges(JsonObject model) {
        return StreamSupport.stream(model.getAsJsonArray("merges").spliterator(), false).map(JsonElement::getAsJsonArray)
                .map(pair -> List.of(pair.get(0).getAsString(), pair.get(1).getAsString())).toList();
    }
}
