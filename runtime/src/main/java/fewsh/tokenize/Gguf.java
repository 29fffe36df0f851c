package fewsh.tokenize;

import fewsh.UserError;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.UUID;
import java.util.function.Supplier;

/// The tokenizer that a GGUF file's key-values describe, as a `tokenizer.json`.
///
/// Keys are `tokenizer.ggml.*`; defaults for absent ones, and which tokens end an answer, are llama.cpp's.
/// Source: `llama_vocab::impl::load` in llama.cpp's `src/llama-vocab.cpp`.
final class Gguf {
    private static final int NORMAL = 1;
    private static final int UNKNOWN = 2;
    private static final int CONTROL = 3;
    private static final int USER_DEFINED = 4;
    private static final int MOST_TOKENS = 1 << 24;

    /// Texts of tokens that end an answer.
    private static final Set<String> ENDS = Set.of("<|eot_id|>", "<|im_end|>", "<|end|>", "<|return|>", "<|call|>", "<|flush|>",
            "<|calls|>", "<end_of_turn>", "<|endoftext|>", "</s>", "<|eom_id|>", "<EOT>", "_<EOT>", "[EOT]", "[EOS]",
            "<|end_of_text|>", "<end_of_utterance>", "<eos>", "<turn|>", "<｜end▁of▁sentence｜>", "[e~[",
            "<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]", "<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>",
            "<reponame>", "<|file_sep|>");

    /// The tokens of Phi-3 that do not swallow the white space behind them.
    private static final Set<String> PHI3_KEEPS = Set.of("<unk>", "<s>", "<|endoftext|>");

    private final String where;
    private final Map<String, Object> metadata;
    private final String[] pieces;
    private final Map<String, Integer> ids;
    private final byte[] types;
    private final BitSet special = new BitSet();
    private final BitSet added = new BitSet();

    Gguf(String where, Map<String, Object> metadata) {
        this.where = where;
        this.metadata = metadata;
        List<?> tokens = list("tokens", String.class);
        if (tokens == null) throw wrong("tokens", "is missing", "this file has no tokenizer");
        if (tokens.isEmpty() || tokens.size() > MOST_TOKENS)
            throw wrong("tokens", "has " + tokens.size() + " elements", "between 1 and " + MOST_TOKENS + " are possible");
        pieces = new String[tokens.size()];
        types = types(tokens.size());
        boolean wordPiece = text("model", "").equals("bert");
        ids = HashMap.newHashMap(pieces.length);
        for (int id = 0; id < pieces.length; id++) {
            String token = (String) tokens.get(id);
            if (token.isEmpty()) token = "[EMPTY_" + id + "]";
            String piece = wordPiece ? wordPiece(token, types[id]) : token;
            Integer twice = ids.put(piece, id);
            if (twice != null)
                throw wrong("tokens[" + id + "]", "\"" + token + "\" is token " + twice + " too", "each token may be there once");
            pieces[id] = piece;
        }
        for (String end : ENDS) if (ids.containsKey(end)) types[ids.get(end)] = CONTROL;
        for (int id = 0; id < pieces.length; id++) {
            if (types[id] == CONTROL || types[id] == UNKNOWN) special.set(id);
            if (special.get(id) || types[id] == USER_DEFINED) added.set(id);
        }
    }

    Description description() {
        String model = text("model", null);
        if (model == null) throw wrong("model", "is missing", "this file has no tokenizer");
        return switch (model) {
            case "gpt2" -> byteLevel();
            case "llama" -> sentencePiece();
            case "bert" -> wordPiece();
            default -> throw wrong("model", "\"" + model + "\" is not supported", "supported: bert, gpt2, llama");
        };
    }

    // ---- byte-level BPE

    private Description byteLevel() {
        String pre = text("pre", "default");
        PreTokenizer kind = PreTokenizer.of(pre);
        if (kind == null)
            throw wrong("pre", "\"" + pre + "\" is not supported", "supported: " + String.join(", ", PreTokenizer.names()));
        List<?> merges = list("merges", String.class);
        if (merges == null) throw wrong("merges", "is missing", "byte-level BPE needs it");
        OptionalInt bos = id("bos", 11);
        OptionalInt eos = id("eos", 11);
        String around = around(flag("add_bos_token", kind.addBos()) ? bos : OptionalInt.empty(),
                flag("add_eos_token", false) ? eos : OptionalInt.empty());
        return describe(Spelling.BYTE_LEVEL, bos, eos, id("unknown", -1), hidden -> {
            Json json = open(hidden).raw(",\"normalizer\":null,\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[");
            for (String pattern : kind.patterns())
                json.raw("{\"type\":\"Split\",\"pattern\":{\"Regex\":").string(pattern)
                        .raw("},\"behavior\":\"Isolated\",\"invert\":false},");
            json.raw("{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":true,\"use_regex\":false}]},")
                    .raw(around).raw("\"decoder\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":true,")
                    .raw("\"use_regex\":false},\"model\":{\"type\":\"BPE\",\"ignore_merges\":" + kind.ignoreMerges() + ",");
            vocab(json, hidden).raw(",\"merges\":[");
            String comma = "";
            for (Object merge : merges) {
                String pair = (String) merge;
                if (hidden != null && hides(pair)) continue;
                json.raw(comma).string(pair);
                comma = ",";
            }
            return json.raw("]}}").toString();
        }, () -> {
            for (int i = 0; i < merges.size(); i++) {
                String pair = (String) merges.get(i);
                int space = pair.indexOf(' ', 1);
                if (space < 0 || pair.indexOf(' ', space + 1) >= 0)
                    return wrong("merges[" + i + "]", "\"" + pair + "\" is not two tokens with a space between", "");
                String left = pair.substring(0, space);
                String right = pair.substring(space + 1);
                for (String token : List.of(left, right, left + right))
                    if (!ids.containsKey(token))
                        return wrong("merges[" + i + "]", "\"" + pair + "\" needs \"" + token + "\", which is no token", "");
            }
            return null;
        });
    }

    private boolean hides(String pair) {
        Integer id = ids.get(pair.replaceFirst("(?s)(.) ", "$1"));
        return id != null && special.get(id);
    }

    // ---- SentencePiece BPE

    private Description sentencePiece() {
        List<?> scores = list("scores", Number.class);
        if (scores == null) throw wrong("scores", "is missing", "a SentencePiece tokenizer needs it");
        if (scores.size() < pieces.length)
            throw wrong("scores", "has " + scores.size() + " elements for " + pieces.length + " tokens", "");
        OptionalInt bos = id("bos", 1);
        OptionalInt eos = id("eos", 2);
        OptionalInt unk = id("unknown", 0);
        boolean spaced = flag("add_space_prefix", true);
        String around = around(flag("add_bos_token", true) ? bos : OptionalInt.empty(),
                flag("add_eos_token", false) ? eos : OptionalInt.empty());
        return describe(Spelling.SENTENCE_PIECE, bos, eos, unk, hidden -> {
            Json json = open(hidden).raw(",\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[")
                    .raw(spaced ? "{\"type\":\"Prepend\",\"prepend\":\"▁\"}," : "")
                    .raw("{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},\"content\":\"▁\"}]},\"pre_tokenizer\":null,")
                    .raw(around)
                    .raw("\"decoder\":{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"Replace\",\"pattern\":{\"String\":\"▁\"},")
                    .raw("\"content\":\" \"},{\"type\":\"ByteFallback\"},{\"type\":\"Fuse\"}")
                    .raw(spaced ? ",{\"type\":\"Strip\",\"content\":\" \",\"start\":1,\"stop\":0}" : "")
                    .raw("]},\"model\":{\"type\":\"BPE\",\"byte_fallback\":true,\"fuse_unk\":true,\"unk_token\":");
            if (unk.isPresent()) json.string(name(unk.getAsInt(), hidden));
            else json.raw("null");
            vocab(json.raw(","), hidden).raw(",\"merges\":[");
            boolean spaces = List.of(pieces).stream().anyMatch(piece -> piece.indexOf(' ') >= 0);
            String comma = "";
            for (Merge merge : merges(scores, hidden)) {
                json.raw(comma);
                if (spaces) json.raw("[").string(merge.left()).raw(",").string(merge.right()).raw("]");
                else json.string(merge.left() + " " + merge.right());
                comma = ",";
            }
            return json.raw("]}}").toString();
        }, () -> null);
    }

    /// @param first whether the right part is also how the piece begins: of two overlapping ways to make the piece, the left one
    private record Merge(String left, String right, double score, int id, boolean first) {}

    /// SentencePiece joins the neighbours whose joint piece scores best, so a list of merges in this order does the same; only
    /// where two different pieces score alike, it takes the one further left and this list the one of the lower id.
    private List<Merge> merges(List<?> scores, String hidden) {
        List<Merge> merges = new ArrayList<>();
        for (int id = 0; id < pieces.length; id++) {
            String piece = pieces[id];
            if (hidden != null && special.get(id)) continue;
            for (int cut = piece.offsetByCodePoints(0, 1); cut < piece.length(); cut = piece.offsetByCodePoints(cut, 1)) {
                String left = piece.substring(0, cut);
                String right = piece.substring(cut);
                if (isPart(left, hidden) && isPart(right, hidden))
                    merges.add(new Merge(left, right, ((Number) scores.get(id)).doubleValue(), id, piece.startsWith(right)));
            }
        }
        merges.sort(Comparator.comparingDouble(Merge::score).reversed().thenComparingInt(Merge::id)
                .thenComparing(Merge::first, Comparator.reverseOrder()));
        return merges;
    }

    private boolean isPart(String piece, String hidden) {
        Integer id = ids.get(piece);
        return id != null && (hidden == null || !special.get(id));
    }

    // ---- WordPiece

    /// Normalizes as BERT does. llama.cpp differs on two kinds of text: it keeps one letter of a Hangul syllable, and drops
    /// the spacing marks of Indic scripts.
    private Description wordPiece() {
        OptionalInt cls = id("bos", 101);
        OptionalInt sep = id("seperator", 102);
        OptionalInt unk = id("unknown", 100);
        if (unk.isEmpty()) throw wrong("unknown_token_id", "is missing", "WordPiece needs it");
        boolean lower = flag("normalizer.lowercase", true);
        boolean accents = flag("normalizer.strip_accents", lower);
        return describe(Spelling.WORD_PIECE, cls, id("eos", -1), unk, hidden -> {
            Json json = open(hidden)
                    .raw(",\"normalizer\":{\"type\":\"BertNormalizer\",\"clean_text\":true,\"handle_chinese_chars\":true,")
                    .raw("\"strip_accents\":").raw(accents ? "true" : "false")
                    .raw(",\"lowercase\":").raw(lower ? "true" : "false")
                    .raw("},\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"},")
                    .raw(around(cls, sep))
                    .raw("\"decoder\":{\"type\":\"WordPiece\",\"prefix\":\"##\",\"cleanup\":true},\"model\":{\"type\":")
                    .raw("\"WordPiece\",\"continuing_subword_prefix\":\"##\",\"max_input_chars_per_word\":512,\"unk_token\":")
                    .string(name(unk.getAsInt(), hidden)).raw(",");
            return vocab(json, hidden).raw("}}").toString();
        }, () -> null);
    }

    /// GGUF marks the beginning of words with U+2581 where BERT marks their continuation with `##`.
    private static String wordPiece(String token, byte type) {
        if (type == CONTROL || type == UNKNOWN || token.startsWith("[") && token.endsWith("]")) return token;
        return token.startsWith("▁") ? token.substring(1) : "##" + token;
    }

    // ---- what they share

    private Description describe(Spelling spelling, OptionalInt bos, OptionalInt eos, OptionalInt unk, Writer writer,
            Supplier<UserError> blame) {
        Set<Integer> ends = new HashSet<>();
        eos.ifPresent(ends::add);
        id("eot", -1).ifPresent(ends::add);
        id("eom", -1).ifPresent(ends::add);
        for (String end : ENDS) if (ids.containsKey(end)) ends.add(ids.get(end));
        if (ids.containsKey("<|return|>") && ids.containsKey("<|call|>")
                || ids.containsKey("<|calls|>") && ids.containsKey("<|flush|>")) ends.remove(ids.get("<|end|>"));
        String json = writer.write(null);
        return new Description(where, json, Optional.empty(), () -> writer.write("\uFFFF" + UUID.randomUUID() + "-"), pieces, ids, added,
                special, spelling, bos, eos, id("padding", -1), unk, ends, blame);
    }

    /// Writes the `tokenizer.json`; `hidden` replaces the texts of special tokens, with the id behind it, null keeps them.
    private interface Writer {
        String write(String hidden);
    }

    private Json open(String hidden) {
        Json json = new Json(pieces.length * 40)
                .raw("{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,\"added_tokens\":[");
        String comma = "";
        boolean phi3 = metadata.get("general.name") instanceof String name
                && name.toLowerCase(Locale.ROOT).replace("-", "").contains("phi3");
        for (int id = added.nextSetBit(0); id >= 0; id = added.nextSetBit(id + 1)) {
            if (hidden != null && special.get(id)) continue;
            json.raw(comma).raw("{\"id\":").number(id).raw(",\"content\":").string(pieces[id])
                    .raw(",\"single_word\":false,\"lstrip\":false,\"normalized\":false,\"rstrip\":")
                    .raw(phi3 && !PHI3_KEEPS.contains(pieces[id]) ? "true" : "false").raw(",\"special\":")
                    .raw(special.get(id) ? "true}" : "false}");
            comma = ",";
        }
        return json.raw("]");
    }

    private Json vocab(Json json, String hidden) {
        json.raw("\"vocab\":{");
        for (int id = 0; id < pieces.length; id++)
            json.raw(id == 0 ? "" : ",").string(name(id, hidden)).raw(":").number(id);
        return json.raw("}");
    }

    private String name(int id, String hidden) {
        return hidden != null && special.get(id) ? hidden + id : pieces[id];
    }

    private String around(OptionalInt before, OptionalInt after) {
        if (before.isEmpty() && after.isEmpty()) return "\"post_processor\":null,";
        Map<String, Integer> used = new LinkedHashMap<>();
        before.ifPresent(id -> used.put("before", id));
        after.ifPresent(id -> used.put("after", id));
        Json json = new Json(500).raw("\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":[");
        template(json, used, "A", 0).raw("],\"pair\":[");
        template(json, used, "A", 0).raw(",");
        template(json, used, "B", 1).raw("],\"special_tokens\":{");
        String comma = "";
        for (var token : used.entrySet()) {
            json.raw(comma).string(token.getKey()).raw(":{\"id\":").string(token.getKey()).raw(",\"ids\":[")
                    .number(token.getValue()).raw("],\"tokens\":[").string(pieces[token.getValue()]).raw("]}");
            comma = ",";
        }
        return json.raw("}},").toString();
    }

    private static Json template(Json json, Map<String, Integer> used, String sequence, int type) {
        if (used.containsKey("before"))
            json.raw("{\"SpecialToken\":{\"id\":\"before\",\"type_id\":").number(type).raw("}},");
        json.raw("{\"Sequence\":{\"id\":").string(sequence).raw(",\"type_id\":").number(type).raw("}}");
        if (used.containsKey("after"))
            json.raw(",{\"SpecialToken\":{\"id\":\"after\",\"type_id\":").number(type).raw("}}");
        return json;
    }

    // ---- key-values

    private byte[] types(int count) {
        byte[] types = new byte[count];
        List<?> given = list("token_type", Long.class);
        if (given != null && given.size() < count)
            throw wrong("token_type", "has " + given.size() + " elements for " + count + " tokens", "");
        for (int id = 0; id < count; id++)
            types[id] = given == null ? NORMAL : (byte) Math.clamp((Long) given.get(id), 0, 127);
        return types;
    }

    /// A token's id; `fallback` where the key is absent or names none of the tokens, as llama.cpp does; none below zero.
    private OptionalInt id(String which, int fallback) {
        Object value = metadata.get("tokenizer.ggml." + which + "_token_id");
        if (value != null && !(value instanceof Long)) throw wrong(which + "_token_id", "is no whole number", "");
        long id = value == null ? fallback : (Long) value;
        if (id < 0 || id >= pieces.length) id = fallback;
        return id < 0 || id >= pieces.length ? OptionalInt.empty() : OptionalInt.of((int) id);
    }

    private boolean flag(String key, boolean fallback) {
        Object value = metadata.getOrDefault("tokenizer.ggml." + key, fallback);
        if (value instanceof Boolean flag) return flag;
        throw wrong(key, "is neither true nor false", "");
    }

    private String text(String key, String fallback) {
        Object value = metadata.getOrDefault("tokenizer.ggml." + key, fallback);
        if (value == null || value instanceof String) return (String) value;
        throw wrong(key, "is no string", "");
    }

    private List<?> list(String key, Class<?> element) {
        Object value = metadata.get("tokenizer.ggml." + key);
        if (value == null) return null;
        if (!(value instanceof List<?> list)) throw wrong(key, "is no list", "");
        int i = 0;
        for (Object each : list) {
            if (!element.isInstance(each)) throw wrong(key + "[" + i + "]", "is no " + element.getSimpleName(), "");
            i++;
        }
        return list;
    }

    private UserError wrong(String key, String what, String fix) {
        return new UserError(where, "tokenizer.ggml." + key + " " + what, fix);
    }
}
