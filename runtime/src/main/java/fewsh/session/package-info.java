/// The one place that touches ONNX Runtime: open a model on a device, run it over host tensors, close it.
///
/// Data flow: `model.onnx` → [fewsh.session.Session] → named [fewsh.tensor.Tensor]s in, named tensors out.
/// ```java
/// try (Session session = Session.open(Path.of("model.onnx"), Session.Options.of(Device.CPU, 2));
///         Session.Bound run = session.bind(Map.of("x", x), Map.of("y", y))) {
///     run.run();                                            // y's memory now holds the result
/// }
/// ```
package fewsh.session;
