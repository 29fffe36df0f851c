package fewsh.vision;

import fewsh.UserError;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import javax.imageio.ImageIO;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/// A picture: red, green and blue of 8 bits, upright.
///
/// @param rgb `3 · width · height` bytes, rows from the top, pixels from the left
public record Picture(int width, int height, byte[] rgb) {
    /// Most pixels of a picture that is read: 8192 × 8192.
    static final long LARGEST = 1L << 26;
    private static final long LARGEST_FILE = 1L << 28;

    public Picture {
        if (width < 1 || height < 1 || rgb.length != 3L * width * height)
            throw new IllegalArgumentException(width + " × " + height + " pixels are not " + rgb.length + " bytes");
    }

    /// Reads PNG, JPEG, GIF (its first frame), BMP or WebP, whichever the file's first bytes say.
    ///
    /// Grey, palettes, alpha, CMYK and 16 bits become RGB as Pillow's `convert("RGB")` makes them: alpha is left out, 16-bit
    /// colour keeps its upper bytes, 16-bit grey is cut at 255. An orientation in EXIF is applied. Lossy WebP differs by a few levels
    /// here and there.
    ///
    /// @throws UserError if it is none of these, is damaged or cut short, or has more than 2²⁶ pixels, 2²⁴ in lossy WebP
    public static Picture read(Path file) {
        try {
            if (Files.isDirectory(file)) throw new UserError(file.toString(), "is a folder, not a picture", "name a file");
            if (Files.exists(file) && Files.size(file) > LARGEST_FILE)
                throw new UserError(file.toString(), "is " + Files.size(file) + " bytes, pictures may be " + LARGEST_FILE,
                        "make it smaller");
            return of(file.toString(), Files.readAllBytes(file));
        } catch (IOException e) {
            throw new UserError(file.toString(), Files.exists(file) ? "cannot be read: " + e.getMessage() : "no such file", "", e);
        }
    }

    /// As [#read], of a file's bytes.
    ///
    /// @param where what an error calls it
    public static Picture of(String where, byte[] bytes) {
        return PictureFile.read(where, bytes);
    }

    /// Writes a PNG file, whole or not at all.
    ///
    /// @throws UserError if it cannot be written
    public void write(Path file) {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_3BYTE_BGR);
        int[] row = new int[3 * width];
        for (int y = 0; y < height; y++) {
            for (int i = 0; i < row.length; i++) row[i] = rgb[y * row.length + i] & 0xFF;
            image.getRaster().setPixels(0, y, width, 1, row);
        }
        Path folder = file.toAbsolutePath().getParent();
        if (!Files.isDirectory(folder)) throw new UserError(file.toString(), "there is no folder " + folder, "name one that is there");
        try {
            Path part = Files.createTempFile(folder, ".fewsh-", ".part");
            try {
                try (OutputStream out = Files.newOutputStream(part); var stream = new MemoryCacheImageOutputStream(out)) {
                    ImageIO.write(image, "png", stream);
                }
                Files.move(part, file, StandardCopyOption.REPLACE_EXISTING);
            } finally {
                Files.deleteIfExists(part);
            }
        } catch (IOException e) {
            throw new UserError(file.toString(), "cannot be written: " + e.getMessage(), "", e);
        }
    }

    /// Turned and mirrored as an EXIF orientation from 1 to 8 asks for.
    Picture upright(int orientation) {
        if (orientation == 1) return this;
        boolean turned = orientation >= 5;                      // width and height change places
        int w = turned ? height : width;
        int h = turned ? width : height;
        byte[] out = new byte[rgb.length];
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++) {
                int sx = turned ? y : x;
                int sy = turned ? x : y;
                if (orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8) sx = width - 1 - sx;
                if (orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7) sy = height - 1 - sy;
                System.arraycopy(rgb, 3 * (sy * width + sx), out, 3 * (y * w + x), 3);
            }
        return new Picture(w, h, out);
    }

    /// The middle; where the picture is smaller, black stands around it.
    ///
    /// Source: `center_crop` of `image_transforms.py` of Hugging Face's transformers.
    Picture middle(int width, int height) {
        return part(Math.floorDiv(this.width - width, 2), Math.floorDiv(this.height - height, 2), width, height);
    }

    /// What lies at `(left, top)`, which may be outside; black where there is no picture.
    Picture part(int left, int top, int width, int height) {
        byte[] part = new byte[3 * width * height];
        int from = Math.max(left, 0);
        int columns = Math.min(left + width, this.width) - from;
        for (int y = Math.max(top, 0); y < Math.min(top + height, this.height) && columns > 0; y++)
            System.arraycopy(rgb, 3 * (y * this.width + from), part, 3 * ((y - top) * width + from - left), 3 * columns);
        return new Picture(width, height, part);
    }
}
