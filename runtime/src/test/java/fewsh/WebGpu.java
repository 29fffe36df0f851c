package fewsh;

import fewsh.load.LoadOptions;
import fewsh.session.Device;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// The WebGPU plugin for the suites that run on it: a class of goldens that takes its options from a method is run again on WebGPU by
/// a class that extends it.
///
/// The plugin is in the home folder that `FEWSH_WEBGPU_HOME` names, from `fewsh pull provider:webgpu`. What it runs on is the
/// environment's: a GPU, or with `ORT_WEBGPU_EP_ALLOW_SOFTWARE_ADAPTER=1` and `VK_DRIVER_FILES` a driver that computes on the CPU.
/// `.ci/run` sets all that up.
public final class WebGpu {
    /// Of one float32 logit, where the CPU's tolerance is 1e-4. Shaders may contract a multiplication and an addition, sum in other
    /// orders, and have exp, tanh and erf of a few ulp: the WGSL specification allows more than IEEE 754 does.
    public static final float FLOAT32_LOGITS = 1e-4f;

    private WebGpu() {}

    /// `options` with the plugin, on WebGPU.
    public static LoadOptions on(LoadOptions options) {
        Path providers = options.home().resolve("providers");
        try {
            if (!Files.exists(providers))
                Files.createSymbolicLink(providers, Path.of(System.getenv("FEWSH_WEBGPU_HOME"), "providers").toAbsolutePath());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return options.withDevice(new Device(Device.Provider.WEBGPU, 0));
    }
}
