package fewsh.ask;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;

/// Votes while they are counted.
final class Tally {
    /// In the order in which answers were first seen.
    private final SequencedMap<String, Integer> counts = new LinkedHashMap<>();
    private int unparsable;

    void add(Optional<String> answer) {
        if (answer.isPresent()) counts.merge(answer.get(), 1, Integer::sum);
        else unparsable++;
    }

    int unparsable() {
        return unparsable;
    }

    /// Paths that were counted.
    int samples() {
        return unparsable + counts.values().stream().mapToInt(Integer::intValue).sum();
    }

    /// Most votes; of equal ones the first that was seen.
    Optional<String> winner() {
        return counts.isEmpty() ? Optional.empty() : Optional.of(ordered().firstEntry().getKey());
    }

    /// Most votes first, then first seen.
    SequencedMap<String, Integer> ordered() {
        SequencedMap<String, Integer> ordered = new LinkedHashMap<>();
        counts.entrySet().stream().sorted(Map.Entry.<String, Integer>comparingByValue().reversed())     // stable
                .forEach(e -> ordered.put(e.getKey(), e.getValue()));
        return ordered;
    }

    /// By how much the winner leads over the next.
    int lead() {
        int[] two = counts.values().stream().mapToInt(i -> -i).sorted().limit(2).map(i -> -i).toArray();
        return two.length == 0 ? 0 : two.length == 1 ? two[0] : two[0] - two[1];
    }

    /// Whether the winner stays the winner whatever `more` paths say.
    boolean isCertain(int more) {
        if (counts.isEmpty()) return more == 0;
        String winner = winner().orElseThrow();
        int most = counts.get(winner);
        if (more > most) return false;                  // an answer not seen yet; at `most` it would tie, and come later
        boolean seen = false;
        for (var other : counts.entrySet()) {
            if (other.getKey().equals(winner)) {
                seen = true;
                continue;
            }
            int could = other.getValue() + more;
            if (could > most || could == most && !seen) return false;
        }
        return true;
    }
}
