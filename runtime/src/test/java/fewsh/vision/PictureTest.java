package fewsh.vision;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fewsh.UserError;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32;
import java.util.zip.Deflater;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Pictures of every kind come out as Pillow's `ImageOps.exif_transpose` and `convert("RGB")` make them, to the byte, and files
/// that are none, or damaged, end in an error. The files are made by `golden/vision/make_pictures.py`.
class PictureTest {
    private static final Path GOLDEN = Path.of("src/test/resources/golden/vision");

    @TempDir Path folder;

    static List<String> pictures() throws IOException {
        return Files.readAllLines(GOLDEN.resolve("pictures.txt"));
    }

    @ParameterizedTest
    @MethodSource("pictures")
    void aPictureIsWhatPillowMakesOfIt(String line) throws Exception {
        String[] expected = line.split(" ");
        Picture picture = Picture.read(GOLDEN.resolve("pictures").resolve(expected[0]));
        assertEquals(expected[1] + " × " + expected[2], picture.width() + " × " + picture.height());
        assertEquals(expected[3], HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(picture.rgb())));
    }

    /// Beside each is a PNG file of what Pillow makes of it.
    @ParameterizedTest
    @ValueSource(strings = {"rgb", "rgba", "large"})
    void aLossyWebpIsWhatPillowMakesOfItWithinAFewLevels(String name) {
        Picture expected = Picture.read(GOLDEN.resolve("lossy/" + name + ".png"));
        Picture picture = Picture.read(GOLDEN.resolve("lossy/" + name + ".webp"));
        assertEquals(expected.width() + " × " + expected.height(), picture.width() + " × " + picture.height());
        double sum = 0;
        for (int i = 0; i < expected.rgb().length; i++) {
            int apart = Math.abs((expected.rgb()[i] & 0xFF) - (picture.rgb()[i] & 0xFF));
            assertTrue(apart <= 16, apart + " at " + i);
            sum += apart;
        }
        assertTrue(sum / expected.rgb().length < 0.5, "on average " + sum / expected.rgb().length);
    }

    @Test
    void aDamagedLossyWebpIsAPictureOrAnError() throws IOException {
        byte[] file = Files.readAllBytes(GOLDEN.resolve("lossy/rgba.webp"));
        Random random = new Random(3);
        for (int round = 0; round < 200; round++) {
            byte[] damaged = file.clone();
            for (int flips = 1 + random.nextInt(4); flips > 0; flips--)
                damaged[random.nextInt(round % 2 == 0 ? 60 : file.length)] ^= (byte) (1 << random.nextInt(8));
            try {
                Picture.of("damaged", damaged);
            } catch (UserError expected) {
                assertEquals("damaged", expected.where());
            }
        }
    }

    @ParameterizedTest
    @MethodSource("pictures")
    void aPictureThatIsCutShortIsRefused(String line) throws IOException {
        byte[] file = Files.readAllBytes(GOLDEN.resolve("pictures").resolve(line.split(" ")[0]));
        for (int length : new int[] {0, 1, 3, 8, 20, file.length / 4, file.length / 3})
            assertThrows(UserError.class, () -> Picture.of("cut", Arrays.copyOf(file, length)), line + " cut to " + length);
    }

    @ParameterizedTest
    @MethodSource("pictures")
    void aDamagedFileIsAPictureOrAnError(String line) throws IOException {
        byte[] file = Files.readAllBytes(GOLDEN.resolve("pictures").resolve(line.split(" ")[0]));
        Random random = new Random(line.hashCode());
        for (int round = 0; round < 60; round++) {
            byte[] damaged = file.clone();
            // half of the rounds hit the headers, where sizes and tables are
            int reach = round % 2 == 0 ? Math.min(file.length, 120) : file.length;
            for (int flips = 1 + random.nextInt(4); flips > 0; flips--)
                damaged[random.nextInt(reach)] ^= (byte) (1 << random.nextInt(8));
            if (random.nextInt(4) == 0) damaged = Arrays.copyOf(damaged, random.nextInt(file.length));
            try {
                Picture.of("damaged", damaged);
            } catch (UserError expected) {
                assertTrue(expected.where().equals("damaged") && !expected.what().isEmpty());
            }
        }
    }

    @Test
    void aPictureOfTooManyPixelsIsRefusedBeforeItIsDecoded() throws IOException {
        UserError png = assertThrows(UserError.class, () -> Picture.of("bomb.png", png(50_000, 50_000)));
        assertEquals("is 50000 × 50000 pixels, at most 67108864 are read", png.what());
        byte[] gif = Files.readAllBytes(GOLDEN.resolve("pictures/b.gif"));
        Arrays.fill(gif, 6, 10, (byte) 0xFF);
        assertEquals("is 65535 × 65535 pixels, at most 67108864 are read",
                assertThrows(UserError.class, () -> Picture.of("bomb.gif", gif)).what());
        byte[] bmp = Files.readAllBytes(GOLDEN.resolve("pictures/a.bmp"));
        ByteBuffer.wrap(bmp).putInt(18, 0xFFFF_0000).putInt(22, 0xFFFF_0000);
        assertThrows(UserError.class, () -> Picture.of("bomb.bmp", bmp));
    }

    /// A PNG file of this many black pixels as far as its header says, with little behind it.
    private static byte[] png(int width, int height) {
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        file.writeBytes(HexFormat.of().parseHex("89504e470d0a1a0a"));
        chunk(file, "IHDR", ByteBuffer.allocate(13).putInt(width).putInt(height).put((byte) 8).put((byte) 2).array());
        Deflater deflater = new Deflater();
        deflater.setInput(new byte[100_000]);
        deflater.finish();
        byte[] packed = new byte[1000];
        chunk(file, "IDAT", Arrays.copyOf(packed, deflater.deflate(packed)));
        chunk(file, "IEND", new byte[0]);
        return file.toByteArray();
    }

    private static void chunk(ByteArrayOutputStream file, String type, byte[] data) {
        byte[] body = ByteBuffer.allocate(4 + data.length).put(type.getBytes(StandardCharsets.US_ASCII)).put(data).array();
        CRC32 crc = new CRC32();
        crc.update(body);
        file.writeBytes(ByteBuffer.allocate(8 + body.length).putInt(data.length).put(body).putInt((int) crc.getValue()).array());
    }

    @Test
    void aPngWithAWrongChecksumIsDamaged() throws IOException {
        byte[] file = Files.readAllBytes(GOLDEN.resolve("pictures/rgb.png"));
        file[file.length / 2] ^= 1;
        UserError e = assertThrows(UserError.class, () -> Picture.of("x.png", file));
        assertEquals("the picture is damaged: the checksum of IDAT is wrong", e.what());
    }

    @Test
    void whatIsNoPictureIsRefused() throws IOException {
        assertEquals("is not a picture that can be read", assertThrows(UserError.class,
                () -> Picture.of("notes.txt", "a cat".getBytes(StandardCharsets.UTF_8))).what());
        assertEquals("no such file", assertThrows(UserError.class, () -> Picture.read(folder.resolve("none.png"))).what());
        assertEquals("is a folder, not a picture", assertThrows(UserError.class, () -> Picture.read(folder)).what());
    }

    @Test
    void everyOrientationShowsTheSameUprightPicture() {
        // 1 2 3 / 4 5 6 as the eight orientations store it
        String[] stored = {"123/456", "321/654", "654/321", "456/123", "14/25/36", "36/25/14", "63/52/41", "41/52/63"};
        for (int orientation = 1; orientation <= 8; orientation++)
            assertEquals("123/456", text(picture(stored[orientation - 1]).upright(orientation)), "orientation " + orientation);
    }

    @Test
    void theMiddleOfASmallPictureHasBlackAroundIt() {
        assertEquals("5", text(picture("123/456/789").middle(1, 1)));
        assertEquals("12/45", text(picture("123/456/789").middle(2, 2)));
        assertEquals("0000/0123/0456/0000", text(picture("123/456").middle(4, 4)));
        assertEquals("02/05/08", text(picture("2/5/8").middle(2, 3)));
    }

    private static Picture picture(String rows) {
        int width = rows.indexOf('/') < 0 ? rows.length() : rows.indexOf('/');
        String digits = rows.replace("/", "");
        byte[] rgb = new byte[3 * digits.length()];
        for (int i = 0; i < rgb.length; i++) rgb[i] = (byte) (digits.charAt(i / 3) - '0');
        return new Picture(width, digits.length() / width, rgb);
    }

    private static String text(Picture picture) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < picture.rgb().length; i += 3) {
            if (i > 0 && i / 3 % picture.width() == 0) text.append('/');
            text.append(picture.rgb()[i]);
        }
        return text.toString();
    }
}
