package fewsh.vision;

import java.awt.image.Raster;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// A JPEG file: what decoding needs, without what cameras and editors write beside it, and what its numbers mean.
///
/// The decoder gives the numbers as they are coded; here they become RGB by libjpeg's arithmetic.
///
/// @param plain the file without comments, profiles, thumbnails and other application segments
/// Source: ITU T.81; `default_decompress_parms` and `jdcolor.c` of libjpeg; `CMYK;I` and `cmyk2rgb` of Pillow.
record Jpeg(byte[] plain, int orientation, Colours colours) {
    enum Colours { GREY, RGB, YCC, CMYK, YCCK }

    private static final int SOS = 0xDA;
    private static final int EOI = 0xD9;
    private static final int HALF = 1 << 15;
    /// Published progressive files have about ten scans; each costs a pass over the picture.
    private static final int MOST_SCANS = 100;

    static Jpeg of(byte[] file) throws IOException {
        Bytes in = new Bytes(file, ByteOrder.BIG_ENDIAN);
        ByteArrayOutputStream plain = new ByteArrayOutputStream(file.length);
        plain.writeBytes(in.take(2));
        int orientation = 1;
        boolean jfif = false;
        int transform = -1;                                     // Adobe's word on the colours; −1 without one
        byte[] ids = {};
        int scans = 0;
        while (true) {
            int marker = marker(in);
            if (marker == EOI) break;
            if (marker == 1 || marker >= 0xD0 && marker <= 0xD8) continue;          // no length: TEM, RSTn, SOI
            int length = in.u16();
            if (length < 2) throw new IOException("a segment has length " + length);
            byte[] body = in.take(length - 2);
            if (marker == 0xE0) jfif |= starts(body, "JFIF\0");
            if (marker == 0xE1 && orientation == 1 && starts(body, "Exif\0")) orientation = Exif.orientation(body);
            if (marker == 0xEE && starts(body, "Adobe") && body.length >= 12) transform = body[11] & 0xFF;
            if (marker >= 0xE0 && marker <= 0xEF || marker == 0xFE) continue;       // APPn, COM
            if (isFrame(marker)) ids = ids(body);
            plain.writeBytes(new byte[] {(byte) 0xFF, (byte) marker, (byte) (length >> 8), (byte) length});
            plain.writeBytes(body);
            if (marker != SOS) continue;
            if (++scans > MOST_SCANS) throw new IOException("it has more than " + MOST_SCANS + " scans");
            int from = in.place();
            skipScan(in);
            plain.write(file, from, in.place() - from);
        }
        plain.writeBytes(new byte[] {(byte) 0xFF, (byte) EOI});
        return new Jpeg(plain.toByteArray(), orientation, colours(ids, jfif, transform));
    }

    /// Past the next marker, whatever stands before it.
    private static int marker(Bytes in) {
        int marker;
        do {
            while (in.u8() != 0xFF) continue;
            marker = in.u8();
            while (marker == 0xFF) marker = in.u8();
        } while (marker == 0);
        return marker;
    }

    /// To the marker behind a scan's coded numbers, in which 0xFF is followed by 0 or is a restart.
    private static void skipScan(Bytes in) {
        while (true) {
            while (in.u8() != 0xFF) continue;
            int next = in.u8();
            if (next == 0 || next >= 0xD0 && next <= 0xD7) continue;
            in.at(in.place() - (next == 0xFF ? 1 : 2));
            if (next != 0xFF) return;
        }
    }

    private static boolean isFrame(int marker) {
        return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
    }

    private static boolean starts(byte[] body, String word) {
        byte[] start = word.getBytes(StandardCharsets.US_ASCII);
        return body.length >= start.length && Arrays.equals(body, 0, start.length, start, 0, start.length);
    }

    /// The names of the frame's components.
    private static byte[] ids(byte[] frame) throws IOException {
        int count = frame.length > 5 ? frame[5] : 0;
        if (frame.length < 6 + 3 * count) throw new IOException("the frame's header is cut short");
        byte[] ids = new byte[count];
        for (int i = 0; i < count; i++) ids[i] = frame[6 + 3 * i];
        return ids;
    }

    private static Colours colours(byte[] ids, boolean jfif, int transform) throws IOException {
        return switch (ids.length) {
            case 1 -> Colours.GREY;
            case 3 -> !jfif && (transform == 0 || transform < 0 && Arrays.equals(ids, new byte[] {'R', 'G', 'B'}))
                    ? Colours.RGB : Colours.YCC;
            case 4 -> transform <= 0 ? Colours.CMYK : Colours.YCCK;
            default -> throw new IOException(ids.length + " colours are not supported");
        };
    }

    /// The decoder's numbers as RGB.
    Picture picture(Raster raster) {
        int width = raster.getWidth();
        int height = raster.getHeight();
        byte[] rgb = new byte[3 * width * height];
        int bands = raster.getNumBands();
        int[] row = new int[width * bands];
        for (int y = 0, to = 0; y < height; y++) {
            raster.getPixels(0, y, width, 1, row);
            for (int at = 0; at < row.length; at += bands, to += 3) {
                switch (colours) {
                    case GREY -> put(rgb, to, row[at], row[at], row[at]);
                    case RGB, CMYK -> put(rgb, to, row[at], row[at + 1], row[at + 2]);
                    case YCC, YCCK -> {
                        int luma = row[at];
                        int blue = row[at + 1] - 128;
                        int red = row[at + 2] - 128;
                        put(rgb, to, clamp(luma + (91881 * red + HALF >> 16)),
                                clamp(luma + (-22554 * blue - 46802 * red + HALF >> 16)), clamp(luma + (116130 * blue + HALF >> 16)));
                    }
                }
                if (bands < 4) continue;
                for (int c = 0; c < 3; c++) {
                    int ink = rgb[to + c] & 0xFF;
                    rgb[to + c] = left(colours == Colours.CMYK ? 255 - ink : ink, row[at + 3]);
                }
            }
        }
        return new Picture(width, height, rgb);
    }

    private static void put(byte[] rgb, int to, int red, int green, int blue) {
        rgb[to] = (byte) red;
        rgb[to + 1] = (byte) green;
        rgb[to + 2] = (byte) blue;
    }

    /// The light that an ink leaves of what black leaves, which is stored inverted, as Adobe's programs do.
    private static byte left(int ink, int black) {
        int product = ink * black + 128;
        return (byte) clamp(black - ((product >> 8) + product >> 8));
    }

    private static int clamp(int value) {
        return Math.clamp(value, 0, 255);
    }
}
