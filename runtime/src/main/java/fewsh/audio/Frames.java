package fewsh.audio;

import fewsh.tensor.Tensor;

/// The features of a sound of any length.
///
/// @param data `(bins, count)`, row-major
public record Frames(int bins, int count, float[] data) {
    /// `length` frames from `from` on, of which `given` are the sound's and the others zero: float32 `(1, bins, length)`.
    public Tensor slice(int from, int given, int length) {
        float[] slice = new float[bins * length];
        for (int b = 0; b < bins; b++) System.arraycopy(data, b * count + from, slice, b * length, given);
        return Tensor.ofFloat32(slice, 1, bins, length);
    }
}
