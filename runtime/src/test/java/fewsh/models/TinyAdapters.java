package fewsh.models;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import fewsh.tensor.Tensor;
import fewsh.weights.Safetensors;
import fewsh.weights.Weights;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SequencedMap;

/// LoRA adapters for tiny models, and the same models with them merged by the definition: w + scale · alpha / r · b a.
public final class TinyAdapters {
    public static final int R = 3;
    public static final int ALPHA = 5;
    private static final String PREFIX = "base_model.model.";

    private TinyAdapters() {}

    /// An adapter of some modules of a model folder, such as `q_proj`, with random matrices.
    public static Path random(Path folder, Path model, long seed, String... targets) throws IOException {
        Random random = new Random(seed);
        SequencedMap<String, Tensor> tensors = new LinkedHashMap<>();
        try (Weights weights = Weights.open(model)) {
            for (String name : weights.names()) {
                String module = name.replaceFirst("\\.weight$", "");
                if (List.of(targets).stream().noneMatch(t -> module.endsWith("." + t))) continue;
                long rows = weights.get(name).shape().size(0);
                long columns = weights.get(name).shape().size(1);
                tensors.put(PREFIX + module + ".lora_A.weight", normal(random, R, columns));
                tensors.put(PREFIX + module + ".lora_B.weight", normal(random, rows, R));
            }
        }
        return write(folder, config(targets), tensors);
    }

    private static Tensor normal(Random random, long rows, long columns) {
        float[] values = new float[(int) (rows * columns)];
        for (int i = 0; i < values.length; i++) values[i] = 0.2f * (float) random.nextGaussian();
        return Tensor.ofFloat32(values, rows, columns);
    }

    public static JsonObject config(String... targets) {
        JsonObject config = new JsonObject();
        config.addProperty("peft_type", "LORA");
        config.addProperty("r", R);
        config.addProperty("lora_alpha", ALPHA);
        JsonArray names = new JsonArray();
        for (String target : targets) names.add(target);
        config.add("target_modules", names);
        return config;
    }

    public static Path write(Path folder, JsonObject config, SequencedMap<String, Tensor> tensors) throws IOException {
        Files.createDirectories(folder);
        Files.writeString(folder.resolve("adapter_config.json"), config.toString());
        Safetensors.write(folder.resolve("adapter_model.safetensors"), tensors, Map.of());
        return folder;
    }

    /// A copy of a model folder with adapters merged.
    public static Path merged(Path folder, Path model, Map<Path, Double> adapters) throws IOException {
        Files.createDirectories(folder);
        for (String file : List.of("config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja"))
            if (Files.exists(model.resolve(file))) Files.copy(model.resolve(file), folder.resolve(file));
        SequencedMap<String, Tensor> tensors = new LinkedHashMap<>();
        try (Weights weights = Weights.open(model)) {
            for (String name : weights.names())
                tensors.put(name, Tensor.ofFloat32(weights.get(name).floats(), weights.get(name).shape().sizes()));
        }
        for (var adapter : adapters.entrySet())
            try (Weights low = Weights.open(adapter.getKey().resolve("adapter_model.safetensors"))) {
                for (String name : low.names()) {
                    if (!name.endsWith(".lora_A.weight")) continue;
                    float[] a = low.get(name).floats();
                    float[] b = low.get(name.replace("lora_A", "lora_B")).floats();
                    String module = name.substring(PREFIX.length(), name.length() - ".lora_A.weight".length());
                    tensors.compute(module + ".weight", (_, w) -> sum(w, a, b, adapter.getValue() * ALPHA / R));
                }
            }
        Safetensors.write(folder.resolve("model.safetensors"), tensors, Map.of());
        return folder;
    }

    private static Tensor sum(Tensor w, float[] a, float[] b, double scale) {
        float[] sum = w.toFloats();
        int columns = (int) w.shape().size(1);
        for (int i = 0; i < sum.length; i++) {
            double added = 0;
            for (int k = 0; k < R; k++) added += (double) b[i / columns * R + k] * a[k * columns + i % columns];
            sum[i] += (float) (scale * added);
        }
        return Tensor.ofFloat32(sum, w.shape().sizes());
    }
}
