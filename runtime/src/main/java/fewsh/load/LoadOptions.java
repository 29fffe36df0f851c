package fewsh.load;

import fewsh.models.Precision;
import fewsh.session.Device;
import java.nio.file.Path;

/// How a model is loaded.
///
/// @param threads of one operator
/// @param home where converted models are kept (`cache/`) and provider plugins are found (`providers/`)
public record LoadOptions(Precision precision, Device device, int threads, Path home) {
    /// What serves the file best, on the CPU, on all cores.
    public static LoadOptions in(Path home) {
        return new LoadOptions(Precision.AUTO, Device.CPU, Runtime.getRuntime().availableProcessors(), home);
    }

    public LoadOptions withPrecision(Precision precision) {
        return new LoadOptions(precision, device, threads, home);
    }

    public LoadOptions withDevice(Device device) {
        return new LoadOptions(precision, device, threads, home);
    }

    public LoadOptions withThreads(int threads) {
        return new LoadOptions(precision, device, threads, home);
    }
}
