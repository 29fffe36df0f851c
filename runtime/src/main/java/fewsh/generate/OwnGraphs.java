package fewsh.generate;

import fewsh.models.EncoderDecoder;
import fewsh.session.Session;
import fewsh.tensor.DType;
import fewsh.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/// The graphs `encoder` and `decoder` that a page built.
final class OwnGraphs implements SourceGraphs {
    private final EncoderDecoder.Layout layout;
    private final Session encoder;
    private final Session decoder;
    private final Set<String> encoderInputs;
    private final Set<String> decoderInputs;

    OwnGraphs(EncoderDecoder.Layout layout, Session encoder, Session decoder) {
        this.layout = layout;
        this.encoder = encoder;
        this.decoder = decoder;
        this.encoderInputs = encoder.inputs().stream().map(Session.Port::name).collect(Collectors.toSet());
        this.decoderInputs = decoder.inputs().stream().map(Session.Port::name).collect(Collectors.toSet());
    }

    EncoderDecoder.Layout layout() {
        return layout;
    }

    /// A run of the decoder, over those of `in` that it takes.
    Session.Bound bindDecoder(Map<String, Tensor> in, Map<String, Tensor> out) {
        Map<String, Tensor> taken = new LinkedHashMap<>(in);
        taken.keySet().retainAll(decoderInputs);
        return decoder.bind(taken, out);
    }

    /// What the encoder makes of sources, and the mask of their positions.
    ///
    /// @param cross keys and values under the names of the decoder's inputs
    record Read(int batch, int length, Tensor hidden, Tensor mask, Map<String, Tensor> cross) {}

    @Override
    public DecoderRows read(Map<String, Tensor> sources, int each) {
        Arena arena = Arena.ofShared();
        try {
            return new OwnRows(this, arena, encode(arena, sources), each);
        } catch (RuntimeException e) {
            arena.close();
            throw e;
        }
    }

    Read encode(Arena arena, Map<String, Tensor> sources) {
        Tensor ids = sources.get("input_ids");
        int batch = (int) sources.values().iterator().next().shape().size(0);
        int length = ids == null ? layout.sourcePositions() : (int) ids.shape().size(1);
        Map<String, Tensor> in = new LinkedHashMap<>(sources);
        if (encoderInputs.contains("position_ids")) in.put("position_ids", counted(arena, length, batch, length));
        if (encoderInputs.contains("relative_positions")) in.put("relative_positions", distances(arena, 0, length));
        in.keySet().retainAll(encoderInputs);
        Map<String, Tensor> out = new LinkedHashMap<>();
        Map<String, Tensor> cross = new LinkedHashMap<>();
        Tensor hidden = Tensor.allocate(arena, DType.FLOAT32, batch, length, layout.width());
        out.put("last_hidden_state", hidden);
        for (int layer = 0; layer < layout.nLayer(); layer++)
            for (String kind : new String[] {"key", "value"}) {
                Tensor made = Tensor.allocate(arena, DType.FLOAT32, batch, layout.nHead(), length, layout.headDim());
                out.put("present." + layer + ".encoder." + kind, made);
                cross.put("past_key_values." + layer + ".encoder." + kind, made);
            }
        try (Session.Bound bound = encoder.bind(in, out)) {
            bound.run();
        }
        return new Read(batch, length, hidden, sources.get("attention_mask"), cross);
    }

    /// Whole numbers that count up from 0 and begin again at `end`.
    static Tensor counted(Arena arena, long end, long... sizes) {
        Tensor numbers = Tensor.allocate(arena, DType.INT64, sizes);
        for (long i = 0; i < numbers.shape().count(); i++) numbers.data().setAtIndex(ValueLayout.JAVA_LONG, i, i % end);
        return numbers;
    }

    /// `relative_positions` of `count` queries behind `past` positions.
    Tensor distances(Arena arena, int past, int count) {
        int most = layout.maxDistance();
        int keys = past + count;
        Tensor distances = Tensor.allocate(arena, DType.INT64, count, keys);
        for (int query = 0; query < count; query++)
            for (int key = 0; key < keys; key++)
                distances.data().setAtIndex(ValueLayout.JAVA_LONG, (long) query * keys + key,
                        Math.clamp(key - past - query, -most, most) + most);
        return distances;
    }

    @Override
    public Map<String, Tensor> forward(Map<String, Tensor> sources, Tensor decoderIds) {
        try (Arena arena = Arena.ofShared()) {
            Read read = encode(arena, sources);
            int batch = read.batch();
            int count = (int) decoderIds.shape().size(1);
            int vocab = layout.vocabSize();
            float[] logits = new float[batch * count * vocab];
            try (OwnRows rows = new OwnRows(this, Arena.ofShared(), read, 1)) {
                int[] ids = new int[batch * count];
                for (int i = 0; i < ids.length; i++) ids[i] = (int) decoderIds.data().getAtIndex(ValueLayout.JAVA_LONG, i);
                rows.feed(ids, logits);
            }
            float[] hidden = read.hidden().toFloats();
            for (int i = 0; read.mask() != null && i < batch * read.length(); i++)
                if (read.mask().data().getAtIndex(ValueLayout.JAVA_LONG, i) == 0)
                    Arrays.fill(hidden, i * layout.width(), (i + 1) * layout.width(), 0);
            return SourceGraphs.outputs(Tensor.ofFloat32(logits, batch, count, vocab),
                    Tensor.ofFloat32(hidden, batch, read.length(), layout.width()));
        }
    }
}
