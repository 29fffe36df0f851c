package fewsh.shell;

import java.util.List;

/// A named option of a command, as `--help`, the parser and the Tab key know it.
///
/// @param names snake_case, the one that keys its value last; a hyphen is accepted wherever a name has an underscore
/// @param value what to call the value; empty for a switch, in brackets when it may be left out
/// @param otherwise the value when an optional one is left out
/// @param many may be given more than once
record Option(List<String> names, String value, String help, Complete complete, String otherwise, boolean many) {
    Option {
        names = List.copyOf(names);
    }

    static Option flag(String help, String... names) {
        return new Option(List.of(names), "", help, Complete.NOTHING, "", false);
    }

    static Option of(String value, String help, String... names) {
        return new Option(List.of(names), value, help, Complete.NOTHING, "", false);
    }

    Option completing(Complete complete) {
        return new Option(names, value, help, complete, otherwise, many);
    }

    Option orElse(String otherwise) {
        return new Option(names, "[" + value + "]", help, complete, otherwise, many);
    }

    Option repeatable() {
        return new Option(names, value, help + " (repeatable)", complete, otherwise, true);
    }

    boolean isFlag() {
        return value.isEmpty();
    }

    boolean isOptional() {
        return value.startsWith("[");
    }

    /// The name without dashes: `top_p`.
    String key() {
        return names.getLast().replaceFirst("^-+", "");
    }

    /// As a person reads it: `-m, --model MODEL`.
    String usage() {
        return String.join(", ", names) + (isFlag() ? "" : " " + value);
    }
}
