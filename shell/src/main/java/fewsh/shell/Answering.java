package fewsh.shell;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonObject;
import fewsh.ask.Inquiry;
import fewsh.ask.Reply;
import fewsh.ask.Sample;
import fewsh.ask.Statement;
import fewsh.ask.Usage;
import fewsh.ask.Votes;
import fewsh.generate.Decoding;
import fewsh.generate.FinishReason;
import fewsh.generate.KvCache;
import fewsh.generate.SamplingConfig;
import fewsh.load.About;
import fewsh.prompt.Composed;
import fewsh.prompt.Extraction;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// A composed prompt being answered, as a person sees it: the answer as it comes, or paths and how they voted; under `--json` the
/// lines of `ask`.
///
/// @param reply what came of it
/// @param first from the beginning to the first text
record Answering(Reply reply, Duration first) {
    private static final Gson JSON = new GsonBuilder().serializeNulls().disableHtmlEscaping().create();
    private static final int BAR = 24;

    /// Asks, shows, and says what came of it. Ctrl-C ends it with what there is.
    ///
    /// @param logprobs whether the line of `--json` has them
    static Answering of(Workspace workspace, KvCache cache, Composed composed, SamplingConfig config, boolean logprobs) {
        Render render = workspace.render();
        if (composed.dropped() > 0)
            render.note(composed.dropped() + (composed.dropped() == 1 ? " example" : " examples") + " left out to stay within the "
                    + "token budget, " + composed.shown().size() + " shown");
        long start = System.nanoTime();
        long[] first = new long[1];
        try (Inquiry inquiry = Inquiry.of(workspace.model(), cache, composed, config)) {
            workspace.running(inquiry::interrupt);
            boolean alone = composed.composition().vote().n() == 1 && composed.composition().knowledge() == 0;
            int paths = 0;
            while (inquiry.hasNext())
                switch (inquiry.next()) {
                    case Inquiry.Event.Text(String text) -> {
                        if (first[0] == 0) first[0] = System.nanoTime();
                        if (!render.json() && alone) render.text(text);
                    }
                    case Inquiry.Event.Sampled(Sample sample) -> {
                        if (!alone) render.progress("path " + ++paths + " of " + composed.composition().vote().n() + ": "
                                + sample.answer().orElse("no answer found"));
                    }
                    case Inquiry.Event.Known(Statement _) -> { }                // shown in the end, the surest first
                    case Inquiry.Event.Note(String text) -> render.progress(text);
                }
            workspace.running(null);
            render.clearProgress();
            Answering answering = new Answering(inquiry.reply(),
                    Duration.ofNanos(Math.max(0, (first[0] == 0 ? System.nanoTime() : first[0]) - start)));
            if (render.json()) answering.json(workspace, logprobs);
            else answering.show(render, alone, composed.composition().answer());
            return answering;
        } finally {
            workspace.running(null);
        }
    }

    private void show(Render render, boolean alone, Extraction extraction) {
        if (alone) {
            render.endLine();
            boolean looked = switch (extraction.kind()) {
                case TEXT, LINE -> false;                                     // that is what was shown
                case NUMBER, OPTION, DATE, REGEX -> true;
            };
            boolean all = reply.answer().filter(reply.text().strip()::equalsIgnoreCase).isPresent();
            if (looked && !all) render.note(reply.answer().map(a -> "the answer is " + a).orElse("no answer was found in it"));
            return;
        }
        reply.votes().ifPresentOrElse(votes -> show(render, votes), () -> {
            for (Statement statement : reply.statements())
                render.note("%.2f  %s  %s".formatted(statement.probability(), statement.sample().answer().orElse("?"),
                        statement.text().isEmpty() ? "without a statement" : "« " + one(statement.text()) + " »"));
            render.line(Render.visible(reply.answer().orElse(reply.text())));
        });
    }

    private void show(Render render, Votes votes) {
        if (votes.answer().isPresent()) render.note(Render.visible(reply.text().strip()));
        int most = Math.max(votes.unparsable(), votes.counts().values().stream().mapToInt(n -> n).max().orElse(0));
        List<List<String>> rows = new ArrayList<>();
        votes.counts().forEach((answer, n) -> rows.add(List.of(one(answer), bar(n, most), Integer.toString(n))));
        if (votes.unparsable() > 0) rows.add(List.of("(no answer found)", bar(votes.unparsable(), most),
                Integer.toString(votes.unparsable())));
        int width = rows.stream().mapToInt(row -> Render.width(row.getFirst())).max().orElse(0);
        for (List<String> row : rows)
            render.note(row.get(0) + " ".repeat(width + 2 - Render.width(row.get(0))) + row.get(1) + " " + row.get(2));
        if (votes.stoppedEarly())
            render.note("settled after " + votes.samples() + " of " + votes.asked() + " paths: saved " + votes.saved() + ", about "
                    + Render.count(votes.savedTokens()) + " tokens");
        votes.answer().ifPresent(answer -> render.line(Render.visible(answer)));
    }

    private static String bar(int n, int most) {
        return "█".repeat(Math.max(1, Math.round((float) BAR * n / most)));
    }

    /// The first line of a text, cut.
    private static String one(String text) {
        return Render.cut(Render.visible(text.strip().lines().findFirst().orElse("")), 60);
    }

    private void json(Workspace workspace, boolean logprobs) {
        Render render = workspace.render();
        Usage usage = reply.usage();
        if (reply.votes().isPresent()) {
            for (Sample sample : reply.samples()) {
                JsonObject line = line(workspace, sample.text(), sample.reason(), usage.promptTokens(), sample.tokens().size(),
                        reply.seed(), usage.prefill(), usage.decode());
                line.addProperty("index", sample.index());
                line.addProperty("answer", sample.answer().orElse(null));
                if (logprobs) line.add("logprobs", Scoring.json(workspace.model().tokenizer(), sample.tokens()));
                render.line(line);
            }
            render.line(JSON.toJsonTree(reply.votes().get().fields()));
            return;
        }
        JsonObject line = line(workspace, reply.text(), reply.reason(), usage.promptTokens(), usage.completionTokens(), reply.seed(),
                usage.prefill(), usage.decode());
        reply.fields().forEach((key, value) -> {
            if (!line.has(key)) line.add(key, JSON.toJsonTree(value));
        });
        if (logprobs && reply.samples().size() == 1)
            line.add("logprobs", Scoring.json(workspace.model().tokenizer(), reply.samples().getFirst().tokens()));
        render.line(line);
    }

    /// An answer under `--json`.
    static JsonObject line(Workspace workspace, String text, FinishReason reason, int promptTokens, int completionTokens, long seed,
            Duration prefill, Duration decode) {
        About about = workspace.model().about();
        JsonObject line = new JsonObject();
        line.addProperty("text", text);
        line.addProperty("finish_reason", reason.word());
        line.addProperty("prompt_tokens", promptTokens);
        line.addProperty("completion_tokens", completionTokens);
        line.addProperty("seed", seed);
        line.addProperty("model", workspace.modelName());
        line.addProperty("precision", about.precision().name().toLowerCase(Locale.ROOT));
        Models.addDevice(line, about);
        JsonObject seconds = new JsonObject();
        seconds.addProperty("load", seconds(workspace.loadTime()));
        seconds.addProperty("prefill", seconds(prefill));
        seconds.addProperty("decode", seconds(decode));
        line.add("seconds", seconds);
        return line;
    }

    private static double seconds(Duration time) {
        return Math.round(time.toNanos() / 1e3) / 1e6;
    }

    /// Several answers to one prompt, each as it ends.
    static int samples(Workspace workspace, int[] ids, SamplingConfig config, int samples, boolean logprobs) {
        Render render = workspace.render();
        try (KvCache cache = workspace.model().cache(); Decoding decoding = workspace.model().decode(cache, ids, config, samples)) {
            workspace.running(decoding::interrupt);
            boolean stream = samples == 1 && !render.json();
            List<Answer> answers = Answers.draw(decoding, samples, text -> {
                if (stream) render.text(text);
            }, answer -> {
                if (stream || render.json()) return;
                render.line(render.paint(Style.DIM, "--- " + (answer.sample() + 1) + " of " + samples + " ---"));
                render.text(answer.text());
                render.endLine();
            });
            workspace.running(null);
            if (stream) render.endLine();
            for (Answer answer : render.json() ? answers : List.<Answer>of()) {
                JsonObject line = line(workspace, answer.text(), answer.reason(), decoding.promptTokens(), answer.tokens().size(),
                        config.seed(), decoding.prefillTime(), decoding.decodeTime());
                if (samples > 1) line.addProperty("index", answer.sample());
                if (logprobs) line.add("logprobs", Scoring.json(workspace.model().tokenizer(), answer.tokens()));
                render.line(line);
            }
            if (samples > 1 && config.temperature() == 0)
                render.note("temperature is 0, so all samples are the same: add --temperature 0.8");
            return ended(workspace, config, answers.stream().map(Answer::reason).toList());
        } finally {
            workspace.running(null);
        }
    }

    /// What a person should know about how answers ended; the exit code.
    static int ended(Workspace workspace, SamplingConfig config, List<FinishReason> reasons) {
        if (!workspace.render().json() && reasons.contains(FinishReason.LENGTH))
            workspace.render().note("stopped at max_tokens or the context's end: --max_tokens " + config.maxTokens() + " was in force");
        return reasons.contains(FinishReason.INTERRUPTED) ? 130 : 0;
    }
}
