package fewsh.vision;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteOrder;
import java.util.zip.CRC32;

/// A PNG file: the chunks that decoding needs, without texts, profiles and gamma, which nothing here reads.
///
/// @param plain the file with its critical chunks only; their checksums were right
/// Source: PNG (third edition), section 5.
record Png(byte[] plain, int orientation) {
    private static final int SIGNATURE = 8;

    static Png of(byte[] file) throws IOException {
        Bytes in = new Bytes(file, ByteOrder.BIG_ENDIAN);
        ByteArrayOutputStream plain = new ByteArrayOutputStream(file.length);
        plain.writeBytes(in.take(SIGNATURE));
        int orientation = 1;
        String type;
        do {
            int start = in.place();
            int length = in.u32();
            type = in.latin1(4);
            boolean critical = Character.isUpperCase(type.charAt(0));
            if (type.equals("eXIf")) orientation = Exif.orientation(in.take(length));
            else in.skip(length);
            CRC32 crc = new CRC32();
            crc.update(file, start + 4, 4 + length);
            if (critical && in.i32() != (int) crc.getValue()) throw new IOException("the checksum of " + type + " is wrong");
            if (!critical) in.skip(4);
            if (critical) plain.write(file, start, in.place() - start);
        } while (!type.equals("IEND"));
        return new Png(plain.toByteArray(), orientation);
    }
}
