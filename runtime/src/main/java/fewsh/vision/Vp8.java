package fewsh.vision;

import com.twelvemonkeys.imageio.plugins.webp.vp8.VP8Frame;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteOrder;
import javax.imageio.stream.MemoryCacheImageInputStream;

/// The lossy stream of a WebP file. The decoder's own RGB takes the nearest colour difference for each pixel; here they are
/// interpolated, as the reference implementation does.
///
/// Source: RFC 6386, section 9.1; `upsampling.c` and `yuv.h` of libwebp.
final class Vp8 {
    /// Most pixels of such a picture: the decoder takes about 30 bytes for each.
    static final long LARGEST = 1L << 24;
    private static final int KEY_FRAME = 0x2A019D;

    private Vp8() {}

    /// Width and height.
    static Size.Exactly size(byte[] stream) throws IOException {
        Bytes in = new Bytes(stream, ByteOrder.LITTLE_ENDIAN);
        in.skip(3);
        if (in.u24() != KEY_FRAME) throw new IOException("its stream does not begin with a whole picture");
        int width = in.u16() & 0x3FFF;
        int height = in.u16() & 0x3FFF;
        if (width == 0 || height == 0) throw new IOException("it has no pixels");
        return new Size.Exactly(height, width);
    }

    static Picture decode(byte[] stream, Size.Exactly size) throws IOException {
        MemoryCacheImageInputStream in = new MemoryCacheImageInputStream(new ByteArrayInputStream(stream));
        in.setByteOrder(ByteOrder.LITTLE_ENDIAN);
        VP8Frame frame = new VP8Frame(in, false);
        int width = size.width();
        int height = size.height();
        frame.decode(new BufferedImage(width, height, BufferedImage.TYPE_3BYTE_BGR).getRaster(), null);
        int[] luma = plane(frame.getDebugImageYBuffer(), 1);
        int[] blue = plane(frame.getDebugImageUBuffer(), 2);
        int[] red = plane(frame.getDebugImageVBuffer(), 2);
        byte[] rgb = new byte[3 * width * height];
        for (int y = 0, at = 0; y < height; y++)
            for (int x = 0; x < width; x++, at += 3) {
                int light = luma[y * width + x] * 19077 >> 8;
                int u = between(blue, x, y, width, height);
                int v = between(red, x, y, width, height);
                rgb[at] = clip(light + (v * 26149 >> 8) - 14234);
                rgb[at + 1] = clip(light - (u * 6419 >> 8) - (v * 13320 >> 8) + 8708);
                rgb[at + 2] = clip(light + (u * 33050 >> 8) - 17685);
            }
        return new Picture(width, height, rgb);
    }

    /// The numbers of a plane, of which the decoder shows each `step` times across and down.
    private static int[] plane(BufferedImage shown, int step) {
        int width = (shown.getWidth() + step - 1) / step;
        int height = (shown.getHeight() + step - 1) / step;
        int[] plane = new int[width * height];
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++) plane[y * width + x] = shown.getRGB(x * step, y * step) & 0xFF;
        return plane;
    }

    /// A colour difference at a pixel, of the four around it: nine parts of the nearest, three of its neighbours, one of the last.
    private static int between(int[] plane, int x, int y, int width, int height) {
        int columns = (width + 1) / 2;
        int rows = (height + 1) / 2;
        int row = y / 2;
        int other = Math.clamp(row + (y % 2 == 0 ? -1 : 1), 0, rows - 1);
        int column = x / 2;
        int beside = column + (x % 2 == 0 ? -1 : 1);
        int near = plane[row * columns + column];
        int far = plane[other * columns + column];
        if (beside < 0 || beside >= columns) return 3 * near + far + 2 >> 2;
        int nearBeside = plane[row * columns + beside];
        int farBeside = plane[other * columns + beside];
        return (near + nearBeside + far + farBeside + 8 + 2 * (nearBeside + far) >> 3) + near >> 1;
    }

    private static byte clip(int value) {
        return (byte) Math.clamp(value >> 6, 0, 255);
    }
}
