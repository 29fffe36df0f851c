package fewsh.models;

import fewsh.graph.Graph;
import fewsh.graph.Node;
import fewsh.graph.Op;
import fewsh.graph.Value;
import fewsh.onnx.OnnxFile;
import fewsh.tensor.DType;
import fewsh.tensor.Shape;
import fewsh.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.stream.Stream;

/// A tiny model's own graph with the inputs and outputs that other people's exporters give theirs.
public final class TinyExports {
    /// @param ids type of `input_ids` and `position_ids`
    /// @param mask type of `attention_mask`
    /// @param cache type of keys and values
    /// @param fused whether keys and values of a layer are one tensor `past_0`
    /// @param inPlace whether presents come straight from the attention, so that they may be the pasts' memory
    /// @param last whether logits come of the last position only, `(batch, vocab_size)`
    /// @param merged whether there is an input `use_cache_branch`
    public record Style(DType ids, DType mask, DType cache, boolean fused, boolean inPlace, boolean last, boolean merged) {}

    public static final Style OPTIMUM = new Style(DType.INT64, DType.INT64, DType.FLOAT32, false, false, false, false);
    public static final Style GENAI = new Style(DType.INT64, DType.INT64, DType.FLOAT32, false, true, false, false);
    public static final Style MERGED = new Style(DType.INT64, DType.INT64, DType.FLOAT32, false, false, false, true);
    public static final Style FUSED = new Style(DType.INT32, DType.INT32, DType.FLOAT32, true, false, false, false);
    public static final Style LAST = new Style(DType.INT64, DType.BOOL, DType.FLOAT32, false, false, true, false);
    public static final Style HALF = new Style(DType.INT64, DType.FLOAT32, DType.FLOAT16, false, false, false, false);

    private final Style style;
    private final List<Value> inputs = new ArrayList<>();
    private final List<Value> outputs = new ArrayList<>();
    private final List<Node> before = new ArrayList<>();
    private final List<Node> after = new ArrayList<>();
    private final SequencedMap<String, Tensor> initializers = new LinkedHashMap<>();
    private final Map<String, String> renamed = new HashMap<>();
    private int number;

    private TinyExports(Style style) {
        this.style = style;
    }

    /// Writes an export of the model in `model` as `file`, with the model's own files but its weights in `folder`.
    public static Path write(Path model, Style style, Path folder, String file) throws IOException {
        Files.createDirectories(folder.resolve(file).getParent());
        try (Stream<Path> files = Files.list(model)) {
            for (Path f : files.toList())
                if (!f.toString().endsWith(".safetensors")) Files.copy(f, folder.resolve(f.getFileName()));
        }
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            Graph own = Net.build(Architectures.page(checkpoint).graphs().firstEntry().getValue(), checkpoint, Precision.FP32, TinyExports::kept);
            OnnxFile.write(new TinyExports(style).of(own), folder.resolve(file));
        }
        return folder;
    }

    private static Tensor kept(Tensor tensor) {
        Tensor kept = Tensor.allocate(Arena.ofAuto(), tensor.dtype(), tensor.shape().sizes());
        kept.data().copyFrom(tensor.data());
        return kept;
    }

    private Graph of(Graph own) {
        initializers.putAll(own.initializers());
        Value ids = null;
        for (Value in : own.inputs())
            switch (in.name()) {
                case "input_ids" -> ids = whole(in);
                case "position_ids" -> whole(in);
                case "seqlens_k" -> mask();
                case "total_sequence_length", "logits_positions" -> {}
                default -> past(in);
            }
        if (style.merged) inputs.add(new Value("use_cache_branch", DType.BOOL, Shape.of(1)));
        List<Node> nodes = new ArrayList<>();
        for (Node node : own.nodes()) {
            if (node.output().name().equals("logprobs")) continue;
            if (node.inputs().stream().anyMatch(v -> v.name().equals("logits_positions"))) {
                choose(own, node, ids, nodes);
                continue;
            }
            nodes.add(node);
        }
        for (Value out : own.outputs()) if (!out.name().equals("logprobs")) output(out, ids);
        List<Node> all = new ArrayList<>(before);
        for (Node node : nodes)
            all.add(new Node(node.name(), node.op(), node.inputs().stream().map(this::now).toList(),
                    node.outputs().stream().map(this::now).toList()));
        all.addAll(after);
        return new Graph(own.name(), inputs, initializers, all, outputs);
    }

    private Value now(Value value) {
        return renamed.containsKey(value.name()) ? new Value(renamed.get(value.name()), value.dtype(), value.shape()) : value;
    }

    private Value node(List<Node> to, Op op, String name, DType dtype, Shape shape, Value... in) {
        Value made = new Value(name, dtype, shape);
        to.add(new Node("export_" + number++, op, Arrays.asList(in), List.of(made)));
        return made;
    }

    private Value longs(String name, long value, boolean scalar) {
        initializers.put(name, scalar ? Tensor.ofInt64(new long[] {value}) : Tensor.ofInt64(new long[] {value}, 1));
        return new Value(name, DType.INT64, scalar ? Shape.of() : Shape.of(1));
    }

    private Value whole(Value in) {
        Value given = new Value(in.name(), style.ids, in.shape());
        inputs.add(given);
        if (style.ids == DType.INT64) return given;
        renamed.put(in.name(), in.name() + ".64");
        return node(before, new Op.Cast(DType.INT64), in.name() + ".64", DType.INT64, in.shape(), given);
    }

    private void mask() {
        Value mask = new Value("attention_mask", style.mask, Shape.named("batch", "total"));
        inputs.add(mask);
        Value ones = node(before, new Op.Cast(DType.INT64), "mask.64", DType.INT64, mask.shape(), mask);
        Value sum = node(before, new Op.ReduceSum(false), "mask.sum", DType.INT64, Shape.named("batch"), ones, longs("axis.1", 1, false));
        Value less = node(before, new Op.Sub(), "mask.less", DType.INT64, Shape.named("batch"), sum, longs("one", 1, false));
        node(before, new Op.Cast(DType.INT32), "seqlens_k", DType.INT32, Shape.named("batch"), less);
        Value shape = node(before, new Op.Shape(), "mask.shape", DType.INT64, Shape.of(2), mask);
        Value total = node(before, new Op.Gather(0), "mask.total", DType.INT64, Shape.of(), shape, longs("index.1", 1, true));
        node(before, new Op.Cast(DType.INT32), "total_sequence_length", DType.INT32, Shape.of(), total);
    }

    private void past(Value in) {
        String layer = in.name().replaceAll("\\D", "");
        if (style.fused) {
            if (in.name().endsWith(".value")) return;
            Value both = new Value("past_" + layer, style.cache, Shape.named(2, "batch", in.shape().dim(1), "past", in.shape().dim(3)));
            inputs.add(both);
            for (String kind : new String[] {"key", "value"})
                node(before, new Op.Gather(0), "past_key_values." + layer + "." + kind, DType.FLOAT32, in.shape(), both,
                        longs("part." + kind, kind.equals("key") ? 0 : 1, true));
            return;
        }
        Value given = new Value(in.name(), style.cache, Shape.named("batch", in.shape().dim(1), "past", in.shape().dim(3)));
        inputs.add(given);
        if (style.inPlace) return;
        renamed.put(in.name(), in.name() + ".32");
        node(before, new Op.Cast(DType.FLOAT32), in.name() + ".32", DType.FLOAT32, in.shape(), given);
    }

    /// What stands in the place of picking positions: all of them, or the last of each row.
    private void choose(Graph own, Node gather, Value ids, List<Node> nodes) {
        Value flat = gather.input(0);
        if (!style.last) {
            renamed.put(gather.output().name(), flat.name());
            return;
        }
        Value x = own.nodes().stream().filter(n -> n.outputs().contains(flat)).findFirst().orElseThrow().input(0);
        Value shape = node(before, new Op.Shape(), "ids.shape", DType.INT64, Shape.of(2), ids);
        Value length = node(before, new Op.Gather(0), "ids.length", DType.INT64, Shape.of(), shape, longs("index.1", 1, true));
        Value last = node(before, new Op.Sub(), "ids.last", DType.INT64, Shape.of(), length, longs("one.scalar", 1, true));
        nodes.add(new Node("last", new Op.Gather(1), List.of(x, last), List.of(gather.output())));
    }

    private void output(Value out, Value ids) {
        boolean logits = out.name().equals("logits");
        if (logits && style.last || !logits && style.inPlace) {
            outputs.add(out);
            return;
        }
        String layer = out.name().replaceAll("\\D", "");
        renamed.put(out.name(), out.name() + ".own");
        Value made = now(out);
        if (logits) {
            Value shape = node(before, new Op.Shape(), "ids.shape", DType.INT64, Shape.of(2), ids);
            Value whole = node(before, new Op.Concat(0), "logits.shape", DType.INT64, Shape.of(3), shape,
                    longs("vocab", out.shape().size(1), false));
            outputs.add(node(after, new Op.Reshape(), "logits", DType.FLOAT32, Shape.named("batch", "sequence", out.shape().dim(1)),
                    made, whole));
        } else if (!style.fused) {
            outputs.add(node(after, new Op.Cast(style.cache), out.name(), style.cache, out.shape(), made));
        } else {
            Value shape = node(after, new Op.Shape(), out.name() + ".shape", DType.INT64, Shape.of(4), made);
            Value whole = node(after, new Op.Concat(0), out.name() + ".whole", DType.INT64, Shape.of(5), longs("one", 1, false), shape);
            Shape wide = Shape.named(1, "batch", out.shape().dim(1), "total", out.shape().dim(3));
            node(after, new Op.Reshape(), out.name() + ".part", DType.FLOAT32, wide, made, whole);
            if (!out.name().endsWith(".value")) return;
            String present = "present." + layer + ".";
            outputs.add(node(after, new Op.Concat(0), "present_" + layer, DType.FLOAT32,
                    Shape.named(2, "batch", out.shape().dim(1), "total", out.shape().dim(3)),
                    new Value(present + "key.part", DType.FLOAT32, wide), new Value(present + "value.part", DType.FLOAT32, wide)));
        }
    }
}
