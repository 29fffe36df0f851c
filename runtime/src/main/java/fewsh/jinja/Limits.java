package fewsh.jinja;

/// How much a template may do, since templates come with models from anywhere.
///
/// @param work     steps of evaluation; building a text of n characters costs n/8 of them, an item of a list two
/// @param output   characters of the rendered text
/// @param depth    nested evaluations at run time (a macro that calls itself takes about six each time)
/// @param nesting  nested expressions and statements in the template's text
/// @param chain    operators, filters or attributes in one row
/// @param bits     size of an integer
public record Limits(long work, int output, int depth, int nesting, int chain, int bits) {
    public static final Limits DEFAULT = new Limits(10_000_000, 16 << 20, 900, 200, 400, 100_000);

    public Limits {
        if (work < 1 || output < 0 || depth < 1 || nesting < 1 || chain < 1 || bits < 64)
            throw new IllegalArgumentException("limits must be positive");
    }

    Limits withWork(long steps) {
        return new Limits(steps, output, depth, nesting, chain, bits);
    }
}
