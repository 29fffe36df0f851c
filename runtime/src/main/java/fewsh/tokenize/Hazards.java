package fewsh.tokenize;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import fewsh.UserError;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.function.IntPredicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/// Refuses the parts of a `tokenizer.json` that the native library accepts and later panics on.
///
/// A panic ends the virtual machine, so these are found before the library sees the file. Each check names the place in the
/// library (tokenizers 0.21.4) that does not look itself; what the library refuses in an orderly way is left to it.
///
/// @param where the file, for errors
/// @param known whether an id is a token
record Hazards(String where, IntPredicate known) {
    /// Words of a published tokenizer; harmless, for each turn of either loop begins differently.
    private static final String EXAONE = "(?:\\p{L}\\p{M}*(?: \\p{L}\\p{M}*)*)+";

    /// @param rest the file; its vocabulary, merges and added tokens may be missing
    void check(JsonObject rest) {
        for (String part : new String[] {"normalizer", "pre_tokenizer", "post_processor", "decoder"})
            check(part, rest.get(part), part.equals("decoder"));
        // processors/template.rs is not made for what another one has put around the text.
        if (around(rest.get("post_processor")) > 1) throw wrong("post_processor", "adds special tokens twice", "");
    }

    private static int around(JsonElement processor) {
        if (!(processor instanceof JsonObject object)) return 0;
        int count = object.has("single") || object.has("cls") ? 1 : 0;
        if (object.get("processors") instanceof JsonArray list) for (JsonElement each : list) count += around(each);
        return count;
    }

    /// models/bpe/model.rs cuts the prefix off the right part of each merge without looking whether it is there.
    void checkMerges(JsonArray merges, String prefix) {
        for (int i = 0; i < merges.size(); i++) {
            JsonElement merge = merges.get(i);
            String right = merge instanceof JsonArray pair && pair.size() == 2 ? text(pair.get(1))
                    : text(merge).substring(text(merge).indexOf(' ') + 1);
            if (!right.startsWith(prefix))
                throw wrong("model.merges[" + i + "]", "is " + merge, "its second part must start with \"" + prefix + "\"");
        }
    }

    /// Looks at a component and at those inside it.
    private void check(String path, JsonElement element, boolean decoder) {
        if (element instanceof JsonArray list)
            for (int i = 0; i < list.size(); i++) check(path + "[" + i + "]", list.get(i), decoder);
        if (!(element instanceof JsonObject component)) return;
        for (var part : component.entrySet()) check(path + "." + part.getKey(), part.getValue(), decoder);
        // By key, for the library also takes components without a type.
        if (component.has("single")) template(path, component);
        for (String token : new String[] {"cls", "sep"})
            if (component.get(token) instanceof JsonArray pair && pair.size() == 2) id(path + "." + token, pair.get(1));
        // decoders/strip.rs counts from the end without looking whether the token is as long.
        if (decoder && component.has("stop") && !text(component.get("stop")).equals("0"))
            throw wrong(path + ".stop", "is " + component.get("stop"), "only 0 is possible");
        if (component.has("pattern")) pattern(path + ".pattern", component.get("pattern"), component.has("content"));
        if (component.has("prepend") && text(component.get("prepend")).isEmpty())
            throw wrong(path + ".prepend", "is empty", "");
        if (text(component.get("length")).equals("0")) throw wrong(path + ".length", "is 0", "1 is the least");
        if (component.has("precompiled_charsmap") || text(component.get("type")).equals("Precompiled"))
            precompiled(path + ".precompiled_charsmap", text(component.get("precompiled_charsmap")));
    }

    /// processors/template.rs indexes the special tokens by what the template names, and the sequences by A and B.
    private void template(String path, JsonObject template) {
        JsonObject tokens = template.get("special_tokens") instanceof JsonObject object ? object : new JsonObject();
        for (var token : tokens.entrySet()) {
            if (!(token.getValue() instanceof JsonObject each) || !(each.get("ids") instanceof JsonArray ids)
                    || !(each.get("tokens") instanceof JsonArray pieces)) continue;
            String place = path + ".special_tokens." + token.getKey();
            if (!text(each.get("id")).equals(token.getKey()))
                throw wrong(place, "has id " + each.get("id"), "its id must be its key");
            if (ids.size() != pieces.size())
                throw wrong(place, "has " + ids.size() + " ids and " + pieces.size() + " tokens", "");
            for (JsonElement id : ids) id(place + ".ids", id);
        }
        if (!String.valueOf(template.get("single")).contains("Sequence"))
            throw wrong(path + ".single", "leaves the text out", "");
        for (String kind : new String[] {"single", "pair"}) {
            if (!(template.get(kind) instanceof JsonArray pieces)) continue;
            for (JsonElement piece : pieces) {
                if (!(piece instanceof JsonObject object)) continue;
                if (object.get("SpecialToken") instanceof JsonObject token && !tokens.has(text(token.get("id"))))
                    throw wrong(path + "." + kind, "names " + token.get("id"), "it is not among its special_tokens");
                if (kind.equals("single") && object.get("Sequence") instanceof JsonObject sequence
                        && text(sequence.get("id")).equals("B"))
                    throw wrong(path + "." + kind, "asks for a second text", "");
            }
        }
    }

    private void id(String path, JsonElement id) {
        String number = text(id);
        if (!number.matches("[0-9]{1,9}") || !known.test(Integer.parseInt(number)))
            throw wrong(path, "is " + id, "it must be the id of a token");
    }

    /// @param replaces whether matches are replaced, which tokenizer/normalizer.rs can only do where something is matched
    private void pattern(String path, JsonElement pattern, boolean replaces) {
        if (!(pattern instanceof JsonObject object)) return;
        if (object.has("String") && text(object.get("String")).isEmpty()) throw wrong(path, "is empty", "");
        if (object.has("Regex")) {
            String regex = text(object.get("Regex"));
            if (regex.isEmpty()) throw wrong(path, "is empty", "");
            if (replaces && matchesNothing(regex)) throw wrong(path, "matches the empty text: \"" + regex + "\"", "");
            if (explodes(regex.replace(EXAONE, "")))
                throw wrong(path, "repeats a choice or a repetition: \"" + regex + "\"", "such expressions may never end");
        }
    }

    private static boolean matchesNothing(String regex) {
        try {
            Matcher matcher = Pattern.compile(regex).matcher("aZ é1\u0301.▁\n");
            while (matcher.find()) if (matcher.start() == matcher.end()) return true;
            return Pattern.compile(regex).matcher("").find();
        } catch (PatternSyntaxException e) {
            return false;
        }
    }

    /// Whether the expression repeats without bound a group that has a choice or such a repetition in it, as `(a|aa)+` and
    /// `(a*)*` do. The library panics when a match takes ten million steps (onig's retry limit), and these take that many on
    /// short texts. It is no proof: an expression may be slow in other ways.
    private static boolean explodes(String regex) {
        boolean[] choice = new boolean[regex.length() + 1];
        int depth = 0;
        int set = 0;
        for (int i = 0; i < regex.length(); i++) {
            switch (regex.charAt(i)) {
                case '\\' -> i++;
                case '[' -> set++;
                case ']' -> set = Math.max(0, set - 1);
                case '(' -> {
                    if (set == 0) choice[++depth] = false;
                }
                case ')' -> {
                    if (set > 0 || depth == 0) continue;
                    boolean inside = choice[depth--];
                    if (inside && unbounded(regex, i + 1)) return true;
                    choice[depth] |= inside;
                }
                case '|' -> choice[depth] |= set == 0;
                default -> choice[depth] |= set == 0 && unbounded(regex, i);
            }
        }
        return false;
    }

    private static boolean unbounded(String regex, int at) {
        return at < regex.length() && (regex.charAt(at) == '*' || regex.charAt(at) == '+'
                || regex.startsWith("{", at) && regex.substring(at).matches("(?s)\\{[0-9]*,\\}.*"));
    }

    /// normalizers/mod.rs panics where the text cannot be read, and the crate spm_precompiled follows its double array without
    /// looking where it leads.
    private void precompiled(String path, String base64) {
        byte[] bytes;
        try {
            bytes = Base64.getDecoder().decode(base64);
        } catch (IllegalArgumentException e) {
            throw new UserError(where, path + " is no base64: " + e.getMessage(), "", e);
        }
        if (!Base64.getEncoder().encodeToString(bytes).equals(base64)) throw wrong(path, "is no base64", "");
        ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        long size = bytes.length < 4 ? -1 : Integer.toUnsignedLong(in.getInt());
        if (size < 1024 || size % 4 != 0 || size >= in.remaining())
            throw wrong(path, "gives its table " + size + " of " + bytes.length + " bytes", "");
        int units = (int) size / 4;
        int texts = 4 + (int) size;
        if (bytes[bytes.length - 1] != 0) throw wrong(path, "ends inside a text", "");
        try {
            StandardCharsets.UTF_8.newDecoder().decode(in.slice(texts, bytes.length - texts));
        } catch (CharacterCodingException e) {
            throw new UserError(where, path + " has text that is no UTF-8", "", e);
        }
        for (int i = 0; i < units; i++) {
            int unit = in.getInt(4 + 4 * i);
            if (unit < 0) continue;
            int child = i ^ unit >>> 10 << ((unit & 1 << 9) >>> 6);
            if (child < 0 || (child | 255) >= units) throw wrong(path, "leads from unit " + i + " to " + child, "");
            if ((unit >>> 8 & 1) == 0) continue;
            int value = in.getInt(4 + 4 * child) & Integer.MAX_VALUE;
            if (value >= bytes.length - texts || (bytes[texts + value] & 0xc0) == 0x80)
                throw wrong(path, "has no text at " + value, "");
        }
    }

    /// What a string, number or truth value says; empty for anything else.
    private static String text(JsonElement element) {
        return element != null && element.isJsonPrimitive() ? element.getAsString() : "";
    }

    private UserError wrong(String path, String what, String fix) {
        return new UserError(where, path + " " + what, fix);
    }
}
