package fewsh.models;

import java.util.LinkedHashMap;
import java.util.SequencedMap;
import java.util.function.Consumer;

/// A page whose model continues text in which pictures stand: its graph `vision` makes rows of numbers of a picture, which take
/// the place of embedded tokens in its graph `model`.
///
/// `vision`: `pixel_values` float32 `(n, channels, height, width)` in, `image_hidden_states` float32 `(n · [#rows], width)` out.
/// `model` has two inputs beside those of [Causal#build]: `image_hidden_states` `(batch, sequence, width)`, 0 or a row as `vision`
/// made it, and `is_text` float32 `(batch, sequence, 1)`, 0 where there is such a row and else 1.
public sealed interface ImageText extends Causal permits Idefics3 {
    void buildVision(Net g);

    /// The id that stands where a row of a picture is to be.
    int imageTokenId();

    /// How many rows a tile of a picture becomes.
    int rows();

    /// Numbers of a row.
    int width();

    /// Height and width of a tile in pixels.
    int tile();

    @Override
    default SequencedMap<String, Consumer<Net>> graphs() {
        SequencedMap<String, Consumer<Net>> graphs = new LinkedHashMap<>();
        graphs.put("model", this::build);
        graphs.put("vision", this::buildVision);
        return graphs;
    }

    @Override
    default String uses() {
        return "ask --image, score";
    }
}
