package fewsh.load;

import com.sun.management.OperatingSystemMXBean;
import fewsh.UserError;
import fewsh.models.Checkpoint;
import fewsh.models.Page;
import fewsh.models.Precision;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// The memory that a model will take, before it is loaded.
///
/// @param weights bytes of its matrices as the runtime holds them
/// @param cachePosition bytes of keys and values of one position
/// @param context positions at most
record Footprint(long weights, long cachePosition, int context) {
    /// The JVM, the runtime's code and activations.
    private static final long BASE = 150L << 20;
    /// Positions that any use of a model needs.
    private static final int SOME_POSITIONS = 512;

    static Footprint of(Checkpoint checkpoint, Page page, Precision precision) {
        return new Footprint(checkpoint.heldBytes(precision), page.cacheBytes(), page.contextLength());
    }

    /// With the whole context filled.
    long whole() {
        return BASE + weights + context * cachePosition;
    }

    /// Refuses a model that does not fit into what is free now, with a short context.
    void check(Path model, Precision precision) {
        long least = BASE + weights + Math.min(context, SOME_POSITIONS) * cachePosition;
        long free = free();
        if (least <= free) return;
        throw new UserError(model.toString(), "needs " + mebibytes(least) + " at " + precision.word() + ", "
                + mebibytes(free) + " of memory are free", precision == Precision.INT4 ? "close other programs or take a smaller model"
                : "try --precision " + (precision == Precision.FP32 ? "int8" : "int4") + ", or close other programs");
    }

    private static String mebibytes(long bytes) {
        return "%,d MiB".formatted(bytes >> 20);
    }

    /// Bytes that can be had without swapping: Linux says so, of other systems what is free.
    private static long free() {
        Path meminfo = Path.of("/proc/meminfo");
        try {
            List<String> lines = Files.exists(meminfo) ? Files.readAllLines(meminfo) : List.of();
            for (String line : lines)
                if (line.startsWith("MemAvailable:")) return Long.parseLong(line.replaceAll("\\D", "")) << 10;
        } catch (IOException e) {
            throw new UserError(meminfo.toString(), "cannot be read: " + e.getMessage(), "", e);
        }
        return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getFreeMemorySize();
    }
}
