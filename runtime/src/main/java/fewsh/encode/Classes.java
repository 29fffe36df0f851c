package fewsh.encode;

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

    public Class best() {
        return all.getFirst();
    }
}
