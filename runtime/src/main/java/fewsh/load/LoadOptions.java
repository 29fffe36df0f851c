package fewsh.load;

import fewsh.models.Precision;
import fewsh.models.Scaled;
import fewsh.session.Device;
import java.nio.file.Path;
import java.util.List;

/// How a model is loaded.
///
/// @param threads of one operator
/// @param home where converted models are kept (`cache/`) and provider plugins are found (`providers/`)
/// @param adapters that act together, in this order
public record LoadOptions(Precision precision, Device device, int threads, Path home, List<Scaled> adapters) {
    public LoadOptions {
        adapters = List.copyOf(adapters);
    }

    public LoadOptions(Precision precision, Device device, int threads, Path home) {
        this(precision, device, threads, home, List.of());
    }

    /// What serves the file best, on the CPU, on all cores.
    public static LoadOptions in(Path home) {
        return new LoadOptions(Precision.AUTO, Device.CPU, Runtime.getRuntime().availableProcessors(), home);
    }

    public LoadOptions withPrecision(Precision precision) {
        return new LoadOptions(precision, device, threads, home, adapters);
    }

    public LoadOptions withDevice(Device device) {
        return new LoadOptions(precision, device, threads, home, adapters);
    }

    public LoadOptions withThreads(int threads) {
        return new LoadOptions(precision, device, threads, home, adapters);
    }

    public LoadOptions withAdapters(List<Scaled> adapters) {
        return new LoadOptions(precision, device, threads, home, adapters);
    }
}
