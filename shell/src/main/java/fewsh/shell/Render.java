package fewsh.shell;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import fewsh.UserError;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.Writer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.IntSupplier;
import org.jline.utils.WCWidth;

/// Values and errors → text on a terminal or in a pipe. Results go to `out`, everything else to `err`.
///
/// One thread. Where `out` is a terminal its control characters are shown, not obeyed: a model must not move the cursor.
final class Render {
    /// Whoever read stdout has gone, as `head` does.
    static final class Closed extends RuntimeException {
        private static final long serialVersionUID = 1;

        Closed(IOException cause) {
            super(cause);
        }
    }

    /// A place to write to.
    ///
    /// @param terminal whether a person sees it at once
    /// @param colour whether escape sequences may be written
    /// @param columns of the terminal now; a line that is drawn over must not be longer
    record Sink(Writer writer, boolean terminal, boolean colour, IntSupplier columns) {}

    private final Sink out;
    private final Sink err;
    private final boolean json;
    private final boolean quiet;
    private int progressWidth;
    private boolean lineOpen;

    Render(Sink out, Sink err, boolean json, boolean quiet) {
        this.out = out;
        this.err = err;
        this.json = json;
        this.quiet = quiet;
    }

    /// The same places, with `--json` and `--quiet` as given.
    Render with(boolean json, boolean quiet) {
        return new Render(out, err, json, quiet);
    }

    boolean json() {
        return json;
    }

    boolean colour() {
        return out.colour();
    }

    String paint(Style style, String text) {
        return out.colour() ? style.on(text) : text;
    }

    /// Part of a result, shown at once.
    void text(String text) {
        if (text.isEmpty()) return;
        put(out, out.terminal() ? visible(text) : text);
        lineOpen = !text.endsWith("\n");
    }

    /// Ends the line if a text left it open.
    void endLine() {
        if (lineOpen) put(out, "\n");
        lineOpen = false;
    }

    /// A line of a result; may be painted.
    void line(String line) {
        put(out, line + "\n");
        lineOpen = false;
    }

    /// One object, or value, on a line of its own.
    void line(JsonElement value) {
        line(value.toString());
    }

    /// A result that is written bit by bit; whoever writes ends the line.
    Writer writer() {
        return new Writer() {
            @Override
            public void write(char[] buffer, int from, int length) {
                try {
                    out.writer().write(buffer, from, length);
                } catch (IOException e) {
                    throw lost(e);
                }
            }

            @Override
            public void flush() {
                put(out, "");
            }

            @Override
            public void close() {
                flush();
            }
        };
    }

    /// What is not the result: a status, a hint. Not shown with `--quiet`.
    void note(String line) {
        if (quiet) return;
        clearProgress();
        put(err, (err.colour() ? Style.DIM.on(line) : line) + "\n");
    }

    /// The first line a person sees: `name`, and what it is.
    void banner(String name, String what) {
        if (!quiet) put(err, err.colour() ? Style.BOLD.on(name) + Style.DIM.on(" · " + what) + "\n" : name + " · " + what + "\n");
    }

    /// `error: where: what` and `  fix: …`; under `--json` one object.
    void error(UserError e) {
        clearProgress();
        if (json) {
            JsonObject error = new JsonObject();
            error.addProperty("message", e.what());
            error.addProperty("where", e.where());
            error.addProperty("fix", e.fix());
            JsonObject line = new JsonObject();
            line.add("error", error);
            put(err, line + "\n");
            return;
        }
        String message = visible(e.getMessage());
        put(err, (err.colour() ? Style.RED.on("error:") : "error:") + " " + message + "\n");
        if (!e.fix().isEmpty())
            put(err, (err.colour() ? Style.DIM.on("  fix:") : "  fix:") + " " + visible(e.fix()) + "\n");
    }

    /// Something that no person did: a bug of ours.
    void bug(Throwable e) {
        clearProgress();
        if (json) {
            error(new UserError("", "internal error: " + e, "please report, with the trace that follows"));
        }
        StringWriter trace = new StringWriter();
        e.printStackTrace(new PrintWriter(trace));
        put(err, trace + "this is a bug of fewsh: please report it, with the command and the lines above\n");
    }

    /// Draws over the line that the last call drew. Only where a person sees stderr.
    void progress(String line) {
        if (!err.terminal() || quiet || json) return;
        String shown = cut(visible(line), Math.max(20, err.columns().getAsInt() - 1));
        int width = width(shown);
        put(err, "\r" + shown + " ".repeat(Math.max(0, progressWidth - width)));
        progressWidth = width;
    }

    /// How wide a line of the result may be.
    int columns() {
        return out.columns().getAsInt();
    }

    /// Removes what `progress` drew.
    void clearProgress() {
        if (progressWidth > 0) put(err, "\r" + " ".repeat(progressWidth) + "\r");
        progressWidth = 0;
    }

    /// Rows under each other, columns two spaces apart, numbers to the right where the head starts with `>`.
    void table(List<String> head, List<List<String>> rows) {
        List<List<String>> all = new ArrayList<>();
        all.add(head.stream().map(h -> h.replaceFirst("^>", "")).toList());
        rows.forEach(row -> all.add(row.stream().map(Render::visible).toList()));
        int[] widths = new int[head.size()];
        for (List<String> row : all)
            for (int i = 0; i < widths.length; i++) widths[i] = Math.max(widths[i], width(row.get(i)));
        for (int r = 0; r < all.size(); r++) {
            StringBuilder line = new StringBuilder();
            for (int i = 0; i < widths.length; i++) {
                String cell = all.get(r).get(i);
                String pad = " ".repeat(widths[i] - width(cell));
                line.append(head.get(i).startsWith(">") ? pad + cell : cell + pad).append("  ");
            }
            line(r == 0 ? paint(Style.DIM, line.toString().stripTrailing()) : line.toString().stripTrailing());
        }
    }

    private void put(Sink sink, String text) {
        try {
            sink.writer().write(text);
            sink.writer().flush();
        } catch (IOException e) {
            if (sink != err) throw lost(e);                                   // with stderr gone there is nobody left to tell
        }
    }

    /// A reader that has gone is no error; a full disk is.
    private static RuntimeException lost(IOException e) {
        return String.valueOf(e.getMessage()).toLowerCase(Locale.ROOT).contains("pipe") ? new Closed(e)
                : new UserError("stdout", "cannot be written: " + e.getMessage(), "", e);
    }

    /// `text` with control characters, line feeds and tabs apart, as their pictures.
    static String visible(String text) {
        StringBuilder visible = null;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '\n' || c == '\t' || !Character.isISOControl(c)) continue;
            if (visible == null) visible = new StringBuilder(text);
            visible.setCharAt(i, c < ' ' ? (char) ('\u2400' + c) : c == 127 ? '\u2421' : '\ufffd');
        }
        return visible == null ? text : visible.toString();
    }

    /// As much of `text` as fits.
    static String cut(String text, int columns) {
        if (width(text) <= columns) return text;
        int end = 0;
        int width = 1;
        while (end < text.length()) {
            int c = text.codePointAt(end);
            width += Math.max(0, WCWidth.wcwidth(c));
            if (width > columns) break;
            end += Character.charCount(c);
        }
        return text.substring(0, end) + "…";
    }

    /// Columns that `text` takes on a terminal.
    static int width(String text) {
        return text.codePoints().map(c -> Math.max(0, WCWidth.wcwidth(c))).sum();
    }

    /// `text` in double quotes, line feeds and the like escaped, as JSON has it.
    static String quoted(String text) {
        return new JsonPrimitive(text).toString();
    }

    /// Without needless zeros: `1`, `0.95`.
    static String number(double number) {
        return number == Math.rint(number) && Math.abs(number) < 1e15 ? Long.toString((long) number) : Double.toString(number);
    }

    /// `98.4 MB`, in powers of 1,000.
    static String bytes(long bytes) {
        if (bytes < 1000) return bytes + " B";
        double value = bytes;
        String[] units = {"kB", "MB", "GB", "TB", "PB"};
        int unit = -1;
        while (value >= 999.95 && unit < units.length - 1) {
            value /= 1000;
            unit++;
        }
        return String.format(Locale.ROOT, "%.1f %s", value, units[unit]);
    }

    /// `135M`, `1.7B`, as model cards say it.
    static String parameters(long count) {
        if (count < 1000) return Long.toString(count);
        double value = count;
        String[] units = {"K", "M", "B", "T"};
        int unit = -1;
        while (value >= 999.5 && unit < units.length - 1) {
            value /= 1000;
            unit++;
        }
        return (value < 9.95 ? String.format(Locale.ROOT, "%.1f", value) : Long.toString(Math.round(value))) + units[unit];
    }

    /// `8,192`.
    static String count(long count) {
        return String.format(Locale.ROOT, "%,d", count);
    }

    /// `0.21 s`, `3 min 20 s`.
    static String time(Duration time) {
        double seconds = time.toNanos() / 1e9;
        if (seconds < 0.995) return String.format(Locale.ROOT, "%.2f s", seconds);
        if (seconds < 60) return String.format(Locale.ROOT, "%.1f s", seconds);
        return time.toMinutes() + " min " + time.toSecondsPart() + " s";
    }

    /// Tokens a second, three digits.
    static String rate(long tokens, Duration time) {
        double rate = time.isZero() ? 0 : tokens / (time.toNanos() / 1e9);
        return String.format(Locale.ROOT, rate < 99.95 ? "%.1f" : "%,.0f", rate);
    }
}
