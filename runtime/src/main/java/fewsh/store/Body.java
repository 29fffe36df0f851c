package fewsh.store;

import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;

/// The body of an answer. A read that gets nothing for `stall` fails: the HTTP client itself only watches the headers.
final class Body extends InputStream {
    private final InputStream in;
    private final Duration stall;
    private final Thread watch;
    private volatile long reading; // since when, in ns; 0 when no read is going on
    private volatile boolean stalled;

    Body(InputStream in, Duration stall) {
        this.in = in;
        this.stall = stall;
        this.watch = Thread.ofVirtual().start(this::watch);
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] bytes, int from, int n) throws IOException {
        reading = Math.max(1, System.nanoTime());
        try {
            int got = in.read(bytes, from, n);
            if (stalled) throw new IOException("no data for " + stall.toSeconds() + " seconds");
            return got;
        } catch (IOException e) {
            if (stalled) throw new IOException("no data for " + stall.toSeconds() + " seconds", e);
            throw e;
        } finally {
            reading = 0;
        }
    }

    /// Also drops the connection if the body was not read to its end.
    @Override
    public void close() throws IOException {
        watch.interrupt();
        in.close();
    }

    /// Closes a body nobody wants; that it breaks on the way does not matter.
    void drop() {
        try {
            close();
        } catch (IOException e) {
            stalled = true;
        }
    }

    private void watch() {
        long limit = stall.toNanos();
        try {
            while (true) {
                Thread.sleep(Math.max(1, stall.toMillis() / 4));
                long since = reading;
                if (since != 0 && System.nanoTime() - since > limit) {
                    stalled = true;
                    in.close();
                    return;
                }
            }
        } catch (InterruptedException | IOException e) {
            // closed, or cannot be: either way there is nothing left to watch
        }
    }
}
