package fewsh.script;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import fewsh.UserError;
import fewsh.ask.Inquiry;
import fewsh.generate.Candidate;
import fewsh.generate.CausalLm;
import fewsh.generate.Decoding;
import fewsh.generate.FinishReason;
import fewsh.generate.SamplingConfig;
import fewsh.generate.Score;
import fewsh.generate.Step;
import fewsh.load.About;
import fewsh.prompt.Block;
import fewsh.prompt.Composed;
import fewsh.prompt.Composition;
import fewsh.prompt.Message;
import fewsh.prompt.Vote;
import fewsh.tokenize.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// The words that need a model.
///
/// One answer is under way at a time; a script that begins another ends the first. One thread, but for `interrupt`.
final class Models implements AutoCloseable {
    private static final int MOST_SAMPLES = 1024;
    private final Stage stage;
    private final Jail jail;
    private final Clock clock = new Clock();
    private Streaming streaming;
    private Runnable running;
    private boolean interrupted;

    Models(Stage stage, Jail jail) {
        this.stage = stage;
        this.jail = jail;
    }

    Clock clock() {
        return clock;
    }

    Object load(Given given) {
        String name = given.text(0);
        boolean path = name.matches(".*[/\\\\~:].*") || name.startsWith(".");
        String model = path ? jail.existing(name).toString() : name;
        close();
        About about;
        try (Clock.Pause _ = clock.pause()) {
            about = stage.load(model, given.options(1).expect(Options.LOADING).loading(stage.loadOptions())).about();
        }
        JsonObject answer = new JsonObject();
        answer.addProperty("name", about.name());
        answer.addProperty("architecture", about.architecture());
        answer.addProperty("parameters", about.parameters());
        answer.addProperty("precision", about.precision().name().toLowerCase(Locale.ROOT));
        answer.addProperty("context_length", about.contextLength());
        answer.addProperty("vocab_size", about.vocabSize());
        answer.addProperty("chat_template", about.chatTemplate());
        return answer;
    }

    Object complete(Given given) {
        if (given.prompt() == null) given.text(0);
        return answer(given);
    }

    Object chat(Given given) {
        if (given.prompt() == null) conversation(given);
        return answer(given);
    }

    /// The ids of what stands first: a prompt, a conversation, or a text, which `chat` takes for a conversation.
    private int[] ids(Given given, boolean conversation) {
        if (given.prompt() != null) return ids(composed(given.prompt()));
        return conversation ? stage.model().encode(conversation(given), true) : stage.model().encode(given.text(0));
    }

    private int[] ids(Composed composed) {
        CausalLm model = stage.model();
        return model.chatTemplate().isPresent() ? model.encode(composed.messages(), true) : model.encode(composed.text());
    }

    private List<Message> conversation(Given given) {
        List<Message> messages = Data.messages(given, given.at(0));
        if (stage.model().chatTemplate().isEmpty())
            throw given.error(stage.model().about().name() + " has no chat template", "complete(text) continues a text as it is");
        return messages;
    }

    Composed composed(Prompt prompt) {
        return prompt.composed(stage.model(), stage.sampling().maxTokens());
    }

    /// A prompt as the model gets it.
    String text(Prompt prompt) {
        Composed composed = composed(prompt);
        return stage.model().chatTemplate().map(template -> template.render(composed.messages(), true, Map.of()))
                .orElseGet(composed::text);
    }

    /// A text; with `details` an object; with `stream` the text piece by piece.
    private Object answer(Given given) {
        Options options = given.options(1).expect(Options.SAMPLING, "stream", "details");
        SamplingConfig config = sampling(given, options, stage.sampling());
        Decoding decoding = begin(ids(given, given.word().name().equals("chat")), config, 1);
        if (options.flag("stream")) {
            streaming = new Streaming(decoding);
            return streaming;
        }
        JsonObject answer = finish(decoding, 1).getFirst();
        return options.flag("details") ? answer : answer.get("text");
    }

    private SamplingConfig sampling(Given given, Options options, SamplingConfig settings) {
        return given.prompt() == null ? options.sampling(settings) : given.prompt().sampling(settings, given, options);
    }

    Object sample(Given given) {
        boolean conversation = given.at(0) instanceof JsonArray;
        if (given.prompt() == null && !conversation) given.text(0);
        int n = given.whole(1, 1, MOST_SAMPLES);
        Options options = given.options(2).expect(Options.SAMPLING, "details");
        SamplingConfig settings = stage.sampling();
        SamplingConfig config = sampling(given, options, settings.temperature() > 0 ? settings : settings.withTemperature(1));
        JsonArray answers = new JsonArray();
        for (JsonObject answer : finish(begin(ids(given, conversation), config, n), n))
            answers.add(options.flag("details") ? answer : answer.get("text"));
        return answers;
    }

    /// A prompt answered by the technique it names.
    Object run(Given given, Prompt prompt, Options options) {
        SamplingConfig config = prompt.sampling(stage.sampling(), given, options.expect(Options.SAMPLING));
        return ask(prompt.composed(stage.model(), config.maxTokens()), config);
    }

    /// The majority of several paths, of a prompt or a text; how many, and when they are enough, as the options say.
    Object vote(Given given) {
        Options options = given.options(1).expect(Options.SAMPLING, "n", "early", "error", "answer");
        Prompt prompt = given.prompt() != null ? given.prompt() : Prompt.of(given.text(0));
        Vote own = prompt.composition().vote();
        int n = options.whole("n", 1, MOST_SAMPLES, own.n() > 1 ? own.n() : 8);
        Vote vote = new Vote(n, options.values().has("early") ? options.flag("early") : own.early(),
                options.number("error", own.error()), own.temperature());
        Composition answer = options.values().has("answer")
                ? Block.read("vote", Map.of("answer", Data.plain(options.values().get("answer"))), jail.root())
                : prompt.composition();
        Prompt voting = prompt.with(prompt.composition().with(c -> {
            c.vote = vote;
            c.answer = answer.answer();
        }));
        SamplingConfig config = voting.sampling(stage.sampling(), given, options);
        return ask(voting.composed(stage.model(), config.maxTokens()), config);
    }

    private JsonElement ask(Composed composed, SamplingConfig config) {
        close();
        int paths = 0;
        try (Inquiry inquiry = Inquiry.of(stage.model(), stage.cache(), composed, config); Clock.Pause _ = clock.pause()) {
            running(inquiry::interrupt);
            while (inquiry.hasNext())
                switch (inquiry.next()) {
                    case Inquiry.Event.Sampled(var sample) when composed.composition().vote().n() > 1 ->
                        stage.progress("path " + ++paths
                            + " of " + composed.composition().vote().n() + ": " + sample.answer().orElse("no answer found"));
                    case Inquiry.Event.Note(String text) -> stage.progress(text);
                    case Inquiry.Event.Sampled _, Inquiry.Event.Text _, Inquiry.Event.Known _ -> { }
                }
            if (paths > 0) stage.progress("");
            return Data.json(inquiry.reply().fields());
        } finally {
            running(null);
        }
    }

    /// Shows a prompt's parts and how many tokens each is, and all of it as the model gets it.
    Object show(Prompt prompt) {
        CausalLm model = stage.model();
        Composed composed = composed(prompt);
        stage.progress("");
        List<List<String>> rows = new ArrayList<>();
        for (Composed.Part part : composed.parts()) {
                String text = part.message().text();
                int tokens = model.tokenizer().encode(text, false, false).length;
                rows.add(List.of(part.label(), part.message().role(), Integer.toString(tokens), text));
            }
        rows.add(List.of("all", "", Integer.toString(ids(composed).length), ""));
        new Table("", List.of("part", "role", "tokens", "text"), rows, new boolean[] {false, false, true, false})
                .lines(stage.columns(), stage.unicode()).forEach(stage::line);
        if (composed.dropped() > 0) stage.line(composed.dropped() + " examples left out, " + composed.shown().size() + " shown");
        return null;
    }

    private Decoding begin(int[] prompt, SamplingConfig config, int n) {
        close();
        Decoding decoding = stage.model().decode(stage.cache(), prompt, config, n);
        running(decoding::interrupt);
        return decoding;
    }

    private List<JsonObject> finish(Decoding decoding, int n) {
        StringBuilder[] texts = new StringBuilder[n];
        JsonArray[] tokens = new JsonArray[n];
        double[] sums = new double[n];
        FinishReason[] reasons = new FinishReason[n];
        for (int i = 0; i < n; i++) {
            texts[i] = new StringBuilder();
            tokens[i] = new JsonArray();
        }
        try (decoding; Clock.Pause _ = clock.pause()) {
            while (decoding.hasNext())
                switch (decoding.next()) {
                    case Step.Token(int i, int id, String text, double logprob, _) -> {
                        texts[i].append(text);
                        tokens[i].add(token(new Candidate(id, stage.model().tokenizer().piece(id), logprob)));
                        sums[i] += logprob;
                    }
                    case Step.Stop(int i, FinishReason reason, String text) -> {
                        texts[i].append(text);
                        reasons[i] = reason;
                    }
                }
        } finally {
            running(null);
        }
        List<JsonObject> answers = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            JsonObject answer = new JsonObject();
            answer.addProperty("text", texts[i].toString());
            answer.addProperty("finish_reason", reasons[i].word());
            answer.addProperty("prompt_tokens", decoding.promptTokens());
            answer.addProperty("completion_tokens", tokens[i].size());
            answer.add("logprob", Data.number(sums[i]));
            answer.add("tokens", tokens[i]);
            answers.add(answer);
        }
        return answers;
    }

    Object score(Given given) {
        if (given.prompt() == null) given.text(0);
        String continuation = given.text(1);
        close();
        CausalLm model = stage.model();
        Score score;
        try (Clock.Pause _ = clock.pause()) {
            Prompt prompt = given.prompt();
            boolean turns = prompt != null && model.chatTemplate().isPresent();
            score = turns ? model.score(stage.cache(), ids(given, true), model.tokenizer().encode(continuation, false, false))
                    : prompt == null ? model.score(stage.cache(), given.text(0), continuation)
                    : afterText(model, composed(prompt).text(), continuation);
        } catch (UserError e) {
            throw e.where().isEmpty() ? given.error(e.what(), e.fix()) : e;
        }
        JsonObject answer = new JsonObject();
        answer.add("loglikelihood", Data.number(score.loglikelihood()));
        answer.addProperty("is_greedy", score.isGreedy());
        JsonArray tokens = new JsonArray();
        score.tokens().forEach(token -> tokens.add(token(token)));
        answer.add("tokens", tokens);
        return answer;
    }

    /// An answer stands behind its question's text with a space between, as in [Composed#text].
    private Score afterText(CausalLm model, String text, String answer) {
        boolean apart = text.isEmpty() || Character.isWhitespace(text.charAt(text.length() - 1)) || answer.startsWith(" ");
        return model.score(stage.cache(), text, apart ? answer : " " + answer);
    }

    Object tokenize(Given given) {
        Tokenizer tokenizer = stage.model().tokenizer();
        JsonArray ids = new JsonArray();
        JsonArray pieces = new JsonArray();
        for (int id : given.prompt() == null ? tokenizer.encode(given.text(0), false, false) : ids(given, true)) {
            ids.add(id);
            pieces.add(tokenizer.piece(id));
        }
        JsonObject answer = new JsonObject();
        answer.add("ids", ids);
        answer.add("pieces", pieces);
        return answer;
    }

    private static JsonObject token(Candidate token) {
        JsonObject one = new JsonObject();
        one.addProperty("id", token.id());
        one.addProperty("text", token.text());
        one.add("logprob", Data.number(token.logprob()));
        return one;
    }

    /// An answer as it comes; empty pieces are passed over.
    private final class Streaming implements Word.Stream {
        private final Decoding decoding;

        Streaming(Decoding decoding) {
            this.decoding = decoding;
        }

        @Override
        public String next() {
            if (streaming != this) throw new UserError("", "this answer was ended by the one that began after it", "");
            try (Clock.Pause _ = clock.pause()) {
                while (decoding.hasNext()) {
                    String text = switch (decoding.next()) {
                        case Step.Token token -> token.text();
                        case Step.Stop stop -> stop.text();
                    };
                    if (!text.isEmpty()) return text;
                }
            }
            close();
            return null;
        }

        @Override
        public void close() {
            if (streaming != this) return;
            streaming = null;
            running(null);
            decoding.close();
        }
    }

    /// Says how an interruption ends what the model does; one that came just before ends it too.
    private synchronized void running(Runnable interrupt) {
        running = interrupt;
        if (interrupted && interrupt != null) interrupt.run();
    }

    /// Another run begins, which nobody has interrupted.
    synchronized void begin() {
        interrupted = false;
    }

    /// Ends the answer under way, and those that begin after it; from any thread.
    synchronized void interrupt() {
        interrupted = true;
        if (running != null) running.run();
    }

    /// Ends the stream that a script left open.
    @Override
    public void close() {
        if (streaming != null) streaming.close();
    }
}
