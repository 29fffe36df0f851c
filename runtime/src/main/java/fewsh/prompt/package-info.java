/// What a model reads: prompts put together from their parts and examples, conversations written the way each model was
/// trained on; and what is made of the answer.
///
/// Data flow: a prompt file's `fewsh:` block → `Block` → `Composition`; its inputs, `Body` and the examples of `Pool` →
/// `Composed` → messages + a model's chat template and special tokens → `jinja` → text (or `Composed.text` for a model without
/// a template), which `tokenize` encodes with special tokens parsed. What the model wrote → `Extraction` → the answer.
/// ```java
/// Composition sentiment = Block.read("example", Map.of("instruction", "Judge the review.",
///         "shots", List.of(Map.of("text", "a joy", "output", "positive")),
///         "answer", Map.of("options", List.of("positive", "negative"))), Path.of(""));
/// Body body = inputs -> List.of(new Message("user", "Review: " + inputs.get("text")));
/// Composed prompt = sentiment.compose(body, Map.of("text", "a bore"), Tokens.NONE);
/// assert prompt.text().equals("Judge the review.\n\nReview: a joy positive\n\nReview: a bore");
/// assert sentiment.answer().find("It is Negative.").equals(Optional.of("negative"));
///
/// ChatTemplate template = ChatTemplate.of("example", "{% for m in messages %}<{{ m.role }}>{{ m.content }}{{ eos_token }}"
///         + "{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}", Map.of("eos_token", "</s>"));
/// String text = template.render(List.of(new Message("user", "Hi")), true, Map.of());
/// assert text.equals("<user>Hi</s><assistant>");
/// ```
package fewsh.prompt;
