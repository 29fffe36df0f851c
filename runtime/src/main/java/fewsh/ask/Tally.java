package fewsh.ask;

import fewsh.prompt.Extraction;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;

/// Votes while they are counted.
final class Tally {
    /// By what makes answers one, in the order in which they were first seen.
    private final SequencedMap<String, Integer> counts = new LinkedHashMap<>();
    /// How each was written first.
    private final Map<String, String> written = new HashMap<>();
    private final Extraction extraction;
    private int unparsable;

    Tally(Extraction extraction) {
        this.extraction = extraction;
    }

    void add(Optional<String> answer) {
        if (answer.isEmpty()) unparsable++;
        answer.ifPresent(text -> {
            String key = extraction.key(text);
            counts.merge(key, 1, Integer::sum);
            written.putIfAbsent(key, text);
        });
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
        return leader().map(written::get);
    }

    private Optional<String> leader() {
        String leader = null;
        for (var entry : counts.entrySet()) if (leader == null || entry.getValue() > counts.get(leader)) leader = entry.getKey();
        return Optional.ofNullable(leader);
    }

    /// Most votes first, then first seen.
    SequencedMap<String, Integer> ordered() {
        SequencedMap<String, Integer> ordered = new LinkedHashMap<>();
        counts.entrySet().stream().sorted(Map.Entry.<String, Integer>comparingByValue().reversed())     // stable
                .forEach(e -> ordered.put(written.get(e.getKey()), e.getValue()));
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
        String winner = leader().orElseThrow();
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
