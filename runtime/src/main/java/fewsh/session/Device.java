package fewsh.session;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtProvider;
import ai.onnxruntime.OrtSession.SessionOptions;
import fewsh.UserError;
import fewsh.graph.GraphBuilder;
import fewsh.onnx.OnnxFile;
import fewsh.tensor.DType;
import fewsh.tensor.Shape;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// What a model runs on: an execution provider of ONNX Runtime and the number of the device, as in `cuda:1`.
///
/// This is the one place that decides how a provider is added, with which options, what is done about nodes that it lacks, and
/// what its failures mean. A provider that is not there is an error; nothing falls back to another one.
public record Device(Provider provider, int index) {
    public static final Device CPU = new Device(Provider.CPU, 0);

    /// The providers that a device can name.
    public enum Provider {
        CPU(OrtProvider.CPU, true, "always there"),
        WEBGPU(OrtProvider.WEBGPU, false, "fewsh pull provider:webgpu"),
        CUDA(OrtProvider.CUDA, true, "build with ./mvnw -Pgpu package on a machine with CUDA 12 and cuDNN 9"),
        TENSORRT(OrtProvider.TENSOR_RT, true, "build with ./mvnw -Pgpu package on a machine with TensorRT 10"),
        ROCM(OrtProvider.ROCM, true, "it needs an ONNX Runtime build of its own"),
        OPENVINO(OrtProvider.OPEN_VINO, false, "it needs an ONNX Runtime build of its own"),
        DIRECTML(OrtProvider.DIRECT_ML, false, "it needs Windows and an ONNX Runtime build of its own"),
        COREML(OrtProvider.CORE_ML, false, "it needs macOS"),
        XNNPACK(OrtProvider.XNNPACK, false, "it needs an ONNX Runtime build of its own"),
        QNN(OrtProvider.QNN, false, "it needs an ONNX Runtime build of its own");

        private final OrtProvider ort;
        private final boolean fusedProducts;
        private final String how;

        Provider(OrtProvider ort, boolean fusedProducts, String how) {
            this.ort = ort;
            this.fusedProducts = fusedProducts;
            this.how = how;
        }

        /// The name that `--device` takes.
        public String word() {
            return name().toLowerCase();
        }

        /// Whether it multiplies by a matrix as it is stored (`FusedMatMul`, which is not of the ONNX standard).
        public boolean fusedProducts() {
            return fusedProducts;
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

    /// All providers: those of ONNX Runtime's artifact, and plugins found in `plugins`. One that is there is tried.
    ///
    /// @param plugins the folder of provider plugins, each in it or in a folder of its own; need not exist
    public static List<Status> all(Path plugins) {
        return Arrays.stream(Provider.values()).map(provider -> new Device(provider, 0).status(plugins)).toList();
    }

    /// A provider counts as available when the smallest model opens on it.
    private Status status(Path plugins) {
        Path library = Plugin.find(provider, plugins);
        if (library == null && !OrtEnvironment.getAvailableProviders().contains(provider.ort))
            return new Status(provider, false, provider.how);
        GraphBuilder g = new GraphBuilder("probe");
        g.output("y", g.tanh(g.input("x", DType.FLOAT32, Shape.of(1))));
        String name = library == null ? "ONNX Runtime " + Runtime.environment().getVersion() : "plugin " + library.getFileName();
        try (SessionOptions options = new SessionOptions()) {
            addTo(options, plugins, List.of());
            Runtime.environment().createSession(OnnxFile.bytes(g.build()), options).close();
            return new Status(provider, true, library == null ? name : new Plugin(provider, library).describe());
        } catch (OrtException e) {
            UserError known = failure(e).orElseGet(() -> new UserError("", brief(e.getMessage()), provider.how));
            return new Status(provider, false, name + ": " + known.what() + "; " + known.fix());
        } catch (UserError e) {
            return new Status(provider, false, name + ": " + e.what() + "; " + e.fix());
        }
    }

    /// Makes sessions with `options` run on this device. What its provider has no kernel for runs on the CPU, node by node, and
    /// is counted; a provider or device that is not there is an error.
    ///
    /// @param onCpu names of nodes that it must not have all the same
    /// @return whether a driver that computes on the CPU stands for it
    boolean addTo(SessionOptions options, Path plugins, List<String> onCpu) throws OrtException {
        if (provider == Provider.CPU) {
            if (index != 0) throw new UserError("--device", "there is one cpu, asked for cpu:" + index, "use cpu");
            return false;
        }
        options.addConfigEntry(Native.RECORD, "1");
        Path plugin = Plugin.find(provider, plugins);
        if (plugin != null) {
            return new Plugin(provider, plugin).addTo(options, index, onCpu);
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
            throw new UserError("--device " + this, brief(e.getMessage()), provider.how, e);
        }
        return false;
    }

    /// What a failure of the runtime means on this device, where it is the device's.
    Optional<UserError> failure(OrtException e) {
        if (provider == Provider.CPU) return Optional.empty();
        String message = e.getMessage();
        for (Failure failure : FAILURES)
            if (failure.words.matcher(message).find())
                return Optional.of(new UserError("--device " + this, failure.what + " (" + brief(message) + ")", failure.fix, e));
        return Optional.empty();
    }

    private record Failure(Pattern words, String what, String fix) {
        Failure(String words, String what, String fix) {
            this(Pattern.compile("(?i)" + words), what, fix);
        }
    }

    private static final List<Failure> FAILURES = List.of(
            new Failure("Failed to get a WebGPU adapter", "there is no adapter that the plugin can use",
                    Plugin.DRIVERS),
            new Failure("device (is |was )?lost|DXGI_ERROR_DEVICE|VK_ERROR_DEVICE_LOST", "the device was lost",
                    "load the model again; if it happens again, update the GPU's driver or use --device cpu"),
            new Failure("out.?of.?(device.?|host.?)?memory|too many storage buffers|failed to allocate|bad allocation|BFCArena"
                    + "|exceeds the (max|limit)|maxBufferSize|maxStorageBufferBindingSize|is larger than",
                    "the device's memory does not hold it",
                    "use --precision int4 or int8, a shorter context, or --device cpu"),
            new Failure("requires f16", "the device has no 16-bit floats",
                    "use --precision fp32, a file in float32, or --device cpu"),
            new Failure("NOT_IMPLEMENTED|Could not find an implementation",
                    "neither the provider nor the CPU has an operator of it",
                    "use --device cpu, or export the model for an older opset"));

    /// The runtime's own words, without where in its source they were said.
    private static String brief(String message) {
        String said = message.replaceAll("\\s+", " ").replaceFirst("^.*(?:was false\\.|Status Message:|: EP_FAIL :)\\s*", "")
                .replaceFirst("^\\S+\\.cc:\\d+ (?:GenerateSourceCode )?", "").strip();
        return said.length() > LONGEST ? said.substring(0, LONGEST) + "…" : said;
    }

    private static final int LONGEST = 200;

    private UserError missing(String why) {
        String there = Arrays.stream(Provider.values())
                .filter(p -> OrtEnvironment.getAvailableProviders().contains(p.ort)).map(Provider::word)
                .collect(Collectors.joining(", "));
        return new UserError("--device " + this, why + "; available: " + there, provider.how);
    }

    @Override
    public String toString() {
        return index == 0 ? provider.word() : provider.word() + ":" + index;
    }
}
