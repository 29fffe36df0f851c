/// Computations as data: sealed ONNX operators, the values between them, and a builder that infers every shape.
///
/// Data flow: a page of `models` → [fewsh.graph.GraphBuilder] → [fewsh.graph.Graph] → `onnx` bytes → `session`.
/// ```java
/// GraphBuilder g = new GraphBuilder("example");
/// Value x = g.input("x", DType.FLOAT32, Shape.named("batch", 3));
/// Value w = g.initializer("w", Tensor.ofFloat32(new float[] {1, 2, 3, 4, 5, 6}, 3, 2));
/// g.output("y", g.matMul(x, w));
/// Graph graph = g.build();                    // y is float32[batch, 2]
/// ```
package fewsh.graph;
