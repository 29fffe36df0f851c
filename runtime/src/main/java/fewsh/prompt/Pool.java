package fewsh.prompt;

import fewsh.UserError;
import fewsh.jinja.Environment;
import fewsh.jinja.Template;
import fewsh.jinja.TemplateError;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.function.Function;
import java.util.function.IntPredicate;

/// The examples of a prompt, made ready to be chosen from: made once for a batch, which asks it for each of its items.
///
/// An item is known by its inputs, not by its place: the same item gets the same examples in any order, alone or in a batch.
/// `random` gives each example a number drawn from (seed, item, example) and takes the smallest, so more examples are those of
/// a smaller k and others in front of them. The item itself, an example that agrees with it in all input fields that both
/// have, is never among them; where that leaves fewer than k, those are shown. Immutable; threads may share it.
public final class Pool {
    /// An example's field that few-shot chain of thought shows before the answer.
    static final String REASONING = "reasoning";

    private final Shots shots;
    private final List<Map<String, Object>> examples;
    private final Set<String> fields = new LinkedHashSet<>(); // the input fields that any example has
    private final List<Map<String, String>> inputs = new ArrayList<>(); // each example's, as text
    private final List<int[]> byLabel = new ArrayList<>(); // of `balanced`, in the order the labels appear
    private final Function<String, double[]> index; // of `similar`, else null
    private final Template input;
    private final Template output;

    /// @throws UserError if there are fewer than k examples, or one has no answer
    public static Pool of(Shots shots) {
        return of(shots, Similarity.WORDS);
    }

    /// @param similarity by which `similar` chooses
    public static Pool of(Shots shots, Similarity similarity) {
        return new Pool(shots, similarity);
    }

    private Pool(Shots shots, Similarity similarity) {
        this.shots = shots;
        this.examples = shots.examples();
        if (shots.k() > examples.size())
            throw new UserError(shots.file(), "k is " + shots.k() + ", but there are " + count(examples.size()), "ask for fewer");
        input = template("input", shots.input());
        output = template("output", shots.output());
        Map<String, List<Integer>> labels = new LinkedHashMap<>();
        for (int i = 0; i < examples.size(); i++) {
            Map<String, String> texts = new LinkedHashMap<>();
            examples.get(i).forEach((name, value) -> {
                if (isInput(name)) texts.put(name, Draw.canonical(value));
            });
            inputs.add(texts);
            fields.addAll(texts.keySet());
            if (shots.by() == Shots.By.BALANCED)
                labels.computeIfAbsent(Draw.canonical(field(i, shots.label(), "its answer")), _ -> new ArrayList<>()).add(i);
        }
        labels.values().forEach(of -> byLabel.add(of.stream().mapToInt(i -> i).toArray()));
        index = shots.by() == Shots.By.SIMILAR
                ? similarity.index(inputs.stream().map(texts -> String.join("\n", texts.values())).toList()) : null;
    }

    /// A template that fails for a field that is missing.
    private static Template template(String name, String text) {
        try {
            return Template.parse(text, Environment.lmEval());
        } catch (TemplateError e) {
            String place = e.line() == 0 ? "" : " at line " + e.line() + ", column " + e.column();
            throw new UserError("", "shots: the template \"" + name + "\" cannot be read" + place + ": " + e.getMessage(), "", e);
        }
    }

    Template input() {
        return input;
    }

    Template output() {
        return output;
    }

    private boolean isInput(String field) {
        return !field.equals(shots.label()) && !field.equals(REASONING);
    }

    private static String count(int examples) {
        return examples == 0 ? "no examples" : examples == 1 ? "1 example" : examples + " examples";
    }

    Shots shots() {
        return shots;
    }

    /// The examples for an item, in the order they are shown: the one that matters most last, next to the question.
    ///
    /// @param item the prompt's inputs
    public List<Map<String, Object>> pick(Map<String, ?> item) {
        return indices(item).stream().<Map<String, Object>>map(examples::get).toList();
    }

    /// The same, by their places among the examples.
    List<Integer> indices(Map<String, ?> item) {
        int k = shots.k() < 0 ? examples.size() : shots.k();
        if (k == 0 || examples.isEmpty()) return List.of();
        Map<String, String> shared = new LinkedHashMap<>();
        for (String field : fields)
            if (item.containsKey(field)) shared.put(field, Draw.canonical(item.get(field)));
        IntPredicate other = i -> !isItem(inputs.get(i), shared);
        List<Integer> best = switch (shots.by()) {
            case FIRST -> {
                List<Integer> first = new ArrayList<>();
                for (int i = 0; i < examples.size() && first.size() < k; i++)
                    if (other.test(i)) first.add(i);
                yield first.reversed();
            }
            case RANDOM -> {
                long[] draws = draws(Draw.key(shots.seed(), item));
                yield best(k, all(), other, Comparator.comparingLong(i -> draws[i]));
            }
            case BALANCED -> balanced(k, other, Draw.key(shots.seed(), item));
            case SIMILAR -> {
                Collection<String> query = shared.isEmpty() ? inputTexts(item) : shared.values();
                double[] scores = index.apply(String.join("\n", query));
                yield best(k, all(), other, Comparator.<Integer>comparingDouble(i -> -scores[i]).thenComparingInt(i -> i));
            }
        };
        return best.reversed();
    }

    private int[] all() {
        int[] all = new int[examples.size()];
        Arrays.setAll(all, i -> i);
        return all;
    }

    private List<String> inputTexts(Map<String, ?> item) {
        List<String> texts = new ArrayList<>();
        item.forEach((name, value) -> {
            if (isInput(name)) texts.add(Draw.canonical(value));
        });
        return texts;
    }

    /// Whether an example agrees with an item in every input field that both have.
    private static boolean isItem(Map<String, String> example, Map<String, String> item) {
        boolean any = false;
        for (var field : item.entrySet()) {
            String value = example.get(field.getKey());
            if (value == null) continue;
            if (!value.equals(field.getValue())) return false;
            any = true;
        }
        return any;
    }

    /// The k first in `order` of those that may be taken, in that order.
    private static List<Integer> best(int k, int[] from, IntPredicate may, Comparator<Integer> order) {
        PriorityQueue<Integer> worstFirst = new PriorityQueue<>(order.reversed());
        for (int i : from) {
            if (worstFirst.size() == k && order.compare(i, worstFirst.peek()) >= 0 || !may.test(i)) continue;
            if (worstFirst.size() == k) worstFirst.poll();
            worstFirst.add(i);
        }
        List<Integer> best = new ArrayList<>(worstFirst);
        best.sort(order);
        return best;
    }

    /// Rounds in which every label that has examples left gives one; of the last round the labels that come first in the
    /// item's own order of labels. Within a round by the examples' draws, so that no label has a place of its own.
    private List<Integer> balanced(int k, IntPredicate may, long key) {
        long[] draws = draws(key);
        Comparator<Integer> order = Comparator.comparingLong(i -> draws[i]);
        List<Integer> ranks = new ArrayList<>();
        for (int label = 0; label < byLabel.size(); label++) ranks.add(label);
        ranks.sort(Comparator.comparingLong(label -> Draw.draw(key, -2L - label)));
        List<List<Integer>> byRank = ranks.stream().map(label -> best(k, byLabel.get(label), may, order)).toList();
        List<Integer> chosen = new ArrayList<>();
        for (int round = 0; chosen.size() < k; round++) {
            List<Integer> taken = new ArrayList<>();
            for (List<Integer> of : byRank)
                if (round < of.size() && chosen.size() + taken.size() < k) taken.add(of.get(round));
            if (taken.isEmpty()) break;
            taken.sort(order);
            chosen.addAll(taken);
        }
        return chosen;
    }

    private long[] draws(long key) {
        long[] draws = new long[examples.size()];
        Arrays.setAll(draws, i -> Draw.draw(key, i));
        return draws;
    }

    /// Whether any example has this as an input field.
    boolean has(String field) {
        return fields.contains(field);
    }

    /// Whether any example has this field at all.
    boolean knows(String field) {
        return fields.contains(field) || !isInput(field);
    }

    Map<String, Object> example(int i) {
        return examples.get(i);
    }

    /// An example's field.
    ///
    /// @param what what the field is for, for the message
    Object field(int i, String name, String what) {
        Object value = examples.get(i).get(name);
        if (value == null) throw lacks(i, name, what);
        return value;
    }

    UserError lacks(int i, String name, String what) {
        Map<String, Object> example = examples.get(i);
        return new UserError(where(i), "has no \"" + name + "\", " + what,
                UserError.near(name, example.keySet(), example.isEmpty() ? "" : "it has " + String.join(", ", example.keySet())));
    }

    /// Where an example stands: file and line, or its number.
    String where(int i) {
        return examples.get(i) instanceof Row row ? row.where() : "example " + (i + 1);
    }
}
