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
    private static final String CONTRACTION = "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])";
    private static final String SPACES = "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
    private static final String LLAMA3 =
            CONTRACTION + "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*" + SPACES;
    private static final String QWEN2 = LLAMA3.replace("{1,3}", "");
    /// A word with capitals in front, then one that is all capitals; letters other than A to Z count as both.
    private static final String CASED = "[^\\r\\n\\p{L}\\p{N}]?((?=[\\p{L}])([^a-z]))*((?=[\\p{L}])([^A-Z]))+%s"
            + "|[^\\r\\n\\p{L}\\p{N}]?((?=[\\p{L}])([^a-z]))+((?=[\\p{L}])([^A-Z]))*%s|\\p{N}%s"
            + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*" + SPACES;
    private static final String MARKED_WORDS = "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+"
            + "|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+";
    private static final String CASED_LETTERS = "A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚ"
            + "Ḁ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-\u1F7Dᾀ-ᾴᾶ-ᾼ\u1FBEῂ-ῄῆ-ῌῐ-\u1FD3ῖ-\u1FDBῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤ\u2126ℨ\u212A-ℭℯ-ℴℹℼ-ℿⅅ-ⅉ"
            + "ⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃";
    /// The range from U+0800 has white space in it, which llama.cpp takes out before it matches.
    private static final String CJK = "(?:(?!\\s)[一-龥ࠀ-一가-퟿])+";
    private static final String SENTENCES = " ?[^(\\s|.,!?…。，、।۔،)]+";

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
                "jina-v1-en", "jina-v2-es", "jina-v2-de", "jina-v2-code", "a.x-4.0", "mellum", "modern-bert", "exaone4",
                "trillion", "granite-docling");
        put(kinds, split("\\p{N}", GPT2), "smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b",
                "mellum2");
        put(kinds, new PreTokenizer(List.of(LLAMA3), true, true), "llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1",
                "pixtral", "midm-2.0", "lfm2", "jina-v5-nano");
        put(kinds, split(LLAMA3), "dbrx", "smaug-bpe", "chatglm-bpe");
        put(kinds, new PreTokenizer(List.of(LLAMA3), true, false), "glm4", "glm5");
        put(kinds, new PreTokenizer(List.of("\\p{N}{1,3}", LLAMA3.replace("{1,3}", "+")), true, false), "minicpm5");
        put(kinds, split(LLAMA3.replace("|\\s+(?!\\S)|\\s+", "|\\s{512}(?!\\S)|\\s{256}(?!\\S)|\\s{128}(?!\\S)|\\s{64}(?!\\S)"
                + "|\\s{32}(?!\\S)|\\s{16}(?!\\S)|\\s{8}(?!\\S)|\\s{4}(?!\\S)|\\s{1,2}(?!\\S)|\\s{1}")), "jais-2");
        put(kinds, split(QWEN2), "qwen2", "stablelm2", "megrez", "deepseek-r1-qwen", "kormo", "f2llmv2", "hunyuan", "solar-open",
                "grok-2");
        put(kinds, split(QWEN2.replace("?\\p{L}+", "?[\\p{L}\\p{M}]+").replace("[^\\s\\p{L}\\p{N}]", "[^\\s\\p{L}\\p{M}\\p{N}]")),
                "qwen35");
        put(kinds, split("[^\\n]+|[\\n]+", QWEN2), "laguna");
        put(kinds, split(QWEN2.replace("]+[\\r\\n]*|\\s*[\\r\\n]+", "\\r\\n]+|\\s*[\\r\\n]+")), "seed-coder");
        put(kinds, split(QWEN2.replace("\\s*[\\r\\n]+", "\\s*[\\r\\n]")), "bailingmoe", "bailingmoe2", "llada-moe");
        put(kinds, split(CASED.formatted(CONTRACTION + "?", CONTRACTION + "?", "{1,3}")), "gpt-4o", "llama4", "kanana2", "talkie",
                "minimax-m2");
        put(kinds, new PreTokenizer(List.of(CASED.formatted("", "", "")), true, true), "tekken");
        put(kinds, split("\\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+", MARKED_WORDS), "deepseek-v3", "hunyuan-dense", "joyai-llm", "hy_v4");
        put(kinds, split("[\r\n]", "\\s?\\p{L}+", "\\s?\\p{P}+", CJK, "\\p{N}"), "deepseek-coder");
        put(kinds, split("[\r\n]", "\\s?[" + CASED_LETTERS + "]+", "\\s?(?:(?!\\s)[!-/:-~！-／：-～‘-‟　-。])+", "\\s+$", CJK,
                "\\p{N}+"), "deepseek-llm");
        put(kinds, split("[\\p{P}\\$\\+<=>\\^~\\|`]+", GPT2, "[0-9][0-9][0-9]"), "falcon");
        put(kinds, split(SENTENCES), "poro-chat", "bloom", "gpt3-finnish");
        put(kinds, split(SENTENCES, "\\p{N}"), "viking");
        put(kinds, new PreTokenizer(List.of("<sentinel:[0-9]+>", "(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z", "([\\t\\n]|    |  )",
                "\\p{N}", "[\\p{P}!-/:-@\\[-`{-~]", GPT2), false, true), "chameleon");
        return Map.copyOf(kinds);
    }

    private static PreTokenizer split(String... patterns) {
        return new PreTokenizer(List.of(patterns), false, false);
    }

    private static void put(Map<String, PreTokenizer> kinds, PreTokenizer kind, String... names) {
        for (String name : names) kinds.put(name, kind);
    }
}
