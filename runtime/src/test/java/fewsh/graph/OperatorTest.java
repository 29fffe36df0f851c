package fewsh.graph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import fewsh.UserError;
import fewsh.onnx.OnnxFile;
import fewsh.session.Device;
import fewsh.session.Session;
import fewsh.tensor.DType;
import fewsh.tensor.Dim;
import fewsh.tensor.Shape;
import fewsh.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SequencedMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Every operator, as the runtime computes it, against [Reference]; and its inferred shapes against what the runtime makes.
class OperatorTest {
    @TempDir
    Path folder;

    static List<OperatorCases.Case> cases() {
        return OperatorCases.all();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void runtimeComputesWhatTheSpecificationSays(OperatorCases.Case row) throws IOException {
        SequencedMap<String, Reference.Array> expected = Reference.run(row.graph(), row.in());
        Map<String, Tensor> out = run(row, expected);
        expected.forEach((name, want) -> compare(row, name, want, Reference.Array.of(out.get(name))));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void inferredShapesAreThoseComputed(OperatorCases.Case row) {
        Map<String, Integer> symbols = new HashMap<>();
        for (Value in : row.graph().inputs()) agree(in, Reference.Array.of(row.in().get(in.name())).sizes(), symbols);
        var expected = Reference.run(row.graph(), row.in());
        for (Value out : row.graph().outputs()) agree(out, expected.get(out.name()).sizes(), symbols);
    }

    @Test
    void everyOperatorHasARow() {
        Set<Class<?>> rows = cases().stream().map(OperatorCases.Case::op).collect(Collectors.toSet());
        assertEquals(Set.of(Op.class.getPermittedSubclasses()), rows);
        for (OperatorCases.Case row : cases())
            assertTrue(row.graph().nodes().stream().anyMatch(n -> n.op().getClass() == row.op()), row.toString());
    }

    /// The table binds outputs of the shapes that were inferred; this is what makes that a check.
    @Test
    void outputOfAnotherShapeIsRefused() throws IOException {
        GraphBuilder g = new GraphBuilder("shapes");
        g.output("y", g.relu(g.input("x", DType.FLOAT32, Shape.of(2, 3))));
        Path file = folder.resolve("model.onnx");
        OnnxFile.write(g.build(), file);
        Tensor x = Tensor.ofFloat32(new float[6], 2, 3);
        for (long[] wrong : new long[][] {{3, 2}, {6}, {2, 4}})
            try (Session session = Session.open(file, Session.Options.of(Device.CPU, 1));
                    Session.Bound bound = session.bind(Map.of("x", x),
                            Map.of("y", Tensor.allocate(Arena.ofAuto(), DType.FLOAT32, wrong)))) {
                assertThrows(UserError.class, bound::run, Arrays.toString(wrong));
            }
    }

    /// Limits of the runtime that callers must know, each an error and never a write beyond a buffer.
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "two rows, three more behind a past | 2 | 3 | 10 | 16 | 6  | 7  | 16 | batch_size must be 1",
        "total beyond the capacity          | 1 | 1 | 4  | 16 | 5  | 6  | 16 | exceeds the past buffer",
        "a row's length beyond the capacity | 1 | 1 | 8  | 16 | 12 | 5  | 16 | seqlens_k",
        "a row's length below none          | 1 | 1 | 8  | 16 | -5 | 5  | 16 | seqlens_k",
        "positions beyond the tables        | 1 | 1 | 40 | 16 | 30 | 31 | 16 | cos_cache",
        "a head that is no multiple of 16   | 1 | 3 | 8  | 24 | 2  | 3  | 16 | head_size"})
    void attentionBeyondItsLimitsIsRefused(String what, int batch, int sequence, int capacity, int dim, int seqlenK, int total,
            int positions, String expected) throws IOException {
        GraphBuilder g = new GraphBuilder("limits");
        Shape cache = Shape.named("batch", 1, "capacity", dim);
        Value table = g.initializer("table", Tensor.ofFloat32(new float[positions * dim / 2], positions, dim / 2));
        List<Value> made = g.apply(new Op.GroupQueryAttention(2, 1, true, false, -1, 0),
                g.input("qkv", DType.FLOAT32, Shape.named("batch", "sequence", 4 * dim)), Value.ABSENT, Value.ABSENT,
                g.input("past_key", DType.FLOAT32, cache), g.input("past_value", DType.FLOAT32, cache),
                g.input("seqlens_k", DType.INT32, Shape.named("batch")), g.input("total", DType.INT32, Shape.of()), table, table);
        g.output("y", made.get(0));
        g.output("key", made.get(1));
        g.output("value", made.get(2));
        int[] seqlensK = new int[batch];
        Arrays.fill(seqlensK, seqlenK);
        Tensor key = Tensor.allocate(Arena.ofAuto(), DType.FLOAT32, batch, 1, capacity, dim);
        Tensor value = Tensor.allocate(Arena.ofAuto(), DType.FLOAT32, batch, 1, capacity, dim);
        UserError e = refused(g.build(), Map.of("qkv", Tensor.allocate(Arena.ofAuto(), DType.FLOAT32, batch, sequence, 4 * dim),
                "past_key", key, "past_value", value, "seqlens_k", Tensor.ofInt32(seqlensK, batch),
                "total", Tensor.ofInt32(new int[] {total})),
                Map.of("y", Tensor.allocate(Arena.ofAuto(), DType.FLOAT32, batch, sequence, 2 * dim),
                        "key", key, "value", value));
        assertTrue(e.getMessage().contains(expected), what + ": " + e.getMessage());
    }

    @ParameterizedTest
    @ValueSource(longs = {7, -8, 1L << 40})
    void rowsThatAreNotThereAreRefused(long id) throws IOException {
        GraphBuilder g = new GraphBuilder("rows");
        Value ids = g.input("ids", DType.INT64, Shape.of(1));
        Value quants = g.initializer("q", Tensor.allocate(Arena.ofAuto(), DType.UINT8, 7, 32));
        Value scales = g.initializer("scales", Tensor.ofFloat32(new float[7], 7, 1));
        g.output("quantised", g.apply(new Op.GatherBlockQuantized(8, 32, 0, 1), quants, ids, scales).getFirst());
        Tensor row = Tensor.allocate(Arena.ofAuto(), DType.FLOAT32, 1, 32);
        Map<String, Tensor> in = Map.of("ids", Tensor.ofInt64(new long[] {id}, 1));
        assertTrue(refused(g.build(), in, Map.of("quantised", row)).getMessage().contains("idx=" + id));
        GraphBuilder plain = new GraphBuilder("rows");
        plain.output("row", plain.gather(plain.initializer("w", Tensor.allocate(Arena.ofAuto(), DType.FLOAT32, 7, 32)),
                plain.input("ids", DType.INT64, Shape.of(1)), 0));
        assertTrue(refused(plain.build(), in, Map.of("row", row)).getMessage().contains("idx=" + id));
    }

    private UserError refused(Graph graph, Map<String, Tensor> in, Map<String, Tensor> out) throws IOException {
        Path file = folder.resolve("model.onnx");
        OnnxFile.write(graph, file);
        try (Session session = Session.open(file, Session.Options.of(Device.CPU, 1));
                Session.Bound bound = session.bind(in, out)) {
            return assertThrows(UserError.class, bound::run);
        }
    }

    private Map<String, Tensor> run(OperatorCases.Case row, Map<String, Reference.Array> expected) throws IOException {
        Path file = folder.resolve("model.onnx");
        OnnxFile.write(row.graph(), file);
        Map<String, Tensor> out = new LinkedHashMap<>();
        for (Value v : row.graph().outputs()) {
            long[] sizes = Arrays.stream(expected.get(v.name()).sizes()).asLongStream().toArray();
            out.put(v.name(), row.inPlace().containsKey(v.name()) ? row.in().get(row.inPlace().get(v.name()))
                    : Tensor.allocate(Arena.ofAuto(), v.dtype(), sizes));
        }
        try (Session session = Session.open(file, Session.Options.of(Device.CPU, 1));
                Session.Bound bound = session.bind(row.in(), out)) {
            assertTrue(bound.run());
        }
        return out;
    }

    private static void compare(OperatorCases.Case row, String name, Reference.Array want, Reference.Array got) {
        assertEquals(Arrays.toString(want.sizes()), Arrays.toString(got.sizes()));
        for (int i = 0; i < want.values().length; i++) {
            double expected = want.values()[i];
            if (Double.isNaN(expected)) continue;
            double slack = row.slack().length > 0 ? row.slack()[i] : 0;
            double off = Math.abs(got.values()[i] - expected);
            if (!(off <= row.tolerance() * (1 + Math.abs(expected)) + slack))
                fail(name + Arrays.toString(want.index(i)) + " is " + got.values()[i] + ", expected " + expected
                        + " (off by " + off + "; " + row.graph() + ")");
        }
    }

    /// A symbol means one size wherever it stands; `2*batch` is what it says.
    private static void agree(Value value, int[] sizes, Map<String, Integer> symbols) {
        assertEquals(sizes.length, value.shape().rank(), value.toString());
        for (int i = 0; i < sizes.length; i++) {
            int size = switch (value.shape().dim(i)) {
                case Dim.Fixed(long fixed) -> (int) fixed;
                case Dim.Symbol(var name) when name.contains("*") -> Arrays.stream(name.split("\\*"))
                        .mapToInt(factor -> factor.matches("\\d+") ? Integer.parseInt(factor) : symbols.get(factor))
                        .reduce(1, Math::multiplyExact);
                case Dim.Symbol(var name) -> {
                    symbols.putIfAbsent(name, sizes[i]);
                    yield symbols.get(name);
                }
            };
            assertEquals(size, sizes[i], value.toString());
        }
    }
}
