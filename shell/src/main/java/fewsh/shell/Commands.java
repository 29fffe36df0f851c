package fewsh.shell;

import fewsh.UserError;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.jline.reader.impl.DefaultParser;

/// The table: every subcommand of the program and every command of the shell, a row each. The parser, `help`, the Tab key and
/// docs/commands.md are read from it.
final class Commands {
    private static final Option MODEL = Option.of("MODEL", "a name in the store, a folder, a .gguf or .onnx file; +ADAPTER[@SCALE] follows", "-m", "--model")
            .completing(Complete.MODELS);
    private static final Option PRECISION = Option.of("P", "auto, fp32, int8 or int4; auto is what serves the file best",
            "--precision").completing(Complete.PRECISIONS);
    private static final Option DEVICE = Option.of("D", "cpu, webgpu, cuda[:n]…; fewsh doctor lists them", "--device")
            .completing(Complete.DEVICES);
    private static final Option THREADS = Option.of("N", "of one operator; all cores if not given", "--threads");
    private static final Option JSON = Option.flag("one JSON object a line, errors too", "--json");
    private static final Option QUIET = Option.flag("results and errors only", "--quiet");
    private static final Option VERBOSE = Option.flag("what runs where and the sampling settings in force, on stderr", "-v", "--verbose");
    private static final Option HELP = Option.flag("this text", "-h", "--help");

    private static final Option ENCODER = Option.of("MODEL", "an encoder: examples by=similar are chosen by what they mean, no longer "
            + "by their words", "--encoder").completing(Complete.MODELS);
    private static final List<Option> LOADING = List.of(PRECISION, DEVICE, THREADS);
    private static final Option INPUT = Option.of("FILE", "rows: .jsonl, .csv or .tsv; a prompt is asked for each, a script has "
            + "them as input", "--input").completing(Complete.FILES);
    /// What a script may use up.
    private static final List<Option> LIMITS = List.of(Option.of("S", "seconds of the processor that a script may take; 60",
            "--cpu_time"), Option.of("N", "millions of statements that a script may run; 1000", "--statements"));
    private static final List<Option> OUTPUT = List.of(JSON, QUIET);

    /// Options of the program itself, before or without a subcommand.
    static final List<Option> PROGRAM = join(List.of(
            Option.of("LINES", "runs lines as the shell would", "-c", "--command").repeatable()),
            List.of(MODEL), LOADING, sampling(), OUTPUT, LIMITS, List.of(VERBOSE, Option.flag("the version", "--version"), HELP));

    private static final List<Command> ROWS = rows(List.of(
            Command.program("ask", "[PROMPT…]", "One answer, streamed.",
                    "The words are the prompt; standard input follows it, or is the prompt, when it is not a terminal. A model "
                            + "with a chat template gets it applied.", Complete.NOTHING,
                    join(List.of(MODEL, Option.of("TEXT", "the system message", "--system"),
                            Option.flag("sends the text as it is, without the chat template", "--raw")), parts(), List.of(ENCODER), sampling(), List.of(
                            Option.of("N", "how many samples", "-n"),
                            Option.of("K", "each token's logprob, and the K likeliest tokens in its place", "--logprobs")
                                    .orElse("0")), LOADING, OUTPUT, List.of(VERBOSE)), Ask::run),
            Command.program("run", "FILE [NAME=VALUE…]", "Runs a prompt file (.prompty, .prompt) or a script (.js, .fewsh).",
                    "A prompt takes its inputs by NAME=VALUE or --set, and with --input a row of a file each time: one JSON line a "
                            + "row in --output, in order; the same command goes on after an interruption. A script gets the words "
                            + "after its name as args.", Complete.FILES,
                    join(List.of(MODEL, Option.of("NAME=VALUE", "an input of the prompt", "--set").repeatable(),
                            Option.of("NAME=FILE", "an input that is the text of a file", "--set_file").repeatable(),
                            INPUT,
                            Option.of("FILE.jsonl", "where a line for each row goes", "--output").completing(Complete.FILES)),
                            parts(), List.of(ENCODER), sampling(), List.of(Option.of("N", "how many samples", "-n")), LIMITS, LOADING, OUTPUT,
                            List.of(VERBOSE)), Scripts::run),
            new Command("", "run", "", "FILE [NAME=VALUE…]", "Runs a prompt file or a script on the current model; the conversation stays as it is.", "",
                    Command.Takes.WORDS, Complete.INPUTS, join(List.of(INPUT), parts(), sampling()), Scripts::slashRun),
            Command.slash("js", "CODE", "Runs JavaScript; variables stay. More lines may follow until the code is whole.",
                    Command.Takes.TEXT, Complete.NOTHING, Scripts::js),
            Command.program("score", "[TEXT…]", "Log-likelihoods, token by token.",
                    "Of TEXT; of --continuation after --context; or, with neither, of lines of JSON on standard input: "
                            + "{\"context\",\"continuation\"} or {\"text\"}, one line out for each, in order.", Complete.NOTHING,
                    join(List.of(MODEL, Option.of("TEXT", "what comes before", "--context"),
                            Option.of("TEXT", "what is scored", "--continuation")), LOADING, OUTPUT), Scoring::run),
            Command.slash("score", "TEXT", "Log-likelihood of a text, token by token.", Command.Takes.TEXT, Complete.NOTHING,
                    Scoring::slash),
            Command.program("tokenize", "[TEXT…]", "Token ids and pieces.",
                    "Of TEXT, or of each line of standard input; with --json a line in is a JSON string.", Complete.NOTHING,
                    join(List.of(MODEL, Option.flag("special tokens in the text are recognised; and written, when decoding",
                            "--special"), Option.flag("ids in, text out", "--decode")), OUTPUT), Tokenizing::run),
            Command.slash("tokens", "TEXT", "The pieces and ids of a text.", Command.Takes.TEXT, Complete.NOTHING,
                    Tokenizing::slash),
            Command.program("forward", "MODEL", "One pass of any model over named tensors.",
                    "--input FILE holds {\"input_ids\":[[…]]}, or {\"pixel_values\":{\"file\":\"cat.png\"}} for what the "
                            + "model makes of a file; --batch reads one such object a line. Names are the reference "
                            + "implementation's. The precision is fp32 unless told otherwise.", Complete.MODELS,
                    join(List.of(Option.of("FILE", "JSON with the inputs", "--input").completing(Complete.FILES),
                            Option.flag("one JSON object a line on standard input", "--batch")), LOADING, OUTPUT), Forward::run),
            Command.program("embed", "[TEXT…]", "The vector of a text, or of each line of standard input.",
                    "Pooled and normalised as the model's modules.json says. With --json a line in is a string in quotes or "
                            + "{\"text\"}.", Complete.NOTHING,
                    join(List.of(MODEL, Option.flag("a table of how alike the texts are, in place of the vectors", "--cosine")),
                            LOADING, OUTPUT), Encoders::embed),
            Command.program("classify", "[TEXT…|FILE…]", "The classes of a text or a picture, with their scores.",
                    "A text of words, or one a line of standard input; with --json a line in is a string in quotes or "
                            + "{\"text\",\"pair\"}. Pictures are files.", Complete.FILES,
                    join(List.of(MODEL, Option.of("TEXT", "a second text that belongs to the first", "--pair"),
                            Option.of("OUT.png", "the picture with what the model looks at drawn over it: attention rollout, or "
                                    + "one head", "--attention").completing(Complete.FILES),
                            Option.of("N", "for --attention, from 0; the last", "--layer"),
                            Option.of("N", "for --attention, from 0", "--head")), LOADING, OUTPUT), Encoders::classify),
            Command.program("fill_mask", "[TEXT…]", "What fills the masks of a text best.",
                    "The text spells the mask as the model does: [MASK] or <mask>.", Complete.NOTHING,
                    join(List.of(MODEL, Option.of("N", "how many for each mask; 5", "-k", "--k")), LOADING, OUTPUT), Encoders::fillMask),
            Command.program("translate", "[TEXT…]", "What an encoder–decoder model makes of a text.",
                    "Of the words, or of each line of standard input, decoded as the model's generation_config.json says.",
                    Complete.NOTHING, join(List.of(MODEL, Option.of("N", "beams; 1 is greedy", "--num_beams"),
                            Option.of("P", "above 0 longer answers win", "--length_penalty")), sampling(), LOADING, OUTPUT,
                            List.of(VERBOSE)), Translating::run),
            Command.program("transcribe", "FILE…", "What is said in a recording (.wav, .aiff, .au).", "", Complete.FILES,
                    join(List.of(MODEL, Option.of("L", "of the recording: de, german; heard if not given", "--language"),
                            Option.of("T", "transcribe, or translate into English", "--task"),
                            Option.flag("when each part was said", "--timestamps")), LOADING, OUTPUT), Transcribing::run),
            Command.program("convert", "MODEL OUT", "Writes a model as a folder that other programs open.",
                    "MODEL may have adapters, which are merged: base+adapter@0.7. OUT must not be there yet.", Complete.MODELS,
                    join(List.of(Option.of("F", "onnx, genai (onnxruntime-genai) or safetensors; onnx", "--format"),
                            Option.of("P", "fp32, fp16, int8 or int4; bf16 too for safetensors; fp32", "--precision")), OUTPUT),
                    Converting::run),
            Command.program("render", "[FILE [NAME=VALUE…]]", "What a prompt file sends, or a template makes of its variables.",
                    "Of a prompt file the messages, and with -m the text that the model would get; no model is loaded. --batch reads {\"template\",\"vars\",\"environment\",\"options\"?,\"now\"?} or {\"messages\",\"model\"} a "
                            + "line and writes {\"text\"} or {\"error\"} a line.", Complete.NOTHING,
                    join(List.of(Option.of("FILE", "a Jinja template", "--template").completing(Complete.FILES),
                            MODEL, Option.of("NAME=VALUE", "an input of the prompt file", "--set").repeatable(),
                            Option.of("NAME=FILE", "an input that is the text of a file", "--set_file").repeatable(),
                            Option.of("FILE", "JSON object of the template's variables", "--vars").completing(Complete.FILES),
                            Option.of("E", "plain, chat or lm_eval; plain if not given", "--environment")
                                    .completing(Complete.ENVIRONMENTS),
                            Option.flag("one JSON object a line on standard input", "--batch")), parts(), OUTPUT), Templates::run),
            Command.program("pull", "NAME", "Fetches a model.",
                    "NAME is one of the catalogue, hf:owner/name[:file][@revision], an https address, a path, or provider:webgpu.",
                    Complete.CATALOGUE, OUTPUT, Models::pull),
            Command.slash("pull", "NAME", "Fetches a model; loads it if it is the first.", Command.Takes.WORDS,
                    Complete.CATALOGUE,
                    Models::pullAndLoad),
            Command.program("models", "", "The models on this machine.", "", Complete.NOTHING, OUTPUT, Models::list)
                    .alsoSlash("models", "", Command.Takes.WORDS),
            Command.program("info", "[MODEL]", "What a model is: architecture, size, context, licence.", "", Complete.MODELS,
                    join(List.of(MODEL), LOADING, OUTPUT), Models::info),
            Command.slash("info", "", "What the current model is.", Command.Takes.WORDS, Complete.NOTHING, Models::slashInfo),
            Command.program("rm", "NAME", "Removes a model from this machine.", "", Complete.STORED, OUTPUT, Models::remove)
                    .alsoSlash("rm", "NAME", Command.Takes.WORDS),
            new Command("", "load", "", "MODEL", "Loads a model, in place of the current one; an encoder of text stands beside it, for by=similar.", "", Command.Takes.WORDS,
                    Complete.MODELS, LOADING, Models::load),
            Command.slash("unload", "", "Frees the current model.", Command.Takes.WORDS, Complete.NOTHING, Models::unload),
            Command.slash("set", "[KEY [VALUE]]", "Shows or changes how answers are drawn; VALUE default takes it back.",
                    Command.Takes.WORDS, Complete.SETTINGS, Settings::set),
            Command.slash("system", "[TEXT]", "Shows or sets the system message; off removes it.", Command.Takes.TEXT,
                    Complete.NOTHING, Chat::system),
            Command.slash("shot", "INPUT => OUTPUT", "Adds a worked example.", Command.Takes.TEXT, Complete.NOTHING,
                    Composing::shot),
            Command.slash("show", "[TEXT]", "The prompt that TEXT would be, or the last one was: its parts, tokens and cost.",
                    Command.Takes.TEXT, Complete.NOTHING, Chat::show),
            Command.slash("retry", "", "Another answer to the last prompt.", Command.Takes.WORDS, Complete.NOTHING, Chat::retry),
            Command.slash("undo", "[N]", "Takes back the last prompt, or N, with the answers.", Command.Takes.WORDS,
                    Complete.NOTHING, Chat::undo),
            Command.slash("edit", "", "The last prompt in your editor; what is saved is sent in its place.", Command.Takes.WORDS,
                    Complete.NOTHING, Editor::run).explained("The editor is what VISUAL or EDITOR names. If it fails, or an "
                            + "empty file or nothing new is saved, everything stays as it was. In an empty conversation it "
                            + "begins with an empty file. Not in scripts."),
            Command.slash("fork", "[NAME]", "Goes on in a new branch of the conversation; without a name lists them.",
                    Command.Takes.WORDS, Complete.NOTHING, Branches::fork).explained("The new branch has the conversation so "
                            + "far with its system message, and is the current one; the branch it was forked from stays as it "
                            + "is, the first being main. /undo, /retry, /edit, /clear, /save and /open are about the current "
                            + "branch. What the model has read is kept for every branch: going to one computes nothing again."),
            Command.slash("goto", "NAME", "Goes to another branch of the conversation.", Command.Takes.WORDS,
                    Complete.BRANCHES, Branches::goTo),
            Command.slash("clear", "[all]", "Begins a new conversation, in this branch; all empties the prompt's parts too.", Command.Takes.WORDS,
                    Complete.NOTHING, Chat::clear),
            Command.slash("save", "FILE", "Writes the conversation to a .jsonl file, or the composed prompt to a .prompty file.", Command.Takes.WORDS,
                    Complete.FILES, Chat::save),
            Command.slash("open", "FILE", "Goes on with a conversation (.jsonl) or a prompt (.prompty) that was saved.", Command.Takes.WORDS,
                    Complete.FILES,
                    Chat::open),
            Command.slash("probs", "[N]", "How sure the model was of each token of its last answer; alternatives of the N-th.",
                    Command.Takes.WORDS, Complete.NOTHING, Probabilities::run),
            Command.program("bench", "", "Speed and memory, in llama-bench's terms.",
                    "ppN is a prompt of N tokens, tgN N tokens generated; numbers may be lists, as in -p 128,512.",
                    Complete.NOTHING, join(List.of(MODEL, Option.of("N", "prompt tokens; 512", "-p", "--n_prompt"),
                            Option.of("N", "generated tokens; 128", "-n", "--n_gen"),
                            Option.of("N", "tokens of context before; 0", "-d", "--n_depth"),
                            Option.of("N", "runs that count; 5", "-r", "--repetitions"),
                            Option.of("F", "md, csv, json or jsonl", "-o", "--output").completing(Complete.OUTPUTS)),
                            LOADING, OUTPUT), Bench::run).alsoSlash("bench", "", Command.Takes.WORDS),
            Command.slash("time", "[on|off]", "Whether a line about speed follows an answer.", Command.Takes.WORDS,
                    Complete.SWITCH,
                    Settings::time),
            Command.program("doctor", "", "What this machine has, and why a device is missing.", "", Complete.NOTHING, OUTPUT,
                    Doctor::run).alsoSlash("doctor", "", Command.Takes.WORDS),
            Command.slash("help", "[COMMAND]", "This list, or more about one command.", Command.Takes.WORDS, Complete.COMMANDS,
                    Commands::slashHelp),
            Command.slash("quit", "", "Leaves; so does Ctrl-D.", Command.Takes.WORDS, Complete.NOTHING, (workspace, _) -> {
                workspace.quit();
                return 0;
            })));

    /// Of the first column of help: what is wider has its text on the line below.
    private static final int WIDEST = 36;

    private Commands() {}

    /// `rows`, and behind `/system` those of the composed prompt's parts.
    private static List<Command> rows(List<Command> rows) {
        List<Command> all = new ArrayList<>();
        for (Command row : rows) {
            all.add(row);
            if (row.slash().equals("system")) for (Part part : Part.values())
                all.add(Command.slash(part.key(), "[" + part.value() + "]", part.sentence(), Command.Takes.TEXT, part.complete(),
                        Composing.of(part)));
        }
        return List.copyOf(all);
    }

    @SafeVarargs
    private static List<Option> join(List<Option>... lists) {
        List<Option> all = new ArrayList<>();
        for (List<Option> list : lists) all.addAll(list);
        return List.copyOf(all);
    }

    private static List<Option> parts() {
        return Arrays.stream(Part.values()).map(Part::option).toList();
    }

    private static List<Option> sampling() {
        return Arrays.stream(Setting.values()).map(Setting::option).toList();
    }

    /// The subcommands of the program.
    static List<Command> programs() {
        return ROWS.stream().filter(c -> !c.name().isEmpty()).toList();
    }

    /// The commands of the shell.
    static List<Command> slashes() {
        return ROWS.stream().filter(c -> !c.slash().isEmpty()).toList();
    }

    static Optional<Command> program(String name) {
        return find(programs(), Command::name, name);
    }

    static Optional<Command> slash(String name) {
        return find(slashes(), Command::slash, name);
    }

    private static Optional<Command> find(List<Command> rows, Function<Command, String> key, String name) {
        return rows.stream().filter(c -> key.apply(c).equals(name.replace('-', '_'))).findFirst();
    }

    /// The options that a subcommand takes.
    static List<Option> options(Command command) {
        return join(command.options(), List.of(HELP));
    }

    /// Runs what was typed in the shell or stands in a script.
    static int run(Workspace workspace, Entry entry) throws IOException {
        if (entry.text().isBlank()) return 0;
        if (!entry.command()) return Chat.say(workspace, entry.text());
        String line = entry.text().strip();
        String name = line.split("\\s", 2)[0].substring(1);
        String rest = line.substring(1 + name.length()).strip();
        Command command = slash(name)
                .orElseThrow(() -> new UserError("", "unknown command \"/" + name + "\"", UserError.near("/" + name,
                slashes().stream().map(c -> "/" + c.slash()).toList(), "/help lists the commands")));
        return command.action().run(workspace, options(command, rest));
    }

    private static Options options(Command command, String rest) {
        if (command.takes() == Command.Takes.TEXT) return rest.isEmpty() ? Options.of() : Options.of(rest);
        List<Option> options = command.options().stream().filter(o -> !OUTPUT.contains(o)).toList();
        return Options.parse("/" + command.slash(), options, words("/" + command.slash(), rest), false);
    }

    /// Splits at white space; quotes hold together. A backslash is a backslash: it separates folders on Windows.
    static List<String> words(String where, String rest) {
        DefaultParser parser = new DefaultParser().escapeChars(new char[0]).eofOnUnclosedQuote(true);
        try {
            return parser.parse(rest, rest.length(), org.jline.reader.Parser.ParseContext.ACCEPT_LINE).words().stream()
                    .filter(w -> !w.isEmpty()).toList();
        } catch (org.jline.reader.EOFError e) {
            throw new UserError(where, "a quote is not closed", "close it, or leave it out", e);
        }
    }

    private static int slashHelp(Workspace workspace, Options options) {
        options.expect("/help", "[COMMAND]", 0, 1);
        Render render = workspace.render();
        if (options.words().isEmpty()) {
            render.line("A line that starts with / is a command, anything else goes to the model. \"\"\" opens and closes a");
            render.line("block, \\ at the end of a line continues it. Ctrl-C stops the answer, Tab completes, Ctrl-R searches.");
            rows(render, slashes().stream().map(c -> List.of(("/" + c.slash() + " " + c.slashUsage()).strip(), c.help()))
                    .toList());
            return 0;
        }
        String name = options.text().replaceFirst("^/", "");
        Command command = slash(name).orElseThrow(() -> new UserError("/help", "unknown command \"" + name + "\"",
                UserError.near(name, slashes().stream().map(Command::slash).toList(), "/help lists the commands")));
        render.line(("/" + command.slash() + " " + command.slashUsage()).strip());
        render.line("  " + command.help());
        if (command.name().isEmpty()) wrapped(command.details()).forEach(line -> render.line("  " + line));
        if (command.slash().equals("set"))
            rows(render, Arrays.stream(Setting.values()).map(s -> List.of("  " + s.key(), s.help())).toList());
        if (command.takes() == Command.Takes.WORDS) optionRows(render, command.options().stream()
                .filter(o -> !OUTPUT.contains(o)).toList());
        return 0;
    }

    private static void rows(Render render, List<List<String>> rows) {
        int width = rows.stream().mapToInt(row -> row.getFirst().length()).filter(n -> n <= WIDEST).max().orElse(0);
        for (List<String> row : rows) {
            String first = row.getFirst();
            render.line(render.paint(Style.CYAN, first) + (first.length() > WIDEST ? "\n" + " ".repeat(width + 2)
                    : " ".repeat(width + 2 - first.length())) + row.getLast());
        }
    }

    private static void optionRows(Render render, List<Option> options) {
        rows(render, options.stream().map(o -> List.of("  " + o.usage(), o.help())).toList());
    }

    /// `fewsh --help`.
    static void help(Render render) {
        render.line("fewsh, the few-shot shell");
        render.line("");
        render.line("fewsh [-m MODEL]             the shell");
        render.line("fewsh FILE.fewsh             runs a file of its lines; -c LINES runs them, standard input too");
        render.line("fewsh COMMAND …              one of:");
        rows(render, programs().stream().map(c -> List.of("  " + (c.name() + " " + c.usage()).strip(), c.help())).toList());
        render.line("");
        render.line("options, for most commands; fewsh COMMAND --help lists a command's own:");
        optionRows(render, PROGRAM);
        render.line("");
        render.line("environment: FEWSH_HOME (~/.fewsh), FEWSH_MODEL, NO_COLOR, HF_TOKEN, HF_ENDPOINT, HTTPS_PROXY,"
                + " SSL_CERT_FILE");
        render.line("exit: 0 done, 1 a check failed, 2 could not run, 130 interrupted");
    }

    /// `fewsh COMMAND --help`.
    static void help(Render render, Command command) {
        render.line(("fewsh " + command.name() + " " + command.usage()).strip());
        render.line("  " + command.help());
        wrapped(command.details()).forEach(line -> render.line("  " + line));
        render.line("");
        optionRows(render, options(command));
    }

    /// Lines of at most 96 characters.
    private static List<String> wrapped(String text) {
        List<String> lines = new ArrayList<>();
        StringBuilder line = new StringBuilder();
        for (String word : text.split(" ")) {
            if (!line.isEmpty() && line.length() + 1 + word.length() > 96) {
                lines.add(line.toString());
                line.setLength(0);
            }
            line.append(line.isEmpty() ? "" : " ").append(word);
        }
        if (!line.isEmpty()) lines.add(line.toString());
        return lines;
    }

    /// The text of docs/commands.md.
    static String markdown() {
        List<String> lines = new ArrayList<>(List.of("# Commands", "",
                "Made from the table in `Commands.java`: change it there, then `./mvnw -q -pl runtime,shell test -Dtest=CommandsTest -Dgolden.update=true -Dsurefire.failIfNoSpecifiedTests=false`.", "",
                "Names are snake_case; a hyphen is accepted wherever an option has an underscore. Results go to stdout, "
                        + "everything else to stderr. Exit codes: 0 done, 1 a check failed, 2 could not run, 130 interrupted.",
                                "",
                "## The program", "", "```", "fewsh [-m MODEL]        the shell",
                        "fewsh FILE.fewsh        runs the lines of a file",
                "fewsh -c LINES          runs lines", "fewsh < FILE            runs the lines of standard input",
                "fewsh COMMAND …", "```", ""));
        table(lines, "option", PROGRAM.stream().map(o -> List.of(o.usage(), o.help())).toList());
        for (Command command : programs()) {
            lines.addAll(List.of("### " + command.name(), "", "`" + ("fewsh " + command.name() + " " + command.usage()).strip()
                    + "`", "",
                    command.help() + (command.details().isEmpty() ? "" : " " + command.details()), ""));
            table(lines, "option", command.options().stream().map(o -> List.of(o.usage(), o.help())).toList());
        }
        lines.addAll(List.of("## In the shell", "",
                "A line that starts with `/` is a command, anything else goes to the model. `\"\"\"` opens and closes a block, "
                        + "`\\` at a line's end continues it; a paste is one entry. Ctrl-C stops the answer (what was printed "
                        + "stays), Ctrl-D leaves, Tab completes, Ctrl-R searches.", ""));
        table(lines, "command", slashes().stream().map(c -> List.of(("/" + c.slash() + " " + c.slashUsage()).strip(), c.help()))
                .toList());
        slashes().stream().filter(c -> c.name().isEmpty() && !c.details().isEmpty())
                .forEach(c -> lines.addAll(List.of("`/" + c.slash() + "`: " + c.details(), "")));
        lines.addAll(List.of("Settings of `/set`:", ""));
        table(lines, "setting", Arrays.stream(Setting.values()).map(s -> List.of(s.key(), s.help())).toList());
        return String.join("\n", lines).stripTrailing() + "\n";
    }

    private static void table(List<String> lines, String head, List<List<String>> rows) {
        lines.addAll(List.of("| " + head + " | |", "| --- | --- |"));
        for (List<String> row : rows)
            lines.add("| `" + row.getFirst().replace("|", "\\|") + "` | " + row.getLast().replace("|", "\\|") + " |");
        lines.add("");
    }
}
