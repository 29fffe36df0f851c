package fewsh.shell;

import fewsh.UserError;
import fewsh.ask.Inquiry;
import fewsh.prompt.Composition;
import fewsh.prompt.Shots;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// `/role … /image`: the parts of the prompts that are typed, shown and set; `/shot` adds an example.
final class Composing {
    private Composing() {}

    /// `/PART [TEXT]`: shows it, sets it, or with `off` takes it away.
    static Command.Action of(Part part) {
        return (workspace, options) -> {
            Render render = workspace.render();
            String text = options.text().strip();
            if (text.isEmpty()) {
                String shown = part.shown(workspace.composition());
                if (part == Part.SHOTS) examples(workspace);
                else if (shown.isEmpty()) render.note("no " + part.key());
                else render.line(Render.visible(shown));
                return 0;
            }
            String given = part == Part.SHOTS && text.equals("clear") ? "off" : text;
            Composition changed = part.set(workspace.composition(), given, workspace);
            Inquiry.check(changed);
            workspace.composition(changed);
            String shown = part.shown(workspace.composition());
            render.note(shown.isEmpty() ? "no " + part.key() : part.key() + ": " + Render.cut(Render.visible(shown), 72));
            return 0;
        };
    }

    private static void examples(Workspace workspace) {
        Shots shots = workspace.composition().shots();
        if (shots.examples().isEmpty()) workspace.render().note("no shots: /shot INPUT => OUTPUT adds one, /shots FILE many");
        Question question = workspace.tree().current().question();
        for (Map<String, Object> example : shots.examples()) {
            Object input = example.containsKey("input") ? example.get("input") : question.turn(example).text();
            workspace.render().line(Render.visible(String.valueOf(input).replace('\n', ' ')) + " => "
                    + Render.visible(String.valueOf(example.get(shots.label()))));
        }
    }

    /// `/shot INPUT => OUTPUT`.
    static int shot(Workspace workspace, Options options) {
        String text = options.text();
        int arrow = text.indexOf("=>");
        if (arrow < 0 || text.substring(0, arrow).isBlank() || text.substring(arrow + 2).isBlank())
            throw new UserError("/shot", "needs INPUT => OUTPUT", "/shot a joy from start to end => positive");
        Map<String, Object> example = new LinkedHashMap<>();
        example.put("input", text.substring(0, arrow).strip());
        example.put("output", text.substring(arrow + 2).strip());
        Composition composition = workspace.composition();
        Shots shots = composition.shots();
        List<Map<String, Object>> examples = new ArrayList<>(shots.examples());
        // one more is shown than before; where only the first are, it is the first
        if (shots.k() >= 0) examples.addFirst(example);
        else examples.add(example);
        int k = shots.k() < 0 ? -1 : shots.k() + 1;
        workspace.composition(composition.with(c -> c.shots = new Shots(examples, k, shots.by(), shots.seed(), shots.label(),
                shots.input(), shots.output(), shots.budget(), "")));
        workspace.render().note("shots: " + Part.SHOTS.shown(workspace.composition()));
        return 0;
    }
}
