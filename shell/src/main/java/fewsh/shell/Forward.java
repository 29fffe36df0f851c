package fewsh.shell;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import fewsh.UserError;
import fewsh.load.Loaded;
import fewsh.models.Precision;
import fewsh.tensor.Tensor;
import java.io.IOException;
import java.io.Writer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/// `fewsh forward`: one pass of any model over named tensors, to hold against a reference implementation's.
final class Forward {
    /// Inputs that are real numbers, even where each of them happens to be whole.
    private static final List<String> REAL = List.of("pixel_values", "input_features", "inputs_embeds");
    private static final int DEEPEST = 8;

    private Forward() {}

    static int run(Workspace workspace, Options options) throws IOException {
        options.expect("fewsh forward", "MODEL", 1, 1);
        if (options.has("input") == options.has("batch"))
            throw new UserError("fewsh forward", "takes --input FILE or --batch", "fewsh forward MODEL --input inputs.json");
        String file = options.get("input", "");
        JsonObject one = file.isEmpty() ? null : JsonLines.object(workspace.read(file), file);
        try (Loaded model = workspace.open(options.text(), workspace.loadOptions(options, Precision.FP32))) {
            if (one != null) {
                pass(workspace, model, one, file);
                return 0;
            }
            int number = 0;
            for (String line = workspace.readLine(); line != null; line = workspace.readLine()) {
                number++;
                if (line.isBlank()) continue;
                try {
                    pass(workspace, model, JsonLines.object(line, ""), "");
                } catch (UserError e) {
                    throw JsonLines.at(number, e);
                }
            }
        }
        return 0;
    }

    private static void pass(Workspace workspace, Loaded model, JsonObject given, String where) throws IOException {
        Map<String, Tensor> inputs = new LinkedHashMap<>();
        for (var input : given.entrySet()) {
            if (input.getValue() instanceof JsonObject file) {
                if (!file.keySet().equals(Set.of("file")))
                    throw new UserError(where, "\"" + input.getKey() + "\" is an object without \"file\"", "{\"file\":\"cat.png\"}");
                inputs.putAll(model.inputs(workspace.file(JsonLines.text(file, "file", where))));
            } else inputs.put(input.getKey(), tensor(input.getKey(), input.getValue(), where));
        }
        Map<String, Tensor> outputs;
        try {
            outputs = model.forward(inputs);
        } catch (UserError e) {
            throw e.where().isEmpty() ? new UserError(where, e.what(), e.fix(), e) : e;
        }
        Writer out = workspace.render().writer();
        out.write('{');
        String comma = "";
        for (var output : outputs.entrySet()) {
            Tensor tensor = output.getValue();
            out.write(comma + "\"" + output.getKey() + "\":{\"shape\":" + Arrays.toString(tensor.shape().sizes()).replace(" ", "")
                    + ",\"data\":");
            write(out, tensor.toFloats(), tensor.shape().sizes(), 0, 0);
            out.write('}');
            comma = ",";
        }
        out.write("}\n");
        out.flush();
    }

    /// Nested lists of numbers, all of one length at each depth.
    private static Tensor tensor(String name, JsonElement value, String where) {
        List<Long> sizes = new ArrayList<>();
        for (JsonElement at = value; at instanceof JsonArray array; at = array.get(0)) {
            if (array.isEmpty()) throw new UserError(where, "\"" + name + "\" has an empty list", "");
            sizes.add((long) array.size());
            if (sizes.size() > DEEPEST) throw new UserError(where, "\"" + name + "\" is nested more than " + DEEPEST + " deep", "");
        }
        if (sizes.isEmpty()) throw new UserError(where, "\"" + name + "\" is not a list of lists", "{\"input_ids\":[[1, 2, 3]]}");
        long[] shape = sizes.stream().mapToLong(Long::longValue).toArray();
        List<String> numbers = new ArrayList<>();
        flatten(name, value, shape, 0, numbers, where);
        try {
            if (!REAL.contains(name) && numbers.stream().allMatch(n -> n.matches("-?\\d+")))
                return Tensor.ofInt64(numbers.stream().mapToLong(Long::parseLong).toArray(), shape);
        } catch (NumberFormatException e) {
            throw new UserError(where, "\"" + name + "\" holds a number of more than 64 bits", "", e);
        }
        float[] floats = new float[numbers.size()];
        for (int i = 0; i < floats.length; i++) floats[i] = Float.parseFloat(numbers.get(i));
        return Tensor.ofFloat32(floats, shape);
    }

    private static void flatten(String name, JsonElement value, long[] shape, int depth, List<String> to, String where) {
        if (depth == shape.length) {
            if (!(value instanceof JsonPrimitive number) || number.isString())
                throw new UserError(where, "\"" + name + "\" holds " + value + ", which is no number", "");
            to.add(number.isBoolean() ? number.getAsBoolean() ? "1" : "0" : number.getAsString());
            return;
        }
        if (!(value instanceof JsonArray array) || array.size() != shape[depth])
            throw new UserError(where, "lists of \"" + name + "\" differ in length", "pad them, with an attention_mask; the first are "
                    + Arrays.stream(shape).mapToObj(Long::toString).collect(Collectors.joining(" × ")));
        for (JsonElement element : array) flatten(name, element, shape, depth + 1, to, where);
    }

    /// Nested lists again; every number reads back to the same float32. JSON has no infinity: null.
    private static int write(Writer out, float[] numbers, long[] shape, int depth, int from) throws IOException {
        if (depth == shape.length) {
            out.write(Float.isFinite(numbers[from]) ? Float.toString(numbers[from]) : "null");
            return from + 1;
        }
        out.write('[');
        for (long i = 0; i < shape[depth]; i++) {
            if (i > 0) out.write(',');
            from = write(out, numbers, shape, depth + 1, from);
        }
        out.write(']');
        return from;
    }
}
