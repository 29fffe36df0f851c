package fewsh.prompt;

import java.util.List;
import java.util.function.Function;

/// How near texts are to one another, for examples that are chosen by it.
@FunctionalInterface
public interface Similarity {
    /// By the words that they share: BM25.
    Similarity WORDS = texts -> new Bm25(texts)::scores;

    /// An index of texts: asked with another text, it gives a number for each, the higher the nearer.
    Function<String, double[]> index(List<String> texts);
}
