package fewsh.audio;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import fewsh.UserError;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/// Files made byte by byte as their formats say; rates converted as scipy converts them.
class SoundTest {
    private static final int PCM = 1;
    private static final int FLOAT = 3;
    private static final int A_LAW = 6;
    private static final int MU_LAW = 7;
    private static final int RUNS = Integer.getInteger("fuzz.runs", 1000);

    @TempDir
    Path folder;

    /// A WAV file.
    private static byte[] wav(int format, int channels, int rate, int bits, byte[] data) {
        ByteBuffer b = ByteBuffer.allocate(44 + data.length).order(ByteOrder.LITTLE_ENDIAN);
        b.put(ascii("RIFF")).putInt(36 + data.length).put(ascii("WAVEfmt ")).putInt(16).putShort((short) format)
                .putShort((short) channels).putInt(rate).putInt(rate * channels * bits / 8)
                .putShort((short) (channels * bits / 8)).putShort((short) bits)
                .put(ascii("data")).putInt(data.length).put(data);
        return b.array();
    }

    /// A WAV file whose format is said in full, as needed for more than two channels.
    private static byte[] extensible(int format, int channels, int rate, int bits, byte[] data) {
        ByteBuffer b = ByteBuffer.allocate(68 + data.length).order(ByteOrder.LITTLE_ENDIAN);
        b.put(ascii("RIFF")).putInt(60 + data.length).put(ascii("WAVEfmt ")).putInt(40).putShort((short) 0xFFFE)
                .putShort((short) channels).putInt(rate).putInt(rate * channels * bits / 8)
                .putShort((short) (channels * bits / 8)).putShort((short) bits).putShort((short) 22)
                .putShort((short) bits).putInt(0).putShort((short) format)
                .put(bytes(0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71))
                .put(ascii("data")).putInt(data.length).put(data);
        return b.array();
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private static byte[] bytes(int... values) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) bytes[i] = (byte) values[i];
        return bytes;
    }

    private float[] read(String name, byte[] file, int rate) throws IOException {
        Path path = folder.resolve(name);
        Files.write(path, file);
        return Sound.read(path, rate).samples();
    }

    @Test
    void numbersOfEveryWidthHaveOneScale() throws IOException {
        float[] expected = {0, 0.5f, -0.5f, -1};
        assertArrayEquals(expected, read("8.wav", wav(PCM, 1, 8000, 8, bytes(128, 192, 64, 0)), 8000));
        assertArrayEquals(expected, read("16.wav", wav(PCM, 1, 8000, 16, bytes(0, 0, 0, 0x40, 0, 0xC0, 0, 0x80)), 8000));
        assertArrayEquals(expected,
                read("24.wav", wav(PCM, 1, 8000, 24, bytes(0, 0, 0, 0, 0, 0x40, 0, 0, 0xC0, 0, 0, 0x80)), 8000));
        assertArrayEquals(expected, read("32.wav",
                wav(PCM, 1, 8000, 32, bytes(0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0, 0xC0, 0, 0, 0, 0x80)), 8000));
        ByteBuffer float32 = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN);
        ByteBuffer float64 = ByteBuffer.allocate(32).order(ByteOrder.LITTLE_ENDIAN);
        for (float x : expected) {
            float32.putFloat(2 * x);
            float64.putDouble(2 * x);
        }
        assertArrayEquals(new float[] {0, 1, -1, -2}, read("f32.wav", wav(FLOAT, 1, 8000, 32, float32.array()), 8000));
        assertArrayEquals(new float[] {0, 1, -1, -2}, read("f64.wav", wav(FLOAT, 1, 8000, 64, float64.array()), 8000));
    }

    @Test
    void compandedNumbersAreThoseOfG711() throws IOException {
        float[] mu = read("mu.wav", wav(MU_LAW, 1, 8000, 8, bytes(0xFF, 0x80, 0x00, 0xE7)), 8000);
        assertArrayEquals(new float[] {0, 32124 / 32768f, -32124 / 32768f, 260 / 32768f}, mu);
        float[] a = read("a.wav", wav(A_LAW, 1, 8000, 8, bytes(0xD5, 0xAA, 0x2A, 0x55)), 8000);
        assertArrayEquals(new float[] {8 / 32768f, 32256 / 32768f, -32256 / 32768f, -8 / 32768f}, a);
    }

    @Test
    void bigEndianFilesAreReadToo() throws IOException {
        ByteArrayOutputStream au = new ByteArrayOutputStream();
        au.write(ByteBuffer.allocate(24).put(ascii(".snd")).putInt(24).putInt(4).putInt(3).putInt(16000)
                .putInt(1).array());
        au.write(bytes(0x40, 0, 0xC0, 0));
        assertArrayEquals(new float[] {0.5f, -0.5f}, read("x.au", au.toByteArray(), 16000));
        ByteBuffer aiff = ByteBuffer.allocate(58);
        aiff.put(ascii("FORM")).putInt(50).put(ascii("AIFFCOMM")).putInt(18)
                .putShort((short) 1).putInt(2).putShort((short) 16).putShort((short) 0x400C).putLong(0xFA00_0000_0000_0000L)
                .put(ascii("SSND")).putInt(12).putInt(0).putInt(0).put(bytes(0x40, 0, 0xC0, 0));
        assertArrayEquals(new float[] {0.5f, -0.5f}, read("x.aiff", aiff.array(), 16000));
    }

    @Test
    void channelsAreAveraged() throws IOException {
        assertArrayEquals(new float[] {0.25f, -0.25f},
                read("2.wav", wav(PCM, 2, 8000, 16, bytes(0, 0x40, 0, 0, 0, 0xC0, 0, 0)), 8000));
        assertArrayEquals(new float[] {0.125f},
                read("4.wav", extensible(PCM, 4, 8000, 16, bytes(0, 0x40, 0, 0x40, 0, 0xC0, 0, 0)), 8000));
    }

    private static Stream<JsonElement> resampled() {
        return MelFeaturesTest.reference().getAsJsonArray("resampled").asList().stream();
    }

    @ParameterizedTest
    @MethodSource("resampled")
    void ratesAreConvertedAsScipyDoesWithTheSameFilter(JsonElement given) {
        JsonObject c = given.getAsJsonObject();
        Resampler resampler = new Resampler("", c.get("from").getAsInt(), c.get("to").getAsInt());
        float[] wave = MelFeaturesTest.wave(c.get("samples").getAsInt(), c.get("from").getAsInt());
        Random random = new Random(5);
        for (int at = 0; at < wave.length; ) {                              // blocks make no difference
            int n = Math.min(wave.length - at, random.nextInt(100));
            resampler.add(Arrays.copyOfRange(wave, at, at + n), n);
            at += n;
        }
        assertArrayEquals(MelFeaturesTest.data(c), resampler.finish(), 2e-6f);
    }

    @ParameterizedTest
    @CsvSource({"44100, 6500, 1", "48000, 6500, 1", "8000, 3200, 1", "44100, 8200, 0", "48000, 10000, 0", "192000, 30000, 0"})
    void speechPassesAndWhatWouldFoldBackDoesNot(int rate, double hertz, double gain) {
        float[] tone = new float[rate];
        for (int i = 0; i < rate; i++) tone[i] = (float) Math.sin(2 * Math.PI * hertz * i / rate);
        Resampler resampler = new Resampler("", rate, 16000);
        resampler.add(tone, rate);
        float[] out = resampler.finish();
        assertEquals(16000, out.length);
        for (int i = 500; i < 15500; i++)
            assertEquals(gain * Math.sin(2 * Math.PI * hertz * i / 16000), out[i], 3e-5, "sample " + i);
    }

    @Test
    void aRecordingThatWasCutOffSaysSoAndOneThatAPipeWroteIsReadToItsEnd() throws IOException {
        byte[] whole = wav(PCM, 1, 8000, 16, new byte[2000]);
        String cut = assertThrows(UserError.class, () -> read("cut.wav", Arrays.copyOf(whole, 1000), 8000)).what();
        assertTrue(cut.startsWith("is cut short"), cut);
        for (int size : new int[] {-1, Integer.MAX_VALUE, Integer.MIN_VALUE}) {   // -1: what a pipe writes
            ByteBuffer.wrap(whole).order(ByteOrder.LITTLE_ENDIAN).putInt(40, size);
            assertEquals(1000, read("lie.wav", whole, 8000).length, "" + size);
        }
    }

    @Test
    void whatIsNoSoundIsAnErrorThatSaysWhatIs() throws IOException {
        refused("x.mp3", ascii("ID3 not for us"), "not a sound file");
        refused("x.mid", ascii("MThd\0\0\0\6\0\0\0\1\0\1MTrk\0\0\0\0"), "not a sound file");
        refused("empty.wav", new byte[0], "not a sound file");
        refused("none.wav", wav(PCM, 1, 8000, 16, new byte[0]), "no sound");
        refused("channels.wav", wav(PCM, 0, 8000, 16, new byte[8]), "not a sound file");
        refused("slow.wav", wav(PCM, 1, 10, 16, new byte[8]), "sampling rate of 10 Hz");
        refused("odd.wav", wav(PCM, 1, 191_999, 16, new byte[8]), "191999 Hz");
        refused("adpcm.wav", wav(2, 1, 8000, 8, new byte[8]), "not a sound file");
        refused("nan.wav", wav(FLOAT, 1, 8000, 32, bytes(0, 0, 0xC0, 0x7F)), "NaN");
        refused("huge.wav", wav(FLOAT, 1, 8000, 32, bytes(0xFF, 0xFF, 0x7F, 0x7F)), "3.4028235E38");
        assertThrows(UserError.class, () -> Sound.read(folder, 8000));
        assertThrows(UserError.class, () -> Sound.read(folder.resolve("nowhere.wav"), 8000));
    }

    private void refused(String name, byte[] file, String why) {
        UserError e = assertThrows(UserError.class, () -> read(name, file, 16000));
        assertTrue(e.what().contains(why), e.what());
        assertTrue(e.where().endsWith(name), e.where());
    }

    /// The number of a failing run is its seed.
    @Test
    @Timeout(300)
    void damagedFilesAreReadOrRefusedInBoundedMemory() throws IOException {
        byte[] data = new byte[400];
        new Random(0).nextBytes(data);
        ByteBuffer aiff = ByteBuffer.allocate(454);
        aiff.put(ascii("FORM")).putInt(446).put(ascii("AIFFCOMM")).putInt(18)
                .putShort((short) 2).putInt(100).putShort((short) 16).putShort((short) 0x400C).putLong(0xFA00_0000_0000_0000L)
                .put(ascii("SSND")).putInt(408).putLong(0).put(data);
        ByteBuffer au = ByteBuffer.allocate(424).put(ascii(".snd")).putInt(24).putInt(400).putInt(3)
                .putInt(16000).putInt(1).put(data);
        byte[][] whole = {wav(PCM, 2, 44100, 16, data), wav(FLOAT, 1, 16000, 32, new byte[400]), wav(MU_LAW, 1, 8000, 8, data),
                extensible(PCM, 4, 48000, 24, data), aiff.array(), au.array()};
        int read = 0;
        int refused = 0;
        var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        for (int run = 0; run < RUNS; run++) {
            Random random = new Random(run);
            byte[] bytes = whole[run % whole.length].clone();
            for (int i = random.nextInt(3); i >= 0; i--) {
                int at = random.nextInt(Math.min(bytes.length, 64) - 8);
                switch (random.nextInt(4)) {
                    case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
                    case 1 -> bytes = Arrays.copyOf(bytes, Math.max(16, random.nextInt(bytes.length)));
                    case 2 -> ByteBuffer.wrap(bytes).putInt(at, new int[] {0, 1, -1, Integer.MAX_VALUE, Integer.MIN_VALUE, 65536}
                            [random.nextInt(6)]);
                    default -> ByteBuffer.wrap(bytes).putShort(at, (short) random.nextInt());
                }
            }
            long before = threads.getCurrentThreadAllocatedBytes();
            try {
                assertTrue(read("fuzz", bytes, 16000).length > 0);
                read++;
            } catch (UserError e) {
                refused++;
            } catch (RuntimeException | Error e) {
                throw new AssertionError("run " + run, e);
            }
            long allocated = threads.getCurrentThreadAllocatedBytes() - before;
            assertTrue(allocated < 48 << 20, "run " + run + " allocated " + allocated);
        }
        assertTrue(read > RUNS / 10 && refused > RUNS / 10, read + " read, " + refused + " refused");
    }
}
