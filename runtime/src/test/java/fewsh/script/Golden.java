package fewsh.script;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import fewsh.load.Loaded;
import fewsh.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// What a reference implementation says of a model: the golden file of a folder, or its part for one file of the folder.
///
/// @param model what a person would name: a folder, or a file of it
/// @param base of an adapter, which `folder` then is
record Golden(Path model, Path folder, Optional<Path> base, JsonObject json) {
    private static final List<String> IDS = List.of("input_ids", "attention_mask", "token_type_ids", "position_ids",
            "decoder_input_ids");
    private static final List<String> SENSES = List.of("pixel_values", "input_features");
    /// The keys of outputs in golden files: which output they are of, and whether of its first numbers or its last.
    private static final List<Key> KEYS = List.of(new Key("logits", "logits", false), new Key("logits_with", "logits", false),
            new Key("last_logits", "logits", true), new Key("logits_first_position", "logits", false),
            new Key("prediction_logits", "prediction_logits", false),
            new Key("seq_relationship_logits", "seq_relationship_logits", false),
            new Key("encoder_last_hidden_state", "encoder_last_hidden_state", false),
            new Key("encoder_last_hidden_state_first_position", "encoder_last_hidden_state", false),
            new Key("hidden_states_first_position", "last_hidden_state", false),
            new Key("image_hidden_states", "image_hidden_states", false));

    private record Key(String key, String output, boolean last) {}

    /// One pass.
    ///
    /// @param expected empty for a pass that only two precisions are compared on
    record Pass(Map<String, Tensor> inputs, List<Expected> expected) {}

    /// The first or the last numbers of one row of an output.
    record Expected(String output, int row, boolean last, float[] numbers) {
        /// What a model gave in their place.
        float[] of(Tensor made) {
            float[] all = made.toFloats();
            int each = all.length / (int) made.shape().size(0);
            int from = last ? (row + 1) * each - numbers.length : row * each;
            return Arrays.copyOfRange(all, from, from + numbers.length);
        }
    }

    /// A greedy answer; `given` is what it answers: ids, or a file.
    record Greedy(int[] newIds, float[] margins, JsonObject given) {}

    /// The golden files of a folder: one, or one for each file that it speaks of.
    static List<Golden> of(Path folder) throws IOException {
        JsonObject json = JsonParser.parseString(Files.readString(folder.resolve("golden.json"))).getAsJsonObject();
        if (json.has("base")) {
            Path base = folder.resolve(json.get("base").getAsString()).normalize();
            return List.of(new Golden(folder, folder, Optional.of(base), json));
        }
        JsonObject files = json.has("runs") || !json.has("files") ? new JsonObject() : json.getAsJsonObject("files");
        if (files.isEmpty()) return List.of(new Golden(only(folder), folder, Optional.empty(), json));
        return files.keySet().stream()
                .map(file -> new Golden(folder.resolve(file), folder, Optional.empty(), files.getAsJsonObject(file))).toList();
    }

    /// The folder, or the GGUF file that it is there for.
    private static Path only(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(f -> f.toString().endsWith(".gguf")).findAny().orElse(folder);
        }
    }

    /// The largest difference of one number that its makers allow, for numbers that are not rounded.
    double tolerance() {
        JsonObject tolerance = json.getAsJsonObject("tolerance");
        return tolerance.get(tolerance.has("abs") ? "abs" : "logprob_abs").getAsDouble();
    }

    /// How far rounding took the file's logits from those of the float32 model; 0 for a model of our own page.
    double rounding() {
        return json.has("against") ? json.getAsJsonObject("against").get("logits_max_difference").getAsDouble() : 0;
    }

    List<JsonObject> objects(String key) {
        return json.has(key) ? json.getAsJsonArray(key).asList().stream().map(JsonElement::getAsJsonObject).toList() : List.of();
    }

    List<Greedy> greedy() {
        return objects("greedy").stream().map(c -> new Greedy(ids(c.get("new_ids")),
                c.has("margins") ? floats(c.get("margins")) : filled(c.getAsJsonArray("new_ids").size()), c)).toList();
    }

    /// Every pass that the file has numbers of, and one over each greedy answer.
    List<Pass> passes(Loaded model) {
        Stream<Pass> passes = Stream.concat(objects("forward").stream(), objects("runs").stream()).map(c -> pass(c, model));
        Stream<Pass> batch = json.has("batch") && json.getAsJsonObject("batch").has("input_ids")
                ? Stream.of(batch(json.getAsJsonObject("batch"))) : Stream.of();
        return Stream.of(passes, batch, steps().stream(), greedy().stream().map(c -> forced(c, model)))
                .flatMap(Function.identity()).toList();
    }

    private Pass pass(JsonObject c, Loaded model) {
        Map<String, Tensor> inputs = new LinkedHashMap<>();
        for (String name : IDS) if (c.has(name)) inputs.put(name, rows(c.getAsJsonArray(name)));
        if (c.has("ids")) inputs.put("input_ids", rows(c.getAsJsonArray("ids")));
        for (String name : SENSES)
            if (c.has(name))
                inputs.put(name, c.getAsJsonObject(name).has("data") ? sense(c.getAsJsonObject(name), name)
                        : model.inputs(folder.resolve(c.get("file").getAsString())).get(name));
        List<Expected> expected = new ArrayList<>();
        for (Key key : KEYS)
            if (c.has(key.key)) expected.add(new Expected(key.output, 0, key.last, numbers(key, c.get(key.key))));
        return new Pass(inputs, expected);
    }

    private static float[] numbers(Key key, JsonElement given) {
        if (given.isJsonObject()) return floats(given.getAsJsonObject().get("data"));
        return floats(key.key.startsWith("hidden_states") ? given.getAsJsonArray().asList().getLast() : given);
    }

    /// Padded rows; an array of numbers for each.
    private static Pass batch(JsonObject c) {
        Map<String, Tensor> inputs = new LinkedHashMap<>();
        for (String name : IDS) if (c.has(name)) inputs.put(name, rows(c.getAsJsonArray(name)));
        List<Expected> expected = new ArrayList<>();
        for (Key key : KEYS)
            for (int row = 0; c.has(key.key) && row < c.getAsJsonArray(key.key).size(); row++)
                expected.add(new Expected(key.output, row, key.last, floats(c.getAsJsonArray(key.key).get(row))));
        return new Pass(inputs, expected);
    }

    /// Passes through an export's cache, each behind those before it, as one over all of them. A graph that rounds its
    /// activations by the largest of the pass gives other numbers then, so that of rounded ones only the first counts.
    private List<Pass> steps() {
        List<Pass> passes = new ArrayList<>();
        int[] ids = {};
        for (JsonObject c : rounding() > tolerance() ? objects("steps").subList(0, 1) : objects("steps")) {
            ids = joined(ids, ids(c.get("input_ids")));
            passes.add(new Pass(Map.of("input_ids", row(ids)),
                    List.of(new Expected("logits", 0, true, floats(c.getAsJsonObject("logits").get("data"))))));
        }
        return passes;
    }

    /// The answer put to the model as if it had given it.
    private Pass forced(Greedy c, Loaded model) {
        if (c.given.has("decoder_prompt")) {
            Map<String, Tensor> inputs = new LinkedHashMap<>(model.inputs(folder.resolve(c.given.get("file").getAsString())));
            inputs.put("decoder_input_ids", row(joined(ids(c.given.get("decoder_prompt")), c.newIds)));
            return new Pass(inputs, List.of());
        }
        int[] ids = ids(c.given.get(c.given.has("ids") ? "ids" : "input_ids"));
        if (json.has("decoder_start_token_id")) {
            int[] start = {json.get("decoder_start_token_id").getAsInt()};
            return new Pass(Map.of("input_ids", row(ids), "decoder_input_ids", row(joined(start, c.newIds))), List.of());
        }
        Map<String, Tensor> inputs = new LinkedHashMap<>(Map.of("input_ids", row(joined(ids, c.newIds))));
        if (json.has("processor"))
            inputs.put("pixel_values", sense(objects("forward").getFirst().getAsJsonObject("pixel_values"), "pixel_values"));
        return new Pass(inputs, List.of());
    }

    /// A picture or a sound, alone in its batch unless it is there as tiles.
    private static Tensor sense(JsonObject c, String name) {
        long[] shape = Arrays.stream(ids(c.get("shape"))).asLongStream().toArray();
        int axes = name.equals("pixel_values") ? 4 : 3;
        if (shape.length < axes) shape = Stream.of(new long[] {1}, shape).flatMapToLong(Arrays::stream).toArray();
        return Tensor.ofFloat32(floats(c.get("data")), shape);
    }

    private static Tensor rows(JsonArray ids) {
        if (!ids.get(0).isJsonArray()) return row(ids(ids));
        int[] all = ids.asList().stream().flatMapToInt(r -> Arrays.stream(ids(r))).toArray();
        return Tensor.ofInt64(Arrays.stream(all).asLongStream().toArray(), ids.size(), all.length / ids.size());
    }

    static Tensor row(int[] ids) {
        return Tensor.ofInt64(Arrays.stream(ids).asLongStream().toArray(), 1, ids.length);
    }

    private static int[] joined(int[] a, int[] b) {
        return IntStream.concat(Arrays.stream(a), Arrays.stream(b)).toArray();
    }

    private static float[] filled(int size) {
        float[] all = new float[size];
        Arrays.fill(all, Float.POSITIVE_INFINITY);
        return all;
    }

    static int[] ids(JsonElement array) {
        return array.getAsJsonArray().asList().stream().mapToInt(JsonElement::getAsInt).toArray();
    }

    /// NaN for null.
    static float[] floats(JsonElement array) {
        float[] floats = new float[array.getAsJsonArray().size()];
        for (int i = 0; i < floats.length; i++) {
            JsonElement value = array.getAsJsonArray().get(i);
            floats[i] = value.isJsonNull() ? Float.NaN : value.getAsFloat();
        }
        return floats;
    }
}
