package fewsh.onnx;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.UnsafeByteOperations;
import com.google.protobuf.WireFormat;
import fewsh.UserError;
import fewsh.graph.Graph;
import fewsh.graph.Node;
import fewsh.graph.Op;
import fewsh.graph.Value;
import fewsh.tensor.DType;
import fewsh.tensor.Dim;
import fewsh.tensor.Shape;
import fewsh.tensor.Tensor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/// An ONNX model on disk: `model.onnx`, with the large initializers in `model.onnx.data` beside it.
///
/// Opset 21 of ONNX's own operators and version 1 of `com.microsoft`. Numbers of messages and fields are those of
/// onnx.proto3. Values between nodes are written with their types, so that a graph reads back equal.
public final class OnnxFile {
    private static final int IR_VERSION = 10;
    private static final int OPSET = 21;
    /// Smaller initializers stay inside the model: shapes must, since the runtime reads them while it loads.
    private static final long INLINE_BYTES = 1024;
    /// A model beyond this is not read into memory; its weights belong in a data file.
    private static final long LARGEST = 1 << 30;

    private OnnxFile() {}

    /// Writes `graph` as `file` and `file.data`. Not atomic: write into a folder of its own and move that.
    public static void write(Graph graph, Path file) throws IOException {
        try (DataFile data = new DataFile(file.resolveSibling(file.getFileName() + ".data"))) {
            write(graph, file, data);
        }
    }

    /// As above, with a data file that holds some of the initializers already.
    public static void write(Graph graph, Path file, DataFile data) throws IOException {
        Map<String, Long> offsets = new HashMap<>();
        try {
            graph.initializers().forEach((name, tensor) -> {
                if (tensor.data().byteSize() > INLINE_BYTES) offsets.put(name, data.offset(data.keep(tensor)));
            });
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
        Files.write(file, bytes(graph, offsets, data.path().getFileName().toString()));
    }

    /// The whole model as bytes, for a small one.
    public static byte[] bytes(Graph graph) {
        return bytes(graph, Map.of(), "");
    }

    /// The model as bytes.
    ///
    /// @param offsets where an initializer's bytes are in `dataFile`; the others are written in place
    static byte[] bytes(Graph graph, Map<String, Long> offsets, String dataFile) {
        return message(model -> {
            model.writeInt64(1, IR_VERSION);
            model.writeString(2, "fewsh");
            model.writeByteArray(7, graph(graph, offsets, dataFile));
            model.writeByteArray(8, message(o -> o.writeInt64(2, OPSET)));
            model.writeByteArray(8, message(o -> {
                o.writeString(1, "com.microsoft");
                o.writeInt64(2, 1);
            }));
        });
    }

    private static byte[] graph(Graph graph, Map<String, Long> offsets, String dataFile) {
        return message(g -> {
            for (Node node : graph.nodes()) g.writeByteArray(1, node(node));
            g.writeString(2, graph.name());
            for (var entry : graph.initializers().entrySet())
                g.writeByteArray(5, initializer(entry.getKey(), entry.getValue(), offsets.get(entry.getKey()), dataFile));
            for (Value v : graph.inputs()) g.writeByteArray(11, valueInfo(v));
            for (Value v : graph.outputs()) g.writeByteArray(12, valueInfo(v));
            for (Node node : graph.nodes())
                for (Value v : node.outputs())
                    if (!v.isAbsent() && !graph.outputs().contains(v)) g.writeByteArray(13, valueInfo(v));
        });
    }

    private static byte[] node(Node node) {
        return message(n -> {
            for (Value v : node.inputs()) n.writeString(1, v.name());
            for (Value v : node.outputs()) n.writeString(2, v.name());
            n.writeString(3, node.name());
            n.writeString(4, node.op().type());
            for (var attribute : Attributes.of(node.op()).entrySet())
                n.writeByteArray(5, attribute(attribute.getKey(), attribute.getValue()));
            if (!node.op().domain().isEmpty()) n.writeString(7, node.op().domain());
        });
    }

    private static byte[] attribute(String name, Object value) {
        return message(a -> {
            a.writeString(1, name);
            switch (value) {
                case Float f -> {
                    a.writeFloat(2, f);
                    a.writeInt32(20, 1);
                }
                case Long i -> {
                    a.writeInt64(3, i);
                    a.writeInt32(20, 2);
                }
                case String s -> {
                    a.writeString(4, s);
                    a.writeInt32(20, 3);
                }
                case List<?> integers -> {
                    for (Object i : integers) a.writeInt64(8, (Long) i);
                    a.writeInt32(20, 7);
                }
                default -> throw new IllegalStateException("attribute " + name + " is a " + value.getClass());
            }
        });
    }

    private static byte[] initializer(String name, Tensor tensor, Long offset, String dataFile) {
        return message(t -> {
            for (long size : tensor.shape().sizes()) t.writeInt64(1, size);
            t.writeInt32(2, tensor.dtype().onnx());
            t.writeString(8, name);
            if (offset == null) {
                t.writeByteArray(9, tensor.data().toArray(ValueLayout.JAVA_BYTE));
            } else {
                t.writeByteArray(13, entry("location", dataFile));
                t.writeByteArray(13, entry("offset", Long.toString(offset)));
                t.writeByteArray(13, entry("length", Long.toString(tensor.data().byteSize())));
                t.writeInt32(14, 1);
            }
        });
    }

    private static byte[] entry(String key, String value) {
        return message(e -> {
            e.writeString(1, key);
            e.writeString(2, value);
        });
    }

    private static byte[] valueInfo(Value value) {
        return message(v -> {
            v.writeString(1, value.name());
            v.writeByteArray(2, message(type -> type.writeByteArray(1, message(tensor -> {
                tensor.writeInt32(1, value.dtype().onnx());
                tensor.writeByteArray(2, message(shape -> {
                    for (Dim dim : value.shape().dims())
                        shape.writeByteArray(1, message(d -> {
                            switch (dim) {
                                case Dim.Fixed(long size) -> d.writeInt64(1, size);
                                case Dim.Symbol(String name) -> d.writeString(2, name);
                            }
                        }));
                }));
            }))));
        });
    }

    private interface Fields {
        void write(CodedOutputStream out) throws IOException;
    }

    private static byte[] message(Fields fields) {
        try {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            CodedOutputStream out = CodedOutputStream.newInstance(bytes);
            fields.write(out);
            out.flush();
            return bytes.toByteArray();
        } catch (IOException e) {
            throw new IllegalStateException("writing to memory failed", e);
        }
    }

    /// Reads a model made of our operators; the initializers' memory belongs to the garbage collector.
    ///
    /// @throws UserError for a file that is not there or no such model: larger than 1 GiB, truncated, corrupt, with operators
    ///         that are none of ours, or with external data outside the model's folder or beyond the data file's end
    public static Graph read(Path file) throws IOException {
        if (!Files.isRegularFile(file)) throw new UserError(file.toString(), "there is no such file", "");
        if (Files.size(file) > LARGEST)
            throw new UserError(file.toString(),
                    "an ONNX model of " + Files.size(file) + " bytes, at most " + LARGEST + " are read",
                    "export it with its weights in a data file");
        byte[] bytes = Files.readAllBytes(file);
        try {
            return new Reading(file).model(Reading.coded(UnsafeByteOperations.unsafeWrap(bytes)));
        } catch (IOException | RuntimeException e) {
            if (e instanceof UserError known) throw known;
            throw new UserError(file.toString(), "not an ONNX model that can be read: " + e.getMessage(),
                    "fetch or export the file again", e);
        }
    }

    /// One read: field by field, unknown fields skipped.
    private record Reading(Path file, Map<String, Value> values) {
        Reading(Path file) {
            this(file, new HashMap<>());
        }

        private record RawNode(String name, String type, List<String> in, List<String> out, Map<String, Object> attributes) {}

        private interface Field {
            boolean read(int number, CodedInputStream in) throws IOException;
        }

        /// Reads the fields of one message; `field` says whether it took the field or it is to be skipped.
        private static void fields(CodedInputStream in, Field field) throws IOException {
            for (int tag = in.readTag(); tag != 0; tag = in.readTag())
                if (!field.read(WireFormat.getTagFieldNumber(tag), in)) in.skipField(tag);
        }

        private static CodedInputStream nested(CodedInputStream in) throws IOException {
            return coded(in.readBytes());
        }

        /// Reads without a copy: messages within messages are views of the file's bytes.
        static CodedInputStream coded(ByteString bytes) {
            CodedInputStream in = bytes.newCodedInput();
            in.enableAliasing(true);
            return in;
        }

        Graph model(CodedInputStream in) throws IOException {
            Graph[] graph = new Graph[1];
            fields(in, (number, f) -> {
                if (number != 7) return false;
                graph[0] = graph(nested(f));
                return true;
            });
            if (graph[0] == null) throw new IOException("it holds no graph");
            return graph[0];
        }

        private Graph graph(CodedInputStream in) throws IOException {
            List<RawNode> raw = new ArrayList<>();
            List<Value> inputs = new ArrayList<>();
            List<Value> outputs = new ArrayList<>();
            SequencedMap<String, Tensor> initializers = new LinkedHashMap<>();
            String[] name = {""};
            fields(in, (number, f) -> {
                switch (number) {
                    case 1 -> raw.add(node(nested(f)));
                    case 2 -> name[0] = f.readStringRequireUtf8();
                    case 5 -> initializer(nested(f), initializers);
                    case 11 -> inputs.add(valueInfo(nested(f)));
                    case 12 -> outputs.add(valueInfo(nested(f)));
                    case 13 -> valueInfo(nested(f));
                    default -> {
                        return false;
                    }
                }
                return true;
            });
            initializers.forEach((id, t) -> values.put(id, new Value(id, t.dtype(), t.shape())));
            List<Node> nodes = new ArrayList<>();
            for (RawNode n : raw) {
                Op op = Attributes.parse(n.type(), n.attributes());
                nodes.add(new Node(n.name(), op, n.in().stream().map(this::value).toList(),
                        n.out().stream().map(this::value).toList()));
            }
            return new Graph(name[0], inputs, initializers, nodes, outputs);
        }

        private Value value(String name) {
            if (name.isEmpty()) return Value.ABSENT;
            Value value = values.get(name);
            if (value == null) throw new IllegalArgumentException("value \"" + name + "\" has no type");
            return value;
        }

        private static RawNode node(CodedInputStream in) throws IOException {
            List<String> inputs = new ArrayList<>();
            List<String> outputs = new ArrayList<>();
            Map<String, Object> attributes = new HashMap<>();
            String[] names = {"", ""};
            fields(in, (number, f) -> {
                switch (number) {
                    case 1 -> inputs.add(f.readStringRequireUtf8());
                    case 2 -> outputs.add(f.readStringRequireUtf8());
                    case 3 -> names[0] = f.readStringRequireUtf8();
                    case 4 -> names[1] = f.readStringRequireUtf8();
                    case 5 -> attribute(nested(f), attributes);
                    default -> {
                        return false;
                    }
                }
                return true;
            });
            return new RawNode(names[0], names[1], inputs, outputs, attributes);
        }

        private static void attribute(CodedInputStream in, Map<String, Object> attributes) throws IOException {
            String[] name = {""};
            Object[] value = new Object[1];
            List<Long> integers = new ArrayList<>();
            fields(in, (number, f) -> {
                switch (number) {
                    case 1 -> name[0] = f.readStringRequireUtf8();
                    case 2 -> value[0] = f.readFloat();
                    case 3 -> value[0] = f.readInt64();
                    case 4 -> value[0] = f.readStringRequireUtf8();
                    case 8 -> integers.add(f.readInt64());
                    default -> {
                        return false;
                    }
                }
                return true;
            });
            attributes.put(name[0], value[0] != null ? value[0] : integers);
        }

        private void initializer(CodedInputStream in, Map<String, Tensor> initializers) throws IOException {
            List<Long> sizes = new ArrayList<>();
            String[] name = {""};
            int[] type = {0};
            ByteString[] raw = new ByteString[1];
            Map<String, String> external = new HashMap<>();
            fields(in, (number, f) -> {
                switch (number) {
                    case 1 -> sizes.add(f.readInt64());
                    case 2 -> type[0] = f.readInt32();
                    case 8 -> name[0] = f.readStringRequireUtf8();
                    case 9 -> raw[0] = f.readBytes();
                    case 13 -> entry(nested(f), external);
                    default -> {
                        return false;
                    }
                }
                return true;
            });
            Shape shape = Shape.of(sizes.stream().mapToLong(Long::longValue).toArray());
            MemorySegment data;
            if (external.isEmpty()) {
                ByteBuffer bytes = raw[0] == null ? ByteBuffer.allocate(0) : raw[0].asReadOnlyByteBuffer();
                data = Arena.ofAuto().allocate(bytes.remaining(), 8).copyFrom(MemorySegment.ofBuffer(bytes));
            } else {
                data = map(name[0], external);
            }
            initializers.put(name[0], new Tensor(DType.ofOnnx(type[0]), shape, data));
        }

        private static void entry(CodedInputStream in, Map<String, String> entries) throws IOException {
            String[] pair = {"", ""};
            fields(in, (number, f) -> {
                if (number != 1 && number != 2) return false;
                pair[number - 1] = f.readStringRequireUtf8();
                return true;
            });
            entries.put(pair[0], pair[1]);
        }

        private MemorySegment map(String name, Map<String, String> external) throws IOException {
            Path folder = file.toAbsolutePath().normalize().getParent();
            Path data = folder.resolve(external.getOrDefault("location", "")).normalize();
            String named = "\"" + name + "\"";
            if (!data.startsWith(folder) || Files.exists(data) && !data.toRealPath().startsWith(folder.toRealPath()))
                throw new UserError(file.toString(), "the data of " + named + " is outside the model's folder: \""
                        + external.get("location") + "\"", "put the data file beside the model");
            if (!Files.isRegularFile(data))
                throw new UserError(file.toString(), "the data of " + named + " is in \"" + external.get("location")
                        + "\", which is no file", "put the data file beside the model");
            long offset = Long.parseLong(external.getOrDefault("offset", "0"));
            long length = Long.parseLong(external.getOrDefault("length", "-1"));
            try (FileChannel channel = FileChannel.open(data)) {
                if (offset < 0 || length < 0 || length > channel.size() - offset)
                    throw new UserError(data.toString(), named + " takes " + length + " bytes from byte " + offset
                            + ", the file has " + channel.size(), "fetch or export the file again");
                return channel.map(FileChannel.MapMode.READ_ONLY, offset, length, Arena.ofAuto());
            }
        }

        private Value valueInfo(CodedInputStream in) throws IOException {
            String[] name = {""};
            int[] type = {0};
            List<Dim> dims = new ArrayList<>();
            fields(in, (number, f) -> {
                if (number == 1) name[0] = f.readStringRequireUtf8();
                else if (number == 2) type(nested(f), type, dims);
                else return false;
                return true;
            });
            Value value = new Value(name[0], DType.ofOnnx(type[0]), new Shape(dims));
            values.put(value.name(), value);
            return value;
        }

        private static void type(CodedInputStream in, int[] type, List<Dim> dims) throws IOException {
            fields(in, (number, f) -> {
                if (number != 1) return false;
                fields(nested(f), (inner, tensor) -> {
                    if (inner == 1) type[0] = tensor.readInt32();
                    else if (inner == 2) fields(nested(tensor), (axis, shape) -> {
                        if (axis != 1) return false;
                        dims.add(dim(nested(shape)));
                        return true;
                    });
                    else return false;
                    return true;
                });
                return true;
            });
        }

        private static Dim dim(CodedInputStream in) throws IOException {
            Dim[] dim = {Dim.of("?")};
            fields(in, (number, f) -> {
                if (number == 1) dim[0] = Dim.of(f.readInt64());
                else if (number == 2) dim[0] = Dim.of(f.readStringRequireUtf8());
                else return false;
                return true;
            });
            return dim[0];
        }
    }
}
