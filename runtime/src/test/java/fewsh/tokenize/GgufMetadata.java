package fewsh.tokenize;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The key-values of a GGUF file of version 2 or 3, for these tests: trusted files only.
final class GgufMetadata {
    private GgufMetadata() {}

    static Map<String, Object> read(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file)) {
            ByteBuffer in = channel.map(FileChannel.MapMode.READ_ONLY, 0, Math.min(channel.size(), Integer.MAX_VALUE))
                    .order(ByteOrder.LITTLE_ENDIAN);
            in.position(16);
            long count = in.getLong();
            Map<String, Object> metadata = new LinkedHashMap<>();
            for (long i = 0; i < count; i++) metadata.put(string(in), value(in, in.getInt()));
            return metadata;
        }
    }

    private static Object value(ByteBuffer in, int type) {
        return switch (type) {
            case 0 -> (long) Byte.toUnsignedInt(in.get());
            case 1 -> (long) in.get();
            case 2 -> (long) Short.toUnsignedInt(in.getShort());
            case 3 -> (long) in.getShort();
            case 4 -> Integer.toUnsignedLong(in.getInt());
            case 5 -> (long) in.getInt();
            case 6 -> (double) in.getFloat();
            case 7 -> in.get() != 0;
            case 8 -> string(in);
            case 9 -> list(in);
            case 10, 11 -> in.getLong();
            case 12 -> in.getDouble();
            default -> throw new IllegalArgumentException("value type " + type);
        };
    }

    private static List<Object> list(ByteBuffer in) {
        int type = in.getInt();
        int size = Math.toIntExact(in.getLong());
        List<Object> list = new ArrayList<>(size);
        for (int i = 0; i < size; i++) list.add(value(in, type));
        return list;
    }

    private static String string(ByteBuffer in) {
        byte[] bytes = new byte[Math.toIntExact(in.getLong())];
        in.get(bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
