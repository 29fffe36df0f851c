/// A composed prompt put to a model by the technique it names: one answer, chain of thought, a vote, generated knowledge; and a
/// prompt put to it for every row of a table.
///
/// Data flow: [fewsh.prompt.Composed] + a model → [fewsh.ask.Inquiry] → events → [fewsh.ask.Reply]; rows → [fewsh.ask.Batch] →
/// a JSON line a row.
/// ```java
/// Composition eight = Composition.EMPTY.with(c -> {
///     c.vote = new Vote(8, true, 0.05, 0.7);
///     c.answer = new Extraction(Extraction.Kind.NUMBER, "", List.of());
/// });
/// Composed prompt = new Composed(eight, List.of(new Composed.Part("question", new Message("user", "What is 17 + 25?"))),
///         List.of(), 0);
/// try (CausalLm lm = CausalLm.open(Path.of("smollm2.gguf"), LoadOptions.in(home)); KvCache cache = lm.cache();
///         Inquiry inquiry = Inquiry.of(lm, cache, prompt, SamplingConfig.GREEDY)) {
///     while (inquiry.hasNext())
///         switch (inquiry.next()) {
///             case Inquiry.Event.Text(String text) -> out.print(text);
///             case Inquiry.Event.Sampled(Sample sample) -> out.println(sample.index() + " says " + sample.answer());
///             case Inquiry.Event.Known(Statement statement) -> out.println(statement.text());
///             case Inquiry.Event.Note(String text) -> err.println(text);
///         }
///     out.println(inquiry.reply().votes());
/// }
/// ```
package fewsh.ask;
