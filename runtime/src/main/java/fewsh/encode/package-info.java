/// Encoders at work: vectors of texts, their classes, fillings of masks.
///
/// Data flow: texts → `tokenize` → batches of about one length → a graph that `load` opened → hidden states or scores → vectors,
/// classes, words.
/// ```java
/// try (TextEncoder encoder = TextEncoder.open(Path.of("all-minilm-l6-v2"), LoadOptions.in(home))) {
///     List<float[]> vectors = encoder.embed(List.of("A man is playing a guitar.", "Someone plays music."));
/// }
/// ```
package fewsh.encode;
