package fewsh.shell;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import fewsh.UserError;
import fewsh.generate.CausalLm;
import fewsh.models.Precision;
import java.io.IOException;
import java.io.Writer;
import java.util.Arrays;
import java.util.List;

/// `fewsh forward`: the logits of a model over given ids, to hold against a reference implementation's.
///
/// @param inputIds `(batch, sequence)`
/// @param attention 1 for a position that counts, 0 for padding; the logits at padding are 0
record Forward(int[][] inputIds, int[][] attention) {
    static int run(Workspace workspace, Options options) throws IOException {
        options.expect("fewsh forward", "MODEL", 1, 1);
        if (options.has("input") == options.has("batch"))
            throw new UserError("fewsh forward", "takes --input FILE or --batch", "fewsh forward MODEL --input inputs.json");
        String file = options.get("input", "");
        Forward one = file.isEmpty() ? null : read(workspace.read(file), file);
        workspace.load(options.text(), workspace.loadOptions(options, Precision.FP32));
        if (one != null) {
            one.write(workspace);
            return 0;
        }
        int number = 0;
        for (String line = workspace.readLine(); line != null; line = workspace.readLine()) {
            number++;
            if (line.isBlank()) continue;
            Forward inputs = read(line, "stdin:" + number);
            try {
                inputs.write(workspace);
            } catch (UserError e) {
                throw JsonLines.at(number, e);
            }
        }
        return 0;
    }

    /// @throws UserError if an input is missing, unknown, or of another shape than the others
    static Forward read(String json, String where) {
        JsonObject object = JsonLines.object(json, where);
        for (String key : object.keySet())
            if (!List.of("input_ids", "attention_mask", "position_ids").contains(key))
                throw new UserError(where, "unknown input \"" + key + "\"", "inputs are input_ids, attention_mask, position_ids");
        int[][] ids = matrix(object, "input_ids", where);
        int[][] attention = object.has("attention_mask") ? matrix(object, "attention_mask", where) : ones(ids);
        same(ids, attention, "attention_mask", where);
        for (int[] row : attention)
            if (Arrays.stream(row).anyMatch(a -> a != 0 && a != 1) || gap(row))
                throw new UserError(where, "attention_mask must be 0 and 1, the 1 in one piece", "");
        if (object.has("position_ids")) checkPositions(matrix(object, "position_ids", where), attention, where);
        return new Forward(ids, attention);
    }

    private static boolean gap(int[] mask) {
        String text = Arrays.toString(mask).replaceAll("\\D", "");
        return !text.matches("0*1+0*");
    }

    private static int[][] ones(int[][] like) {
        return Arrays.stream(like).map(row -> {
            int[] ones = new int[row.length];
            Arrays.fill(ones, 1);
            return ones;
        }).toArray(int[][]::new);
    }

    private static void checkPositions(int[][] positions, int[][] attention, String where) {
        same(attention, positions, "position_ids", where);
        for (int r = 0; r < positions.length; r++)
            for (int i = 0, next = 0; i < positions[r].length; i++)
                if (attention[r][i] == 1 && positions[r][i] != next++)
                    throw new UserError(where, "position_ids must count from 0 where attention_mask is 1", "leave them out");
    }

    private static void same(int[][] ids, int[][] other, String name, String where) {
        boolean same = ids.length == other.length;
        for (int r = 0; same && r < ids.length; r++) same = ids[r].length == other[r].length;
        if (!same) throw new UserError(where, name + " and input_ids differ in shape", "");
    }

    private static int[][] matrix(JsonObject object, String key, String where) {
        if (!(object.get(key) instanceof JsonArray rows) || rows.isEmpty())
            throw new UserError(where, "\"" + key + "\" is missing or not a list of lists", "{\"input_ids\":[[1, 2, 3]]}");
        int[][] matrix = new int[rows.size()][];
        for (int r = 0; r < matrix.length; r++) {
            if (!(rows.get(r) instanceof JsonArray row) || row.isEmpty())
                throw new UserError(where, "\"" + key + "\" is not a list of lists", "{\"input_ids\":[[1, 2, 3]]}");
            matrix[r] = new int[row.size()];
            for (int i = 0; i < matrix[r].length; i++) matrix[r][i] = whole(row.get(i), key, where);
            if (matrix[r].length != matrix[0].length)
                throw new UserError(where, "rows of \"" + key + "\" differ in length", "pad them, with an attention_mask");
        }
        return matrix;
    }

    private static int whole(JsonElement value, String key, String where) {
        if (value instanceof JsonPrimitive number && number.isNumber() && number.getAsString().matches("-?\\d{1,9}"))
            return number.getAsInt();
        throw new UserError(where, "\"" + key + "\" holds " + value + ", which is no whole number", "");
    }

    /// `{"logits":{"shape":[batch, sequence, vocab_size],"data":[[[…]]]}}`; every number reads back to the same float32.
    private void write(Workspace workspace) throws IOException {
        CausalLm model = workspace.model();
        int vocab = model.about().vocabSize();
        float[][][] logits = new float[inputIds.length][][];
        for (int r = 0; r < inputIds.length; r++) logits[r] = row(model, r, vocab);
        Writer out = workspace.render().writer();
        out.write("{\"logits\":{\"shape\":[" + inputIds.length + "," + inputIds[0].length + "," + vocab + "],\"data\":[");
        for (int r = 0; r < logits.length; r++) {
            out.write(r == 0 ? "[" : ",[");
            for (int i = 0; i < logits[r].length; i++) {
                out.write(i == 0 ? "[" : ",[");
                StringBuilder numbers = new StringBuilder();
                for (int v = 0; v < vocab; v++) numbers.append(v == 0 ? "" : ",").append(logits[r][i][v]);
                out.write(numbers.append(']').toString());
            }
            out.write("]");
        }
        out.write("]}}\n");
        out.flush();
    }

    private float[][] row(CausalLm model, int r, int vocab) {
        int first = 0;
        while (attention[r][first] == 0) first++;
        int end = attention[r].length;
        while (attention[r][end - 1] == 0) end--;
        float[][] seen = model.forward(Arrays.copyOfRange(inputIds[r], first, end));
        float[][] all = new float[attention[r].length][vocab];
        System.arraycopy(seen, 0, all, first, seen.length);
        return all;
    }
}
