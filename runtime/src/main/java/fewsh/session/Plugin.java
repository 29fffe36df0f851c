package fewsh.session;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtEpDevice;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtHardwareDevice;
import ai.onnxruntime.OrtSession.SessionOptions;
import fewsh.UserError;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/// An execution provider in a library of its own, which the runtime loads while it runs.
record Plugin(Device.Provider provider, Path library) {
    /// What the WebGPU plugin needs of the system.
    static final String DRIVERS = "install the GPU's driver; on Linux also Vulkan's loader (Debian: libvulkan1, "
            + "mesa-vulkan-drivers). A driver that computes on the CPU is used where ORT_WEBGPU_EP_ALLOW_SOFTWARE_ADAPTER=1 allows it";

    /// `NCHW` keeps every node as the graph has it, so that what runs where can be told; models of text gain nothing by NHWC.
    /// `preserveDevice` keeps compiled shaders for the next model that is loaded.
    private static final Map<String, String> OPTIONS = Map.of("preferredLayout", "NCHW", "preserveDevice", "1");

    private static final Map<Device.Provider, Path> LOADED = new EnumMap<>(Device.Provider.class);

    /// The library of `provider` in `plugins` or in a folder in it; null if there is none.
    static Path find(Device.Provider provider, Path plugins) {
        if (!Files.isDirectory(plugins)) return null;
        try (Stream<Path> files = Files.find(plugins, 2, (file, _) -> file.getFileName().toString()
                .matches("(lib)?onnxruntime_providers_" + provider.word() + "\\.(so|dll|dylib)"), FileVisitOption.FOLLOW_LINKS)) {
            return files.findFirst().orElse(null);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// The nodes that the plugin computes too wrongly to be given. WGSL lets a sine be off by 2^-11, and more outside of ±π: an
    /// export that computes its rotary positions was off by 0.003 in a logit. And on a driver that computes on the CPU attention
    /// over 32 positions or more: it takes it that a subgroup has at least 8 lanes, as every GPU's has; SwiftShader's has 4, and
    /// the keys of each step are counted twice.
    static List<String> unfit(List<Native.Placed> nodes, boolean software) {
        Set<String> unfit = software ? Set.of("Sin", "Cos", "MultiHeadAttention", "Attention") : Set.of("Sin", "Cos");
        return nodes.stream().filter(n -> n.provider().equals("webgpu") && unfit.contains(n.operator()))
                .map(Native.Placed::node).toList();
    }

    /// How many tokens a pass may have on such a driver: attention that reads a cache is fed in shorter pieces.
    static int longestInSoftware(Placement placement) {
        return placement.nodes().entrySet().stream().anyMatch(p -> !p.getKey().equals("cpu")
                && p.getValue().containsKey("GroupQueryAttention")) ? 31 : Integer.MAX_VALUE;
    }

    /// Makes sessions with `options` run on the device of number `index`; see [Device#addTo].
    boolean addTo(SessionOptions options, int index, List<String> onCpu) throws OrtException {
        List<OrtEpDevice> devices = devices();
        if (devices.isEmpty())
            throw new UserError("--device " + new Device(provider, index), "the plugin finds no GPU here", DRIVERS);
        if (index > 0)
            throw new UserError("--device " + new Device(provider, index), "the plugin chooses among several GPUs itself",
                    "say --device " + provider.word());
        Map<String, String> settings = new HashMap<>(OPTIONS);
        if (!onCpu.isEmpty()) settings.put("forceCpuNodeNames", String.join("\n", onCpu));
        options.addExecutionProvider(List.of(devices.getFirst()), settings);
        return devices.getFirst().getDevice().getType() == OrtHardwareDevice.OrtHardwareDeviceType.CPU;
    }

    /// `plugin 0.4.0, NVIDIA GPU`.
    String describe() {
        OrtEpDevice device = devices().getFirst();
        return "plugin " + device.getEpMetadata().getOrDefault("version", library.getFileName().toString()) + ", " + hardware(device);
    }

    private static String hardware(OrtEpDevice device) {
        OrtHardwareDevice hardware = device.getDevice();
        return switch (hardware.getType()) {
            case GPU -> hardware.getVendor().isBlank() ? "a GPU" : hardware.getVendor() + " GPU";
            case NPU -> hardware.getVendor() + " NPU";
            case CPU -> "a driver that computes on the CPU";
        };
    }

    /// The devices that the plugin offers; it is loaded at the first call and stays until the process ends.
    private List<OrtEpDevice> devices() {
        synchronized (Plugin.class) {
            try {
                OrtEnvironment environment = Runtime.environment();
                Path file = library.toRealPath();
                Path loaded = LOADED.get(provider);
                if (loaded == null) {
                    environment.registerExecutionProviderLibrary(provider.word(), file.toString());
                    LOADED.put(provider, file);
                    Native.keepEnvironment();
                } else if (!loaded.equals(file))
                    throw new UserError(library.toString(), "another plugin is loaded already, " + loaded,
                            "start again to use this one");
                return environment.getEpDevices().stream()
                        .filter(d -> d.getEpName().toLowerCase().startsWith(provider.word())).toList();
            } catch (IOException e) {
                throw new UserError(library.toString(), "cannot be read: " + e.getMessage(), "", e);
            } catch (OrtException e) {
                throw new UserError(library.toString(), "the provider plugin does not load: " + e.getMessage(),
                        "fetch it again: fewsh rm provider:" + provider.word() + ", fewsh pull provider:" + provider.word()
                                + "; it must fit ONNX Runtime " + Runtime.environment().getVersion(), e);
            }
        }
    }
}
