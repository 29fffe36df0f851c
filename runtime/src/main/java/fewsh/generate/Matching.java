package fewsh.generate;

import fewsh.UserError;
import fewsh.load.Export;
import fewsh.load.Exported;
import fewsh.load.Genai;
import fewsh.models.Settings;
import fewsh.session.Session;
import fewsh.tensor.DType;
import fewsh.tensor.Dim;
import fewsh.tensor.Shape;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// What the inputs and outputs of an exported causal language model are, by their names, types and shapes.
///
/// Known are the names of optimum, transformers.js, onnxruntime-genai (whatever its file calls them), onnxruntime.transformers
/// (`past_0`, keys and values in one tensor), and ours.
final class Matching {
    private static final Map<String, Ports.Role> ROLES = Map.ofEntries(Map.entry("input_ids", Ports.Role.IDS),
            Map.entry("position_ids", Ports.Role.POSITIONS), Map.entry("attention_mask", Ports.Role.MASK),
            Map.entry("seqlens_k", Ports.Role.LAST), Map.entry("total_sequence_length", Ports.Role.TOTAL),
            Map.entry("logits_positions", Ports.Role.CHOSEN), Map.entry("num_logits_to_keep", Ports.Role.KEPT),
            Map.entry("use_cache_branch", Ports.Role.CACHED));
    private static final List<DType> WHOLE = List.of(DType.INT64, DType.INT32);
    private static final List<DType> REAL = List.of(DType.FLOAT32, DType.FLOAT16, DType.BFLOAT16);
    /// A part of the cache: `past_key_values.0.key`, `past_value_self_3`, `present_1`.
    private static final Pattern CACHE = Pattern.compile("(past|present)(?:_key_values|_kv)?((?:[._](?:key_value|key|value|self|decoder|\\d+))+)");

    private final Export export;
    private final Path file;
    private final List<Session.Port> ins;
    private final List<Session.Port> outs;
    private final SequencedMap<String, Ports.Input> inputs = new LinkedHashMap<>();
    private final SequencedMap<String, String> whatOfIt = new LinkedHashMap<>();

    private Matching(Export export, Session session) {
        this.export = export;
        this.file = export.graphs().get("model");
        this.ins = session.inputs();
        this.outs = session.outputs();
    }

    /// @throws UserError naming every input with what it was taken for, if one is not known or one that is needed is not there
    static Ports ports(Exported exported) {
        Export export = exported.export();
        if (!exported.has("model"))
            throw new UserError(export.folder().toString(), "holds the graphs " + String.join(", ", export.graphs().keySet())
                    + ", not one causal language model", "translate and transcribe are for such models");
        Matching matching = new Matching(export, exported.session("model"));
        Ports ports = matching.ports();
        boolean inPlace = exported.outline("model").made(ports.slots().stream().map(Ports.Slot::present).toList(), "GroupQueryAttention");
        boolean merged = ports.inputs().values().stream().anyMatch(i -> i.role() == Ports.Role.CACHED);
        boolean withPast = matching.file.getFileName().toString().contains("with_past");
        return new Ports(ports.inputs(), ports.slots(), inPlace, merged || withPast, !withPast, ports.logits(), ports.logitsType(),
                ports.given(), ports.logprobs(), ports.vocabSize(), ports.nPositions(), 0);
    }

    private Ports ports() {
        List<Session.Port> pasts = new ArrayList<>();
        boolean known = true;
        for (Session.Port port : ins) {
            Ports.Role role = role(port.name());
            if (key("past", port.name()) != null) pasts.add(port);
            else if (role == null) whatOfIt.put(port.name(), "not known");
            else if (!types(role).contains(port.dtype())) whatOfIt.put(port.name(), "known, but not as " + word(port.dtype()));
            else if (rank(role) != port.shape().rank() && !(role == Ports.Role.TOTAL || role == Ports.Role.KEPT))
                whatOfIt.put(port.name(), "known, but with " + rank(role) + " axes");
            else {
                inputs.put(port.name(), new Ports.Input(role, port.dtype()));
                whatOfIt.put(port.name(), role.toString().toLowerCase());
                continue;
            }
            known &= key("past", port.name()) != null;
        }
        SequencedMap<String, Ports.Slot> slots = slots(pasts);
        if (slots.size() < pasts.size()) known = false;
        if (inputs.values().stream().noneMatch(i -> i.role() == Ports.Role.IDS)) throw unmatched("it takes no input_ids");
        if (!known) throw unmatched("an input is not understood");
        if (slots.isEmpty()) throw unmatched("it takes no past keys and values, so every step would begin anew");
        Session.Port logits = logits();
        Dim last = logits.shape().dim(-1);
        int vocabSize = last instanceof Dim.Fixed(long size) && size > 0 && size <= 1 << 24 ? (int) size : configured("vocab_size");
        int nPositions = export.contextLength();
        if (nPositions == 0)
            throw new UserError(export.settings().where(), "does not say the context length",
                    "put the model's config.json or genai_config.json beside the graph");
        String logprobs = outs.stream().map(Session.Port::name).filter("logprobs"::equals).findFirst().orElse(null);
        return new Ports(inputs, List.copyOf(slots.values()), false, false, true, logits.name(), logits.dtype(), given(logits),
                logprobs, vocabSize, nPositions, 0);
    }

    private Ports.Role role(String name) {
        if (export.genai().isPresent()) {
            Genai genai = export.genai().get();
            for (String key : List.of("input_ids", "attention_mask", "position_ids"))
                if (name.equals(genai.port("inputs", key, key))) return ROLES.get(key);
        }
        return ROLES.get(name);
    }

    private static List<DType> types(Ports.Role role) {
        return switch (role) {
            case IDS, POSITIONS, LAST, TOTAL, CHOSEN, KEPT -> WHOLE;
            case TEXT, PICTURES -> List.of(DType.FLOAT32);
            case MASK -> List.of(DType.INT64, DType.INT32, DType.BOOL, DType.FLOAT32, DType.FLOAT16, DType.BFLOAT16);
            case CACHED -> List.of(DType.BOOL);
        };
    }

    private static int rank(Ports.Role role) {
        return switch (role) {
            case TEXT, PICTURES -> 3;
            case IDS, POSITIONS, MASK -> 2;
            case LAST, CHOSEN, CACHED -> 1;
            case TOTAL, KEPT -> 0;
        };
    }

    /// Which part of the cache a name means, the same for a past and its present: `0 key`; null if it means none.
    private String key(String way, String name) {
        String given = export.genai().map(g -> ofGenai(g, way, name)).orElse(null);
        if (given != null) return given;
        Matcher matcher = CACHE.matcher(name);
        if (!matcher.matches() || !matcher.group(1).equals(way)) return null;
        String rest = matcher.group(2);
        String layer = rest.replaceAll("\\D+", " ").strip();
        if (layer.isEmpty() || layer.contains(" ")) return null;
        String kind = rest.contains("key_value") || !rest.contains("key") && !rest.contains("value") ? "both"
                : rest.contains("key") ? "key" : "value";
        return layer + " " + kind;
    }

    private static String ofGenai(Genai genai, String way, String name) {
        String direction = way.equals("past") ? "inputs" : "outputs";
        Map<String, String> kinds = Map.of(way + "_key_names", "key", way + "_value_names", "value", way + "_names", "both");
        for (var kind : kinds.entrySet()) {
            String pattern = genai.port(direction, kind.getKey(), "");
            if (!pattern.contains("%d")) continue;
            String[] parts = pattern.split("%d", 2);
            Matcher matcher = Pattern.compile(Pattern.quote(parts[0]) + "(\\d{1,6})" + Pattern.quote(parts[1])).matcher(name);
            if (matcher.matches()) return matcher.group(1) + " " + kind.getValue();
        }
        return null;
    }

    /// The cache, each part with its present; parts that cannot be understood are left out and said why.
    private SequencedMap<String, Ports.Slot> slots(List<Session.Port> pasts) {
        Map<String, Session.Port> presents = new TreeMap<>();
        for (Session.Port out : outs) if (key("present", out.name()) != null) presents.put(key("present", out.name()), out);
        SequencedMap<String, Ports.Slot> slots = new LinkedHashMap<>();
        for (Session.Port past : pasts) {
            String key = key("past", past.name());
            Session.Port present = presents.get(key);
            Shape shape = past.shape();
            boolean both = key.endsWith("both");
            if (!REAL.contains(past.dtype())) whatOfIt.put(past.name(), "cache of type " + word(past.dtype()) + ", not known");
            else if (present == null) whatOfIt.put(past.name(), "cache without an output to renew it");
            else if (present.dtype() != past.dtype())
                whatOfIt.put(past.name(), "cache renewed by \"" + present.name() + "\", which is " + word(present.dtype()));
            else if (shape.rank() != (both ? shape.rank() == 3 ? 3 : 5 : 4))
                whatOfIt.put(past.name(), "cache of " + shape.rank() + " axes, not known");
            else {
                slots.put(key, slot(past, present.name(), shape, both));
                whatOfIt.put(past.name(), "cache, renewed by \"" + present.name() + "\"");
            }
        }
        return slots;
    }

    private Ports.Slot slot(Session.Port past, String present, Shape shape, boolean both) {
        int width = shape.dim(-1) instanceof Dim.Fixed(long size) ? (int) size : configured("head_dim");
        if (shape.rank() == 3) return new Ports.Slot(past.name(), present, past.dtype(), 1, false, 1, false, width);
        int heads = shape.dim(-3) instanceof Dim.Fixed(long size) ? (int) size : configured("num_key_value_heads");
        return new Ports.Slot(past.name(), present, past.dtype(), both ? 2 : 1, both, heads, true, width);
    }

    /// A size that the graph leaves open, as a configuration gives it.
    private int configured(String key) {
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
        throw new UserError(file.toString(), "the graph leaves " + key + " open and no configuration says it",
                "put the model's config.json beside it");
    }

    private Session.Port logits() {
        String name = export.genai().map(g -> g.port("outputs", "logits", "logits")).orElse("logits");
        for (Session.Port out : outs) {
            if (!out.name().equals(name)) continue;
            if (REAL.contains(out.dtype()) && (out.shape().rank() == 3 || out.shape().rank() == 2)) return out;
            throw unmatched("its output \"" + name + "\" is " + word(out.dtype()) + out.shape() + ", not logits");
        }
        throw unmatched("it has no output \"" + name + "\"");
    }

    private Ports.Given given(Session.Port logits) {
        for (Ports.Input input : inputs.values()) {
            if (input.role() == Ports.Role.CHOSEN) return Ports.Given.CHOSEN;
            if (input.role() == Ports.Role.KEPT) return Ports.Given.KEPT;
        }
        if (logits.shape().rank() == 2) return Ports.Given.LAST_FLAT;
        return logits.shape().dim(1).equals(Dim.of(1)) ? Ports.Given.LAST : Ports.Given.ALL;
    }

    private UserError unmatched(String why) {
        StringBuilder all = new StringBuilder("is not a causal language model that can be run: " + why);
        for (Session.Port port : ins)
            all.append("\n  input \"").append(port.name()).append("\" ").append(word(port.dtype())).append(port.shape()).append(": ")
                    .append(whatOfIt.getOrDefault(port.name(), "not looked at"));
        for (Session.Port port : outs)
            if (key("present", port.name()) == null)
                all.append("\n  output \"").append(port.name()).append("\" ").append(word(port.dtype())).append(port.shape());
        return new UserError(file.toString(), all.toString(), "export it for text generation with past; forward runs any graph");
    }

    private static String word(DType dtype) {
        return dtype.toString().toLowerCase();
    }
}
