package fewsh.encode;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import fewsh.UserError;
import fewsh.models.Settings;
import fewsh.tensor.Shape;
import fewsh.weights.Weights;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/// What makes a text's vector of its tokens' hidden states: the modules that `modules.json` of a sentence-transformers folder
/// lists behind the transformer. A folder without one gives the mean, not normalised.
///
/// @param maxTokens what is beyond is left out
/// @param lowerCase whether texts are written small before anything else
/// @param prompt stands before every text; empty for most models
/// Source: UKP's sentence-transformers, `SentenceTransformer.encode` and the modules' own files.
record Sentences(List<Pooling> pooling, List<Step> steps, int maxTokens, boolean lowerCase, String prompt) {
    /// What is done to the pooled vector.
    sealed interface Step {
        /// Division by the Euclidean length.
        record Normalize() implements Step {}

        /// A layer of its own.
        ///
        /// @param weight `(out, in)` row by row
        /// @param bias empty for none
        record Dense(float[] weight, float[] bias, String activation) implements Step {}
    }

    /// The folder of the transformer: of old, a module's folder like the others.
    static Path transformer(Path path) {
        if (!Files.isDirectory(path) || Files.exists(path.resolve("config.json")) || !Files.exists(path.resolve("modules.json")))
            return path;
        return modules(path).stream().filter(m -> m.type.equals("Transformer")).map(Module::folder).findFirst().orElse(path);
    }

    /// @param path the folder that was opened
    /// @param contextLength positions that the model has; 0 if that is not known
    static Sentences of(Path path, int contextLength) {
        Path folder = Files.isDirectory(path) ? path : path.toAbsolutePath().getParent();
        Path transformer = transformer(folder);
        Settings bert = Settings.ifThere(transformer.resolve("sentence_bert_config.json"));
        double most = contextLength > 0 ? contextLength : Integer.MAX_VALUE;
        most = Math.min(most, Settings.ifThere(transformer.resolve("tokenizer_config.json")).real("model_max_length", most));
        if (bert.has("max_seq_length")) most = Math.min(contextLength > 0 ? contextLength : Integer.MAX_VALUE, bert.size("max_seq_length"));
        List<Pooling> pooling = List.of(Pooling.MEAN);
        List<Step> steps = new ArrayList<>();
        for (Module module : modules(folder))
            switch (module.type) {
                case "Transformer" -> {}
                case "Pooling" -> pooling = pooling(module.folder);
                case "Normalize" -> steps.add(new Step.Normalize());
                case "Dense" -> steps.add(dense(module.folder));
                default -> throw new UserError(folder.resolve("modules.json").toString(), "module \"" + module.type
                        + "\" is not supported", "supported: Transformer, Pooling, Normalize, Dense");
            }
        return new Sentences(pooling, steps, (int) Math.max(1, most), bert.flag("do_lower_case", false), prompt(folder));
    }

    private static List<Pooling> pooling(Path folder) {
        Settings s = Settings.ifThere(folder.resolve("config.json"));
        s.only("include_prompt", true);
        return Pooling.of(s);
    }

    private static String prompt(Path folder) {
        Settings s = Settings.ifThere(folder.resolve("config_sentence_transformers.json"));
        String name = s.text("default_prompt_name", "");
        return name.isEmpty() ? "" : s.object("prompts").text(name, "");
    }

    private static Step dense(Path folder) {
        Settings s = Settings.ifThere(folder.resolve("config.json"));
        String activation = s.text("activation_function", "torch.nn.modules.activation.Tanh");
        String word = activation.substring(activation.lastIndexOf('.') + 1);
        if (!List.of("Identity", "Tanh", "ReLU", "Sigmoid").contains(word))
            throw new UserError(s.where(), "activation_function \"" + activation + "\" is not supported",
                    "supported: Identity, Tanh, ReLU, Sigmoid");
        try (Weights weights = Weights.open(folder)) {
            var weight = weights.get("linear.weight");
            if (!weight.shape().equals(Shape.of(s.size("out_features"), s.size("in_features"))))
                throw new UserError(folder.toString(), "linear.weight is " + weight.shape() + ", config.json asks for ["
                        + s.size("out_features") + ", " + s.size("in_features") + "]", "fetch the folder again");
            float[] bias = s.flag("bias", true) ? weights.get("linear.bias").floats() : new float[0];
            if (bias.length > 0 && bias.length != s.size("out_features"))
                throw new UserError(folder.toString(), "linear.bias has " + bias.length + " numbers", "fetch the folder again");
            return new Step.Dense(weight.floats(), bias, word);
        }
    }

    /// @param type the last part of a class's name
    private record Module(String type, Path folder) {}

    /// Empty where there is no `modules.json`.
    private static List<Module> modules(Path folder) {
        Path file = folder.resolve("modules.json");
        if (!Files.exists(file)) return List.of();
        try {
            if (Files.size(file) > 1 << 20) throw new UserError(file.toString(), "is larger than any list of modules", "");
            List<Module> modules = new ArrayList<>();
            if (!(JsonParser.parseString(Files.readString(file)) instanceof JsonArray list))
                throw new UserError(file.toString(), "must hold a list of modules", "fetch the file again");
            for (JsonElement element : list) {
                if (!(element instanceof JsonObject object))
                    throw new UserError(file.toString(), "must hold a list of modules", "fetch the file again");
                Settings module = new Settings(file.toString(), object);
                String type = module.text("type", "");
                Path inside = folder.resolve(module.text("path", "")).normalize();
                if (!inside.startsWith(folder.normalize()))
                    throw new UserError(file.toString(), "path \"" + module.text("path", "") + "\" leads out of the folder", "");
                modules.add(new Module(type.substring(type.lastIndexOf('.') + 1), inside));
            }
            return modules;
        } catch (IOException | JsonParseException e) {
            throw new UserError(file.toString(), "cannot be read: " + e.getMessage(), "fetch the file again", e);
        }
    }

    /// For people: `mean, normalised`.
    String described() {
        return pooling.stream().map(Pooling::word).collect(Collectors.joining(" + ")) + steps.stream().map(s -> switch (s) {
            case Step.Normalize() -> ", normalised";
            case Step.Dense(_, var bias, _) -> ", dense to " + bias.length;
        }).collect(Collectors.joining());
    }

    /// The text as it is put to the tokenizer.
    String prepared(String text) {
        String stripped = (prompt + text).strip();
        return lowerCase ? stripped.toLowerCase(Locale.ROOT) : stripped;
    }

    /// The vector of a text whose tokens have these states, `(tokens, width)` row by row.
    float[] vector(float[] states, int width) {
        float[] vector = new float[pooling.size() * width];
        for (int i = 0; i < pooling.size(); i++) pooling.get(i).pool(states, width, vector, i * width);
        for (Step step : steps)
            vector = switch (step) {
                case Step.Normalize() -> normalised(vector);
                case Step.Dense dense -> through(dense, vector);
            };
        return vector;
    }

    private static float[] normalised(float[] vector) {
        double squares = 0;
        for (float v : vector) squares += (double) v * v;
        double length = Math.max(Math.sqrt(squares), 1e-12);
        for (int i = 0; i < vector.length; i++) vector[i] = (float) (vector[i] / length);
        return vector;
    }

    private static float[] through(Step.Dense dense, float[] x) {
        int out = dense.weight.length / x.length;
        if (out * x.length != dense.weight.length)
            throw new UserError("", "a dense module takes vectors of another size than the " + x.length + " there are",
                    "the folder's modules are not of one model: fetch it again");
        float[] y = new float[out];
        for (int o = 0; o < out; o++) {
            double sum = dense.bias.length == 0 ? 0 : dense.bias[o];
            for (int i = 0; i < x.length; i++) sum += (double) dense.weight[o * x.length + i] * x[i];
            y[o] = (float) switch (dense.activation) {
                case "Tanh" -> Math.tanh(sum);
                case "ReLU" -> Math.max(0, sum);
                case "Sigmoid" -> 1 / (1 + Math.exp(-sum));
                default -> sum;
            };
        }
        return y;
    }
}
