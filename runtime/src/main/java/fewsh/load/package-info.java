/// How a model comes to be open: what it will take is known first, its graphs are converted once and kept, the runtime loads
/// them, and whoever uses the model gets the sessions.
///
/// Data flow: a model's folder or file → [fewsh.models.Checkpoint] → its page's graphs → `cache/` → [fewsh.load.Opened] →
/// `generate` and other users, each of whose models is a [fewsh.load.Loaded].
/// ```java
/// try (Opened<Causal, String> opened = Opened.open(Path.of("smollm2.gguf"), LoadOptions.in(home), Causal.class,
///         (checkpoint, page) -> checkpoint.settings().text("model_type", ""))) {
///     Session session = opened.session("model");
/// }
/// ```
package fewsh.load;
