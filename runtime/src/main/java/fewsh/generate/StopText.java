package fewsh.generate;

import java.util.List;

/// Finds stop sequences in text that arrives in pieces, and holds back what may be the beginning of one.
final class StopText {
    private final List<String> stops;
    private final StringBuilder held = new StringBuilder();
    private boolean stopped;

    StopText(List<String> stops) {
        this.stops = stops;
    }

    /// @return what may be shown now
    String add(String piece) {
        if (stops.isEmpty()) return piece;
        held.append(piece);
        int first = -1;
        for (String stop : stops) {
            int at = held.indexOf(stop);
            if (at >= 0 && (first < 0 || at < first)) first = at;
        }
        stopped = first >= 0;
        int free = stopped ? first : held.length() - longestBeginning();
        String text = held.substring(0, free);
        held.delete(0, free);
        return text;
    }

    /// Whether a stop sequence was met; it and what followed are not shown.
    boolean stopped() {
        return stopped;
    }

    /// What was held back, once no more comes.
    String finish() {
        return stopped ? "" : held.toString();
    }

    /// The length of the longest end of the text that begins a stop sequence.
    private int longestBeginning() {
        int longest = 0;
        for (String stop : stops)
            for (int n = Math.min(stop.length() - 1, held.length()); n > longest; n--)
                if (stop.startsWith(held.substring(held.length() - n))) longest = n;
        return longest;
    }
}
