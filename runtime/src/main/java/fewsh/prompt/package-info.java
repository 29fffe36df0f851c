/// What a model reads: conversations written the way each model was trained on.
///
/// Data flow: messages + a model's chat template and special tokens → `jinja` → text, which `tokenize` encodes with special
/// tokens parsed.
/// ```java
/// ChatTemplate template = ChatTemplate.of("example", "{% for m in messages %}<{{ m.role }}>{{ m.content }}{{ eos_token }}"
///         + "{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}", Map.of("eos_token", "</s>"));
/// String text = template.render(List.of(new Message("user", "Hi")), true, Map.of());
/// assert text.equals("<user>Hi</s><assistant>");
/// ```
package fewsh.prompt;
