/// Bytes of ONNX models, written and read: a dozen messages mapped by hand over protobuf's coded streams.
///
/// Data flow: [fewsh.graph.Graph] → `model.onnx` and, beside it, `model.onnx.data` → `session`; and back again.
/// ```java
/// OnnxFile.write(graph, Path.of("model.onnx"));
/// Graph same = OnnxFile.read(Path.of("model.onnx"));
/// ```
package fewsh.onnx;
