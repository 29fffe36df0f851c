/// Encoders at work: vectors of texts, their classes, fillings of masks; classes of pictures, and what a model looks at in them.
///
/// Data flow: texts → `tokenize` → batches of about one length → a graph that `load` opened → hidden states or scores → vectors,
/// classes, words; pictures → `vision` → a graph → classes, attention maps.
/// ```java
/// try (TextEncoder encoder = TextEncoder.open(Path.of("all-minilm-l6-v2"), LoadOptions.in(home))) {
///     List<float[]> vectors = encoder.embed(List.of("A man is playing a guitar.", "Someone plays music."));
/// }
/// ```
package fewsh.encode;
