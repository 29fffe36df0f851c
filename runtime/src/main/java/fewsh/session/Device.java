package fewsh.session;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtEpDevice;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtProvider;
import ai.onnxruntime.OrtSession.SessionOptions;
import fewsh.UserError;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// What a model runs on: an execution provider of ONNX Runtime and the number of the device, as in `cuda:1`.
///
/// A provider that is not there is an error; nothing falls back to another one.
public record Device(Provider provider, int index) {
    public static final Device CPU = new Device(Provider.CPU, 0);

    /// The providers that a device can name.
    public enum Provider {
        CPU(OrtProvider.CPU, "always there"),
        WEBGPU(OrtProvider.WEBGPU, "put libonnxruntime_providers_webgpu (package onnxruntime-ep-webgpu) into the providers folder"),
        CUDA(OrtProvider.CUDA, "build with ./mvnw -Pgpu package on a machine with CUDA 12 and cuDNN 9"),
        TENSORRT(OrtProvider.TENSOR_RT, "build with ./mvnw -Pgpu package on a machine with TensorRT 10"),
        ROCM(OrtProvider.ROCM, "it needs an ONNX Runtime build of its own"),
        OPENVINO(OrtProvider.OPEN_VINO, "it needs an ONNX Runtime build of its own"),
        DIRECTML(OrtProvider.DIRECT_ML, "it needs Windows and an ONNX Runtime build of its own"),
        COREML(OrtProvider.CORE_ML, "it needs macOS"),
        XNNPACK(OrtProvider.XNNPACK, "it needs an ONNX Runtime build of its own"),
        QNN(OrtProvider.QNN, "it needs an ONNX Runtime build of its own");

        private final OrtProvider ort;
        private final String how;

        Provider(OrtProvider ort, String how) {
            this.ort = ort;
            this.how = how;
        }

        /// The name that `--device` takes.
        public String word() {
            return name().toLowerCase();
        }
    }

    /// One line of `fewsh doctor`.
    ///
    /// @param detail what it is when available; how to get it when not
    public record Status(Provider provider, boolean available, String detail) {}

    /// @param text a provider's name, with `:n` for its n-th device
    /// @throws UserError for a name that is none
    public static Device parse(String text) {
        String[] parts = text.split(":", 2);
        for (Provider provider : Provider.values())
            if (provider.word().equals(parts[0]) && (parts.length == 1 || parts[1].matches("\\d{1,3}")))
                return new Device(provider, parts.length == 1 ? 0 : Integer.parseInt(parts[1]));
        throw new UserError("--device", "unknown device \"" + text + "\"", "devices are "
                + Arrays.stream(Provider.values()).map(Provider::word).collect(Collectors.joining(", ")) + "; :n picks the n-th");
    }

    /// All providers: those of ONNX Runtime's artifact, and plugins found in `plugins`.
    ///
    /// @param plugins the folder of provider plugins, each in it or in a folder of its own; need not exist
    public static List<Status> all(Path plugins) {
        EnumSet<OrtProvider> built = OrtEnvironment.getAvailableProviders();
        List<Status> all = new ArrayList<>();
        for (Provider provider : Provider.values()) {
            Path plugin = plugin(provider, plugins);
            String detail = provider.how;
            boolean available = built.contains(provider.ort);
            if (available) detail = "ONNX Runtime " + Runtime.environment().getVersion();
            else if (plugin != null) {
                List<OrtEpDevice> devices = devices(provider, plugin);
                available = !devices.isEmpty();
                detail = available ? "plugin " + plugin.getFileName() + ", " + devices.size() + " device(s)"
                        : "plugin " + plugin.getFileName() + " found no device it can use";
            }
            all.add(new Status(provider, available, detail));
        }
        return all;
    }

    /// Makes sessions with `options` run on this device.
    void addTo(SessionOptions options, Path plugins) throws OrtException {
        if (provider == Provider.CPU) {
            if (index != 0) throw new UserError("--device", "there is one cpu, asked for cpu:" + index, "use cpu");
            return;
        }
        Path plugin = plugin(provider, plugins);
        if (plugin != null) {
            List<OrtEpDevice> devices = devices(provider, plugin);
            if (index >= devices.size()) throw missing("the plugin " + plugin.getFileName() + " finds " + devices.size() + " device(s)");
            options.addExecutionProvider(List.of(devices.get(index)), Map.of());
            return;
        }
        if (!OrtEnvironment.getAvailableProviders().contains(provider.ort)) throw missing("it is not part of this ONNX Runtime");
        try {
            switch (provider) {
                case CPU -> {}
                case CUDA -> options.addCUDA(index);
                case TENSORRT -> options.addTensorrt(index);
                case ROCM -> options.addROCM(index);
                case OPENVINO -> options.addOpenVINO("");
                case DIRECTML -> options.addDirectML(index);
                case COREML -> options.addCoreML(Map.of());
                case XNNPACK -> options.addXnnpack(Map.of());
                case QNN -> options.addQnn(Map.of());
                case WEBGPU -> options.addWebGPU(Map.of());
            }
        } catch (OrtException e) {
            throw new UserError("--device " + this, e.getMessage(), provider.how, e);
        }
    }

    private UserError missing(String why) {
        String there = Arrays.stream(Provider.values())
                .filter(p -> OrtEnvironment.getAvailableProviders().contains(p.ort)).map(Provider::word)
                .collect(Collectors.joining(", "));
        return new UserError("--device " + this, why + "; available: " + there, provider.how);
    }

    private static Path plugin(Provider provider, Path plugins) {
        if (!Files.isDirectory(plugins)) return null;
        try (Stream<Path> files = Files.find(plugins, 2, (file, _) -> file.getFileName().toString()
                .matches("(lib)?onnxruntime_providers_" + provider.word() + "\\.(so|dll|dylib)"))) {
            return files.findFirst().orElse(null);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<OrtEpDevice> devices(Provider provider, Path plugin) {
        try {
            OrtEnvironment environment = Runtime.environment();
            List<OrtEpDevice> known = named(environment, provider);
            if (known.isEmpty()) environment.registerExecutionProviderLibrary(provider.word(), plugin.toString());
            return named(environment, provider);
        } catch (OrtException e) {
            throw new UserError(plugin.toString(), "the provider plugin does not load: " + e.getMessage(),
                    "fetch it again, for this system and for ONNX Runtime " + Runtime.environment().getVersion(), e);
        }
    }

    private static List<OrtEpDevice> named(OrtEnvironment environment, Provider provider) throws OrtException {
        return environment.getEpDevices().stream().filter(d -> d.getEpName().toLowerCase().startsWith(provider.word())).toList();
    }

    @Override
    public String toString() {
        return index == 0 ? provider.word() : provider.word() + ":" + index;
    }
}
