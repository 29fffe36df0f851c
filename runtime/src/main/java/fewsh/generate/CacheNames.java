package fewsh.generate;

import fewsh.UserError;
import fewsh.load.ExportFolder;
import fewsh.load.Genai;
import fewsh.models.Settings;
import fewsh.session.Session;
import fewsh.tensor.DType;
import fewsh.tensor.Dim;
import fewsh.tensor.Shape;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Which of an exported graph's inputs and outputs are keys and values, by their names, types and shapes.
///
/// Known are the names of optimum and transformers.js (`past_key_values.0.key`, `past_key_values.0.encoder.value`),
/// onnxruntime-genai (whatever its file calls them), onnxruntime.transformers (`past_0`: keys and values in one tensor;
/// `past_key_self_0`, `past_value_cross_0`).
final class CacheNames {
    /// What the parts of a cache are: `0 key`, `3 both`, `1 cross value`.
    static final String CROSS = " cross ";
    private static final Pattern NAME = Pattern.compile(
            "(past|present)(?:_key_values|_kv)?((?:[._](?:key_value|key|value|self|decoder|cross|encoder|\\d+))+)");
    private static final List<DType> REAL = List.of(DType.FLOAT32, DType.FLOAT16, DType.BFLOAT16);

    private final ExportFolder export;
    private final String graph;

    CacheNames(ExportFolder export, String graph) {
        this.export = export;
        this.graph = graph;
    }

    static boolean isReal(DType type) {
        return REAL.contains(type);
    }

    /// Which part of the cache an input is, or null.
    String past(String name) {
        return key("past", name);
    }

    /// Which part of the cache an output renews, or null.
    String present(String name) {
        return key("present", name);
    }

    private String key(String way, String name) {
        String given = export.genai().map(g -> ofGenai(g, way, name)).orElse(null);
        if (given != null) return given;
        Matcher matcher = NAME.matcher(name);
        if (!matcher.matches() || !matcher.group(1).equals(way)) return null;
        String rest = matcher.group(2);
        String layer = rest.replaceAll("\\D+", " ").strip();
        if (layer.isEmpty() || layer.contains(" ")) return null;
        String kind = rest.contains("key_value") || !rest.contains("key") && !rest.contains("value") ? "both"
                : rest.contains("key") ? "key" : "value";
        return layer + (rest.contains("cross") || rest.contains("encoder") ? CROSS : " ") + kind;
    }

    private static String ofGenai(Genai genai, String way, String name) {
        String direction = way.equals("past") ? "inputs" : "outputs";
        Map<String, String> kinds = Map.of(way + "_key_names", " key", way + "_value_names", " value", way + "_names", " both",
                "cross_" + way + "_key_names", CROSS + "key", "cross_" + way + "_value_names", CROSS + "value");
        for (var kind : kinds.entrySet()) {
            String pattern = genai.port(direction, kind.getKey(), "");
            if (!pattern.contains("%d")) continue;
            String[] parts = pattern.split("%d", 2);
            Matcher matcher = Pattern.compile(Pattern.quote(parts[0]) + "(\\d{1,6})" + Pattern.quote(parts[1])).matcher(name);
            if (matcher.matches()) return matcher.group(1) + kind.getValue();
        }
        return null;
    }

    /// The cache, each part by its [#past] with what renews it; what cannot be understood is left out.
    ///
    /// @param whatOfIt is told of every part what it is taken for, by the input's name
    SequencedMap<String, Ports.Slot> slots(List<Session.Port> ins, List<Session.Port> outs, Map<String, String> whatOfIt) {
        Map<String, Session.Port> presents = new TreeMap<>();
        for (Session.Port out : outs) if (present(out.name()) != null) presents.put(present(out.name()), out);
        SequencedMap<String, Ports.Slot> slots = new LinkedHashMap<>();
        for (Session.Port past : ins) {
            String key = past(past.name());
            if (key == null) continue;
            Session.Port present = presents.get(key);
            int rank = past.shape().rank();
            if (!isReal(past.dtype())) whatOfIt.put(past.name(), "cache of type " + word(past.dtype()) + ", not known");
            else if (present == null && !key.contains(CROSS)) whatOfIt.put(past.name(), "cache without an output to renew it");
            else if (present != null && present.dtype() != past.dtype())
                whatOfIt.put(past.name(), "cache renewed by \"" + present.name() + "\", which is " + word(present.dtype()));
            else if (key.endsWith("both") ? rank != 5 && rank != 3 : rank != 4)
                whatOfIt.put(past.name(), "cache of " + rank + " axes, not known");
            else {
                slots.put(key, slot(past, present == null ? "" : present.name(), key.endsWith("both")));
                whatOfIt.put(past.name(), present == null ? "cache" : "cache, renewed by \"" + present.name() + "\"");
            }
        }
        return slots;
    }

    private Ports.Slot slot(Session.Port past, String present, boolean both) {
        Shape shape = past.shape();
        int width = shape.dim(-1) instanceof Dim.Fixed(long size) ? (int) size : configured("head_dim");
        if (shape.rank() == 3) return new Ports.Slot(past.name(), present, past.dtype(), 1, false, 1, false, width);
        int heads = shape.dim(-3) instanceof Dim.Fixed(long size) ? (int) size : configured("num_key_value_heads");
        return new Ports.Slot(past.name(), present, past.dtype(), both ? 2 : 1, both && shape.rank() == 5, heads, true, width);
    }

    /// A size that the graph leaves open, as a configuration gives it.
    int configured(String key) {
        Settings s = export.settings();
        if (export.genai().isPresent()) {
            Settings model = export.genai().get().model();
            Settings decoder = model.object("decoder");
            String there = key.equals("head_dim") ? "head_size" : key;
            if (key.equals("vocab_size") && model.has(key)) return model.size(key);
            if (decoder.has(there)) return decoder.size(there);
        }
        for (String other : key.equals("num_key_value_heads") ? List.of(key, "num_attention_heads", "n_head") : List.of(key))
            if (s.has(other)) return s.size(other);
        if (key.equals("head_dim") && s.has("hidden_size") && s.has("num_attention_heads"))
            return s.size("hidden_size") / s.size("num_attention_heads");
        throw new UserError(graph, "the graph leaves " + key + " open and no configuration says it",
                "put the model's config.json beside it");
    }

    /// An input or output as errors name it.
    static String described(Session.Port port) {
        return "\"" + port.name() + "\" " + word(port.dtype()) + port.shape();
    }

    private static String word(DType dtype) {
        return dtype.toString().toLowerCase();
    }
}
