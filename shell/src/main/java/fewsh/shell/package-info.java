/// The program: command line, REPL and everything that prints. The one package that writes to the terminal.
///
/// Data flow: arguments and lines typed → values of the other packages → text on stdout, progress and errors on stderr.
/// ```
/// fewsh --version
/// ```
package fewsh.shell;
