package fewsh.generate;

import fewsh.Shared;
import fewsh.tokenize.Tokenizer;
import fewsh.weights.Weights;
import org.junit.jupiter.api.Test;

/// Formats in the vocabularies of GPT-2 (byte-level, 50 thousand tokens) and of Llama (SentencePiece, 32 thousand).
@Shared.Suite({"models/gpt2-tokenizer", "models/tokenizer-vectors"})
class PiecesSuiteTest {
    @Test
    void answersInTheVocabularyOfGpt2AreWhole() {
        try (Tokenizer tokenizer = Tokenizer.open(Shared.path("models/gpt2-tokenizer"))) {
            Walks.check(tokenizer, 12);
        }
    }

    @Test
    void answersInTheVocabularyOfLlamaAreWhole() {
        try (Weights weights = Weights.open(Shared.path("models/tokenizer-vectors/ggml-vocab-llama-spm.gguf"));
                Tokenizer tokenizer = Tokenizer.ofGguf("llama", weights.metadata())) {
            Walks.check(tokenizer, 12);
        }
    }
}
