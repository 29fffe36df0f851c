package fewsh.encode;

import fewsh.models.Settings;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/// What a classifier says of one input: all its classes, the best first.
public record Classes(List<Class> all) {
    public Classes {
        all = List.copyOf(all);
    }

    /// @param score a probability; for a regression the number itself
    public record Class(String label, float score) {}

    /// Labels with their scores, in any order; of equal scores the earlier comes first.
    static Classes of(List<String> labels, float[] scores) {
        List<Class> all = new ArrayList<>();
        for (int i = 0; i < scores.length; i++) all.add(new Class(labels.get(i), scores[i]));
        all.sort(Comparator.comparing(Class::score).reversed());
        return new Classes(all);
    }

    /// What logits say: probabilities that add up to 1; each by itself for `multi_label_classification` or a single class; the
    /// numbers as they are for `regression`.
    ///
    /// @param settings whose `problem_type` says which
    /// @throws fewsh.UserError if it is none of these
    /// Source: `TextClassificationPipeline` and `ImageClassificationPipeline` of transformers.
    static Classes of(List<String> labels, float[] logits, Settings settings) {
        String problem = settings.choice("problem_type", "single_label_classification",
                List.of("regression", "single_label_classification", "multi_label_classification"));
        if (problem.equals("regression")) return of(labels, logits);
        if (problem.equals("single_label_classification") && labels.size() > 1) softmax(logits);
        else for (int i = 0; i < logits.length; i++) logits[i] = (float) (1 / (1 + Math.exp(-logits[i])));
        return of(labels, logits);
    }

    /// Makes logits probabilities, in place.
    static void softmax(float[] logits) {
        double most = Double.NEGATIVE_INFINITY;
        for (float l : logits) most = Math.max(most, l);
        double sum = 0;
        for (float l : logits) sum += Math.exp(l - most);
        for (int i = 0; i < logits.length; i++) logits[i] = (float) (Math.exp(logits[i] - most) / sum);
    }

    public Class best() {
        return all.getFirst();
    }
}
