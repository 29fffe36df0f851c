/// Model files as named, lazily mapped tensors: GGUF, safetensors and folders of safetensors shards; and the block layouts
/// that ONNX Runtime multiplies with.
///
/// A file is mapped, never read whole: opening costs its header, and a weight costs nothing until its bytes are used. Files
/// are untrusted: every count, offset and length is checked against the file before it is used.
///
/// Data flow: a file → [Weights] → [Weight] → float32 (`floats`), a [fewsh.tensor.Tensor] view, or [Blocks] for MatMulNBits;
/// tensors → [Safetensors] → a file.
/// ```java
/// try (Weights weights = Weights.open(Path.of("model.gguf"))) {
///     Weight embedding = weights.get("token_embd.weight");
///     float[] firstRow = new float[(int) embedding.columns()];
///     embedding.floats(0, 1, MemorySegment.ofArray(firstRow));
/// }
/// ```
package fewsh.weights;
