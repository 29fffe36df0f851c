package fewsh.onnx;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;
import fewsh.UserError;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/// What can be said of anyone's ONNX model without running it: read before the runtime sees the file, so that it reads no other
/// file than those beside the model.
///
/// @param inputs of the main graph, by name
/// @param ops the types of all nodes, in subgraphs and functions too
/// @param makers for each value of the main graph, the type of the node that makes it
/// @param bits of which sizes its blockwise quantised matrices are
/// @param parameters how many numbers its tensors hold
/// @param data the files that hold tensors, beside the model itself
/// @param bytes of the model and those files
public record Outline(
        Set<String> inputs, Set<String> ops, Map<String, String> makers, Set<Integer> bits, long parameters, Set<Path> data, long bytes) {
    private static final int SUBGRAPHS = 32;
    private static final int EXTERNAL = 1;
    private static final int UINT8 = 2;
    private static final String FETCH = "fetch or export the file again";

    /// @throws UserError if there is no such file, it is no ONNX model, or its data is not in files beside it, complete
    public static Outline of(Path file) {
        if (!Files.isRegularFile(file)) throw new UserError(file.toString(), "there is no such file", "");
        try (FileChannel channel = FileChannel.open(file); Arena arena = Arena.ofConfined()) {
            if (channel.size() > Integer.MAX_VALUE)
                throw new UserError(file.toString(), "an ONNX model of " + channel.size() + " bytes, at most "
                        + Integer.MAX_VALUE + " are possible", "export it with its weights in a data file");
            ByteBuffer bytes = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena).asByteBuffer();
            return new Reading(file).model(CodedInputStream.newInstance(bytes));
        } catch (IOException | RuntimeException e) {
            if (e instanceof UserError known) throw known;
            throw new UserError(file.toString(), "not an ONNX model that can be read: " + e.getMessage(), FETCH, e);
        }
    }

    /// Whether all of the values are made by nodes of one type.
    public boolean made(Iterable<String> values, String type) {
        for (String value : values) if (!type.equals(makers.get(value))) return false;
        return true;
    }

    /// One read: the fields of interest, the others skipped. Numbers are those of onnx.proto3.
    private static final class Reading {
        private final Path file;
        private final Set<String> inputs = new TreeSet<>();
        private final Set<String> ops = new TreeSet<>();
        private final Map<String, String> makers = new HashMap<>();
        private final Set<Integer> bits = new TreeSet<>();
        private final Set<Path> data = new LinkedHashSet<>();
        private long numbers;
        private long bytesOfBlocks;
        private boolean hasGraph;

        Reading(Path file) {
            this.file = file;
        }

        private interface Field {
            /// @return false if the field is to be skipped
            boolean read(int number, int wire) throws IOException;
        }

        Outline model(CodedInputStream in) throws IOException {
            fields(in, (number, wire) -> {
                if (wire != WireFormat.WIRETYPE_LENGTH_DELIMITED) return false;
                switch (number) {
                    case 7 -> {
                        hasGraph = true;
                        graph(in, 0);
                    }
                    case 20 -> nested(in, n -> n == 1 || n == 2, _ -> graph(in, 1));
                    case 25 -> nested(in, n -> n == 7, _ -> node(in, 1));
                    default -> {
                        return false;
                    }
                }
                return true;
            });
            if (!hasGraph) throw new IOException("it holds no graph");
            long bytes = Files.size(file);
            for (Path path : data) bytes += Files.size(path);
            return new Outline(Set.copyOf(inputs), Set.copyOf(ops), Map.copyOf(makers), Set.copyOf(bits),
                    numbers + (bits.contains(4) ? 2 : 1) * bytesOfBlocks, Set.copyOf(data), bytes);
        }

        private static void fields(CodedInputStream in, Field field) throws IOException {
            for (int tag = in.readTag(); tag != 0; tag = in.readTag())
                if (!field.read(WireFormat.getTagFieldNumber(tag), WireFormat.getTagWireType(tag)))
                    if (!in.skipField(tag)) throw new IOException("a group ends that did not begin");
        }

        /// Reads one message within another.
        private static void message(CodedInputStream in, Field field) throws IOException {
            int outer = in.pushLimit(in.readRawVarint32());
            fields(in, field);
            in.popLimit(outer);
        }

        private interface Chosen {
            boolean test(int number);
        }

        private interface Inner {
            void read(int number) throws IOException;
        }

        /// Reads the messages within a message that are chosen by their numbers.
        private static void nested(CodedInputStream in, Chosen chosen, Inner inner) throws IOException {
            message(in, (number, wire) -> {
                if (wire != WireFormat.WIRETYPE_LENGTH_DELIMITED || !chosen.test(number)) return false;
                inner.read(number);
                return true;
            });
        }

        private void graph(CodedInputStream in, int depth) throws IOException {
            if (depth > SUBGRAPHS) throw new IOException("graphs within graphs, deeper than " + SUBGRAPHS);
            nested(in, n -> n == 1 || n == 5 || n == 11 || n == 15, number -> {
                switch (number) {
                    case 1 -> node(in, depth);
                    case 5 -> tensor(in);
                    case 11 -> nested(in, n -> n == 1, _ -> input(in.readStringRequireUtf8(), depth));
                    default -> sparse(in);
                }
            });
        }

        private void input(String name, int depth) {
            if (depth == 0) inputs.add(name);
        }

        private void sparse(CodedInputStream in) throws IOException {
            nested(in, n -> n == 1 || n == 2, _ -> tensor(in));
        }

        private void node(CodedInputStream in, int depth) throws IOException {
            List<String> made = new ArrayList<>();
            String[] type = {""};
            nested(in, n -> n == 2 || n == 4 || n == 5, number -> {
                switch (number) {
                    case 2 -> made.add(in.readStringRequireUtf8());
                    case 4 -> type[0] = in.readStringRequireUtf8();
                    default -> attribute(in, depth);
                }
            });
            ops.add(type[0]);
            if (depth == 0) for (String value : made) makers.put(value, type[0]);
        }

        private void attribute(CodedInputStream in, int depth) throws IOException {
            String[] name = {""};
            long[] whole = {0};
            message(in, (number, wire) -> {
                if (number == 3 && wire == WireFormat.WIRETYPE_VARINT) {
                    whole[0] = in.readInt64();
                    return true;
                }
                if (wire != WireFormat.WIRETYPE_LENGTH_DELIMITED) return false;
                switch (number) {
                    case 1 -> name[0] = in.readStringRequireUtf8();
                    case 5, 10 -> tensor(in);
                    case 6, 11 -> graph(in, depth + 1);
                    case 22, 23 -> sparse(in);
                    default -> {
                        return false;
                    }
                }
                return true;
            });
            if (name[0].equals("bits") && whole[0] > 0 && whole[0] <= 32) bits.add((int) whole[0]);
        }

        private void tensor(CodedInputStream in) throws IOException {
            List<Long> sizes = new ArrayList<>();
            int[] type = {0};
            int[] location = {0};
            Map<String, String> external = new HashMap<>();
            String[] name = {""};
            message(in, (number, wire) -> {
                boolean bytes = wire == WireFormat.WIRETYPE_LENGTH_DELIMITED;
                if (number == 1 && bytes) {
                    int outer = in.pushLimit(in.readRawVarint32());
                    while (in.getBytesUntilLimit() > 0) sizes.add(in.readInt64());
                    in.popLimit(outer);
                } else if (number == 1 && wire == WireFormat.WIRETYPE_VARINT) sizes.add(in.readInt64());
                else if (number == 2 && wire == WireFormat.WIRETYPE_VARINT) type[0] = in.readInt32();
                else if (number == 8 && bytes) name[0] = in.readStringRequireUtf8();
                else if (number == 13 && bytes) entry(in, external);
                else if (number == 14 && wire == WireFormat.WIRETYPE_VARINT) location[0] = in.readInt32();
                else return false;
                return true;
            });
            long count = 1;
            for (long size : sizes) {
                if (size < 0) throw new IOException("tensor \"" + name[0] + "\" has a size of " + size);
                count = Math.multiplyExact(count, size);
            }
            if (type[0] == UINT8 && sizes.size() >= 3) bytesOfBlocks = Math.addExact(bytesOfBlocks, count);
            else numbers = Math.addExact(numbers, count);
            if (location[0] == EXTERNAL || !external.isEmpty()) data.add(beside(name[0], external));
        }

        private static void entry(CodedInputStream in, Map<String, String> entries) throws IOException {
            String[] pair = {"", ""};
            nested(in, n -> n == 1 || n == 2, number -> pair[number - 1] = in.readStringRequireUtf8());
            entries.put(pair[0], pair[1]);
        }

        /// The file of a tensor's data, which must be beside the model and long enough.
        private Path beside(String tensor, Map<String, String> external) throws IOException {
            String location = external.getOrDefault("location", "");
            String what = "the data of \"" + tensor + "\" is ";
            Path folder = file.toAbsolutePath().normalize().getParent();
            Path named;
            try {
                named = Path.of(location);
            } catch (InvalidPathException e) {
                throw new UserError(file.toString(), what + "in \"" + location + "\", which is no file's name", FETCH, e);
            }
            Path path = folder.resolve(named).normalize();
            if (named.isAbsolute() || !path.startsWith(folder)
                    || Files.exists(path) && !path.toRealPath().startsWith(folder.toRealPath()))
                throw new UserError(file.toString(), what + "outside the model's folder: \"" + location + "\"",
                        "put the data file itself beside the model");
            if (!Files.isRegularFile(path))
                throw new UserError(file.toString(), what + "in \"" + location + "\", which is not there",
                        "put the data file beside the model");
            long offset = number(external, "offset");
            long length = number(external, "length");
            if (offset < 0 || length < 0 || length > Files.size(path) - offset)
                throw new UserError(path.toString(), "\"" + tensor + "\" takes " + length + " bytes from byte " + offset
                        + ", the file has " + Files.size(path), FETCH);
            return path;
        }

        private static long number(Map<String, String> external, String key) throws IOException {
            String text = external.getOrDefault(key, "0");
            if (!text.matches("\\d{1,18}")) throw new IOException(key + " \"" + text + "\" of external data is no number");
            return Long.parseLong(text);
        }
    }
}
