package fewsh.store;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;

/// Which files of a repository make a model: the weights in one format, and what explains them.
///
/// safetensors before GGUF before ONNX, as only the first is also what training starts from.
final class HubFiles {
    private static final Pattern COMPANION = Pattern.compile("(?:config|generation_config|tokenizer|tokenizer_config|vocab"
            + "|special_tokens_map|added_tokens|preprocessor_config|processor_config|chat_template|modules|sentence_bert_config"
            + "|config_sentence_transformers|genai_config|adapter_config)\\.json|\\d+_\\w+/config\\.json"
            + "|chat_template\\.jinja|additional_chat_templates/[\\w-]+\\.jinja"
            + "|vocab\\.txt|merges\\.txt|tokenizer\\.model|spiece\\.model|sentencepiece\\.bpe\\.model|source\\.spm|target\\.spm"
            + "|LICEN[SC]E(?:\\.\\w+)?");
    private static final Pattern SHARD = Pattern.compile("-\\d{5}-of-\\d{5}(?=\\.\\w+$)");

    private HubFiles() {}

    /// @param files all paths of the repository
    /// @param asked a file, the tag of a quantization, or empty
    /// @throws SourceFailure if there is no model, or several and none was asked for
    static List<String> choose(Collection<String> files, String asked) throws SourceFailure {
        List<String> companions = files.stream().filter(f -> COMPANION.matcher(f).matches()).toList();
        if (files.contains(asked)) {
            List<String> weights = shards(files, asked);
            return asked.matches("(?i).*\\.(safetensors|onnx)") ? joined(companions, weights) : weights;
        }
        if (asked.contains(".") || asked.contains("/"))
            throw new SourceFailure("no file \"" + asked + "\" in the repository", offer(weights(files)));
        if (asked.isEmpty()) {
            List<String> safetensors = safetensors(files);
            if (!safetensors.isEmpty()) return joined(companions, safetensors);
        }
        Map<String, List<String>> gguf = gguf(files);
        if (!asked.isEmpty()) gguf.keySet().removeIf(f -> !f.matches("(?is)(.*[.-])?" + Pattern.quote(asked) + "\\.gguf"));
        if (gguf.size() == 1) return gguf.values().iterator().next();
        if (gguf.size() > 1) throw new SourceFailure(gguf.size() + " GGUF files in the repository", offer(gguf.keySet()));
        List<String> onnx = onnx(files, asked);
        if (!onnx.isEmpty()) return joined(companions, onnx);
        if (!asked.isEmpty())
            throw new SourceFailure("nothing in the repository is named like \"" + asked + "\"", offer(weights(files)));
        boolean pickled = files.stream().anyMatch(f -> f.matches("(?:.*/)?[\\w-]*\\.(?:bin|pt|pth|ckpt)"));
        throw new SourceFailure("no safetensors, GGUF or ONNX weights in the repository",
                pickled ? "its weights are Python pickles, which are not read; look for a converted repository"
                        : offer(weights(files)));
    }

    private static List<String> safetensors(Collection<String> files) {
        if (files.contains("model.safetensors")) return List.of("model.safetensors");
        List<String> shards = files.stream().filter(f -> f.matches("model-\\d{5}-of-\\d{5}\\.safetensors")).sorted().toList();
        if (!shards.isEmpty() && files.contains("model.safetensors.index.json"))
            return joined(List.of("model.safetensors.index.json"), shards);
        if (files.contains("adapter_model.safetensors")) return List.of("adapter_model.safetensors");
        List<String> any = files.stream().filter(f -> f.matches("[^/]+\\.safetensors")).toList();
        return any.size() == 1 ? any : List.of();
    }

    /// The GGUF models, each with its shards; files for vision beside a language model are left out.
    private static Map<String, List<String>> gguf(Collection<String> files) {
        Map<String, List<String>> models = new TreeMap<>();
        for (String file : files)
            if (file.toLowerCase(Locale.ROOT).endsWith(".gguf") && !file.matches("(?i)(.*/)?mmproj.*"))
                models.computeIfAbsent(SHARD.matcher(file).replaceAll(""), _ -> new ArrayList<>()).add(file);
        models.values().forEach(shards -> shards.sort(null));
        return models;
    }

    /// The graphs as optimum, transformers.js and onnxruntime-genai name them, with the weights outside them.
    ///
    /// @param suffix `q4`, `quantized`, …; empty for full precision
    private static List<String> onnx(Collection<String> files, String suffix) {
        String end = suffix.isEmpty() ? ".onnx" : "_" + suffix + ".onnx";
        for (String folder : List.of("", "onnx/"))
            for (List<String> bases : List.of(List.of("encoder_model", "decoder_model_merged"),
                    List.of("encoder_model", "decoder_model", "decoder_with_past_model"), List.of("decoder_model_merged"),
                    List.of("decoder_model", "decoder_with_past_model"), List.of("model"))) {
                List<String> graphs = bases.stream().map(base -> folder + base + end).toList();
                if (!files.containsAll(graphs)) continue;
                List<String> all = new ArrayList<>();
                for (String graph : graphs) all.addAll(shards(files, graph));
                return all;
            }
        List<String> any = files.stream().filter(f -> f.matches("[^/]+\\.onnx") && f.endsWith(end)).toList();
        return any.size() == 1 ? shards(files, any.getFirst()) : List.of();
    }

    /// A file and the other files of the same weights: GGUF or safetensors shards, an ONNX graph's external data.
    private static List<String> shards(Collection<String> files, String file) {
        String whole = SHARD.matcher(file).replaceAll("");
        if (!whole.equals(file)) {
            List<String> all = new ArrayList<>();
            files.stream().filter(f -> SHARD.matcher(f).replaceAll("").equals(whole)).sorted().forEach(all::add);
            if (files.contains(whole + ".index.json")) all.add(whole + ".index.json");
            return all;
        }
        return files.stream()
                .filter(f -> f.equals(file) || file.endsWith(".onnx") && f.startsWith(file)
                        && f.substring(file.length()).matches("[._]data(_\\d+)?"))
                .sorted()
                .toList();
    }

    private static List<String> weights(Collection<String> files) {
        return files.stream().filter(f -> f.matches("(?i).*\\.(gguf|onnx|safetensors)")).sorted().toList();
    }

    private static String offer(Collection<String> weights) {
        List<String> some = weights.stream().filter(Names::isMember).limit(12).toList();
        String more = weights.size() > some.size() ? ", …" : "";
        return some.isEmpty() ? "" : "add :FILE, one of " + String.join(", ", some) + more;
    }

    private static List<String> joined(List<String> a, List<String> b) {
        Map<String, Boolean> all = new LinkedHashMap<>();
        a.forEach(f -> all.put(f, true));
        b.forEach(f -> all.put(f, true));
        return List.copyOf(all.keySet());
    }
}
