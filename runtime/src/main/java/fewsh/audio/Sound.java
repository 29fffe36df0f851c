package fewsh.audio;

import fewsh.UserError;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import javax.sound.sampled.AudioFormat;
import javax.sound.sampled.AudioInputStream;
import javax.sound.sampled.AudioSystem;
import javax.sound.sampled.UnsupportedAudioFileException;

/// One channel of sound.
///
/// @param samples full scale is −1 to 1; what is louder is kept
/// @param samplingRate samples a second
public record Sound(float[] samples, int samplingRate) {
    /// Whole recordings are held in memory, and so are their features.
    private static final int LONGEST_SECONDS = 2 * 60 * 60;
    private static final int LOWEST_RATE = 1000;
    private static final int HIGHEST_RATE = 384_000;
    /// How the files begin that the JDK reads as sound; it would play MIDI too.
    private static final Set<String> KINDS = Set.of("RIFF", "FORM", ".snd");
    /// Float samples at the scale of 32-bit ones are met; far above that are bytes of something else.
    private static final float LOUDEST = 1e12f;
    private static final int BLOCK = 1 << 16;
    /// Bytes from which on a length in a header is no length.
    private static final long UNKNOWN = Integer.MAX_VALUE - (1 << 20);

    /// Reads a recording: WAV, AIFF or AU with PCM of 8 to 32 bits, float32, float64, A-law or µ-law. Channels are averaged;
    /// another sampling rate is converted: flat to 0.9 of the lower Nyquist frequency, what would fold back 100 dB down.
    ///
    /// A length of 2 GiB or none in the header is what a pipe writes: such a file is read to its end.
    ///
    /// @throws UserError if it is no such file, is damaged, cut short or empty, holds what is no sample, or is longer than two hours
    public static Sound read(Path file, int samplingRate) {
        if (!Files.isRegularFile(file))
            throw new UserError(file.toString(), Files.exists(file) ? "is no file" : "no such file", "");
        try (InputStream start = Files.newInputStream(file)) {
            if (!KINDS.contains(new String(start.readNBytes(4), StandardCharsets.ISO_8859_1))) throw notSound(file, null);
        } catch (IOException e) {
            throw new UserError(file.toString(), "cannot be read: " + e.getMessage(), "", e);
        }
        try (AudioInputStream stream = open(file)) {
            return new Sound(samples(file, plain(stream), samplingRate), samplingRate);
        } catch (UnsupportedAudioFileException | EOFException e) {
            throw notSound(file, e);
        } catch (IOException e) {
            throw new UserError(file.toString(), "cannot be read: " + e.getMessage(), "", e);
        }
    }

    private static AudioInputStream open(Path file) throws IOException, UnsupportedAudioFileException {
        try {
            return AudioSystem.getAudioInputStream(file.toFile());
        } catch (ArithmeticException | IllegalArgumentException | IndexOutOfBoundsException e) {
            throw notSound(file, e);                                        // what the JDK's readers make of damaged headers
        }
    }

    private static UserError notSound(Path file, Exception cause) {
        return new UserError(file.toString(), "not a sound file that can be read",
                "give WAV, AIFF or AU with PCM, float, A-law or µ-law samples: ffmpeg -i IN -ar 16000 -ac 1 OUT.wav", cause);
    }

    public double seconds() {
        return (double) samples.length / samplingRate;
    }

    /// The stream with numbers in it; A-law and µ-law stand for 16-bit ones.
    private static AudioInputStream plain(AudioInputStream stream) {
        AudioFormat format = stream.getFormat();
        AudioFormat.Encoding encoding = format.getEncoding();
        boolean companded = encoding.equals(AudioFormat.Encoding.ALAW) || encoding.equals(AudioFormat.Encoding.ULAW);
        return companded && format.getSampleSizeInBits() == 8 && format.getFrameSize() == format.getChannels()
                ? AudioSystem.getAudioInputStream(AudioFormat.Encoding.PCM_SIGNED, stream) : stream;
    }

    private static float[] samples(Path file, AudioInputStream stream, int samplingRate) throws IOException {
        AudioFormat format = stream.getFormat();
        int channels = format.getChannels();
        int frame = format.getFrameSize();
        int rate = Math.round(format.getFrameRate());
        boolean whole = channels > 0 && frame > 0 && frame <= BLOCK && frame % channels == 0;
        Decoder decoder = whole ? decoder(format, frame / channels) : null;
        if (decoder == null) throw notSound(file, null);
        if (rate < LOWEST_RATE || rate > HIGHEST_RATE)
            throw new UserError(file.toString(), "has a sampling rate of " + rate + " Hz",
                    "rates from " + LOWEST_RATE + " to " + HIGHEST_RATE + " Hz are read");
        Resampler out = new Resampler(file.toString(), rate, samplingRate);
        byte[] bytes = new byte[BLOCK / frame * frame];
        float[] mono = new float[bytes.length / frame];
        long frames = 0;
        for (int n; (n = stream.readNBytes(bytes, 0, bytes.length) / frame) > 0; ) {
            MemorySegment block = MemorySegment.ofArray(bytes);
            for (int i = 0; i < n; i++) {
                double sum = 0;
                for (int c = 0; c < channels; c++) sum += decoder.at(block, (long) i * frame + (long) c * (frame / channels));
                mono[i] = (float) (sum / channels);
                if (!(Math.abs(mono[i]) <= LOUDEST))
                    throw new UserError(file.toString(), "holds a sample of " + mono[i] + ", which is no sound", "");
            }
            out.add(mono, n);
            frames += n;
            if (out.length() > (long) LONGEST_SECONDS * samplingRate)
                throw new UserError(file.toString(), "is longer than two hours", "cut it into pieces");
        }
        long promised = stream.getFrameLength();
        if (promised > frames && promised < UNKNOWN / frame)
            throw new UserError(file.toString(), "is cut short: it ends after %.1f of %.1f seconds".formatted((double) frames / rate,
                    (double) promised / rate), "fetch or save the file again; ffmpeg -i IN OUT.wav keeps what is there");
        float[] samples = out.finish();
        if (samples.length == 0) throw new UserError(file.toString(), "holds no sound", "");
        return samples;
    }

    /// One sample of a block, by its place in bytes.
    private interface Decoder {
        double at(MemorySegment block, long offset);
    }

    /// How samples of `size` bytes are stored; null where that is not known.
    private static Decoder decoder(AudioFormat format, int size) {
        ByteOrder order = format.isBigEndian() ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN;
        AudioFormat.Encoding encoding = format.getEncoding();
        if (encoding.equals(AudioFormat.Encoding.PCM_FLOAT) && size == 4) {
            var float32 = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(order);
            return (block, at) -> block.get(float32, at);
        }
        if (encoding.equals(AudioFormat.Encoding.PCM_FLOAT) && size == 8) {
            var float64 = ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(order);
            return (block, at) -> block.get(float64, at);
        }
        boolean signed = encoding.equals(AudioFormat.Encoding.PCM_SIGNED);
        if (!signed && !encoding.equals(AudioFormat.Encoding.PCM_UNSIGNED) || size > 4) return null;
        boolean big = format.isBigEndian();
        double scale = 1.0 / (1L << 8 * size - 1);
        return (block, at) -> {
            int value = 0;                                                   // the sample's bytes on top, the first bit its sign
            for (int i = 0; i < size; i++) {
                int b = block.get(ValueLayout.JAVA_BYTE, at + (big ? i : size - 1 - i)) & 0xFF;
                value |= b << 24 - 8 * i;
            }
            return ((signed ? value : value ^ Integer.MIN_VALUE) >> 32 - 8 * size) * scale;
        };
    }
}
