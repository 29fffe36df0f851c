package fewsh.script;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import fewsh.UserError;
import fewsh.generate.About;
import fewsh.generate.Candidate;
import fewsh.generate.CausalLm;
import fewsh.generate.Decoding;
import fewsh.generate.FinishReason;
import fewsh.generate.SamplingConfig;
import fewsh.generate.Score;
import fewsh.generate.Step;
import fewsh.prompt.Message;
import fewsh.tokenize.Tokenizer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
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
    private Decoding running;
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
        String prompt = given.text(0);
        return answer(stage.model().encode(prompt), given.options(1));
    }

    Object chat(Given given) {
        return answer(conversation(given), given.options(1));
    }

    private int[] conversation(Given given) {
        List<Message> messages = messages(given);
        CausalLm model = stage.model();
        if (model.chatTemplate().isEmpty())
            throw given.error(model.about().name() + " has no chat template", "complete(text) continues a text as it is");
        return model.encode(messages, true);
    }

    private static List<Message> messages(Given given) {
        if (given.at(0) instanceof JsonPrimitive) return List.of(new Message("user", given.text(0)));
        List<Message> messages = new ArrayList<>();
        for (JsonObject row : given.rows(0)) {
            Map<String, Object> fields = new LinkedHashMap<>();
            row.asMap().forEach((key, value) -> fields.put(key, plain(value)));
            Message message = Message.received(fields);
            if (message.role() == null || !(fields.get("content") instanceof String))
                throw given.error("message " + (messages.size() + 1) + " must be {role, content}, both texts, was "
                        + Given.shown(row), "chat([{role: \"user\", content: \"Hello\"}])");
            messages.add(message);
        }
        if (messages.isEmpty()) throw given.error("there is no message", "chat([{role: \"user\", content: \"Hello\"}])");
        return messages;
    }

    /// Null, Boolean, Double, String, List or LinkedHashMap.
    private static Object plain(JsonElement value) {
        return switch (value) {
            case JsonPrimitive p when p.isString() -> p.getAsString();
            case JsonPrimitive p when p.isBoolean() -> p.getAsBoolean();
            case JsonPrimitive p -> p.getAsDouble() == p.getAsLong() ? (Object) p.getAsLong() : (Object) p.getAsDouble();
            case JsonArray list -> list.asList().stream().map(Models::plain).toList();
            case JsonObject object -> {
                Map<String, Object> fields = new LinkedHashMap<>();
                object.asMap().forEach((key, element) -> fields.put(key, plain(element)));
                yield fields;
            }
            default -> null;
        };
    }

    /// A text; with `details` an object; with `stream` the text piece by piece.
    private Object answer(int[] prompt, Options options) {
        options.expect(Options.SAMPLING, "stream", "details");
        SamplingConfig config = options.sampling(stage.sampling());
        Decoding decoding = begin(prompt, config, 1);
        if (options.flag("stream")) {
            streaming = new Streaming(decoding);
            return streaming;
        }
        JsonObject answer = finish(decoding, 1).getFirst();
        return options.flag("details") ? answer : answer.get("text");
    }

    Object sample(Given given) {
        boolean conversation = given.at(0) instanceof JsonArray;
        String text = conversation ? "" : given.text(0);
        int n = given.whole(1, 1, MOST_SAMPLES);
        Options options = given.options(2).expect(Options.SAMPLING, "details");
        SamplingConfig settings = stage.sampling();
        SamplingConfig config = options.sampling(settings.temperature() > 0 ? settings : settings.withTemperature(1));
        int[] prompt = conversation ? conversation(given) : stage.model().encode(text);
        JsonArray answers = new JsonArray();
        for (JsonObject answer : finish(begin(prompt, config, n), n))
            answers.add(options.flag("details") ? answer : answer.get("text"));
        return answers;
    }

    private Decoding begin(int[] prompt, SamplingConfig config, int n) {
        close();
        Decoding decoding = stage.model().decode(stage.cache(), prompt, config, n);
        running(decoding);
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
            answer.add("logprob", number(sums[i]));
            answer.add("tokens", tokens[i]);
            answers.add(answer);
        }
        return answers;
    }

    Object score(Given given) {
        String context = given.text(0);
        String continuation = given.text(1);
        close();
        Score score;
        try (Clock.Pause _ = clock.pause()) {
            score = stage.model().score(stage.cache(), context, continuation);
        } catch (UserError e) {
            throw e.where().isEmpty() ? given.error(e.what(), e.fix()) : e;
        }
        JsonObject answer = new JsonObject();
        answer.add("loglikelihood", number(score.loglikelihood()));
        answer.addProperty("is_greedy", score.isGreedy());
        JsonArray tokens = new JsonArray();
        score.tokens().forEach(token -> tokens.add(token(token)));
        answer.add("tokens", tokens);
        return answer;
    }

    Object tokenize(Given given) {
        String text = given.text(0);
        Tokenizer tokenizer = stage.model().tokenizer();
        JsonArray ids = new JsonArray();
        JsonArray pieces = new JsonArray();
        for (int id : tokenizer.encode(text, false, false)) {
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
        one.add("logprob", number(token.logprob()));
        return one;
    }

    /// JSON has no infinity: null.
    private static JsonElement number(double value) {
        return Double.isFinite(value) ? new JsonPrimitive(value) : JsonNull.INSTANCE;
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

    /// Says that `decoding` is what an interruption ends; one that came just before ends it too.
    private synchronized void running(Decoding decoding) {
        running = decoding;
        if (interrupted && decoding != null) decoding.interrupt();
    }

    /// Another run begins, which nobody has interrupted.
    synchronized void begin() {
        interrupted = false;
    }

    /// Ends the answer under way, and those that begin after it; from any thread.
    synchronized void interrupt() {
        interrupted = true;
        if (running != null) running.interrupt();
    }

    /// Ends the stream that a script left open.
    @Override
    public void close() {
        if (streaming != null) streaming.close();
    }
}
