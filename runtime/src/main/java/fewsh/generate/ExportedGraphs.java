package fewsh.generate;

import fewsh.UserError;
import fewsh.load.ExportFolder;
import fewsh.load.Exported;
import fewsh.session.Session;
import fewsh.tensor.DType;
import fewsh.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/// The graphs of an exported encoder–decoder model: `encoder` and either `decoder_merged`, which begins or continues as
/// `use_cache_branch` says, or `decoder`, which begins, with `decoder_with_past`, which continues; or `decoder` alone, which
/// computes all again each time.
final class ExportedGraphs implements SourceGraphs {
    private final Exported exported;
    /// What begins rows, and what continues them; one and the same if merged, the second null if nothing is cached.
    final Session first;
    final Session later;
    /// The decoder's own keys and values, which grow; and those of cross-attention, which the first step makes.
    final List<Ports.Slot> own = new ArrayList<>();
    final List<Ports.Slot> cross = new ArrayList<>();
    private final int vocabSize;

    ExportedGraphs(Exported exported) {
        this.exported = exported;
        boolean merged = exported.has("decoder_merged");
        if (!exported.has("encoder") || !merged && !exported.has("decoder"))
            throw new UserError(exported.export().folder().toString(), "holds the graphs "
                    + String.join(", ", exported.export().graphs().keySet()) + ", not an encoder and a decoder", "");
        first = exported.session(merged ? "decoder_merged" : "decoder");
        later = merged ? first : exported.has("decoder_with_past") ? exported.session("decoder_with_past") : null;
        match(exported.export(), merged ? "decoder_merged" : "decoder", first);
        if (later != null && later != first) match(exported.export(), "decoder_with_past", later);
        vocabSize = first.outputs().stream().filter(p -> p.name().equals("logits") && p.shape().rank() == 3).findFirst()
                .map(p -> (int) p.shape().size(2))
                .orElseThrow(() -> new UserError(exported.export().folder().toString(), "the decoder gives no logits", ""));
    }

    /// Finds the cache, and refuses inputs that nothing is known of.
    private void match(ExportFolder export, String graph, Session session) {
        Path file = export.graphs().get(graph);
        Map<String, String> whatOfIt = new LinkedHashMap<>();
        CacheNames names = new CacheNames(export, file.toString());
        if (session == later) names.slots(session.inputs(), first.outputs(), whatOfIt).forEach((key, slot) ->
                (key.contains(CacheNames.CROSS) ? cross : own).add(slot));
        for (Session.Port port : session.inputs())
            whatOfIt.putIfAbsent(port.name(), switch (port.name()) {
                case "input_ids", "encoder_attention_mask", "encoder_hidden_states", "use_cache_branch" -> port.name();
                default -> "not known";
            });
        long caches = session.inputs().stream().filter(p -> names.past(p.name()) != null).count();
        if (!whatOfIt.containsValue("not known") && (session != later || own.size() + cross.size() == caches)) return;
        String all = session.inputs().stream().map(p -> "\n  input " + CacheNames.described(p) + ": " + whatOfIt.get(p.name()))
                .collect(Collectors.joining());
        throw new UserError(file.toString(), "is not a decoder that can be run: an input is not understood" + all,
                "export it for text2text generation with past; forward runs any graph");
    }

    int vocabSize() {
        return vocabSize;
    }

    /// Sources as the decoder sees them, a row each: hidden states and the mask of their positions.
    record Read(int rows, int length, Tensor hidden, Tensor mask) {}

    private Read read(Arena arena, Map<String, Tensor> sources, int each) {
        Tensor hidden = exported.forward("encoder", sources).get("last_hidden_state");
        if (hidden == null)
            throw new UserError(exported.export().folder().toString(), "the encoder gives no last_hidden_state", "");
        int batch = (int) hidden.shape().size(0);
        int length = (int) hidden.shape().size(1);
        Tensor given = sources.get("attention_mask");
        Tensor mask = Tensor.allocate(arena, DType.INT64, batch, length);
        for (int i = 0; i < batch * length; i++)
            mask.data().setAtIndex(ValueLayout.JAVA_LONG, i,
                    given == null ? 1 : given.data().getAtIndex(ValueLayout.JAVA_LONG, i));
        return new Read(batch * each, length, repeated(arena, hidden, each), repeated(arena, mask, each));
    }

    /// Each row so many times, side by side.
    private static Tensor repeated(Arena arena, Tensor rows, int each) {
        long[] sizes = rows.shape().sizes();
        long bytes = rows.data().byteSize() / sizes[0];
        sizes[0] *= each;
        Tensor repeated = Tensor.allocate(arena, rows.dtype(), sizes);
        for (long row = 0; row < sizes[0]; row++)
            repeated.data().asSlice(row * bytes, bytes).copyFrom(rows.data().asSlice(row / each * bytes, bytes));
        return repeated;
    }

    @Override
    public DecoderRows read(Map<String, Tensor> sources, int each) {
        Arena arena = Arena.ofShared();
        try {
            return new ExportedRows(this, arena, read(arena, sources, each));
        } catch (RuntimeException e) {
            arena.close();
            throw e;
        }
    }

    @Override
    public Map<String, Tensor> forward(Map<String, Tensor> sources, Tensor decoderIds) {
        Arena arena = Arena.ofShared();
        Read read = read(arena, sources, 1);
        int count = (int) decoderIds.shape().size(1);
        float[] logits = new float[read.rows * count * vocabSize];
        float[] hidden = new float[(int) read.hidden.shape().count()];
        read.hidden.floats(0, hidden);
        int width = hidden.length / (read.rows * read.length);
        for (int i = 0; i < hidden.length; i++)
            if (read.mask.data().getAtIndex(ValueLayout.JAVA_LONG, i / width) == 0) hidden[i] = 0;
        try (ExportedRows rows = new ExportedRows(this, arena, read)) {
            int[] ids = new int[read.rows * count];
            for (int i = 0; i < ids.length; i++) ids[i] = (int) decoderIds.data().getAtIndex(ValueLayout.JAVA_LONG, i);
            rows.feed(ids);
            rows.all(logits);
        }
        return SourceGraphs.outputs(Tensor.ofFloat32(logits, read.rows, count, vocabSize),
                Tensor.ofFloat32(hidden, read.rows, read.length, width));
    }
}
