package fewsh.vision;

import java.nio.BufferUnderflowException;
import java.nio.ByteOrder;

/// Where the first frame of a GIF file stands.
///
/// @param width of the screen, which a frame may widen
/// @param background the index of the colour where the frame is not
/// Source: GIF89a; `GifImagePlugin.py` of Pillow, which fills with the transparent colour if there is one, else with colour 0.
record Gif(int width, int height, int left, int top, int background) {
    static Gif of(byte[] file) {
        Bytes in = new Bytes(file, ByteOrder.LITTLE_ENDIAN);
        in.skip(6);
        int width = in.u16();
        int height = in.u16();
        int flags = in.u8();
        in.skip(2 + table(flags));
        int background = 0;
        while (true) {
            switch (in.u8()) {
                case '!' -> {
                    boolean control = in.u8() == 0xF9;
                    int start = in.place();
                    if (control && in.u8() >= 4 && (in.u8() & 1) != 0) {
                        in.skip(2);
                        background = in.u8();
                    }
                    in.at(start);
                    blocks(in);
                }
                case ',' -> {
                    int left = in.u16();
                    int top = in.u16();
                    int right = left + in.u16();
                    int bottom = top + in.u16();
                    in.skip(table(in.u8()) + 1);
                    blocks(in);                                 // all of the frame must be there
                    return new Gif(Math.max(width, right), Math.max(height, bottom), left, top, background);
                }
                case ';' -> throw new BufferUnderflowException();
                default -> {}
            }
        }
    }

    private static int table(int flags) {
        return (flags & 0x80) == 0 ? 0 : 3 << (flags & 7) + 1;
    }

    private static void blocks(Bytes in) {
        for (int length = in.u8(); length > 0; length = in.u8()) in.skip(length);
    }
}
