package fewsh.session;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.SessionOptions;
import ai.onnxruntime.OrtSession.SessionOptions.OptLevel;
import ai.onnxruntime.TensorInfo;
import fewsh.UserError;
import fewsh.tensor.DType;
import fewsh.tensor.Dim;
import fewsh.tensor.Shape;
import fewsh.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;

/// One model, loaded and ready to run. Safe to share between threads; each [Bound] belongs to one.
public final class Session implements AutoCloseable {
    /// How a model is opened.
    ///
    /// @param threads of one operator; the runtime spins them while it runs
    /// @param plugins the folder of provider plugins; need not exist
    /// @param initializers weights handed over in memory, under the names of external initializers; must outlive the session
    /// @param settings further entries of ONNX Runtime's session configuration
    public record Options(
            Device device, int threads, Path plugins, Map<String, Tensor> initializers, Map<String, String> settings) {
        public Options {
            initializers = Map.copyOf(initializers);
            settings = Map.copyOf(settings);
            if (threads < 1) throw new UserError("--threads", "must be at least 1, was " + threads, "");
        }

        public static Options of(Device device, int threads) {
            return new Options(device, threads, Path.of("providers"), Map.of(), Map.of());
        }

        public Options withPlugins(Path plugins) {
            return new Options(device, threads, plugins, initializers, settings);
        }

        public Options withInitializers(Map<String, Tensor> initializers) {
            return new Options(device, threads, plugins, initializers, settings);
        }

        public Options with(String setting, String value) {
            Map<String, String> more = new LinkedHashMap<>(settings);
            more.put(setting, value);
            return new Options(device, threads, plugins, initializers, more);
        }
    }

    /// An input or output as the model declares it; an axis without a fixed size has a symbol.
    public record Port(String name, DType dtype, Shape shape) {}

    /// ONNX Runtime's version, part of the key of everything that it prepared.
    public static String version() {
        return Runtime.environment().getVersion();
    }

    private final OrtSession session;
    private final List<OnnxTensor> held;
    private final String name;
    private final Device device;
    private final Placement placement;
    private final int longestPass;
    private final Map<String, Tensor> always;

    private Session(OrtSession session, List<OnnxTensor> held, String name, Device device, Placement placement,
            int longestPass, Map<String, Tensor> always) {
        this.session = session;
        this.held = held;
        this.name = name;
        this.device = device;
        this.placement = placement;
        this.longestPass = longestPass;
        this.always = always;
    }

    /// Loads a model and prepares its kernels.
    ///
    /// @throws UserError if the file is no model that the runtime takes, or the device is not there
    public static Session open(Path model, Options options) {
        return open(model, options, List.of());
    }

    /// @param onCpu nodes that the device must not have
    private static Session open(Path model, Options options, List<String> onCpu) {
        OrtEnvironment environment = Runtime.environment();
        List<OnnxTensor> held = new ArrayList<>();
        Device device = options.device();
        try (SessionOptions o = new SessionOptions()) {
            o.setIntraOpNumThreads(options.threads());
            o.setInterOpNumThreads(1);
            o.setOptimizationLevel(OptLevel.ALL_OPT);
            boolean software = device.addTo(o, options.plugins(), onCpu);
            for (var setting : options.settings().entrySet()) o.addConfigEntry(setting.getKey(), setting.getValue());
            for (var weight : options.initializers().entrySet()) {
                OnnxTensor tensor = tensor(weight.getValue());
                held.add(tensor);
                o.addInitializer(weight.getKey(), tensor);
            }
            OrtSession session = environment.createSession(model.toString(), o);
            Placement placement = Placement.NONE;
            int longestPass = Integer.MAX_VALUE;
            if (device.provider() != Device.Provider.CPU) {
                List<Native.Placed> nodes = Native.placement(session);
                List<String> unfit = Plugin.unfit(nodes, software);
                if (!onCpu.containsAll(unfit)) {
                    session.close();
                    held.forEach(OnnxTensor::close);
                    return open(model, options, unfit);
                }
                placement = Placement.of(nodes);
                if (software) longestPass = Plugin.longestInSoftware(placement);
            }
            return new Session(session, held, model.getFileName().toString(), device, placement, longestPass, Map.of());
        } catch (OrtException e) {
            held.forEach(OnnxTensor::close);
            throw device.failure(e).orElseGet(() -> new UserError(model.toString(),
                    "the runtime does not take it: " + e.getMessage(), "fetch or export the file again", e));
        }
    }

    /// The same session, of whose inputs some have these numbers in every run. Closing either closes both.
    ///
    /// @param inputs those that the model has not are left out; their memory must outlive every run
    public Session with(Map<String, Tensor> inputs) {
        Map<String, Tensor> known = new LinkedHashMap<>(inputs);
        known.keySet().retainAll(session.getInputNames());
        return new Session(session, held, name, device, placement, longestPass, known);
    }

    /// What runs where; nothing is counted on the CPU.
    public Placement placement() {
        return placement;
    }

    /// Most tokens that one pass may feed.
    public int longestPass() {
        return longestPass;
    }

    public List<Port> inputs() {
        return ports(true);
    }

    public List<Port> outputs() {
        return ports(false);
    }

    private List<Port> ports(boolean in) {
        try {
            List<Port> ports = new ArrayList<>();
            for (NodeInfo node : (in ? session.getInputInfo() : session.getOutputInfo()).values()) {
                if (!(node.getInfo() instanceof TensorInfo info))
                    throw new UserError(name, "\"" + node.getName() + "\" is not a tensor", "only tensors are supported");
                List<Dim> dims = new ArrayList<>();
                for (int i = 0; i < info.getShape().length; i++) {
                    String symbol = info.getDimensionNames()[i];
                    long size = info.getShape()[i];
                    dims.add(size >= 0 ? Dim.of(size) : Dim.of(symbol.isEmpty() ? "?" : symbol));
                }
                ports.add(new Port(node.getName(), dtype(info.type, node.getName()), new Shape(dims)));
            }
            return ports;
        } catch (OrtException e) {
            throw new IllegalStateException("could not read the ports of " + name, e);
        }
    }

    /// Runs once, with outputs of whatever shapes come; their memory belongs to the garbage collector.
    ///
    /// @throws UserError if the runtime fails, for example since an input is missing or of a shape that does not fit
    public SequencedMap<String, Tensor> run(Map<String, Tensor> in) {
        Map<String, OnnxTensor> given = new LinkedHashMap<>();
        try {
            in.forEach((port, t) -> given.put(port, tensor(t)));
            SequencedMap<String, Tensor> made = new LinkedHashMap<>();
            try (OrtSession.Result result = session.run(given)) {
                for (var output : result) made.put(output.getKey(), copy(output.getKey(), output.getValue()));
            }
            return made;
        } catch (OrtException e) {
            throw new UserError(name, "onnxruntime: " + e.getMessage(), "check the inputs' shapes");
        } finally {
            given.values().forEach(OnnxTensor::close);
        }
    }

    private Tensor copy(String port, OnnxValue value) {
        if (!(value instanceof OnnxTensor tensor))
            throw new UserError(name, "\"" + port + "\" is not a tensor", "only tensors are supported");
        ByteBuffer bytes = tensor.getByteBuffer();
        if (bytes == null) throw new UserError(name, "\"" + port + "\" holds texts, only numbers are supported", "");
        Tensor copy = Tensor.allocate(Arena.ofAuto(), dtype(tensor.getInfo().type, port), tensor.getInfo().getShape());
        copy.data().copyFrom(MemorySegment.ofBuffer(bytes));
        return copy;
    }

    /// Ties inputs and outputs to the memory of `in` and `out`, whose shapes then stay; numbers may change between runs.
    ///
    /// One tensor may be both, as a cache that is updated in place.
    ///
    /// @throws IllegalArgumentException for a tensor outside native memory, whose numbers the runtime would copy, or an output
    ///         that is read-only
    /// @throws UserError for a tensor of more than 2 GiB
    public Bound bind(Map<String, Tensor> in, Map<String, Tensor> out) {
        return new Bound(in, out);
    }

    /// A run that can be repeated: same tensors, other numbers. Its tensors' memory must outlive it.
    public final class Bound implements AutoCloseable {
        private final Map<String, OnnxTensor> in = new LinkedHashMap<>();
        private final Map<String, OnnxTensor> out = new LinkedHashMap<>();
        private final OrtSession.RunOptions options;
        private volatile boolean interrupted;
        private boolean closed;

        private Bound(Map<String, Tensor> in, Map<String, Tensor> out) {
            Tensor fed = in.getOrDefault("input_ids", in.get("inputs_embeds"));
            if (fed != null && fed.shape().size(1) > longestPass)
                throw new IllegalArgumentException(fed.shape() + " is fed, a pass takes " + longestPass + " positions at most");
            for (var port : out.entrySet())
                if (port.getValue().data().isReadOnly()) throw new IllegalArgumentException(port.getKey() + " is read-only");
            try {
                always.forEach((port, t) -> this.in.put(port, tensor(t)));
                in.forEach((port, t) -> this.in.put(port, tensor(t)));
                out.forEach((port, t) -> this.out.put(port, tensor(t)));
                options = new OrtSession.RunOptions();
            } catch (OrtException e) {
                throw new IllegalStateException(e);
            }
        }

        /// Ties an input to other memory from the next run on, perhaps of another shape.
        public void in(String port, Tensor tensor) {
            replace(in, port, tensor);
        }

        /// Ties an output to other memory from the next run on, perhaps of another shape.
        public void out(String port, Tensor tensor) {
            replace(out, port, tensor);
        }

        private void replace(Map<String, OnnxTensor> ports, String port, Tensor tensor) {
            OnnxTensor before = ports.put(port, tensor(tensor));
            if (before != null) before.close();
        }

        /// Runs once.
        ///
        /// @return false if [#interrupt] ended it: the outputs then hold nothing of use
        /// @throws UserError if the runtime fails, with its own words for which node and why
        public boolean run() {
            boolean foreign = device.provider() != Device.Provider.CPU;
            if (foreign) Underway.begin(this);
            try {
                session.run(in, Set.of(), out, options).close();
                return !interrupted;
            } catch (OrtException e) {
                if (interrupted) return false;
                throw device.failure(e).orElseGet(() -> new UserError(name, "onnxruntime: " + e.getMessage(),
                        "please report, with the command", e));
            } finally {
                if (foreign) Underway.end(this);
            }
        }

        /// Ends a run under way, from any thread; it then takes a few milliseconds at most, on a GPU what that has
        /// begun. Later runs end at once.
        public synchronized void interrupt() {
            interrupted = true;
            if (closed) return;
            try {
                options.setTerminate(true);
            } catch (OrtException e) {
                throw new IllegalStateException("could not interrupt " + name, e);
            }
        }

        @Override
        public synchronized void close() {
            if (closed) return;
            closed = true;
            in.values().forEach(OnnxTensor::close);
            out.values().forEach(OnnxTensor::close);
            options.close();
        }
    }

    /// ONNX Runtime's Java API takes byte buffers, which end at 2 GiB, and copies those on the heap.
    private static OnnxTensor tensor(Tensor t) {
        if (!t.data().isNative()) throw new IllegalArgumentException(t.dtype() + "" + t.shape() + " is not in native memory");
        if (t.data().byteSize() > Integer.MAX_VALUE)
            throw new UserError("", "a tensor " + t.dtype().toString().toLowerCase() + t.shape() + " takes " + t.data().byteSize()
                    + " bytes, the runtime's tensors take at most " + Integer.MAX_VALUE, "use fewer bits or a shorter context");
        try {
            return OnnxTensor.createTensor(Runtime.environment(), t.data().asByteBuffer().order(ByteOrder.nativeOrder()),
                    t.shape().sizes(), type(t.dtype()));
        } catch (OrtException e) {
            throw new IllegalStateException("could not hand over " + t.dtype() + t.shape(), e);
        }
    }

    private DType dtype(OnnxJavaType type, String port) {
        for (DType dtype : DType.values()) if (type(dtype) == type) return dtype;
        throw new UserError(name, "\"" + port + "\" holds " + type + ", which is not supported", "");
    }

    private static OnnxJavaType type(DType dtype) {
        return switch (dtype) {
            case FLOAT32 -> OnnxJavaType.FLOAT;
            case FLOAT64 -> OnnxJavaType.DOUBLE;
            case FLOAT16 -> OnnxJavaType.FLOAT16;
            case BFLOAT16 -> OnnxJavaType.BFLOAT16;
            case INT64 -> OnnxJavaType.INT64;
            case INT32 -> OnnxJavaType.INT32;
            case INT8 -> OnnxJavaType.INT8;
            case UINT8 -> OnnxJavaType.UINT8;
            case BOOL -> OnnxJavaType.BOOL;
        };
    }

    @Override
    public void close() {
        try {
            session.close();
            held.forEach(OnnxTensor::close);
        } catch (OrtException e) {
            throw new IllegalStateException("could not close " + name, e);
        }
    }
}
