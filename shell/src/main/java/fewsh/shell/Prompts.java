package fewsh.shell;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import fewsh.UserError;
import fewsh.ask.Batch;
import fewsh.generate.KvCache;
import fewsh.generate.SamplingConfig;
import fewsh.models.Precision;
import fewsh.prompt.ChatTemplate;
import fewsh.prompt.Composed;
import fewsh.prompt.Composition;
import fewsh.prompt.Cot;
import fewsh.prompt.Message;
import fewsh.prompt.Pool;
import fewsh.prompt.PromptFile;
import fewsh.prompt.Row;
import fewsh.prompt.Rows;
import fewsh.prompt.Tokens;
import fewsh.tokenize.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;

/// A prompt file and what a person gives it: `fewsh run FILE`, `fewsh render FILE`, `/run FILE`.
///
/// @param name as it was typed
/// @param given inputs, by name
/// @param composition the file's, with what the command line changes
/// @param settings the file's, with those of the command line on top
record Prompts(String name, PromptFile file, Map<String, Object> given, Composition composition,
        Map<Setting, List<String>> settings) {
    private static final Gson JSON = new GsonBuilder().serializeNulls().disableHtmlEscaping().create();

    /// Whether a file's name says that it is a prompt.
    static boolean isPrompt(String name) {
        return name.endsWith(".prompty") || name.endsWith(".prompt");
    }

    /// The prompt file that the words name first, with its inputs.
    ///
    /// @throws UserError if it cannot be read, an input is given twice, or a value is none
    static Prompts of(Workspace workspace, String where, Options options) {
        String name = options.words().getFirst();
        PromptFile file = PromptFile.read(workspace.file(name), workspace.environment());
        file.warnings().forEach(warning -> workspace.render().note("warning: " + warning));
        Map<String, Object> given = new LinkedHashMap<>();
        List<String> pairs = new ArrayList<>(options.words().subList(1, options.words().size()));
        pairs.addAll(options.all("set"));
        for (String pair : pairs) put(given, where, pair, value -> value);
        for (String pair : options.all("set_file")) put(given, where, pair, workspace::read);
        Map<Setting, List<String>> settings = new EnumMap<>(Setting.class);
        settings.putAll(Setting.stored(file.options()));
        settings.putAll(Setting.given(options));
        Setting.apply(SamplingConfig.GREEDY, settings);                       // a value out of range before a model is loaded
        return new Prompts(name, file, given, Part.apply(file.composition(), Part.given(options), workspace), settings);
    }

    private static void put(Map<String, Object> given, String where, String pair, UnaryOperator<String> value) {
        int equals = pair.indexOf('=');
        if (equals < 1) throw new UserError(where, "\"" + pair + "\" is no input", "inputs are given as name=value");
        String input = pair.substring(0, equals);
        if (given.put(input, value.apply(pair.substring(equals + 1))) != null)
            throw new UserError(where, "the input \"" + input + "\" is given twice", "leave one out");
    }

    /// `fewsh run FILE`.
    static int run(Workspace workspace, Options options) {
        Prompts prompt = of(workspace, "fewsh run", options);
        int samples = options.whole("n", 1, 1);
        if (samples > 1) Ask.alone(prompt.composition);
        if (options.has("output") != options.has("input"))
            throw new UserError("fewsh run", "--input and --output go together", "--input data.jsonl --output out.jsonl");
        boolean batch = options.has("input");
        if (batch && !options.get("output", "").endsWith(".jsonl"))
            throw new UserError("--output", "\"" + options.get("output", "") + "\" does not end in .jsonl", "a line of it is JSON");
        List<Row> rows = batch ? Rows.read(workspace.file(options.get("input", ""))) : List.of();
        if (batch && rows.isEmpty()) throw new UserError(options.get("input", ""), "holds no rows", "");
        if (batch && samples > 1) throw new UserError("-n", "cannot go with --input", "--vote N draws several and says which won");
        Map<String, Object> inputs = batch ? Map.of() : prompt.file.check(prompt.given);
        Interruption interruption = Interruption.of(workspace);
        if (options.has("encoder"))
            workspace.loadEncoder(options.get("encoder", ""), workspace.loadOptions(options, Precision.AUTO));
        workspace.load(workspace.modelName(options), workspace.loadOptions(options, Precision.AUTO));
        SamplingConfig config = workspace.sampling(prompt.settings, prompt.composition);
        if (options.has("verbose")) Ask.verbose(workspace.render(), workspace.model().about(), config);
        interruption.reached();
        if (batch) return prompt.batch(workspace, config, rows, options.get("output", ""));
        Composed composed = prompt.compose(workspace, inputs, config);
        int code = samples > 1 ? Answering.samples(workspace, Ask.ids(workspace.model(), composed), config, samples, false)
                : Ask.answer(workspace, composed, config, false);
        if (!workspace.render().json() && !options.has("verbose"))
            Ask.reportSeed(workspace, config, prompt.composition, prompt.settings.containsKey(Setting.SEED));
        return code;
    }

    /// `/run FILE [NAME=VALUE…]`: on the current model; the conversation stays as it is.
    static int slash(Workspace workspace, Options options) {
        Prompts prompt = of(workspace, "/run", options);
        Map<String, Object> inputs = prompt.file.check(prompt.given);
        SamplingConfig config = workspace.sampling(prompt.settings, prompt.composition);
        return Ask.answer(workspace, prompt.compose(workspace, inputs, config), config, false);
    }

    private Composed compose(Workspace workspace, Map<String, Object> inputs, SamplingConfig config) {
        return composition.compose(file.body(), inputs, workspace.tokens(), Pool.of(composition.shots(), workspace.similarity()),
                workspace.room(config));
    }

    /// A line for each row. Of the same rows always the same lines, wherever a run was interrupted.
    private int batch(Workspace workspace, SamplingConfig config, List<Row> rows, String output) {
        Render render = workspace.render();
        Pool pool = Pool.of(composition.shots(), workspace.similarity());
        Tokens tokens = workspace.tokens();
        int room = workspace.room(config);
        SamplingConfig seeded = settings.containsKey(Setting.SEED) ? config : config.withSeed(0);
        String named = String.join("\n", workspace.read(name), composition.toString(), given.toString(),
                workspace.encoderName());
        try (Batch batch = Batch.open(workspace.model(), seeded, named, row -> {
            Map<String, Object> inputs = new LinkedHashMap<>(given);
            inputs.putAll(row);
            return composition.compose(file.body(), file.check(inputs), tokens, pool, room);
        }, List.copyOf(rows), workspace.file(output))) {
            workspace.running(batch::interrupt);
            Batch.Progress progress = batch.progress();
            if (progress.done() > 0 && !batch.isFinished())
                render.note("going on after row " + progress.done() + " of " + progress.total());
            while (batch.hasNext()) {
                progress = batch.next();
                int row = progress.done();
                progress.error().ifPresent(e -> render.note("row " + row + ": " + e.where() + (e.where().isEmpty() ? "" : ": ")
                        + e.what()));
                render.progress(bar(progress));
            }
            render.clearProgress();
            if (!batch.isFinished()) {
                render.note(progress.done() + " of " + progress.total() + " rows done; the same command goes on with the rest");
                return 130;
            }
            render.note(progress.total() + (progress.total() == 1 ? " row" : " rows") + " in " + output
                    + (progress.failed() == 0 ? "" : ", " + progress.failed() + " of them failed: their lines say why"));
            return progress.failed() == 0 ? 0 : 1;
        } finally {
            workspace.running(null);
        }
    }

    private static String bar(Batch.Progress p) {
        int filled = 20 * p.done() / Math.max(1, p.total());
        return "█".repeat(filled) + "░".repeat(20 - filled) + " %d/%d · %,.0f tok/s · %s left".formatted(p.done(), p.total(),
                p.tokensPerSecond(), Render.time(p.left())) + (p.failed() == 0 ? "" : " · " + p.failed() + " failed");
    }

    /// `fewsh render FILE`: the messages that `run` would send; with `-m` also the text that the model would get.
    static int render(Workspace workspace, Options options) {
        Prompts prompt = of(workspace, "fewsh render", options);
        Map<String, Object> inputs = prompt.file.check(prompt.given);
        Render render = workspace.render();
        Composed composed;
        Optional<String> text = Optional.empty();
        if (options.has("model")) {
            String model = options.get("model", "");
            Optional<ChatTemplate> template = Templates.find(workspace, model);
            try (Tokenizer tokenizer = Templates.tokenizer(workspace, model)) {
                Tokens tokens = messages -> tokenizer.encode(template.map(t -> t.render(messages, true, Map.of()))
                        .orElseGet(() -> Composed.text(messages)), false, true).length;
                composed = prompt.composition.compose(prompt.file.body(), inputs, tokens);
            }
            text = Optional.of(text(template, composed));
        } else composed = prompt.composition.compose(prompt.file.body(), inputs, Tokens.NONE);
        if (render.json()) {
            JsonObject line = new JsonObject();
            JsonArray messages = new JsonArray();
            for (Message message : sent(composed).messages()) messages.add(JSON.toJsonTree(message.fields()));
            line.add("messages", messages);
            text.ifPresent(t -> {
                line.addProperty("text", t);
                line.addProperty("prompt_hash", sha256(t));
            });
            render.line(line);
        } else if (text.isPresent()) render.text(text.get());
        else
            for (Message message : sent(composed).messages())
                render.line(render.paint(Style.DIM, message.role() + ":") + "\n" + message.text() + "\n");
        return 0;
    }

    /// The prompt up to where the model goes on: zero-shot chain of thought has begun its answer.
    private static Composed sent(Composed composed) {
        Cot cot = composed.composition().cot();
        return cot.kind() == Cot.Kind.ZERO_SHOT ? composed.begun(cot.trigger()) : composed;
    }

    /// The text that the model gets.
    static String text(Optional<ChatTemplate> template, Composed composed) {
        Composed sent = sent(composed);
        if (template.isEmpty()) return sent.text();
        return sent == composed ? template.get().render(sent.messages(), true, Map.of())
                : template.get().renderContinuing(sent.messages(), Map.of());
    }

    private static String sha256(String text) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);                               // every JVM has it
        }
    }
}
