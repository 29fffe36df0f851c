package fewsh.shell;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import fewsh.UserError;
import fewsh.generate.About;
import fewsh.generate.CausalLm;
import fewsh.generate.Candidate;
import fewsh.generate.Decoding;
import fewsh.generate.FinishReason;
import fewsh.generate.KvCache;
import fewsh.generate.SamplingConfig;
import fewsh.generate.Step;
import fewsh.models.Precision;
import fewsh.prompt.Message;
import java.io.IOException;
import java.io.StringWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.jline.utils.Signals;

/// `fewsh ask`: one prompt, one answer or n of them.
///
/// @param prompt words and standard input
/// @param system empty for none
/// @param raw the prompt as it is, even if the model has a chat template
/// @param logprobs how many alternatives to report at each token; −1 for no logprobs at all
record Ask(String prompt, String system, boolean raw, int samples, int logprobs, Map<Setting, List<String>> settings) {
    static int run(Workspace workspace, Options options) throws IOException {
        return of(workspace, options).run(workspace, options.has("verbose"), options);
    }

    /// @throws UserError if there is no prompt or a value is out of range
    static Ask of(Workspace workspace, Options options) throws IOException {
        boolean raw = options.has("raw");
        String prompt = options.text();
        if (!workspace.terminalIn()) {
            StringWriter all = new StringWriter();
            workspace.in().transferTo(all);
            String piped = raw ? all.toString() : all.toString().stripTrailing();
            prompt = prompt.isEmpty() ? piped : piped.isEmpty() ? prompt : prompt + "\n" + piped;
        }
        if (prompt.isEmpty() && !raw) throw new UserError("fewsh ask", "no prompt", "fewsh ask \"Why is the sky blue?\"");
        String system = options.get("system", "");
        if (raw && !system.isEmpty()) throw new UserError("--system", "cannot go with --raw", "leave one of them out");
        if (options.has("logprobs") && !workspace.render().json())
            throw new UserError("--logprobs", "needs --json", "add --json, or look at /probs in the shell");
        return new Ask(prompt, system, raw, options.whole("n", 1, 1), options.has("logprobs")
                ? options.whole("logprobs", 0, 0) : -1, Setting.given(options));
    }

    private int run(Workspace workspace, boolean verbose, Options options) {
        Render render = workspace.render();
        Setting.apply(SamplingConfig.GREEDY, settings);                       // a value out of range before a model is loaded
        Interruption interruption = new Interruption(workspace);
        Signals.register("INT", interruption::raise);
        workspace.load(workspace.modelName(options), workspace.loadOptions(options, Precision.AUTO));
        CausalLm model = workspace.model();
        SamplingConfig config = workspace.sampling(settings).withAlternatives(Math.max(0, logprobs));
        if (verbose) verbose(render, model.about(), config);
        int[] ids = ids(model);
        try (KvCache cache = model.cache(); Decoding decoding = model.decode(cache, ids, config, samples)) {
            workspace.running(decoding);
            interruption.reached();
            boolean stream = samples == 1 && !render.json();
            List<Answer> answers = Answers.draw(decoding, samples, text -> {
                if (stream) render.text(text);
            }, answer -> {
                if (!stream && !render.json()) print(render, answer);
            });
            workspace.running(null);
            if (stream) render.endLine();
            if (render.json())
                for (Answer answer : answers) render.line(json(answer, config, workspace, decoding));
            if (!render.json()) {
                reportSeed(render, config, options);
                if (samples > 1 && config.temperature() == 0)
                    render.note("temperature is 0, so all samples are the same: add --temperature 0.8");
                if (answers.stream().anyMatch(a -> a.reason() == FinishReason.LENGTH))
                    render.note("stopped at max_tokens or the context's end: --max_tokens " + config.maxTokens() + " was in force");
            }
            return answers.stream().anyMatch(a -> a.reason() == FinishReason.INTERRUPTED) ? 130 : 0;
        }
    }

    private int[] ids(CausalLm model) {
        if (raw) return asItIs(model);
        if (model.chatTemplate().isPresent()) return model.encode(conversation(), true);
        if (!system.isEmpty())
            throw new UserError("--system", "this model has no chat template, so no place for a system message",
                    "put the text into the prompt");
        return model.encode(prompt);
    }

    /// The ids of a prompt that may spell special tokens, as a template's text does; BOS in front where the model wants it,
    /// unless the prompt spells it.
    private int[] asItIs(CausalLm model) {
        int[] ids = model.tokenizer().encode(prompt, true, true);
        if (ids.length == 0) return new int[] {model.startOfText()};
        boolean twice = ids.length > 1 && ids[0] == ids[1] && model.tokenizer().bos().equals(OptionalInt.of(ids[0]));
        return twice ? Arrays.copyOfRange(ids, 1, ids.length) : ids;
    }

    private List<Message> conversation() {
        List<Message> messages = new ArrayList<>();
        if (!system.isEmpty()) messages.add(new Message("system", system));
        messages.add(new Message("user", prompt));
        return messages;
    }

    private static void reportSeed(Render render, SamplingConfig config, Options options) {
        if (config.temperature() > 0 && !options.has("seed") && !options.has("verbose")) render.note("seed " + config.seed());
    }

    private void print(Render render, Answer answer) {
        render.line(render.paint(Style.DIM, "--- " + (answer.sample() + 1) + " of " + samples + " ---"));
        render.text(answer.text());
        render.endLine();
    }

    /// What `-v` says: the model and the sampling settings in force.
    static void verbose(Render render, About about, SamplingConfig config) {
        render.note(about.name() + " · " + Workspace.line(about));
        Setting.shown(config).forEach((setting, value) -> {
            if (!value.isEmpty()) render.note(setting.key() + " " + value);
        });
    }

    private JsonObject json(Answer answer, SamplingConfig config, Workspace workspace, Decoding decoding) {
        JsonObject line = json(answer, workspace, config, decoding);
        if (samples > 1) line.addProperty("index", answer.sample());
        if (logprobs >= 0) line.add("logprobs", logprobs(answer, workspace.model()));
        return line;
    }

    /// An answer under `--json`.
    static JsonObject json(Answer answer, Workspace workspace, SamplingConfig config, Decoding decoding) {
        About about = workspace.model().about();
        JsonObject line = new JsonObject();
        line.addProperty("text", answer.text());
        line.addProperty("finish_reason", answer.reason().word());
        line.addProperty("prompt_tokens", decoding.promptTokens());
        line.addProperty("completion_tokens", answer.tokens().size());
        line.addProperty("seed", config.seed());
        line.addProperty("model", workspace.modelName());
        line.addProperty("precision", about.precision().name().toLowerCase(java.util.Locale.ROOT));
        line.addProperty("device", about.device().toString());
        JsonObject seconds = new JsonObject();
        seconds.addProperty("load", seconds(workspace.loadTime()));
        seconds.addProperty("prefill", seconds(decoding.prefillTime()));
        seconds.addProperty("decode", seconds(decoding.decodeTime()));
        line.add("seconds", seconds);
        return line;
    }

    private JsonArray logprobs(Answer answer, CausalLm model) {
        JsonArray all = new JsonArray();
        for (Step.Token token : answer.tokens()) {
            JsonObject one = Scoring.json(model.tokenizer(), new Candidate(token.id(), "", token.logprob()));
            if (logprobs > 0) {
                JsonArray top = new JsonArray();
                token.top().forEach(candidate -> top.add(Scoring.json(model.tokenizer(), candidate)));
                one.add("top", top);
            }
            all.add(one);
        }
        return all;
    }

    static double seconds(Duration time) {
        return Math.round(time.toNanos() / 1e3) / 1e6;
    }

    /// Ctrl-C at the program's command line: the answer under way ends; before there is one, the program does.
    private static final class Interruption {
        private final Workspace workspace;
        private boolean reached;

        Interruption(Workspace workspace) {
            this.workspace = workspace;
        }

        /// From here on there is an answer to keep.
        synchronized void reached() {
            reached = true;
        }

        synchronized void raise() {
            if (!reached || !workspace.interrupt()) java.lang.Runtime.getRuntime().halt(130);
        }
    }
}
