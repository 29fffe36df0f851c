package fewsh.store;

/// Why one source could not deliver: the next one is asked, and the last error lists them all.
final class SourceFailure extends Exception {
    private static final long serialVersionUID = 1;

    private final String fix;

    /// @param reason lower case, no full stop
    /// @param fix what the user can do; may be empty
    SourceFailure(String reason, String fix) {
        super(reason);
        this.fix = fix;
    }

    String fix() {
        return fix;
    }
}
