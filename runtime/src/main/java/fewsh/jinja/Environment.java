package fewsh.jinja;

import java.time.LocalDateTime;
import java.util.function.Supplier;

/// The dialect a template is written in: what it may contain and how it treats white space and what is missing.
///
/// @param name                 `plain`, `chat` or `lm_eval`
/// @param trimBlocks           a newline right after a block tag is dropped
/// @param lstripBlocks         white space between the start of a line and a block tag is dropped
/// @param keepTrailingNewline  one newline at the template's end is kept
/// @param strict               anything but asking whether it is defined fails on a missing value
/// @param sandboxed            lists and dicts cannot be changed, underscored attributes are hidden, `range` is bounded
/// @param chatTags             `break`, `continue`, `generation`, `raise_exception`, `strftime_now`, `tojson` as `json.dumps`
/// @param regexReplace         the filter `regex_replace`
/// @param clock                what `strftime_now` reads
public record Environment(String name, boolean trimBlocks, boolean lstripBlocks, boolean keepTrailingNewline, boolean strict,
                          boolean sandboxed, boolean chatTags, boolean regexReplace, Supplier<LocalDateTime> clock,
                          Limits limits) {
    /// `jinja2.Environment()`.
    public static Environment plain() {
        return new Environment("plain", false, false, false, false, false, false, false, LocalDateTime::now, Limits.DEFAULT);
    }

    /// What transformers renders chat templates with: `ImmutableSandboxedEnvironment(trim_blocks, lstrip_blocks)`, loop controls,
    /// `{% generation %}`.
    public static Environment chat() {
        return new Environment("chat", true, true, false, false, true, true, false, LocalDateTime::now, Limits.DEFAULT);
    }

    /// What lm-evaluation-harness renders task files with: `Environment(undefined=StrictUndefined, keep_trailing_newline=True)`.
    public static Environment lmEval() {
        return new Environment("lm_eval", false, false, true, true, false, false, true, LocalDateTime::now, Limits.DEFAULT);
    }

    public Environment withTrimBlocks(boolean on) {
        return new Environment(name, on, lstripBlocks, keepTrailingNewline, strict, sandboxed, chatTags, regexReplace, clock, limits);
    }

    public Environment withLstripBlocks(boolean on) {
        return new Environment(name, trimBlocks, on, keepTrailingNewline, strict, sandboxed, chatTags, regexReplace, clock, limits);
    }

    public Environment withKeepTrailingNewline(boolean on) {
        return new Environment(name, trimBlocks, lstripBlocks, on, strict, sandboxed, chatTags, regexReplace, clock, limits);
    }

    public Environment withClock(Supplier<LocalDateTime> now) {
        return new Environment(name, trimBlocks, lstripBlocks, keepTrailingNewline, strict, sandboxed, chatTags, regexReplace, now,
                limits);
    }

    public Environment withLimits(Limits other) {
        return new Environment(name, trimBlocks, lstripBlocks, keepTrailingNewline, strict, sandboxed, chatTags, regexReplace, clock,
                other);
    }
}
