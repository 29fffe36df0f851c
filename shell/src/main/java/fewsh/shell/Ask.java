package fewsh.shell;

import fewsh.UserError;
import fewsh.ask.Reply;
import fewsh.generate.CausalLm;
import fewsh.generate.KvCache;
import fewsh.generate.SamplingConfig;
import fewsh.load.About;
import fewsh.models.Precision;
import fewsh.prompt.Composed;
import fewsh.prompt.Composition;
import fewsh.prompt.Cot;
import fewsh.prompt.Message;
import fewsh.prompt.Pool;
import java.io.IOException;
import java.io.StringWriter;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/// `fewsh ask`: one prompt, one answer or n of them.
///
/// @param prompt words and standard input
/// @param system empty for none
/// @param raw the prompt as it is, even if the model has a chat template
/// @param parts of the composed prompt, beside the system message
/// @param logprobs how many alternatives to report at each token; −1 for no logprobs at all
record Ask(String prompt, String system, boolean raw, int samples, int logprobs, Map<Setting, List<String>> settings,
        Map<Part, String> parts) {
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
        Map<Part, String> parts = Part.given(options);
        if (raw && !parts.isEmpty()) throw new UserError("--" + parts.keySet().iterator().next().key(), "cannot go with --raw",
                "leave one of them out");
        return new Ask(prompt, system, raw, options.whole("n", 1, 1), options.has("logprobs")
                ? options.whole("logprobs", 0, 0) : -1, Setting.given(options), parts);
    }

    private int run(Workspace workspace, boolean verbose, Options options) {
        Setting.apply(SamplingConfig.GREEDY, settings);                       // a value out of range before a model is loaded
        Composition composition = Part.apply(Composition.EMPTY, parts, workspace);
        if (samples > 1) alone(composition);
        Interruption interruption = Interruption.of(workspace);
        if (options.has("encoder"))
            workspace.loadEncoder(options.get("encoder", ""), workspace.loadOptions(options, Precision.AUTO));
        workspace.load(workspace.modelName(options), workspace.loadOptions(options, Precision.AUTO));
        CausalLm model = workspace.model();
        SamplingConfig config = workspace.sampling(settings, composition).withAlternatives(Math.max(0, logprobs));
        if (verbose) verbose(workspace.render(), model.about(), config);
        Composed composed = raw ? null : compose(workspace, composition, config);
        interruption.reached();
        int code;
        if (raw || samples > 1)
            code = Answering.samples(workspace, raw ? asItIs(model) : ids(model, composed), config, samples, logprobs >= 0);
        else code = answer(workspace, composed, config, logprobs >= 0);
        if (!workspace.render().json() && !options.has("verbose")) reportSeed(workspace, config, composition, options.has("seed"));
        return code;
    }

    /// @throws UserError if `-n` cannot go with what `composition` asks for
    static void alone(Composition composition) {
        String technique = composition.vote().n() > 1 ? "a vote" : composition.knowledge() > 0 ? "generated knowledge"
                : composition.cot().kind() == Cot.Kind.ZERO_SHOT ? "the two calls of cot zero_shot" : "";
        if (!technique.isEmpty()) throw new UserError("-n", "cannot go with " + technique, "leave one of them out");
    }

    /// One answer by the technique that the prompt names; the exit code.
    static int answer(Workspace workspace, Composed composed, SamplingConfig config, boolean logprobs) {
        try (KvCache cache = workspace.model().cache()) {
            Reply reply = Answering.of(workspace, cache, composed, config, logprobs).reply();
            return Answering.ended(workspace, config, List.of(reply.reason()));
        }
    }

    /// What was drawn by chance can be drawn again.
    static void reportSeed(Workspace workspace, SamplingConfig config, Composition composition, boolean given) {
        boolean drawn = config.temperature() > 0 || composition.vote().n() > 1 || composition.knowledge() > 0;
        if (drawn && !given) workspace.render().note("seed " + config.seed());
    }

    private Composed compose(Workspace workspace, Composition composition, SamplingConfig config) {
        boolean chat = workspace.model().chatTemplate().isPresent();
        if (!system.isEmpty() && !chat)
            throw new UserError("--system", "this model has no chat template, so no place for a system message",
                    "put the text into the prompt");
        return composition.compose(inputs -> {
            Message question = new Message("user", String.valueOf(inputs.get("input")));
            return system.isEmpty() ? List.of(question) : List.of(new Message("system", system), question);
        }, Map.of("input", prompt), workspace.tokens(), Pool.of(composition.shots(), workspace.similarity()), workspace.room(config));
    }

    /// The ids of a composed prompt, up to where the answer begins.
    static int[] ids(CausalLm model, Composed composed) {
        return model.chatTemplate().isPresent() ? model.encode(composed.messages(), true) : model.encode(composed.text());
    }

    /// The ids of a prompt that may spell special tokens, as a template's text does; BOS in front where the model wants it,
    /// unless the prompt spells it.
    private int[] asItIs(CausalLm model) {
        int[] ids = model.tokenizer().encode(prompt, true, true);
        if (ids.length == 0) return new int[] {model.startOfText()};
        boolean twice = ids.length > 1 && ids[0] == ids[1] && model.tokenizer().bos().equals(OptionalInt.of(ids[0]));
        return twice ? Arrays.copyOfRange(ids, 1, ids.length) : ids;
    }

    /// What `-v` says: the model, what of it runs where, and the sampling settings in force.
    static void verbose(Render render, About about, SamplingConfig config) {
        render.note(about.name() + " · " + Workspace.line(about));
        if (!about.placement().nodes().isEmpty()) render.note(about.placement().toString());
        Setting.shown(config).forEach((setting, value) -> {
            if (!value.isEmpty()) render.note(setting.key() + " " + value);
        });
    }
}
