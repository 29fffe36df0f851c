/// The program and its shell: what a person types becomes a call of the engine, and what the engine returns or throws becomes
/// text on a terminal, lines in a pipe, and an exit code. Only this package prints.
///
/// Data flow: words or a line → a row of [fewsh.shell.Commands] → [fewsh.shell.Options] (text) → a request (checked) →
/// values → [fewsh.shell.Render]. What lasts from one line of the shell to the next is in [fewsh.shell.Workspace].
/// ```java
/// static int time(Workspace workspace, Options options) {                     // a command is a row and a method
///     String word = options.expect("/time", "on|off", 1, 1).text();
///     workspace.showTime(word.equals("on"));
///     return 0;                                                               // the exit code
/// }
/// ```
package fewsh.shell;
