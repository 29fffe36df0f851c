package fewsh.shell;

import java.io.IOException;
import java.util.List;

/// A row of the table [Commands]: a subcommand of the program, a command of the shell, or one thing under both names.
///
/// @param name as in `fewsh NAME`; empty when only the shell has it
/// @param slash as in `/NAME`; empty when only the program has it
/// @param usage what follows the name on the program's command line, options apart
/// @param slashUsage what follows the name in the shell
/// @param help one line
/// @param details more lines for `--help` and `/help`; may be empty
/// @param takes how the shell reads what follows the name
/// @param complete what the Tab key offers for what follows the name
record Command(String name, String slash, String usage, String slashUsage, String help, String details, Takes takes,
        Complete complete, List<Option> options, Action action) {
    /// How the shell reads what follows a command's name: in words with quotes and options, or as one text to the end.
    enum Takes { WORDS, TEXT }

    /// Runs a command.
    @FunctionalInterface
    interface Action {
        /// @return the exit code: 0 done, 1 a check failed, 130 interrupted
        /// @throws fewsh.UserError for what a person can mend: exit code 2
        int run(Workspace workspace, Options options) throws IOException;
    }

    Command {
        options = List.copyOf(options);
    }

    /// Only of the program.
    static Command program(String name, String usage, String help, String details, Complete complete, List<Option> options,
            Action action) {
        return new Command(name, "", usage, "", help, details, Takes.WORDS, complete, options, action);
    }

    /// Only in the shell.
    static Command slash(String slash, String usage, String help, Takes takes, Complete complete, Action action) {
        return new Command("", slash, "", usage, help, "", takes, complete, List.of(), action);
    }

    /// With more to say about it.
    Command explained(String details) {
        return new Command(name, slash, usage, slashUsage, help, details, takes, complete, options, action);
    }

    /// In the shell too, as `/slash`.
    Command alsoSlash(String slash, String slashUsage, Takes takes) {
        return new Command(name, slash, usage, slashUsage, help, details, takes, complete, options, action);
    }
}
