/// Each architecture as one page that builds a graph from a config, with the rules for its checkpoints' names beside it.
///
/// Data flow: a model's folder or file → [fewsh.models.Checkpoint] → the page that [fewsh.models.Architectures] names →
/// [fewsh.graph.Graph] → `session`.
/// ```java
/// try (Checkpoint checkpoint = Checkpoint.open(Path.of("smollm2.gguf")); DataFile data = new DataFile(file)) {
///     Page page = Architectures.page(checkpoint);
///     Graph graph = Net.build(page.graphs().get("model"), checkpoint, Precision.AUTO.of(checkpoint), data::keep);
/// }
/// ```
package fewsh.models;
