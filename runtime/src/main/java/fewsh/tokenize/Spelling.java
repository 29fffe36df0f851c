package fewsh.tokenize;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// How the pieces of a vocabulary spell the bytes they stand for.
enum Spelling {
    /// Each character is a byte, by GPT-2's table: printable Latin-1 stands for itself, the other 68 bytes for U+0100 on.
    BYTE_LEVEL {
        @Override
        byte[] bytes(String piece) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            for (int i = 0; i < piece.length(); i++) {
                int b = piece.charAt(i) < BYTES.length ? BYTES[piece.charAt(i)] : -1;
                if (b < 0) return text(piece);
                out.write(b);
            }
            return out.toByteArray();
        }
    },
    /// U+2581 is a space, `<0x0A>` a byte.
    SENTENCE_PIECE {
        @Override
        byte[] bytes(String piece) {
            return isByte(piece) ? new byte[] {(byte) Integer.parseInt(piece.substring(3, 5), 16)}
                    : text(piece.replace('\u2581', ' '));
        }
    },
    /// A piece that goes on with a word starts with `##`; where words are parted is not kept.
    WORD_PIECE {
        @Override
        byte[] bytes(String piece) {
            return text(piece.startsWith("##") ? piece.substring(2) : piece);
        }
    },
    /// The last piece of a word ends with `</w>`, which stands for the space after it.
    END_OF_WORD {
        @Override
        byte[] bytes(String piece) {
            return text(piece.endsWith("</w>") ? piece.substring(0, piece.length() - 4) + " " : piece);
        }
    },
    /// Text as it stands.
    PLAIN {
        @Override
        byte[] bytes(String piece) {
            return text(piece);
        }
    };

    private static final short[] BYTES = byteLevel();

    abstract byte[] bytes(String piece);

    /// Whether this piece is one byte of a character that may need others.
    boolean isByteOf(String piece) {
        return this == SENTENCE_PIECE && isByte(piece);
    }

    static byte[] text(String piece) {
        return piece.getBytes(StandardCharsets.UTF_8);
    }

    private static boolean isByte(String piece) {
        return piece.length() == 6 && piece.startsWith("<0x") && piece.charAt(5) == '>'
                && Character.digit(piece.charAt(3), 16) >= 0 && Character.digit(piece.charAt(4), 16) >= 0;
    }

    /// The byte of each character, −1 for a character that stands for none. Source: `bytes_to_unicode` of openai/gpt-2.
    private static short[] byteLevel() {
        short[] bytes = new short[0x144];
        Arrays.fill(bytes, (short) -1);
        int next = 0x100;
        for (int b = 0; b < 256; b++) {
            boolean itself = b >= '!' && b <= '~' || b >= 0xa1 && b <= 0xac || b >= 0xae;
            bytes[itself ? b : next++] = (short) b;
        }
        return bytes;
    }
}
