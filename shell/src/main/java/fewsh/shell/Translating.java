package fewsh.shell;

import com.google.gson.JsonObject;
import fewsh.UserError;
import fewsh.generate.GenerationConfig;
import fewsh.generate.Seq2Seq;
import fewsh.script.AutoModel;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// `fewsh translate`: what an encoder–decoder model makes of texts: a translation, a summary, whatever it was trained for.
final class Translating {
    private Translating() {}

    static int run(Workspace workspace, Options options) {
        Map<Setting, List<String>> settings = Setting.given(options);
        try (Seq2Seq translator = (Seq2Seq) workspace.open("translate", options, AutoModel.Kind.SEQ2SEQ)) {
            GenerationConfig config = config(translator.defaults(), options, settings);
            if (options.has("verbose")) workspace.render().note("num_beams " + config.numBeams() + ", max_new_tokens "
                    + config.maxNewTokens() + ", length_penalty " + config.lengthPenalty());
            Texts.each(workspace, options, "translate", Optional.empty(), texts ->
                    translator.translate(texts.stream().map(Texts::text).toList(), config).forEach(text -> show(workspace.render(), text)));
        }
        return 0;
    }

    /// The model's own settings with those given on top; what draws takes the beams away.
    private static GenerationConfig config(GenerationConfig defaults, Options options, Map<Setting, List<String>> settings) {
        Map<Setting, List<String>> drawing = new EnumMap<>(Setting.class);
        drawing.putAll(settings);
        for (Setting none : List.of(Setting.REPETITION_PENALTY, Setting.PRESENCE_PENALTY, Setting.FREQUENCY_PENALTY, Setting.STOP))
            if (drawing.containsKey(none)) throw new UserError("--" + none.key(), "is not for encoder–decoder models", "leave it out");
        List<String> most = drawing.remove(Setting.MAX_TOKENS);
        GenerationConfig config = most == null ? defaults
                : defaults.withMaxNewTokens(Options.whole("max_tokens", most.getLast(), 1));
        if (!drawing.isEmpty()) {
            if (options.has("num_beams"))
                throw new UserError("--num_beams", "cannot go with --" + drawing.keySet().iterator().next().key(), "leave one of them out");
            config = config.withSampling(Setting.apply(config.sampling(), drawing));
        }
        if (options.has("num_beams")) config = config.withNumBeams(options.whole("num_beams", 1, 1));
        if (options.has("length_penalty")) {
            try {
                config = config.withLengthPenalty(Double.parseDouble(options.get("length_penalty", "")));
            } catch (NumberFormatException e) {
                throw new UserError("--length_penalty", "must be a number, was \"" + options.get("length_penalty", "") + "\"", "", e);
            }
        }
        return config;
    }

    private static void show(Render render, String text) {
        if (render.json()) {
            JsonObject line = new JsonObject();
            line.addProperty("text", text);
            render.line(line);
        } else render.line(Render.visible(text));
    }
}
