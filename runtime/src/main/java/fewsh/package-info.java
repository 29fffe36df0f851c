/// [UserError], the one exception meant for people, and nothing else.
///
/// Data flow: any package that reads what a user gave → `UserError` → `shell`, which prints it.
/// ```java
/// throw new UserError("prompts/arith.yaml:14", "unknown field \"num_fewshots\"", "did you mean \"num_fewshot\"?");
/// ```
package fewsh;
