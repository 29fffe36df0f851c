package fewsh.tokenize;

import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import fewsh.UserError;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/// The tokenizer files of a Marian folder: `source.spm` and `target.spm` say how a text is cut into pieces, `vocab.json` which id
/// a piece has. As two `tokenizer.json`: one to encode sources with, one to decode answers with.
///
/// Of a source's pieces those without an id are unknown tokens; pieces of the target's alone are not looked for. A language code
/// such as `>>fr<<` is one token where the vocabulary has it.
/// Source: `tokenization_marian.py` of Hugging Face's transformers.
final class MarianFiles {
    private final Path folder;
    private final JsonObject config;
    private final SentencePiece source;
    private final SentencePiece target;
    private final List<String> sourcePieces;
    private final List<String> targetPieces;
    private final Set<String> special = new LinkedHashSet<>();

    private MarianFiles(Path folder) {
        this.folder = folder;
        config = HuggingFace.object(folder.resolve("tokenizer_config.json"));
        source = SentencePiece.read(folder.resolve("source.spm"));
        target = SentencePiece.read(folder.resolve("target.spm"));
        boolean separate = config.has("separate_vocabs") && config.get("separate_vocabs").getAsBoolean();
        sourcePieces = vocabulary(folder.resolve("vocab.json"));
        targetPieces = separate ? vocabulary(folder.resolve("target_vocab.json")) : sourcePieces;
        for (String name : List.of("eos_token", "unk_token", "pad_token")) special.add(named(name));
        special.retainAll(sourcePieces);
        for (String needed : List.of(named("unk_token"), named("eos_token"))) {
            if (!special.contains(needed)) throw wrong("has no token \"" + needed + "\"");
            if (targetPieces.indexOf(needed) != sourcePieces.indexOf(needed))
                throw wrong("gives \"" + needed + "\" another id than target_vocab.json does");
        }
    }

    /// Whether a folder has such files.
    static boolean in(Path folder) {
        return Files.exists(folder.resolve("source.spm")) && Files.exists(folder.resolve("vocab.json"));
    }

    static MarianFiles read(Path folder) {
        return new MarianFiles(folder);
    }

    private String named(String key) {
        String usual = switch (key) {
            case "eos_token" -> "</s>";
            case "unk_token" -> "<unk>";
            default -> "<pad>";
        };
        return switch (config.get(key)) {
            case JsonObject object when object.has("content") -> object.get("content").getAsString();
            case JsonPrimitive text when text.isString() -> text.getAsString();
            case null, default -> usual;
        };
    }

    /// The pieces by their ids, which must count up without a gap.
    private static List<String> vocabulary(Path file) {
        Map<Long, String> byId = new HashMap<>();
        for (var entry : HuggingFace.object(file).entrySet()) {
            boolean number = entry.getValue().isJsonPrimitive() && entry.getValue().getAsString().matches("[0-9]{1,9}");
            if (!number) throw new UserError(file.toString(), "\"" + entry.getKey() + "\" has no id", "download the file again");
            String other = byId.put(entry.getValue().getAsLong(), entry.getKey());
            if (other != null)
                throw new UserError(file.toString(), "\"" + other + "\" and \"" + entry.getKey() + "\" have the same id", "");
        }
        List<String> pieces = new ArrayList<>();
        for (long id = 0; id < byId.size(); id++) {
            if (!byId.containsKey(id)) throw new UserError(file.toString(), "no token has id " + id, "download the file again");
            pieces.add(byId.get(id));
        }
        return pieces;
    }

    private UserError wrong(String what) {
        return new UserError(folder.resolve("vocab.json").toString(), what, "download the folder again");
    }

    /// To encode sources; ids beyond the vocabulary are of pieces that have none, and mean the unknown token.
    Description.Encoding encoding() {
        Map<String, SentencePiece.Piece> found = new HashMap<>();
        for (SentencePiece.Piece piece : source.pieces()) if (piece.isFound()) found.put(piece.text(), piece);
        String hidden = "\uFFFF" + UUID.randomUUID() + "-";
        List<String> added = new ArrayList<>(special);
        added.removeIf(token -> targetPieces.indexOf(token) != sourcePieces.indexOf(token));
        for (String piece : sourcePieces) {
            boolean whole = piece.startsWith(">>") && piece.endsWith("<<")
                    || found.containsKey(piece) && found.get(piece).type() == SentencePiece.USER_DEFINED;
            if (whole && !special.contains(piece)) added.add(piece);
        }
        Json json = open(added, sourcePieces);
        String eos = named("eos_token");
        source.normalizer(json).raw("\"pre_tokenizer\":null,\"decoder\":null,")
                .raw("\"post_processor\":{\"type\":\"TemplateProcessing\",\"pair\":[],")
                .raw("\"single\":[{\"Sequence\":{\"id\":\"A\",\"type_id\":0}},{\"SpecialToken\":{\"id\":").string(eos)
                .raw(",\"type_id\":0}}],\"special_tokens\":{").string(eos).raw(":{\"id\":").string(eos).raw(",\"ids\":[")
                .number(sourcePieces.indexOf(eos)).raw("],\"tokens\":[").string(eos)
                .raw("]}}},\"model\":{\"type\":\"Unigram\",\"byte_fallback\":" + source.byteFallback())
                .raw(",\"unk_id\":").number(sourcePieces.indexOf(named("unk_token"))).raw(",\"vocab\":[");
        for (int id = 0; id < sourcePieces.size(); id++) {
            String piece = sourcePieces.get(id);
            SentencePiece.Piece known = found.remove(piece);
            boolean seen = known != null || added.contains(piece);
            entry(json, id == 0 ? "" : ",", seen ? piece : hidden + id, known == null ? 0 : known.score());
        }
        found.values().stream().sorted(Comparator.comparing(SentencePiece.Piece::text))
                .forEach(piece -> entry(json, ",", piece.text(), piece.score()));
        return new Description.Encoding(json.raw("]}}").toString(), sourcePieces.size());
    }

    /// To decode answers.
    String decoding() {
        Json json = open(special.stream().filter(targetPieces::contains).toList(), targetPieces)
                .raw("\"normalizer\":null,\"pre_tokenizer\":null,\"post_processor\":null,")
                .raw("\"decoder\":");
        if (target.byteFallback())
            json.raw("{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"Replace\",\"pattern\":{\"String\":\"▁\"},")
                    .raw("\"content\":\" \"},{\"type\":\"ByteFallback\"},{\"type\":\"Fuse\"},")
                    .raw("{\"type\":\"Strip\",\"content\":\" \",\"start\":1,\"stop\":0}]},");
        else
            json.raw("{\"type\":\"Metaspace\",\"replacement\":\"▁\",\"prepend_scheme\":\"always\",\"split\":false},");
        json.raw("\"model\":{\"type\":\"Unigram\",\"byte_fallback\":false,\"unk_id\":")
                .number(targetPieces.indexOf(named("unk_token"))).raw(",\"vocab\":[");
        for (int id = 0; id < targetPieces.size(); id++) entry(json, id == 0 ? "" : ",", targetPieces.get(id), 0);
        return json.raw("]}}").toString();
    }

    private Json open(List<String> added, List<String> pieces) {
        Json json = new Json(pieces.size() * 40)
                .raw("{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,\"added_tokens\":[");
        for (int i = 0; i < added.size(); i++)
            json.raw(i == 0 ? "" : ",").raw("{\"id\":").number(pieces.indexOf(added.get(i))).raw(",\"content\":")
                    .string(added.get(i)).raw(",\"single_word\":false,\"lstrip\":false,\"rstrip\":false,\"normalized\":false,")
                    .raw("\"special\":" + special.contains(added.get(i)) + "}");
        return json.raw("],");
    }

    private static void entry(Json json, String comma, String piece, float score) {
        json.raw(comma).raw("[").string(piece).raw("," + score + "]");
    }
}
