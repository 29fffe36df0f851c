/// Templates as Python's jinja2 renders them, to the byte: a lexer, a parser and an evaluator over sealed nodes and values.
///
/// Three dialects: `plain`, chat templates as transformers sets them up, task files as lm-evaluation-harness does. Templates
/// come with models from anywhere: steps, text and depth are bounded, and nothing of Java can be reached from them. What
/// Python would raise comes as [TemplateError] with its class, message and place.
///
/// Data flow: text → `Lexer` → tokens → `Parser` → nodes → `Analysis` (frames of names) → `Evaluator` → text.
/// ```java
/// Template greeting = Template.parse("{% for name in names %}Hello {{ name }}!{% endfor %}", Environment.plain());
/// assert greeting.render(Map.of("names", List.of("Ada"))).equals("Hello Ada!");
/// ```
package fewsh.jinja;
