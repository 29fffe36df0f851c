package fewsh.jinja;

import java.util.SplittableRandom;

/// One rendering's state: what it has spent of its limits, whether output is escaped, the random numbers it draws.
final class Run {
    /// Characters of text that cost one step.
    private static final int CHARACTERS_PER_STEP = 8;

    final Environment environment;
    final SplittableRandom random = new SplittableRandom(0);
    boolean autoescape;
    private long work;
    private long output;
    private int depth;

    Run(Environment environment) {
        this.environment = environment;
    }

    void work(long steps) {
        work += steps;
        if (work > environment.limits().work() || work < 0)
            throw TemplateError.limit("template takes more than " + environment.limits().work() + " steps");
    }

    /// Pays for `characters` of text that are about to be built.
    void text(long characters) {
        work(1 + Math.max(0, characters) / CHARACTERS_PER_STEP);
    }

    void output(int characters) {
        output += characters;
        if (output > environment.limits().output())
            throw TemplateError.limit("template writes more than " + environment.limits().output() + " characters");
    }

    void enter() {
        if (++depth > environment.limits().depth()) throw TemplateError.recursion();
    }

    void leave() {
        depth--;
    }

    int depth() {
        return depth;
    }

    void depth(int restored) {
        depth = restored;
    }

    Value str(String text) {
        text(text.length());
        return new Value.Str(text, false);
    }

    Value.Undefined undefined(String hint, Value of, Value name) {
        return new Value.Undefined(hint, of, name, TemplateError.Kind.UNDEFINED, environment.strict());
    }

    Value.Undefined undefined(String name) {
        return undefined("", null, Value.of(name));
    }

    /// What an attribute gives that the sandbox hides.
    Value.Undefined unsafe(Value of, String name) {
        return new Value.Undefined("access to attribute " + Python.quote(name) + " of '" + Python.typeName(of)
                + "' object is unsafe.", of, Value.of(name), TemplateError.Kind.SECURITY, environment.strict());
    }
}
