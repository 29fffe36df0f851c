package fewsh.tokenize;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.MalformedJsonException;
import fewsh.UserError;
import java.io.EOFException;
import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.UUID;

/// The tokenizer files of a Hugging Face folder.
///
/// The library reads `tokenizer.json` itself; here the vocabulary is read beside it, for what the library does not tell
/// (pieces, which tokens are special), and to refuse files that would make it guess.
final class HuggingFace {
    private static final long MOST_BYTES = 256L << 20;
    private static final int MOST_IDS = 1 << 24;
    private static final String DAMAGED = "download the file again";

    private final Path folder;
    private final Path file;
    private final Map<String, Integer> ids = new HashMap<>();
    private final BitSet added = new BitSet();
    private final BitSet special = new BitSet();
    private String[] pieces = {};

    private HuggingFace(Path folder) {
        this.folder = folder;
        this.file = folder.resolve("tokenizer.json");
    }

    static Description read(Path folder) {
        if (!Files.isDirectory(folder)) throw new UserError(folder.toString(), "no such folder", "");
        HuggingFace reader = new HuggingFace(folder);
        if (Files.exists(reader.file)) return reader.describe(text(reader.file), Optional.empty());
        if (!MarianFiles.in(folder)) return reader.describe(OlderFiles.json(folder), Optional.empty());
        MarianFiles files = MarianFiles.read(folder);
        Description.Encoding encoding = files.encoding();
        new HuggingFace(folder).describe(encoding.json(), Optional.empty());               // to refuse what is wrong with it
        return reader.describe(files.decoding(), Optional.of(encoding));
    }

    /// The library finds added tokens in normalized text; one that normalizes to nothing is found everywhere, and it panics.
    private void checkNormalized(JsonObject rest) {
        List<String> normalized = new ArrayList<>();
        for (JsonElement token : array(rest, "added_tokens"))
            if (!(token.getAsJsonObject().get("normalized") instanceof JsonPrimitive flag) || !flag.getAsString().equals("false"))
                normalized.add(token.getAsJsonObject().get("content").getAsString());
        if (normalized.isEmpty() || !(rest.get("normalizer") instanceof JsonObject normalizer)) return;
        JsonObject probe = JsonParser.parseString("{\"model\":{\"type\":\"BPE\",\"vocab\":{\"?\":0},\"merges\":[],"
                + "\"unk_token\":\"?\"},\"added_tokens\":[]}").getAsJsonObject();
        probe.add("normalizer", normalizer);
        try (Model model = new Model(probe.toString())) {
            for (String content : normalized)
                if (model.encode(content, false).length == 0)
                    throw wrong("added token \"" + content + "\" normalizes to nothing", "it could be found anywhere");
        } catch (UserError e) {
            throw e;
        } catch (RuntimeException e) {
            throw wrong("normalizer: " + e.getMessage(), DAMAGED);
        }
    }

    private Description describe(String json, Optional<Description.Encoding> encoding) {
        JsonObject rest = vocabulary(json);
        Hazards hazards = new Hazards(file.toString(), id -> known(id).isPresent());
        hazards.check(rest);
        if (rest.get("model") instanceof JsonObject model && isText(model.get("continuing_subword_prefix"))
                && JsonParser.parseReader(strict(json)).getAsJsonObject().get("model") instanceof JsonObject whole)
            hazards.checkMerges(array(whole, "merges"), model.get("continuing_subword_prefix").getAsString());
        checkNormalized(rest);
        OptionalInt unk = unknown(rest);
        JsonObject names = object(folder.resolve("special_tokens_map.json"));
        JsonObject config = object(folder.resolve("tokenizer_config.json"));
        JsonObject generation = object(folder.resolve("generation_config.json"));
        JsonObject model = object(folder.resolve("config.json"));
        // onnxruntime-genai's folders have their ids here, in place of the two before
        JsonObject genai = object(folder.resolve("genai_config.json")).get("model") instanceof JsonObject o ? o : new JsonObject();
        List<JsonObject> configs = List.of(generation, model, genai);
        Set<Integer> ends = new HashSet<>();
        OptionalInt eos = named("eos_token", config, names);
        eos.ifPresent(ends::add);
        for (JsonObject from : configs) ends.addAll(listed(from, "eos_token_id"));
        String encodes = encoding.map(Description.Encoding::json).orElse(json);
        return new Description(file.toString(), json, encoding, () -> plain(encodes), pieces, ids, added, special,
                spelling(rest),
                either(named("bos_token", config, names), configs, "bos_token_id"),
                either(eos, configs, "eos_token_id"),
                either(named("pad_token", config, names), configs, "pad_token_id"),
                unk.isPresent() ? unk : named("unk_token", config, names), ends, () -> null);
    }

    // ---- tokenizer.json

    /// Reads the vocabulary and the added tokens.
    ///
    /// @return the file without them and without the merges
    private JsonObject vocabulary(String json) {
        JsonObject rest = new JsonObject();
        List<String[]> scored = new ArrayList<>();
        JsonReader reader = strict(json);
        try {
            reader.beginObject();
            while (reader.hasNext()) {
                String key = reader.nextName();
                if (key.equals("model") && reader.peek() == JsonToken.BEGIN_OBJECT) rest.add(key, model(reader));
                else rest.add(key, JsonParser.parseReader(reader));
            }
            reader.endObject();
            if (reader.peek() != JsonToken.END_DOCUMENT) throw wrong("goes on after its end" + reader.getPath(), DAMAGED);
        } catch (MalformedJsonException | EOFException | JsonParseException | IllegalStateException | NumberFormatException e) {
            String place = firstLine(e).contains(" path ") ? "" : " at path " + reader.getPath();
            throw new UserError(file.toString(), "is no JSON of a tokenizer: " + firstLine(e) + place, DAMAGED, e);
        } catch (IOException e) {
            throw new UserError(file.toString(), "cannot be read: " + e.getMessage(), "", e);
        }
        for (JsonElement token : array(rest, "added_tokens")) add(token);
        int size = pieces.length;
        while (size > 0 && pieces[size - 1] == null) size--;
        pieces = Arrays.copyOf(pieces, size);
        return rest;
    }

    private JsonObject model(JsonReader reader) throws IOException {
        JsonObject model = new JsonObject();
        reader.beginObject();
        while (reader.hasNext()) {
            String key = reader.nextName();
            if (key.equals("vocab") && reader.peek() == JsonToken.BEGIN_OBJECT) {
                reader.beginObject();
                while (reader.hasNext()) put(reader.nextName(), reader.nextLong());
                reader.endObject();
            } else if (key.equals("vocab") && reader.peek() == JsonToken.BEGIN_ARRAY) {
                reader.beginArray();
                for (int id = 0; reader.hasNext(); id++) {
                    reader.beginArray();
                    put(reader.nextString(), id);
                    reader.nextDouble();
                    reader.endArray();
                }
                reader.endArray();
            } else if (key.equals("merges")) {
                reader.skipValue();
            } else {
                model.add(key, JsonParser.parseReader(reader));
            }
        }
        reader.endObject();
        return model;
    }

    private void put(String piece, long id) {
        if (id < 0 || id >= MOST_IDS)
            throw wrong("token \"" + piece + "\" has id " + id, "ids from 0 to " + (MOST_IDS - 1) + " are possible");
        if (ids.put(piece, (int) id) != null) throw wrong("token \"" + piece + "\" is there twice", "");
        if (id >= pieces.length) pieces = Arrays.copyOf(pieces, (int) Math.max(id + 1, Math.min(pieces.length * 2L, MOST_IDS)));
        if (pieces[(int) id] != null)
            throw wrong("tokens \"" + pieces[(int) id] + "\" and \"" + piece + "\" both have id " + id, "");
        pieces[(int) id] = piece;
    }

    private void add(JsonElement token) {
        if (!(token instanceof JsonObject object) || !isText(object.get("content")) || !isNumber(object.get("id")))
            throw wrong("added token " + token + " lacks its id or content", DAMAGED);
        String piece = object.get("content").getAsString();
        if (piece.isEmpty()) throw wrong("an added token is empty", DAMAGED);
        double number = object.get("id").getAsDouble();
        long id = (long) number;
        if (id != number) throw wrong("added token \"" + piece + "\" has id " + number, "");
        Integer known = ids.get(piece);
        if (known == null) put(piece, id);
        else if (known != id) throw wrong("added token \"" + piece + "\" has id " + id + ", the vocabulary says " + known, "");
        added.set((int) id);
        if (object.get("special") instanceof JsonPrimitive flag && flag.isBoolean() && flag.getAsBoolean()) special.set((int) id);
    }

    private OptionalInt unknown(JsonObject rest) {
        if (!(rest.get("model") instanceof JsonObject model)) return OptionalInt.empty();
        if (isNumber(model.get("unk_id"))) return known(model.get("unk_id").getAsInt());
        return isText(model.get("unk_token")) ? id(model.get("unk_token").getAsString()) : OptionalInt.empty();
    }

    /// How pieces spell bytes shows in how the decoder joins them.
    private static Spelling spelling(JsonObject rest) {
        Set<String> types = new HashSet<>();
        types(rest.get("decoder"), types);
        if (types.contains("ByteLevel")) return Spelling.BYTE_LEVEL;
        if (types.contains("WordPiece")) return Spelling.WORD_PIECE;
        if (types.contains("BPEDecoder")) return Spelling.END_OF_WORD;
        return types.contains("Metaspace") || types.contains("ByteFallback") ? Spelling.SENTENCE_PIECE : Spelling.PLAIN;
    }

    private static void types(JsonElement decoder, Set<String> types) {
        if (!(decoder instanceof JsonObject object)) return;
        if (isText(object.get("type"))) types.add(object.get("type").getAsString());
        if (object.get("decoders") instanceof JsonArray list) for (JsonElement each : list) types(each, types);
    }

    /// The same file with special tokens renamed to what nobody can write, so that no text becomes one.
    private String plain(String json) {
        String hidden = "\uFFFF" + UUID.randomUUID() + "-";
        JsonObject root = JsonParser.parseReader(strict(json)).getAsJsonObject();
        for (JsonElement token : array(root, "added_tokens"))
            if (special.get(token.getAsJsonObject().get("id").getAsInt())) rename(token.getAsJsonObject(), "content", hidden);
        if (root.get("model") instanceof JsonObject model) {
            if (isText(model.get("unk_token")) && isSpecial(model.get("unk_token").getAsString()))
                rename(model, "unk_token", hidden);
            if (model.get("vocab") instanceof JsonObject vocab) {
                for (int id = special.nextSetBit(0); id >= 0; id = special.nextSetBit(id + 1))
                    if (vocab.has(pieces[id])) vocab.add(hidden + pieces[id], vocab.remove(pieces[id]));
            } else {
                for (JsonElement pair : array(model, "vocab"))
                    if (isSpecial(pair.getAsJsonArray().get(0).getAsString()))
                        pair.getAsJsonArray().set(0, text(hidden + pair.getAsJsonArray().get(0).getAsString()));
            }
            JsonArray merges = array(model, "merges");
            JsonArray kept = new JsonArray(merges.size());
            for (JsonElement merge : merges) if (!makesSpecial(merge)) kept.add(merge);
            if (!merges.isEmpty()) model.add("merges", kept);
        }
        return root.toString();
    }

    private static void rename(JsonObject object, String key, String hidden) {
        object.add(key, text(hidden + object.get(key).getAsString()));
    }

    private static JsonElement text(String text) {
        return new JsonPrimitive(text);
    }

    private static boolean isText(JsonElement element) {
        return element instanceof JsonPrimitive primitive && primitive.isString();
    }

    private static boolean isNumber(JsonElement element) {
        return element instanceof JsonPrimitive primitive && primitive.isNumber();
    }

    private boolean isSpecial(String piece) {
        Integer id = ids.get(piece);
        return id != null && special.get(id);
    }

    private boolean makesSpecial(JsonElement merge) {
        String left;
        String right;
        if (merge instanceof JsonArray pair) {
            left = pair.get(0).getAsString();
            right = pair.get(1).getAsString();
        } else {
            String pair = merge.getAsString();
            left = pair.substring(0, pair.indexOf(' '));
            right = pair.substring(pair.indexOf(' ') + 1);
        }
        return isSpecial(left) || isSpecial(right) || isSpecial(left + right);
    }

    // ---- the files beside it

    private OptionalInt named(String key, JsonObject... files) {
        for (JsonObject from : files) {
            JsonElement token = from.get(key);
            if (token instanceof JsonObject object) token = object.get("content");
            if (isText(token)) {
                OptionalInt id = id(token.getAsString());
                if (id.isPresent()) return id;
            }
        }
        return OptionalInt.empty();
    }

    private OptionalInt either(OptionalInt named, List<JsonObject> configs, String key) {
        if (named.isPresent()) return named;
        for (JsonObject from : configs) {
            List<Integer> listed = listed(from, key);
            if (!listed.isEmpty()) return OptionalInt.of(listed.getFirst());
        }
        return OptionalInt.empty();
    }

    /// An id, or a list of ids, of which those that are tokens are kept.
    private List<Integer> listed(JsonObject from, String key) {
        JsonElement value = from.get(key);
        List<JsonElement> all = value instanceof JsonArray list ? list.asList() : value == null ? List.of() : List.of(value);
        List<Integer> listed = new ArrayList<>();
        for (JsonElement each : all)
            if (isNumber(each)) known(each.getAsInt()).ifPresent(listed::add);
        return listed;
    }

    private OptionalInt known(int id) {
        return id >= 0 && id < pieces.length && pieces[id] != null ? OptionalInt.of(id) : OptionalInt.empty();
    }

    private OptionalInt id(String piece) {
        Integer id = ids.get(piece);
        return id == null ? OptionalInt.empty() : OptionalInt.of(id);
    }

    // ---- reading

    static String text(Path file) {
        try {
            if (Files.size(file) > MOST_BYTES)
                throw new UserError(file.toString(), "is " + Files.size(file) + " bytes", "at most " + MOST_BYTES + " are read");
            return Files.readString(file);
        } catch (CharacterCodingException e) {
            throw new UserError(file.toString(), "is no UTF-8", DAMAGED, e);
        } catch (IOException e) {
            throw new UserError(file.toString(), "cannot be read: " + e.getMessage(), "", e);
        }
    }

    /// The object in this file, empty where there is no such file.
    static JsonObject object(Path file) {
        if (!Files.exists(file)) return new JsonObject();
        try {
            return JsonParser.parseReader(strict(text(file))).getAsJsonObject();
        } catch (JsonParseException | IllegalStateException e) {
            throw new UserError(file.toString(), "is no JSON object: " + firstLine(e), DAMAGED, e);
        }
    }

    static JsonReader strict(String json) {
        JsonReader reader = new JsonReader(new StringReader(json));
        reader.setStrictness(Strictness.STRICT);
        return reader;
    }

    private static JsonArray array(JsonObject object, String key) {
        return object.get(key) instanceof JsonArray array ? array : new JsonArray();
    }

    static String firstLine(Exception e) {
        return String.valueOf(e.getMessage()).lines().findFirst().orElse("");
    }

    private UserError wrong(String what, String fix) {
        return new UserError(file.toString(), what, fix);
    }
}
