package fewsh.shell;

import org.jline.utils.Signals;

/// Ctrl-C at the program's command line: the answer under way ends; before there is one, the program does.
final class Interruption {
    private final Workspace workspace;
    private boolean reached;

    private Interruption(Workspace workspace) {
        this.workspace = workspace;
    }

    /// From now on until the program ends.
    static Interruption of(Workspace workspace) {
        Interruption interruption = new Interruption(workspace);
        Signals.register("INT", interruption::raise);
        return interruption;
    }

    /// From here on there is something to keep.
    synchronized void reached() {
        reached = true;
    }

    private synchronized void raise() {
        if (!reached || !workspace.interrupt()) java.lang.Runtime.getRuntime().halt(130);
    }
}
