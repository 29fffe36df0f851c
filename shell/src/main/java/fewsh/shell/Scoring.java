package fewsh.shell;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import fewsh.UserError;
import fewsh.generate.Candidate;
import fewsh.generate.CausalLm;
import fewsh.generate.Score;
import fewsh.generate.Step;
import fewsh.models.Precision;
import fewsh.tokenize.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// `fewsh score` and `/score`: how likely a text is, token by token.
final class Scoring {
    private Scoring() {}

    /// A request for a score. An empty `context` and `rolling` true: every token of `continuation` is scored once.
    private record Request(String context, String continuation, boolean rolling) {
        Score run(Workspace workspace) {
            CausalLm model = workspace.model();
            return rolling ? model.scoreRolling(workspace.scoreCache(), continuation)
                    : model.score(workspace.scoreCache(), context, continuation);
        }
    }

    static int run(Workspace workspace, Options options) {
        boolean form = options.has("context") || options.has("continuation") || !options.words().isEmpty();
        Request request = form ? request(options) : null;
        workspace.load(workspace.modelName(options), workspace.loadOptions(options, Precision.AUTO));
        if (form) show(workspace, request.run(workspace));
        else lines(workspace);
        return 0;
    }

    /// `/score TEXT`.
    static int slash(Workspace workspace, Options options) {
        String text = options.expect("/score", "TEXT", 1, 1).text();
        show(workspace, new Request("", text, true).run(workspace));
        return 0;
    }

    private static Request request(Options options) {
        if (!options.words().isEmpty()) {
            if (options.has("context") || options.has("continuation"))
                throw new UserError("fewsh score", "takes a text or --context and --continuation, not both", "");
            return new Request("", options.text(), true);
        }
        if (!options.has("continuation"))
            throw new UserError("fewsh score", "--continuation is missing", "--context TEXT --continuation TEXT");
        return new Request(options.get("context", ""), options.get("continuation", ""), false);
    }

    private static void lines(Workspace workspace) {
        if (workspace.terminalIn())
            throw new UserError("fewsh score", "nothing to score", "give a TEXT, --context and --continuation, or lines of JSON on"
                    + " standard input: {\"context\",\"continuation\"} or {\"text\"}");
        int number = 0;
        for (String line = workspace.readLine(); line != null; line = workspace.readLine()) {
            number++;
            if (line.isBlank()) continue;
            Request request = request(line, "stdin:" + number);
            try {
                workspace.render().line(json(workspace.model().tokenizer(), request.run(workspace)));
            } catch (UserError e) {
                throw JsonLines.at(number, e);
            }
        }
    }

    private static Request request(String line, String where) {
        JsonObject object = JsonLines.object(line, where);
        boolean rolling = object.has("text");
        for (String key : object.keySet())
            if (!(rolling ? List.of("text") : List.of("context", "continuation")).contains(key))
                throw new UserError(where, "unknown field \"" + key + "\"",
                        "a line is {\"context\",\"continuation\"} or {\"text\"}");
        if (rolling) return new Request("", JsonLines.text(object, "text", where), true);
        return new Request(JsonLines.text(object, "context", where), JsonLines.text(object, "continuation", where), false);
    }

    private static void show(Workspace workspace, Score score) {
        Render render = workspace.render();
        Tokenizer tokenizer = workspace.model().tokenizer();
        if (render.json()) {
            render.line(json(tokenizer, score));
            return;
        }
        List<List<String>> rows = new ArrayList<>();
        for (Candidate token : score.tokens())
            rows.add(List.of(Integer.toString(token.id()), Render.quoted(Tokenizing.shown(tokenizer, token.id())),
                    String.format(Locale.ROOT, "%.4f", token.logprob()), percent(token.logprob())));
        render.table(List.of(">id", "token", ">logprob", ">p"), rows);
        int n = score.tokens().size();
        String perplexity = n == 0 ? "" : String.format(Locale.ROOT, " · perplexity %.2f", Math.exp(-score.loglikelihood() / n));
        render.line(String.format(Locale.ROOT, "loglikelihood %.4f · %s%s", score.loglikelihood(),
                score.isGreedy() ? "greedy" : "not greedy", perplexity));
    }

    static String percent(double logprob) {
        return String.format(Locale.ROOT, "%.1f %%", 100 * Math.exp(logprob));
    }

    private static JsonObject json(Tokenizer tokenizer, Score score) {
        JsonObject line = new JsonObject();
        line.add("loglikelihood", number(score.loglikelihood()));
        line.addProperty("is_greedy", score.isGreedy());
        JsonArray tokens = new JsonArray();
        score.tokens().forEach(token -> tokens.add(json(tokenizer, token)));
        line.add("tokens", tokens);
        return line;
    }

    static JsonObject json(Tokenizer tokenizer, Candidate token) {
        JsonObject one = new JsonObject();
        one.addProperty("id", token.id());
        one.addProperty("text", Tokenizing.text(tokenizer, token.id()));
        one.add("logprob", number(token.logprob()));
        return one;
    }

    /// The tokens of an answer, each with the likeliest in its place if those were asked for.
    static JsonArray json(Tokenizer tokenizer, List<Step.Token> tokens) {
        JsonArray all = new JsonArray();
        for (Step.Token token : tokens) {
            JsonObject one = json(tokenizer, new Candidate(token.id(), "", token.logprob()));
            if (!token.top().isEmpty()) {
                JsonArray top = new JsonArray();
                token.top().forEach(candidate -> top.add(json(tokenizer, candidate)));
                one.add("top", top);
            }
            all.add(one);
        }
        return all;
    }

    /// JSON has no infinity: null.
    private static JsonElement number(double value) {
        return Double.isFinite(value) ? new JsonPrimitive(value) : com.google.gson.JsonNull.INSTANCE;
    }
}
