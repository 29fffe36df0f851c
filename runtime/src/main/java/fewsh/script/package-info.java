/// Scripts: JavaScript that speaks a small vocabulary and can do nothing else.
///
/// Data flow: a script → [fewsh.script.Sandbox] → calls as JSON → the vocabulary's words → `generate` and `prompt`; what a
/// script shows goes to a [fewsh.script.Stage], which also has the model. `scripts/fewsh.d.ts` documents the words.
/// ```java
/// try (Sandbox sandbox = new Sandbox(stage, folder, Limits.DEFAULT)) {
///     sandbox.evaluate("const primes = [2, 3, 5]");
///     assert sandbox.evaluate("primes.map(p => p * p)").equals("[4, 9, 25]");
///     sandbox.run(Path.of("scripts/sweep.js"), List.of("8"));
/// }
/// ```
package fewsh.script;
