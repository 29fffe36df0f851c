package fewsh.models;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import fewsh.tensor.Tensor;
import fewsh.weights.Safetensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SequencedMap;

/// Real encoders of text, small enough to be made by a test: Hugging Face folders with random weights, two layers, 64 positions
/// and the WordPiece tokenizer of the test resources, of 300 pieces.
public final class TinyEncoders {
    public static final int VOCAB = 300;
    public static final int WIDTH = 32;
    public static final int HEADS = 4;
    public static final int LABELS = 3;
    public static final List<String> TYPES = List.of("bert", "distilbert", "roberta");

    private final Random random;
    private final SequencedMap<String, Tensor> weights = new LinkedHashMap<>();

    private TinyEncoders(long seed) {
        random = new Random(seed);
    }

    /// @param head the end of the class's name, such as `Model` or `ForMaskedLM`
    public static Path folder(Path folder, String type, String head, long seed) throws IOException {
        TinyEncoders t = new TinyEncoders(seed);
        JsonObject config = new JsonObject();
        config.addProperty("model_type", type);
        JsonArray architectures = new JsonArray();
        architectures.add(Map.of("bert", "Bert", "distilbert", "DistilBert", "roberta", "Roberta").get(type) + head);
        config.add("architectures", architectures);
        config.addProperty("vocab_size", VOCAB);
        config.addProperty("max_position_embeddings", type.equals("roberta") ? 65 : 64);
        config.addProperty("pad_token_id", 0);
        if (!head.equals("ForQuestionAnswering")) {
            JsonObject labels = new JsonObject();
            for (String label : List.of("bad", "fair", "good")) labels.addProperty(Integer.toString(labels.size()), label);
            config.add("id2label", labels);
        }
        if (type.equals("distilbert")) t.distilbert(config, head);
        else t.bert(config, type, head);
        Files.createDirectories(folder);
        Files.writeString(folder.resolve("config.json"), config.toString());
        Safetensors.write(folder.resolve("model.safetensors"), t.weights, Map.of("format", "pt"));
        Path tokenizer = Path.of("src/test/resources/tokenize/word_piece");
        for (String file : List.of("tokenizer.json", "tokenizer_config.json"))
            Files.copy(tokenizer.resolve(file), folder.resolve(file));
        return folder;
    }

    private void bert(JsonObject config, String type, String head) {
        int types = type.equals("bert") ? 2 : 1;
        config.addProperty("hidden_size", WIDTH);
        config.addProperty("num_hidden_layers", 2);
        config.addProperty("num_attention_heads", HEADS);
        config.addProperty("intermediate_size", 48);
        config.addProperty("type_vocab_size", types);
        config.addProperty("layer_norm_eps", 1e-5);
        String p = type + ".";
        matrix(p + "embeddings.word_embeddings", VOCAB, WIDTH, 0.6);
        matrix(p + "embeddings.position_embeddings", type.equals("roberta") ? 65 : 64, WIDTH, 0.4);
        matrix(p + "embeddings.token_type_embeddings", types, WIDTH, 0.4);
        norm(p + "embeddings.LayerNorm");
        for (int layer = 0; layer < 2; layer++) {
            String h = p + "encoder.layer." + layer + ".";
            for (String part : List.of("self.query", "self.key", "self.value", "output.dense")) linear(h + "attention." + part, WIDTH, WIDTH);
            norm(h + "attention.output.LayerNorm");
            linear(h + "intermediate.dense", 48, WIDTH);
            linear(h + "output.dense", WIDTH, 48);
            norm(h + "output.LayerNorm");
        }
        boolean roberta = type.equals("roberta");
        switch (head) {
            case "Model" -> linear(p + "pooler.dense", WIDTH, WIDTH);
            case "ForMaskedLM" -> {
                String h = roberta ? "lm_head." : "cls.predictions.";
                linear(h + (roberta ? "dense" : "transform.dense"), WIDTH, WIDTH);
                norm(h + (roberta ? "layer_norm" : "transform.LayerNorm"));
                vector(h + "bias", VOCAB, 0.2, 0);
            }
            case "ForSequenceClassification" -> {
                if (!roberta) linear(p + "pooler.dense", WIDTH, WIDTH);
                else linear("classifier.dense", WIDTH, WIDTH);
                linear(roberta ? "classifier.out_proj" : "classifier", LABELS, WIDTH);
            }
            case "ForTokenClassification" -> linear("classifier", LABELS, WIDTH);
            case "ForQuestionAnswering" -> linear("qa_outputs", 2, WIDTH);
            default -> throw new IllegalArgumentException(head);
        }
    }

    private void distilbert(JsonObject config, String head) {
        config.addProperty("dim", WIDTH);
        config.addProperty("n_layers", 2);
        config.addProperty("n_heads", HEADS);
        config.addProperty("hidden_dim", 48);
        matrix("distilbert.embeddings.word_embeddings", VOCAB, WIDTH, 0.6);
        matrix("distilbert.embeddings.position_embeddings", 64, WIDTH, 0.4);
        norm("distilbert.embeddings.LayerNorm");
        for (int layer = 0; layer < 2; layer++) {
            String h = "distilbert.transformer.layer." + layer + ".";
            for (String part : List.of("q_lin", "k_lin", "v_lin", "out_lin")) linear(h + "attention." + part, WIDTH, WIDTH);
            norm(h + "sa_layer_norm");
            linear(h + "ffn.lin1", 48, WIDTH);
            linear(h + "ffn.lin2", WIDTH, 48);
            norm(h + "output_layer_norm");
        }
        switch (head) {
            case "Model" -> {}
            case "ForMaskedLM" -> {
                linear("vocab_transform", WIDTH, WIDTH);
                norm("vocab_layer_norm");
                vector("vocab_projector.bias", VOCAB, 0.2, 0);
            }
            case "ForSequenceClassification" -> {
                linear("pre_classifier", WIDTH, WIDTH);
                linear("classifier", LABELS, WIDTH);
            }
            case "ForTokenClassification" -> linear("classifier", LABELS, WIDTH);
            case "ForQuestionAnswering" -> linear("qa_outputs", 2, WIDTH);
            default -> throw new IllegalArgumentException(head);
        }
    }

    private void linear(String name, int rows, int columns) {
        matrix(name, rows, columns, 0.25);
        vector(name + ".bias", rows, 0.2, 0);
    }

    private void norm(String name) {
        vector(name + ".weight", WIDTH, 0.2, 1);
        vector(name + ".bias", WIDTH, 0.2, 0);
    }

    private void matrix(String name, int rows, int columns, double deviation) {
        weights.put(name + ".weight", Tensor.ofFloat32(normal(rows * columns, deviation, 0), rows, columns));
    }

    private void vector(String name, int size, double deviation, double mean) {
        weights.put(name, Tensor.ofFloat32(normal(size, deviation, mean), size));
    }

    private float[] normal(int count, double deviation, double mean) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) values[i] = (float) (mean + deviation * random.nextGaussian());
        return values;
    }
}
