package fewsh.ask;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// A row of a batch as JSON, and what is derived from its content.
final class Row {
    static final Gson GSON = new GsonBuilder().serializeNulls().disableHtmlEscaping().create();

    private Row() {}

    /// The seed of a row: of the batch's seed and the row's content alone, whatever the order of its fields and of the rows.
    /// 53 bits, which every reader of JSON keeps.
    static long seed(long seed, Map<String, ?> row) {
        byte[] text = (seed + "\n" + canonical(GSON.toJsonTree(row))).getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.wrap(sha256().digest(text)).getLong() >>> 11;
    }

    static String sha256(List<? extends Map<String, ?>> rows) {
        MessageDigest digest = sha256();
        for (Map<String, ?> row : rows) digest.update((GSON.toJson(row) + "\n").getBytes(StandardCharsets.UTF_8));
        return HexFormat.of().formatHex(digest.digest());
    }

    static String sha256(String text) {
        return HexFormat.of().formatHex(sha256().digest(text.getBytes(StandardCharsets.UTF_8)));
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /// The same value with the keys of its objects in order.
    private static JsonElement canonical(JsonElement value) {
        if (value instanceof JsonObject object) {
            JsonObject sorted = new JsonObject();
            new TreeMap<>(object.asMap()).forEach((key, field) -> sorted.add(key, canonical(field)));
            return sorted;
        }
        if (!(value instanceof JsonArray array)) return value;
        JsonArray sorted = new JsonArray();
        array.forEach(element -> sorted.add(canonical(element)));
        return sorted;
    }
}
