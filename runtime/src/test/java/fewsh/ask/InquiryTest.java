package fewsh.ask;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import fewsh.UserError;
import fewsh.generate.CausalLm;
import fewsh.generate.Decoding;
import fewsh.generate.FinishReason;
import fewsh.generate.KvCache;
import fewsh.generate.SamplingConfig;
import fewsh.generate.Step;
import fewsh.load.LoadOptions;
import fewsh.models.Precision;
import fewsh.models.TinyModels;
import fewsh.prompt.Composed;
import fewsh.prompt.Composition;
import fewsh.prompt.Cot;
import fewsh.prompt.Extraction;
import fewsh.prompt.Format;
import fewsh.prompt.Message;
import fewsh.prompt.Vote;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Each technique on models that the test makes: one that knows the alphabet for what is said, random ones for what is equal.
class InquiryTest {
    private static final SamplingConfig GREEDY = SamplingConfig.GREEDY.withMaxTokens(40);

    @TempDir
    static Path folder;

    private static CausalLm chat;
    private static CausalLm text;
    private static CausalLm random;
    private static CausalLm endless;

    @BeforeAll
    static void make() throws IOException {
        LoadOptions fp32 = LoadOptions.in(folder.resolve("home")).withPrecision(Precision.FP32).withThreads(2);
        chat = CausalLm.open(TinyModels.alphabet(folder.resolve("chat")), fp32);
        Path base = TinyModels.alphabet(folder.resolve("text"));
        JsonObject config = JsonParser.parseString(Files.readString(base.resolve("tokenizer_config.json"))).getAsJsonObject();
        config.remove("chat_template");
        Files.writeString(base.resolve("tokenizer_config.json"), config.toString());
        text = CausalLm.open(base, fp32);
        random = CausalLm.open(TinyModels.llama(folder.resolve("random"), 3), fp32);
        endless = CausalLm.open(TinyModels.endless(folder.resolve("endless")), fp32);
    }

    @AfterAll
    static void close() {
        for (CausalLm lm : List.of(chat, text, random, endless)) lm.close();
    }

    private static Composed prompt(String question, Consumer<Composition.Fields> change) {
        return new Composed(Composition.EMPTY.with(change), List.of(new Composed.Part("question", new Message("user", question))),
                List.of(), 0);
    }

    private record Told(String text, List<Sample> samples, List<Statement> statements, List<String> notes, Reply reply) {}

    private static Told ask(CausalLm lm, KvCache cache, Composed prompt, SamplingConfig config) {
        StringBuilder shown = new StringBuilder();
        List<Sample> samples = new ArrayList<>();
        List<Statement> statements = new ArrayList<>();
        List<String> notes = new ArrayList<>();
        try (Inquiry inquiry = Inquiry.of(lm, cache, prompt, config)) {
            while (inquiry.hasNext())
                switch (inquiry.next()) {
                    case Inquiry.Event.Text(String piece) -> shown.append(piece);
                    case Inquiry.Event.Sampled(Sample sample) -> samples.add(sample);
                    case Inquiry.Event.Known(Statement statement) -> statements.add(statement);
                    case Inquiry.Event.Note(String note) -> notes.add(note);
                }
            return new Told(shown.toString(), samples, statements, notes, inquiry.reply());
        }
    }

    private static Told ask(CausalLm lm, Composed prompt, SamplingConfig config) {
        try (KvCache cache = lm.cache()) {
            return ask(lm, cache, prompt, config);
        }
    }

    private static Extraction pattern(String pattern) {
        return new Extraction(Extraction.Kind.REGEX, pattern, List.of());
    }

    @Test
    void aSingleAnswerIsStreamed() {
        Told told = ask(chat, prompt("say it", c -> {}), GREEDY);
        assertEquals("abcdefghijklmnopqrstuvwxyz", told.text());
        assertEquals(told.text(), told.reply().text());
        assertEquals(Optional.of(told.text()), told.reply().answer());
        assertEquals(FinishReason.STOP, told.reply().reason());
        assertEquals(chat.encode(List.of(new Message("user", "say it")), true).length, told.reply().usage().promptTokens());
        assertEquals(27, told.reply().usage().completionTokens());
    }

    @Test
    void aModelWithoutAChatTemplateGetsText() {
        assertEquals("xyz", ask(text, prompt("uvw", c -> {}), GREEDY).reply().text());
    }

    @Test
    void theCompositionsStopTextsEndTheAnswerAsTheSettingsDo() {
        assertEquals("abcd", ask(chat, prompt("?", c -> c.stop = List.of("ef")), GREEDY.withStop(List.of("m"))).reply().text());
        assertEquals("abcd", ask(chat, prompt("?", c -> c.stop = List.of("m")), GREEDY.withStop(List.of("ef"))).reply().text());
    }

    @Test
    void zeroShotChainOfThoughtReasonsAndThenAnswers() {
        Cot cot = new Cot(Cot.Kind.ZERO_SHOT, "abc", "So: v");
        for (CausalLm lm : List.of(chat, text)) {
            Told told = ask(lm, prompt("?", c -> {
                c.cot = cot;
                c.answer = pattern("so: v(.*)|So: v(.*)");
            }), GREEDY);
            assertEquals("abcdefghijklmnopqrstuvwxyz\nSo: vwxyz", told.reply().text());
            assertEquals(told.reply().text(), told.text());
            assertEquals(Optional.of("wxyz"), ask(lm, prompt("?", c -> c.cot = cot), GREEDY).reply().answer());
            int first = lm.chatTemplate().isPresent() ? lm.encode(List.of(new Message("user", "?")), true).length + 3
                    : lm.encode("? abc").length;
            // the second prompt holds the first, the reasoning and the phrase; all but the end of it was there already
            int second = first + 23 + 6;
            assertEquals(first + second, told.reply().usage().promptTokens());
            assertEquals(first + 23, told.reply().usage().reusedTokens());
        }
    }

    @Test
    void reasoningThatIsCutStillGetsItsAnswer() {
        Told told = ask(text, prompt("?", c -> c.cot = new Cot(Cot.Kind.ZERO_SHOT, "abc", "x")), GREEDY.withMaxTokens(5));
        assertEquals("abcdefgh\nxyz", told.reply().text());
        assertEquals(FinishReason.LENGTH, told.reply().reason());
        assertEquals(Optional.of("yz"), told.reply().answer());
    }

    @Test
    void theAnswerOfTheSecondCallIsItsFirstLine() {
        fewsh.ask.Path path = new fewsh.ask.Path(0, "because", id -> id == 2 ? "▁4" : "x");
        path.take(new Step.Stop(0, FinishReason.STOP, " it is."));
        path.ask("The answer is");
        StringBuilder told = new StringBuilder();
        for (String piece : List.of(" \n", " 4", "2\nOr", " 43")) {
            String added = path.take(new Step.Token(0, 1, piece, -1, List.of()));
            Optional<String> kept = path.lineEnd(added);
            told.append(kept.orElse(added));
            if (kept.isPresent()) break;
        }
        assertEquals(" \n 42", told.toString());
        assertEquals("because it is.\nThe answer is \n 42", path.end(Extraction.WHOLE).text());
        assertEquals(Optional.of("42"), path.end(Extraction.WHOLE).answer());
    }

    @Test
    void theSpaceThatADecoderDropsInFrontIsThereBetweenWords() {
        fewsh.ask.Path path = new fewsh.ask.Path(0, "Let me see.", id -> id == 2 ? "▁First" : "st");
        for (int id : new int[] {2, 1}) path.take(new Step.Token(0, id, id == 2 ? "First" : "ly", -1, List.of()));
        path.take(new Step.Stop(0, FinishReason.STOP, ""));
        path.ask("So");
        path.take(new Step.Token(0, 2, "First", -1, List.of()));
        assertEquals("Let me see. Firstly\nSo First", path.text());
    }

    @Test
    void anAnswerIsHeldToItsFormatAndTheReasoningBeforeItIsNot() {
        Composed prompt = prompt("?", c -> c.format = new Format.Options(List.of("qed", "bcd")));
        assertTrue(List.of("qed", "bcd").contains(ask(chat, prompt, GREEDY).reply().text()));
        Reply reasoned = ask(text, prompt("?", c -> {
            c.cot = new Cot(Cot.Kind.ZERO_SHOT, "abc", "a");
            c.format = new Format.Options(List.of("qed", "bcd"));
        }), GREEDY).reply();
        assertEquals("abcdefghijklmnopqrstuvwxyz\nabcd", reasoned.text());
        assertEquals(Optional.of("bcd"), reasoned.answer());
        Reply voted = ask(random, prompt("?", c -> {
            c.format = new Format.Options(List.of("yes", "no", "maybe"));
            c.vote = new Vote(9, false, 0.05, 1);
        }), GREEDY).reply();
        assertEquals(0, voted.votes().orElseThrow().unparsable());
        assertTrue(List.of("yes", "no", "maybe").containsAll(voted.votes().orElseThrow().counts().keySet()));
    }

    private static List<String> paths(CausalLm lm, int[] prompt, SamplingConfig config, int n) {
        TreeMap<Integer, StringBuilder> texts = new TreeMap<>();
        try (KvCache cache = lm.cache(); Decoding d = lm.decode(cache, prompt, config, n)) {
            while (d.hasNext()) {
                Step step = d.next();
                StringBuilder one = texts.computeIfAbsent(step.sample(), _ -> new StringBuilder());
                switch (step) {
                    case Step.Token token -> one.append(token.text());
                    case Step.Stop stop -> one.append(stop.text());
                }
            }
        }
        return texts.values().stream().map(StringBuilder::toString).toList();
    }

    @Test
    void theMajorityOfTheSampledPathsWins() {
        Composed prompt = prompt("which?", c -> {
            c.vote = new Vote(24, false, 0.05, 0.9);
            c.answer = pattern("[a-d]");
        });
        Told told = ask(random, prompt, GREEDY.withSeed(5));
        List<String> texts = paths(random, random.encode(prompt.messages(), true), GREEDY.withSeed(5).withTemperature(0.9), 24);
        assertEquals(texts, told.reply().samples().stream().map(Sample::text).toList());
        Tally expected = new Tally(Extraction.WHOLE);
        for (String one : texts) expected.add(prompt.composition().answer().find(one));
        Votes votes = told.reply().votes().orElseThrow();
        assertTrue(expected.unparsable() > 0, "some path without a letter");
        assertEquals(new Votes(expected.winner(), expected.ordered(), expected.unparsable(), 24, 24, false, 0), votes);
        assertEquals(24, votes.unparsable() + votes.counts().values().stream().mapToInt(i -> i).sum());
        assertEquals(votes.answer(), told.reply().answer());
        assertEquals("", told.text());
        assertEquals(24, told.samples().size());
        assertEquals(votes.answer(), prompt.composition().answer().find(told.reply().text()));
    }

    @Test
    void anEarlyEndSamplesTheFirstPathsOfTheWholeVote() {
        int stopped = 0;
        for (int seed = 0; seed < 12; seed++) {
            SamplingConfig config = GREEDY.withMaxTokens(12).withSeed(seed);
            double temperature = 0.05 + 0.05 * seed;
            Consumer<Composition.Fields> change = c -> c.answer = pattern("[a-z]");
            Vote vote = new Vote(16, false, 0.05, temperature);
            Vote stops = new Vote(16, true, 0.05, temperature);
            Reply whole = ask(random, prompt("x", change.andThen(c -> c.vote = vote)), config).reply();
            Reply early = ask(random, prompt("x", change.andThen(c -> c.vote = stops)), config).reply();
            Votes votes = early.votes().orElseThrow();
            assertEquals(whole.samples().subList(0, early.samples().size()), early.samples());
            assertEquals(early.samples().size() < 16, votes.stoppedEarly());
            assertEquals(votes.stoppedEarly() ? 16 - early.samples().size() : 0, votes.saved());
            assertEquals(whole.usage().promptTokens(), early.usage().promptTokens());
            if (votes.stoppedEarly()) stopped++;
        }
        assertTrue(stopped > 0, "no vote was settled early");
    }

    @Test
    void aUnanimousVoteEndsAfterItsFirstWave() {
        Reply reply = ask(chat, prompt("?", c -> c.vote = new Vote(8, true, 0.05, 0.01)), GREEDY).reply();
        Votes votes = reply.votes().orElseThrow();
        assertEquals("{abcdefghijklmnopqrstuvwxyz=4}", votes.counts().toString());
        assertTrue(votes.stoppedEarly());
        assertEquals(4, votes.saved());
        assertEquals(4 * 27, votes.savedTokens());
        assertEquals("{answer=abcdefghijklmnopqrstuvwxyz, votes={abcdefghijklmnopqrstuvwxyz=4}, unparsable=0, samples=4, "
                + "stopped_early=true, saved_samples=4, saved_tokens=108}", votes.fields().toString());
    }

    @Test
    void aVoteWithoutAnAnswerSaysSo() {
        Reply reply = ask(chat, prompt("?", c -> {
            c.vote = new Vote(8, true, 0.05, 0.01);
            c.answer = new Extraction(Extraction.Kind.NUMBER, "", List.of());
        }), GREEDY).reply();
        assertEquals(8, reply.votes().orElseThrow().unparsable());
        assertEquals(8, reply.votes().orElseThrow().samples());
        assertEquals(Optional.empty(), reply.answer());
    }

    @Test
    void eachPathOfAVoteReasonsAndAnswers() {
        Reply reply = ask(text, prompt("?", c -> {
            c.vote = new Vote(6, false, 0.05, 0.3);
            c.cot = new Cot(Cot.Kind.ZERO_SHOT, "abc", "w");
        }), GREEDY).reply();
        assertEquals(6, reply.samples().size());
        for (Sample sample : reply.samples())
            assertTrue(sample.text().startsWith("abc") && sample.text().contains("\nw"), sample.text());
        assertEquals(6, reply.votes().orElseThrow().counts().get("xyz"));
        assertEquals(Optional.of("xyz"), reply.answer());
    }

    @Test
    void ofOptionsTheSurestWithAnyStatementWins() {
        Composed prompt = prompt("which?", c -> {
            c.knowledge = 5;
            c.format = new Format.Options(List.of("ab", "q", "xy"));
        });
        Told told = ask(random, prompt, GREEDY.withSeed(2));
        List<Statement> statements = told.reply().statements();
        assertEquals("", statements.getFirst().text());
        assertTrue(statements.size() > 2 && statements.size() <= 6);
        assertEquals(statements, told.statements());
        assertEquals("knowledge 5 of 5", told.notes().stream().filter(n -> n.startsWith("knowledge")).toList().getLast());
        double most = 0;
        try (KvCache cache = random.cache()) {
            for (Statement statement : statements) {
                String asked = statement.text().isEmpty() ? "which?" : statement.text() + "\nwhich?";
                int[] ids = random.encode(List.of(new Message("user", asked)), true);
                double all = 0;
                double its = 0;
                for (String option : List.of("ab", "q", "xy")) {
                    int[] continuation = random.tokenizer().encode(option, false, false);
                    double likelihood = Math.exp(random.score(cache, ids, continuation).loglikelihood());
                    all += likelihood;
                    if (statement.sample().answer().equals(Optional.of(option))) its = likelihood;
                }
                assertEquals(its / all, statement.probability(), 1e-4);
                most = Math.max(most, statement.probability());
            }
        }
        double surest = most;
        assertEquals(told.reply().answer(), statements.stream().filter(s -> s.probability() == surest).findFirst().orElseThrow()
                .sample().answer());
        assertEquals(told.reply().text(), told.text());
    }

    @Test
    void aFreeAnswerIsAsSureAsItsTokensAreLikely() {
        Reply reply = ask(chat, prompt("?", c -> c.knowledge = 3), GREEDY).reply();
        assertEquals("abcdefghijklmnopqrstuvwxyz", reply.text());
        for (Statement statement : reply.statements()) {
            Sample sample = statement.sample();
            assertEquals(27, sample.tokens().size());
            assertEquals(Math.exp(sample.logprob() / 27), statement.probability(), 1e-12);
            assertTrue(statement.probability() > 0.9 && statement.probability() <= 1, "" + statement.probability());
        }
    }

    @Test
    void statementsAreOneLineAndNoneIsRepeated() {
        Told told = ask(random, prompt("which?", c -> c.knowledge = 40), GREEDY.withTemperature(0.3).withMaxTokens(2));
        List<String> texts = told.reply().statements().stream().map(Statement::text).toList();
        assertEquals(texts.stream().distinct().toList(), texts);
        assertTrue(texts.stream().allMatch(t -> t.equals(t.strip()) && !t.contains("\n")));
        int left = 41 - texts.size();
        assertEquals(left > 0, told.notes().contains(left + " of 40 statements were empty or repeated: left out"));
    }

    @Test
    void anInterruptEndsEachTechniqueWithWhatThereIs() throws InterruptedException {
        for (Composed prompt : List.of(prompt("?", c -> {}), prompt("?", c -> c.cot = Cot.OFF.with(Cot.Kind.ZERO_SHOT)),
                prompt("?", c -> c.vote = new Vote(8, true, 0.05, 0.7)),
                prompt("?", c -> {
                    c.vote = new Vote(3, false, 0.05, 0.7);
                    c.cot = Cot.OFF.with(Cot.Kind.ZERO_SHOT);
                }))) {
            try (KvCache cache = endless.cache(); Inquiry inquiry = Inquiry.of(endless, cache, prompt,
                    SamplingConfig.GREEDY.withTemperature(1).withMaxTokens(1 << 19).with(c -> c.frequencyPenalty = 0))) {
                Thread other = Thread.ofPlatform().start(() -> {
                    try {
                        Thread.sleep(100);
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                    inquiry.interrupt();
                });
                Reply reply = inquiry.reply();
                other.join();
                if (reply.reason() == FinishReason.STOP) continue;      // random weights may say the end
                assertEquals(FinishReason.INTERRUPTED, reply.reason());
                for (Sample sample : reply.samples())
                    if (sample.reason() == FinishReason.INTERRUPTED) assertEquals(Optional.empty(), sample.answer());
                assertFalse(inquiry.hasNext());
            }
        }
    }

    @Test
    void anInterruptBeforeTheFirstStepLeavesNothing() {
        for (Composed prompt : List.of(prompt("?", c -> {}), prompt("?", c -> c.knowledge = 3),
                prompt("?", c -> c.vote = new Vote(4, false, 0.05, 0.7))))
            try (KvCache cache = chat.cache(); Inquiry inquiry = Inquiry.of(chat, cache, prompt, GREEDY)) {
                inquiry.interrupt();
                Reply reply = inquiry.reply();
                assertEquals("", reply.text());
                assertEquals(FinishReason.INTERRUPTED, reply.reason());
                assertEquals(Optional.empty(), reply.answer());
                assertEquals(0, reply.votes().map(Votes::samples).orElse(0));
            }
    }

    @Test
    void anInterruptOfKnowledgeKeepsTheAnswersThatAreThere() {
        try (KvCache cache = chat.cache(); Inquiry inquiry = Inquiry.of(chat, cache, prompt("?", c -> c.knowledge = 4), GREEDY)) {
            while (!(inquiry.next() instanceof Inquiry.Event.Known)) continue;
            inquiry.interrupt();
            Reply reply = inquiry.reply();
            assertEquals(FinishReason.INTERRUPTED, reply.reason());
            assertEquals(1, reply.statements().size());
            assertEquals("abcdefghijklmnopqrstuvwxyz", reply.text());
        }
    }

    @Test
    void theSamePromptAgainComputesNearlyNothing() {
        try (KvCache cache = chat.cache()) {
            Composed prompt = prompt("a question of some length", c -> c.vote = new Vote(3, false, 0.05, 0.5));
            Reply first = ask(chat, cache, prompt, GREEDY).reply();
            Reply again = ask(chat, cache, prompt, GREEDY).reply();
            assertEquals(0, first.usage().reusedTokens());
            assertEquals(first.usage().promptTokens() - 2, again.usage().reusedTokens());
            assertEquals(first.samples(), again.samples());
        }
    }

    @Test
    void whatCannotBeIsRefusedBeforeAnythingRuns() {
        assertEquals("knowledge: cannot go with a vote: each statement has one answer", refused(prompt("?", c -> {
            c.knowledge = 2;
            c.vote = new Vote(4, false, 0.05, 0.7);
        })));
        assertTrue(refused(prompt("?", c -> {
            c.knowledge = 2;
            c.cot = Cot.OFF.with(Cot.Kind.ZERO_SHOT);
        })).startsWith("knowledge: cannot go with cot zero_shot"));
        assertTrue(refused(new Composed(Composition.EMPTY, List.of(new Composed.Part("question", new Message("user", "?")
                .with("content", List.of(Map.of("type", "image", "path", "cat.png"))))), List.of(), 0)).endsWith(" reads text only"));
        assertEquals("knowledge: the prompt asks nothing: it has no user message", refused(new Composed(
                Composition.EMPTY.with(c -> c.knowledge = 1), List.of(new Composed.Part("role", new Message("system", "?"))),
                List.of(), 0)));
    }

    private static String refused(Composed prompt) {
        try (KvCache cache = chat.cache()) {
            return assertThrows(UserError.class, () -> Inquiry.of(chat, cache, prompt, GREEDY)).getMessage();
        }
    }

    @Test
    void aPromptThatIsTooLongIsRefused() {
        assertTrue(assertThrows(UserError.class, () -> ask(chat, prompt("x".repeat(600), c -> {}), GREEDY)).getMessage()
                .contains("context length is 512"));
    }
}
