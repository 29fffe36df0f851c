package fewsh.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.CodedOutputStream;
import fewsh.UserError;
import fewsh.graph.GraphBuilder;
import fewsh.graph.Value;
import fewsh.tensor.DType;
import fewsh.tensor.Shape;
import fewsh.tensor.Tensor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What can be said of a model without running it, and what keeps the runtime from reading files that are not the model's.
class OutlineTest {
    @TempDir
    Path folder;

    private interface Fields {
        void write(CodedOutputStream out) throws IOException;
    }

    private static byte[] message(Fields fields) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        CodedOutputStream out = CodedOutputStream.newInstance(bytes);
        fields.write(out);
        out.flush();
        return bytes.toByteArray();
    }

    private static byte[] entry(String key, String value) throws IOException {
        return message(e -> {
            e.writeString(1, key);
            e.writeString(2, value);
        });
    }

    /// A tensor of four float32 in another file.
    private static byte[] tensor(String location, String offset) throws IOException {
        return message(t -> {
            t.writeInt64(1, 4);
            t.writeInt32(2, 1);
            t.writeString(8, "w");
            t.writeByteArray(13, entry("location", location));
            t.writeByteArray(13, entry("offset", offset));
            t.writeByteArray(13, entry("length", "16"));
            t.writeInt32(14, 1);
        });
    }

    /// Where a tensor can stand: among the initializers, in a sparse one, in an attribute, in a subgraph's, in a function's.
    private static byte[] model(String where, byte[] tensor) throws IOException {
        byte[] attribute = message(a -> {
            a.writeString(1, "value");
            a.writeByteArray(5, tensor);
        });
        byte[] node = message(n -> {
            n.writeString(4, "Constant");
            n.writeByteArray(5, attribute);
        });
        byte[] graph = message(g -> {
            switch (where) {
                case "initializer" -> g.writeByteArray(5, tensor);
                case "sparse" -> g.writeByteArray(15, message(s -> s.writeByteArray(1, tensor)));
                case "attribute" -> g.writeByteArray(1, node);
                case "subgraph" -> g.writeByteArray(1, message(n -> {
                    n.writeString(4, "If");
                    n.writeByteArray(5, message(a -> a.writeByteArray(6, message(inner -> inner.writeByteArray(5, tensor)))));
                }));
                default -> g.writeString(2, "empty");
            }
        });
        return message(m -> {
            m.writeInt64(1, 10);
            m.writeByteArray(7, graph);
            if (where.equals("function")) m.writeByteArray(25, message(f -> f.writeByteArray(7, node)));
        });
    }

    private Path write(byte[] bytes) throws IOException {
        Files.createDirectories(folder.resolve("model"));
        return Files.write(folder.resolve("model/model.onnx"), bytes);
    }

    @ParameterizedTest
    @ValueSource(strings = {"initializer", "sparse", "attribute", "subgraph", "function"})
    void dataOutsideTheFolderIsRefusedWhereverItIsNamed(String where) throws IOException {
        Files.write(folder.resolve("secret"), new byte[16]);
        for (String location : List.of("../secret", folder.resolve("secret").toString(), "x/../../secret", "/dev/zero")) {
            Path file = write(model(where, tensor(location, "0")));
            UserError e = assertThrows(UserError.class, () -> Outline.of(file), location);
            assertTrue(e.what().contains("outside the model's folder: \"" + location + "\""), e.what());
        }
        Path file = write(model(where, tensor("linked.data", "0")));
        Files.createSymbolicLink(folder.resolve("model/linked.data"), folder.resolve("secret"));
        assertTrue(assertThrows(UserError.class, () -> Outline.of(file)).what().contains("outside the model's folder"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"initializer", "sparse", "attribute", "subgraph", "function"})
    void dataBesideTheModelIsFound(String where) throws IOException {
        Path file = write(model(where, tensor("model.onnx_data", "8")));
        Path data = folder.resolve("model/model.onnx_data").toAbsolutePath();
        assertTrue(assertThrows(UserError.class, () -> Outline.of(file)).what().contains("is not there"));
        Files.write(data, new byte[23]);
        assertTrue(assertThrows(UserError.class, () -> Outline.of(file)).what().contains("takes 16 bytes from byte 8"));
        Files.write(data, new byte[24]);
        Outline outline = Outline.of(file);
        assertEquals(Set.of(data), outline.data());
        assertEquals(4, outline.parameters());
        assertEquals(Files.size(file) + 24, outline.bytes());
    }

    @Test
    void anAddressInMemoryIsNoFile() throws IOException {
        Path file = write(model("initializer", tensor("*/_ORT_MEM_ADDR_/*", "4096")));
        assertTrue(assertThrows(UserError.class, () -> Outline.of(file)).what().contains("is not there"));
    }

    private Path small() throws IOException {
        GraphBuilder g = new GraphBuilder("small");
        Value x = g.input("x", DType.FLOAT32, Shape.named("batch", 4));
        Value y = g.matMul(x, g.initializer("w", Tensor.ofFloat32(new float[400], 4, 100)));
        g.output("y", g.relu(y));
        Files.createDirectories(folder.resolve("small"));
        OnnxFile.write(g.build(), folder.resolve("small/model.onnx"));
        return folder.resolve("small/model.onnx");
    }

    @Test
    void operatorsParametersAndMakersAreTold() throws IOException {
        Outline outline = Outline.of(small());
        assertEquals(Set.of("MatMul", "Relu"), outline.ops());
        assertEquals(Set.of("x"), outline.inputs());
        assertEquals(400, outline.parameters());
        assertTrue(outline.made(List.of("y"), "Relu"));
        assertFalse(outline.made(List.of("y"), "MatMul"));
        assertEquals(Set.of(folder.resolve("small/model.onnx.data").toAbsolutePath()), outline.data());
    }

    @Test
    void damagedFilesAreErrorsWithAPlace() throws IOException {
        byte[] bytes = Files.readAllBytes(small());
        Path file = folder.resolve("small/damaged.onnx");
        Random random = new Random(1);
        int refused = 0;
        for (int i = 0; i < 1000; i++) {
            byte[] damaged = i < bytes.length ? java.util.Arrays.copyOf(bytes, i) : bytes.clone();
            for (int flip = 0; i >= bytes.length && flip < 3; flip++) damaged[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
            Files.write(file, damaged);
            try {
                Outline.of(file);
            } catch (UserError e) {
                assertTrue(e.where().startsWith(folder.toString()), e.where());
                refused++;
            }
        }
        assertTrue(refused > 300, "refused " + refused);
    }

    @Test
    void graphsWithinGraphsEnd() throws IOException {
        byte[] graph = message(g -> g.writeString(2, "innermost"));
        for (int depth = 0; depth < 100; depth++) {
            byte[] inner = graph;
            graph = message(g -> g.writeByteArray(1, message(n -> n.writeByteArray(5, message(a -> a.writeByteArray(6, inner))))));
        }
        byte[] whole = graph;
        Path file = write(message(m -> m.writeByteArray(7, whole)));
        assertTrue(assertThrows(UserError.class, () -> Outline.of(file)).what().contains("deeper than 32"));
    }
}
