package fewsh.shell;

import fewsh.UserError;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Stack;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/// What a command line says, still as text: the values of options by key, and the words that belong to none.
///
/// @param words in order
/// @param values of the options that were given; `true` for a switch
record Options(List<String> words, Map<String, List<String>> values) {
    Options {
        words = List.copyOf(words);
        values = Map.copyOf(values);
    }

    static Options of(String... words) {
        return new Options(List.of(words), Map.of());
    }

    /// @param where for errors: `fewsh ask`, `/load`
    /// @param stopAtWord everything from the first word on is words, options of its own included
    /// @throws UserError for an option that is unknown or lacks its value
    static Options parse(String where, List<Option> known, List<String> arguments, boolean stopAtWord) {
        CommandSpec spec = CommandSpec.create();
        spec.parser().stopAtPositional(stopAtWord).posixClusteredShortOptionsAllowed(false).overwrittenOptionsAllowed(true)
                .atFileCommentChar(null);
        for (Option option : known) spec.addOption(spec(option));
        spec.addPositional(PositionalParamSpec.builder().index("0..*").arity("0..*").type(List.class)
                .auxiliaryTypes(String.class).build());
        CommandLine line = new CommandLine(spec).setExpandAtFiles(false).setTrimQuotes(false);
        try {
            CommandLine.ParseResult result = line.parseArgs(arguments.toArray(String[]::new));
            Map<String, List<String>> values = new LinkedHashMap<>();
            for (Option option : known) {
                String name = option.names().getLast();
                if (!result.hasMatchedOption(name)) continue;
                Object value = result.matchedOption(name).getValue();
                values.put(option.key(), value instanceof List<?> list ? list.stream().map(Object::toString).toList()
                        : List.of(value.toString()));
            }
            return new Options(result.hasMatchedPositional(0) ? result.matchedPositionalValue(0, List.<String>of()) : List.of(),
                    values);
        } catch (CommandLine.UnmatchedArgumentException e) {
            throw unknown(where, e.getUnmatched().getFirst(), known);
        } catch (CommandLine.MissingParameterException e) {
            OptionSpec option = (OptionSpec) e.getMissing().getFirst();
            throw new UserError(where, option.longestName() + " needs a value", "give " + option.longestName() + " "
                    + option.paramLabel());
        } catch (CommandLine.ParameterException e) {
            throw new UserError(where, e.getMessage(), where + " --help lists the options", e);
        }
    }

    private static UserError unknown(String where, String text, List<Option> known) {
        String name = text.replaceFirst("=.*", "");
        List<String> names = known.stream().flatMap(o -> o.names().stream()).toList();
        return new UserError(where, "unknown option \"" + name + "\"", UserError.near(name.replaceAll("(?<=[^-])-", "_"), names,
                where.startsWith("/") ? "/help lists the commands" : where + " --help lists the options"));
    }

    private static OptionSpec spec(Option option) {
        List<String> names = new ArrayList<>();
        for (String name : option.names()) {
            names.add(name);
            String hyphens = name.replace('_', '-');
            if (!hyphens.equals(name)) names.add(hyphens);
        }
        OptionSpec.Builder builder = OptionSpec.builder(names.toArray(String[]::new)).paramLabel(option.value());
        if (option.isFlag()) return builder.type(boolean.class).arity("0").build();
        if (option.isOptional()) builder.preprocessor(new Left(option.otherwise()));
        return option.many() ? builder.type(List.class).auxiliaryTypes(String.class).arity("1").build()
                : builder.type(String.class).arity("1").build();
    }

    /// Puts the value of an optional whole number in place when the next word is none.
    private record Left(String otherwise) implements CommandLine.IParameterPreprocessor {
        @Override
        public boolean preprocess(Stack<String> args, CommandSpec command, ArgSpec option, Map<String, Object> info) {
            if (args.isEmpty() || !args.peek().matches("\\d+")) args.push(otherwise);
            return false;
        }
    }

    boolean has(String key) {
        return values.containsKey(key);
    }

    /// The last value given, or `otherwise`.
    String get(String key, String otherwise) {
        return has(key) ? values.get(key).getLast() : otherwise;
    }

    /// All values given.
    List<String> all(String key) {
        return values.getOrDefault(key, List.of());
    }

    /// The words, joined by spaces.
    String text() {
        return String.join(" ", words);
    }

    /// @throws UserError if there are more than `most` words, or less than `least`
    Options expect(String where, String usage, int least, int most) {
        if (words.size() < least) throw new UserError(where, "needs " + usage, where + (where.startsWith("/") ? " " : " --help: ")
                + usage);
        if (words.size() > most)
            throw new UserError(where, "does not take \"" + words.get(most) + "\"", "put quotes around what has spaces");
        return this;
    }

    /// A whole number, at least `least`.
    int whole(String key, int otherwise, int least) {
        return has(key) ? whole(key, get(key, ""), least) : otherwise;
    }

    static int whole(String key, String text, int least) {
        try {
            int number = Integer.parseInt(text);
            if (number >= least) return number;
        } catch (NumberFormatException _) {
            // said below, as for a number out of range
        }
        throw new UserError("", key + " must be a whole number, at least " + least + ", was \"" + text + "\"", "");
    }
}
