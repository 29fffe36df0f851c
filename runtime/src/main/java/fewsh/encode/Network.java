package fewsh.encode;

import fewsh.UserError;
import fewsh.load.Exported;
import fewsh.session.Session;
import fewsh.tensor.DType;
import fewsh.tensor.Dim;
import fewsh.tensor.Shape;
import fewsh.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/// The graph of an encoder of text, ours or an export, as named tensors in and out.
///
/// @param inputs names of what it takes
/// @param outputs what it gives
/// @param contextLength most positions of a row; 0 if that is not known
/// @param vocabSize ids are below it; 0 if that is not known
record Network(List<String> inputs, List<Session.Port> outputs, int contextLength, int vocabSize,
        UnaryOperator<Map<String, Tensor>> run) {
    private static final List<String> KNOWN = List.of("input_ids", "attention_mask", "token_type_ids", "position_ids");

    static Network of(Session session, int contextLength, int vocabSize) {
        return new Network(names(session), session.outputs(), contextLength, vocabSize, session::run);
    }

    /// @throws UserError naming an input that is not understood
    static Network of(Exported export) {
        Session session = export.session("model");
        for (Session.Port port : session.inputs())
            if (!KNOWN.contains(port.name()) || port.shape().rank() != 2)
                throw new UserError(export.export().folder().toString(), "input " + port.name() + " "
                        + port.dtype().toString().toLowerCase() + port.shape() + " is not understood",
                        "an encoder of text takes " + String.join(", ", KNOWN) + " (batch, sequence)");
        return new Network(names(session), session.outputs(), export.about().contextLength(), export.about().vocabSize(), export::forward);
    }

    /// The same, run otherwise.
    Network by(UnaryOperator<Map<String, Tensor>> other) {
        return new Network(inputs, outputs, contextLength, vocabSize, other);
    }

    private static List<String> names(Session session) {
        return session.inputs().stream().map(Session.Port::name).toList();
    }

    /// How many axes an output has; 0 if there is none of that name.
    int rank(String output) {
        return outputs.stream().filter(p -> p.name().equals(output)).mapToInt(p -> p.shape().rank()).findFirst().orElse(0);
    }

    /// How many numbers a position has at most in what is given.
    long widest() {
        return outputs.stream().mapToLong(p -> p.shape().dim(-1) instanceof Dim.Fixed(long size) ? size : 1).max().orElse(1);
    }

    /// What of `offered` the graph takes; what else it takes keeps to [#forward]'s defaults.
    Map<String, Tensor> feed(Map<String, Tensor> offered) {
        Map<String, Tensor> taken = new LinkedHashMap<>(offered);
        taken.keySet().retainAll(inputs);
        return forward(taken);
    }

    /// One pass. A mask that is left out is all ones, token types are 0, positions count from 0.
    ///
    /// @return 0 where the mask is
    /// @throws UserError if an input is missing, unknown, of another shape, or has an id that is not in the vocabulary
    Map<String, Tensor> forward(Map<String, Tensor> given) {
        for (String name : given.keySet())
            if (!inputs.contains(name)) throw new UserError("", "unknown input \"" + name + "\"", "inputs are " + String.join(", ", inputs));
        Tensor ids = given.get("input_ids");
        if (ids == null || ids.shape().rank() != 2 || ids.shape().count() == 0)
            throw new UserError("", "\"input_ids\" is missing or not a list of lists", "{\"input_ids\":[[1, 2, 3]]}");
        Map<String, Tensor> whole = new LinkedHashMap<>();
        for (String name : inputs) {
            Tensor tensor = given.containsKey(name) ? given.get(name) : usual(name, ids.shape());
            if (!tensor.shape().equals(ids.shape())) throw new UserError("", name + " and input_ids differ in shape", "");
            if (tensor.dtype() != DType.INT64) throw new UserError("", "\"" + name + "\" must be whole numbers", "");
            whole.put(name, outside(tensor));
        }
        check(ids);
        Map<String, Tensor> made = run.apply(whole);
        Tensor mask = whole.get("attention_mask");
        if (mask != null) made.values().forEach(t -> clear(t, mask));
        return made;
    }

    /// The runtime takes native memory only.
    private static Tensor outside(Tensor tensor) {
        if (tensor.data().isNative()) return tensor;
        Tensor copy = Tensor.allocate(Arena.ofAuto(), tensor.dtype(), tensor.shape().sizes());
        copy.data().copyFrom(tensor.data());
        return copy;
    }

    private static Tensor usual(String name, Shape shape) {
        Tensor tensor = Tensor.allocate(Arena.ofAuto(), DType.INT64, shape.sizes());
        for (long i = 0; i < shape.count(); i++)
            tensor.data().setAtIndex(ValueLayout.JAVA_LONG, i, switch (name) {
                case "attention_mask" -> 1;
                case "position_ids" -> i % shape.size(1);
                default -> 0;
            });
        return tensor;
    }

    private void check(Tensor ids) {
        long sequence = ids.shape().size(1);
        if (contextLength > 0 && sequence > contextLength)
            throw new UserError("", "a row is " + sequence + " tokens, the model has " + contextLength + " positions", "shorten it");
        for (long i = 0; i < ids.shape().count(); i++) {
            long id = ids.data().get(ValueLayout.JAVA_LONG_UNALIGNED, 8 * i);
            if (id < 0 || vocabSize > 0 && id >= vocabSize)
                throw new UserError("", "token id " + id + " is not in the vocabulary of " + vocabSize, "");
        }
    }

    private static void clear(Tensor made, Tensor mask) {
        Shape shape = made.shape();
        if (shape.rank() < 2 || shape.size(0) != mask.shape().size(0) || shape.size(1) != mask.shape().size(1)) return;
        long each = made.data().byteSize() / mask.shape().count();
        for (long i = 0; i < mask.shape().count(); i++)
            if (mask.data().get(ValueLayout.JAVA_LONG_UNALIGNED, 8 * i) == 0) made.data().asSlice(i * each, each).fill((byte) 0);
    }

    /// The numbers of one row of a batch, its padding left out.
    ///
    /// @param tokens of the row; for what has one vector a row, 0
    static float[] row(Tensor tensor, int row, int tokens) {
        float[] numbers = new float[(int) (tensor.shape().count() / tensor.shape().size(0) / (tokens == 0 ? 1 : tensor.shape().size(1))
                * (tokens == 0 ? 1 : tokens))];
        long from = row * (tensor.data().byteSize() / tensor.shape().size(0));
        MemorySegment.copy(tensor.data(), ValueLayout.JAVA_FLOAT_UNALIGNED, from, numbers, 0, numbers.length);
        return numbers;
    }
}
