/// From ids to text and scores: prefill and decode over a KV cache, logits processors, samplers, stop rules, and formats that
/// an answer is held to: a format becomes an automaton over bytes, whose states say which tokens may follow.
///
/// Data flow: a model's folder or file → [fewsh.generate.CausalLm]; ids → [fewsh.generate.Decoding] → steps with text.
/// ```java
/// try (CausalLm lm = CausalLm.open(Path.of("smollm2.gguf"), LoadOptions.in(home)); KvCache cache = lm.cache();
///         Decoding d = lm.decode(cache, lm.encode("The capital of France is"), SamplingConfig.GREEDY, 1)) {
///     while (d.hasNext())
///         switch (d.next()) {
///             case Step.Token token -> out.print(token.text());
///             case Step.Stop stop -> out.print(stop.text());
///         }
/// }
/// ```
package fewsh.generate;
