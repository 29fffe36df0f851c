package fewsh.load;

import fewsh.UserError;
import fewsh.models.Precision;
import fewsh.onnx.Outline;
import fewsh.session.Placement;
import fewsh.session.Session;
import fewsh.tensor.DType;
import fewsh.tensor.Dim;
import fewsh.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import java.util.stream.Collectors;

/// An [ExportFolder] that the runtime has: its graphs by name, any of which can be run. Owns the sessions: close it.
public final class Exported implements Loaded {
    private final ExportFolder export;
    private final LoadOptions options;
    private final About about;
    private final SequencedMap<String, Outline> outlines;
    private final Map<String, Session> sessions = new LinkedHashMap<>();

    private Exported(ExportFolder export, LoadOptions options, About about, SequencedMap<String, Outline> outlines) {
        this.export = export;
        this.options = options;
        this.about = about;
        this.outlines = outlines;
    }

    /// Reads what the files are and opens a session of the first graph.
    ///
    /// @throws UserError if a file is damaged or reads other files than those beside it, is not of the precision that is asked
    ///         for, does not fit into memory, or the device is not there
    public static Exported open(ExportFolder export, LoadOptions options) {
        SequencedMap<String, Outline> outlines = outlines(export);
        About about = about(export, outlines, options);
        new Footprint(about.sizeBytes(), 0, 0).check(export.folder(), about.precision());
        Exported exported = new Exported(export, options, about, outlines);
        exported.session(export.graphs().firstEntry().getKey());
        return exported;
    }

    /// What would be loaded, without loading it.
    public static About about(ExportFolder export, LoadOptions options) {
        return about(export, outlines(export), options);
    }

    private static SequencedMap<String, Outline> outlines(ExportFolder export) {
        if (export.graphs().isEmpty())
            throw new UserError(export.folder().toString(), "genai_config.json names no graph", "export the model again");
        SequencedMap<String, Outline> outlines = new LinkedHashMap<>();
        export.graphs().forEach((graph, file) -> outlines.put(graph, Outline.of(file)));
        return outlines;
    }

    private static About about(ExportFolder export, SequencedMap<String, Outline> outlines, LoadOptions options) {
        Precision held = Precision.FP32;
        long parameters = 0;
        long bytes = 0;
        List<Path> files = new ArrayList<>(export.graphs().values());
        for (Outline outline : outlines.values()) {
            Precision precision = precision(outline);
            if (precision.compareTo(held) > 0) held = precision;
            parameters += outline.parameters();
            bytes += outline.bytes();
            files.addAll(outline.data());
        }
        if (options.precision() != Precision.AUTO && options.precision() != held)
            throw new UserError(files.getFirst().toString(), "is an export at " + held.word() + ", " + options.precision().word()
                    + " was asked for", "leave --precision out, or give the model's own weights");
        Path name = export.folder().toAbsolutePath().normalize().getFileName();
        return new About(name == null ? export.folder().toString() : name.toString(), export.architecture(), parameters, held,
                options.device(), export.contextLength(), 0, false, "", files, bytes, new Footprint(bytes, 0, 0).whole(),
                Placement.NONE);
    }

    private static Precision precision(Outline outline) {
        Set<String> ops = outline.ops();
        if (ops.contains("MatMulBnb4") || ops.contains("MatMulNBits") && outline.bits().stream().anyMatch(b -> b <= 4))
            return Precision.INT4;
        boolean bytes = List.of("MatMulNBits", "MatMulInteger", "MatMulIntegerToFloat", "DynamicQuantizeMatMul", "QLinearMatMul",
                "DynamicQuantizeLinear", "DequantizeLinear").stream().anyMatch(ops::contains);
        return bytes ? Precision.INT8 : Precision.FP32;
    }

    @Override
    public synchronized About about() {
        return about.withPlacement(sessions.values().stream().map(Session::placement).reduce(Placement.NONE, Placement::and));
    }

    public ExportFolder export() {
        return export;
    }

    public Outline outline(String graph) {
        return outlines.get(graph);
    }

    public boolean has(String graph) {
        return outlines.containsKey(graph);
    }

    /// The session of a graph; opened when it is first asked for.
    public synchronized Session session(String graph) {
        if (!has(graph))
            throw new UserError(export.folder().toString(), "there is no graph \"" + graph + "\"", "there are "
                    + String.join(", ", outlines.keySet()));
        return sessions.computeIfAbsent(graph, g -> Session.open(export.graphs().get(g), Session.Options.of(options.device(),
                options.threads()).withPlugins(options.home().resolve("providers"))));
    }

    /// Of the first graph.
    @Override
    public Map<String, Tensor> forward(Map<String, Tensor> inputs) {
        return forward(outlines.firstEntry().getKey(), inputs);
    }

    /// Runs a graph. Whole numbers become whatever type an input has; a mask that is left out is all ones, token types are 0,
    /// positions count from 0, a cache is empty.
    ///
    /// @return all outputs; numbers of 16 bits as float32
    public Map<String, Tensor> forward(String graph, Map<String, Tensor> inputs) {
        Session session = session(graph);
        List<Session.Port> ports = session.inputs();
        for (String name : inputs.keySet())
            if (ports.stream().noneMatch(p -> p.name().equals(name)))
                throw new UserError("", "unknown input \"" + name + "\"", "inputs are " + described(ports));
        Map<String, Tensor> given = new LinkedHashMap<>();
        try (Arena arena = Arena.ofConfined()) {
            for (Session.Port port : ports) {
                Tensor tensor = inputs.get(port.name());
                if (tensor == null) tensor = missing(port, inputs.get("input_ids"), ports, arena);
                given.put(port.name(), tensor.to(arena, port.dtype()));
            }
            Map<String, Tensor> outputs = new LinkedHashMap<>();
            session.run(given).forEach((name, tensor) -> outputs.put(name,
                    tensor.dtype() == DType.FLOAT16 || tensor.dtype() == DType.BFLOAT16 ? tensor.to(Arena.ofAuto(), DType.FLOAT32)
                            : tensor));
            return outputs;
        }
    }

    private static Tensor missing(Session.Port port, Tensor ids, List<Session.Port> ports, Arena arena) {
        String name = port.name();
        if (name.equals("use_cache_branch")) return Tensor.allocate(arena, DType.BOOL, 1);
        if (ids != null && ids.shape().rank() == 2) {
            if (name.equals("attention_mask")) return filled(arena, ids, _ -> 1);
            if (name.equals("token_type_ids")) return filled(arena, ids, _ -> 0);
            if (name.equals("position_ids")) return filled(arena, ids, i -> i % ids.shape().size(1));
            if (name.startsWith("past") && port.shape().rank() >= 4)
                return Tensor.allocate(arena, port.dtype(), empty(port, ids));
        }
        throw new UserError("", "input \"" + name + "\" is missing", "inputs are " + described(ports));
    }

    /// Keys or values of no position: the batch has as many rows as the ids, the position axis, the last but one, is empty.
    private static long[] empty(Session.Port port, Tensor ids) {
        long[] sizes = new long[port.shape().rank()];
        for (int i = 0; i < sizes.length; i++)
            sizes[i] = i == sizes.length - 2 ? 0
                    : port.shape().dim(i) instanceof Dim.Fixed(long size) ? size : ids.shape().size(0);
        return sizes;
    }

    private interface Numbers {
        long at(long i);
    }

    private static Tensor filled(Arena arena, Tensor like, Numbers numbers) {
        Tensor tensor = Tensor.allocate(arena, DType.INT64, like.shape().sizes());
        for (long i = 0; i < like.shape().count(); i++) tensor.data().setAtIndex(ValueLayout.JAVA_LONG, i, numbers.at(i));
        return tensor;
    }

    private static String described(List<Session.Port> ports) {
        return ports.stream().map(p -> p.name() + " " + p.dtype().toString().toLowerCase() + p.shape())
                .collect(Collectors.joining(", "));
    }

    @Override
    public synchronized void close() {
        sessions.values().forEach(Session::close);
        sessions.clear();
    }
}
