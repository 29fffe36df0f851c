package fewsh.models;

import com.google.gson.JsonObject;
import fewsh.UserError;
import java.util.List;
import java.util.Map;

/// Rotary positions: the angle by which each pair of a head's numbers turns at each position.
///
/// @param inverseFrequencies radians a position, one a pair, float32 as the reference computes them
/// @param factor of cos and sin; 1 but for yarn and longrope
/// @param positions how many there are
/// @param longer the frequencies of a sequence of more than `shortPositions`, from its first position on; null if there are
///               none, as for all but longrope
/// Source: Su et al. 2021; scalings as `modeling_rope_utils.py` of Hugging Face's transformers has them.
public record Rope(float[] inverseFrequencies, float factor, int positions, float[] longer, int shortPositions) {
    /// Numbers of a table and its longer part at most.
    private static final long LARGEST = 1L << 29;
    static final String ORIGINAL = "original_max_position_embeddings";

    /// How many numbers of a head turn.
    int turned() {
        return 2 * inverseFrequencies.length;
    }

    /// Rows of a table: of longer sequences those behind the ones of short sequences.
    int rows() {
        return shortPositions + positions;
    }

    /// cos then sin, each `(rows, pairs)`.
    float[][] tables() {
        int pairs = inverseFrequencies.length;
        float[] cos = new float[rows() * pairs];
        float[] sin = new float[rows() * pairs];
        for (int row = 0; row < rows(); row++)
            for (int i = 0; i < pairs; i++) {
                float angle = longer == null ? row * inverseFrequencies[i]
                        : row < shortPositions ? row * inverseFrequencies[i] : (row - shortPositions) * longer[i];
                cos[row * pairs + i] = (float) StrictMath.cos(angle) * factor;
                sin[row * pairs + i] = (float) StrictMath.sin(angle) * factor;
            }
        return new float[][] {cos, sin};
    }

    /// From `rope_parameters`, as transformers 5 writes it, or `rope_theta` and `rope_scaling`, as 4 did; of whole heads.
    static Rope of(Settings s, int headDim, int nPositions) {
        s.only("partial_rotary_factor", 1.0);
        parameters(s).only("partial_rotary_factor", 1.0);
        return of(s, parameters(s), s.real("rope_theta", 10000), headDim, 1, nPositions);
    }

    /// The object that has the kind of positions.
    static Settings parameters(Settings s) {
        boolean apart = s.has("rope_scaling") && !s.object("rope_scaling").json().isEmpty();
        return s.object(apart ? "rope_scaling" : "rope_parameters");
    }

    /// @param r the kind of positions and what belongs to it
    /// @param theta the base where `r` has none
    /// @param part of a head's numbers that turns
    static Rope of(Settings s, Settings r, double theta, int headDim, double part, int nPositions) {
        theta = r.real("rope_theta", theta);
        if (2L * nPositions * headDim > LARGEST)
            throw new UserError(s.where(), "max_position_embeddings " + nPositions + " is more than can be held for heads of "
                    + headDim, "");
        if (!(theta > 1 && theta < Double.POSITIVE_INFINITY))
            throw new UserError(s.where(), "rope_theta must be above 1, was " + theta, "");
        int dim = (int) (headDim * part);
        int pairs = (dim + 1) / 2;
        if (dim < 1 || 2 * pairs > headDim)
            throw new UserError(s.where(), "partial_rotary_factor " + part + " is not supported", "for heads of " + headDim
                    + " it may be from " + 1.0 / headDim + " to 1");
        double[] frequencies = new double[pairs];
        for (int i = 0; i < frequencies.length; i++) frequencies[i] = 1 / Math.pow(theta, 2.0 * i / dim);
        double original = s.has(ORIGINAL) ? positive(s, ORIGINAL) : r.has(ORIGINAL) ? positive(r, ORIGINAL) : nPositions;
        double[] longer = frequencies.clone();
        double magnitude = 1;
        String kind = kind(r, List.of("default", "linear", "dynamic", "llama3", "yarn", "longrope", "factors"));
        switch (kind) {
            // dynamic scales only beyond the context length, which no prompt gets past
            case "default", "dynamic" -> {}
            case "linear" -> {
                for (int i = 0; i < frequencies.length; i++) frequencies[i] /= positive(r, "factor");
            }
            case "factors" -> divide(frequencies, r.reals("factors", pairs));
            case "llama3" -> llama3(r, frequencies, original);
            case "yarn" -> magnitude = yarn(r, frequencies, theta, dim, original, nPositions);
            case "longrope" -> {
                divide(frequencies, r.reals("short_factor", pairs));
                divide(longer, r.reals("long_factor", pairs));
                if (original != (int) original || original < 1)
                    throw new UserError(s.where(), ORIGINAL + " must be a whole number of positions, was " + original, "");
                double factor = r.has("factor") ? positive(r, "factor") : nPositions / original;
                magnitude = r.has("attention_factor") ? positive(r, "attention_factor")
                        : factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(original));
            }
            default -> throw new IllegalStateException(kind);
        }
        boolean both = kind.equals("longrope") && original < nPositions;
        return new Rope(rounded(frequencies), (float) magnitude, nPositions, both ? rounded(longer) : null,
                both ? (int) original : 0);
    }

    private static float[] rounded(double[] exact) {
        float[] rounded = new float[exact.length];
        for (int i = 0; i < rounded.length; i++) rounded[i] = (float) exact[i];
        return rounded;
    }

    /// The kind of scaling; early files of Phi-3 call longrope su or yarn.
    static String kind(Settings r, List<String> known) {
        String key = r.has("rope_type") ? "rope_type" : "type";
        String word = r.text(key, "default");
        return word.equals("su") || word.equals("yarn") && r.has("short_factor") ? "longrope" : r.choice(key, "default", known);
    }

    private static void divide(double[] frequencies, List<Double> factors) {
        for (int i = 0; i < frequencies.length; i++) frequencies[i] /= factors.get(i);
    }

    private static double positive(Settings s, String key) {
        double value = s.real(key, Double.NaN);
        if (value > 0 && value < Double.POSITIVE_INFINITY) return value;
        throw new UserError(s.where(), "\"" + key + "\" must be a number above 0", "");
    }

    /// Long waves stretched, short ones left, those between blended.
    private static void llama3(Settings r, double[] frequencies, double original) {
        double factor = positive(r, "factor");
        double low = positive(r, "low_freq_factor");
        double high = positive(r, "high_freq_factor");
        for (int i = 0; i < frequencies.length; i++) {
            double wavelength = 2 * Math.PI / frequencies[i];
            double smooth = Math.clamp((original / wavelength - low) / (high - low), 0.0, 1.0);
            frequencies[i] = (1 - smooth) * frequencies[i] / factor + smooth * frequencies[i];
        }
    }

    /// Interpolates slow pairs, extrapolates fast ones, with a ramp between.
    ///
    /// @return the factor of cos and sin
    private static double yarn(Settings r, double[] frequencies, double theta, int dim, double original,
            int nPositions) {
        double factor = r.has("factor") ? positive(r, "factor") : nPositions / original;
        double low = correction(r.real("beta_fast", 32), dim, theta, original);
        double high = correction(r.real("beta_slow", 1), dim, theta, original);
        if (r.flag("truncate", true)) {
            low = Math.floor(low);
            high = Math.ceil(high);
        }
        low = Math.max(low, 0);
        high = Math.min(high, dim - 1);
        if (low == high) high += 0.001;
        for (int i = 0; i < frequencies.length; i++) {
            double interpolated = Math.clamp((i - low) / (high - low), 0.0, 1.0);
            frequencies[i] = frequencies[i] / factor * interpolated + frequencies[i] * (1 - interpolated);
        }
        if (r.has("attention_factor")) return positive(r, "attention_factor");
        double mscale = r.real("mscale", 0);
        double mscaleAll = r.real("mscale_all_dim", 0);
        return mscale != 0 && mscaleAll != 0 ? magnitude(factor, mscale) / magnitude(factor, mscaleAll) : magnitude(factor, 1);
    }

    private static double correction(double rotations, int dim, double theta, double original) {
        return dim * Math.log(original / (rotations * 2 * Math.PI)) / (2 * Math.log(theta));
    }

    private static double magnitude(double factor, double mscale) {
        return factor <= 1 ? 1 : 0.1 * mscale * Math.log(factor) + 1;
    }

    /// Writes a GGUF file's rotary settings into `json` under `config.json`'s keys.
    static void ofGguf(Map<String, Object> gguf, String architecture, JsonObject json) {
        Settings s = new Settings("", json);
        int headDim = s.size("head_dim", Math.max(1, s.size("hidden_size") / s.size("num_attention_heads")));
        boolean part = gguf.get(architecture + ".rope.dimension_count") instanceof Long n && n != headDim;
        // times headDim it is the count, or just above
        json.addProperty("partial_rotary_factor", part
                ? Math.nextUp((double) (Long) gguf.get(architecture + ".rope.dimension_count") / headDim) : 1.0);
        JsonObject scaling = new JsonObject();
        Object type = gguf.getOrDefault(architecture + ".rope.scaling.type", "none");
        scaling.addProperty("rope_type", type.equals("none") ? "default" : type.toString());
        if (gguf.get(architecture + ".rope.scaling.factor") instanceof Number n) scaling.addProperty("factor", n);
        if (gguf.get(architecture + ".rope.scaling.original_context_length") instanceof Number n)
            scaling.addProperty("original_max_position_embeddings", n);
        if (gguf.get(architecture + ".rope.scaling.attn_factor") instanceof Number n)
            scaling.addProperty("attention_factor", n);
        json.add("rope_scaling", scaling);
    }
}
