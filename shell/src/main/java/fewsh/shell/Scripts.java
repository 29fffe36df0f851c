package fewsh.shell;

import fewsh.UserError;
import java.io.IOException;
import java.util.List;

/// `fewsh run FILE` and `/run FILE`: by the file's name a prompt, or a script of the shell's lines.
final class Scripts {
    private static final List<String> KINDS = List.of(".prompty", ".prompt", ".fewsh");

    private Scripts() {}

    static int run(Workspace workspace, Options options) throws IOException {
        String name = name("fewsh run", options);
        if (Prompts.isPrompt(name)) return Prompts.run(workspace, options);
        if (name.endsWith(".fewsh")) return Main.lines(options, workspace, name);
        throw unknown("fewsh run", name);
    }

    static int slashRun(Workspace workspace, Options options) {
        String name = name("/run", options);
        if (Prompts.isPrompt(name)) return Prompts.slash(workspace, options);
        throw unknown("/run", name);
    }

    private static String name(String where, Options options) {
        return options.expect(where, "FILE", 1, Integer.MAX_VALUE).words().getFirst();
    }

    private static UserError unknown(String where, String name) {
        return new UserError(where, "\"" + name + "\" is neither a prompt nor a script", "the names of those end in "
                + String.join(", ", KINDS));
    }
}
