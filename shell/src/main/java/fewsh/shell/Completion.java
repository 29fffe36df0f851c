package fewsh.shell;

import fewsh.UserError;
import fewsh.models.Precision;
import fewsh.prompt.PromptFile;
import fewsh.session.Device;
import fewsh.store.Catalogue;
import fewsh.store.Model;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.jline.reader.Candidate;
import org.jline.reader.Completer;
import org.jline.reader.LineReader;
import org.jline.reader.ParsedLine;

/// What Tab offers, read from the table of commands.
record Completion(Workspace workspace) implements Completer {
    @Override
    public void complete(LineReader reader, ParsedLine line, List<Candidate> candidates) {
        if (!line.line().startsWith("/")) return;
        if (line.wordIndex() == 0) {
            for (Command command : Commands.slashes())
                candidates.add(new Candidate("/" + command.slash(), "/" + command.slash(), null, command.help(), null, null,
                        true));
            return;
        }
        Command command = Commands.slash(line.words().getFirst().substring(1)).orElse(null);
        if (command == null) return;
        String word = line.word().substring(0, line.wordCursor());
        Option before = command.takes() == Command.Takes.WORDS ? option(command, line.words().get(line.wordIndex() - 1)) : null;
        if (before != null && !before.isFlag()) add(candidates, offers(before.complete(), word, line));
        else if (word.startsWith("-"))
            command.options().forEach(o -> add(candidates, List.of(o.names().getLast())));
        else add(candidates, offers(command.complete(), word, line));
    }

    private static Option option(Command command, String word) {
        return command.options().stream().filter(o -> o.names().contains(word.replaceAll("(?<=\\w)-", "_"))).findFirst()
                .orElse(null);
    }

    private static void add(List<Candidate> candidates, List<String> values) {
        for (String value : values)
            candidates.add(new Candidate(value, value, null, null, null, null, !value.endsWith("/") && !value.endsWith("=")));
    }

    private List<String> offers(Complete complete, String word, ParsedLine line) {
        return switch (complete) {
            case NOTHING -> List.of();
            case COMMANDS -> Commands.slashes().stream().map(Command::slash).toList();
            case MODELS -> {
                List<String> all = new ArrayList<>(names());
                all.addAll(files(word));
                yield all;
            }
            case STORED -> names();
            case CATALOGUE -> Stream.concat(Catalogue.builtIn().entries().stream().map(Catalogue.Entry::name),
                    Catalogue.builtIn().providers().stream().map(p -> "provider:" + p.name())).toList();
            case FILES -> files(word);
            case INPUTS -> line.wordIndex() == 1 ? files(word) : inputs(line.words().get(1));
            case SETTINGS -> Setting.keys();
            case SWITCH -> List.of("on", "off");
            case BRANCHES -> workspace.tree().names().stream().filter(n -> !n.equals(workspace.tree().current().name())).toList();
            case PRECISIONS -> Arrays.stream(Precision.values()).map(p -> p.name().toLowerCase(Locale.ROOT)).toList();
            case DEVICES -> Arrays.stream(Device.Provider.values()).map(Device.Provider::word).toList();
            case ENVIRONMENTS -> List.of("plain", "chat", "lm_eval");
            case OUTPUTS -> List.of("md", "csv", "json", "jsonl");
        };
    }

    private List<String> names() {
        try {
            return workspace.store().list().models().stream().map(Model::name).toList();
        } catch (UserError _) {
            return List.of();                                                 // a broken store offers nothing; /models says why
        }
    }

    /// The inputs of a prompt file, to be given: `text=`.
    private List<String> inputs(String name) {
        if (!Prompts.isPrompt(name)) return List.of();
        try {
            return PromptFile.read(workspace.file(name), workspace.environment()).inputs().stream().map(i -> i.name() + "=").toList();
        } catch (UserError _) {
            return List.of();                                                 // /run says what is wrong with it
        }
    }

    private List<String> files(String word) {
        String folder = word.substring(0, word.lastIndexOf('/') + 1);
        List<String> files = new ArrayList<>();
        try {
            Path there = workspace.file(folder.isEmpty() ? "." : folder);
            if (!Files.isDirectory(there)) return List.of();
            try (DirectoryStream<Path> entries = Files.newDirectoryStream(there)) {
                for (Path entry : entries) {
                    String name = entry.getFileName().toString();
                    boolean hidden = name.startsWith(".") && !word.substring(folder.length()).startsWith(".");
                    if (!hidden) files.add(folder + name + (Files.isDirectory(entry) ? "/" : ""));
                }
            }
        } catch (IOException | UserError _) {
            return List.of();                                                 // what cannot be read has nothing to offer
        }
        files.sort(null);
        return files;
    }
}
