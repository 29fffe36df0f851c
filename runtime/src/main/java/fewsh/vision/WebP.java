package fewsh.vision;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/// A WebP file: its picture's stream alone, or that of its first frame and where on the canvas it stands.
///
/// @param stream without alpha, profiles and texts
/// @param lossy whether it is of VP8, else of VP8L
/// @param width of the canvas; 0: the picture's own
/// Source: RFC 9649.
record WebP(byte[] stream, boolean lossy, int orientation, int width, int height, int left, int top) {
    static WebP of(byte[] file) throws IOException {
        Bytes in = new Bytes(file, ByteOrder.LITTLE_ENDIAN);
        in.skip(4);
        int size = in.u32();
        Bytes chunks = in.part(size, ByteOrder.LITTLE_ENDIAN);
        chunks.skip(4);
        WebP found = new WebP(null, false, 1, 0, 0, 0, 0);
        while (chunks.left() >= 8) {
            String type = chunks.latin1(4);
            int length = chunks.u32();
            Bytes body = chunks.part(length, ByteOrder.LITTLE_ENDIAN);
            chunks.skip(Math.min(length & 1, chunks.left()));
            switch (type) {
                case "VP8X" -> {
                    body.skip(4);
                    found = new WebP(null, false, 1, body.u24() + 1, body.u24() + 1, 0, 0);
                }
                case "VP8 ", "VP8L" -> found = found.with(type, body);
                case "ANMF" -> found = found.frame(body);
                case "EXIF" -> found = new WebP(found.stream, found.lossy, Exif.orientation(body.take(length)), found.width,
                        found.height, found.left, found.top);
                default -> {}
            }
        }
        if (found.stream == null) throw new IOException("it holds no picture");
        return found;
    }

    /// The first frame's stream, with its place; later frames are left out.
    private WebP frame(Bytes body) {
        if (stream != null) return this;
        int x = 2 * body.u24();
        int y = 2 * body.u24();
        body.skip(10);
        WebP placed = new WebP(null, false, orientation, width, height, x, y);
        while (body.left() >= 8) {
            String type = body.latin1(4);
            int length = body.u32();
            if (type.startsWith("VP8")) return placed.with(type, body.part(length, ByteOrder.LITTLE_ENDIAN));
            body.skip(length + (length & 1));
        }
        return this;
    }

    private WebP with(String type, Bytes body) {
        return stream != null ? this : new WebP(body.take(body.left()), type.equals("VP8 "), orientation, width, height, left, top);
    }

    /// A file with the lossless stream only.
    byte[] file() {
        int padded = stream.length + (stream.length & 1);
        ByteBuffer file = ByteBuffer.allocate(20 + padded).order(ByteOrder.LITTLE_ENDIAN);
        file.put("RIFF".getBytes(StandardCharsets.US_ASCII)).putInt(12 + padded).put("WEBPVP8L".getBytes(StandardCharsets.US_ASCII));
        return file.putInt(stream.length).put(stream).array();
    }
}
