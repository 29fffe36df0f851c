package fewsh.jinja;

import java.time.LocalDateTime;
import java.util.function.Supplier;

/// The dialect a template is written in, and how it treats white space.
///
/// @param trimBlocks          a newline right after a block tag is dropped
/// @param lstripBlocks        white space between the start of a line and a block tag is dropped
/// @param keepTrailingNewline one newline at the template's end is kept
/// @param clock               what `strftime_now` reads
public record Environment(Dialect dialect, boolean trimBlocks, boolean lstripBlocks, boolean keepTrailingNewline,
                          Supplier<LocalDateTime> clock, Limits limits) {
    /// What a template may contain, and what it does with what is missing.
    public enum Dialect {
        /// `jinja2.Environment()`.
        PLAIN("plain"),
        /// transformers' `ImmutableSandboxedEnvironment`: lists and dicts cannot be changed, underscored attributes are hidden,
        /// `range` is bounded; `break`, `continue`, `{% generation %}`, `raise_exception`, `strftime_now`, `tojson` without
        /// HTML escapes.
        CHAT("chat"),
        /// lm-evaluation-harness's `Environment(undefined=StrictUndefined)`: only asking whether a missing value is defined does
        /// not fail; a filter `regex_replace`.
        LM_EVAL("lm_eval");

        private final String label;

        Dialect(String label) {
            this.label = label;
        }

        /// The name users know it by.
        public String label() {
            return label;
        }
    }

    /// `jinja2.Environment()`.
    public static Environment plain() {
        return new Environment(Dialect.PLAIN, false, false, false, LocalDateTime::now, Limits.DEFAULT);
    }

    /// What transformers renders chat templates with.
    public static Environment chat() {
        return new Environment(Dialect.CHAT, true, true, false, LocalDateTime::now, Limits.DEFAULT);
    }

    /// What lm-evaluation-harness renders task files with.
    public static Environment lmEval() {
        return new Environment(Dialect.LM_EVAL, false, false, true, LocalDateTime::now, Limits.DEFAULT);
    }

    public Environment withTrimBlocks(boolean on) {
        return new Environment(dialect, on, lstripBlocks, keepTrailingNewline, clock, limits);
    }

    public Environment withLstripBlocks(boolean on) {
        return new Environment(dialect, trimBlocks, on, keepTrailingNewline, clock, limits);
    }

    public Environment withKeepTrailingNewline(boolean on) {
        return new Environment(dialect, trimBlocks, lstripBlocks, on, clock, limits);
    }

    public Environment withClock(Supplier<LocalDateTime> now) {
        return new Environment(dialect, trimBlocks, lstripBlocks, keepTrailingNewline, now, limits);
    }

    public Environment withLimits(Limits other) {
        return new Environment(dialect, trimBlocks, lstripBlocks, keepTrailingNewline, clock, other);
    }

    boolean chatTags() {
        return dialect == Dialect.CHAT;
    }

    boolean sandboxed() {
        return dialect == Dialect.CHAT;
    }

    boolean strict() {
        return dialect == Dialect.LM_EVAL;
    }

    boolean regexReplace() {
        return dialect == Dialect.LM_EVAL;
    }
}
