package fewsh.shell;

import com.google.gson.JsonObject;
import fewsh.UserError;
import fewsh.generate.KvCache;
import java.util.ArrayList;
import java.util.List;

/// `/fork` and `/goto`: the branches of the conversation, as git has those of a history.
final class Branches {
    /// Characters of a branch's last prompt that the list shows.
    private static final int SHOWN = 48;

    private Branches() {}

    /// `/fork NAME`: goes on in a new branch that has the conversation so far; `/fork` lists the branches.
    static int fork(Workspace workspace, Options options) {
        options.expect("/fork", "[NAME]", 0, 1);
        if (options.words().isEmpty()) {
            list(workspace);
            return 0;
        }
        Tree tree = workspace.tree();
        String name = options.text();
        if (!name.matches("[\\p{L}\\p{N}][\\p{L}\\p{M}\\p{N}._-]{0,31}"))
            throw new UserError("/fork", "\"" + name + "\" is no name for a branch",
                    "at most 32 letters, digits, and . _ - between them, as in /fork poem");
        if (tree.branch(name).isPresent()) throw new UserError("/fork", "there is a branch \"" + name + "\" already",
                tree.current().name().equals(name) ? "it is the current one; another name begins a new one"
                        : "/goto " + name + " goes there; another name begins a new one");
        String from = tree.current().name();
        tree.fork(name, workspace.sharedCache());
        workspace.render().note(name + " goes on from " + from + ", " + turns(tree.current()) + "; /goto " + from
                + " goes back");
        return 0;
    }

    /// `/goto NAME`.
    static int goTo(Workspace workspace, Options options) {
        Tree tree = workspace.tree();
        String name = options.expect("/goto", "NAME", 1, 1).text();
        Branch branch = tree.branch(name).orElseThrow(() -> new UserError("/goto", "there is no branch \"" + name + "\"",
                UserError.near(name, tree.names(), "/fork lists the branches; /fork " + name + " would begin one")));
        if (branch == tree.current()) throw new UserError("/goto", "\"" + name + "\" is the current branch",
                tree.names().size() == 1 ? "there is no other; /fork NAME begins one" : "/fork lists the others");
        tree.go(branch, workspace.sharedCache());
        String last = firstWords(branch);
        workspace.render().note(name + ", " + turns(branch) + (last.isEmpty() ? "" : ", the last: " + last));
        return 0;
    }

    private static String turns(Branch branch) {
        int turns = branch.turns();
        return turns == 0 ? "no turns" : turns == 1 ? "1 turn" : turns + " turns";
    }

    private static String firstWords(Branch branch) {
        String line = branch.lastPrompt().strip().lines().findFirst().orElse("");
        return Render.cut(Render.visible(line.replace('\t', ' ')), SHOWN);
    }

    private static void list(Workspace workspace) {
        Tree tree = workspace.tree();
        List<List<String>> rows = new ArrayList<>();
        list(workspace, tree.branch(Tree.MAIN).orElseThrow(), "", "", rows);
        if (workspace.render().json()) return;
        workspace.render().table(List.of("  branch", ">turns", "last prompt"), rows);
        long kept = workspace.sharedCache().map(KvCache::keptBytes).orElse(0L);
        if (kept > 0) workspace.render().note(Render.bytes(kept) + " of memory are kept for the other branches");
    }

    private static void list(Workspace workspace, Branch branch, String before, String below, List<List<String>> rows) {
        Tree tree = workspace.tree();
        boolean current = branch == tree.current();
        if (workspace.render().json()) {
            JsonObject line = new JsonObject();
            line.addProperty("branch", branch.name());
            line.addProperty("parent", branch.parent().map(Branch::name).orElse(null));
            line.addProperty("turns", branch.turns());
            line.addProperty("current", current);
            line.addProperty("last_prompt", branch.lastPrompt());
            workspace.render().line(line);
        }
        rows.add(List.of((current ? "› " : "  ") + before + branch.name(), Integer.toString(branch.turns()),
                firstWords(branch)));
        List<Branch> forks = tree.forks(branch);
        for (Branch fork : forks) {
            boolean last = fork == forks.getLast();
            list(workspace, fork, below + (last ? "└─ " : "├─ "), below + (last ? "   " : "│  "), rows);
        }
    }
}
