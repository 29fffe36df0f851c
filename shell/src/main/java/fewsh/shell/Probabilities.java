package fewsh.shell;

import fewsh.UserError;
import fewsh.generate.Candidate;
import fewsh.generate.Step;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/// `/probs [N]`: how sure the model was of each token of its last answer, and what else it had in mind.
final class Probabilities {
    private static final int BAR = 24;

    private Probabilities() {}

    static int run(Workspace workspace, Options options) {
        options.expect("/probs", "[N]", 0, 1);
        Answer answer = workspace.last().filter(a -> !a.tokens().isEmpty())
                .orElseThrow(() -> new UserError("/probs", "there is no answer to look at", "type a prompt"));
        List<Step.Token> tokens = answer.tokens();
        int chosen = options.words().isEmpty() ? leastSure(tokens) : Options.whole("/probs", options.text(), 1) - 1;
        if (chosen >= tokens.size())
            throw new UserError("/probs", "the answer has " + tokens.size() + " tokens, asked for " + (chosen + 1), "");
        Render render = workspace.render();
        if (render.colour()) coloured(workspace, tokens, chosen);
        else table(workspace, tokens);
        alternatives(workspace, tokens, chosen);
        return 0;
    }

    private static int leastSure(List<Step.Token> tokens) {
        int least = 0;
        for (int i = 1; i < tokens.size(); i++) if (tokens.get(i).logprob() < tokens.get(least).logprob()) least = i;
        return least;
    }

    private static void coloured(Workspace workspace, List<Step.Token> tokens, int chosen) {
        Render render = workspace.render();
        StringBuilder line = new StringBuilder();
        for (int i = 0; i < tokens.size(); i++) {
            String text = Render.visible(text(workspace, tokens.get(i)));
            Style style = Style.ofProbability(Math.exp(tokens.get(i).logprob()));
            for (String part : text.splitWithDelimiters("\n", 0))
                if (!part.isEmpty()) line.append(part.equals("\n") ? part : i == chosen ? underlined(style, part)
                        : style.on(part));
        }
        render.line(line.toString());
        render.line(Style.GREEN.on("■") + Style.DIM.on(" ≥ 50 %  ") + Style.YELLOW.on("■") + Style.DIM.on(" ≥ 10 %  ")
                + Style.RED.on("■") + Style.DIM.on(" below"));
    }

    private static String underlined(Style style, String part) {
        return "\033[4m" + style.on(part);
    }

    private static void table(Workspace workspace, List<Step.Token> tokens) {
        List<List<String>> rows = new ArrayList<>();
        for (int i = 0; i < tokens.size(); i++) {
            Step.Token token = tokens.get(i);
            String others = token.top().stream().filter(c -> c.id() != token.id()).limit(3)
                    .map(c -> Render.quoted(text(workspace, c.id())) + " " + Scoring.percent(c.logprob()))
                            .collect(Collectors.joining(", "));
            rows.add(List.of(Integer.toString(i + 1), Render.quoted(text(workspace, token)), Scoring.percent(token.logprob()),
                    others));
        }
        workspace.render().table(List.of(">n", "token", ">p", "instead of"), rows);
    }

    private static void alternatives(Workspace workspace, List<Step.Token> tokens, int chosen) {
        Render render = workspace.render();
        Step.Token token = tokens.get(chosen);
        render.line(render.paint(Style.DIM, "token " + (chosen + 1) + " of " + tokens.size() + ":"));
        List<Candidate> top = new ArrayList<>(token.top());
        if (top.stream().noneMatch(c -> c.id() == token.id()))
            top.add(new Candidate(token.id(), "", token.logprob()));
        int width = top.stream().mapToInt(c -> Render.width(Render.quoted(text(workspace, c.id())))).max().orElse(0);
        for (Candidate c : top) {
            double p = Math.exp(c.logprob());
            String text = Render.visible(Render.quoted(text(workspace, c.id())));
            String row = String.format(Locale.ROOT, "%s %s%s %7s ", c.id() == token.id() ? "›" : " ", text,
                    " ".repeat(Math.max(0, width - Render.width(text))), Scoring.percent(c.logprob()));
            render.line(row + render.paint(Style.ofProbability(p), "█".repeat((int) Math.round(BAR * p))));
        }
    }

    private static String text(Workspace workspace, int id) {
        return Tokenizing.shown(workspace.model().tokenizer(), id);
    }

    private static String text(Workspace workspace, Step.Token token) {
        return text(workspace, token.id());
    }
}
