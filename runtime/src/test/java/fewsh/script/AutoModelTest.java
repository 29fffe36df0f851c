package fewsh.script;

import static org.junit.jupiter.api.Assertions.assertEquals;

import fewsh.Shared;
import fewsh.load.LoadOptions;
import fewsh.load.Loaded;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Folders of all kinds open as what they are, without a word about it.
@Shared.Suite({"models/onnx", "models/tiny", "models/tinybert-onnx", "models/tiny-random-gpt2-onnx"})
class AutoModelTest {
    @TempDir
    static Path home;

    @ParameterizedTest
    @CsvSource({"tiny/gpt2, CausalLm", "tiny/bert, TextEncoder", "tiny/vit, ImageClassifier", "tiny/t5, Seq2Seq",
            "tiny/whisper, Transcriber", "tiny/idefics3, CausalLm",
            "onnx/gpt2-optimum, CausalLm", "onnx/gpt2-transformersjs, CausalLm", "onnx/gpt2-transformersjs/onnx/model_q4.onnx, CausalLm",
            "onnx/llama-optimum, CausalLm", "onnx/llama-genai-fp32, CausalLm", "onnx/llama-genai-int4, CausalLm",
            "tiny-random-gpt2-onnx, CausalLm", "onnx/bert-optimum, TextEncoder", "onnx/bert-sequence-classification-optimum, TextEncoder",
            "onnx/vit-optimum, ImageClassifier", "onnx/t5-optimum, Seq2Seq", "onnx/marian-optimum, Seq2Seq",
            "tinybert-onnx, Exported", "tinybert-onnx/tinybert.onnx, Exported", "encoder-decoder-onnx, Exported"})
    void aFolderOpensAsWhatItIs(String path, String type) {
        try (Loaded model = AutoModel.open(Shared.path("models/" + path), LoadOptions.in(home).withThreads(1))) {
            assertEquals(type, model.getClass().getSimpleName());
        }
    }
}
