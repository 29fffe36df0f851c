/// A checkpoint, with adapters merged if there are any, as folders that other programs open: ONNX for onnxruntime,
/// onnxruntime-genai's layout, safetensors for transformers.
///
/// Data flow: [fewsh.models.Checkpoint] → its page's graphs with published names, or its weights with published names → a new
/// folder, with the tokenizer's files.
/// ```java
/// try (Checkpoint checkpoint = Checkpoint.open(Path.of("smollm2.gguf"))) {
///     Export.write(checkpoint, List.of(), Export.Format.ONNX, Export.Numbers.INT4, Path.of("smollm2-onnx"));
/// }
/// ```
package fewsh.export;
