package fewsh.encode;

import fewsh.UserError;
import fewsh.tensor.Tensor;
import fewsh.vision.Picture;
import java.util.List;

/// What every token of a picture sees of every other, layer by layer. The class token is the first; the others are the picture's
/// patches, row by row.
///
/// @param layers float32 `(1, heads, tokens, tokens)`, each row adding up to 1
/// @param rows of patches
/// @param columns of patches
/// @param picture the one that the patches are of
public record Attentions(List<Tensor> layers, int rows, int columns, Picture picture) {
    public Attentions {
        layers = List.copyOf(layers);
    }

    public int heads() {
        return (int) layers.getFirst().shape().size(1);
    }

    private int tokens() {
        return rows * columns + 1;
    }

    /// How much of each patch reaches the class token through all layers: the mean over the heads, half of it the token itself as
    /// the residual connection has it, multiplied layer by layer.
    ///
    /// Source: attention rollout, Abnar & Zuidema 2020.
    public AttentionMap rollout() {
        int n = tokens();
        double[] reached = new double[n];                       // the class token's row of the product, from the last layer down
        reached[0] = 1;
        for (Tensor layer : layers.reversed()) {
            float[] seen = layer.toFloats();
            double[] below = new double[n];
            for (int from = 0; from < n; from++) {
                below[from] += reached[from] / 2;
                for (int head = 0; head < heads(); head++)
                    for (int to = 0; to < n; to++)
                        below[to] += reached[from] / 2 / heads() * seen[(head * n + from) * n + to];
            }
            reached = below;
        }
        float[] weights = new float[n - 1];
        for (int i = 0; i < weights.length; i++) weights[i] = (float) reached[i + 1];
        return new AttentionMap(rows, columns, weights);
    }

    /// What the class token sees with one head of one layer, both counted from 0.
    ///
    /// @throws UserError if there is no such layer or head
    public AttentionMap head(int layer, int head) {
        if (layer < 0 || layer >= layers.size())
            throw new UserError("", "layer " + layer + " does not exist", "layers are 0 to " + (layers.size() - 1));
        if (head < 0 || head >= heads()) throw new UserError("", "head " + head + " does not exist", "heads are 0 to " + (heads() - 1));
        float[] weights = new float[tokens() - 1];
        System.arraycopy(layers.get(layer).toFloats(), head * tokens() * tokens() + 1, weights, 0, weights.length);
        return new AttentionMap(rows, columns, weights);
    }
}
