package fewsh.tokenize;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// What GGUF's `tokenizer.ggml.pre` stands for: how a text is cut before byte-level BPE.
///
/// @param patterns regular expressions, applied one after the other to the pieces that the one before has left; what matches
///                 and what lies between matches become pieces
/// @param ignoreMerges whether a piece that is a token is that token, whatever the merges say
/// @param addBos whether a text begins with BOS unless the file says otherwise
/// Source: `llm_tokenizer_bpe` and `llama_vocab::impl::load` in llama.cpp's `src/llama-vocab.cpp`.
record PreTokenizer(List<String> patterns, boolean ignoreMerges, boolean addBos) {
    private static final String GPT2 =
            "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)";
    private static final String LLAMA3 = "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+"
            + "|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
    private static final String QWEN2 = LLAMA3.replace("\\p{N}{1,3}", "\\p{N}");

    private static final Map<String, PreTokenizer> KINDS = kinds();

    /// The kind of this name, null where there is none.
    static PreTokenizer of(String name) {
        return KINDS.get(name);
    }

    static List<String> names() {
        return KINDS.keySet().stream().sorted().toList();
    }

    private static Map<String, PreTokenizer> kinds() {
        Map<String, PreTokenizer> kinds = new HashMap<>();
        put(kinds, split("[\\p{P}\\$\\+<=>\\^~\\|]+", GPT2, "\\p{N}+", "[0-9][0-9][0-9]"), "default");
        put(kinds, split(GPT2), "gpt-2", "phi-2", "mpt", "olmo", "jais", "roberta-bpe", "gigachat", "jina-es", "jina-de",
                "jina-v1-en", "jina-v2-es", "jina-v2-de", "jina-v2-code");
        put(kinds, split("\\p{N}", GPT2), "smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b");
        put(kinds, new PreTokenizer(List.of(LLAMA3), true, true), "llama-bpe", "llama3", "llama-v3", "falcon3");
        put(kinds, split(LLAMA3), "dbrx", "smaug-bpe", "chatglm-bpe");
        put(kinds, split(QWEN2), "qwen2", "stablelm2", "megrez");
        return Map.copyOf(kinds);
    }

    private static PreTokenizer split(String... patterns) {
        return new PreTokenizer(List.of(patterns), false, false);
    }

    private static void put(Map<String, PreTokenizer> kinds, PreTokenizer kind, String... names) {
        for (String name : names) kinds.put(name, kind);
    }
}
