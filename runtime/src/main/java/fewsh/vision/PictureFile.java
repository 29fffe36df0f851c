package fewsh.vision;

import com.twelvemonkeys.imageio.plugins.webp.WebPImageReaderSpi;
import fewsh.UserError;
import java.awt.image.BufferedImage;
import java.awt.image.DataBuffer;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.awt.image.SinglePixelPackedSampleModel;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteOrder;
import java.util.Arrays;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.MemoryCacheImageInputStream;

/// Files of pictures, decoded by the JDK's readers and one for WebP.
///
/// What a reader gets is the file without all that the pixels do not need, so that no profile, text or thumbnail is ever parsed;
/// what it gives are the stored numbers, which become RGB here.
final class PictureFile {
    private final String where;
    private final byte[] bytes;

    private PictureFile(String where, byte[] bytes) {
        this.where = where;
        this.bytes = bytes;
    }

    static Picture read(String where, byte[] bytes) {
        try {
            return new PictureFile(where, bytes).read();
        } catch (BufferUnderflowException e) {
            throw damaged(where, "the picture is cut short", e);
        } catch (UserError e) {
            throw e;
        } catch (IOException | RuntimeException e) {            // the readers throw what they stumble over
            throw damaged(where, "the picture is damaged: " + (e.getMessage() == null ? e.toString() : e.getMessage()), e);
        }
    }

    private static UserError damaged(String where, String what, Exception cause) {
        return new UserError(where, what, "fetch or save the file again", cause);
    }

    private Picture read() throws IOException {
        if (starts("\u0089PNG\r\n\u001a\n")) return png();
        if (starts("\u00ff\u00d8\u00ff")) return jpeg();
        if (starts("GIF8")) return gif();
        if (starts("BM")) return bmp();
        if (starts("RIFF") && bytes.length >= 12 && bytes[8] == 'W') return webp();
        throw new UserError(where, "is not a picture that can be read", "give a PNG, JPEG, GIF, BMP or WebP file");
    }

    private boolean starts(String magic) {
        if (bytes.length < magic.length()) return false;
        for (int i = 0; i < magic.length(); i++) if ((bytes[i] & 0xFF) != magic.charAt(i)) return false;
        return true;
    }

    private Picture png() throws IOException {
        Png png = Png.of(bytes);
        BufferedImage image = decode("png", png.plain());
        return new Picture(image.getWidth(), image.getHeight(), rgb(image)).upright(png.orientation());
    }

    private Picture jpeg() throws IOException {
        Jpeg jpeg = Jpeg.of(bytes);
        ImageReader reader = reader(ImageIO.getImageReadersByFormatName("jpeg").next(), jpeg.plain());
        String[] damage = {null};
        reader.addIIOReadWarningListener((_, warning) -> {
            boolean harmless = warning.contains("extraneous");
            if (!harmless) damage[0] = warning;
        });
        try {
            check(reader.getWidth(0), reader.getHeight(0));
            Raster raster = reader.readRaster(0, null);
            if (damage[0] != null) throw new IOException(damage[0]);
            return jpeg.picture(raster).upright(jpeg.orientation());
        } finally {
            reader.dispose();
        }
    }

    private Picture gif() throws IOException {
        Gif gif = Gif.of(bytes);
        check(gif.width(), gif.height());
        BufferedImage frame = decode("gif", bytes);
        byte[] background = colours((IndexColorModel) frame.getColorModel());
        return placed(new Picture(frame.getWidth(), frame.getHeight(), rgb(frame)), gif.width(), gif.height(), gif.left(), gif.top(),
                Arrays.copyOfRange(background, 3 * gif.background(), 3 * gif.background() + 3));
    }

    private Picture bmp() throws IOException {
        Bytes header = new Bytes(bytes, ByteOrder.LITTLE_ENDIAN);
        header.skip(14);
        if (header.u32() >= 40) {
            header.skip(12);
            int compression = header.u32();
            if (compression == 4 || compression == 5)
                throw new UserError(where, "is a BMP file around a JPEG or PNG picture, which is not supported", "save it as PNG");
        }
        BufferedImage image = decode("bmp", bytes);
        return new Picture(image.getWidth(), image.getHeight(), rgb(image));
    }

    private Picture webp() throws IOException {
        WebP webp = WebP.of(bytes);
        Picture frame = webp.lossy() ? vp8(webp.stream()) : vp8l(webp.file());
        if (webp.width() == 0) return frame.upright(webp.orientation());
        check(webp.width(), webp.height());
        return placed(frame, webp.width(), webp.height(), webp.left(), webp.top(), new byte[3]).upright(webp.orientation());
    }

    private Picture vp8(byte[] stream) throws IOException {
        Size.Exactly size = Vp8.size(stream);
        check(size.width(), size.height(), Vp8.LARGEST);
        return Vp8.decode(stream, size);
    }

    private Picture vp8l(byte[] file) throws IOException {
        BufferedImage image = decode(reader(new WebPImageReaderSpi().createReaderInstance(null), file));
        return new Picture(image.getWidth(), image.getHeight(), rgb(image));
    }

    private BufferedImage decode(String format, byte[] plain) throws IOException {
        return decode(reader(ImageIO.getImageReadersByFormatName(format).next(), plain));
    }

    private BufferedImage decode(ImageReader reader) throws IOException {
        try {
            check(reader.getWidth(0), reader.getHeight(0));
            return reader.read(0);
        } finally {
            reader.dispose();
        }
    }

    private static ImageReader reader(ImageReader reader, byte[] plain) {
        reader.setInput(new MemoryCacheImageInputStream(new ByteArrayInputStream(plain)), true, true);
        return reader;
    }

    /// Before memory is taken for the pixels.
    private void check(int width, int height) {
        check(width, height, Picture.LARGEST);
    }

    private void check(int width, int height, long most) {
        if ((long) width * height > most)
            throw new UserError(where, "is " + width + " × " + height + " pixels, at most " + most + " are read",
                    "make it smaller");
    }

    /// A frame on a canvas; what stands over its edge is cut off.
    private static Picture placed(Picture frame, int width, int height, int left, int top, byte[] background) {
        if (frame.width() == width && frame.height() == height && left == 0 && top == 0) return frame;
        byte[] rgb = new byte[3 * width * height];
        for (int i = 0; i < rgb.length; i += 3) System.arraycopy(background, 0, rgb, i, 3);
        int columns = Math.min(frame.width(), width - left);
        for (int y = 0; y < frame.height() && top + y < height && columns > 0; y++)
            System.arraycopy(frame.rgb(), 3 * y * frame.width(), rgb, 3 * ((top + y) * width + left), 3 * columns);
        return new Picture(width, height, rgb);
    }

    /// The stored numbers as RGB, without regard to the colour space that the reader thinks they are in.
    private static byte[] rgb(BufferedImage image) {
        Raster raster = image.getRaster();
        int width = raster.getWidth();
        int bands = raster.getNumBands();
        byte[] palette = image.getColorModel() instanceof IndexColorModel indexed ? colours(indexed) : null;
        int[] most = most(raster);
        boolean wide = raster.getSampleModel().getDataType() == DataBuffer.TYPE_USHORT && raster.getSampleModel().getSampleSize(0) == 16;
        byte[] rgb = new byte[3 * width * raster.getHeight()];
        int[] row = new int[width * bands];
        for (int y = 0, to = 0; y < raster.getHeight(); y++) {
            raster.getPixels(0, y, width, 1, row);
            for (int at = 0; at < row.length; at += bands, to += 3)
                for (int c = 0; c < 3; c++) {
                    int value = row[at + (bands < 3 ? 0 : c)];
                    rgb[to + c] = palette != null ? palette[3 * value + c]
                            : wide ? (byte) (bands == 1 ? Math.min(value, 255) : value >> 8)
                            : (byte) (value * 255 / most[bands < 3 ? 0 : c]);
                }
        }
        return rgb;
    }

    /// The largest number of each band.
    private static int[] most(Raster raster) {
        int[] most = new int[raster.getNumBands()];
        Arrays.fill(most, 255);
        if (raster.getSampleModel() instanceof SinglePixelPackedSampleModel packed)
            for (int i = 0; i < most.length; i++) most[i] = (1 << packed.getSampleSize(i)) - 1;
        return most;
    }

    /// 256 colours of three bytes; those that the palette lacks are black.
    private static byte[] colours(IndexColorModel model) {
        byte[] colours = new byte[3 * 256];
        for (int i = 0; i < Math.min(256, model.getMapSize()); i++) {
            colours[3 * i] = (byte) model.getRed(i);
            colours[3 * i + 1] = (byte) model.getGreen(i);
            colours[3 * i + 2] = (byte) model.getBlue(i);
        }
        return colours;
    }
}
