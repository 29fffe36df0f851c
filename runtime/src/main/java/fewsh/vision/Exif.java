package fewsh.vision;

import java.nio.BufferUnderflowException;
import java.nio.ByteOrder;

/// The one entry of EXIF that pictures are shown by: which way is up.
final class Exif {
    private static final int ORIENTATION = 0x0112;
    private static final int SHORT = 3;

    private Exif() {}

    /// The orientation, from 1 (upright) to 8; 1 when there is none or the block is damaged, as viewers have it.
    ///
    /// @param tiff from the byte order mark on, or from `Exif\0\0` before it
    /// Source: EXIF 2.32, section 4.6; TIFF 6.0, section 2.
    static int orientation(byte[] tiff) {
        try {
            Bytes in = new Bytes(tiff, ByteOrder.BIG_ENDIAN);
            if (in.left() > 6 && in.latin1(4).equals("Exif")) in.skip(2);
            else in.at(0);
            int start = in.place();
            ByteOrder order = switch (in.latin1(2)) {
                case "II" -> ByteOrder.LITTLE_ENDIAN;
                case "MM" -> ByteOrder.BIG_ENDIAN;
                default -> throw new BufferUnderflowException();
            };
            in.at(start);
            Bytes block = in.part(in.left(), order);
            block.skip(4);
            block.at(block.u32());
            for (int entries = block.u16(); entries > 0; entries--) {
                boolean found = block.u16() == ORIENTATION & block.u16() == SHORT & block.u32() >= 1;
                int value = block.u16();
                block.skip(2);
                if (found) return value >= 1 && value <= 8 ? value : 1;
            }
            return 1;
        } catch (BufferUnderflowException e) {
            return 1;
        }
    }
}
