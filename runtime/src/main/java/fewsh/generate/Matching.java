package fewsh.generate;

import fewsh.UserError;
import fewsh.load.ExportFolder;
import fewsh.load.Exported;
import fewsh.load.Genai;
import fewsh.session.Session;
import fewsh.tensor.DType;
import fewsh.tensor.Dim;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/// What the inputs and outputs of an exported causal language model are, by their names, types and shapes.
///
/// Known are the names of optimum, transformers.js and onnxruntime-genai, whatever its file calls them, and ours.
final class Matching {
    private static final Map<String, Ports.Role> ROLES = Map.ofEntries(Map.entry("input_ids", Ports.Role.IDS),
            Map.entry("position_ids", Ports.Role.POSITIONS), Map.entry("attention_mask", Ports.Role.MASK),
            Map.entry("seqlens_k", Ports.Role.LAST), Map.entry("total_sequence_length", Ports.Role.TOTAL),
            Map.entry("logits_positions", Ports.Role.CHOSEN), Map.entry("num_logits_to_keep", Ports.Role.KEPT),
            Map.entry("use_cache_branch", Ports.Role.CACHED));
    private static final List<DType> WHOLE = List.of(DType.INT64, DType.INT32);
    private final ExportFolder export;
    private final Path file;
    private final List<Session.Port> ins;
    private final List<Session.Port> outs;
    private final CacheNames names;
    private final SequencedMap<String, Ports.Input> inputs = new LinkedHashMap<>();
    private final SequencedMap<String, String> whatOfIt = new LinkedHashMap<>();

    private Matching(ExportFolder export, Session session) {
        this.export = export;
        this.file = export.graphs().get("model");
        this.ins = session.inputs();
        this.outs = session.outputs();
        this.names = new CacheNames(export, file.toString());
    }

    /// @throws UserError naming every input with what it was taken for, if one is not known or one that is needed is not there
    static Ports ports(Exported exported) {
        ExportFolder export = exported.export();
        if (!exported.has("model"))
            throw new UserError(export.folder().toString(), "holds the graphs " + String.join(", ", export.graphs().keySet())
                    + ", not one causal language model", "translate and transcribe are for such models");
        Matching matching = new Matching(export, exported.session("model"));
        Ports ports = matching.ports();
        boolean inPlace = exported.outline("model").made(ports.slots().stream().map(Ports.Slot::present).toList(),
                "GroupQueryAttention");
        boolean merged = ports.inputs().values().stream().anyMatch(i -> i.role() == Ports.Role.CACHED);
        boolean withPast = matching.file.getFileName().toString().contains("with_past");
        return new Ports(ports.inputs(), ports.slots(), inPlace, merged || withPast, !withPast, ports.logits(),
                ports.logitsType(), ports.given(), ports.logprobs(), ports.vocabSize(), ports.nPositions(), 0);
    }

    private Ports ports() {
        SequencedMap<String, Ports.Slot> slots = names.slots(ins, outs, whatOfIt);
        boolean known = slots.keySet().stream().noneMatch(key -> key.contains(CacheNames.CROSS));
        for (Session.Port port : ins) {
            Ports.Role role = role(port.name());
            if (names.past(port.name()) != null) continue;
            if (role == null) whatOfIt.put(port.name(), "not known");
            else if (!types(role).contains(port.dtype())) whatOfIt.put(port.name(), "known, but not as " + word(port.dtype()));
            else if (rank(role) != port.shape().rank()) whatOfIt.put(port.name(), "known, but with " + rank(role) + " axes");
            else {
                inputs.put(port.name(), new Ports.Input(role, port.dtype()));
                whatOfIt.put(port.name(), role.toString().toLowerCase());
            }
        }
        if (inputs.size() + slots.size() < ins.size()) known = false;
        if (inputs.values().stream().noneMatch(i -> i.role() == Ports.Role.IDS)) throw unmatched("it takes no input_ids");
        if (!known) throw unmatched("an input is not understood");
        if (slots.isEmpty()) throw unmatched("it takes no past keys and values, so every step would begin anew");
        Session.Port logits = logits();
        Dim last = logits.shape().dim(-1);
        int vocabSize = last instanceof Dim.Fixed(long size) && size > 0 && size <= 1 << 24 ? (int) size
                : names.configured("vocab_size");
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

    private Session.Port logits() {
        String name = export.genai().map(g -> g.port("outputs", "logits", "logits")).orElse("logits");
        for (Session.Port out : outs) {
            if (!out.name().equals(name)) continue;
            if (CacheNames.isReal(out.dtype()) && (out.shape().rank() == 3 || out.shape().rank() == 2)) return out;
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
            all.append("\n  input ").append(CacheNames.described(port)).append(": ")
                    .append(whatOfIt.getOrDefault(port.name(), "not known"));
        for (Session.Port port : outs)
            if (names.present(port.name()) == null) all.append("\n  output ").append(CacheNames.described(port));
        return new UserError(file.toString(), all.toString(), "export it for text generation with past; forward runs any graph");
    }

    private static String word(DType dtype) {
        return dtype.toString().toLowerCase();
    }
}
