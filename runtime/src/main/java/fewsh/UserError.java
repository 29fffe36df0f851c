package fewsh;

/// The one exception meant for people: where it went wrong, what is wrong, and what to do about it.
///
/// Printed bare, without a trace, as
/// ```
/// error: prompts/arith.yaml:14: unknown field "num_fewshots"
///   fix: did you mean "num_fewshot"?
/// ```
/// Lower case, no full stop, the offending value quoted, the allowed values listed. Anything else that escapes is a bug of
/// ours.
public final class UserError extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final String where;
    private final String what;
    private final String fix;

    /// @param where a file, with line or byte offset when known; an option; empty when there is no place to name
    /// @param what the problem, with the offending value in quotes
    /// @param fix what to do; empty when the problem says it already
    public UserError(String where, String what, String fix) {
        this(where, what, fix, null);
    }

    /// As above, with the failure underneath, which only a bug report shows.
    public UserError(String where, String what, String fix, Throwable cause) {
        super(where.isEmpty() ? what : where + ": " + what, cause);
        this.where = where;
        this.what = what;
        this.fix = fix;
    }

    public String where() {
        return where;
    }

    public String what() {
        return what;
    }

    public String fix() {
        return fix;
    }
}
