package fewsh.ask;

import fewsh.UserError;
import fewsh.generate.FinishReason;
import fewsh.generate.KvCache;
import fewsh.generate.SamplingConfig;
import fewsh.generate.Step;
import fewsh.prompt.Composed;
import fewsh.prompt.Composition;
import fewsh.prompt.Extraction;
import fewsh.prompt.Format;
import fewsh.prompt.Message;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedSet;
import java.util.function.Consumer;

/// Generated knowledge: statements about the question are sampled; an answer is given with each in front of the question, and
/// one without; the answer that the model is surest of wins.
///
/// Statements are one line of at most 64 tokens, sampled by `top_p` 0.5 where the settings say no temperature; empty and
/// repeated ones are left out. How sure an answer is, [Statement] says.
///
/// Source: Liu et al. 2022, Generated Knowledge Prompting for Commonsense Reasoning, with the demonstrations of its prompt for
/// CommonsenseQA. Its maximum runs over the question without knowledge too.
final class Knowledge implements Technique {
    private static final int STATEMENT_TOKENS = 64;
    private static final String TASK = "Generate some knowledge about the concepts in the input.";
    private static final String[][] DEMONSTRATIONS = {
        {"Google Maps and other highway and street GPS services have replaced what?",
            "Electronic maps are the modern version of paper atlas."},
        {"The fox walked from the city into the forest, what was it looking for?",
            "Natural habitats are usually away from cities."},
        {"You can share files with someone if you have a connection to a what?", "Files can be shared over the Internet."},
        {"Too many people want exotic snakes. The demand is driving what to carry them?", "Some people raise snakes as pets."},
        {"The body guard was good at his duties, he made the person who hired him what?",
            "The job of body guards is to ensure the safety and security of the employer."},
    };

    private final Run run;
    private final Composition composition;
    private final Composed.Part question;
    private final List<String> options;
    private final KvCache aside;
    private final int[] prompt;
    private final SamplingConfig config;
    private final List<Path> sampled = new ArrayList<>();
    private int finished;
    /// Empty until all are sampled; the first is the empty one.
    private final List<String> texts = new ArrayList<>();
    private final List<Statement> statements = new ArrayList<>();
    private Path answer;
    private boolean ended;

    Knowledge(Run run) {
        this.run = run;
        this.composition = run.composed().composition();
        this.question = run.composed().parts().stream().filter(p -> "user".equals(p.message().role())).reduce((_, last) -> last)
                .orElseThrow(() -> new UserError("knowledge", "the prompt asks nothing: it has no user message", "add one"));
        this.options = switch (run.config().format()) {
            case Format.Options(List<String> all) -> all;
            case Format.Free _, Format.Json _, Format.Regex _ -> composition.answer().kind() == Extraction.Kind.OPTION
                    ? composition.answer().options() : List.of();
        };
        this.prompt = prompt(run, question.message().text());
        run.ids(run.composed());                                        // a template that refuses the messages does so now
        SamplingConfig given = run.config();
        this.config = given.with(c -> {
            if (c.temperature == 0) {
                c.temperature = 1;
                c.topP = 0.5;
            }
            c.maxTokens = STATEMENT_TOKENS;
            c.stop = List.of("\n");
            c.alternatives = 0;
            c.format = new Format.Free();
        });
        // of its own: the other holds the prompt that the answers share
        this.aside = run.lm().cache();
    }

    /// With as many demonstrations as the context length leaves room for.
    private static int[] prompt(Run run, String question) {
        int[] ids = {};
        for (int shown = DEMONSTRATIONS.length; shown >= 0; shown--) {
            ids = run.ids(demonstrations(question, shown));
            if (ids.length + STATEMENT_TOKENS <= run.lm().layout().nPositions()) break;
        }
        return ids;
    }

    private static Composed demonstrations(String question, int n) {
        List<Composed.Part> parts = new ArrayList<>();
        parts.add(new Composed.Part("instruction", new Message("system", TASK)));
        for (String[] shown : List.of(DEMONSTRATIONS).subList(0, n)) {
            parts.add(new Composed.Part("shots", new Message("user", asked(shown[0]))));
            parts.add(new Composed.Part("shots", new Message("assistant", shown[1])));
        }
        parts.add(new Composed.Part("question", new Message("user", asked(question))));
        return new Composed(Composition.EMPTY, parts, List.of(), 0);
    }

    private static String asked(String question) {
        return "Input: " + question.strip() + "\nKnowledge:";
    }

    @Override
    public boolean ended() {
        return ended;
    }

    @Override
    public void advance(Consumer<Inquiry.Event> out) {
        if (texts.isEmpty()) sample(out);
        else if (options.isEmpty()) decode(out);
        else choose(out);
    }

    private void sample(Consumer<Inquiry.Event> out) {
        if (!run.decoding()) {
            int first = sampled.size();
            int rows = Math.min(composition.knowledge() - first, run.rows(prompt, config));
            for (int i = 0; i < rows; i++) sampled.add(new Path(first + i, "", run::piece));
            run.begin(aside, prompt, config, first, rows);
        }
        Step step = run.next();
        sampled.get(step.sample()).take(step);
        if (step instanceof Step.Stop)
            out.accept(new Inquiry.Event.Note("knowledge " + ++finished + " of " + composition.knowledge()));
        if (run.hasNext()) return;
        run.end();
        if (run.interrupted()) ended = true;
        else if (sampled.size() == composition.knowledge()) keep(out);
    }

    private void keep(Consumer<Inquiry.Event> out) {
        SequencedSet<String> distinct = new LinkedHashSet<>(List.of(""));
        for (Path path : sampled) distinct.add(path.text().strip());
        int left = sampled.size() - (distinct.size() - 1);
        if (left > 0)
            out.accept(new Inquiry.Event.Note(left + " of " + sampled.size() + " statements were empty or repeated: left out"));
        texts.addAll(distinct);
    }

    /// The prompt with a statement in front of the question.
    private Composed with(String statement) {
        if (statement.isEmpty()) return run.composed();
        Message asked = question.message();
        Object content = statement + "\n" + asked.text();
        if (asked.fields().get("content") instanceof List<?> parts) {
            List<Object> more = new ArrayList<>(parts);
            more.addFirst(Map.of("type", "text", "text", statement + "\n"));
            content = more;
        }
        Composed.Part informed = new Composed.Part(question.label(), asked.with("content", content));
        List<Composed.Part> parts = run.composed().parts().stream().map(p -> p == question ? informed : p).toList();
        return new Composed(composition, parts, run.composed().shown(), run.composed().dropped());
    }

    private void decode(Consumer<Inquiry.Event> out) {
        if (!run.decoding()) {
            answer = new Path(statements.size(), "", run::piece);
            run.begin(run.cache(), run.ids(with(texts.get(statements.size()))), run.config().withTemperature(0), 0, 1);
        }
        answer.take(run.next());
        if (run.hasNext()) return;
        run.end();
        Sample sample = answer.end(composition.answer());
        if (sample.reason() == FinishReason.INTERRUPTED) ended = true;
        else add(sample, sample.tokens().isEmpty() ? 1 : Math.exp(sample.logprob() / sample.tokens().size()), out);
    }

    private void choose(Consumer<Inquiry.Event> out) {
        Composed informed = with(texts.get(statements.size()));
        int[] ids = run.ids(informed);
        run.prefill(ids);
        double[] likelihoods = new double[options.size()];
        int best = 0;
        for (int i = 0; i < likelihoods.length; i++) {
            if (run.interrupted()) {
                ended = true;
                return;
            }
            likelihoods[i] = loglikelihood(informed, ids, options.get(i));
            if (likelihoods[i] > likelihoods[best]) best = i;
        }
        double all = 0;
        for (double one : likelihoods) all += Math.exp(one - likelihoods[best]);
        String option = options.get(best);
        add(new Sample(statements.size(), option, Optional.of(option), FinishReason.STOP, List.of()), 1 / all, out);
    }

    private double loglikelihood(Composed informed, int[] ids, String option) {
        if (run.lm().chatTemplate().isPresent())
            return run.lm().score(run.cache(), ids, run.lm().tokenizer().encode(option, false, false)).loglikelihood();
        String text = informed.text();
        return run.lm().score(run.cache(), text, Run.gap(text) + option).loglikelihood();
    }

    private void add(Sample sample, double probability, Consumer<Inquiry.Event> out) {
        Statement statement = new Statement(texts.get(statements.size()), sample, probability);
        statements.add(statement);
        out.accept(new Inquiry.Event.Known(statement));
        ended = statements.size() == texts.size();
        if (ended) out.accept(new Inquiry.Event.Text(surest().orElseThrow().sample().text()));
    }

    private Optional<Statement> surest() {
        return statements.stream().reduce((a, b) -> b.probability() > a.probability() ? b : a);
    }

    @Override
    public Reply reply() {
        boolean cut = texts.isEmpty() || statements.size() < texts.size();
        Optional<Sample> sample = surest().map(Statement::sample);
        return new Reply(sample.map(Sample::text).orElse(""), sample.flatMap(Sample::answer),
                cut ? FinishReason.INTERRUPTED : sample.orElseThrow().reason(),
                statements.stream().map(Statement::sample).toList(), Optional.empty(), statements, run.usage(), config.seed());
    }

    @Override
    public void close() {
        run.end();
        aside.close();
    }
}
