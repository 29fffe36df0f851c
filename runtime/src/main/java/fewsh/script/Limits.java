package fewsh.script;

import java.time.Duration;

/// What one run of a script may use up, or one entry of `/js`; each begins anew.
///
/// @param time of the processor, spent in the script itself: what a model computes does not count
/// @param statements of JavaScript that are run; deterministic, where `time` depends on the machine
/// @param memory bytes of the JVM's heap that a script may come to hold
/// @param files bytes read and written in all
public record Limits(Duration time, long statements, long memory, long files) {
    /// A minute, 10⁹ statements (two minutes or so of a tight loop), half of the JVM's heap, 256 MiB.
    public static final Limits DEFAULT = new Limits(Duration.ofSeconds(60), 1_000_000_000L, Runtime.getRuntime().maxMemory() / 2,
            256L << 20);

    public Limits {
        if (time.isNegative() || time.isZero() || statements < 1 || memory < 1 || files < 0)
            throw new IllegalArgumentException("limits must be positive: " + time + ", " + statements + ", " + memory + ", "
                    + files);
    }

    public Limits withTime(Duration time) {
        return new Limits(time, statements, memory, files);
    }

    public Limits withStatements(long statements) {
        return new Limits(time, statements, memory, files);
    }

    public Limits withMemory(long memory) {
        return new Limits(time, statements, memory, files);
    }

    public Limits withFiles(long files) {
        return new Limits(time, statements, memory, files);
    }
}
